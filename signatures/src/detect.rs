//! Which scheme a request is signed with.

use crate::request::{Fields, Request};
use crate::scheme::{Scheme, schemes};

/// The scheme of a request, told by its headers alone; `None` if no known provider sent it.
///
/// A request whose signature is missing but whose other headers give the provider away is named too, with the
/// scheme that the provider would have used.
pub fn detect(request: &Request<'_>) -> Option<&'static Scheme> {
    detect_in(&request.fields())
}

pub(crate) fn detect_in(fields: &Fields<'_>) -> Option<&'static Scheme> {
    let signed = |scheme: &&Scheme| {
        fields.has(scheme.header)
            && scheme.detection.with.iter().all(|name| fields.has(name))
            && not_a_copy(scheme, fields)
    };
    let announced =
        |scheme: &&Scheme| scheme.detection.alone.iter().any(|name| fields.has(name)) && not_a_copy(scheme, fields);
    schemes().iter().find(signed).or_else(|| schemes().iter().find(announced))
}

fn not_a_copy(scheme: &Scheme, fields: &Fields<'_>) -> bool {
    !scheme.detection.without.iter().any(|name| fields.has(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(names: &[&str]) -> Option<&'static str> {
        let headers: Vec<_> = names.iter().map(|name| (*name, "x")).collect();
        let request = Request { method: b"POST", target: b"/", headers: &headers };
        detect(&request).map(|scheme| scheme.id)
    }

    #[test]
    fn a_signature_header_tells_the_scheme() {
        assert_eq!(detected(&["X-RAZORPAY-SIGNATURE"]), Some("razorpay.webhook"));
        assert_eq!(detected(&["stripe-signature"]), Some("stripe.v1"));
        assert_eq!(detected(&["x-hub-signature", "x-github-event"]), Some("github.sha1"));
        assert_eq!(detected(&["x-hub-signature", "x-hub-signature-256", "x-github-event"]), Some("github.sha256"));
    }

    #[test]
    fn lookalikes_are_not_github() {
        for event in ["x-gitea-event", "x-gogs-event", "x-forgejo-event"] {
            assert_eq!(detected(&["x-hub-signature-256", "x-github-event", event]), None, "{event}");
            assert_eq!(detected(&["x-github-event", event]), None, "{event}");
        }
        // Meta, Intercom, Bitbucket and Jira send these without GitHub's event header.
        assert_eq!(detected(&["x-hub-signature-256"]), None);
        assert_eq!(detected(&["x-hub-signature", "x-event-key"]), None);
    }

    #[test]
    fn a_companion_header_tells_the_provider() {
        assert_eq!(detected(&["x-razorpay-event-id"]), Some("razorpay.webhook"));
        assert_eq!(detected(&["x-github-event"]), Some("github.sha256"));
        assert_eq!(detected(&["content-type", "user-agent"]), None);
    }
}
