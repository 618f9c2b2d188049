//! Frames that wait for the socket, packed into messages.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};

use crate::limits;

/// What a message has room for when it is started, at least: some heads. It grows when more comes.
const FIRST_ROOM: usize = 4 * 1024;

/// Messages in the order they go out. The last one still takes frames.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: VecDeque<BytesMut>,
    /// What the last message held: the next one under the same load is spared from growing.
    usual: usize,
    /// The shell that waits for a message.
    waker: Option<Waker>,
}

impl Outbox {
    /// Where to write the next frame. Exactly one frame per call, so that no message grows beyond [`limits::MESSAGE`].
    pub(super) fn frame(&mut self) -> &mut BytesMut {
        if self.messages.back().is_none_or(|message| message.len() >= limits::MESSAGE_FULL) {
            self.messages.push_back(BytesMut::with_capacity(self.usual.max(FIRST_ROOM)));
        }
        let last = self.messages.len() - 1;
        &mut self.messages[last]
    }

    /// Lets the shell know that there is something to send.
    pub(super) fn wake(&mut self) {
        super::wake(&mut self.waker);
    }

    /// Whether body data may be added, or has to wait.
    pub(super) fn has_room(&self) -> bool {
        self.messages.len() < limits::SEND_BUFFER / limits::MESSAGE_FULL
            || (self.messages.len() == limits::SEND_BUFFER / limits::MESSAGE_FULL
                && self.messages.back().is_some_and(|message| message.len() < limits::MESSAGE_FULL))
    }

    /// Whether so much waits that not even a new stream's head may be added.
    pub(super) fn is_stalled(&self) -> bool {
        self.messages.len() > limits::HEAD_BUFFER / limits::MESSAGE_FULL
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Bytes that wait for the socket.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.messages.iter().map(BytesMut::len).sum()
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        if let Some(message) = self.messages.pop_front() {
            self.usual = message.len();
            return Poll::Ready(message.freeze());
        }
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}
