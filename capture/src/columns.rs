//! How the parts of an exchange stand in the store's columns, both ways.
//!
//! Closed lists are stored by their stable names, so that a list may grow or change its order without a migration.
//! Times are microseconds since 1970 (UTC), durations microseconds.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

use hookwire_protocol::code::Code;
use hookwire_signatures::{Cause, Event, Scheme, Status, Verdict};

use crate::{AnsweredBy, Origin};

/// Every status of a verdict.
pub(crate) const STATUSES: &[Status] =
    &[Status::Valid, Status::Stale, Status::Invalid, Status::NoSecret, Status::Unsigned, Status::Challenge];

/// The words for where an exchange came from.
pub(crate) const ORIGINS: &[&str] = &["live", "held", "replay", "sent"];

/// Who may have answered.
const ANSWERERS: &[AnsweredBy] = &[AnsweredBy::App, AnsweredBy::Client, AnsweredBy::Relay];

/// A time as a number; before 1970 it is negative.
pub(crate) fn micros_of(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => duration_micros(since),
        Err(before) => -duration_micros(before.duration()),
    }
}

/// The time of a number.
pub(crate) fn time_of(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    let time = if micros < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    // What no clock of this system can show was never written by one.
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A duration as a number; 292,000 years stand for anything longer.
pub(crate) fn duration_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The duration of a number.
pub(crate) fn duration_of(micros: i64) -> Duration {
    Duration::from_micros(unsigned(micros))
}

/// A length or row as SQLite's one kind of integer.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A length or row that was stored; never negative, unless the file was tampered with.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// The origin of its word, and what goes with it.
pub(crate) fn origin_of(word: &str, of: Option<[u8; 16]>, since: Option<i64>) -> Origin {
    match (word, of, since) {
        ("held", _, Some(since)) => Origin::Held { since: time_of(since) },
        ("replay", Some(of), _) => Origin::Replay { of: Uuid::from_bytes(of) },
        ("sent", ..) => Origin::Sent,
        _ => Origin::Live,
    }
}

/// Who answered, by the word.
pub(crate) fn answered_by_of(word: &str) -> AnsweredBy {
    ANSWERERS.iter().copied().find(|who| who.as_str() == word).unwrap_or(AnsweredBy::App)
}

/// The error of this name. One that a newer version wrote reads as an internal one.
pub(crate) fn error_of(name: &str) -> Code {
    Code::from_name(name).unwrap_or(Code::Internal)
}

/// The stored parts of a verdict.
pub(crate) struct VerdictColumns<'a> {
    pub(crate) status: &'a str,
    pub(crate) scheme: Option<&'a str>,
    pub(crate) secret: Option<String>,
    pub(crate) cause: Option<&'a str>,
    pub(crate) age: Option<i64>,
    pub(crate) tolerance: Option<i64>,
}

impl VerdictColumns<'_> {
    /// The verdict. Names that only another version knows are left out.
    pub(crate) fn verdict(self) -> Verdict {
        Verdict {
            status: STATUSES.iter().copied().find(|status| status.as_str() == self.status).unwrap_or(Status::Unsigned),
            scheme: self.scheme.and_then(Scheme::with_id).map(|scheme| scheme.id),
            secret: self.secret,
            cause: self.cause.and_then(|code| Cause::ALL.iter().copied().find(|cause| cause.as_str() == code)),
            age_seconds: self.age,
            tolerance_seconds: self.tolerance,
        }
    }
}

/// The event of its stored parts.
pub(crate) fn event_of(provider: Option<&str>, name: Option<String>, id: Option<String>) -> Event {
    Event { provider: provider.and_then(|provider| provider.parse().ok()), name, id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_and_after_1970_read_back_and_absurd_ones_do_no_harm() {
        for micros in [0, 1, -1, 1_783_995_247_250_001, -86_400_000_000] {
            assert_eq!(micros_of(time_of(micros)), micros);
        }
        let _ = (time_of(i64::MIN), time_of(i64::MAX));
        assert_eq!(duration_micros(Duration::MAX), i64::MAX);
    }

    #[test]
    fn names_read_back() {
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        let of = Uuid::from_u128(9);
        for origin in [Origin::Live, Origin::Held { since }, Origin::Replay { of }, Origin::Sent] {
            assert!(ORIGINS.contains(&origin.as_str()));
            assert_eq!(origin_of(origin.as_str(), Some(of.into_bytes()), Some(7_000_000)), origin);
        }
        for who in ANSWERERS {
            assert_eq!(answered_by_of(who.as_str()), *who);
        }
        for code in Code::ALL {
            assert_eq!(error_of(code.as_str()), *code);
        }
    }
}
