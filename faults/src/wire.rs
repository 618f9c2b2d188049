//! Just enough HTTP/1.1 for a sender and an app, in the open: no library decides here what is retried or reused.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What one message may come to: bodies here are small.
const MESSAGE: usize = 64 * 1024 * 1024;

/// Lines of a head. The relay itself takes 100.
const LINES: usize = 128;

/// A message as it was read.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// What stands in the first line.
    pub(crate) start: Start,
    /// Header lines, names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) enum Start {
    #[default]
    Nothing,
    Request,
    Response {
        status: u16,
    },
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    pub(crate) fn status(&self) -> u16 {
        match self.start {
            Start::Response { status } => status,
            _ => 0,
        }
    }
}

/// A connection, with what was read beyond the last message.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, read: Vec::new() }
    }

    pub(crate) async fn open(address: &str, patience: Duration) -> Result<Self> {
        let stream = tokio::time::timeout(patience, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self::new(stream))
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// The next message; `None` if the peer closed in peace.
    pub(crate) async fn message(&mut self, is_request: bool) -> Result<Option<Message>> {
        loop {
            if let Some((message, used)) = parse(&self.read, is_request)? {
                self.read.drain(..used);
                return Ok(Some(message));
            }
            ensure!(self.read.len() <= MESSAGE, "a message over {MESSAGE} bytes");
            if self.stream.read_buf(&mut self.read).await? == 0 {
                ensure!(self.read.is_empty(), "the connection ended in the middle of a message");
                return Ok(None);
            }
        }
    }
}

/// A whole message and its length, or `None` if there is more to come.
fn parse(bytes: &[u8], is_request: bool) -> Result<Option<(Message, usize)>> {
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let (head, start) = if is_request {
        let mut request = httparse::Request::new(&mut lines);
        let httparse::Status::Complete(head) = request.parse(bytes)? else { return Ok(None) };
        (head, Start::Request)
    } else {
        let mut response = httparse::Response::new(&mut lines);
        let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
        (head, Start::Response { status: response.code.unwrap_or_default() })
    };
    let headers: Vec<(String, Vec<u8>)> = lines
        .iter()
        .take_while(|line| !line.name.is_empty())
        .map(|line| (line.name.to_ascii_lowercase(), line.value.to_vec()))
        .collect();
    let message = Message { start, headers, body: Vec::new() };
    let rest = &bytes[head..];
    let framed = if let Some(length) = message.header("content-length") {
        let length: usize = length.parse()?;
        (rest.len() >= length).then(|| (rest[..length].to_vec(), length))
    } else if message.header("transfer-encoding").is_some() {
        chunked(rest)?
    } else {
        Some((Vec::new(), 0))
    };
    Ok(framed.map(|(body, length)| (Message { body, ..message }, head + length)))
}

fn chunked(mut rest: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    let (mut body, whole) = (Vec::new(), rest.len());
    loop {
        let Ok(httparse::Status::Complete((line, size))) = httparse::parse_chunk_size(rest) else {
            return if rest.len() > 64 { bail!("no chunk size") } else { Ok(None) };
        };
        let size = usize::try_from(size)?;
        if rest.len() < line + size + 2 {
            return Ok(None);
        }
        body.extend_from_slice(&rest[line..line + size]);
        rest = &rest[line + size + 2..];
        if size == 0 {
            return Ok(Some((body, whole - rest.len())));
        }
    }
}
