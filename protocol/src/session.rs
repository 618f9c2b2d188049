//! One side of a session: frames in, frames out, and what they mean for each stream. No I/O; time is an argument.
//!
//! The shell feeds [`Session::handle_message`] with what the socket brought, sends what [`Session::poll_transmit`] hands out, and
//! calls [`Session::handle_timeout`] when [`Session::timeout`] is due. Everything else is called by whoever owns a stream: the
//! relay opens one for each webhook, the client accepts it. `poll_*` methods follow `Future::poll`: on `Pending` the waker
//! is kept and woken once there is news.
//!
//! Memory is bounded: data that waits to be sent by [`limits::SEND_BUFFER`], heads by [`limits::HEAD_BUFFER`], data that waits to be read by the
//! windows, streams by [`limits::STREAMS`].

mod error;
mod hasher;
mod inbound;
mod life;
mod outbox;
mod stream;

use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasherDefault,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    code::Code,
    frame::{self, Frame, Goaway, Scope, StreamId, kind},
    head::{Headers, RequestHead, ResponseHead},
    limits,
};
use hasher::StreamHasher;
use life::Ping;
use outbox::Outbox;
use stream::{Received, Stream};

pub use error::{ProtocolError, Reset};
pub use stream::Chunk;

/// Which end of the wire this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Opens streams with requests.
    Relay,
    /// Answers them.
    Client,
}

/// One end of a session. See the module's text.
#[derive(Debug)]
pub struct Session {
    side: Side,
    streams: HashMap<StreamId, Stream, BuildHasherDefault<StreamHasher>>,
    /// Relay: the number of the next stream. Client: one above the highest seen.
    next: StreamId,
    /// Client: requests that nobody has taken yet. At most [`limits::STREAMS`].
    incoming: VecDeque<(StreamId, RequestHead)>,
    accept_waker: Option<Waker>,
    /// Client: streams that were refused, and not yet told so. At most [`limits::STREAMS`].
    refused: Vec<StreamId>,
    outbox: Outbox,
    /// Body bytes that the peer still lets us send, on all streams together.
    send_window: u32,
    /// Body bytes that we still let the peer send. `receive_window + unreturned + queued == SESSION_WINDOW`.
    receive_window: u32,
    /// Bytes read by their consumers and not yet given back as credit.
    unreturned: u32,
    /// Streams whose data waits for session credit or room in the outbox.
    waiting: Vec<StreamId>,
    goaway_sent: bool,
    goaway_received: Option<Goaway>,
    /// The socket is gone: every stream ends with [`Code::SessionLost`].
    lost: bool,
    last_received: Instant,
    ping: Option<Ping>,
    pings: u64,
    /// The peer's last ping. Only one answer waits, so a flood of pings that reads no answers costs nothing.
    pong: Option<u64>,
    /// Relay: the notice to send; client: the one that nobody has taken yet. Only the last counts, so they never pile up.
    notice: Option<Bytes>,
    notice_waker: Option<Waker>,
    round_trip: Option<Duration>,
}

impl Session {
    /// A session whose hellos were exchanged.
    pub fn new(side: Side, now: Instant) -> Self {
        Self {
            side,
            streams: HashMap::default(),
            next: 1,
            incoming: VecDeque::new(),
            accept_waker: None,
            refused: Vec::new(),
            outbox: Outbox::default(),
            send_window: limits::SESSION_WINDOW,
            receive_window: limits::SESSION_WINDOW,
            unreturned: 0,
            waiting: Vec::new(),
            goaway_sent: false,
            goaway_received: None,
            lost: false,
            last_received: now,
            ping: None,
            pings: 0,
            pong: None,
            notice: None,
            notice_waker: None,
            round_trip: None,
        }
    }

    // --- the shell's face ---

    /// Takes in one message.
    pub fn handle_message(&mut self, mut message: Bytes, now: Instant) -> Result<(), ProtocolError> {
        self.last_received = now;
        while let Some(frame) = Frame::take(&mut message)? {
            self.handle_frame(frame, now)?;
        }
        Ok(())
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        self.write_answers();
        let was_full = !self.outbox.has_room();
        let was_stalled = self.outbox.is_stalled();
        let message = self.outbox.poll(context);
        if was_full && self.outbox.has_room() {
            self.wake_waiting();
        }
        if was_stalled && !self.outbox.is_stalled() {
            wake(&mut self.accept_waker);
        }
        message
    }

    /// Takes no new streams from here on and tells the peer why. Those in flight go on.
    pub fn go_away(&mut self, reason: Goaway) {
        if !self.goaway_sent {
            self.goaway_sent = true;
            Frame::Goaway(reason).encode(self.outbox.frame());
            self.outbox.wake();
        }
    }

    /// What the peer said when it went away.
    pub fn goaway_received(&self) -> Option<Goaway> {
        self.goaway_received
    }

    /// Whether both sides have said goaway and nothing is in flight any more: the socket can be closed. A side answers the
    /// peer's goaway with its own, so that a request which crosses a client's goaway still arrives before the answer to it.
    pub fn is_finished(&self) -> bool {
        self.goaway_sent && self.goaway_received.is_some() && self.streams.is_empty() && self.outbox.is_empty()
    }

    /// Exchanges in flight.
    pub fn in_flight(&self) -> usize {
        self.streams.len()
    }

    /// The socket is gone: every stream ends here.
    pub fn lose(&mut self) {
        self.lost = true;
        self.incoming.clear();
        self.streams.values_mut().for_each(|stream| stream.lose(Code::SessionLost));
        wake(&mut self.accept_waker);
        wake(&mut self.notice_waker);
    }

    // --- the stream owners' face ---

    /// Relay: opens a stream with a request.
    pub fn open(&mut self, head: &RequestHead) -> Result<StreamId, Reset> {
        if self.lost {
            return Err(Reset(Code::SessionLost));
        }
        if self.goaway_sent || self.goaway_received.is_some() || self.next == StreamId::MAX {
            return Err(Reset(Code::NoSession));
        }
        if head.encoded_length() > limits::FRAME_PAYLOAD {
            return Err(Reset(Code::HeadTooLarge));
        }
        if self.streams.len() >= limits::STREAMS || self.outbox.is_stalled() {
            return Err(Reset(Code::Overloaded));
        }
        let id = self.next;
        self.next += 1;
        self.streams.insert(id, Stream::new());
        frame::put_with(self.outbox.frame(), kind::HEAD, id, |out| head.encode(out));
        self.outbox.wake();
        Ok(id)
    }

    /// Client: the next request. `None` once the socket is gone.
    pub fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<Option<(StreamId, RequestHead)>> {
        if self.lost {
            return Poll::Ready(None);
        }
        // A relay that reads no answers gets no further ones made.
        if !self.outbox.is_stalled()
            && let Some(request) = self.incoming.pop_front()
        {
            return Poll::Ready(Some(request));
        }
        self.accept_waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Client: answers a stream's request. A head that no frame can carry is refused with [`Code::AppBadAnswer`].
    pub fn respond(&mut self, id: StreamId, head: &ResponseHead) -> Result<(), Reset> {
        if head.encoded_length() > limits::FRAME_PAYLOAD {
            return Err(Reset(Code::AppBadAnswer));
        }
        match self.streams.get(&id) {
            Some(stream) if stream.can_send() => {}
            _ => return Err(Reset(Code::SenderGone)),
        }
        frame::put_with(self.outbox.frame(), kind::HEAD, id, |out| head.encode(out));
        self.outbox.wake();
        Ok(())
    }

    /// Relay: the head of the answer.
    pub fn poll_response(&mut self, id: StreamId, context: &mut Context<'_>) -> Poll<Result<ResponseHead, Reset>> {
        match self.streams.get_mut(&id) {
            Some(stream) => stream.poll_response(context),
            None => Poll::Ready(Err(Reset(Code::SessionLost))),
        }
    }

    /// Relay: lets the client know that the sender of a stream has had its answer, unless the app's own is here already.
    pub fn answer_instead(&mut self, id: StreamId, status: u16) {
        if self.streams.get(&id).is_some_and(Stream::is_unanswered) {
            Frame::Answered(id, status).encode(self.outbox.frame());
            self.outbox.wake();
        }
    }

    /// Client: what the relay has answered a stream's sender with, if the app took too long.
    pub fn answered(&self, id: StreamId) -> Option<u16> {
        self.streams.get(&id)?.answered
    }

    /// Sends a piece of the body. `Ready` when all of `data` was taken, or nobody wants it any more.
    pub fn poll_send(&mut self, id: StreamId, context: &mut Context<'_>, data: &mut Bytes) -> Poll<Result<(), Reset>> {
        let Some(stream) = self.streams.get_mut(&id) else { return Poll::Ready(Err(Reset(Code::SessionLost))) };
        while !data.is_empty() {
            if let Some(reset) = stream.send_refused() {
                return Poll::Ready(Err(reset));
            }
            let credit = stream.send_window.min(self.send_window) as usize;
            if credit == 0 || !self.outbox.has_room() {
                if stream.send_window > 0 && !std::mem::replace(&mut stream.waiting, true) {
                    self.waiting.push(id);
                }
                stream.wait_to_send(context);
                return Poll::Pending;
            }
            let piece = data.split_to(data.len().min(credit).min(limits::FRAME_PAYLOAD));
            stream.send_window -= piece.len() as u32;
            self.send_window -= piece.len() as u32;
            frame::put(self.outbox.frame(), kind::DATA, id, &piece);
            self.outbox.wake();
        }
        Poll::Ready(Ok(()))
    }

    /// The body is whole. With trailers that no frame can carry it is not: the peer sees it broken.
    pub fn send_end(&mut self, id: StreamId, trailers: &Headers) {
        if trailers.encoded().len() > limits::FRAME_PAYLOAD {
            let code = if self.side == Side::Relay { Code::HeadTooLarge } else { Code::AppBadAnswer };
            self.abort(id, code);
        } else if let Some(stream) = self.streams.get_mut(&id)
            && stream.end_sending()
        {
            frame::put(self.outbox.frame(), kind::END, id, trailers.encoded());
            self.outbox.wake();
            if stream.is_done() {
                self.forget(id);
            }
        }
    }

    /// Whether the peer no longer wants what this stream sends: `Ready` once it is so.
    pub fn poll_stopped(&mut self, id: StreamId, context: &mut Context<'_>) -> Poll<Reset> {
        match self.streams.get_mut(&id) {
            Some(stream) => stream.poll_stopped(context),
            None => Poll::Ready(Reset(Code::SessionLost)),
        }
    }

    /// Reads the next piece of the peer's body. Taking it gives its credit back. `None` at the body's end.
    pub fn poll_receive(&mut self, id: StreamId, context: &mut Context<'_>) -> Poll<Option<Result<Chunk, Reset>>> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Poll::Ready(Some(Err(Reset(Code::SessionLost))));
        };
        let received = std::task::ready!(stream.poll_receive(context));
        if let Received::Chunk(Chunk::Data(data)) = &received {
            let credit = stream.give_back(data.len() as u32);
            self.give_back(id, credit, data.len() as u32);
        }
        Poll::Ready(match received {
            Received::Chunk(chunk) => Some(Ok(chunk)),
            Received::Reset(reset) => Some(Err(reset)),
            Received::End => None,
        })
    }

    /// The owner of the sending half is gone. Without an end before, the peer learns that the body is not whole, and why.
    pub fn release_sending(&mut self, id: StreamId, code: Code) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.sender_alive = false;
            self.abort(id, code);
        }
    }

    /// The owner of the receiving half is gone. With a code, and without an end before, the peer learns that nobody reads on; without
    /// one, all that matters was read, and only the end is still to come.
    pub fn release_receiving(&mut self, id: StreamId, code: Option<Code>) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.receiver_alive = false;
            let dropped = stream.drop_queue();
            if let Some(code) = code
                && stream.stop_receiving()
            {
                Frame::Reset(id, Scope::Stop, code).encode(self.outbox.frame());
                self.outbox.wake();
            }
            if stream.is_done() {
                self.forget(id);
            }
            self.give_back(id, None, dropped);
        }
    }

    // --- inside ---

    fn abort(&mut self, id: StreamId, code: Code) {
        if let Some(stream) = self.streams.get_mut(&id) {
            if stream.abort_sending() {
                Frame::Reset(id, Scope::Abort, code).encode(self.outbox.frame());
                self.outbox.wake();
            }
            if stream.is_done() {
                self.forget(id);
            }
        }
    }

    /// Writes what answers the peer's own frames, only now that something is sent: a peer that floods and reads nothing gets
    /// one pong and one credit waiting for it, not one for each frame.
    fn write_answers(&mut self) {
        if let Some(nonce) = self.pong.take() {
            Frame::Pong(nonce).encode(self.outbox.frame());
        }
        if self.side == Side::Relay
            && let Some(json) = self.notice.take()
        {
            Frame::Notice(json).encode(self.outbox.frame());
        }
        for id in self.refused.drain(..) {
            Frame::Reset(id, Scope::Both, Code::Overloaded).encode(self.outbox.frame());
        }
        if self.credit_is_due() {
            Frame::Window(0, self.unreturned).encode(self.outbox.frame());
            self.receive_window += std::mem::take(&mut self.unreturned);
        }
    }

    /// Whether a good part of the session's window is free again: a quarter, or as much as the peer has left. Streams that nobody
    /// reads hold some of the window; what is held back must not starve the others.
    fn credit_is_due(&self) -> bool {
        self.unreturned >= self.receive_window.clamp(1, limits::SESSION_WINDOW / 4)
    }

    /// Counts `length` bytes that wait no more.
    fn give_back(&mut self, id: StreamId, stream_credit: Option<u32>, length: u32) {
        self.unreturned += length;
        if let Some(credit) = stream_credit {
            Frame::Window(id, credit).encode(self.outbox.frame());
            self.outbox.wake();
        }
        if self.credit_is_due() {
            self.outbox.wake();
        }
    }

    fn wake_waiting(&mut self) {
        for id in self.waiting.drain(..) {
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.wake_sender();
            }
        }
    }

    fn forget(&mut self, id: StreamId) {
        self.streams.remove(&id);
        if (self.goaway_sent || self.goaway_received.is_some()) && self.streams.is_empty() {
            self.outbox.wake(); // the shell looks whether the session is finished
        }
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
