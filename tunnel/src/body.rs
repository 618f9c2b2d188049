//! A body that arrives through the tunnel.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hookwire_protocol::{
    code::Code,
    frame::StreamId,
    head::BodyLength,
    session::{Chunk, Reset},
};
use http_body::{Body, Frame, SizeHint};

use crate::{convert::header_map, tunnel::Shared};

/// A body that arrives through the tunnel. Reading it gives its sender credit; dropping it before its end tells the sender to stop.
#[derive(Debug)]
pub struct ReceivedBody {
    shared: Arc<Shared>,
    id: StreamId,
    length: BodyLength,
    received: u64,
    ended: bool,
    /// What the peer is told when this is dropped before its end.
    reason: Code,
}

impl ReceivedBody {
    pub(crate) fn new(shared: Arc<Shared>, id: StreamId, length: BodyLength, reason: Code) -> Self {
        Self { shared, id, length, received: 0, ended: false, reason }
    }

    /// The length is known once the head is.
    pub(crate) fn set_length(&mut self, length: BodyLength) {
        self.length = length;
    }

    /// Bytes read so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Nothing that matters can follow: at most the end itself is still on its way.
    fn is_complete(&self) -> bool {
        self.ended || self.length == BodyLength::Empty || self.length == BodyLength::Sized(self.received)
    }
}

impl Body for ReceivedBody {
    type Data = Bytes;
    type Error = Reset;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Reset>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let chunk = ready!(self.shared.lock().poll_receive(self.id, context));
        Poll::Ready(match chunk {
            Some(Ok(Chunk::Data(data))) => {
                self.received += data.len() as u64;
                if matches!(self.length, BodyLength::Sized(length) if self.received > length) {
                    // More than announced would end up as the start of the next message.
                    self.ended = true;
                    return Poll::Ready(Some(Err(Reset(Code::Internal))));
                }
                Some(Ok(Frame::data(data)))
            }
            Some(Ok(Chunk::Trailers(lines))) => {
                self.ended = true;
                Some(Ok(Frame::trailers(header_map(&lines))))
            }
            Some(Err(reset)) => {
                self.ended = true;
                Some(Err(reset))
            }
            None => {
                self.ended = true;
                match self.length {
                    // The sender's body was cut short without a reset: it must not look whole.
                    BodyLength::Sized(length) if self.received < length => Some(Err(Reset(Code::BodyIncomplete))),
                    _ => None,
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_complete()
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            BodyLength::Empty => SizeHint::with_exact(0),
            BodyLength::Sized(length) => SizeHint::with_exact(length.saturating_sub(self.received)),
            BodyLength::Unknown => SizeHint::new(),
        }
    }
}

impl Drop for ReceivedBody {
    fn drop(&mut self) {
        let reason = (!self.is_complete()).then_some(self.reason);
        self.shared.lock().release_receiving(self.id, reason);
    }
}
