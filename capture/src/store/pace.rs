//! How much work the writer is given, told before anything is kept for it.
//!
//! More could be written, but the cores that write also carry the webhooks: what comes faster than this is left out at once,
//! before anything is copied for it, and the more is left out the less is written. So delivery keeps its speed.

use std::time::{Duration, Instant};

/// Work that the writer is given in a second, in bytes: 5,000 webhooks of 1.6 kB, each with its row, are 101 MB. It is about an
/// eighth of a core.
const PER_SECOND: i64 = 100 << 20;

/// What a row costs beside its bytes, in bytes: its statements, tables and indices take as long as these, or longer.
const ROW: i64 = 16 << 10;

/// What a byte of a body costs, in bytes: it is written to the log and then to the file, and as zeros to both again when its row is deleted. A
/// row without a body takes 30 µs, one with 64 KiB some 300.
const BODY: i64 = 2;

/// The time in which work is saved up while little comes.
const FULL: Duration = Duration::from_millis(1_500);

/// Work that is saved up in that time.
const SAVED: i64 = PER_SECOND * FULL.as_millis() as i64 / 1_000;

/// What must be left for bodies to be kept: a burst of 5,000 webhooks takes the rest.
const FOR_HEADS: i64 = SAVED / 4;

/// What is left out takes this part of its work, as it is delivered all the same by the cores that rows are written by: 15,000
/// webhooks a second leave room for 1,500 rows, 8,000 for 5,000.
const LEFT_OUT: i64 = 3;

/// What is left out takes no more than three quarters of the work: some are always kept.
const fn takeable(work: i64) -> i64 {
    work / 4 * 3
}

/// What is kept of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// All of it.
    Whole,
    /// All but its bodies.
    Heads,
    /// Nothing.
    Nothing,
}

/// The work that is left to give.
#[derive(Debug)]
pub(super) struct Pace {
    left: i64,
    /// What of it may still be taken by what is left out: what a tenth of a second allows, or less.
    takeable: i64,
    /// When it was last reckoned.
    at: Instant,
}

impl Pace {
    pub(super) fn starting(now: Instant) -> Self {
        Self { left: SAVED, takeable: 0, at: now }
    }

    /// What can be kept of an exchange with heads and bodies of so many bytes.
    pub(super) fn share(&mut self, heads: usize, bodies: usize, now: Instant) -> Share {
        self.earn(now);
        let (row, bodies) = (ROW + length(heads), length(bodies));
        let (share, left_out) = match self.left {
            left if left >= FOR_HEADS + row + BODY * bodies || (bodies == 0 && left >= row) => (Share::Whole, 0),
            left if left >= row => (Share::Heads, bodies),
            _ => (Share::Nothing, row + bodies),
        };
        let taken = (left_out / LEFT_OUT).min(self.takeable);
        self.takeable -= taken;
        self.left -= taken;
        share
    }

    /// Takes note that heads and bodies of so many bytes were handed on.
    pub(super) fn spend(&mut self, heads: usize, bodies: usize) {
        self.left -= ROW + length(heads) + BODY * length(bodies);
    }

    fn earn(&mut self, now: Instant) {
        let span = now.saturating_duration_since(self.at).min(FULL);
        let earned = span.as_nanos() * u128::from(PER_SECOND.unsigned_abs()) / 1_000_000_000;
        let earned = i64::try_from(earned).unwrap_or(SAVED);
        if earned > 0 {
            // A span that earned nothing counts with the next.
            self.left = SAVED.min(self.left + earned);
            self.takeable = takeable(PER_SECOND / 10).min(self.takeable + takeable(earned));
            self.at = now;
        }
    }
}

/// No body comes near to what this can't hold.
fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_a_part_of_what_was_saved_and_heads_the_rest() {
        let now = Instant::now();
        let mut pace = Pace::starting(now);
        let mut shares = Vec::new();
        loop {
            let share = pace.share(1_000, 9_000, now);
            shares.push(share);
            match share {
                Share::Whole => pace.spend(1_000, 9_000),
                Share::Heads => pace.spend(1_000, 0),
                Share::Nothing => break,
            }
        }
        let count = |wanted| shares.iter().filter(|share| **share == wanted).count();
        assert_eq!(count(Share::Whole), ((SAVED - FOR_HEADS) / (ROW + 1_000 + BODY * 9_000)) as usize);
        assert!(count(Share::Heads).abs_diff((FOR_HEADS / (ROW + 1_000)) as usize) < 5);
        assert!(shares.is_sorted_by_key(|share| match share {
            Share::Whole => 0,
            Share::Heads => 1,
            Share::Nothing => 2,
        }));
        assert_eq!(pace.share(1_000, 0, now), Share::Nothing, "without a body there is no more room");
    }

    #[test]
    fn what_was_spent_comes_back_with_time_up_to_a_bound_and_in_steps_of_any_size() {
        let start = Instant::now();
        let mut pace = Pace::starting(start);
        pace.spend(usize::try_from(SAVED).unwrap(), 0);
        let mut now = start;
        for _ in 0..1_000_000 {
            now += Duration::from_nanos(999);
            pace.earn(now);
        }
        assert!((pace.left - PER_SECOND * 999 / 1_000).abs() < PER_SECOND / 50, "{pace:?}");
        pace.earn(start + Duration::from_hours(1));
        assert_eq!(pace.left, SAVED);
        pace.earn(start);
        assert_eq!(pace.left, SAVED, "a clock that goes back costs nothing");
    }
}
