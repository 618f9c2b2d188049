//! Timestamps, as they are signed and as numbers.

use crate::scheme::{TimeRule, TimeUnit};

/// Above this a number of seconds is one of milliseconds: as seconds it lies in the year 5138, as milliseconds in 1973.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// A timestamp of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp {
    /// As it is written and signed.
    pub(crate) text: Vec<u8>,
    /// Unix milliseconds; `None` if the text is no time.
    pub(crate) millis: Option<i64>,
    /// It is written in seconds where the rule has milliseconds, or the other way.
    pub(crate) has_other_unit: bool,
}

impl Timestamp {
    /// Reads a time in the unit of the rule.
    pub(crate) fn read(text: &[u8], rule: &TimeRule) -> Self {
        let number = leading_number(text);
        let millis = match rule.unit {
            TimeUnit::Seconds => number.and_then(|seconds| seconds.checked_mul(1_000)),
            TimeUnit::Milliseconds => number,
            TimeUnit::Rfc3339 => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse::<jiff::Timestamp>().ok())
                .map(jiff::Timestamp::as_millisecond),
        };
        let has_other_unit = number.is_some_and(|number| match rule.unit {
            TimeUnit::Seconds => number >= MILLISECONDS_FROM,
            TimeUnit::Milliseconds => number < MILLISECONDS_FROM,
            TimeUnit::Rfc3339 => false,
        });
        Self { text: text.to_vec(), millis, has_other_unit }
    }

    /// How old it is at `now`, which is in unix seconds.
    pub(crate) fn age_millis(&self, now: i64) -> Option<i64> {
        self.millis.map(|millis| now.saturating_mul(1_000).saturating_sub(millis))
    }

    /// Whether the text is a number as numbers are written: official packages that sign the number they have read would
    /// sign a leading zero or plus differently.
    pub(crate) fn is_plain_number(&self) -> bool {
        let digits = self.text.iter().all(u8::is_ascii_digit);
        digits && leading_number(&self.text).is_some_and(|number| number.to_string().as_bytes() == self.text)
    }
}

/// The number that a text begins with, as JavaScript's `parseInt` and its cousins read it.
fn leading_number(text: &[u8]) -> Option<i64> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::Place;

    fn read(text: &str, unit: TimeUnit) -> Timestamp {
        let rule = TimeRule { place: Place::First, unit, tolerance_seconds: None, limits_future: false };
        Timestamp::read(text.as_bytes(), &rule)
    }

    #[test]
    fn every_unit_is_read_and_the_wrong_one_told() {
        assert_eq!(read("1700000000", TimeUnit::Seconds).millis, Some(1_700_000_000_000));
        assert_eq!(read("1700000000", TimeUnit::Milliseconds).millis, Some(1_700_000_000));
        assert!(read("1700000000", TimeUnit::Milliseconds).has_other_unit);
        assert!(read("1700000000000", TimeUnit::Seconds).has_other_unit);
        assert!(!read("1700000000000", TimeUnit::Milliseconds).has_other_unit);
        let nanoseconds = read("2019-11-16T10:11:12.634234626Z", TimeUnit::Rfc3339);
        assert_eq!(nanoseconds.millis, Some(1_573_899_072_634));
        let zone = read("2020-01-01T00:00:00-07:00", TimeUnit::Rfc3339);
        assert_eq!(zone.millis, Some(1_577_862_000_000));
        for text in ["", "x", "99999999999999999999"] {
            assert_eq!(read(text, TimeUnit::Seconds).millis, None, "{text}");
        }
        assert_eq!(read("2023-11-14", TimeUnit::Rfc3339).millis, None);
    }

    #[test]
    fn only_plain_numbers_are_plain() {
        assert!(read("12", TimeUnit::Seconds).is_plain_number());
        for text in ["", "012", "+12", "-12", "12x", " 12"] {
            assert!(!read(text, TimeUnit::Seconds).is_plain_number(), "{text}");
        }
    }
}
