//! How much work the writer is given, told before anything is kept for it.
//!
//! More could be written, but the cores that write also carry the webhooks: what comes faster than this is left out at once,
//! so that delivery keeps its speed and what is left out costs nothing.

use std::time::{Duration, Instant};

/// Work that the writer is given in a second, in bytes: 5,000 webhooks of 1.6 kB, each with its row, are 95 MB. It is about an
/// eighth of a core.
const PER_SECOND: usize = 100 << 20;

/// What a row costs beside its bytes, in bytes: its statements, tables and indices take as long as these, or longer.
const ROW: usize = 16 << 10;

/// Work that is saved up while little comes.
const SAVED: usize = PER_SECOND * FULL.as_millis() as usize / 1_000;

/// The time in which all of that is earned.
const FULL: Duration = Duration::from_millis(1_500);

/// What must be left for bodies to be kept: a burst of 5,000 webhooks takes the rest.
const FOR_HEADS: usize = SAVED / 4;

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
    left: usize,
    /// When it was last reckoned.
    at: Instant,
}

impl Pace {
    pub(super) fn starting(now: Instant) -> Self {
        Self { left: SAVED, at: now }
    }

    /// What can be kept of an exchange with heads and bodies of so many bytes.
    pub(super) fn share(&mut self, heads: usize, bodies: usize, now: Instant) -> Share {
        self.earn(now);
        let row = ROW + heads;
        match self.left {
            left if left >= FOR_HEADS.saturating_add(row + bodies) || (bodies == 0 && left >= row) => Share::Whole,
            left if left >= row => Share::Heads,
            _ => Share::Nothing,
        }
    }

    /// Takes note that so much was handed on.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(ROW + bytes);
    }

    fn earn(&mut self, now: Instant) {
        let span = now.saturating_duration_since(self.at).min(FULL);
        let earned = span.as_nanos() * PER_SECOND as u128 / 1_000_000_000;
        if earned > 0 {
            // A span that earned nothing counts with the next.
            self.left = SAVED.min(self.left + usize::try_from(earned).unwrap_or(SAVED));
            self.at = now;
        }
    }
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
                Share::Whole => pace.spend(10_000),
                Share::Heads => pace.spend(1_000),
                Share::Nothing => break,
            }
        }
        let count = |wanted| shares.iter().filter(|share| **share == wanted).count();
        assert_eq!(count(Share::Whole), (SAVED - FOR_HEADS) / (ROW + 10_000));
        assert!(count(Share::Heads).abs_diff(FOR_HEADS / (ROW + 1_000)) < 5);
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
        pace.spend(SAVED);
        let mut now = start;
        for _ in 0..1_000_000 {
            now += Duration::from_nanos(999);
            pace.earn(now);
        }
        assert!(pace.left.abs_diff(PER_SECOND * 999 / 1_000) < PER_SECOND / 50, "{pace:?}");
        pace.earn(start + Duration::from_hours(1));
        assert_eq!(pace.left, SAVED);
        pace.earn(start);
        assert_eq!(pace.left, SAVED, "a clock that goes back costs nothing");
    }
}
