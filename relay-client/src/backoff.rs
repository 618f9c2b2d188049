//! How long to wait before dialing again.

use std::time::Duration;

/// The first retry comes within 100 ms: most losses are a relay that restarts.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait: a person notices five seconds, a relay that comes back to a thousand clients does not.
const LONGEST: Duration = Duration::from_secs(5);

/// Growth from try to try. Slow at first, so that a relay that takes a second to restart is found again within a fifth of one.
const GROWTH: f64 = 1.25;

/// A session that lasted this long was a real one, and the next loss starts from [`FIRST`] again.
pub(crate) const SETTLED: Duration = Duration::from_secs(2);

/// Waits that grow, each shortened by chance so that clients don't come back in step.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    tries: i32,
}

impl Backoff {
    /// The next wait. `chance` is between 0 and 1.
    pub(crate) fn next(&mut self, chance: f64) -> Duration {
        let full = FIRST.as_secs_f64() * GROWTH.powi(self.tries);
        self.tries = (self.tries + 1).min(64);
        // Between half and the whole of it.
        Duration::from_secs_f64(full.min(LONGEST.as_secs_f64()) * (0.5 + 0.5 * chance.clamp(0.0, 1.0)))
    }

    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_quick_and_none_is_longer_than_five_seconds() {
        let mut backoff = Backoff::default();
        assert!(backoff.next(1.0) <= Duration::from_millis(100));
        let waits: Vec<_> = (0..100).map(|_| backoff.next(1.0)).collect();
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(*waits.last().unwrap(), LONGEST);
        assert_eq!(backoff.next(0.0), LONGEST / 2);
        backoff.reset();
        assert!(backoff.next(1.0) <= Duration::from_millis(100));
    }

    #[test]
    fn a_relay_that_is_back_after_half_a_second_is_found_within_a_fifth_of_one() {
        for chance in [0.0, 0.5, 1.0] {
            let mut backoff = Backoff::default();
            let mut time = Duration::ZERO;
            let found = std::iter::repeat_with(|| backoff.next(chance)).find_map(|wait| {
                time += wait;
                (time >= Duration::from_millis(500)).then_some(time)
            });
            assert!(found.unwrap() <= Duration::from_millis(700), "{chance}: {found:?}");
        }
    }
}
