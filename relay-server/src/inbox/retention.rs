//! Age without trust in clocks.
//!
//! Retention counts on a clock of its own, which is kept in the store. It follows the system's clock, but at most one step an hour and at
//! most two hours a step. So a clock that jumps two days ahead (a bad battery, a typo, a test) drops nothing at once, and there is a day to
//! put it right; and when the relay was really off for two days, retention has caught up two days later.

use std::time::{Duration, SystemTime};

/// The time between two steps.
const EVERY: Duration = Duration::from_hours(1);

/// The longest step: twice the time between two, so that the clock catches up with a stop.
const STEP: Duration = Duration::from_hours(2);

/// The clock by which webhooks age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RetentionClock {
    /// What it shows.
    pub(super) shows: SystemTime,
    /// What the system's clock showed at the last step.
    pub(super) stepped_at: SystemTime,
}

impl RetentionClock {
    /// A clock that is right.
    pub(super) fn new(now: SystemTime) -> Self {
        Self { shows: now, stepped_at: now }
    }

    /// The clock after a look at the system's.
    pub(super) fn step(self, now: SystemTime) -> Self {
        match now.duration_since(self.stepped_at) {
            Ok(since) if since < EVERY => self,
            Ok(_) => Self { shows: now.min(self.shows + STEP), stepped_at: now },
            // The system's clock was put back: what it showed was wrong, so an hour starts anew, and no age comes out of the error.
            Err(_) => Self { shows: now.min(self.shows), stepped_at: now },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn noon() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
    }

    #[test]
    fn a_right_clock_is_followed_to_the_hour() {
        let mut clock = RetentionClock::new(noon());
        for hour in 1..=200 {
            clock = clock.step(noon() + hour * HOUR);
            assert_eq!(clock.shows, noon() + hour * HOUR);
        }
        assert_eq!(clock.step(noon() + 200 * HOUR + HOUR / 2), clock);
    }

    #[test]
    fn a_jump_ahead_ages_nothing_by_more_than_a_step_and_is_forgotten_when_it_is_put_right() {
        let jumped = noon() + 48 * HOUR;
        let clock = RetentionClock::new(noon()).step(jumped);
        assert_eq!(clock.shows, noon() + STEP);
        assert_eq!(clock.step(jumped + HOUR / 2), clock, "one step an hour");
        let right = clock.step(noon() + HOUR);
        assert_eq!(right.shows, noon() + HOUR);
        assert_eq!(right.step(noon() + 2 * HOUR).shows, noon() + 2 * HOUR);
    }

    #[test]
    fn a_real_stop_is_caught_up() {
        let mut clock = RetentionClock::new(noon());
        let back = noon() + 48 * HOUR;
        for hour in 0..48 {
            clock = clock.step(back + hour * HOUR);
        }
        assert_eq!(clock.shows, back + 47 * HOUR);
    }
}
