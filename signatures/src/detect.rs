//! Which scheme a request is signed with.

use std::sync::LazyLock;

use crate::form;
use crate::json;
use crate::request::Request;
use crate::scheme::{Place, Quirk, Scheme, schemes};
use crate::scope::Scope;
use crate::secret::Secrets;

/// The scheme of a request, told by its headers and its target; `None` if no known provider sent it.
///
/// A request whose signature is missing but whose other headers give the provider away is named too, with the
/// scheme that the provider would have used. Where schemes look alike, the most general one is named.
pub fn detect(request: &Request<'_>) -> Option<&'static Scheme> {
    fitting(&Scope::new(request, b""), None).first().copied()
}

/// As [`detect`], with the beginning of the body, which tells lookalikes apart and holds some providers' signatures.
pub(crate) fn detect_with(request: &Request<'_>, beginning: &[u8]) -> Option<&'static Scheme> {
    detect_in(&Scope::new(request, beginning))
}

/// The same, of a request whose scope has the beginning of the body.
pub(crate) fn detect_in(scope: &Scope<'_>) -> Option<&'static Scheme> {
    let schemes = fitting(scope, None);
    let hinted = schemes.iter().find(|scheme| scheme.is_hinted(scope.body)).or(schemes.first());
    hinted.copied().or_else(|| by_body(scope, &Secrets::default()).first().copied())
}

/// What the head of a request tells.
pub(crate) enum Detected {
    /// Never empty. Several look alike; each has a secret that is known, unless none has.
    Schemes(Vec<&'static Scheme>),
    /// The signature may be in the body.
    InBody,
    /// Nobody known.
    None,
}

/// Beside it the scheme that [`detect`] would name, whatever stands in the body, where that is clear already.
pub(crate) fn by_head(scope: &Scope<'_>, secrets: Option<&Secrets>) -> (Detected, Option<&'static Scheme>) {
    let mut schemes = fitting(scope, secrets);
    let only = match schemes.as_slice() {
        [] => {
            let may_be_in_body = secrets.is_some_and(|secrets| may_be_in_body(scope, secrets));
            return (if may_be_in_body { Detected::InBody } else { Detected::None }, None);
        }
        [only] if !only.detection.needs_secret => Some(*only),
        _ => None,
    };
    let is_known = |scheme: &&'static Scheme| secrets.is_some_and(|secrets| secrets.has(scheme.provider, scheme.kind));
    if schemes.iter().any(is_known) {
        schemes.retain(is_known);
    } else {
        schemes.truncate(1);
    }
    (Detected::Schemes(schemes), only)
}

/// The schemes whose signature is in the body of this request.
pub(crate) fn by_body(scope: &Scope<'_>, secrets: &Secrets) -> Vec<&'static Scheme> {
    let fits = |scheme: &&'static Scheme| {
        let is_there = |place: &Place| {
            let is_whole = || scheme.detection.fields.iter().all(|name| scope.field(name).is_some());
            match place {
                Place::Field(_) => is_whole() && scope.value(*place).is_some_and(|text| !text.is_empty()),
                Place::Json(_) => scope.value(*place).is_some_and(|text| !text.is_empty()),
                _ => false,
            }
        };
        scheme.signature.iter().any(is_there)
            && (!scheme.detection.needs_secret || secrets.has(scheme.provider, scheme.kind))
            && !scheme.has(Quirk::IsHandshake)
    };
    schemes().iter().filter(fits).collect()
}

/// Forms are short and may be callbacks; JSON is kept only for somebody who signs inside of it.
fn may_be_in_body(scope: &Scope<'_>, secrets: &Secrets) -> bool {
    if scope.headers.first("content-type").is_some_and(form::is_content_type) {
        return true;
    }
    let signs_inside = |scheme: &&Scheme| {
        scheme.signature.iter().any(|place| matches!(place, Place::Json(_)))
            && secrets.has(scheme.provider, scheme.kind)
    };
    scope.method != b"GET" && scope.method != b"HEAD" && schemes().iter().any(|scheme| signs_inside(&scheme))
}

/// Every scheme that the head of the request fits, in the order of the table.
fn fitting(scope: &Scope<'_>, secrets: Option<&Secrets>) -> Vec<&'static Scheme> {
    let mut marked: Vec<usize> = Vec::new();
    let marks = &*MARKS;
    for (name, _) in scope.headers.iter() {
        marked.extend(marks.of(name));
    }
    if scope.target.contains(&b'?') || scope.urls.iter().any(|url| url.contains('?')) {
        marked.extend(IN_QUERY.iter().filter(|index| {
            let fields = schemes()[**index].detection.fields;
            fields.iter().all(|name| scope.query().value(name).is_some())
        }));
    }
    marked.sort_unstable();
    marked.dedup();
    let marked = || marked.iter().map(|index| &schemes()[*index]);
    let signed: Vec<_> = marked().filter(|scheme| scheme.is_signed(scope) && scheme.fits(scope, secrets)).collect();
    if !signed.is_empty() {
        return signed;
    }
    let announced = |scheme: &&Scheme| {
        scheme.detection.alone.iter().any(|name| scope.headers.has(name)) && scheme.fits(scope, secrets)
    };
    marked().filter(announced).collect()
}

impl Scheme {
    /// Whether the signature is there, with the headers that must come with it.
    fn is_signed(&self, scope: &Scope<'_>) -> bool {
        let Some(value) = self.signature.iter().find_map(|place| scope.value(*place)) else { return false };
        let mark = self.detection.contains.as_bytes();
        (mark.is_empty() || memchr::memmem::find(&value, mark).is_some())
            && self.detection.with.iter().all(|name| scope.headers.has(name))
    }

    /// Whether no lookalike sent it.
    fn fits(&self, scope: &Scope<'_>, secrets: Option<&Secrets>) -> bool {
        let detection = &self.detection;
        let is_known = || secrets.is_some_and(|secrets| secrets.has(self.provider, self.kind));
        !detection.without.iter().any(|name| scope.headers.has(name))
            && detection.values.iter().all(|(name, value)| scope.headers.has_value(name, value))
            && (!detection.needs_secret || is_known())
    }

    fn is_hinted(&self, beginning: &[u8]) -> bool {
        self.detection.hint.is_some_and(|(place, start)| match place {
            Place::Json(path) => json::find(beginning, path).is_some_and(|text| text.starts_with(start)),
            _ => false,
        })
    }

    /// The headers that can carry the signature.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &'static str> {
        self.signature.iter().flat_map(|place| match place {
            Place::Header(name) => vec![*name],
            Place::AnyHeader(names) => names.to_vec(),
            _ => Vec::new(),
        })
    }
}

/// A header and the schemes that it may tell of, by their index in the table.
struct Mark {
    header: String,
    schemes: Vec<usize>,
}

/// Every header that tells of a scheme. A request is compared with these few instead of with every scheme.
struct Marks {
    /// By their lengths, and then as bytes.
    sorted: Vec<Mark>,
    /// For each length the last letters of the names that have it: nearly every other header ends differently, and costs no search.
    ends: Vec<u32>,
}

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks::of_table(schemes()));

impl Marks {
    fn of_table(schemes: &[Scheme]) -> Self {
        let mut pairs: Vec<(String, usize)> = Vec::new();
        for (index, scheme) in schemes.iter().enumerate() {
            let numbered = scheme.signature.iter().filter_map(|place| match place {
                Place::NumberedHeaders(prefix) => Some(format!("{prefix}1")),
                _ => None,
            });
            let names = scheme.header_names().chain(scheme.detection.alone.iter().copied()).map(ToOwned::to_owned);
            pairs.extend(names.chain(numbered).map(|name| (name.to_ascii_lowercase(), index)));
        }
        pairs.sort_by(|(one, at), (other, then)| compare(one.as_bytes(), other.as_bytes()).then(at.cmp(then)));
        let mut ends = vec![0; pairs.last().map_or(0, |(longest, _)| longest.len() + 1)];
        let mut sorted: Vec<Mark> = Vec::new();
        for (header, index) in pairs {
            ends[header.len()] |= end(header.as_bytes());
            match sorted.last_mut() {
                Some(mark) if mark.header == header => mark.schemes.push(index),
                _ => sorted.push(Mark { header, schemes: vec![index] }),
            }
        }
        Self { sorted, ends }
    }

    /// The schemes that a header of this name may tell of.
    fn of(&self, name: &[u8]) -> &[usize] {
        if self.ends.get(name.len()).is_none_or(|ends| ends & end(name) == 0) {
            return &[];
        }
        let found = self.sorted.binary_search_by(|mark| compare(mark.header.as_bytes(), name));
        found.map_or(&[], |at| &self.sorted[at].schemes)
    }
}

/// A bit for the last letter of a name, whatever its case; others than letters share the bits.
fn end(name: &[u8]) -> u32 {
    name.last().map_or(0, |byte| 1 << (byte & 31))
}

/// The schemes whose signature may come in the query.
static IN_QUERY: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let in_query = |(_, scheme): &(usize, &Scheme)| {
        scheme.signature.iter().all(|place| matches!(place, Place::Field(_) | Place::Query(_)))
            && !scheme.detection.needs_secret
            && !scheme.has(Quirk::IsHandshake)
    };
    schemes().iter().enumerate().filter(in_query).map(|(index, _)| index).collect()
});

/// Compares a lower-case name with one in any case: by their lengths, which nearly always decides, and then as bytes.
fn compare(lower: &[u8], name: &[u8]) -> std::cmp::Ordering {
    let lengths = lower.len().cmp(&name.len());
    lengths.then_with(|| lower.iter().copied().cmp(name.iter().map(u8::to_ascii_lowercase)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;
    use crate::secret::Secret;

    fn detected_with(headers: &[(&str, &str)], target: &str) -> Option<&'static str> {
        let request = Request { method: b"POST", target: target.as_bytes(), headers: &headers, urls: &[] };
        detect(&request).map(|scheme| scheme.id)
    }

    fn detected(names: &[&str]) -> Option<&'static str> {
        let headers: Vec<_> = names.iter().map(|name| (*name, "x")).collect();
        detected_with(&headers, "/")
    }

    #[test]
    fn a_signature_header_tells_the_scheme() {
        assert_eq!(detected(&["X-RAZORPAY-SIGNATURE"]), Some("razorpay.webhook"));
        assert_eq!(detected(&["stripe-signature"]), Some("stripe.v1"));
        assert_eq!(detected(&["x-hub-signature", "x-github-event"]), Some("github.sha1"));
        assert_eq!(detected(&["x-hub-signature", "x-hub-signature-256", "x-github-event"]), Some("github.sha256"));
        assert_eq!(detected(&["x-docusign-signature-1"]), Some("docusign.v1"));
    }

    #[test]
    fn every_header_of_the_table_is_found_in_any_case_and_no_other() {
        let marks = &*MARKS;
        assert!(marks.sorted.len() > 50);
        for mark in &marks.sorted {
            assert_eq!(marks.of(mark.header.as_bytes()), mark.schemes);
            assert_eq!(marks.of(mark.header.to_ascii_uppercase().as_bytes()), mark.schemes);
            for other in [format!("{}x", mark.header), format!("y{}", &mark.header[1..]), mark.header[1..].to_owned()] {
                let known = marks.sorted.iter().find(|mark| mark.header == other);
                assert_eq!(marks.of(other.as_bytes()), known.map_or(&[][..], |mark| &mark.schemes), "{other}");
            }
        }
        assert_eq!(marks.of(b""), [0_usize; 0]);
        assert_eq!(marks.of(&[b'e'; 1_000]), [0_usize; 0]);
    }

    #[test]
    fn lookalikes_are_told_apart() {
        for event in ["x-gitea-event", "x-gogs-event", "x-forgejo-event"] {
            let names = ["x-hub-signature-256", "x-github-event", "x-gitea-signature", event];
            assert_eq!(detected(&names), Some("gitea.sha256"), "{event}");
            assert_eq!(detected(&["x-github-event", event]), Some("gitea.sha256"), "{event}");
        }
        let hub = |value: &'static str, companion: &'static str| {
            detected_with(&[("x-hub-signature", value), (companion, "x")], "/")
        };
        assert_eq!(hub("sha256=aa", "x-event-key"), Some("bitbucket.sha256"));
        assert_eq!(hub("sha256=aa", "x-atlassian-webhook-identifier"), Some("jira.v1"));
        assert_eq!(hub("sha1=aa", "x-other"), Some("meta.sha1"));
        assert_eq!(hub("sha256=aa", "x-other"), None);
        assert_eq!(detected(&["x-hub-signature-256"]), Some("meta.sha256"));

        let signature = |value: &'static str, companion: &'static str| {
            detected_with(&[("X-Signature", value), (companion, "x")], "/")
        };
        assert_eq!(signature("ts=1,v1=aa", "x-request-id"), Some("mercadopago.v1"));
        assert_eq!(signature("aa", "x-event-name"), Some("lemonsqueezy.v1"));
        assert_eq!(signature("aa", "x-other"), None);

        let webhook = |companion: &'static str| detected(&["Webhook-Signature", companion]);
        assert_eq!(webhook("x-other"), Some("gocardless.v1"));
        let standard = [("webhook-signature", "v1,aa"), ("webhook-id", "x"), ("webhook-timestamp", "1")];
        assert_eq!(detected_with(&standard, "/"), Some("standardwebhooks.v1"));
        let gitlab = [&standard[..], &[("x-gitlab-event", "x")]].concat();
        assert_eq!(detected_with(&gitlab, "/"), Some("gitlab.signing"));

        let x_webhook = |value: &'static str, companion: &'static str| {
            detected_with(&[("x-webhook-signature", value), (companion, "1")], "/")
        };
        assert_eq!(x_webhook("aa", "x-webhook-timestamp"), Some("cashfree.v1"));
        assert_eq!(x_webhook("eyJh.eyJi.c", "x-other"), Some("netlify.jws"));
        assert_eq!(x_webhook("aa", "x-other"), None);
    }

    #[test]
    fn a_known_secret_decides_between_lookalikes() {
        let headers = [("webhook-signature", "v1,aa"), ("webhook-id", "x"), ("webhook-timestamp", "1")];
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let mut secrets = Secrets::default();
        let ids = |secrets: &Secrets| match by_head(&Scope::new(&request, b""), Some(secrets)).0 {
            Detected::Schemes(schemes) => schemes.iter().map(|scheme| scheme.id).collect(),
            _ => Vec::new(),
        };
        assert_eq!(ids(&secrets), ["standardwebhooks.v1"]);
        secrets.add(Provider::OpenAi, Secret::new("", "whsec_a2V5"));
        assert_eq!(ids(&secrets), ["openai.v1"]);
        secrets.add(Provider::Polar, Secret::new("", "key"));
        assert_eq!(ids(&secrets), ["openai.v1", "polar.v1"]);
    }

    #[test]
    fn a_companion_header_tells_the_provider() {
        assert_eq!(detected(&["x-razorpay-event-id"]), Some("razorpay.webhook"));
        assert_eq!(detected(&["x-github-event"]), Some("github.sha256"));
        assert_eq!(detected(&["content-type", "user-agent", "authorization"]), None);
    }

    #[test]
    fn callbacks_are_told_by_their_fields() {
        let target = "/callback?razorpay_order_id=o&razorpay_payment_id=p&razorpay_signature=s";
        assert_eq!(detected_with(&[], target), Some("razorpay.payment"));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let body = b"razorpay_payment_id=p&razorpay_subscription_id=s&razorpay_signature=x";
        assert_eq!(detect(&request).map(|scheme| scheme.id), None);
        assert_eq!(detect_with(&request, body).map(|scheme| scheme.id), Some("razorpay.subscription"));
        assert_eq!(detect_with(&request, b"a=b").map(|scheme| scheme.id), None);
    }

    #[test]
    fn the_body_names_the_provider_behind_a_common_scheme() {
        let headers = [("svix-signature", "v1,aa"), ("svix-id", "x"), ("svix-timestamp", "1")];
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let told = |body: &[u8]| detect_with(&request, body).map(|scheme| scheme.id);
        assert_eq!(told(br#"{"type":"email.sent"}"#), Some("resend.svix"));
        assert_eq!(told(br#"{"data":{},"object":"event"}"#), Some("clerk.svix"));
        assert_eq!(told(b"{}"), Some("svix.v1"));
    }
}
