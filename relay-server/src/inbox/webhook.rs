//! What goes into an inbox, and what comes out.

use std::{fmt, sync::Arc, time::SystemTime};

use bytes::Bytes;
use uuid::Uuid;

/// Bodies up to this many bytes come with the lists of pending webhooks: nearly all do, and a page of a hundred stays within 1.6 MiB.
pub(super) const INLINE_BODY: u64 = 16 * 1024;

/// A webhook to keep. Times are kept to the millisecond.
#[derive(Clone)]
pub struct Webhook {
    /// Its delivery id, unique for ever: a UUIDv7.
    pub id: Uuid,
    /// Whose it is.
    pub endpoint: Arc<str>,
    /// When its head came in.
    pub received_at: SystemTime,
    /// When it should go to the app next. `received_at` if it should at once.
    pub due_at: SystemTime,
    /// The request's head as encoded on the wire. The inbox does not look into it.
    pub head: Bytes,
    /// The body as it came in, piece by piece.
    pub body: Vec<Bytes>,
    /// How often it went to the app already.
    pub attempt: u32,
}

impl Webhook {
    /// The bytes of its body.
    pub fn body_len(&self) -> u64 {
        self.body.iter().map(|piece| piece.len() as u64).sum()
    }

    /// What it counts against quotas and queues: body and head.
    pub fn size(&self) -> u64 {
        self.body_len() + self.head.len() as u64
    }
}

/// A place in an endpoint's order of webhooks. Later ones always lie behind it, as long as the process lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub(super) i64);

impl Cursor {
    /// Before the first webhook.
    pub const START: Self = Self(0);

    /// A place of a test's own.
    #[cfg(test)]
    pub(crate) const fn at(place: i64) -> Self {
        Self(place)
    }
}

/// A webhook that is to be delivered.
#[derive(Clone)]
pub struct Pending {
    /// Its place: pages go on behind it.
    pub cursor: Cursor,
    /// Its delivery id.
    pub id: Uuid,
    /// When its head came in.
    pub received_at: SystemTime,
    /// From when on it should go to the app.
    pub due_at: SystemTime,
    /// How often it went to the app already.
    pub attempt: u32,
    /// What the app said last, if it said anything.
    pub status: Option<u16>,
    /// Bytes of head and body.
    pub size: u64,
    /// The head as it was given.
    pub head: Bytes,
    /// The body, if it is small enough to come with the list; else ask for it.
    pub body: Option<Bytes>,
}

/// A webhook that nobody tries to deliver any more, until somebody says so.
#[derive(Clone)]
pub struct Parked {
    /// Its place: pages go on behind it.
    pub cursor: Cursor,
    /// Its delivery id.
    pub id: Uuid,
    /// When its head came in.
    pub received_at: SystemTime,
    /// When it was parked.
    pub parked_at: SystemTime,
    /// Why.
    pub reason: ParkReason,
    /// How often it went to the app.
    pub attempt: u32,
    /// What the app said last, if it said anything.
    pub status: Option<u16>,
    /// Bytes of head and body.
    pub size: u64,
    /// The head as it was given.
    pub head: Bytes,
}

/// Why a webhook is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParkReason {
    /// Its retention ended before the app took it.
    Retention,
    /// It went to the app as often as it may.
    Attempts,
    /// Somebody said so.
    ByHand,
}

impl ParkReason {
    /// How the database calls it.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Retention => 1,
            Self::Attempts => 2,
            Self::ByHand => 3,
        }
    }

    /// The reverse.
    pub(super) fn from_number(number: i64) -> Option<Self> {
        [Self::Retention, Self::Attempts, Self::ByHand].into_iter().find(|reason| reason.number() == number)
    }
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The app took it: it leaves the inbox.
    Delivered,
    /// The app did not: once more, later.
    Retry {
        /// When.
        at: SystemTime,
        /// How often it went to the app by now.
        attempt: u32,
        /// What the app said, if anything.
        status: Option<u16>,
    },
    /// No more attempts; a parked one stays as it is.
    Parked {
        /// Why.
        reason: ParkReason,
        /// When that was decided.
        at: SystemTime,
        /// How often it went to the app by now.
        attempt: u32,
        /// What the app said, if anything.
        status: Option<u16>,
    },
    /// Somebody does not want it any more: it leaves the inbox.
    Dropped,
}

/// What is kept for an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Webhooks to be delivered.
    pub pending: u64,
    /// Webhooks that are parked.
    pub parked: u64,
    /// Bytes of both, heads and bodies.
    pub bytes: u64,
    /// When the first of the pending ones in line came in.
    pub oldest: Option<SystemTime>,
    /// Webhooks that were dropped since ever because their time as parked ones ended: undelivered, and gone.
    pub lost: u64,
}

/// A webhook whose time has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Its delivery id.
    pub id: Uuid,
    /// Whose it was.
    pub endpoint: Arc<str>,
    /// When its head came in.
    pub received_at: SystemTime,
    /// What became of it.
    pub to: ExpiredTo,
}

/// What becomes of a webhook whose time has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiredTo {
    /// It was pending, and is parked.
    Parked,
    /// It was parked, and is gone. [`Counts::lost`] counts it.
    Dropped,
}

// Heads and bodies are the senders' secrets: `Debug` tells lengths at most.

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("endpoint", &self.endpoint)
            .field("attempt", &self.attempt)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("cursor", &self.cursor)
            .field("id", &self.id)
            .field("due_at", &self.due_at)
            .field("attempt", &self.attempt)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parked")
            .field("cursor", &self.cursor)
            .field("id", &self.id)
            .field("reason", &self.reason)
            .field("attempt", &self.attempt)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
