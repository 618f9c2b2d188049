//! When a webhook that the app did not take is tried again.

use std::time::Duration;

const fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

/// The waits before the second try, the third, and so on. Svix's schedule (docs.svix.com/retries) in shape, with a quick try for the
/// app that was just being restarted by its developer.
const WAITS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    minutes(5),
    minutes(30),
    minutes(2 * 60),
    minutes(5 * 60),
    minutes(10 * 60),
];

/// From there on: twice a day, until retention ends.
const THEN: Duration = minutes(12 * 60);

/// Each wait is up to a fifth longer or shorter, so that what failed together does not come back together.
const JITTER: f64 = 0.2;

/// Tries after which a webhook is parked, however long its retention is. Retention ends first by default: its 7 days have room for 20.
pub(crate) const ATTEMPTS: u32 = 40;

/// The wait after so many tries; `None` when there were enough. `chance` is between 0 and 1.
pub(crate) fn wait(attempts: u32, chance: f64) -> Option<Duration> {
    if attempts >= ATTEMPTS {
        return None;
    }
    let full = match attempts.checked_sub(1) {
        None => return Some(Duration::ZERO),
        Some(index) => WAITS.get(index as usize).copied().unwrap_or(THEN),
    };
    Some(full.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_as_documented_and_end() {
        let waits: Vec<_> = (0..10).filter_map(|attempts| wait(attempts, 0.5)).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits, [0, 5, 30, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200]);
        assert_eq!(wait(ATTEMPTS, 0.5), None);
        assert!(wait(ATTEMPTS - 1, 0.5).is_some());
    }

    #[test]
    fn chance_moves_a_wait_by_a_fifth_at_most() {
        assert_eq!(wait(2, 0.0), Some(Duration::from_secs(24)));
        assert_eq!(wait(2, 1.0), Some(Duration::from_secs(36)));
        assert_eq!(wait(2, 7.0), wait(2, 1.0));
    }

    #[test]
    fn retention_ends_before_the_tries_do() {
        let in_all: Duration = (0..ATTEMPTS).filter_map(|attempts| wait(attempts, 0.0)).sum();
        assert!(in_all > minutes(7 * 24 * 60), "{in_all:?}");
    }
}
