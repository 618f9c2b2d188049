//! The task that owns a socket.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{Sink, SinkExt, StreamExt};
use hookwire_protocol::{
    frame::Goaway,
    limits,
    session::{ProtocolError, Side},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Sleep, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use crate::tunnel::{Shared, Tunnel, now};

/// Messages read in one turn before the sending side has its turn.
const READS_PER_TURN: usize = 32;

/// What tungstenite may hold per socket. Its defaults (128 KiB read buffer, allocated at once; a write buffer without bound) are a danger:
/// an unread flood of pings grew a process by 1.3 GB in 4 s.
pub fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024) // bigger reads are `ReadAhead`'s business
        .write_buffer_size(0) // messages are packed already
        .max_write_buffer_size(8 * limits::MESSAGE) // the driver waits before every message; this is for pongs and the closing frame
        .max_message_size(Some(limits::MESSAGE))
        .max_frame_size(Some(limits::MESSAGE))
}

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// In good order: one side said goaway, and what was in flight is done.
    #[error("session ended: {0}")]
    Finished(Goaway),
    /// The peer closed the socket, or it broke.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The peer broke the protocol, or fell silent.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
}

/// Moves messages between a WebSocket and its session. Runs until the session or the socket ends.
#[derive(Debug)]
pub struct Connection<S> {
    socket: WebSocketStream<S>,
    shared: Arc<Shared>,
    timer: Pin<Box<Sleep>>,
    /// Something was handed to the socket and not yet flushed.
    unflushed: bool,
}

impl<S> Drop for Connection<S> {
    /// Whoever still holds a stream learns that nothing comes any more, also when nobody let the connection run to its end.
    fn drop(&mut self) {
        self.shared.lock().lose();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection whose hellos were exchanged, and the handle to use it with.
    pub fn new(socket: WebSocketStream<S>, side: Side) -> (Self, Tunnel) {
        let shared = Arc::new(Shared::new(side));
        let timer = Box::pin(sleep_until(shared.lock().timeout().into()));
        let tunnel = Tunnel::new(Arc::clone(&shared));
        (Self { socket, shared, timer, unflushed: false }, tunnel)
    }

    /// Drives the connection to its end. Afterwards every stream is over.
    pub async fn run(mut self) -> Closed {
        let closed = match std::future::poll_fn(|context| self.poll(context)).await {
            Ok(never) => match never {},
            Err(closed) => closed,
        };
        self.shared.lock().lose();
        // The peer may be gone: a closing frame is a courtesy that nobody waits for.
        let _ = tokio::time::timeout(limits::PROBE, self.socket.close(None)).await;
        closed
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<std::convert::Infallible, Closed>> {
        self.receive(context)?;
        self.transmit(context)?;
        self.keep_time(context)?;
        let session = self.shared.lock();
        if session.is_finished() && !self.unflushed {
            return Poll::Ready(Err(Closed::Finished(session.goaway_received().unwrap_or(Goaway::Stopping))));
        }
        Poll::Pending
    }

    fn receive(&mut self, context: &mut Context<'_>) -> Result<(), Closed> {
        for _ in 0..READS_PER_TURN {
            match self.socket.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(Message::Binary(message)))) => {
                    self.shared.lock().handle_message(message, now())?;
                }
                Poll::Ready(Some(Ok(Message::Close(_))) | None) => {
                    let reason = self.shared.lock().goaway_received();
                    return Err(reason.map_or_else(|| Closed::Lost("the peer closed it".into()), Closed::Finished));
                }
                Poll::Ready(Some(Ok(_))) => {} // pings are answered by the codec; text means nothing here
                Poll::Ready(Some(Err(error))) => return Err(lost(&error)),
                Poll::Pending => return Ok(()),
            }
        }
        context.waker().wake_by_ref();
        Ok(())
    }

    /// Sends every message that is ready. Never waits for the socket without having looked at the other direction first.
    fn transmit(&mut self, context: &mut Context<'_>) -> Result<(), Closed> {
        while let Poll::Ready(ready) = self.socket.poll_ready_unpin(context) {
            ready.map_err(|error| lost(&error))?;
            let Poll::Ready(message) = self.shared.lock().poll_transmit(context) else { break };
            Pin::new(&mut self.socket).start_send(Message::Binary(message)).map_err(|error| lost(&error))?;
            self.unflushed = true;
        }
        if self.unflushed
            && let Poll::Ready(flushed) = self.socket.poll_flush_unpin(context)
        {
            flushed.map_err(|error| lost(&error))?;
            self.unflushed = false;
        }
        Ok(())
    }

    fn keep_time(&mut self, context: &mut Context<'_>) -> Result<(), Closed> {
        loop {
            let due = self.shared.lock().timeout().into();
            // The deadline moves with every message: only a timer that went off, or one that is set too late, is set anew.
            if due < self.timer.deadline() {
                self.timer.as_mut().reset(due);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Ok(());
            }
            let now = now();
            self.shared.lock().handle_timeout(now)?;
            let due = self.shared.lock().timeout().into();
            self.timer.as_mut().reset(due);
            self.transmit(context)?;
        }
    }
}

fn lost(error: &tungstenite::Error) -> Closed {
    use tungstenite::{Error, error::ProtocolError};
    Closed::Lost(match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => "the other side went away".into(),
        error => error.to_string(),
    })
}
