//! Judges and hands on what passed, on a thread of its own.
//!
//! Delivery never waits for it: what finds its queue full is counted and left out.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hookwire_capture::{AnsweredBy, CapturedBody, Exchange, Origin, Update};
use hookwire_protocol::{
    code::Code,
    head::{Headers, RequestHead, ResponseHead},
};
use hookwire_signatures::Secrets;
use uuid::Uuid;

use crate::judge::Passing;

/// Exchanges that may wait to be judged: a burst. Each holds its heads and at most 16 KiB of each body.
const QUEUE: usize = 1024;

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

/// What the thread is given.
enum Entry {
    Passed(Box<Passed>),
    Update(Update),
}

/// The way to the thread. Cheap to clone; the thread ends with the last clone.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    entries: SyncSender<Entry>,
    skipped: Arc<AtomicU64>,
}

impl Recorder {
    /// Starts the thread. It hands everything on to `updates`, and may wait there.
    pub(crate) fn start(
        endpoint: &str,
        secrets: Arc<Secrets>,
        updates: SyncSender<Update>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (entries, queue) = sync_channel(QUEUE);
        let skipped = Arc::new(AtomicU64::new(0));
        let desk = Desk { endpoint: endpoint.into(), secrets, updates, skipped: Arc::clone(&skipped) };
        let thread = thread::Builder::new().name("recorder".into()).spawn(move || desk.work(&queue))?;
        Ok((Self { entries, skipped }, thread))
    }

    /// Hands over an exchange.
    pub(crate) fn record(&self, passed: Box<Passed>) {
        if let Err(TrySendError::Full(_)) = self.entries.try_send(Entry::Passed(passed)) {
            self.skipped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands over news that must not be left out. Waits off the event loop if it has to.
    pub(crate) async fn tell(&self, update: Update) {
        if let Err(TrySendError::Full(entry)) = self.entries.try_send(Entry::Update(update)) {
            let entries = self.entries.clone();
            // The reader may be gone: then there is nobody to tell.
            let _ = tokio::task::spawn_blocking(move || entries.send(entry).is_ok()).await;
        }
    }
}

/// The thread's side.
struct Desk {
    endpoint: Arc<str>,
    secrets: Arc<Secrets>,
    updates: SyncSender<Update>,
    skipped: Arc<AtomicU64>,
}

impl Desk {
    /// Works until nobody can hand over anything any more, or nobody listens.
    fn work(self, queue: &Receiver<Entry>) {
        for entry in queue {
            let update = match entry {
                Entry::Passed(passed) => Update::Exchange(Box::new(self.judge(*passed))),
                Entry::Update(update) => update,
            };
            let skipped = self.skipped.swap(0, Ordering::Relaxed);
            if skipped > 0 && self.updates.send(Update::Skipped(skipped)).is_err() {
                return;
            }
            if self.updates.send(update).is_err() {
                return;
            }
        }
        let skipped = self.skipped.swap(0, Ordering::Relaxed);
        if skipped > 0 {
            let _ = self.updates.send(Update::Skipped(skipped)); // the last word, if anybody listens
        }
    }

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
            request_body: CapturedBody { bytes, length },
            response: passed.response,
            response_body: CapturedBody {
                bytes: passed.response_body.kept.into(),
                length: passed.response_body.length,
            },
            answered_by: if by_client { AnsweredBy::Client } else { AnsweredBy::App },
            error: passed.error,
            first_byte: passed.first_byte,
            duration: passed.duration,
            verdict,
            event,
        }
    }
}

/// A head with memory of its own: what waits here must not keep the message alive that it came in, with all its neighbours.
pub(crate) fn detached(head: &RequestHead) -> RequestHead {
    RequestHead {
        method: Bytes::copy_from_slice(&head.method),
        target: Bytes::copy_from_slice(&head.target),
        headers: head.headers.iter().collect::<Headers>(),
        ..*head
    }
}
