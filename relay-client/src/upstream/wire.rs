//! What hyper does not do, done on its socket: request targets it can't carry, and answers it would lose.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Uri, uri::PathAndQuery};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::UpstreamError;

/// What stands on hyper's request line when the real target can't.
const PLACEHOLDER: &str = "/";

/// A request target in origin form (RFC 9112 §3.2.1), and who can write it.
#[derive(Debug)]
pub(super) enum RequestTarget {
    /// hyper can, unchanged.
    Uri(Uri),
    /// hyper would refuse or change it (`<`, `>`, a backtick, `#`, bytes that are not UTF-8): [`Wire`] writes it.
    Raw(Bytes),
}

impl RequestTarget {
    /// Refuses what would end the request line or the target on it.
    pub(super) fn new(target: Bytes) -> Result<Self, UpstreamError> {
        let breaks_line = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
        if target.first() != Some(&b'/') || target.iter().any(breaks_line) {
            return Err(UpstreamError::BadTarget);
        }
        match PathAndQuery::from_maybe_shared(target.clone()) {
            Ok(path) if path.as_str().as_bytes() == target => Ok(Self::Uri(path.into())),
            _ => Ok(Self::Raw(target)),
        }
    }

    /// What hyper is given, and what [`Wire`] has to write instead of it.
    pub(super) fn split(self) -> (Uri, Option<Bytes>) {
        match self {
            Self::Uri(uri) => (uri, None),
            Self::Raw(target) => (Uri::from_static(PLACEHOLDER), Some(target)),
        }
    }
}

/// A socket as hyper sees it.
///
/// - The first request on it gets `raw_target` on its request line, where there is one.
/// - A write to an app that has closed is no error but never done, and the reading side tells what happened: an app that
///   answers early (`413`, say) and closes without reading the whole body has answered, though the rest can't be written.
#[derive(Debug)]
pub(super) struct Wire<S> {
    socket: S,
    raw_target: Option<Bytes>,
    /// Method, blank and raw target, once begun; and how much of it is written.
    line_start: Vec<u8>,
    written: usize,
}

impl<S> Wire<S> {
    pub(super) fn new(socket: S, raw_target: Option<Bytes>) -> Self {
        Self { socket, raw_target, line_start: Vec::new(), written: 0 }
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Writes `METHOD target` instead of the `METHOD /` that `request` begins with, and reports the latter as written.
    fn poll_write_target(&mut self, cx: &mut Context<'_>, request: &[u8], target: &[u8]) -> Poll<io::Result<usize>> {
        let blank = request.iter().position(|byte| *byte == b' ');
        let Some((start, rest)) = blank.and_then(|at| request.split_at_checked(at + 1)) else {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        };
        if !rest.starts_with(PLACEHOLDER.as_bytes()) {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if self.line_start.is_empty() {
            self.line_start = [start, target].concat();
        }
        while self.written < self.line_start.len() {
            let left = &self.line_start[self.written..];
            match ready!(Pin::new(&mut self.socket).poll_write(cx, left))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.raw_target = None;
        self.line_start = Vec::new();
        Poll::Ready(Ok(start.len() + PLACEHOLDER.len()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = match this.raw_target.clone() {
            None => Pin::new(&mut this.socket).poll_write(cx, buf),
            Some(target) => this.poll_write_target(cx, buf, &target),
        };
        unless_closed(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = match this.raw_target.clone() {
            None => Pin::new(&mut this.socket).poll_write_vectored(cx, bufs),
            // hyper keeps a request's head in one buffer, the first.
            Some(target) => {
                let head = bufs.iter().find(|buf| !buf.is_empty());
                let head = head.map_or(&[][..], |buf| buf);
                this.poll_write_target(cx, head, &target)
            }
        };
        unless_closed(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        unless_closed(Pin::new(&mut self.get_mut().socket).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// What a write came to, where "the app has closed" becomes pending. The next read wakes the task instead: it yields what the app still
/// said, and then the end.
fn unless_closed<T>(result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    match result {
        Poll::Ready(Err(error)) if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) => {
            Poll::Pending
        }
        result => result,
    }
}
