//! Something that grows while a test watches it: a program's lines, the requests that an app saw.

use std::fmt::Debug;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use super::DEADLINE;

/// An append-only list that can be waited on. Clones are the same list.
#[derive(Debug)]
pub(crate) struct Journal<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    entries: Vec<T>,
    closed: bool,
}

impl<T: Clone + Debug> Journal<T> {
    pub(crate) fn new() -> Self {
        let state = Mutex::new(State { entries: Vec::new(), closed: false });
        Self(Arc::new(Shared { state, changed: Condvar::new() }))
    }

    pub(crate) fn push(&self, entry: T) {
        self.0.state.lock().unwrap().entries.push(entry);
        self.0.changed.notify_all();
    }

    /// Says that nothing more will come.
    pub(crate) fn close(&self) {
        self.0.state.lock().unwrap().closed = true;
        self.0.changed.notify_all();
    }

    /// Everything up to now.
    pub(crate) fn all(&self) -> Vec<T> {
        self.0.state.lock().unwrap().entries.clone()
    }

    /// How many entries there are now: a place to start waiting from.
    pub(crate) fn len(&self) -> usize {
        self.0.state.lock().unwrap().entries.len()
    }

    /// Blocks until an entry at or behind `from` gives a result. `what` is what the test would have liked to see.
    pub(crate) fn wait_for<R>(&self, what: &str, from: usize, mut find: impl FnMut(&T) -> Option<R>) -> R {
        let deadline = Instant::now() + DEADLINE;
        let mut next = from;
        let mut state = self.0.state.lock().unwrap();
        loop {
            while let Some(entry) = state.entries.get(next) {
                if let Some(found) = find(entry) {
                    return found;
                }
                next += 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                let why = if state.closed { "it ended" } else { "the deadline passed" };
                panic!("{why} without {what}; it had: {:#?}", state.entries);
            }
            state = self.0.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Blocks until nothing more will come.
    pub(crate) fn wait_for_end(&self) {
        let state = self.0.state.lock().unwrap();
        let (state, timeout) = self.0.changed.wait_timeout_while(state, DEADLINE, |state| !state.closed).unwrap();
        assert!(!timeout.timed_out(), "the deadline passed before the end; it had: {:#?}", state.entries);
    }
}

impl<T> Clone for Journal<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
