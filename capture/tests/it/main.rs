//! The store and its readers as others use them: real files, other processes.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a test that panics is a test that fails, and nobody uses it"
)]

mod agreement;
mod child;
mod crash;
mod filters;
mod fixture;
mod opening;
mod reading;
mod retention;
mod trouble;

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use hookwire_capture::{Filter, From, Reader, Retention, Store, Summary};
use tempfile::TempDir;

/// A store in a folder of its own.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn store(&self) -> Store {
        Store::open(&self.path(), Retention::default()).unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.path()).unwrap()
    }

    /// A store with exchanges 0 to `count`, committed.
    fn filled(&self, count: u64) -> Store {
        let store = self.store();
        keep(&store, count);
        store
    }
}

/// Writes exchanges 0 to `count`, no more at once than may wait, so that nothing is left out.
fn keep(store: &Store, count: u64) {
    let writer = store.writer();
    for number in 0..count {
        writer.keep(fixture::shared(number));
        if number % 500 == 499 {
            until("the commit", || writer.flush().is_ok()); // a slow machine may need longer than a flush waits
        }
    }
    until("the commit", || writer.flush().is_ok());
}

fn filter(text: &str) -> Filter {
    Filter::parse(text).unwrap()
}

/// All that pass, newest first.
fn all(reader: &Reader, text: &str) -> Vec<Summary> {
    reader.page(&filter(text), From::Newest, usize::MAX, SystemTime::now()).unwrap()
}

fn count(reader: &Reader, text: &str) -> u64 {
    reader.count(&filter(text), SystemTime::now()).unwrap()
}

/// Waits for something that the store does by itself, without an event to wait for.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}
