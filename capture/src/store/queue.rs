//! What waits for the writer's thread: bounded in number and in bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, mpsc::SyncSender},
    time::Instant,
};

use uuid::Uuid;

use hookwire_protocol::head::ResponseHead;

use super::pace::{Pace, Share};
use crate::{CapturedBody, Exchange, Ready};

/// Bytes that wait, from which bodies are left out: a quarter of a second of 5,000 webhooks of 1.6 kB, which a disk's hiccup may take. A
/// client of which all is to stay below 32 MiB has no more to spare.
const BODIES_UP_TO: usize = 4 << 20;

/// Bytes that wait, from which exchanges are left out: what is above the bodies' bound holds a thousand without theirs.
const EXCHANGES_UP_TO: usize = 5 << 20;

/// Bytes of an exchange beside its heads and bodies.
const OVERHEAD: usize = size_of::<Exchange>();

/// The most notes, deletions and the like that wait. They come from people and the start of a session.
const MOST_ORDERS: usize = 1 << 10;

/// Exchanges in one transaction: so many that its own cost no longer shows, so few that a reader sees the first soon.
pub(super) const BATCH: usize = 512;

/// Bytes in one transaction, where bodies are large: they are beside those that wait.
const BATCH_BYTES: usize = 1 << 20;

/// Ids that one deletion in the queue names: its transaction is then no longer than a batch's.
const DELETED_AT_ONCE: usize = 256;

/// One thing to do.
#[derive(Debug)]
pub(super) enum Work {
    Keep(Arc<Exchange>),
    Ready(Box<Ready>),
    Note(Uuid, Option<String>),
    Delete(Vec<Uuid>),
    /// Answer once all before it is committed, or with what is in the way.
    Flush(SyncSender<Result<(), String>>),
}

/// What waits, and what had to be left out.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<Work>,
    exchanges: usize,
    bytes: usize,
    pace: Pace,
    pub(super) bodies_skipped: u64,
    pub(super) exchanges_skipped: u64,
}

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            exchanges: 0,
            bytes: 0,
            pace: Pace::starting(now),
            bodies_skipped: 0,
            exchanges_skipped: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes an exchange in; without its bodies, or not at all, where too much came lately or waits. What is left out is looked
    /// at and counted, and nothing more.
    pub(super) fn keep(&mut self, exchange: Arc<Exchange>, now: Instant) {
        let (heads, bodies) = (head_bytes(&exchange), body_bytes(&exchange));
        let exchange = match self.share(heads, bodies, now) {
            Share::Whole => {
                self.pace.spend(heads, bodies);
                exchange
            }
            Share::Heads => {
                self.pace.spend(heads, 0);
                self.bodies_skipped += 1;
                Arc::new(without_bodies(&exchange))
            }
            Share::Nothing => {
                self.exchanges_skipped += 1;
                return;
            }
        };
        let size = size(&exchange);
        self.exchanges += 1;
        self.bytes += size;
        self.waiting.push_back(Work::Keep(exchange));
    }

    /// What can be kept of an exchange with heads and bodies of so many bytes: as much as both the time and the memory allow.
    fn share(&mut self, heads: usize, bodies: usize, now: Instant) -> Share {
        if self.bytes + heads > EXCHANGES_UP_TO {
            return Share::Nothing;
        }
        match self.pace.share(heads, bodies, now) {
            Share::Whole if bodies > 0 && self.bytes + heads + bodies > BODIES_UP_TO => Share::Heads,
            share => share,
        }
    }

    /// Takes something else in. False: too much of it waits.
    pub(super) fn order(&mut self, work: Work) -> bool {
        let room = self.waiting.len() - self.exchanges < MOST_ORDERS;
        if room {
            match work {
                Work::Delete(ids) => {
                    self.waiting.extend(ids.chunks(DELETED_AT_ONCE).map(|ids| Work::Delete(ids.to_vec())));
                }
                work => self.waiting.push_back(work),
            }
        }
        room
    }

    /// Takes the next batch out, oldest first.
    pub(super) fn batch(&mut self) -> Vec<Work> {
        let mut batch = Vec::with_capacity(self.waiting.len().min(BATCH));
        let mut bytes = 0;
        while batch.len() < BATCH
            && bytes < BATCH_BYTES
            && let Some(work) = self.waiting.pop_front()
        {
            if let Work::Keep(exchange) = &work {
                let size = size(exchange);
                self.exchanges -= 1;
                self.bytes -= size;
                bytes += size;
            }
            batch.push(work);
        }
        batch
    }

    /// Gives up all that waits; exchanges are counted as left out.
    pub(super) fn abandon(&mut self) {
        self.exchanges_skipped += self.exchanges as u64;
        self.exchanges = 0;
        self.bytes = 0;
        self.waiting.clear();
    }

    /// Takes the flushes out that wait: what is before them can't be committed.
    pub(super) fn take_flushes(&mut self) -> Vec<SyncSender<Result<(), String>>> {
        let mut flushes = Vec::new();
        self.waiting.retain_mut(|work| match work {
            Work::Flush(answer) => {
                flushes.push(answer.clone());
                false
            }
            _ => true,
        });
        flushes
    }
}

/// The exchange as if its bodies had been too long to keep any of them.
fn without_bodies(exchange: &Exchange) -> Exchange {
    let skipped = |body: &CapturedBody| CapturedBody { bytes: bytes::Bytes::new(), ..body.clone() };
    Exchange {
        request_body: skipped(&exchange.request_body),
        response_body: skipped(&exchange.response_body),
        ..exchange.clone()
    }
}

fn size(exchange: &Exchange) -> usize {
    head_bytes(exchange) + body_bytes(exchange)
}

fn head_bytes(exchange: &Exchange) -> usize {
    let response = exchange.response.as_ref().map_or(0, ResponseHead::encoded_length);
    OVERHEAD + exchange.request.encoded_length() + response
}

fn body_bytes(exchange: &Exchange) -> usize {
    exchange.request_body.bytes.len() + exchange.response_body.bytes.len()
}

#[cfg(test)]
mod tests {
    use std::{ops::Range, time::Duration};

    use super::*;
    use crate::test_exchange::exchange;

    fn with_body(bytes: usize) -> Arc<Exchange> {
        let body = CapturedBody { bytes: vec![b'x'; bytes].into(), length: bytes as u64, sha256: None };
        Arc::new(Exchange { request_body: body, ..exchange() })
    }

    fn drain(queue: &mut Queue) -> Vec<Arc<Exchange>> {
        let batches = std::iter::from_fn(|| Some(queue.batch()).filter(|batch| !batch.is_empty()));
        let kept = batches.flatten().filter_map(|work| match work {
            Work::Keep(exchange) => Some(exchange),
            _ => None,
        });
        kept.collect()
    }

    /// A webhook as gateways send them.
    fn webhook() -> Arc<Exchange> {
        let mut exchange = with_body(1_600);
        let lines = [("header-of-webhooks", "with some forty bytes of text behind it"); 8];
        Arc::make_mut(&mut exchange).request.headers =
            lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        exchange
    }

    #[test]
    fn while_nothing_is_written_bodies_go_first_then_exchanges_and_all_is_counted() {
        let start = Instant::now();
        let mut queue = Queue::new(start);
        let (large, small) = (with_body(1 << 20), with_body(0));
        // So slowly that only the memory is in the way.
        let later = |number: u32| start + Duration::from_secs(1) * number;
        for number in 0..10 {
            queue.keep(Arc::clone(&large), later(number));
        }
        assert_eq!((queue.bodies_skipped, queue.exchanges_skipped), (7, 0));
        for number in 10..20_010 {
            queue.keep(Arc::clone(&small), later(number));
        }
        assert_eq!(queue.bodies_skipped, 7, "what has no body loses none");
        assert!(queue.bytes <= EXCHANGES_UP_TO && queue.exchanges_skipped > 0);
        assert_eq!(queue.len() as u64 + queue.exchanges_skipped, 20_010);
        let kept = drain(&mut queue);
        let bodies: Vec<bool> = kept.iter().take(10).map(|exchange| exchange.request_body.truncated()).collect();
        assert_eq!(bodies, [[false; 3].as_slice(), &[true; 7]].concat());
        assert!(kept.iter().take(10).all(|exchange| exchange.request_body.length == 1 << 20), "the true length stays");
        assert_eq!((queue.bytes, queue.exchanges, queue.len()), (0, 0, 0));
    }

    /// Hands over so many webhooks a second for so many milliseconds, of which the writer takes what there is every 20 ms, but
    /// nothing while the disk stands still; how many it got.
    fn written((queue, start): (&mut Queue, Instant), per_second: u32, millis: Range<u32>, still: Range<u32>) -> usize {
        let webhook = webhook();
        let mut written = 0;
        for milli in millis {
            let now = start + Duration::from_millis(milli.into());
            let due = |milli: u32| u64::from(milli) * u64::from(per_second) / 1_000;
            (due(milli)..due(milli + 1)).for_each(|_| queue.keep(Arc::clone(&webhook), now));
            if milli % 20 == 0 && !still.contains(&milli) {
                written += drain(queue).len();
            }
        }
        written + drain(queue).len()
    }

    #[test]
    fn a_minute_of_5000_a_second_and_a_disk_that_hesitates_lose_nothing() {
        let start = Instant::now();
        let mut queue = Queue::new(start);
        assert_eq!(written((&mut queue, start), 5_000, 0..60_000, 30_000..30_220), 300_000);
        assert_eq!((queue.bodies_skipped, queue.exchanges_skipped), (0, 0));
    }

    #[test]
    fn what_comes_faster_loses_bodies_what_comes_much_faster_goes_and_afterwards_all_is_kept_again() {
        let start = Instant::now();
        let mut queue = Queue::new(start);
        assert_eq!(written((&mut queue, start), 5_700, 0..30_000, 0..0), 171_000);
        let bodies = queue.bodies_skipped;
        assert!((1..170_999).contains(&bodies) && queue.exchanges_skipped == 0, "{queue:?}");

        // What is left out takes from what the writer is given, up to three quarters of it.
        for (second, per_second, kept) in
            [(30, 8_000, 4_500..6_000), (40, 15_000, 1_300..2_500), (50, 30_000, 1_400..2_000)]
        {
            let skipped = queue.exchanges_skipped;
            let millis = second * 1_000..(second + 10) * 1_000;
            let taken = written((&mut queue, start), per_second, millis, 0..0);
            assert_eq!(taken as u64 + queue.exchanges_skipped - skipped, u64::from(per_second) * 10);
            assert!(kept.contains(&(taken / 10)), "{taken} of {per_second} a second");
        }

        let before = (queue.bodies_skipped, queue.exchanges_skipped);
        assert_eq!(written((&mut queue, start), 4_000, 65_000..70_000, 0..0), 20_000);
        assert_eq!((queue.bodies_skipped, queue.exchanges_skipped), before);
    }

    #[test]
    fn five_thousand_at_once_are_kept_whole_if_they_are_written_as_they_come() {
        let (now, webhook) = (Instant::now(), webhook());
        let mut queue = Queue::new(now);
        for _ in 0..50 {
            (0..100).for_each(|_| queue.keep(Arc::clone(&webhook), now));
            drain(&mut queue);
        }
        assert_eq!((queue.bodies_skipped, queue.exchanges_skipped), (0, 0));
    }

    #[test]
    fn a_batch_is_bounded_in_number_and_in_bytes() {
        let now = Instant::now();
        let mut queue = Queue::new(now);
        (0..=BATCH).for_each(|_| queue.keep(with_body(10), now));
        assert_eq!((queue.batch().len(), queue.batch().len()), (BATCH, 1));
        (0..10).for_each(|_| queue.keep(with_body(BATCH_BYTES / 4), now));
        assert_eq!((queue.batch().len(), queue.len()), (4, 6));
    }

    #[test]
    fn orders_have_a_bound_of_their_own_and_large_deletions_are_cut() {
        let now = Instant::now();
        let mut queue = Queue::new(now);
        while queue.exchanges_skipped == 0 {
            queue.keep(with_body(0), now);
        }
        let note = || Work::Note(Uuid::nil(), None);
        assert!((0..MOST_ORDERS).all(|_| queue.order(note())));
        assert!(!queue.order(note()));
        drain(&mut queue);
        assert!(queue.order(Work::Delete(vec![Uuid::nil(); 2 * DELETED_AT_ONCE + 1])));
        assert_eq!(queue.len(), 3);
    }

    #[test]
    fn what_is_given_up_is_counted() {
        let now = Instant::now();
        let mut queue = Queue::new(now);
        (0..3).for_each(|_| queue.keep(with_body(1), now));
        queue.order(Work::Note(Uuid::nil(), None));
        queue.abandon();
        assert_eq!((queue.exchanges_skipped, queue.len(), queue.bytes), (3, 0, 0));
    }
}
