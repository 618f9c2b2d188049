//! PayPal signs a checksum of the body, and says where its certificate is.
//!
//! <https://developer.paypal.com/api/rest/webhooks/rest/#verify-event-notifications>

use std::borrow::Cow;

use crate::cause::Cause;
use crate::scheme::Given;
use crate::scope::Scope;

/// The CRC-32 of the body as a decimal number. It is no hash: who can choose the body can keep its checksum.
pub(crate) fn checksum<'a>(scope: &'a Scope<'a>, _: Given<'a>) -> Cow<'a, [u8]> {
    Cow::Owned(crc32fast::hash(scope.body).to_string().into_bytes())
}

/// A certificate from elsewhere is how forged webhooks would be made to fit.
pub(crate) fn refusal(scope: &Scope<'_>) -> Option<Cause> {
    let is_own = scope.headers.first("paypal-cert-url").is_none_or(is_paypal);
    (!is_own).then_some(Cause::MalformedSignature)
}

fn is_paypal(url: &[u8]) -> bool {
    let behind = url.trim_ascii().strip_prefix(b"https://").unwrap_or_default();
    let host = behind.split(|byte| *byte == b'/').next().unwrap_or_default().to_ascii_lowercase();
    host == b"paypal.com" || host.ends_with(b".paypal.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paypal_s_own_hosts_count() {
        assert!(is_paypal(b"https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"));
        for url in
            ["http://api.paypal.com/", "https://paypal.com.evil.example/", "https://evil.example/.paypal.com", ""]
        {
            assert!(!is_paypal(url.as_bytes()), "{url}");
        }
    }
}
