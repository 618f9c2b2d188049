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
    head::{BodyLength, ResponseHead},
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
    state: State,
    /// What the peer is told when this is dropped before its end.
    reason: Code,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Open,
    Ended,
    /// Broken off. It never looks whole again.
    Failed(Reset),
}

impl ReceivedBody {
    pub(crate) fn new(shared: Arc<Shared>, id: StreamId, length: BodyLength, reason: Code) -> Self {
        Self { shared, id, length, received: 0, state: State::Open, reason }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The length is known once the head is.
    pub(crate) fn set_length(&mut self, length: BodyLength) {
        self.length = length;
    }

    /// What the peer is told when this is dropped.
    pub(crate) fn set_reason(&mut self, reason: Code) {
        self.reason = reason;
    }

    /// The head that comes before it.
    pub(crate) fn poll_head(&self, context: &mut Context<'_>) -> Poll<Result<ResponseHead, Reset>> {
        self.shared.lock().poll_response(self.id, context)
    }

    /// Lets the client know that the sender has had another answer.
    pub(crate) fn answer_instead(&self, status: u16) {
        self.shared.lock().answer_instead(self.id, status);
    }

    fn take_in(&mut self, data: Bytes) -> Result<Frame<Bytes>, Reset> {
        self.received += data.len() as u64;
        match self.length {
            // More than announced would end up as the start of the next message.
            BodyLength::Sized(length) if self.received > length => Err(Reset(Code::Internal)),
            _ => Ok(Frame::data(data)),
        }
    }

    /// The sender says that this was all.
    fn end(&mut self) -> Result<(), Reset> {
        self.state = State::Ended;
        match self.length {
            BodyLength::Sized(length) if self.received < length => Err(Reset(Code::BodyIncomplete)),
            _ => Ok(()),
        }
    }
}

impl Body for ReceivedBody {
    type Data = Bytes;
    type Error = Reset;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Reset>>> {
        match self.state {
            State::Open => {}
            State::Ended => return Poll::Ready(None),
            State::Failed(reset) => return Poll::Ready(Some(Err(reset))),
        }
        let chunk = ready!(self.shared.lock().poll_receive(self.id, context));
        let frame = match chunk {
            Some(Ok(Chunk::Data(data))) => self.take_in(data).map(Some),
            Some(Ok(Chunk::Trailers(lines))) => self.end().map(|()| Some(Frame::trailers(header_map(&lines)))),
            Some(Err(reset)) => Err(reset),
            None => self.end().map(|()| None),
        };
        if let Err(reset) = frame {
            self.state = State::Failed(reset);
        }
        Poll::Ready(frame.transpose())
    }

    /// Whether nothing that matters can follow: at most the end itself is still on its way.
    fn is_end_stream(&self) -> bool {
        match self.state {
            State::Open => self.length == BodyLength::Empty || self.length == BodyLength::Sized(self.received),
            State::Ended => true,
            State::Failed(_) => false,
        }
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
        let reason = (!self.is_end_stream()).then_some(self.reason);
        self.shared.lock().release_receiving(self.id, reason);
    }
}
