//! News of a running client: the latest state of each thing, not a queue.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use hookwire_capture::{Backlog, Connection, Gap, Health, Proof, Ready, Update};

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
    /// Why the last such request did not come back; none if it did.
    pub unverified: Option<String>,
    /// What the relay holds for the endpoint.
    pub backlog: Backlog,
    /// What became of the webhooks that came while the endpoint last had no session.
    pub gap: Option<Gap>,
    /// Exchanges that were delivered, and not handed to capture because it fell behind.
    pub skipped: u64,
    /// How well the store keeps up, and what it had to leave out; asked of [`Actions::health`](super::Actions::health).
    pub health: Health,
}

impl Live {
    fn prove(&mut self, proof: &Proof) {
        match proof {
            Proof::RoundTrip(time) => self.round_trip = Some(*time),
            Proof::Verified { at, .. } => {
                self.verified_at = Some(*at);
                self.unverified = None;
            }
            Proof::Unverified { reason } => self.unverified = Some(reason.clone()),
        }
    }
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
            Update::Backlog(backlog) => self.tell(|live| live.backlog = *backlog),
            Update::Gap(gap) => self.tell(|live| live.gap = Some(*gap)),
            Update::Proof(proof) => self.tell(|live| live.prove(proof)),
            // The store and its health are asked.
            Update::Exchange(_) | Update::Store(_) => {}
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
        feed.update(&Update::Proof(Proof::Unverified { reason: "it was answered 404".into() }));
        assert_eq!(feed.latest().unverified.as_deref(), Some("it was answered 404"));
        let verified = Proof::Verified { at: SystemTime::UNIX_EPOCH, took: Duration::ZERO };
        feed.update(&Update::Proof(verified));
        let live = feed.latest();
        assert_eq!((live.verified_at, live.unverified), (Some(SystemTime::UNIX_EPOCH), None));
        assert_eq!((live.skipped, live.connection), (7, Some(Connection::Connected { after: None })));
    }
}
