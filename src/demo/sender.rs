//! The demo's gateways: post a webhook to the public URL, as Razorpay, Stripe or GitHub would.

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header::HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::script::Webhook;

/// The header that tells which webhook of the script it is.
pub(super) const NUMBER: &str = "x-hookwire-demo";

/// Posts a webhook below the public URL, on a connection of its own, and reads the whole answer.
pub(super) async fn send(public_url: &str, number: u32, webhook: Webhook) -> Result<StatusCode, String> {
    let url: Uri = format!("{}{}", public_url.trim_end_matches('/'), webhook.path)
        .parse()
        .map_err(|error| format!("`{public_url}` is no URL: {error}"))?;
    let authority = url.authority().ok_or_else(|| format!("`{public_url}` has no host"))?;
    let mut request = Request::post(url.path()).header(HOST, authority.as_str()).header(NUMBER, number);
    request = request.header("content-type", "application/json").header("user-agent", webhook.agent);
    for (name, value) in webhook.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(webhook.body))).map_err(|error| error.to_string())?;
    let stream = TcpStream::connect(authority.as_str())
        .await
        .map_err(|error| format!("`{authority}` can't be reached: {error}"))?;
    post(stream, request).await.map_err(|error| error.to_string())
}

async fn post(stream: TcpStream, request: Request<Full<Bytes>>) -> Result<StatusCode, hyper::Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        response.into_body().collect().await?;
        // Dropping `sender` here ends the connection, whose future is polled beside this one.
        Ok(status)
    };
    let (status, _closed) = tokio::join!(exchange, connection);
    status
}
