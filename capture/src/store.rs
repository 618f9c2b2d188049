//! Exchanges on disk.

mod error;
mod file;
mod insert;
mod pace;
mod queue;
mod schema;
mod shared;
mod thread;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

pub use error::StoreError;
pub(crate) use file::open_for_reading;
use file::open_for_writing;
use shared::Shared;
use thread::Thread;
pub use writer::{Health, Writer};

/// How long closing waits for the disk.
const CLOSE: Duration = Duration::from_secs(5);

/// How much a store keeps: beyond either bound the oldest exchanges go, in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How many exchanges.
    pub exchanges: u64,
    /// How many bytes of heads and bodies. The file is about a third larger.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        // What filters stay quick with, and what a developer's disk has to spare.
        Self { exchanges: 100_000, bytes: 1 << 30 }
    }
}

/// A store that this process writes. One thread does; it ends with [`close`](Self::close), or when this is dropped.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    shared: Arc<Shared>,
    /// Taken when it is closed.
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the store, and makes it and its folder where they are missing.
    pub fn open(path: &Path, retention: Retention) -> Result<Self, StoreError> {
        let database = open_for_writing(path)?;
        let shared = Arc::new(Shared::default());
        let thread = Thread::new(database, path.to_owned(), retention, Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(|| thread.run())
            .map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), shared, thread: Some(thread) })
    }

    /// A handle that hands exchanges over to the store.
    pub fn writer(&self) -> Writer {
        Writer::new(Arc::clone(&self.shared))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Commits what was handed over, and closes; waits for the disk 5 s at most. What comes later is counted as skipped.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end().map_err(StoreError::Failing)
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let outcome = self.shared.close(CLOSE);
        // A disk that does not answer can't be made to: the thread is then left to the end of the process.
        if self.shared.has_ended() && thread.join().is_err() {
            return Err("the store's thread ended in a panic".to_owned());
        }
        outcome
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(problem) = self.end() {
            tracing::warn!("the store was not closed well: {problem}");
        }
    }
}
