//! What waits for the writer's thread: bounded in number and in bytes.

use std::{collections::VecDeque, sync::Arc, sync::mpsc::SyncSender};

use uuid::Uuid;

use hookwire_protocol::head::ResponseHead;

use crate::{CapturedBody, Exchange, Ready};

/// The most exchanges that wait: three seconds of 5,000 a second, which a disk's hiccup may take.
const MOST_EXCHANGES: usize = 16 << 10;

/// Bytes that wait, from which bodies are left out: 5,000 webhooks of 1.6 kB a second for two seconds.
const BODIES_UP_TO: usize = 20 << 20;

/// Bytes that wait, from which exchanges are left out: what is above the bodies' bound holds some thousands without theirs.
const EXCHANGES_UP_TO: usize = 26 << 20;

/// Bytes of an exchange beside its heads and bodies.
const OVERHEAD: usize = size_of::<Exchange>();

/// The most notes, deletions and the like that wait. They come from people and the start of a session.
const MOST_ORDERS: usize = 1 << 10;

/// Exchanges in one transaction: so many that its own cost no longer shows, so few that a reader sees the first soon.
pub(super) const BATCH: usize = 512;

/// Bytes in one transaction, where bodies are large.
const BATCH_BYTES: usize = 4 << 20;

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
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Work>,
    exchanges: usize,
    bytes: usize,
    pub(super) bodies_skipped: u64,
    pub(super) exchanges_skipped: u64,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes an exchange in; without its bodies, or not at all, where too much waits.
    pub(super) fn keep(&mut self, exchange: Arc<Exchange>) {
        let heads = head_bytes(&exchange);
        if self.exchanges >= MOST_EXCHANGES || self.bytes + heads > EXCHANGES_UP_TO {
            self.exchanges_skipped += 1;
            return;
        }
        let bodies = body_bytes(&exchange);
        let exchange = if bodies > 0 && self.bytes + heads + bodies > BODIES_UP_TO {
            self.bodies_skipped += 1;
            Arc::new(without_bodies(&exchange))
        } else {
            exchange
        };
        self.exchanges += 1;
        self.bytes += size(&exchange);
        self.waiting.push_back(Work::Keep(exchange));
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

    #[test]
    fn bodies_go_first_then_exchanges_and_all_is_counted() {
        let mut queue = Queue::default();
        let (large, small) = (with_body(1 << 20), with_body(0));
        for _ in 0..30 {
            queue.keep(Arc::clone(&large));
        }
        assert_eq!((queue.bodies_skipped, queue.exchanges_skipped), (11, 0));
        for _ in 0..30_000 {
            queue.keep(Arc::clone(&small));
        }
        assert_eq!(queue.bodies_skipped, 11, "what has no body loses none");
        assert!(queue.bytes <= EXCHANGES_UP_TO && queue.exchanges <= MOST_EXCHANGES);
        assert_eq!(queue.len() as u64 + queue.exchanges_skipped, 30_030);
        let kept = drain(&mut queue);
        let bodies: Vec<bool> = kept.iter().take(30).map(|exchange| exchange.request_body.truncated()).collect();
        assert_eq!(bodies, [[false; 19].as_slice(), &[true; 11]].concat());
        assert!(kept.iter().take(30).all(|exchange| exchange.request_body.length == 1 << 20), "the true length stays");
        assert_eq!((queue.bytes, queue.exchanges, queue.len()), (0, 0, 0));
    }

    #[test]
    fn a_batch_is_bounded_in_number_and_in_bytes() {
        let mut queue = Queue::default();
        (0..=BATCH).for_each(|_| queue.keep(with_body(10)));
        assert_eq!((queue.batch().len(), queue.batch().len()), (BATCH, 1));
        (0..10).for_each(|_| queue.keep(with_body(1 << 20)));
        assert_eq!((queue.batch().len(), queue.len()), (4, 6));
    }

    #[test]
    fn orders_have_a_bound_of_their_own_and_large_deletions_are_cut() {
        let mut queue = Queue::default();
        (0..=MOST_EXCHANGES).for_each(|_| queue.keep(with_body(0)));
        let note = || Work::Note(Uuid::nil(), None);
        assert!((0..MOST_ORDERS).all(|_| queue.order(note())));
        assert!(!queue.order(note()));
        drain(&mut queue);
        assert!(queue.order(Work::Delete(vec![Uuid::nil(); 2 * DELETED_AT_ONCE + 1])));
        assert_eq!(queue.len(), 3);
    }

    #[test]
    fn what_is_given_up_is_counted() {
        let mut queue = Queue::default();
        (0..3).for_each(|_| queue.keep(with_body(1)));
        queue.order(Work::Note(Uuid::nil(), None));
        queue.abandon();
        assert_eq!((queue.exchanges_skipped, queue.len(), queue.bytes), (3, 0, 0));
    }
}
