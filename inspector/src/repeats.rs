//! Which events came before.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher, RandomState},
};

use hookwire_signatures::Provider;

/// The ids of the latest events, to tell a provider's retry from a new event.
#[derive(Debug, Default)]
pub struct Repeats {
    /// Keyed hashes: ids come from the network and may be of any length. Two different ids are taken for one with a
    /// chance of 1,000 in 2⁶⁴.
    latest: VecDeque<u64>,
    /// The same hashes, to look one up.
    known: HashSet<u64>,
    hasher: RandomState,
}

impl Repeats {
    /// How many ids are remembered: gateways retry within minutes to hours, and a developer's day has fewer events.
    pub const REMEMBERED: usize = 1_000;

    /// Remembers an event, and says whether it was remembered already.
    pub fn seen(&mut self, provider: Option<Provider>, id: &str) -> bool {
        let hash = self.hasher.hash_one((provider, id));
        if !self.known.insert(hash) {
            return true;
        }
        self.latest.push_back(hash);
        if self.latest.len() > Self::REMEMBERED
            && let Some(oldest) = self.latest.pop_front()
        {
            self.known.remove(&oldest);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_repeats_only_for_its_own_provider() {
        let mut repeats = Repeats::default();
        assert!(!repeats.seen(Some(Provider::Stripe), "evt_1"));
        assert!(repeats.seen(Some(Provider::Stripe), "evt_1"));
        assert!(!repeats.seen(Some(Provider::Razorpay), "evt_1"));
        assert!(!repeats.seen(None, "evt_1"));
    }

    #[test]
    fn the_oldest_is_forgotten_and_memory_stays_bounded() {
        let mut repeats = Repeats::default();
        for number in 0..=Repeats::REMEMBERED {
            assert!(!repeats.seen(None, &number.to_string()));
        }
        assert!(!repeats.seen(None, "0"));
        assert!(repeats.seen(None, "2"));
        assert_eq!((repeats.latest.len(), repeats.known.len()), (Repeats::REMEMBERED, Repeats::REMEMBERED));
    }
}
