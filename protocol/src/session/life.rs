//! Signs of life, and what the relay has to say about the endpoint as a whole.

use std::{
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{ProtocolError, Session};
use crate::{frame::Frame, limits};

/// A ping in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ping {
    pub(super) nonce: u64,
    pub(super) sent: Instant,
    /// When the session is dead unless something arrived.
    deadline: Instant,
}

impl Session {
    /// When [`Self::handle_timeout`] is due.
    pub fn timeout(&self) -> Instant {
        self.ping.map_or(self.last_received + limits::PING_AFTER, |ping| ping.deadline)
    }

    /// Sends a ping if it is time, or finds that the peer is gone.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        if now < self.timeout() {
            return Ok(());
        }
        // Anything that arrived after the ping is a sign of life, even while the pong is stuck behind data.
        if self.ping.is_some_and(|ping| self.last_received <= ping.sent) {
            return Err(ProtocolError::Silent);
        }
        // A process that was stopped comes here late: its peer still gets the time to answer.
        self.send_ping(now, (self.last_received + limits::DEAD_AFTER).max(now + limits::PROBE));
        Ok(())
    }

    /// Asks the peer for a sign of life now: the machine was asleep, or somebody wants the round trip.
    pub fn probe(&mut self, now: Instant) {
        self.send_ping(now, now + limits::PROBE);
    }

    /// Asks the peer for a sign of life without hurry, to learn the round trip. One that was asked already is not asked again.
    pub fn measure(&mut self, now: Instant) {
        if self.ping.is_none() {
            self.send_ping(now, self.last_received + limits::DEAD_AFTER);
        }
    }

    /// The last measured round trip.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Relay: tells the client what is held for it. One that was not sent yet is replaced. A text that no frame can carry is none.
    pub fn notify(&mut self, json: Bytes) {
        if json.len() <= limits::FRAME_PAYLOAD {
            self.notice = Some(json);
            self.outbox.wake();
        }
    }

    /// Client: the relay's last notice. `None` once the socket is gone.
    pub fn poll_notice(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(notice) = self.notice.take() {
            return Poll::Ready(Some(notice));
        }
        if self.lost {
            return Poll::Ready(None);
        }
        self.notice_waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn send_ping(&mut self, now: Instant, deadline: Instant) {
        self.pings += 1;
        self.ping = Some(Ping { nonce: self.pings, sent: now, deadline });
        Frame::Ping(self.pings).encode(self.outbox.frame());
        self.outbox.wake();
    }
}
