//! One stream: the state of its two directions.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::{ProtocolError, Reset, wake};
use crate::{
    code::Code,
    frame::{Scope, StreamId},
    head::{Headers, ResponseHead},
    limits::{FRAME_PAYLOAD, STREAM_WINDOW},
};

/// Pieces up to this length are copied when they arrive. The largest message is twice the largest payload, so what waits for a
/// reader holds at most eight times its own length.
const COPIED: usize = FRAME_PAYLOAD / 4;

/// A piece of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Bytes of it.
    Data(Bytes),
    /// Its trailers: nothing follows.
    Trailers(Headers),
}

/// What a reader gets.
pub(super) enum Received {
    Chunk(Chunk),
    Reset(Reset),
    End,
}

/// How far a direction is.
#[derive(Debug, PartialEq, Eq)]
enum Direction {
    Open,
    /// Ended in good order. The trailers wait for the reader.
    Ended(Option<Headers>),
    /// Ended by a reset, ours or the peer's.
    Reset(Code),
}

/// The response's head, on the relay.
#[derive(Debug)]
enum Answer {
    Awaited,
    Arrived(ResponseHead),
    Taken,
}

#[derive(Debug)]
pub(super) struct Stream {
    /// Body bytes that the peer still lets us send.
    pub(super) send_window: u32,
    pub(super) sender_alive: bool,
    pub(super) receiver_alive: bool,
    sending: Direction,
    receiving: Direction,
    /// Body bytes that we still let the peer send. `receive_window + unreturned + queued == STREAM_WINDOW`.
    receive_window: u32,
    unreturned: u32,
    queue: VecDeque<Bytes>,
    answer: Answer,
    send_waker: Option<Waker>,
    /// Whether the session's list of those who wait for credit or room has it.
    pub(super) waiting: bool,
    /// Client: what the relay has answered the sender with, since the app took too long.
    pub(super) answered: Option<u16>,
    stop_waker: Option<Waker>,
    receive_waker: Option<Waker>,
}

impl Stream {
    pub(super) fn new() -> Self {
        Self {
            send_window: STREAM_WINDOW,
            sender_alive: true,
            receiver_alive: true,
            sending: Direction::Open,
            receiving: Direction::Open,
            receive_window: STREAM_WINDOW,
            unreturned: 0,
            queue: VecDeque::new(),
            answer: Answer::Awaited,
            send_waker: None,
            waiting: false,
            answered: None,
            stop_waker: None,
            receive_waker: None,
        }
    }

    /// Nobody here holds it, and both directions are over on the wire.
    pub(super) fn is_done(&self) -> bool {
        !self.sender_alive
            && !self.receiver_alive
            && self.sending != Direction::Open
            && self.receiving != Direction::Open
    }

    pub(super) fn lose(&mut self, code: Code) {
        if self.sending == Direction::Open {
            self.sending = Direction::Reset(code);
        }
        if self.receiving == Direction::Open {
            self.receiving = Direction::Reset(code);
        }
        self.wake_all();
    }

    // --- sending ---

    pub(super) fn can_send(&self) -> bool {
        self.sending == Direction::Open
    }

    pub(super) fn send_refused(&self) -> Option<Reset> {
        match self.sending {
            Direction::Open => None,
            Direction::Ended(_) => Some(Reset(Code::Internal)),
            Direction::Reset(code) => Some(Reset(code)),
        }
    }

    pub(super) fn wait_to_send(&mut self, context: &Context<'_>) {
        self.send_waker = Some(context.waker().clone());
    }

    pub(super) fn wake_sender(&mut self) {
        self.waiting = false;
        wake(&mut self.send_waker);
    }

    pub(super) fn end_sending(&mut self) -> bool {
        let open = self.can_send();
        if open {
            self.sending = Direction::Ended(None);
        }
        open
    }

    /// Whether the peer must be told.
    pub(super) fn abort_sending(&mut self) -> bool {
        let open = self.can_send();
        if open {
            self.sending = Direction::Reset(Code::SenderGone);
        }
        open
    }

    pub(super) fn poll_stopped(&mut self, context: &Context<'_>) -> Poll<Reset> {
        if let Direction::Reset(code) = self.sending {
            return Poll::Ready(Reset(code));
        }
        self.stop_waker = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn received_window(&mut self, credit: u32) -> Result<(), ProtocolError> {
        self.send_window = self.send_window.checked_add(credit).ok_or(ProtocolError::Overflow)?;
        wake(&mut self.send_waker);
        Ok(())
    }

    // --- receiving ---

    pub(super) fn received_response(&mut self, head: ResponseHead) -> Result<(), ()> {
        match (&self.answer, &self.receiving) {
            (Answer::Awaited, Direction::Open) => {
                self.answer = Answer::Arrived(head);
                wake(&mut self.receive_waker);
                Ok(())
            }
            (Answer::Awaited, _) => Ok(()), // on its way when we stopped
            _ => Err(()),
        }
    }

    /// Whether the data was kept for the reader.
    pub(super) fn received_data(&mut self, id: StreamId, data: Bytes) -> Result<bool, ProtocolError> {
        match self.receiving {
            Direction::Open => {
                self.receive_window =
                    self.receive_window.checked_sub(data.len() as u32).ok_or(ProtocolError::Overrun)?;
                if self.receiver_alive && !data.is_empty() {
                    self.enqueue(data);
                    wake(&mut self.receive_waker);
                }
                Ok(self.receiver_alive)
            }
            Direction::Reset(_) => Ok(false), // on its way when we stopped
            Direction::Ended(_) => Err(ProtocolError::State(id)),
        }
    }

    /// Keeps a piece. Small ones are copied together: a slice would hold the whole message that it came in, and one-byte
    /// frames would cost more than the window counts.
    fn enqueue(&mut self, data: Bytes) {
        if data.len() > COPIED {
            return self.queue.push_back(data);
        }
        let piece = match self.queue.pop_back_if(|last| last.len() + data.len() <= COPIED) {
            Some(last) => {
                let mut gathered = last.try_into_mut().unwrap_or_else(|shared| shared.as_ref().into());
                gathered.extend_from_slice(&data);
                gathered.freeze()
            }
            None => Bytes::copy_from_slice(&data),
        };
        self.queue.push_back(piece);
    }

    pub(super) fn received_end(&mut self, trailers: Headers) -> Result<(), ()> {
        match self.receiving {
            Direction::Open => {
                self.receiving = Direction::Ended((!trailers.is_empty()).then_some(trailers));
                wake(&mut self.receive_waker);
                Ok(())
            }
            Direction::Reset(_) => Ok(()),
            Direction::Ended(_) => Err(()),
        }
    }

    pub(super) fn received_reset(&mut self, scope: Scope, code: Code) {
        if matches!(scope, Scope::Stop | Scope::Both) && self.sending == Direction::Open {
            self.sending = Direction::Reset(code);
        }
        if matches!(scope, Scope::Abort | Scope::Both) && self.receiving == Direction::Open {
            self.receiving = Direction::Reset(code);
        }
        self.wake_all();
    }

    /// Relay: whether the head of the answer is still to come.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.answer, Answer::Awaited) && self.receiving == Direction::Open
    }

    pub(super) fn poll_response(&mut self, context: &Context<'_>) -> Poll<Result<ResponseHead, Reset>> {
        if let Answer::Arrived(_) = self.answer
            && let Answer::Arrived(head) = std::mem::replace(&mut self.answer, Answer::Taken)
        {
            return Poll::Ready(Ok(head));
        }
        match self.receiving {
            Direction::Open => {
                self.receive_waker = Some(context.waker().clone());
                Poll::Pending
            }
            Direction::Reset(code) => Poll::Ready(Err(Reset(code))),
            Direction::Ended(_) => Poll::Ready(Err(Reset(Code::Internal))), // a body without a head
        }
    }

    pub(super) fn poll_receive(&mut self, context: &Context<'_>) -> Poll<Received> {
        if let Some(data) = self.queue.pop_front() {
            return Poll::Ready(Received::Chunk(Chunk::Data(data)));
        }
        match &mut self.receiving {
            Direction::Open => {
                self.receive_waker = Some(context.waker().clone());
                Poll::Pending
            }
            Direction::Ended(trailers) => Poll::Ready(
                trailers.take().map_or(Received::End, |trailers| Received::Chunk(Chunk::Trailers(trailers))),
            ),
            Direction::Reset(code) => Poll::Ready(Received::Reset(Reset(*code))),
        }
    }

    /// Counts read bytes. The credit to send, once half of the window is free again and more may come.
    pub(super) fn give_back(&mut self, length: u32) -> Option<u32> {
        self.unreturned += length;
        if self.receiving != Direction::Open || self.unreturned < STREAM_WINDOW / 2 {
            return None;
        }
        self.receive_window += self.unreturned;
        Some(std::mem::take(&mut self.unreturned))
    }

    /// Throws away what nobody will read. How many bytes it was.
    pub(super) fn drop_queue(&mut self) -> u32 {
        std::mem::take(&mut self.queue).iter().map(|data| data.len() as u32).sum()
    }

    /// Whether the peer must be told.
    pub(super) fn stop_receiving(&mut self) -> bool {
        let open = self.receiving == Direction::Open;
        if open {
            self.receiving = Direction::Reset(Code::SenderGone);
        }
        open
    }

    /// Bytes that wait for the reader.
    #[cfg(test)]
    pub(super) fn queued(&self) -> usize {
        self.queue.iter().map(Bytes::len).sum()
    }

    fn wake_all(&mut self) {
        wake(&mut self.send_waker);
        wake(&mut self.stop_waker);
        wake(&mut self.receive_waker);
    }
}
