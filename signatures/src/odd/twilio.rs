//! Twilio and Mailchimp Transactional sign the URL and the fields of the form.
//!
//! <https://www.twilio.com/docs/usage/security#validating-requests>,
//! <https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/#authenticating-webhook-requests>

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::cause::Cause;
use crate::scheme::Given;
use crate::scope::Scope;

/// The parameter that carries a hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

/// The fields of the form as `name` and `value`, sorted by name; of equal names each value once. A body that is no form is
/// covered only by a hash of it in the URL's query.
pub(crate) fn fields<'a>(scope: &'a Scope<'a>, _: Given<'a>) -> Cow<'a, [u8]> {
    if scope.query().value(BODY_HASH).is_some() {
        return Cow::default();
    }
    let mut fields = scope.form().sorted();
    fields.dedup();
    joined(&fields)
}

/// The hash in the query must be that of the body.
pub(crate) fn refusal(scope: &Scope<'_>) -> Option<Cause> {
    let claimed = scope.query().value(BODY_HASH)?;
    let is_right = claimed.eq_ignore_ascii_case(&hex::encode(Sha256::digest(scope.body)));
    (!is_right).then_some(Cause::BodyChanged)
}

/// The fields of the form as Mailchimp joins them.
pub(crate) fn all_fields<'a>(scope: &'a Scope<'a>, _: Given<'a>) -> Cow<'a, [u8]> {
    let mut fields: Vec<_> = scope.form().iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    joined(&fields)
}

fn joined<'a>(fields: &[(&str, &str)]) -> Cow<'a, [u8]> {
    Cow::Owned(fields.iter().flat_map(|(name, value)| name.bytes().chain(value.bytes())).collect())
}
