//! The thread that counts: slow over many rows, so it has a reader of its own.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    time::{Duration, Instant, SystemTime},
};

use hookwire_capture::{Filter, From, Interrupt, Reader, StoreError};

use crate::tui::message::{Counts, Message};

/// How often is counted at most: numbers that change faster can't be read.
const PAUSE: Duration = Duration::from_millis(250);

/// How many times as long as a count took is waited before the next: a big store costs a tenth of a core.
const EASE: u32 = 10;

/// What counts as invalid.
const INVALID: &str = "verdict:invalid";

/// What is to be counted.
#[derive(Debug)]
pub(super) struct Counter {
    state: Mutex<State>,
    wake: Condvar,
    interrupt: Interrupt,
}

#[derive(Debug, Default)]
struct State {
    wanted: (u64, Filter),
    /// It was set, and not counted yet.
    new: bool,
    closed: bool,
}

impl Counter {
    /// Counts with a reader.
    pub(super) fn new(reader: &Reader) -> Self {
        Self { state: Mutex::default(), wake: Condvar::new(), interrupt: reader.interrupt_handle() }
    }

    /// Counts what this filter lets through from now on.
    pub(super) fn watch(&self, generation: u64, filter: Filter) {
        let mut state = self.lock();
        state.wanted = (generation, filter);
        state.new = true;
        self.interrupt.interrupt();
        self.wake.notify_one();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.interrupt.interrupt();
        self.wake.notify_one();
    }

    /// Waits for a new filter, at most so long. None if it is to end.
    fn next(&self, pause: Duration) -> Option<(u64, Filter, bool)> {
        let idle = |state: &mut State| !state.new && !state.closed;
        let (mut state, _) =
            self.wake.wait_timeout_while(self.lock(), pause, idle).unwrap_or_else(PoisonError::into_inner);
        let new = std::mem::take(&mut state.new);
        (!state.closed).then(|| (state.wanted.0, state.wanted.1.clone(), new))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the thread when the loop ends.
pub(super) struct CloseOnDrop<'a>(pub(super) &'a Counter);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Counts whenever the store or the filter changed.
pub(super) fn serve(mut reader: Reader, counter: &Counter, sender: &SyncSender<Message>) {
    let mut pause = Duration::ZERO;
    let mut due = true;
    while let Some((generation, filter, new)) = counter.next(pause) {
        due |= new | reader.changed().unwrap_or(false);
        if !due {
            pause = PAUSE;
            continue;
        }
        let begun = Instant::now();
        let counted = count(&reader, generation, &filter);
        pause = PAUSE.max(begun.elapsed() * EASE);
        // Stopped, or not readable now: the next round tries again.
        due = counted.is_err();
        if counted.is_ok_and(|counts| sender.send(Message::Counted(counts)).is_err()) {
            return;
        }
    }
}

fn count(reader: &Reader, generation: u64, filter: &Filter) -> Result<Counts, StoreError> {
    let now = SystemTime::now();
    let all = Filter::all();
    let total = reader.count(&all, now)?;
    let invalid = match Filter::parse(INVALID) {
        Ok(invalid) => reader.count(&invalid, now)?,
        Err(_) => 0,
    };
    let latest = reader.page(&all, From::Newest, 1, now)?.pop();
    let shown = if filter.is_all() { total } else { reader.count(filter, now)? };
    Ok(Counts { total, invalid, shown: Some((generation, shown)), latest })
}
