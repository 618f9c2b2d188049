//! What the relay knows of an endpoint's deliveries beside the inbox: what is under way, and whether the app is there.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use uuid::Uuid;

/// One for each endpoint, as long as the process lives. Requests, followers and the drain meet here.
#[derive(Debug)]
pub(crate) struct Desk {
    name: Arc<str>,
    /// Changes when the drain should look again.
    news: watch::Sender<()>,
    /// The drain waits for the app to take connections again. Looked at by each live webhook, so it is no part of `state`.
    resting: AtomicBool,
    /// Webhooks that were refused since the last session ended.
    refused: AtomicU64,
    /// The one place of an `ordered` endpoint: whoever delivers holds it.
    turn: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// In the inbox, and with the app at this moment: the drain leaves them alone.
    in_hand: HashSet<Uuid>,
    /// On their way into the inbox.
    arriving: usize,
    /// Something may be pending in the inbox. True until a drain has looked.
    backlog: bool,
}

impl Desk {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            news: watch::Sender::new(()),
            resting: AtomicBool::new(false),
            refused: AtomicU64::new(0),
            turn: Arc::new(Semaphore::new(1)),
            state: Mutex::new(State { in_hand: HashSet::new(), arriving: 0, backlog: true }),
        })
    }

    /// The endpoint's name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Tells whenever the inbox should be looked at again.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Somebody changed what is due.
    pub(crate) fn tell(&self) {
        self.news.send_replace(());
    }

    // --- the app ---

    /// The app took a live webhook: if a drain waits for that, it goes on.
    pub(crate) fn app_answers(&self) {
        if self.resting.load(Ordering::Relaxed) && self.resting.swap(false, Ordering::Relaxed) {
            self.tell();
        }
    }

    pub(crate) fn set_resting(&self, resting: bool) {
        self.resting.store(resting, Ordering::Relaxed);
    }

    pub(crate) fn is_resting(&self) -> bool {
        self.resting.load(Ordering::Relaxed)
    }

    /// The right to be the one webhook that is delivered, in the order in which it was asked for.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turn).acquire_owned().await.ok() // never closed
    }

    // --- the inbox ---

    /// A webhook is being written down: from now on others of an ordered endpoint have to queue up behind it.
    pub(crate) fn arriving(self: &Arc<Self>) -> Arriving {
        self.lock().arriving += 1;
        Arriving(Arc::clone(self))
    }

    /// Whether something is, or may be, before a webhook that comes now.
    pub(crate) fn has_backlog(&self) -> bool {
        let state = self.lock();
        state.backlog || state.arriving > 0
    }

    /// The drain is about to look whether anything is pending. What arrives from here on says so itself.
    pub(crate) fn begin_to_look(&self) {
        self.lock().backlog = false;
    }

    /// It has found something.
    pub(crate) fn found_backlog(&self) {
        self.lock().backlog = true;
    }

    /// Takes charge of a webhook that is in the inbox, or about to be, and with the app.
    pub(crate) fn take_in_hand(self: &Arc<Self>, id: Uuid) -> InHand {
        self.lock().in_hand.insert(id);
        InHand { desk: Arc::clone(self), id }
    }

    pub(crate) fn is_in_hand(&self, id: Uuid) -> bool {
        self.lock().in_hand.contains(&id)
    }

    /// How many are in hand.
    pub(crate) fn in_hand(&self) -> u64 {
        self.lock().in_hand.len() as u64
    }

    // --- the gap ---

    /// A webhook was refused that might have been held, or delivered to a client.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were refused since the last call.
    pub(crate) fn take_refused(&self) -> u64 {
        self.refused.swap(0, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A webhook on its way into the inbox. Dropped once it is there, or known not to be.
#[derive(Debug)]
pub(crate) struct Arriving(Arc<Desk>);

impl Drop for Arriving {
    fn drop(&mut self) {
        {
            let mut state = self.0.lock();
            state.arriving -= 1;
            state.backlog = true;
        }
        self.0.tell();
    }
}

/// A webhook in the inbox that somebody is in charge of. Dropped, it is the drain's.
#[derive(Debug)]
pub(crate) struct InHand {
    desk: Arc<Desk>,
    id: Uuid,
}

impl InHand {
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.desk.lock().in_hand.remove(&self.id);
        self.desk.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_lets_go_tells_the_drain() {
        let desk = Desk::new("shop");
        let mut news = desk.news();
        let id = Uuid::from_u128(7);
        let in_hand = desk.take_in_hand(id);
        assert!(desk.is_in_hand(id) && !news.has_changed().unwrap());
        drop(in_hand);
        assert!(!desk.is_in_hand(id) && news.has_changed().unwrap());
        news.mark_unchanged();
        desk.app_answers();
        assert!(!news.has_changed().unwrap(), "nobody rests");
        desk.set_resting(true);
        desk.app_answers();
        assert!(news.has_changed().unwrap() && !desk.is_resting());
    }

    #[test]
    fn what_is_being_written_down_comes_before_what_comes_now() {
        let desk = Desk::new("shop");
        assert!(desk.has_backlog(), "nobody has looked yet");
        desk.begin_to_look();
        assert!(!desk.has_backlog());
        let arriving = desk.arriving();
        desk.begin_to_look();
        assert!(desk.has_backlog(), "on its way in");
        drop(arriving);
        assert!(desk.has_backlog(), "it is there");
    }
}
