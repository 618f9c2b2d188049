//! Requests to apps that are raw sockets: what they read is compared byte for byte.

use http_body::Frame;
use http_body_util::{Empty, Full};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::*;

mod answers;
mod connections;
mod fidelity;
mod tls;

/// An app on a loopback address, served by the test itself.
struct App {
    listener: TcpListener,
    target: Target,
}

impl App {
    async fn new() -> Self {
        Self::on("127.0.0.1", "127.0.0.1").await
    }

    /// Listens on `address`, and is to be called `name`.
    async fn on(address: &str, name: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = format!("{name}:{port}").parse().unwrap();
        Self { listener, target }
    }

    async fn accept(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    /// Takes one connection and one request, answers it, and returns both.
    async fn serve(&self, answer: &[u8]) -> (TcpStream, Vec<u8>) {
        let mut socket = self.accept().await;
        let request = read_request(&mut socket).await;
        socket.write_all(answer).await.unwrap();
        (socket, request)
    }

    /// Whether nobody else wants to connect.
    fn left_alone(self) -> bool {
        let listener = self.listener.into_std().unwrap();
        listener.accept().unwrap_err().kind() == io::ErrorKind::WouldBlock
    }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Head and body of a request that has a `content-length`, ends a chunked body, or has no body.
async fn read_request(socket: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    loop {
        let count = socket.read_buf(&mut request).await.unwrap();
        assert!(count > 0, "closed within {:?}", request.escape_ascii().to_string());
        let Some(end) = find(&request, b"\r\n\r\n") else {
            continue;
        };
        let head = request[..end].to_ascii_lowercase();
        let complete = if find(&head, b"chunked").is_some() {
            find(&request[end + 4..], b"0\r\n").is_some() && request.ends_with(b"\r\n\r\n")
        } else {
            let at = find(&head, b"content-length: ").map(|at| at + 16);
            let length: usize = at.map_or(0, |at| {
                let digits = head[at..].split(|byte| *byte == b'\r').next().unwrap();
                std::str::from_utf8(digits).unwrap().parse().unwrap()
            });
            request.len() >= end + 4 + length
        };
        if complete {
            return request;
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Waits until the other side is gone, however it went.
async fn closed(socket: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest).await {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}

fn upstream() -> Upstream {
    Upstream::new(UpstreamConfig::default()).unwrap()
}

fn request(method: &str) -> http::request::Builder {
    Request::builder().method(method).header("host", "app.test")
}

fn post(body: &'static str) -> Request<Full<Bytes>> {
    let request = request("POST").header("content-length", body.len());
    request.body(Full::from(body)).unwrap()
}

fn get() -> Request<Empty<Bytes>> {
    request("GET").body(Empty::new()).unwrap()
}

fn slash() -> Bytes {
    Bytes::from_static(b"/")
}

async fn text(response: Response<UpstreamBody>) -> Result<String, UpstreamError> {
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.into()).unwrap())
}

/// A body whose frames come from the test, of a length that nobody knows.
struct Piped(mpsc::Receiver<Result<Frame<Bytes>, io::Error>>);

type Pipe = mpsc::Sender<Result<Frame<Bytes>, io::Error>>;

fn piped() -> (Pipe, Piped) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Piped(receiver))
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

impl Body for Piped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(cx)
    }
}
