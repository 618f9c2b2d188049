//! The demo's app: a shop that takes webhooks as a careful one does, checking each signature over the raw body with its own secrets.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use hookwire_signatures::{Request as Signed, Secrets, Status, Verifier};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::script::now;
use crate::failure::Failure;

/// The largest body that the shop takes, as most web frameworks set it: it is held in memory to be checked.
const MAX_BODY: usize = 1 << 20;

/// A shop that has its port, and answers once it is [run](Self::run).
pub(super) struct Shop {
    listener: TcpListener,
    address: SocketAddr,
    secrets: Arc<Secrets>,
}

impl Shop {
    /// Takes a free port on this machine.
    pub(super) async fn bind(secrets: Secrets) -> Result<Self, Failure> {
        let failure = |error| Failure::usage(format!("the demo's shop can't listen on this machine: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failure)?;
        let address = listener.local_addr().map_err(failure)?;
        Ok(Self { listener, address, secrets: Arc::new(secrets) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is dropped, and with it every connection.
    pub(super) async fn run(self) -> Failure {
        let mut connections = JoinSet::new();
        loop {
            // Both arms are cancel-safe: a connection is either accepted or still waiting, a task either ended or not.
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(serve(stream, Arc::clone(&self.secrets)))),
                    Err(error) => return Failure::usage(format!("the demo's shop can't take connections: {error}")),
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn serve(stream: TcpStream, secrets: Arc<Secrets>) {
    let service = service_fn(|request| answer(request, Arc::clone(&secrets)));
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!("a connection to the demo's shop broke: {error}");
    }
}

async fn answer(request: Request<Incoming>, secrets: Arc<Secrets>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Ok(say(StatusCode::PAYLOAD_TOO_LARGE, r#"{"status":"no whole body of at most 1 MiB"}"#));
    };
    let body = body.to_bytes();
    Ok(match (&head.method, head.uri.path()) {
        (&Method::POST, "/verification" | "/stripe") if is_valid(&head, &body, &secrets) => {
            say(StatusCode::OK, r#"{"status":"ok"}"#)
        }
        (&Method::POST, "/verification" | "/stripe") => {
            say(StatusCode::BAD_REQUEST, r#"{"status":"invalid signature"}"#)
        }
        // What many forget: here anybody could post anything.
        (&Method::POST, "/github") => say(StatusCode::OK, r#"{"status":"ok, unchecked"}"#),
        _ => say(StatusCode::NOT_FOUND, r#"{"status":"POST to /verification, /stripe or /github"}"#),
    })
}

fn is_valid(head: &http::request::Parts, body: &[u8], secrets: &Secrets) -> bool {
    let headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let request =
        Signed { method: head.method.as_str().as_bytes(), target: target.as_bytes(), headers: &headers, urls: &[] };
    let mut verifier = Verifier::start(&request, secrets, now());
    verifier.update(body);
    verifier.finish().status == Status::Valid
}

fn say(status: StatusCode, json: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(json.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
