//! Signatures that grew too old on the way: right when the relay took the webhook in, and stale when it was delivered.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hookwire_capture::{Exchange, Origin, Summary};
use hookwire_signatures::{Cause, Provider, Quirk, Scheme, Status, Verdict};

use crate::times::Short;

/// What to do about it, without a screen of keys.
pub(crate) const COMMAND: &str =
    "`hookwire replay <id> --resign` signs it anew (`hookwire requests list --filter verdict:stale` shows the ids)";

/// The same beside the key that does it.
pub(crate) const KEY: &str = "`s` (or `hookwire replay <id> --resign`) signs it anew";

/// A webhook that was right when it came, and that being held made stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delay {
    held: Duration,
    provider: Provider,
    /// Seconds.
    limit: i64,
}

impl Delay {
    /// Whether it was the delay that made this exchange stale.
    pub(crate) fn of(exchange: &Exchange) -> Option<Self> {
        Self::between(&exchange.verdict, exchange.origin, exchange.received_at)
    }

    /// The same of what a list shows.
    pub(crate) fn of_summary(summary: &Summary) -> Option<Self> {
        Self::between(&summary.verdict, summary.origin, summary.received_at)
    }

    /// Judges at the time of the relay's receipt what was judged stale at that of the delivery. A signature's age is all that differs between the
    /// two, for the bytes are the same: so the age that it had then decides, by the relay's clock and in whole
    /// seconds.
    fn between(verdict: &Verdict, origin: Origin, received_at: SystemTime) -> Option<Self> {
        let (Status::Stale, Some(Cause::TooOld), Origin::Held { since }) = (verdict.status, verdict.cause, origin)
        else {
            return None;
        };
        let scheme = Scheme::with_id(verdict.scheme?)?;
        let (age, limit) = (verdict.age_seconds?, verdict.tolerance_seconds?);
        let then = age.saturating_sub(unix_seconds(received_at).saturating_sub(unix_seconds(since)));
        let oldest = limit - i64::from(scheme.quirks.contains(&Quirk::ExcludesBorder));
        let is_early = scheme.time.as_ref().is_some_and(|rule| rule.limits_future) && then < -limit;
        let held = received_at.duration_since(since).ok()?;
        (then <= oldest && !is_early).then_some(Self { held, provider: scheme.provider, limit })
    }
}

/// In words: `right when it came: held for 12 min, past Stripe's 300 s`.
impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { held, provider, limit } = self;
        write!(f, "right when it came: held for {}, past {}'s {limit} s", Short(*held), provider.title())
    }
}

/// Why a verdict is what it is, in one line; `None` if there is nothing to explain.
pub(crate) fn reason(verdict: &Verdict, delay: Option<Delay>) -> Option<String> {
    delay.map(|delay| delay.to_string()).or_else(|| verdict.reason())
}

/// As verdicts count: a time before 1970 is no time of a webhook.
fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    use hookwire_signatures::schemes;

    use super::*;

    const RECEIVED: u64 = 1_783_995_247;

    fn time(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// A stale signature that is `age` seconds old, of a webhook that was held for `held` seconds.
    fn delay(scheme: &'static str, age: i64, held: u64) -> Option<Delay> {
        between(scheme, Status::Stale, Cause::TooOld, age, Origin::Held { since: time(RECEIVED - held) })
    }

    fn between(scheme: &'static str, status: Status, cause: Cause, age: i64, origin: Origin) -> Option<Delay> {
        let tolerance_seconds = Scheme::with_id(scheme).unwrap().time.as_ref().unwrap().tolerance_seconds;
        let verdict = Verdict {
            status,
            scheme: Some(scheme),
            secret: None,
            cause: Some(cause),
            age_seconds: Some(age),
            tolerance_seconds,
        };
        Delay::between(&verdict, origin, time(RECEIVED))
    }

    #[test]
    fn held_past_the_tolerance_says_so() {
        assert_eq!(
            delay("stripe.v1", 722, 720).unwrap().to_string(),
            "right when it came: held for 12 min, past Stripe's 300 s"
        );
        // 300 s old when it came is what Stripe's package still takes; one more it does not.
        assert!(delay("stripe.v1", 1_000, 700).is_some());
        assert_eq!(delay("stripe.v1", 1_001, 700), None);
    }

    #[test]
    fn what_was_stale_when_it_came_or_was_never_held_is_not_the_delay() {
        assert_eq!(delay("stripe.v1", 2_000, 20), None);
        let stale = |cause, origin| between("stripe.v1", Status::Stale, cause, 722, origin);
        let held = Origin::Held { since: time(RECEIVED - 720) };
        assert!(stale(Cause::TooOld, held).is_some());
        assert_eq!(stale(Cause::TooOld, Origin::Live), None);
        assert_eq!(stale(Cause::TimestampUnit, held), None);
        assert_eq!(between("stripe.v1", Status::Invalid, Cause::TooOld, 722, held), None);
        // A relay whose clock is ahead of ours.
        assert_eq!(stale(Cause::TooOld, Origin::Held { since: time(RECEIVED + 60) }), None);
    }

    #[test]
    fn a_signature_from_the_future_was_not_right_where_that_counts() {
        let limits = |scheme: &&Scheme| {
            scheme.time.as_ref().is_some_and(|rule| rule.limits_future && rule.tolerance_seconds == Some(300))
        };
        let both_ways = schemes().iter().find(limits).unwrap();
        assert!(delay(both_ways.id, 400, 700).is_some());
        assert_eq!(delay(both_ways.id, 400, 701), None);
        assert!(delay("stripe.v1", 400, 701).is_some(), "Stripe's packages take any time to come");
    }

    #[test]
    fn the_border_counts_as_the_provider_counts_it() {
        let excludes = |scheme: &&Scheme| {
            let limit = scheme.time.as_ref().and_then(|rule| rule.tolerance_seconds);
            scheme.quirks.contains(&Quirk::ExcludesBorder) && limit.is_some()
        };
        let scheme = schemes().iter().find(excludes).unwrap();
        let limit = scheme.time.as_ref().unwrap().tolerance_seconds.unwrap();
        assert_eq!(delay(scheme.id, limit + 1_000, 1_000), None);
        assert!(delay(scheme.id, limit + 999, 1_000).is_some());
    }
}
