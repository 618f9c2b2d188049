//! The SHA-256 of a body that is longer than what is kept of it.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use sha2::{Digest as _, Sha256};

/// A hash that the recorder's thread computes while the body passes on the event loop.
///
/// Hashing costs as much as delivering, so the loop only hands over the pieces. Where the thread can't keep up the hash is given up:
/// delivery never waits for it.
#[derive(Clone, Default)]
pub(crate) struct Digest(Arc<State>);

#[derive(Default)]
struct State {
    /// Touched by the recorder's thread alone: never waited for.
    hash: Mutex<Sha256>,
    lost: AtomicBool,
}

impl Digest {
    /// Adds what comes next.
    pub(super) fn update(&self, piece: &[u8]) {
        if self.stands() {
            self.hash().update(piece);
        }
    }

    /// A piece is missing: there will be no hash.
    pub(super) fn lose(&self) {
        self.0.lost.store(true, Ordering::Relaxed);
    }

    /// Whether there will be a hash.
    pub(super) fn stands(&self) -> bool {
        !self.0.lost.load(Ordering::Relaxed)
    }

    /// The hash of all pieces, if none is missing.
    pub(crate) fn finish(self) -> Option<[u8; 32]> {
        self.stands().then(|| std::mem::take(&mut *self.hash()).finalize().into())
    }

    fn hash(&self) -> MutexGuard<'_, Sha256> {
        self.0.hash.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Digest {
    // A hash tells a guessed body from others: not for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("stands", &self.stands()).finish_non_exhaustive()
    }
}
