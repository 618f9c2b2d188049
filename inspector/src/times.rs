//! Times and durations as they are written.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

/// A system time as a timestamp; one beyond the year 9999 or before the year -9999 becomes the last or first there is.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX })
}

/// A duration in the unit that suits it, at most six columns wide up to 100 hours: `0.4 ms`, `12 ms`, `2.1 s`, `3 min`, `26 h`.
#[derive(Clone, Copy, Debug)]
pub struct Short(pub Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        // Each limit is where rounding would reach the next unit: 9.96 ms is `10 ms`, not `10.0 ms`.
        match seconds {
            ..0.009_95 => write!(f, "{:.1} ms", seconds * 1_000.0),
            ..0.999_5 => write!(f, "{:.0} ms", seconds * 1_000.0),
            ..59.95 => write!(f, "{seconds:.1} s"),
            ..5_970.0 => write!(f, "{:.0} min", seconds / 60.0),
            _ => write!(f, "{:.0} h", seconds / 3_600.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_suits_the_duration_and_stays_narrow() {
        let cases = [
            (0, "0.0 ms"),
            (440, "0.4 ms"),
            (9_940, "9.9 ms"),
            (9_960, "10 ms"),
            (12_400, "12 ms"),
            (999_400, "999 ms"),
            (999_600, "1.0 s"),
            (2_140_000, "2.1 s"),
            (59_960_000, "1 min"),
            (5_900_000_000, "98 min"),
            (93_600_000_000, "26 h"),
        ];
        for (micros, expected) in cases {
            assert_eq!(Short(Duration::from_micros(micros)).to_string(), expected);
        }
    }

    #[test]
    fn no_time_is_out_of_range() {
        let long = Duration::from_hours(24 * 366 * 20_000);
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH + long), Timestamp::MAX);
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH - long), Timestamp::MIN);
    }
}
