//! Mailgun signs a time and a token; the event beside them is not covered.
//!
//! <https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks>

use std::borrow::Cow;

use crate::scheme::Given;
use crate::scope::Scope;

/// From the JSON of today's webhooks, or the form of older ones.
pub(crate) fn timestamp_and_token<'a>(scope: &'a Scope<'a>, _: Given<'a>) -> Cow<'a, [u8]> {
    let text = |json: &str, field: &str| {
        scope
            .json_text(json)
            .map(Cow::into_owned)
            .or_else(|| scope.field(field).map(ToOwned::to_owned))
            .unwrap_or_default()
    };
    let signed = text("signature.timestamp", "timestamp") + &text("signature.token", "token");
    Cow::Owned(signed.into_bytes())
}
