//! Big reads while there is much to read, no memory while there is not.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

/// The smallest read: a ping, or one small webhook.
const SMALLEST: usize = 4 * 1024;

/// The largest read: about one message. More only delays the first of them.
const LARGEST: usize = 64 * 1024;

/// Reads ahead of the WebSocket codec, which asks for 4 KiB at a time and keeps its buffer for ever.
///
/// The size of a read doubles while reads come back full, and halves while they come back mostly empty. At the smallest size the buffer
/// is given up whenever the socket has nothing, so that a thousand idle sessions hold none.
#[derive(Debug)]
pub struct ReadAhead<S> {
    inner: S,
    buffer: BytesMut,
    size: usize,
}

impl<S> ReadAhead<S> {
    /// Wraps a socket.
    pub fn new(inner: S) -> Self {
        Self { inner, buffer: BytesMut::new(), size: SMALLEST }
    }
}

impl<S: AsyncRead + Unpin> ReadAhead<S> {
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.capacity() < self.size {
            self.buffer = BytesMut::with_capacity(self.size);
        }
        match poll_read_buf(Pin::new(&mut self.inner), context, &mut self.buffer) {
            Poll::Ready(Ok(length)) => {
                if length >= self.size {
                    self.size = (self.size * 2).min(LARGEST);
                } else if length < self.size / 4 {
                    self.size = (self.size / 2).max(SMALLEST);
                }
                Poll::Ready(Ok(length))
            }
            Poll::Pending => {
                if self.size == SMALLEST {
                    self.buffer = BytesMut::new();
                }
                Poll::Pending
            }
            error @ Poll::Ready(_) => error,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.buffer.is_empty() {
            self.buffer.clear();
            ready!(self.poll_fill(context))?;
        }
        let length = self.buffer.len().min(out.remaining());
        out.put_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn grows_while_busy_and_holds_nothing_when_idle() {
        let (mut near, far) = tokio::io::duplex(1 << 20);
        let mut reader = ReadAhead::new(far);
        near.write_all(&vec![7; 300_000]).await.unwrap();
        let mut seen = vec![0; 300_000];
        reader.read_exact(&mut seen).await.unwrap();
        assert!(seen.iter().all(|byte| *byte == 7));
        assert_eq!(reader.size, LARGEST);

        for _ in 0..8 {
            near.write_all(b"ping").await.unwrap();
            let mut word = [0; 4];
            reader.read_exact(&mut word).await.unwrap();
            assert_eq!(&word, b"ping");
        }
        let mut nothing = [0; 1];
        let idle = std::future::poll_fn(|context| {
            Poll::Ready(Pin::new(&mut reader).poll_read(context, &mut ReadBuf::new(&mut nothing)))
        })
        .await;
        assert!(idle.is_pending());
        assert_eq!((reader.size, reader.buffer.capacity()), (SMALLEST, 0));
    }
}
