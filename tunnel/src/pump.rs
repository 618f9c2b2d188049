//! Moves a body into the tunnel, as fast as the other end reads.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hookwire_protocol::{code::Code, frame::StreamId, head::Headers, session::Reset};
use http_body::Body;

use crate::{convert::trailers, tunnel::Shared};

/// Why a body did not get to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum PumpError<E> {
    /// The other end no longer wants it.
    Stopped(Reset),
    /// The body itself broke.
    Body(E),
}

/// The right to send a stream's body. Dropped before the end, the peer learns that the body is not whole.
#[derive(Debug)]
pub(crate) struct SendingHalf {
    shared: Arc<Shared>,
    id: StreamId,
    /// What the peer is told when this is dropped before the end.
    pub(crate) reason: Code,
}

impl SendingHalf {
    pub(crate) fn new(shared: Arc<Shared>, id: StreamId, reason: Code) -> Self {
        Self { shared, id, reason }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn id(&self) -> StreamId {
        self.id
    }

    pub(crate) fn end(&self, trailers: &Headers) {
        self.shared.lock().send_end(self.id, trailers);
    }
}

impl Drop for SendingHalf {
    fn drop(&mut self) {
        self.shared.lock().release_sending(self.id, self.reason);
    }
}

/// A body on its way into the tunnel: a future that is ready when all of it was handed over.
#[derive(Debug)]
pub struct SentBody<B> {
    half: SendingHalf,
    body: B,
    /// The rest of a piece that found no credit yet.
    piece: Bytes,
    sent: u64,
    ended: bool,
}

impl<B: Body<Data = Bytes> + Unpin> SentBody<B> {
    pub(crate) fn new(half: SendingHalf, body: B) -> Self {
        Self { half, body, piece: Bytes::new(), sent: 0, ended: false }
    }

    /// Bytes handed over so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The body itself.
    pub fn body_mut(&mut self) -> &mut B {
        &mut self.body
    }

    /// Says why the rest will not come, and gives up.
    pub(crate) fn abort(mut self, reason: Code) -> B {
        self.half.reason = reason;
        self.body
    }

    /// Goes on handing over.
    pub fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), PumpError<B::Error>>> {
        while !self.ended {
            if self.piece.is_empty() && !self.body.is_end_stream() {
                match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => self.piece = data,
                        Err(frame) => {
                            let lines = frame.trailers_ref().map(trailers).unwrap_or_default();
                            self.finish(&lines);
                            break;
                        }
                    },
                    Some(Err(error)) => return Poll::Ready(Err(PumpError::Body(error))),
                    None => {
                        self.finish(&Headers::default());
                        break;
                    }
                }
            }
            ready!(self.poll_piece(context)).map_err(PumpError::Stopped)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Hands the piece over, and the body's end with the last one.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Reset>> {
        // hyper's bodies know their end with their last byte, and may say `None` only when the connection goes on.
        let (before, last) = (self.piece.len(), self.body.is_end_stream());
        let mut session = self.half.shared.lock();
        let polled = session.poll_send(self.half.id, context, &mut self.piece);
        self.sent += (before - self.piece.len()) as u64;
        if last && matches!(polled, Poll::Ready(Ok(()))) {
            session.send_end(self.half.id, &Headers::default());
            self.ended = true;
        }
        polled
    }

    fn finish(&mut self, trailers: &Headers) {
        self.half.end(trailers);
        self.ended = true;
    }
}

impl<B: Body<Data = Bytes> + Unpin> Future for SentBody<B> {
    type Output = Result<(), PumpError<B::Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_send(context)
    }
}
