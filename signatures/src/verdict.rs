//! What checking found.

use std::fmt;

use crate::cause::Cause;
use crate::challenge;
use crate::scheme::{Coverage, Quirk, Scheme, TimeRule};
use crate::time::Timestamp;

/// The outcome of checking one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome in one word.
    pub status: Status,
    /// The id of the scheme, if one was recognised.
    pub scheme: Option<&'static str>,
    /// The name of the secret that fits: the matching one or, if the signature is invalid, the one with which the
    /// cause was found.
    pub secret: Option<String>,
    /// Why it is not valid; beside [`Status::Valid`], what a strict official package would refuse.
    pub cause: Option<Cause>,
    /// How old the signature is, in seconds; negative if it lies in the future, `None` if no time is signed.
    pub age_seconds: Option<i64>,
    /// The oldest age that the provider's official package accepts, in seconds.
    pub tolerance_seconds: Option<i64>,
}

impl Verdict {
    /// One line for a terminal; `None` if there is nothing to explain.
    pub fn reason(&self) -> Option<String> {
        let scheme = self.scheme.and_then(Scheme::with_id);
        if let (Status::NoSecret, Some(scheme)) = (self.status, scheme) {
            return Some(no_secret(scheme));
        }
        if let (Status::Challenge, Some(scheme)) = (self.status, scheme) {
            return challenge::of_scheme(scheme.id).map(|challenge| challenge.what.to_owned());
        }
        if let (Status::Valid, None, Some(scheme)) = (self.status, self.cause, scheme) {
            return uncovered(scheme.covers);
        }
        let cause = self.cause?;
        let reason = match (cause, self.age_seconds, self.tolerance_seconds, &self.secret, scheme) {
            (Cause::TooOld, Some(age), Some(limit), ..) => {
                format!("signature right, but {age} s old (limit {limit} s)")
            }
            (Cause::TooNew, Some(age), Some(limit), ..) => {
                format!("signature right, but {} s in the future (limit {limit} s)", age.unsigned_abs())
            }
            (Cause::MissingSignature, .., Some(scheme)) => {
                format!("{} is missing", missing(scheme))
            }
            (Cause::WrongSecret, _, _, Some(secret), Some(scheme)) => {
                format!("signed with the secret `{secret}`, not with one of {}", scheme.provider.title())
            }
            (Cause::SecretWhitespace, _, _, Some(secret), _) => {
                format!("the secret `{secret}` has white space or quotes around it")
            }
            _ => cause.sentence().to_owned(),
        };
        Some(reason)
    }

    /// The verdict of a request that no scheme fits.
    pub fn unsigned() -> Self {
        Self {
            status: Status::Unsigned,
            scheme: None,
            secret: None,
            cause: None,
            age_seconds: None,
            tolerance_seconds: None,
        }
    }

    /// A verdict under a scheme, before anything else is known.
    pub(crate) fn under(scheme: &Scheme, status: Status, cause: Option<Cause>) -> Self {
        Self {
            status,
            scheme: Some(scheme.id),
            cause,
            tolerance_seconds: scheme.time.as_ref().and_then(|rule| rule.tolerance_seconds),
            ..Self::unsigned()
        }
    }

    /// Judges the age of a right signature at `now`, in unix seconds.
    pub(crate) fn aged(mut self, rule: &TimeRule, timestamp: &Timestamp, now: i64, quirks: &[Quirk]) -> Self {
        let Some(age) = timestamp.age_millis(now) else { return self };
        let limit = rule.tolerance_seconds.map(|seconds| seconds.saturating_mul(1_000));
        let border = i64::from(quirks.contains(&Quirk::ExcludesBorder));
        let is_out = limit.is_some_and(|limit| age > limit - border || (rule.limits_future && age < -limit));
        let cause = if timestamp.has_other_unit && (is_out || quirks.contains(&Quirk::ChecksUnit)) {
            Cause::TimestampUnit
        } else if !is_out {
            return self;
        } else if age > 0 {
            Cause::TooOld
        } else {
            Cause::TooNew
        };
        self.status = Status::Stale;
        self.cause = Some(cause);
        self
    }
}

/// What a right signature leaves open.
fn uncovered(covers: Coverage) -> Option<String> {
    match covers {
        Coverage::Body | Coverage::Fields => None,
        Coverage::NotBody => Some("signature right, but this provider does not sign the body".to_owned()),
        Coverage::Nothing => Some("password right, but this provider signs nothing".to_owned()),
    }
}

fn missing(scheme: &Scheme) -> String {
    match scheme.signature_header() {
        Some(name) => format!("the signature header `{name}`"),
        None => scheme.signature_place(),
    }
}

fn no_secret(scheme: &Scheme) -> String {
    let provider = scheme.provider;
    match provider.usual_env_names().first() {
        Some(name) => format!("no secret for {} is known (usually in `{name}`)", provider.title()),
        None => format!("no secret for {} is known", provider.title()),
    }
}

/// The outcome in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The signature is right and its age is within the tolerance.
    Valid,
    /// The signature is right, its age is not.
    Stale,
    /// The signature is wrong, malformed or missing.
    Invalid,
    /// There is a signature, but no secret to check it with.
    NoSecret,
    /// There is no signature, and none was expected.
    Unsigned,
    /// A handshake of the provider, which is not signed as an event is.
    Challenge,
}

impl Status {
    /// The stable code, in kebab-case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Stale => "stale",
            Self::Invalid => "invalid",
            Self::NoSecret => "no-secret",
            Self::Unsigned => "unsigned",
            Self::Challenge => "challenge",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::{Place, TimeUnit};

    fn stripe(status: Status, cause: Option<Cause>) -> Verdict {
        Verdict::under(Scheme::with_id("stripe.v1").unwrap(), status, cause)
    }

    #[test]
    fn reasons_are_one_line() {
        let stale = Verdict { age_seconds: Some(412), ..stripe(Status::Stale, Some(Cause::TooOld)) };
        assert_eq!(stale.reason().as_deref(), Some("signature right, but 412 s old (limit 300 s)"));
        assert_eq!(
            stripe(Status::NoSecret, None).reason().as_deref(),
            Some("no secret for Stripe is known (usually in `STRIPE_WEBHOOK_SECRET`)")
        );
        assert_eq!(
            stripe(Status::Invalid, Some(Cause::MissingSignature)).reason().as_deref(),
            Some("the signature header `Stripe-Signature` is missing")
        );
        assert_eq!(stripe(Status::Invalid, Some(Cause::NoMatch)).reason().as_deref(), Some(Cause::NoMatch.sentence()));
        assert_eq!(stripe(Status::Valid, None).reason(), None);
        assert_eq!(Verdict::unsigned().reason(), None);
    }

    #[test]
    fn the_future_is_limited_only_where_the_rule_says_so() {
        let rule = |unit, limits_future| TimeRule {
            place: Place::Pair("t"),
            unit,
            tolerance_seconds: Some(300),
            limits_future,
        };
        let aged = |text: &str, now, unit, limits_future| {
            let rule = rule(unit, limits_future);
            let timestamp = Timestamp::read(text.as_bytes(), &rule);
            stripe(Status::Valid, None).aged(&rule, &timestamp, now, &[]).cause
        };
        for (now, cause) in [(1_300, None), (1_301, Some(Cause::TooOld)), (700, None), (699, Some(Cause::TooNew))] {
            assert_eq!(aged("1000", now, TimeUnit::Seconds, true), cause, "{now}");
        }
        assert_eq!(aged("1000", i64::MIN, TimeUnit::Seconds, false), None);
        let rule = rule(TimeUnit::Seconds, false);
        let timestamp = Timestamp::read(b"1000", &rule);
        let border = stripe(Status::Valid, None).aged(&rule, &timestamp, 1_300, &[Quirk::ExcludesBorder]);
        assert_eq!(border.cause, Some(Cause::TooOld));
        // A fraction of a second counts.
        assert_eq!(aged("200000000001", 200_000_300, TimeUnit::Milliseconds, true), None);
        assert_eq!(aged("199999999999", 200_000_300, TimeUnit::Milliseconds, true), Some(Cause::TooOld));
        assert_eq!(aged("1700000000000", 1_700_000_000, TimeUnit::Seconds, true), Some(Cause::TimestampUnit));
        assert_eq!(aged("1700000000", 1_700_000_000, TimeUnit::Milliseconds, true), Some(Cause::TimestampUnit));
    }
}
