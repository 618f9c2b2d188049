//! News of a running client: the latest state of each thing, not a queue.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use hookwire_capture::{Connection, Health, Ready, Update};

/// What is known of the client that runs in this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Where webhooks come in and go.
    pub ready: Option<Ready>,
    /// The connection to the relay; none if this inspector belongs to no running client.
    pub connection: Option<Connection>,
    /// The last round trip to the relay.
    pub round_trip: Option<Duration>,
    /// When a request of ours last went through the public URL and came back.
    pub verified_at: Option<SystemTime>,
    /// What happened while the client was away: `offline 14:02–14:31: 3 held, 3 delivered, 0 lost`.
    pub gap: Option<String>,
    /// Exchanges that were delivered, and not handed to capture because it fell behind.
    pub skipped: u64,
    /// How well the store keeps up, and what it had to leave out; asked of [`Actions::health`](super::Actions::health).
    pub health: Health,
}

/// Where a running client tells its news; cheap to clone. Whoever tells never waits, and nothing piles up.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    shared: Arc<Mutex<Live>>,
}

impl Feed {
    /// Takes in what concerns the client; exchanges come from the store.
    pub fn update(&self, update: &Update) {
        match update {
            Update::Ready(ready) => self.tell(|live| live.ready = Some(ready.clone())),
            Update::Connection(connection) => self.tell(|live| live.connection = Some(connection.clone())),
            Update::Skipped(count) => self.tell(|live| live.skipped += count),
            Update::Store(health) => self.tell(|live| live.health = health.clone()),
            Update::Exchange(_) => {}
        }
    }

    /// Changes what is known.
    pub fn tell(&self, change: impl FnOnce(&mut Live)) {
        change(&mut self.lock());
    }

    /// What is known now.
    pub fn latest(&self) -> Live {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        // A panic while it was changed leaves old news at worst.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_state_is_told_and_skipped_exchanges_add_up() {
        let feed = Feed::default();
        assert_eq!(feed.latest(), Live::default());
        feed.update(&Update::Skipped(3));
        feed.update(&Update::Skipped(4));
        feed.update(&Update::Connection(Connection::Connected { after: None }));
        let live = feed.latest();
        assert_eq!((live.skipped, live.connection), (7, Some(Connection::Connected { after: None })));
    }
}
