//! What the app has taken: a delivery that comes again is answered from here, and does not bother it twice.
//!
//! A relay that holds brings a webhook again when the session broke before the answer got through. The app may have had it all the same.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use hookwire_protocol::{
    head::{BodyLength, Headers, HttpVersion, ResponseHead},
    hello,
};
use hookwire_tunnel::Reply;
use tokio::sync::Notify;
use uuid::Uuid;

/// How many deliveries a client remembers that the app took: more than any session has in flight, at 40 bytes each.
pub const REMEMBERED: usize = 4096;

/// The deliveries that the app answered with 2xx, to this process or to one before it, and those that it is working on.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    table: Mutex<Table>,
    /// One that was under way is not any more.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    known: HashMap<[u8; 16], State, BuildHasherDefault<IdHasher>>,
    /// Those that are finished, oldest first.
    order: VecDeque<[u8; 16]>,
}

/// Takes the second half of a delivery id as its hash: in a UUIDv7 it is random (RFC 9562 §5.7). A relay that chose ids to collide would slow down
/// its own deliveries, and the table is bounded.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(half) = bytes.last_chunk() {
            self.0 = u64::from_be_bytes(*half);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// With the app.
    UnderWay,
    /// The app has answered with this status.
    Took(u16),
}

/// Whether a delivery is new.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is: the app gets it.
    First(UnderWay),
    /// The app has answered it with this status.
    Before(u16),
}

/// A delivery that is with the app. Dropped without an answer, the app gets it again should it come again.
#[derive(Debug)]
pub(crate) struct UnderWay {
    finished: Arc<Finished>,
    id: [u8; 16],
    status: Option<u16>,
}

impl Finished {
    /// Knows already what the app `took`, oldest first. Whoever kept that may have kept more than an answer of ours settles.
    pub(crate) fn knowing(took: &[(Uuid, u16)]) -> Self {
        let mut table = Table::default();
        for (id, status) in took.iter().filter(|(_, status)| settles(*status)) {
            table.took(id.into_bytes(), *status);
        }
        Self { table: Mutex::new(table), changed: Notify::new() }
    }

    /// Begins a delivery. None: it is with the app already.
    pub(crate) fn begin(self: &Arc<Self>, id: [u8; 16]) -> Option<Begun> {
        match self.lock().known.entry(id) {
            Entry::Vacant(vacant) => {
                vacant.insert(State::UnderWay);
                Some(Begun::First(UnderWay { finished: Arc::clone(self), id, status: None }))
            }
            Entry::Occupied(known) => match known.get() {
                State::Took(status) => Some(Begun::Before(*status)),
                State::UnderWay => None,
            },
        }
    }

    /// Begins a delivery once what is under way of it has come to its end.
    pub(crate) async fn begin_after(self: &Arc<Self>, id: [u8; 16]) -> Begun {
        loop {
            let changed = self.changed.notified();
            match self.begin(id) {
                Some(begun) => return begun,
                None => changed.await,
            }
        }
    }

    /// The last that the app took, for the relay to know.
    pub(crate) fn ids(&self) -> Vec<String> {
        let table = self.lock();
        table.order.iter().rev().take(hello::FINISHED).map(|id| Uuid::from_bytes(*id).to_string()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// The app has answered. Only 2xx finishes a delivery: with anything else it may come again, and the app shall have it again.
    pub(crate) fn answered(&mut self, status: u16) {
        self.status = settles(status).then_some(status);
    }
}

/// Whether an app that answers so has taken the delivery.
fn settles(status: u16) -> bool {
    (200..300).contains(&status)
}

impl Table {
    /// The app took it. What is remembered longest goes where there is too much.
    fn took(&mut self, id: [u8; 16], status: u16) {
        if let Some(State::Took(_)) = self.known.insert(id, State::Took(status)) {
            return; // it has its place in the order
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        {
            let mut table = self.finished.lock();
            match self.status {
                Some(status) => table.took(self.id, status),
                None => drop(table.known.remove(&self.id)),
            }
        }
        self.finished.changed.notify_waiters();
    }
}

/// Answers a delivery as the app did before.
pub(crate) fn answer_again(status: u16, reply: Reply) {
    let head = ResponseHead {
        status,
        version: HttpVersion::Http11,
        error: None,
        body: BodyLength::Empty,
        reason: None,
        headers: Headers::default(),
    };
    let _ = reply.send_whole(&head, Bytes::new()); // a relay that left again will ask again
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(begun: Begun) -> UnderWay {
        match begun {
            Begun::First(under_way) => under_way,
            Begun::Before(status) => panic!("answered with {status} before"),
        }
    }

    #[tokio::test]
    async fn what_the_app_took_comes_no_second_time() {
        let finished = Arc::new(Finished::default());
        let mut under_way = first(finished.begin_after([7; 16]).await);
        under_way.answered(204);
        drop(under_way);
        assert!(matches!(finished.begin_after([7; 16]).await, Begun::Before(204)));
        assert_eq!(finished.ids(), ["07070707-0707-0707-0707-070707070707"]);
    }

    #[tokio::test]
    async fn what_the_app_did_not_take_comes_again() {
        let finished = Arc::new(Finished::default());
        for status in [Some(500), Some(302), None] {
            let mut under_way = first(finished.begin_after([7; 16]).await);
            if let Some(status) = status {
                under_way.answered(status);
            }
        }
        assert!(finished.ids().is_empty() && finished.lock().known.is_empty());
    }

    #[tokio::test]
    async fn what_an_earlier_process_knew_is_known() {
        let id = |number| Uuid::from_u128(number);
        let finished = Arc::new(Finished::knowing(&[(id(1), 200), (id(2), 500), (id(3), 204), (id(1), 200)]));
        assert_eq!(finished.ids(), [id(3).to_string(), id(1).to_string()]);
        assert!(matches!(finished.begin_after(*id(1).as_bytes()).await, Begun::Before(200)));
        assert!(matches!(finished.begin_after(*id(3).as_bytes()).await, Begun::Before(204)));
        // The app failed: it is to have it again.
        drop(first(finished.begin_after(*id(2).as_bytes()).await));
        // What is done now is the newest, and remembered longest.
        first(finished.begin_after(*id(4).as_bytes()).await).answered(200);
        assert_eq!(finished.ids()[0], id(4).to_string());

        let many: Vec<_> = (0..=REMEMBERED as u128).map(|number| (id(number), 200)).collect();
        let finished = Finished::knowing(&many);
        assert_eq!(finished.lock().known.len(), REMEMBERED);
        assert_eq!(finished.ids().len(), hello::FINISHED);
        assert_eq!(finished.ids()[0], id(REMEMBERED as u128).to_string());
    }

    #[tokio::test]
    async fn one_that_the_app_works_on_is_waited_for() {
        let finished = Arc::new(Finished::default());
        let mut under_way = first(finished.begin_after([7; 16]).await);
        let again = finished.begin_after([7; 16]);
        let answered = async {
            tokio::task::yield_now().await;
            under_way.answered(200);
            drop(under_way);
        };
        let (again, ()) = tokio::join!(again, answered);
        assert!(matches!(again, Begun::Before(200)));
    }

    #[tokio::test]
    async fn memory_is_bounded_and_forgets_the_oldest() {
        let finished = Arc::new(Finished::default());
        for number in 0..REMEMBERED as u128 + 10 {
            first(finished.begin_after(number.to_be_bytes()).await).answered(200);
        }
        assert_eq!(finished.lock().known.len(), REMEMBERED);
        drop(first(finished.begin_after(9_u128.to_be_bytes()).await));
        assert!(matches!(finished.begin_after(10_u128.to_be_bytes()).await, Begun::Before(200)));
        assert_eq!(finished.ids().len(), hello::FINISHED);
    }
}
