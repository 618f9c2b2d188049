//! What the writer's handles and its thread share.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    time::{Duration, Instant, SystemTime},
};

use super::{
    queue::{BATCH, Queue, Work},
    writer::Health,
};

/// How long the first exchange waits for others to share its transaction. A reader that polls every 50 ms sees it within 100 ms.
const GATHERING: Duration = Duration::from_millis(20);

/// How long a write may take before it counts as stalled.
const STALLED: Duration = Duration::from_secs(3);

/// How long nothing must come before the thread tidies up, step by step, while there is something to tidy.
const QUIET: Duration = Duration::from_millis(20);

/// What the writer's handles and its thread share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// There is something for the thread.
    work: Condvar,
    /// The thread has ended.
    ended: Condvar,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// The length of the queue at which the thread wants to be woken; none while it does not wait for it.
    wake_at: Option<usize>,
    /// Somebody waits for the disk: gather no longer.
    urgent: bool,
    closing: bool,
    trouble: Option<(String, SystemTime)>,
    /// Since when the thread has been in one call into SQLite.
    writing: Option<Instant>,
    /// How the thread ended.
    end: Option<Result<(), String>>,
}

/// What the thread is to do next.
#[derive(Debug)]
pub(super) enum Turn {
    Write(Vec<Work>),
    /// Nothing came for a while.
    Tidy,
    /// Nothing will come any more.
    End,
}

impl Default for Shared {
    fn default() -> Self {
        let state = State {
            queue: Queue::new(Instant::now()),
            wake_at: None,
            urgent: false,
            closing: false,
            trouble: None,
            writing: None,
            end: None,
        };
        Self { state: Mutex::new(state), work: Condvar::new(), ended: Condvar::new() }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done by a panic under this lock: it only moves values.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the queue, and wakes the thread if it waits for that. False: the thread has ended, nothing is written any more.
    pub(super) fn hand_over(&self, change: impl FnOnce(&mut Queue)) -> bool {
        let mut state = self.lock();
        if state.end.is_some() {
            return false;
        }
        change(&mut state.queue);
        if state.wake_at.is_some_and(|length| state.queue.len() >= length) {
            state.wake_at = None;
            self.work.notify_one();
        }
        true
    }

    /// Asks for an answer once all that waits is committed. False: nobody is left to answer.
    pub(super) fn flush(&self, answer: SyncSender<Result<(), String>>) -> bool {
        let mut state = self.lock();
        let takes = state.end.is_none() && state.queue.order(Work::Flush(answer));
        state.urgent |= takes;
        self.work.notify_one();
        takes
    }

    /// Lets the thread end once all that waits is committed, and waits for that, but not longer than `patience`.
    pub(super) fn close(&self, patience: Duration) -> Result<(), String> {
        let mut state = self.lock();
        state.closing = true;
        state.urgent = true;
        self.work.notify_one();
        let waited = self.ended.wait_timeout_while(state, patience, |state| state.end.is_none());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.end.clone().unwrap_or_else(|| Err(stalled(patience)))
    }

    /// Whether the thread has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.lock().end.is_some()
    }

    pub(super) fn health(&self) -> Health {
        let state = self.lock();
        let silence = state.writing.map(|since| since.elapsed()).filter(|silence| *silence >= STALLED);
        let silence = silence.map(|silence| (stalled(silence), SystemTime::now() - silence));
        let (trouble, since) = state.trouble.clone().or(silence).unzip();
        let Queue { bodies_skipped, exchanges_skipped, .. } = state.queue;
        Health { bodies_skipped, exchanges_skipped, trouble, since }
    }

    /// What the thread is to do next; waits for it. `untidy`: there is something to do when nothing comes.
    pub(super) fn next(&self, untidy: bool) -> Turn {
        let mut state = self.lock();
        let quiet = untidy.then(|| Instant::now() + QUIET);
        while state.queue.is_empty() {
            if state.closing {
                return Turn::End;
            }
            state.urgent = false;
            if quiet.is_some_and(|quiet| quiet <= Instant::now()) {
                return Turn::Tidy;
            }
            state = self.wait(state, Some(1), quiet);
        }
        let gathered = Instant::now() + GATHERING;
        while !state.urgent && state.queue.len() < BATCH && Instant::now() < gathered {
            state = self.wait(state, Some(BATCH), Some(gathered));
        }
        Turn::Write(state.queue.batch())
    }

    /// Waits until the queue is this long, somebody is in a hurry, or the time has come.
    fn wait<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        length: Option<usize>,
        until: Option<Instant>,
    ) -> MutexGuard<'s, State> {
        state.wake_at = length;
        match until.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(span) => self.work.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner).0,
            None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Waits before another try to write, unless the store is being closed. True: it is.
    pub(super) fn wait_for_retry(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while !state.closing && !state.urgent && Instant::now() < until {
            state = self.wait(state, None, Some(until));
        }
        state.closing
    }

    /// Takes note that the thread is about to call SQLite, or is back.
    pub(super) fn writing(&self, writing: bool) {
        self.lock().writing = writing.then(Instant::now);
    }

    /// Takes note of what went wrong; whoever waits for a flush gets to know.
    pub(super) fn failed(&self, what: &str) {
        let mut state = self.lock();
        match &mut state.trouble {
            Some((known, _)) => what.clone_into(known),
            none => *none = Some((what.to_owned(), SystemTime::now())),
        }
        for answer in state.queue.take_flushes() {
            // Whoever asked may be gone; there is room for one answer.
            let _ = answer.try_send(Err(what.to_owned()));
        }
        state.urgent = false;
    }

    /// Takes note that writing works again.
    pub(super) fn recovered(&self) {
        self.lock().trouble = None;
    }

    /// Counts exchanges that were given up.
    pub(super) fn skipped(&self, exchanges: u64) {
        self.lock().queue.exchanges_skipped += exchanges;
    }

    /// Takes note that the thread has ended. What still waits is counted as left out.
    pub(super) fn end(&self, outcome: Result<(), String>) {
        let mut state = self.lock();
        state.queue.abandon();
        state.end.get_or_insert(outcome);
        state.writing = None;
        self.ended.notify_all();
    }
}

/// What to say of a disk that does not answer.
pub(super) fn stalled(patience: Duration) -> String {
    format!("the disk that holds the store has not answered for {} s", patience.as_secs())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::test_exchange::exchange;

    #[test]
    fn a_write_that_does_not_end_is_trouble_after_a_while() {
        let shared = Shared::default();
        let since = |span| shared.lock().writing = Instant::now().checked_sub(span);
        since(STALLED / 2);
        assert_eq!(shared.health(), Health::default());
        since(STALLED);
        let health = shared.health();
        assert_eq!(health.trouble.as_deref(), Some("the disk that holds the store has not answered for 3 s"));
        assert!(health.since.unwrap() <= SystemTime::now() - STALLED);
        assert!(shared.close(Duration::ZERO).is_err(), "closing does not wait for ever");
    }

    #[test]
    fn trouble_has_one_beginning_and_ends() {
        let shared = Shared::default();
        shared.failed("first");
        let since = shared.health().since;
        shared.failed("second");
        let health = shared.health();
        assert_eq!((health.trouble.as_deref(), health.since), (Some("second"), since));
        shared.recovered();
        assert_eq!(shared.health(), Health::default());
    }

    #[test]
    fn after_the_end_nothing_is_taken_and_what_waited_is_counted() {
        let shared = Shared::default();
        assert!(shared.hand_over(|queue| queue.keep(Arc::new(exchange()), Instant::now())));
        shared.end(Ok(()));
        assert!(!shared.hand_over(|_| unreachable!("nothing is taken")));
        assert_eq!(shared.health().exchanges_skipped, 1);
        assert_eq!(shared.close(Duration::ZERO), Ok(()));
    }
}
