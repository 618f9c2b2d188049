//! Judges and hands on what passed, on a thread of its own.
//!
//! Delivery never waits for it: what finds its queue full is counted and left out. It is woken at most every [`GATHER`], since under load
//! a thread that is woken for each webhook costs more than what it does then.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, Thread},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hookwire_capture::{AnsweredBy, CapturedBody, Exchange, Origin, Update};
use hookwire_protocol::{
    code::Code,
    head::{RequestHead, ResponseHead},
};
use hookwire_signatures::Secrets;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::judge::Passing;

/// Exchanges that may wait to be judged: what arrives in the time of a slow write.
const QUEUE: usize = 1024;

/// Bytes of their heads and bodies that may wait: what a reader that stands still costs, twice at most.
const QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// How long the thread lets work gather. Nobody sees two milliseconds; at 50,000 webhooks a second they are a hundred.
const GATHER: Duration = Duration::from_millis(2);

/// Who is told what happens. Called on the recorder's thread, and may take its time.
pub trait Watcher: Send + 'static {
    /// One piece of news. An error ends the client: there is nobody left to tell.
    fn update(&mut self, update: Update) -> io::Result<()>;

    /// Nothing more is waiting: what was buffered should be shown.
    fn rest(&mut self) -> io::Result<()>;
}

/// One exchange as it passed, not yet judged.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) request: RequestHead,
    pub(crate) request_body: Passing,
    pub(crate) response: Option<ResponseHead>,
    pub(crate) response_body: Passing,
    pub(crate) error: Option<Code>,
    pub(crate) received_at: SystemTime,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) duration: Duration,
}

impl Passed {
    /// The memory that it holds, roughly.
    fn held(&self) -> usize {
        let request = self.request.target.len() + self.request.headers.encoded().len();
        let response = self.response.as_ref().map_or(0, |response| response.headers.encoded().len());
        request + response + self.request_body.kept.len() + self.response_body.kept.len()
    }
}

#[derive(Debug)]
enum Entry {
    Passed(Box<Passed>),
    Update(Update),
    /// So many exchanges were left out at this point.
    Skipped(u64),
}

/// What waits for the thread.
#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<Entry>,
    /// What the heads and bodies in `entries` hold.
    bytes: usize,
}

/// What the event loop and the thread share.
#[derive(Debug, Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    /// The thread has found nothing to do, and has to be woken.
    asleep: AtomicBool,
    /// Nothing will be handed over any more.
    closed: AtomicBool,
}

impl Desk {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing of ours panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Recorder {
    desk: Arc<Desk>,
    thread: Thread,
}

impl Recorder {
    /// Starts the thread. When `watcher` fails it cancels `stop`, and says why when it is joined.
    pub(crate) fn start(
        endpoint: &str,
        secrets: Arc<Secrets>,
        watcher: impl Watcher,
        stop: CancellationToken,
    ) -> io::Result<(Self, JoinHandle<io::Result<()>>)> {
        let desk = Arc::new(Desk::default());
        let judge = Judge { endpoint: endpoint.into(), secrets };
        let theirs = Arc::clone(&desk);
        let thread = thread::Builder::new().name("recorder".into()).spawn(move || {
            let _end = End { desk: Arc::clone(&theirs), stop };
            work(&theirs, &judge, watcher)
        })?;
        Ok((Self { desk, thread: thread.thread().clone() }, thread))
    }

    /// Hands over an exchange.
    pub(crate) fn record(&self, passed: Box<Passed>) {
        let bytes = passed.held();
        let mut waiting = self.desk.waiting();
        if waiting.entries.len() < QUEUE && waiting.bytes + bytes <= QUEUE_BYTES {
            waiting.bytes += bytes;
            waiting.entries.push(Entry::Passed(passed));
        } else if let Some(Entry::Skipped(count)) = waiting.entries.last_mut() {
            *count += 1;
        } else {
            waiting.entries.push(Entry::Skipped(1));
        }
        drop(waiting);
        self.wake();
    }

    /// Hands over news that must not be left out: there is little of it.
    pub(crate) fn tell(&self, update: Update) {
        if !self.desk.closed.load(Ordering::Relaxed) {
            self.desk.waiting().entries.push(Entry::Update(update));
            self.wake();
        }
    }

    fn wake(&self) {
        if self.desk.asleep.swap(false, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.desk.closed.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// The thread's end, also by a panic: nothing piles up any more, and the client does not go on in silence.
struct End {
    desk: Arc<Desk>,
    stop: CancellationToken,
}

impl Drop for End {
    fn drop(&mut self) {
        self.desk.closed.store(true, Ordering::Release);
        self.stop.cancel();
    }
}

/// The thread: works until nobody can hand over anything any more, or the watcher fails.
fn work(desk: &Desk, judge: &Judge, mut watcher: impl Watcher) -> io::Result<()> {
    let mut batch = Vec::new();
    loop {
        // Looked at first: what came before the end is in the batch then.
        let closed = desk.closed.load(Ordering::Acquire);
        {
            let mut waiting = desk.waiting();
            std::mem::swap(&mut batch, &mut waiting.entries);
            waiting.bytes = 0;
        }
        if batch.is_empty() {
            if closed {
                return Ok(());
            }
            desk.asleep.store(true, Ordering::Release);
            // Whoever came between the look and the word is seen now; whoever comes later wakes us.
            if desk.waiting().entries.is_empty() && !desk.closed.load(Ordering::Acquire) {
                thread::park();
            }
            desk.asleep.store(false, Ordering::Release);
            continue;
        }
        for entry in batch.drain(..) {
            watcher.update(match entry {
                Entry::Passed(passed) => Update::Exchange(Box::new(judge.judge(*passed))),
                Entry::Update(update) => update,
                Entry::Skipped(count) => Update::Skipped(count),
            })?;
        }
        watcher.rest()?;
        if !desk.closed.load(Ordering::Acquire) {
            thread::park_timeout(GATHER);
        }
    }
}

/// Makes an exchange of what passed.
#[derive(Debug)]
struct Judge {
    endpoint: Arc<str>,
    secrets: Arc<Secrets>,
}

impl Judge {
    fn judge(&self, passed: Passed) -> Exchange {
        let now = passed.received_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        let length = passed.request_body.length;
        let (verdict, event, bytes) = passed.request_body.judge(&passed.request, &self.secrets, now);
        let by_client = passed.response.as_ref().is_none_or(|response| response.error.is_some());
        Exchange {
            id: Uuid::from_bytes(passed.request.id),
            origin: Origin::Live,
            endpoint: Arc::clone(&self.endpoint),
            received_at: passed.received_at,
            request: passed.request,
            request_body: CapturedBody { bytes, length, sha256: None },
            response: passed.response,
            response_body: CapturedBody {
                bytes: passed.response_body.kept.into(),
                length: passed.response_body.length,
                sha256: None,
            },
            answered_by: if by_client { AnsweredBy::Client } else { AnsweredBy::App },
            error: passed.error,
            late: false,
            forwarded: None,
            first_byte: passed.first_byte,
            duration: passed.duration,
            verdict,
            event,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;
    use bytes::Bytes;
    use hookwire_capture::Connection;
    use hookwire_protocol::head::{BodyLength, Headers, HttpVersion};

    /// Shows what it is told to the test, and waits for leave before each.
    struct Gate {
        leave: Receiver<()>,
        seen: std::sync::mpsc::SyncSender<Update>,
    }

    impl Watcher for Gate {
        fn update(&mut self, update: Update) -> io::Result<()> {
            self.leave.recv().map_err(io::Error::other)?;
            self.seen.send(update).map_err(|error| io::Error::other(error.to_string()))
        }

        fn rest(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn passed() -> Box<Passed> {
        Box::new(Passed {
            request: RequestHead {
                id: [7; 16],
                received_at: 0,
                version: HttpVersion::Http11,
                body: BodyLength::Empty,
                method: Bytes::from_static(b"POST"),
                target: Bytes::from_static(b"/hook"),
                headers: Headers::default(),
            },
            request_body: Passing::default(),
            response: None,
            response_body: Passing::default(),
            error: Some(Code::SenderGone),
            received_at: UNIX_EPOCH,
            first_byte: None,
            duration: Duration::ZERO,
        })
    }

    fn start() -> (Recorder, JoinHandle<io::Result<()>>, Leave, Receiver<Update>, CancellationToken) {
        let (leave, wait) = sync_channel(2 * QUEUE);
        let (seen, updates) = sync_channel(2 * QUEUE);
        let stop = CancellationToken::new();
        let (recorder, thread) =
            Recorder::start("shop", Arc::default(), Gate { leave: wait, seen }, stop.clone()).unwrap();
        (recorder, thread, leave, updates, stop)
    }

    type Leave = std::sync::mpsc::SyncSender<()>;

    #[test]
    fn delivery_never_waits_and_what_is_left_out_is_counted() {
        let (recorder, thread, leave, updates, _stop) = start();
        // The watcher stands still: it may have taken a batch already, and holds it.
        for _ in 0..3 * QUEUE {
            recorder.record(passed());
        }
        recorder.tell(Update::Connection(Connection::Connected { after: None }));
        drop(recorder);
        for _ in 0..2 * QUEUE {
            leave.send(()).unwrap();
        }
        drop(leave);
        let (mut kept, mut skipped, mut told) = (0, 0, 0);
        for update in updates.iter().take(2 * QUEUE) {
            match update {
                Update::Exchange(_) => kept += 1,
                Update::Skipped(count) => skipped += count,
                _ => told += 1,
            }
        }
        let _ = thread.join();
        assert_eq!((kept + skipped, told), (3 * QUEUE as u64, 1));
        assert!(skipped >= QUEUE as u64);
    }

    #[test]
    fn a_watcher_that_fails_ends_the_client() {
        let (recorder, thread, leave, _updates, stop) = start();
        drop::<Leave>(leave);
        recorder.record(passed());
        assert!(thread.join().unwrap().is_err());
        assert!(stop.is_cancelled());
        recorder.tell(Update::Skipped(1)); // nobody is there, and nothing piles up
        assert!(recorder.desk.waiting().entries.is_empty());
    }
}
