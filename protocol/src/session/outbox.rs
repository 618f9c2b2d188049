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
    /// What the last message held, or an eighth of what a larger one before it did: two pings in a row leave nothing of it.
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
        let room = if self.usual > FIRST_ROOM { FULL_ROOM } else { FIRST_ROOM };
        if self.open.is_empty() && !self.open.try_reclaim(room) {
            self.open = BytesMut::with_capacity(room);
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
            self.usual = message.len().max(self.usual / 8);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn next(outbox: &mut Outbox) -> Option<Bytes> {
        match outbox.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(message) => Some(message),
            Poll::Pending => None,
        }
    }

    fn message(outbox: &mut Outbox, byte: u8, length: usize) -> Bytes {
        outbox.frame().extend_from_slice(&vec![byte; length]);
        next(outbox).unwrap()
    }

    #[test]
    fn messages_share_a_buffer_only_once_they_are_gone() {
        let mut outbox = Outbox::default();
        let mut places = std::collections::HashSet::new();
        for length in [60_000, 70_000, 8_000, 66_000, 120_000] {
            places.insert(message(&mut outbox, b'a', length).as_ptr());
        }
        assert!(places.len() <= 2, "the first one grew, and was too small for the second");

        let kept: Vec<Bytes> = (0..8).map(|byte| message(&mut outbox, byte, limits::MESSAGE_FULL)).collect();
        for (byte, message) in kept.iter().enumerate() {
            assert!(message.len() == limits::MESSAGE_FULL && message.iter().all(|at| usize::from(*at) == byte));
        }
    }

    #[test]
    fn a_session_that_falls_quiet_holds_no_buffer() {
        let mut outbox = Outbox::default();
        message(&mut outbox, b'a', limits::MESSAGE_FULL);
        message(&mut outbox, b'b', limits::MESSAGE_FULL);
        assert_eq!(next(&mut outbox), None);
        assert!(outbox.open.capacity() > 0, "the next one under load needs it");
        for held in [true, false] {
            message(&mut outbox, b'p', 17);
            assert_eq!(next(&mut outbox), None);
            assert_eq!(outbox.open.capacity() > 0, held);
        }
    }
}
