//! The providers whose ways no row of data can say: each in a file of its own.

pub(crate) mod adyen;
pub(crate) mod braintree;
pub(crate) mod cashfree;
pub(crate) mod contentful;
pub(crate) mod dlocal;
pub(crate) mod gitea;
pub(crate) mod jws;
pub(crate) mod mailgun;
pub(crate) mod mercadopago;
pub(crate) mod paypal;
pub(crate) mod paytm;
pub(crate) mod razorpay;
pub(crate) mod twilio;

use std::borrow::Cow;

use crate::cause::Cause;
use crate::claims::signature_values;
use crate::scheme::Scheme;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::verdict::{Status, Verdict};

/// Checks a whole request in the provider's own way.
pub type OwnCheck = fn(&Case<'_>) -> Verdict;

/// What a check of its own may look at.
pub struct Case<'a> {
    pub(crate) scheme: &'a Scheme,
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) secrets: &'a [&'a Secret],
    pub(crate) now: i64,
}

/// What a check of its own found: the secret that fits, or the cause.
pub(crate) type Found<'a> = Result<&'a Secret, Cause>;

impl Case<'_> {
    /// The verdict of what a check finds, given the texts that carry the signature. The usual outcomes that come before
    /// it, a missing signature and missing secrets, are told here.
    pub(crate) fn verdict<'c>(&'c self, check: impl Fn(&'c Self, &[Cow<'_, [u8]>]) -> Found<'c>) -> Verdict {
        self.aged(|case, values| check(case, values).map(|secret| (secret, None)))
    }

    /// As [`verdict`](Self::verdict), with the time that the check has found in what was signed.
    pub(crate) fn aged<'c>(
        &'c self,
        check: impl Fn(&'c Self, &[Cow<'_, [u8]>]) -> Result<(&'c Secret, Option<Timestamp>), Cause>,
    ) -> Verdict {
        let under = |status, cause| Verdict::under(self.scheme, status, cause);
        let values = match signature_values(self.scheme, self.scope) {
            Ok(values) => values,
            Err(Cause::MissingSignature) if self.secrets.is_empty() => {
                return under(Status::Unsigned, Some(Cause::MissingSignature));
            }
            Err(cause) => return under(Status::Invalid, Some(cause)),
        };
        if self.secrets.is_empty() {
            return under(Status::NoSecret, None);
        }
        let texts: Vec<_> = values.into_iter().map(|(text, _)| text).collect();
        match check(self, &texts) {
            Err(cause) => under(Status::Invalid, Some(cause)),
            Ok((secret, timestamp)) => {
                let verdict = Verdict { secret: Some(secret.name().to_owned()), ..under(Status::Valid, None) };
                match (&self.scheme.time, timestamp) {
                    (Some(rule), Some(timestamp)) => {
                        let age = timestamp.age_millis(self.now);
                        let age_seconds = age.map(|age| age.div_euclid(1_000));
                        Verdict { age_seconds, ..verdict }.aged(rule, &timestamp, self.now, self.scheme.quirks)
                    }
                    _ => verdict,
                }
            }
        }
    }
}
