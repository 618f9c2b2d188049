//! What checking found.

use std::fmt;

use crate::cause::Cause;
use crate::scheme::{Scheme, TimeRule};

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
        let cause = self.cause?;
        let reason = match (cause, self.age_seconds, self.tolerance_seconds, &self.secret, scheme) {
            (Cause::TooOld, Some(age), Some(limit), ..) => {
                format!("signature right, but {age} s old (limit {limit} s)")
            }
            (Cause::TooNew, Some(age), Some(limit), ..) => {
                format!("signature right, but {} s in the future (limit {limit} s)", age.unsigned_abs())
            }
            (Cause::MissingSignature, .., Some(scheme)) => {
                format!("the signature header `{}` is missing", scheme.header)
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
    pub(crate) fn unsigned() -> Self {
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
    pub(crate) fn under(scheme: &'static Scheme, status: Status, cause: Option<Cause>) -> Self {
        Self {
            status,
            scheme: Some(scheme.id),
            cause,
            tolerance_seconds: scheme.time.as_ref().and_then(|rule| rule.tolerance_seconds),
            ..Self::unsigned()
        }
    }

    /// Judges the age of a right signature.
    pub(crate) fn aged(mut self, rule: &TimeRule) -> Self {
        if let (Some(age), Some(tolerance)) = (self.age_seconds, rule.tolerance_seconds) {
            let cause = if age > tolerance {
                Some(Cause::TooOld)
            } else if rule.limits_future && age < -tolerance {
                Some(Cause::TooNew)
            } else {
                None
            };
            if cause.is_some() {
                self.status = Status::Stale;
                self.cause = cause;
            }
        }
        self
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
        let rule = |limits_future| TimeRule {
            source: crate::scheme::TimeSource::Pair("t"),
            tolerance_seconds: Some(300),
            limits_future,
        };
        let aged = |age, limits_future| {
            let verdict = Verdict { age_seconds: Some(age), ..stripe(Status::Valid, None) };
            verdict.aged(&rule(limits_future)).cause
        };
        assert_eq!(aged(300, true), None);
        assert_eq!(aged(301, true), Some(Cause::TooOld));
        assert_eq!(aged(-300, true), None);
        assert_eq!(aged(-301, true), Some(Cause::TooNew));
        assert_eq!(aged(i64::MIN, false), None);
    }
}
