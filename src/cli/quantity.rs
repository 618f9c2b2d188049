//! Lengths of time (`4.5s`, `250ms`, `2m`, `7d`), sizes in bytes (`10MiB`, `1GB`) and counts, as people write them.

use std::{fmt, str::FromStr, time::Duration};

/// Units of time in seconds.
const TIME_UNITS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Units of size in bytes: `kB` counts in thousands (SI), `KiB` in 1024s (IEC 80000-13).
const SIZE_UNITS: &[(&str, f64)] = &[
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

/// A year: nothing here waits longer, and timers keep far from their own limits.
const LONGEST: f64 = 365.0 * 24.0 * 3600.0;

/// 2⁵³: up to here an `f64` counts every byte.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// A length of time. More than nothing, at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Duration);

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Why a text is no quantity.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QuantityError(&'static str);

impl FromStr for Time {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = parse(text, TIME_UNITS)
            .ok_or(QuantityError("write a number with its unit: `250ms`, `4.5s`, `2m`, `1h` or `7d`"))?;
        if !(0.001..=LONGEST).contains(&seconds) {
            return Err(QuantityError("it must be at least `1ms` and at most a year"));
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

impl FromStr for Size {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = parse(text, SIZE_UNITS)
            .ok_or(QuantityError("write a number with its unit: `512KiB`, `10MiB`, `1GB` or `100B`"))?;
        if bytes > LARGEST {
            return Err(QuantityError("it must be at most 8 PiB"));
        }
        #[expect(clippy::cast_sign_loss, reason = "`parse` takes no sign, and the range was checked above")]
        Ok(Self(bytes.round() as u64))
    }
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for QuantityError {}

/// How many: digits, and not 0 where `T` has none.
pub(crate) fn count<T: FromStr>(text: &str) -> Result<T, QuantityError> {
    text.parse().ok().ok_or(QuantityError("write a whole number from 1 on, without a unit: `4`"))
}

/// The number in its base unit. Digits and at most one point: what else `f64` reads (`inf`, `1e3`, a sign) is refused. Nothing is nothing in any unit.
fn parse(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    if text == "0" {
        return Some(0.0);
    }
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.')?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn times_as_people_write_them() {
        let parsed = |text: &str| text.parse::<Time>().map(|time| time.0.as_millis());
        assert_eq!(parsed("4.5s"), Ok(4500));
        assert_eq!(parsed("250ms"), Ok(250));
        assert_eq!(parsed("2m"), Ok(120_000));
        assert_eq!(parsed("1 h"), Ok(3_600_000));
        assert_eq!(parsed("7d"), Ok(604_800_000));
        for wrong in ["", "5", "s", "-1s", "1e3s", "infs", "1.2.3s", "0", "0s", "400d", "9000h", "5 minutes"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn counts_begin_with_one() {
        assert_eq!(count::<NonZeroU32>("20").map(NonZeroU32::get), Ok(20));
        for wrong in ["", "0", "x", "-1", "1.5", "4294967296"] {
            assert!(count::<NonZeroU32>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_as_people_write_them() {
        let parsed = |text: &str| text.parse::<Size>().map(|size| size.0);
        assert_eq!(parsed("10MiB"), Ok(10 << 20));
        assert_eq!(parsed("1GB"), Ok(1_000_000_000));
        assert_eq!(parsed("1.5KiB"), Ok(1536));
        assert_eq!((parsed("0B"), parsed("0")), (Ok(0), Ok(0)));
        for wrong in ["", "10", "10mib", "-1B", "9000000000GB"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
