//! Frames that wait for the socket, packed into messages.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};

use crate::limits;

/// What a message has room for when it is started: some heads. It grows when more comes.
const FIRST_ROOM: usize = 4 * 1024;

/// What it has room for under load: nearly the largest, so that none grows. Growing copies, and all of the room, not what is in it.
const FULL_ROOM: usize = 2 * limits::MESSAGE_FULL;

/// Messages in the order they go out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Messages that take no more frames.
    full: VecDeque<Bytes>,
    /// The last message, which still does. All are written into one buffer, as long as each is gone before the next needs its room.
    open: BytesMut,
    /// What the last message held, or half of what larger ones before it did.
    usual: usize,
    /// The shell that waits for a message.
    waker: Option<Waker>,
}

impl Outbox {
    /// Where to write the next frame. Exactly one frame per call, so that no message grows beyond [`limits::MESSAGE`].
    pub(super) fn frame(&mut self) -> &mut BytesMut {
        if self.open.len() >= limits::MESSAGE_FULL {
            self.full.push_back(self.open.split().freeze());
        }
        if self.open.is_empty() {
            self.open.reserve(if self.usual > FIRST_ROOM { FULL_ROOM } else { FIRST_ROOM });
        }
        &mut self.open
    }

    /// Lets the shell know that there is something to send.
    pub(super) fn wake(&mut self) {
        super::wake(&mut self.waker);
    }

    /// Whether body data may be added, or has to wait.
    pub(super) fn has_room(&self) -> bool {
        const MESSAGES: usize = limits::SEND_BUFFER / limits::MESSAGE_FULL;
        self.full.len() + usize::from(self.open.len() >= limits::MESSAGE_FULL) < MESSAGES
    }

    /// Whether so much waits that not even a new stream's head may be added.
    pub(super) fn is_stalled(&self) -> bool {
        self.full.len() + usize::from(!self.open.is_empty()) > limits::HEAD_BUFFER / limits::MESSAGE_FULL
    }

    pub(super) fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.is_empty()
    }

    /// Bytes that wait for the socket.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.full.iter().map(Bytes::len).sum::<usize>() + self.open.len()
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        let open = || (!self.open.is_empty()).then(|| self.open.split().freeze());
        if let Some(message) = self.full.pop_front().or_else(open) {
            self.usual = message.len().max(self.usual / 2);
            return Poll::Ready(message);
        }
        if self.usual <= FIRST_ROOM {
            self.open = BytesMut::new(); // an idle session holds no memory
        }
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}
