//! Notices that the machine was asleep.
//!
//! During sleep the wall clock goes on and the monotonic one does not (on Linux and macOS), so a gap between both is a sleep. A step by
//! NTP looks the same, and costs one ping.

use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

/// How often the clocks are compared.
const LOOK: Duration = Duration::from_secs(1);

/// What the clocks may drift apart between two looks without it being a sleep.
const GAP: Duration = Duration::from_secs(3);

/// Compares two clocks.
#[derive(Debug)]
struct Clocks {
    wall: SystemTime,
    monotonic: Instant,
}

impl Clocks {
    /// Whether the wall clock jumped ahead since the last look.
    fn jumped(&mut self, wall: SystemTime, monotonic: Instant) -> bool {
        let passed = monotonic.saturating_duration_since(self.monotonic);
        let shown = wall.duration_since(self.wall).unwrap_or_default();
        *self = Self { wall, monotonic };
        shown > passed + GAP
    }
}

/// Counts wake-ups for ever.
pub(crate) async fn watch(count: watch::Sender<u64>) {
    let mut clocks = Clocks { wall: SystemTime::now(), monotonic: Instant::now() };
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        if clocks.jumped(SystemTime::now(), Instant::now()) {
            count.send_modify(|count| *count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_a_gap_between_the_clocks() {
        let (wall, monotonic) = (SystemTime::UNIX_EPOCH, Instant::now());
        let mut clocks = Clocks { wall, monotonic };
        let second = Duration::from_secs(1);
        assert!(!clocks.jumped(wall + second, monotonic + second));
        assert!(!clocks.jumped(wall + 30 * second, monotonic + 30 * second), "a busy machine is not asleep");
        assert!(clocks.jumped(wall + 600 * second, monotonic + 31 * second));
        assert!(!clocks.jumped(wall + 601 * second, monotonic + 32 * second), "once is enough");
        assert!(!clocks.jumped(wall, monotonic + 33 * second), "a clock set back is no sleep");
    }
}
