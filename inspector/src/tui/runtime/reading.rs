//! The thread that reads rows and exchanges, so that no query holds up a key.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    time::{Duration, Instant, SystemTime},
};

use hookwire_capture::{Exchange, Filter, From, Interrupt, Reader, StoreError};

use crate::tui::{
    message::{Message, Purpose, Which},
    model::{ask::Ask, list::Entry},
};

/// How often the store is asked whether it changed, which takes microseconds. A row is seen so much after its commit.
const POLL: Duration = Duration::from_millis(50);

/// One thing to be read.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Page { generation: u64, filter: Filter, ask: Ask },
    Find { generation: u64, filter: Filter, from: From },
    Load { entry: Entry, then: Purpose },
    Pair(Which, Which),
}

/// Requests of one kind take each other's place: only the last is still wanted. So never more than one of each waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Page,
    Find,
    Look,
    Errand,
    Pair,
}

impl Request {
    const fn kind(&self) -> Kind {
        match self {
            Self::Page { .. } => Kind::Page,
            Self::Find { .. } => Kind::Find,
            Self::Load { then: Purpose::Look, .. } => Kind::Look,
            Self::Load { .. } => Kind::Errand,
            Self::Pair(..) => Kind::Pair,
        }
    }
}

/// Where requests are left for the thread.
#[derive(Debug)]
pub(super) struct Desk {
    state: Mutex<State>,
    wake: Condvar,
    interrupt: Interrupt,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Request>,
    running: Option<Kind>,
    closed: bool,
}

impl Desk {
    /// A desk for a reader.
    pub(super) fn new(reader: &Reader) -> Self {
        Self { state: Mutex::default(), wake: Condvar::new(), interrupt: reader.interrupt_handle() }
    }

    /// Leaves a request. One of its kind that waits is forgotten, and one that is being read is stopped.
    pub(super) fn ask(&self, request: Request) {
        let mut state = self.lock();
        let kind = request.kind();
        state.waiting.retain(|waiting| waiting.kind() != kind);
        state.waiting.push_back(request);
        if state.running == Some(kind) {
            self.interrupt.interrupt();
        }
        self.wake.notify_one();
    }

    fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.interrupt.interrupt();
        self.wake.notify_one();
    }

    /// The next request; none if nothing came in time. An error says that there will be none.
    fn next(&self) -> Result<Option<Request>, Closed> {
        let state = self.lock();
        let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let (mut state, _) = self.wake.wait_timeout_while(state, POLL, idle).unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(Closed);
        }
        let request = state.waiting.pop_front();
        state.running = request.as_ref().map(Request::kind);
        Ok(request)
    }

    fn done(&self) {
        self.lock().running = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Closed;

/// Ends the thread when the loop ends.
pub(super) struct CloseOnDrop<'a>(pub(super) &'a Desk);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Reads what is asked for, and tells when the store has changed, until the desk is closed.
pub(super) fn serve(mut reader: Reader, desk: &Desk, sender: &SyncSender<Message>) {
    let mut polled = Instant::now();
    while let Ok(request) = desk.next() {
        if let Some(request) = request {
            let answer = answer(&reader, request);
            desk.done();
            if answer.is_some_and(|answer| sender.send(answer).is_err()) {
                return;
            }
        }
        if polled.elapsed() >= POLL {
            polled = Instant::now();
            // A store that can't be asked now can't be read either, which the next page says.
            if reader.changed().unwrap_or(true) && sender.send(Message::Changed).is_err() {
                return;
            }
        }
    }
}

/// None if it was stopped, for then something else is wanted.
fn answer(reader: &Reader, request: Request) -> Option<Message> {
    Some(match request {
        Request::Page { generation, filter, ask } => {
            let (from, limit) = ask.from();
            let rows = said(reader.page(&filter, from, limit, SystemTime::now()))?;
            Message::Page { generation, ask, rows }
        }
        Request::Find { generation, filter, from } => {
            let row = said(reader.page(&filter, from, 1, SystemTime::now()))?.map(|mut rows| rows.pop());
            Message::Found { generation, row }
        }
        Request::Load { entry, then } => {
            let exchange = said(reader.exchange_at(entry.row))?.map(|found| found.map(Arc::new));
            Message::Loaded { entry, then, exchange }
        }
        Request::Pair(old, new) => {
            let pair = which(reader, old).and_then(|old| Ok(old.zip(which(reader, new)?)));
            Message::Pair(said(pair)?)
        }
    })
}

fn which(reader: &Reader, which: Which) -> Result<Option<Arc<Exchange>>, StoreError> {
    let found = match which {
        Which::Row(row) => reader.exchange_at(row)?,
        Which::Id(id) => reader.exchange(id)?,
    };
    Ok(found.map(Arc::new))
}

/// An error in words; none if the reading was stopped.
fn said<T>(outcome: Result<T, StoreError>) -> Option<Result<T, String>> {
    match outcome {
        Err(StoreError::Interrupted) => None,
        Err(error) => {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            Some(Err(format!("{error}{hint}")))
        }
        Ok(value) => Some(Ok(value)),
    }
}
