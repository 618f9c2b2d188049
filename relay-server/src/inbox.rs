//! The relay's durable store of webhooks it answered for.
//!
//! A 2xx of the relay's own means that the webhook is in here and synced to disk. It leaves when the app took it, when somebody dropped
//! it, or when its retention ended; the last is counted, logged and told. [`Inbox`] is what the rest of the relay sees; [`SqliteInbox`]
//! keeps it on one machine. Any other store has to pass the same contract (`contract.rs`).
//!
//! In reading order: `webhook` (what goes in and comes out), `settings`, `intake` (the bounded queue to the writer), `writer` (its
//! thread: drain, commit, answer; fail, reopen, check), `store` (one transaction), `books` (what each endpoint holds and may hold), `expiry`
//! and `retention` (age without trust in clocks), `schema` (settings of the database, migrations), `read` (connections that only read),
//! `disk` (free space, ballast, the mark of an unclean stop).
//!
//! What it does not do: it decides nothing about delivery, starts no task of tokio's, and never decodes what a webhook says.

mod books;
#[cfg(test)]
mod contract;
mod disk;
mod expiry;
mod intake;
#[cfg(test)]
pub(crate) mod memory;
mod read;
mod retention;
mod schema;
mod settings;
mod sqlite;
mod store;
mod times;
mod webhook;
mod writer;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use uuid::Uuid;

pub use settings::{Quota, Settings};
pub use sqlite::SqliteInbox;
pub use webhook::{Counts, Cursor, Expired, ExpiredTo, ParkReason, Parked, Pending, Settled, Webhook};

/// What an [`Inbox`] answers some time later. The work is on its way once the method has returned. An append whose future is dropped may be
/// left out, as nobody will say 2xx for it; everything else is done whether or not somebody waits.
pub type Eventually<T> = Pin<Box<dyn Future<Output = Result<T, InboxError>> + Send>>;

/// Keeps webhooks until they are delivered.
///
/// Everything is answered within a deadline of the store's own, with an error if need be.
pub trait Inbox: Send + Sync + 'static {
    /// Keeps a webhook. Resolves to `Ok` when it is synced to disk: only then may anybody say 2xx for it. After an error nothing may be
    /// said but that it was not taken, though after [`InboxError::Busy`] and [`InboxError::Failing`] it may be there all the same.
    fn append(&self, webhook: Webhook) -> Eventually<()>;

    /// Pending webhooks of an endpoint behind `after` that are due by `now`, in the order in which they were appended; at most `limit`,
    /// and fewer if they are large. Only an empty page is the end. With a far `now` it lists everything that is pending. What would be due
    /// more than a day later is due as well: a clock that was wrong then put it there.
    fn due(&self, endpoint: &str, after: Cursor, now: SystemTime, limit: usize) -> Eventually<Vec<Pending>>;

    /// The body of a webhook, pending or parked; `None` if there is no such webhook (any more).
    fn body(&self, id: Uuid) -> Eventually<Option<Bytes>>;

    /// What became of a delivery. Resolves, once that is synced, to whether the webhook was there: settling twice does no harm.
    fn settle(&self, id: Uuid, outcome: Settled) -> Eventually<bool>;

    /// When the next pending webhook of an endpoint is due, which may be long ago.
    fn next_due(&self, endpoint: &str) -> Eventually<Option<SystemTime>>;

    /// What is kept for an endpoint. Zeros for one that was never heard of.
    fn counts(&self, endpoint: &str) -> Eventually<Counts>;

    /// The endpoints for which something is pending or parked.
    fn endpoints(&self) -> Eventually<Vec<Arc<str>>>;

    /// Parked webhooks of an endpoint behind `after`, in the order in which they were appended; at most `limit`. Only an empty page is the end.
    fn parked(&self, endpoint: &str, after: Cursor, limit: usize) -> Eventually<Vec<Parked>>;

    /// Makes a parked webhook pending again, due at `due_at`, with its retention begun anew at that time. Whether it was parked.
    fn release(&self, id: Uuid, due_at: SystemTime) -> Eventually<bool>;

    /// Ends the time of what is too old by `now`: pending webhooks are parked, parked ones dropped and counted. Tells at most a batch of
    /// them: call again until it tells none. A clock that jumps ahead ends nothing at once, see `retention`.
    fn expire(&self, now: SystemTime) -> Eventually<Vec<Expired>>;

    /// How the store is, without waiting.
    fn health(&self) -> InboxHealth;
}

/// No try is ever put off for as long: the schedule's longest wait is 12 h, and a fifth more by chance.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// Why a webhook was not taken, or something can't be told. All but [`InboxError::TooLarge`] and a full quota are the relay's own fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InboxError {
    /// There is no room. Nothing was kept.
    #[error("the inbox is full: {0}")]
    Full(FullReason),
    /// More is waiting to be written than may wait, or there was no answer in time.
    #[error("the inbox is busy; try again in a moment")]
    Busy,
    /// The store can't be written or read; it is being reopened and checked.
    #[error("the inbox is failing: {0}")]
    Failing(Arc<str>),
    /// The webhook is larger than any that is held.
    #[error("webhooks of more than {limit} bytes are not held")]
    TooLarge {
        /// The largest body that is held, in bytes.
        limit: u64,
    },
    /// There is a webhook of this id already. Nothing was kept of the second one.
    #[error("a webhook `{0}` is held already; ids must be unique")]
    Duplicate(Uuid),
    /// The store was closed.
    #[error("the inbox is closed: the relay is stopping")]
    Closed,
}

/// What there is no more room in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FullReason {
    /// The file system, down to the low-water mark.
    Disk,
    /// The endpoint's count of webhooks.
    Webhooks,
    /// The endpoint's bytes: its quota, or its fair share of the disk.
    Bytes,
}

impl std::fmt::Display for FullReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Disk => "free space on its disk is down to the low-water mark",
            Self::Webhooks => "the endpoint holds as many webhooks as it may",
            Self::Bytes => "the endpoint holds as many bytes as it may",
        })
    }
}

/// How an inbox is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxHealth {
    /// Whether it takes webhooks.
    pub state: InboxState,
    /// Webhooks that wait to be written.
    pub queued: usize,
    /// Their bytes.
    pub queued_bytes: u64,
}

/// Whether an inbox takes webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboxState {
    /// It does.
    Ready,
    /// The disk is full: it only gives away.
    Full,
    /// It was not to be written or read, and is tried again.
    Failing(Arc<str>),
    /// It was closed.
    Closed,
}
