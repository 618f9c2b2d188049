//! The handle through which exchanges come into a store.

use std::{
    sync::{Arc, mpsc::sync_channel},
    time::{Duration, Instant, SystemTime},
};

use uuid::Uuid;

use super::{
    queue::Work,
    shared::{Shared, stalled},
};
use crate::{Exchange, Ready, StoreError};

/// How long [`Writer::flush`] waits for the disk.
const FLUSH: Duration = Duration::from_secs(10);

/// Hands exchanges over to a store. Cheap to clone; nothing here waits for the disk but [`flush`](Self::flush).
#[derive(Clone, Debug)]
pub struct Writer {
    shared: Arc<Shared>,
}

/// How well a store keeps up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// How many exchanges were kept without their bodies, because the store was behind.
    pub bodies_skipped: u64,
    /// How many exchanges were not kept at all, because the store was further behind.
    pub exchanges_skipped: u64,
    /// What is wrong right now, such as a full disk; none if nothing is.
    pub trouble: Option<String>,
    /// Since when.
    pub since: Option<SystemTime>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Hands an exchange over. Never blocks: where the store is behind, bodies are left out first, then exchanges, and counted.
    pub fn keep(&self, exchange: Arc<Exchange>) {
        let now = Instant::now();
        if !self.shared.hand_over(|queue| queue.keep(exchange, now)) {
            self.shared.skipped(1);
        }
    }

    /// Remembers where webhooks come in and go, for those who read the store later.
    pub fn ready(&self, ready: &Ready) {
        self.order(Work::Ready(Box::new(ready.clone())));
    }

    /// Writes a note beside an exchange, or removes it.
    pub fn note(&self, id: Uuid, text: Option<String>) {
        self.order(Work::Note(id, text));
    }

    /// Deletes exchanges. Their bytes are overwritten, and gone from every file of the store once the writer is idle.
    pub fn delete(&self, ids: Vec<Uuid>) {
        self.order(Work::Delete(ids));
    }

    fn order(&self, work: Work) {
        let mut taken = false;
        self.shared.hand_over(|queue| taken = queue.order(work));
        if !taken {
            tracing::warn!(
                "the store has ended or is far behind: a note, a deletion or the listener's address is not kept"
            );
        }
    }

    /// How well the store keeps up.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// Waits until what was handed over before is committed, for 10 s at most.
    pub fn flush(&self) -> Result<(), StoreError> {
        let (answer, answered) = sync_channel(1);
        if !self.shared.flush(answer) {
            return Err(StoreError::Failing("the store is closed, or too far behind".to_owned()));
        }
        match answered.recv_timeout(FLUSH) {
            Ok(outcome) => outcome.map_err(StoreError::Failing),
            Err(_) => Err(StoreError::Failing(stalled(FLUSH))),
        }
    }
}
