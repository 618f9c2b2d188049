//! HTTP/1.1 by hand: what is sent is exactly what a test wrote, what is read is exactly what came.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::DEADLINE;

/// How much is read from a socket at once.
const PIECE: usize = 64 * 1024;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    /// Read and not yet used.
    buffer: Vec<u8>,
}

/// A request's or an answer's head, as it stood on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// Request or status line.
    pub(crate) line: Vec<u8>,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// How a body's end is told.
#[derive(Debug)]
enum Framing {
    Sized(u64),
    /// Bytes left of the current chunk; none before a chunk's size line.
    Chunked(Option<u64>),
    UntilClose,
    Done,
}

/// A body that is read piece by piece.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    wire: &'a mut Wire,
    framing: Framing,
    pub(crate) trailers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::of(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn of(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.try_send(bytes).unwrap();
        self
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        // The peer may have closed the connection already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next head; none when the connection ends before its first byte.
    pub(crate) fn head(&mut self) -> io::Result<Option<Head>> {
        let mut lines = Vec::new();
        loop {
            match self.line() {
                Ok(line) if line.is_empty() => break,
                Ok(line) => lines.push(line),
                Err(_) if lines.is_empty() && self.buffer.is_empty() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let mut lines = lines.into_iter();
        Ok(lines.next().map(|line| Head { line, headers: lines.map(|line| header(&line)).collect() }))
    }

    /// The next answer: its head and its whole body.
    pub(crate) fn answer(&mut self) -> (Head, Vec<u8>) {
        let head = self.head().unwrap().expect("an answer");
        let body = self.answer_body(&head).all().unwrap();
        (head, body)
    }

    /// The body that follows an answer's head (RFC 9112 §6.3), for any request but HEAD.
    pub(crate) fn answer_body(&mut self, head: &Head) -> Body<'_> {
        let none = matches!(head.status(), 100..200 | 204 | 304);
        let framing = if none { Framing::Done } else { head.framing().unwrap_or(Framing::UntilClose) };
        Body { wire: self, framing, trailers: Vec::new() }
    }

    /// The body that follows a request's head.
    pub(crate) fn request_body(&mut self, head: &Head) -> Body<'_> {
        Body { wire: self, framing: head.framing().unwrap_or(Framing::Done), trailers: Vec::new() }
    }

    /// Everything up to the end of the connection, however it ends.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.fill().is_ok() {}
        std::mem::take(&mut self.buffer)
    }

    /// Blocks until the peer has closed the connection.
    pub(crate) fn wait_for_close(&mut self) {
        let error = loop {
            if let Err(error) = self.fill() {
                break error;
            }
        };
        assert!(!matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "the connection stayed open");
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer[..end].to_vec();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            self.fill()?;
        }
    }

    /// Reads what there is, at least one byte.
    fn fill(&mut self) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    self.buffer.extend_from_slice(&piece[..length]);
                    return Ok(());
                }
                // A read with a timeout is not begun again when the process was stopped and goes on (signal(7)).
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// At most `most` bytes, at least one.
    fn some(&mut self, most: u64) -> io::Result<Vec<u8>> {
        if self.buffer.is_empty() {
            self.fill()?;
        }
        let length = self.buffer.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }
}

impl Head {
    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let line = String::from_utf8_lossy(&self.line);
        line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {line}"))
    }

    /// All values of a header, in order.
    pub(crate) fn values(&self, name: &str) -> Vec<&[u8]> {
        let same = |header: &&(Vec<u8>, Vec<u8>)| header.0.eq_ignore_ascii_case(name.as_bytes());
        self.headers.iter().filter(same).map(|(_, value)| value.as_slice()).collect()
    }

    /// The first value of a header, as text.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.values(name).first().map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// The code of an answer that hookwire gave itself, checked to be complete: the same code in header and body, words for a
    /// person, and a fitting status.
    pub(crate) fn refusal(&self, body: &[u8]) -> (u16, String) {
        let code = self.value("hookwire-error").unwrap_or_else(|| panic!("not an answer of hookwire's own: {self:?}"));
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert_eq!(json["error"], code.as_str());
        assert!(json["message"].is_string() && json["hint"].is_string(), "{json}");
        assert_eq!(self.status() == 503, self.value("retry-after").is_some(), "{self:?}");
        (self.status(), code)
    }

    fn framing(&self) -> Option<Framing> {
        if self.value("transfer-encoding").is_some() {
            return Some(Framing::Chunked(None));
        }
        self.value("content-length").map(|length| Framing::Sized(length.parse().unwrap()))
    }
}

impl Body<'_> {
    /// The next bytes; none at the end. A body that stops before its end is an error.
    pub(crate) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.framing {
                Framing::Done | Framing::Sized(0) => return Ok(None),
                Framing::Sized(left) => {
                    let piece = self.wire.some(left)?;
                    self.framing = Framing::Sized(left - piece.len() as u64);
                    return Ok(Some(piece));
                }
                Framing::UntilClose => {
                    let piece = self.wire.some(u64::MAX);
                    return if matches!(&piece, Err(error) if error.kind() == ErrorKind::UnexpectedEof) {
                        Ok(None)
                    } else {
                        piece.map(Some)
                    };
                }
                Framing::Chunked(None) => self.chunk_size()?,
                Framing::Chunked(Some(0)) => {
                    self.wire.line()?;
                    self.framing = Framing::Chunked(None);
                }
                Framing::Chunked(Some(left)) => {
                    let piece = self.wire.some(left)?;
                    self.framing = Framing::Chunked(Some(left - piece.len() as u64));
                    return Ok(Some(piece));
                }
            }
        }
    }

    /// All of it.
    pub(crate) fn all(&mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next()? {
            whole.extend(piece);
        }
        Ok(whole)
    }

    /// Reads a chunk's size line; behind the last chunk also the trailers.
    fn chunk_size(&mut self) -> io::Result<()> {
        let line = self.wire.line()?;
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = u64::from_str_radix(String::from_utf8_lossy(digits).trim(), 16).map_err(io::Error::other)?;
        self.framing = Framing::Chunked(Some(size));
        if size == 0 {
            loop {
                let line = self.wire.line()?;
                if line.is_empty() {
                    break;
                }
                self.trailers.push(header(&line));
            }
            self.framing = Framing::Done;
        }
        Ok(())
    }
}

fn header(line: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
    let value = line.get(colon + 1..).unwrap_or_default();
    (line[..colon].to_vec(), value.trim_ascii().to_vec())
}
