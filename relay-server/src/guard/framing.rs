//! Where each message begins and ends, and what of it may go on. Sans-IO: bytes in, bytes out.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use hookwire_protocol::code::Code;
use tokio::io::ReadBuf;

use super::{
    chunked::{ChunkError, Chunks, Progress},
    head::{self, Body, Head, HeadLimits},
    notes::{NoteKind, Notes},
};

/// What hyper reads in place of a request that is refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: invalid\r\nconnection: close\r\n\r\n";

/// Follows the messages of one connection.
///
/// ```text
///  Head ──▶ Sized · Chunked ──▶ Head        a malformed chunk ──▶ Broken
///    ├────▶ Upgrade ── answered ──▶ Head    (or the socket is taken out)
///    └────▶ Refused                         for good: nothing that follows is read as a request
/// ```
#[derive(Debug)]
pub(super) struct Framing {
    limits: HeadLimits,
    state: State,
    /// Heads that went on, or were replaced.
    messages: u64,
    notes: Notes,
    /// Bytes that wait for more before they can be judged. At most a head and what one read brought with its end.
    held: BytesMut,
    /// Bytes that may go on and did not fit into the reader's buffer in place.
    ready: BytesMut,
}

#[derive(Debug)]
enum State {
    Head,
    Sized(u64),
    Chunked(Chunks),
    Upgrade,
    Refused,
    Broken(ChunkError),
}

/// What is being read, for whoever keeps time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Between two messages.
    Between,
    /// A head that has begun.
    Head,
    /// A body.
    Body,
    /// Nothing, until the service has answered to an upgrade.
    Upgrade,
    /// Nothing any more, because a request was refused.
    Refused,
    /// Nothing any more, because a body was malformed.
    Broken(ChunkError),
}

/// Why [`Framing::walk`] came to a halt.
enum Halt {
    /// More bytes have to come, or an answer.
    Wait,
    /// A head can't stay as it is.
    Replace(Head),
    Refuse(Code),
    Break(ChunkError),
}

impl Framing {
    pub(super) fn new(limits: HeadLimits, notes: Notes) -> Self {
        Self { limits, state: State::Head, messages: 0, notes, held: BytesMut::new(), ready: BytesMut::new() }
    }

    /// How many messages have begun.
    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    pub(super) fn stage(&self) -> Stage {
        match self.state {
            State::Head if self.held.is_empty() => Stage::Between,
            State::Head => Stage::Head,
            State::Sized(_) | State::Chunked(_) => Stage::Body,
            State::Upgrade => Stage::Upgrade,
            State::Refused => Stage::Refused,
            State::Broken(error) => Stage::Broken(error),
        }
    }

    /// How many bytes are kept back.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Hands out what is ready, as far as the buffer reaches. Returns whether there was something.
    pub(super) fn deliver(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        if self.ready.is_empty() {
            return false;
        }
        let length = self.ready.len().min(buffer.remaining());
        buffer.put_slice(&self.ready[..length]);
        self.ready.advance(length);
        if self.ready.is_empty() {
            self.ready = BytesMut::new(); // an idle connection holds no memory
        }
        true
    }

    /// Takes what was just read. So many of its bytes, from the start, may go on as they are; the rest was taken away. Only to be
    /// called when there was nothing to [deliver](Self::deliver).
    pub(super) fn read(&mut self, fresh: &[u8]) -> usize {
        if matches!(self.state, State::Refused | State::Broken(_)) {
            return 0;
        }
        if self.held.is_empty() {
            let (pass, halt) = self.walk(fresh);
            if pass < fresh.len() {
                self.held.extend_from_slice(&fresh[pass..]);
            }
            if self.settle(halt) {
                self.sort();
            }
            return pass;
        }
        let before = self.held.len();
        self.held.extend_from_slice(fresh);
        // A head that drips in byte by byte is looked at once a line, not once a byte.
        let crossed = |bound: usize| before < bound && self.held.len() >= bound;
        if fresh.contains(&b'\n') || crossed(head::line_bound(&self.limits)) || crossed(self.limits.head) {
            self.sort();
        }
        0
    }

    /// Nothing more will come: a head that was wrong so far is refused.
    pub(super) fn end(&mut self) {
        self.sort();
    }

    /// The request that wanted an upgrade has been answered, and the connection still speaks HTTP.
    pub(super) fn stay(&mut self) {
        if matches!(self.state, State::Upgrade) {
            self.state = State::Head;
            self.sort();
        }
    }

    /// Moves what is held to where it belongs, as far as possible.
    fn sort(&mut self) {
        loop {
            let mut held = std::mem::take(&mut self.held);
            let (pass, halt) = self.walk(&held);
            self.ready.unsplit(held.split_to(pass));
            if !held.is_empty() {
                self.held = held;
            }
            if !self.settle(halt) {
                return;
            }
        }
    }

    /// Does to the bytes held what a halt asks for. Returns whether the rest of them can be looked at.
    fn settle(&mut self, halt: Halt) -> bool {
        match halt {
            Halt::Wait => false,
            Halt::Replace(head) => {
                let bytes = self.held.split_to(head.length).freeze();
                self.replace(&head, &bytes);
                self.begin(&head);
                !self.held.is_empty()
            }
            Halt::Refuse(code) => {
                self.notes.push(self.messages, NoteKind::Refused(code));
                self.messages += 1;
                self.ready.put_slice(STAND_IN);
                self.stop(State::Refused)
            }
            Halt::Break(error) => self.stop(State::Broken(error)),
        }
    }

    fn stop(&mut self, state: State) -> bool {
        self.state = state;
        self.held = BytesMut::new();
        false
    }

    /// Sends a head on with `/` for its target, and the target past it.
    fn replace(&mut self, head: &Head, bytes: &Bytes) {
        if let Some(unusual) = &head.unusual {
            self.notes.push(self.messages, NoteKind::Target(bytes.slice(unusual.path.clone())));
            self.ready.put_slice(&bytes[..unusual.target.start]);
            self.ready.put_u8(b'/');
            self.ready.put_slice(&bytes[unusual.target.end..]);
        }
    }

    fn begin(&mut self, head: &Head) {
        self.messages += 1;
        self.state = match head.body {
            _ if head.upgrade => State::Upgrade,
            Body::Sized(0) => State::Head,
            Body::Sized(length) => State::Sized(length),
            Body::Chunked => State::Chunked(Chunks::new(self.limits.headers)),
        };
    }

    /// Walks over whole heads and bodies. Returns how many bytes may go on as they are, and why not all of them.
    fn walk(&mut self, bytes: &[u8]) -> (usize, Halt) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match &mut self.state {
                State::Head => match head::check(rest, &self.limits) {
                    Ok(None) => break,
                    Ok(Some(head)) if head.unusual.is_some() => return (at, Halt::Replace(head)),
                    Ok(Some(head)) => {
                        at += head.length;
                        self.begin(&head);
                    }
                    Err(code) => return (at, Halt::Refuse(code)),
                },
                State::Sized(left) => {
                    let here = (*left).min(rest.len() as u64);
                    *left -= here;
                    // At most the length of a slice.
                    at += here as usize;
                    if *left == 0 {
                        self.state = State::Head;
                    }
                }
                State::Chunked(chunks) => match chunks.advance(rest) {
                    Progress::All => at = bytes.len(),
                    Progress::End(length) => {
                        at += length;
                        self.state = State::Head;
                    }
                    Progress::Broken(good, error) => return (at + good, Halt::Break(error)),
                },
                State::Upgrade | State::Refused | State::Broken(_) => break,
            }
        }
        (at, Halt::Wait)
    }
}
