//! Judges and hands on what passed, on a thread of its own.
//!
//! Delivery never waits for it: what finds its queue full is counted and left out. It is woken at most every [`GATHER`], since under load
//! a thread that is woken for each webhook costs more than what it does then.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle, Thread},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hookwire_capture::{AnsweredBy, Exchange, Origin, Update};
use hookwire_protocol::{
    code::Code,
    head::{RequestHead, ResponseHead},
};
use hookwire_signatures::Secrets;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{ClientError, judge::Passing};

mod digest;
mod kept;

pub(crate) use digest::Digest;
pub(crate) use kept::{Allowance, Kept};

/// Exchanges that may wait to be judged: what 30,000 webhooks a second bring in the time of a slow write, a seventh of a second.
const QUEUE: usize = 4096;

/// Bytes of their heads and bodies that may wait: what a reader that stands still costs, twice at most. Bodies count as
/// kept too ([`Allowance`]).
const QUEUE_BYTES: usize = 4 * 1024 * 1024;

/// Bytes that wait, from which the thread is woken before its time: 5 ms would bring as much again where bodies are large.
const HURRY_BYTES: usize = 512 * 1024;

/// Bytes that may wait to be hashed: 20 ms of a gigabit a second, in which the thread surely gets its turn. Each may keep twice as much
/// alive.
const HASH_BYTES: usize = 2 * 1024 * 1024;

/// A piece of at least this size is shared rather than copied to be hashed. The message that it came in is then kept alive with it, and
/// holds at most eight times as much.
const SHARED: usize = 16 * 1024;

/// How long the thread lets work gather. Nobody sees five milliseconds; at 30,000 webhooks a second they
/// are 150, and a thirtieth of what waits at most.
const GATHER: Duration = Duration::from_millis(5);

/// Between two looks of a watcher that has more to say.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Who is told what happens. Called on the recorder's thread, and may take its time.
pub trait Watcher: Send + 'static {
    /// One piece of news. An error ends the client: there is nobody left to tell.
    fn update(&mut self, update: Update) -> io::Result<()>;

    /// Nothing more is waiting: what was buffered should be shown.
    fn rest(&mut self) -> io::Result<()>;

    /// Whether it may have more to say although nothing happens. It is then called to [`rest`](Self::rest) every second.
    fn has_more(&self) -> bool {
        false
    }

    /// Nothing more will come. Called once, unless it has failed before.
    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One exchange as it passed, not yet judged.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) origin: Origin,
    pub(crate) endpoint: Arc<str>,
    pub(crate) request: RequestHead,
    pub(crate) request_body: Passing,
    pub(crate) response: Option<ResponseHead>,
    pub(crate) response_body: Passing,
    pub(crate) error: Option<Code>,
    pub(crate) received_at: SystemTime,
    pub(crate) forwarded: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    /// The relay had answered the sender when the app did.
    pub(crate) late: bool,
    /// The relay answered the sender since the app takes no connection, and holds the request.
    pub(crate) held: bool,
    pub(crate) duration: Duration,
    /// Who waits to see it judged. It is never left out then.
    pub(crate) awaited: Option<oneshot::Sender<Arc<Exchange>>>,
}

impl Passed {
    /// The memory that it holds, roughly.
    fn held(&self) -> usize {
        let request = self.request.target.len() + self.request.headers.encoded().len();
        let response = self.response.as_ref().map_or(0, |response| response.headers.encoded().len());
        request + response + self.request_body.held() + self.response_body.held()
    }
}

#[derive(Debug)]
enum Entry {
    Passed(Box<Passed>),
    /// The next bytes to hash.
    Piece(Digest, Bytes),
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

impl Waiting {
    /// Makes room for so many bytes, if there is any.
    fn admit(&mut self, bytes: usize) -> bool {
        let fits = self.entries.len() < QUEUE && self.bytes + bytes <= QUEUE_BYTES;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }
}

/// What the event loop and the thread share.
#[derive(Debug, Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    /// Bytes that wait to be hashed.
    unhashed: AtomicUsize,
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
    allowance: Arc<Allowance>,
}

impl Recorder {
    /// Starts the thread, which keeps at most `cap` bytes of each body. When `watcher` fails it cancels `stop`, and says why when it is joined.
    pub(crate) fn start(
        cap: usize,
        secrets: Arc<Secrets>,
        watcher: impl Watcher,
        stop: CancellationToken,
    ) -> io::Result<(Self, JoinHandle<io::Result<()>>)> {
        let desk = Arc::new(Desk::default());
        let theirs = Arc::clone(&desk);
        let thread = thread::Builder::new().name("recorder".into()).spawn(move || {
            let _end = End { desk: Arc::clone(&theirs), stop };
            work(&theirs, &secrets, watcher)
        })?;
        Ok((Self { desk, thread: thread.thread().clone(), allowance: Allowance::new(cap) }, thread))
    }

    /// What may be kept of bodies.
    pub(crate) fn allowance(&self) -> &Arc<Allowance> {
        &self.allowance
    }

    /// Hands over an exchange.
    pub(crate) fn record(&self, passed: Box<Passed>) {
        let bytes = passed.held();
        let mut waiting = self.desk.waiting();
        // There is little that is awaited.
        if waiting.admit(bytes) || passed.awaited.is_some() {
            waiting.entries.push(Entry::Passed(passed));
        } else if let Some(Entry::Skipped(count)) = waiting.entries.last_mut() {
            *count += 1;
        } else {
            waiting.entries.push(Entry::Skipped(1));
        }
        let hurry = waiting.bytes > HURRY_BYTES && waiting.bytes - bytes <= HURRY_BYTES;
        drop(waiting);
        if hurry { self.thread.unpark() } else { self.wake() }
    }

    /// Begins to hash a body that has passed its cap with `rest`, the part of a piece that found no room.
    pub(crate) fn digest(&self, kept: &mut Kept, rest: Bytes) -> Digest {
        let digest = Digest::default();
        self.hash(&digest, kept.share());
        self.hash(&digest, rest);
        digest
    }

    /// Goes on to hash. The pieces are worked off in order, and before the exchange that they belong to.
    pub(crate) fn hash(&self, digest: &Digest, piece: Bytes) {
        if !digest.stands() {
            return;
        }
        let bytes = cost(&piece);
        // Small ones would keep the message alive that they came in.
        let piece = if piece.len() < SHARED { Bytes::copy_from_slice(&piece) } else { piece };
        if self.desk.unhashed.fetch_add(bytes, Ordering::Relaxed) + bytes > HASH_BYTES {
            self.desk.unhashed.fetch_sub(bytes, Ordering::Relaxed);
            digest.lose();
            return;
        }
        self.desk.waiting().entries.push(Entry::Piece(digest.clone(), piece));
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

/// What a piece that waits to be hashed holds, with what stands around it.
fn cost(piece: &Bytes) -> usize {
    piece.len() + size_of::<Entry>() + size_of::<Bytes>()
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

/// Waits for the thread of a recorder that was dropped. One whose watcher stands still for longer than `patience` is left alone: its reader misses the
/// last lines, and nobody waits for it.
pub(crate) async fn join(thread: JoinHandle<io::Result<()>>, patience: Duration) -> Result<(), ClientError> {
    match tokio::time::timeout(patience, tokio::task::spawn_blocking(move || thread.join())).await {
        Ok(Ok(Ok(watched))) => watched.map_err(ClientError::Watcher),
        Ok(_) => Err(ClientError::Watcher(io::Error::other("the recorder's thread panicked"))),
        Err(_) => Ok(()),
    }
}

/// The thread: works until nobody can hand over anything any more, or the watcher fails.
fn work(desk: &Desk, secrets: &Secrets, mut watcher: impl Watcher) -> io::Result<()> {
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
                return watcher.end();
            }
            desk.asleep.store(true, Ordering::Release);
            // Whoever came between the look and the word is seen now; whoever comes later wakes us.
            let idle = desk.waiting().entries.is_empty() && !desk.closed.load(Ordering::Acquire);
            let more = watcher.has_more();
            if idle && more {
                thread::park_timeout(LOOK_AGAIN);
            } else if idle {
                thread::park();
            }
            desk.asleep.store(false, Ordering::Release);
            if more {
                watcher.rest()?;
            }
            continue;
        }
        for entry in batch.drain(..) {
            match entry {
                Entry::Passed(mut passed) => {
                    let awaited = passed.awaited.take();
                    let exchange = Arc::new(judge(*passed, secrets));
                    watcher.update(Update::Exchange(Arc::clone(&exchange)))?;
                    if let Some(awaited) = awaited {
                        let _ = awaited.send(exchange); // whoever waited has left meanwhile
                    }
                }
                Entry::Piece(digest, piece) => {
                    digest.update(&piece);
                    desk.unhashed.fetch_sub(cost(&piece), Ordering::Relaxed);
                }
                Entry::Update(update) => watcher.update(update)?,
                Entry::Skipped(count) => watcher.update(Update::Skipped(count))?,
            }
        }
        watcher.rest()?;
        if !desk.closed.load(Ordering::Acquire) {
            thread::park_timeout(GATHER);
        }
    }
}

/// Makes an exchange of what passed.
fn judge(passed: Passed, secrets: &Secrets) -> Exchange {
    let now = passed.received_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    let judged = passed.request_body.judge(&passed.request, &passed.endpoint, secrets, now);
    let origin = if passed.origin == Origin::Live { origin(&passed.request) } else { passed.origin };
    let by_client = passed.response.as_ref().is_none_or(|response| response.error.is_some());
    Exchange {
        id: Uuid::from_bytes(passed.request.id),
        origin,
        endpoint: passed.endpoint,
        received_at: passed.received_at,
        request: passed.request,
        request_body: judged.body,
        response: passed.response,
        response_body: passed.response_body.captured(),
        answered_by: match origin {
            Origin::Held { .. } => AnsweredBy::Relay,
            _ if passed.late || passed.held => AnsweredBy::Relay,
            _ if by_client => AnsweredBy::Client,
            _ => AnsweredBy::App,
        },
        error: passed.error,
        late: passed.late,
        forwarded: passed.forwarded,
        first_byte: passed.first_byte,
        duration: passed.duration,
        verdict: judged.verdict,
        evidence: judged.evidence,
        event: judged.event,
    }
}

/// A relay marks what it held; no sender can.
fn origin(request: &RequestHead) -> Origin {
    match request.headers.value("hookwire-held-since") {
        Some(_) => Origin::Held { since: UNIX_EPOCH + Duration::from_micros(request.received_at) },
        None => Origin::Live,
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

    fn passed(recorder: &Recorder) -> Box<Passed> {
        Box::new(Passed {
            origin: Origin::Live,
            endpoint: "shop".into(),
            request: RequestHead {
                id: [7; 16],
                received_at: 0,
                version: HttpVersion::Http11,
                body: BodyLength::Empty,
                method: Bytes::from_static(b"POST"),
                target: Bytes::from_static(b"/hook"),
                headers: Headers::default(),
            },
            request_body: Passing::new(recorder),
            response: None,
            response_body: Passing::new(recorder),
            error: Some(Code::SenderGone),
            received_at: UNIX_EPOCH,
            forwarded: None,
            first_byte: None,
            late: false,
            held: false,
            duration: Duration::ZERO,
            awaited: None,
        })
    }

    fn start() -> (Recorder, JoinHandle<io::Result<()>>, Leave, Receiver<Update>, CancellationToken) {
        let (leave, wait) = sync_channel(SHOWN);
        let (seen, updates) = sync_channel(SHOWN);
        let stop = CancellationToken::new();
        let (recorder, thread) =
            Recorder::start(CAP, Arc::default(), Gate { leave: wait, seen }, stop.clone()).unwrap();
        (recorder, thread, leave, updates, stop)
    }

    /// As much leave as can be needed.
    fn give_leave(leave: &Leave) {
        for _ in 0..SHOWN {
            if leave.send(()).is_err() {
                break; // the thread has ended: all was shown
            }
        }
    }

    /// Bytes kept of a body.
    const CAP: usize = 10;

    /// What can be shown of any number of exchanges while the watcher stands still: two full queues, with a word about what was left out behind each,
    /// and one that is never left out.
    const SHOWN: usize = 2 * QUEUE + 3;

    type Leave = std::sync::mpsc::SyncSender<()>;

    #[test]
    fn delivery_never_waits_and_what_is_left_out_is_counted() {
        let (recorder, thread, leave, updates, _stop) = start();
        // The watcher stands still: it may have taken a batch already, and holds it.
        for _ in 0..3 * QUEUE {
            recorder.record(passed(&recorder));
        }
        recorder.tell(Update::Connection(Connection::Connected { after: None }));
        drop(recorder);
        give_leave(&leave);
        drop(leave);
        let (mut kept, mut skipped, mut told) = (0, 0, 0);
        for update in &updates {
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

    /// A body that passes in these pieces, and what becomes of it.
    fn captured(pieces: &[&[u8]]) -> hookwire_capture::CapturedBody {
        let (recorder, thread, leave, updates, _stop) = start();
        let mut passed = passed(&recorder);
        for piece in pieces {
            passed.response_body.pass(&Bytes::copy_from_slice(piece), &recorder);
        }
        recorder.record(passed);
        drop(recorder);
        leave.send(()).unwrap();
        let Ok(Update::Exchange(exchange)) = updates.recv() else { panic!("no exchange") };
        thread.join().unwrap().unwrap();
        exchange.response_body.clone()
    }

    #[test]
    fn a_body_beyond_the_cap_is_cut_and_hashed_whole() {
        use sha2::{Digest as _, Sha256};

        for pieces in [
            &[&b"0123456789"[..], b"abc"][..],
            &[b"01234", b"56789abc"],
            &[b"0123456789abc"],
            &[b"0123456789", b"", b"a", b"bc"],
        ] {
            let body = captured(pieces);
            assert_eq!((body.bytes.as_ref(), body.length), (&b"0123456789"[..], 13));
            assert_eq!(body.sha256, Some(Sha256::digest(b"0123456789abc").into()), "{pieces:?}");
        }
        // The control: one that fits costs no hash.
        let body = captured(&[b"01234", b"56789"]);
        assert_eq!((body.truncated(), body.sha256), (false, None));
    }

    #[test]
    fn a_hash_that_can_not_keep_up_is_given_up() {
        let (recorder, thread, leave, updates, _stop) = start();
        recorder.record(passed(&recorder)); // the watcher stands still with it
        let mut passed = passed(&recorder);
        let piece = Bytes::from(vec![0; HASH_BYTES / 4]);
        for _ in 0..6 {
            passed.response_body.pass(&piece, &recorder);
        }
        passed.awaited = Some(oneshot::channel().0); // or it would be left out as well
        recorder.record(passed);
        drop(recorder);
        (0..2).for_each(|_| leave.send(()).unwrap());
        let Some(Update::Exchange(last)) = updates.iter().nth(1) else { panic!("no exchange") };
        thread.join().unwrap().unwrap();
        assert_eq!((last.response_body.length, last.response_body.sha256), (6 * piece.len() as u64, None));
    }

    #[test]
    fn what_is_awaited_is_never_left_out() {
        let (recorder, thread, leave, updates, _stop) = start();
        for _ in 0..3 * QUEUE {
            recorder.record(passed(&recorder));
        }
        let (awaited, waits) = oneshot::channel();
        recorder.record(Box::new(Passed { awaited: Some(awaited), ..*passed(&recorder) }));
        drop(recorder);
        give_leave(&leave);
        drop(leave);
        let shown: Vec<_> = updates.iter().collect();
        let end = thread.join();
        assert!(end.as_ref().is_ok_and(Result::is_ok), "{} {end:?}", shown.len());
        assert!(waits.blocking_recv().is_ok());
        assert!(matches!(shown.last(), Some(Update::Exchange(_))));
    }

    #[test]
    fn a_watcher_that_fails_ends_the_client() {
        let (recorder, thread, leave, _updates, stop) = start();
        drop::<Leave>(leave);
        recorder.record(passed(&recorder));
        assert!(thread.join().unwrap().is_err());
        assert!(stop.is_cancelled());
        recorder.tell(Update::Skipped(1)); // nobody is there, and nothing piles up
        assert!(recorder.desk.waiting().entries.is_empty());
    }
}
