//! Which event a request tells of.

use crate::detect::detect_in;
use crate::json;
use crate::provider::Provider;
use crate::request::Request;
use crate::scheme::{Place, Scheme};
use crate::scope::Scope;

/// The longest name or id that is believed, in bytes. Real ones stay below 100; a longer text is something else, and
/// showing part of it would be a lie.
const TEXT_LIMIT: usize = 255;

/// Which event a request tells of, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Who sent it.
    pub provider: Option<Provider>,
    /// The provider's name for it, such as `payment.captured` or `pull_request.opened`.
    pub name: Option<String>,
    /// The id that stays the same over redeliveries.
    pub id: Option<String>,
}

/// Reads the event from the headers and the beginning of the body, which counts as far as it came.
/// The texts are the sender's: they may hold any character and prove nothing before the signature is checked.
pub fn event(request: &Request<'_>, body_prefix: &[u8]) -> Event {
    let scope = Scope::new(request, body_prefix);
    let Some(scheme) = detect_in(&scope) else {
        return Event::default();
    };
    event_of(scheme, &scope)
}

/// The same, under a scheme that is known.
pub(crate) fn event_of(scheme: &Scheme, scope: &Scope<'_>) -> Event {
    let mut parts = scheme.event.name.iter().map(|place| read(*place, scope));
    // Without its first part the rest would be taken for the whole.
    let name = parts.next().flatten().map(|first| parts.flatten().fold(first, |name, part| format!("{name}.{part}")));
    Event { provider: Some(scheme.provider), name, id: scheme.event.id.and_then(|place| read(place, scope)) }
}

fn read(place: Place, scope: &Scope<'_>) -> Option<String> {
    match place {
        Place::Json(path) => json::find(scope.body, path).filter(|text| text.len() <= TEXT_LIMIT),
        _ => scope.value(place).as_deref().and_then(header_text),
    }
}

fn header_text(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    (text.len() <= TEXT_LIMIT).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)], body: &str) -> (Option<String>, Option<String>) {
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let event = event(&request, body.as_bytes());
        (event.name, event.id)
    }

    fn found(name: &str, id: &str) -> (Option<String>, Option<String>) {
        (Some(name.to_owned()), Some(id.to_owned()))
    }

    const RAZORPAY: (&str, &str) = ("X-Razorpay-Signature", "00");
    const STRIPE: (&str, &str) = ("Stripe-Signature", "t=1,v1=00");
    const GITHUB: &[(&str, &str)] = &[("X-GitHub-Event", "pull_request"), ("X-GitHub-Delivery", "72d3162e")];

    #[test]
    fn each_provider_by_its_own_places() {
        assert_eq!(
            read(&[RAZORPAY, ("x-razorpay-event-id", "evt_9")], r#"{"entity":"event","event":"payment.captured"}"#),
            found("payment.captured", "evt_9")
        );
        let body = r#"{"id":"evt_1","object":"event","data":{"object":{"id":"pi_1","type":"x"}},"type":"charge\u002erefunded"}"#;
        assert_eq!(read(&[STRIPE], body), found("charge.refunded", "evt_1"));
        assert_eq!(read(GITHUB, r#"{"action":"opened","number":1}"#), found("pull_request.opened", "72d3162e"));
        assert_eq!(read(GITHUB, "payload=%7B%7D"), found("pull_request", "72d3162e"));
        assert_eq!(read(&[("content-type", "x")], r#"{"event":"a"}"#), (None, None));
    }

    #[test]
    fn a_cut_body_gives_what_came_before_the_cut() {
        assert_eq!(read(&[STRIPE], r#"{"id":"evt_1","type":"charge.re"#), (None, Some("evt_1".into())));
        assert_eq!(read(&[STRIPE], r#"{"id":"evt_1","type":"charge""#), found("charge", "evt_1"));
    }

    #[test]
    fn nested_keys_and_endless_texts_do_not_count() {
        assert_eq!(read(&[STRIPE], r#"{"data":{"id":"no","type":"no"},"id":7}"#), (None, Some("7".into())));
        let long = "x".repeat(TEXT_LIMIT);
        assert_eq!(read(&[RAZORPAY, ("x-razorpay-event-id", &format!("{long}x"))], "{}"), (None, None));
        assert_eq!(read(&[STRIPE], &format!(r#"{{"id":"{long}x"}}"#)), (None, None));
    }
}
