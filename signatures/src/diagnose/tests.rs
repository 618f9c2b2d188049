//! Every supposition from the outside: sign one thing, receive another, ask why.

use super::*;
use crate::secret::Secret;
use crate::sign::{SignInput, sign};
use crate::verifier::Verifier;

const NOW: i64 = 1_700_000_000;
const KEY: &str = "key_of_the_test";

/// A request on its way from the signer to the check, to be spoilt.
struct Delivery {
    scheme: &'static Scheme,
    secrets: Secrets,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Delivery {
    /// Signed by `scheme` with `secret`, which nobody knows yet.
    fn signed(scheme: &str, secret: &str, body: impl Into<Vec<u8>>) -> Self {
        let scheme = Scheme::with_id(scheme).unwrap();
        let body = body.into();
        let secret = Secret::new("signer", secret);
        let url = "https://example.com/hooks?a=1".to_owned();
        let input = SignInput { url: &url, ..SignInput::new(&secret, &body, NOW) };
        let signed = sign(scheme, &input).unwrap();
        let body = signed.body.unwrap_or(body);
        Self { scheme, secrets: Secrets::default(), method: "POST".to_owned(), url, headers: signed.headers, body }
    }

    /// Signed by `scheme` with the secret that is known as well.
    fn usual(scheme: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::signed(scheme, KEY, body).known("env:OWN", KEY)
    }

    fn known(mut self, name: &str, value: &str) -> Self {
        self.secrets.add(self.scheme.provider, Secret::new(name, value));
        self
    }

    fn received(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn diagnosed(&self) -> Diagnosis {
        let urls = [self.url.as_str()];
        let request =
            Request { method: self.method.as_bytes(), target: b"/hooks?a=1", headers: &self.headers, urls: &urls };
        let mut verifier = Verifier::start_with(self.scheme, &request, &self.secrets, NOW);
        verifier.update(&self.body);
        let verdict = verifier.finish();
        let diagnosis = diagnose(&request, &self.body, &self.secrets, verdict.clone(), NOW);
        assert_eq!(diagnosis.verdict.status, verdict.status, "a diagnosis never changes the status");
        let shown =
            format!("{diagnosis:?} {}", diagnosis.evidence.as_ref().map(ToString::to_string).unwrap_or_default());
        for (_, secret) in self.secrets.iter() {
            let value = std::str::from_utf8(secret.value()).unwrap().trim();
            assert!(value.len() < 8 || !shown.contains(value), "a secret is told: {shown}");
        }
        diagnosis
    }

    fn cause(&self) -> Option<Cause> {
        self.diagnosed().verdict.cause
    }
}

fn body_cause(signed: &[u8], received: &[u8]) -> Option<Cause> {
    Delivery::usual("razorpay.webhook", signed).received(received).cause()
}

#[test]
fn newlines() {
    let pairs: [(&[u8], &[u8]); 8] = [
        (b"{}", b"{}\n"),
        (b"{}", b"{}\r\n"),
        (b"{}\n", b"{}"),
        (b"{}\r\n", b"{}"),
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\nb", b"a\r\nb"),
        (b"a", b"\na\n\n"),
        (b"", b"\n"),
    ];
    for (signed, received) in pairs {
        assert_eq!(body_cause(signed, received), Some(Cause::BodyNewline), "{signed:?} {received:?}");
    }
    assert_eq!(body_cause(b"a", b"a "), Some(Cause::BodyChanged));
}

/// Each of these bodies becomes each of the others by spelling alone.
#[test]
fn json_written_again() {
    let spellings = [
        r#"{"url":"a\/b","who":"Zo\u00eb","list":[1,2],"html":"<b>"}"#,
        r#"{"url":"a/b","who":"Zoë","list":[1,2],"html":"<b>"}"#,
        r#"{"url": "a/b", "who": "Zo\u00eb", "list": [1, 2], "html": "<b>"}"#,
        r#"{"url":"a/b","who":"Zo\u00EB","list":[1,2],"html":"<b>"}"#,
        "{\n  \"url\": \"a/b\",\n  \"who\": \"Zoë\",\n  \"list\": [\n    1,\n    2\n  ],\n  \"html\": \"<b>\"\n}",
        "{\n    \"url\": \"a\\/b\",\n    \"who\": \"Zo\\u00eb\",\n    \"list\": [\n        1,\n        2\n    ],\n    \"html\": \"<b>\"\n}",
    ];
    for signed in spellings {
        for received in spellings.into_iter().filter(|received| *received != signed) {
            let found = body_cause(signed.as_bytes(), received.as_bytes());
            assert_eq!(found, Some(Cause::BodyReserialized), "{signed} {received}");
        }
    }
    let go = br#"{"a":"\u003cb\u003e","b":1}"#;
    assert_eq!(body_cause(go, br#"{"a":"<b>","b":1}"#), Some(Cause::BodyReserialized));
    assert_eq!(body_cause(br#"{"a":1}"#, br#"{"a":2}"#), Some(Cause::NoMatch), "another value is nobody's spelling");
}

#[test]
fn keys_in_another_order() {
    for (signed, received) in [
        (r#"{"id":1,"amount":2}"#, r#"{"amount":2,"id":1}"#),
        (r#"{"e":5,"a":1,"d":4,"c":3,"b":2}"#, r#"{"a":1,"b":2,"c":3,"d":4,"e":5}"#),
        (r#"{"a":{"b":1,"c":2},"d":3}"#, r#"{"d":3,"a":{"c":2,"b":1}}"#),
        (
            r#"{"b": 1, "aa": 2, "ccc": 3, "dddd": 4, "e": 5, "f": 6}"#,
            r#"{"b": 1, "e": 5, "f": 6, "aa": 2, "ccc": 3, "dddd": 4}"#,
        ),
    ] {
        let found = body_cause(signed.as_bytes(), received.as_bytes());
        // Six keys and no order that a program keeps: too many to try all.
        let expected = if signed.contains("\"f\"") { Cause::NoMatch } else { Cause::BodyKeyOrder };
        assert_eq!(found, Some(expected), "{signed}");
    }
}

#[test]
fn numbers_without_their_decimals() {
    for (signed, received) in [
        (r#"{"amount":170.00}"#, r#"{"amount":170}"#),
        (r#"{"id":7,"order_amount":2.50,"n":3}"#, r#"{"id":7,"order_amount":2.5,"n":3}"#),
        (r#"{"id":7,"x":2.0,"n":3}"#, r#"{"id":7,"x":2,"n":3}"#),
    ] {
        assert_eq!(body_cause(signed.as_bytes(), received.as_bytes()), Some(Cause::BodyReserialized), "{signed}");
    }
}

#[test]
fn evidence_shows_where() {
    let delivery = Delivery::usual("razorpay.webhook", r#"{"u":"a\/b"}"#).received(r#"{"u":"a/b"}"#);
    let evidence = delivery.diagnosed().evidence.unwrap();
    let shown = r"with its slashes escaped as `\/`, the body fits; at byte 7 came `/` where `\/` was signed";
    assert_eq!(evidence.to_string(), shown);
    let delivery = Delivery::usual("razorpay.webhook", "{}").received("{}\n");
    let shown = r"without the line feed at its end, the body fits; `\n` at byte 2 was not signed";
    assert_eq!(delivery.diagnosed().evidence.unwrap().to_string(), shown);
}

#[test]
fn in_words_it_is_the_evidence_or_what_was_tried() {
    let words = |signed: &str, received: &str| {
        Delivery::usual("razorpay.webhook", signed).received(received).diagnosed().in_words()
    };
    assert!(words("{}", "{}\n").unwrap().starts_with("without the line feed"));
    assert_eq!(words("{}", "{}"), None, "valid");
    let tried = words("{}", "another").unwrap();
    assert!(tried.starts_with("tried in ") && tried.contains(" ways: ") && tried.contains("; "), "{tried}");
    let long = "x".repeat(DIAGNOSIS_BODY_LIMIT + 1);
    assert_eq!(words("{}", &long).unwrap(), "nothing was tried: only bodies up to 1 MiB are looked into");
    let fewer = words("{}", &format!("[{}1]", "1, ".repeat(300_000))).unwrap();
    assert!(fewer.contains(" ways, fewer than with a shorter body: "), "{fewer}");
}

#[test]
fn wrapped_bodies() {
    let json = "{\"who\":\"Zoë’s\"}".as_bytes();
    let base64 = crate::rewrite::bytes::to_base64(json);
    let misread = crate::rewrite::bytes::from_latin_1(json).unwrap();
    let wide = crate::rewrite::bytes::to_utf_16(json).unwrap();
    let marked = [crate::rewrite::bytes::BYTE_ORDER_MARK, json].concat();
    let quoted = serde_json::to_vec(std::str::from_utf8(json).unwrap()).unwrap();
    for (signed, received) in [
        (json, &*base64),
        (json, &*misread),
        (&*misread, json),
        (json, &*wide),
        (json, &*marked),
        (&*marked, json),
        (json, &*quoted),
    ] {
        assert_eq!(body_cause(signed, received), Some(Cause::BodyEncoding), "{}", String::from_utf8_lossy(received));
    }
    for value in ["{}", "null"] {
        assert_eq!(body_cause(b"", value.as_bytes()), Some(Cause::BodyChanged), "{value}");
        assert_eq!(body_cause(value.as_bytes(), b""), Some(Cause::BodyChanged), "{value}");
    }
}

#[test]
fn a_part_of_the_body() {
    let body = r#"{"id":"x","payload":{"a": 1},"text":"some \"text\""}"#;
    for part in [r#"{"a": 1}"#, r#"some "text""#] {
        assert_eq!(body_cause(part.as_bytes(), body.as_bytes()), Some(Cause::WrongContent), "{part}");
    }
    let form = "payload=%7B%22a%22%3A1%7D&x=1";
    assert_eq!(body_cause(br#"{"a":1}"#, form.as_bytes()), Some(Cause::WrongContent));
}

#[test]
fn forms() {
    for (signed, received) in
        [("a=b+c&d=", "a=b%20c&d="), ("a=b%20c&x=~", "a=b+c&x=%7E"), ("b=1&a=2&c=3&d=4&e=5", "a=2&b=1&c=3&d=4&e=5")]
    {
        let found = body_cause(signed.as_bytes(), received.as_bytes());
        let expected = if signed.starts_with("b=1") { Cause::NoMatch } else { Cause::BodyReserialized };
        assert_eq!(found, Some(expected), "{signed}");
    }
    assert_eq!(body_cause(b"a=1&b=2", b"a=1&b=2&_method=POST"), Some(Cause::BodyChanged));
}

#[test]
fn secrets() {
    for (signer, known, cause) in [
        (KEY, "key_of_the_test\n", Cause::SecretWhitespace),
        (KEY, " 'key_of_the_test'", Cause::SecretWhitespace),
        (KEY, "RAZORPAY_WEBHOOK_SECRET=key_of_the_test", Cause::SecretWhitespace),
        ("key_of_the_test\n", KEY, Cause::SecretWhitespace),
        ("key", "a2V5", Cause::SecretEncoding),
        ("key", "6b6579", Cause::SecretEncoding),
        ("a2V5", "whsec_a2V5", Cause::SecretEncoding),
        ("whsec_a2V5", "a2V5", Cause::SecretEncoding),
        ("undefined", KEY, Cause::WrongSecret),
        (KEY, "quite_another", Cause::NoMatch),
        (KEY, "rzp_test_1234567", Cause::WrongSecret),
    ] {
        let found = Delivery::signed("razorpay.webhook", signer, "{}").known("env:OWN", known).diagnosed();
        assert_eq!(found.verdict.cause, Some(cause), "{signer:?} {known:?}");
        // The secret that is configured is not the wrong one that signed.
        let name = (!matches!(cause, Cause::NoMatch | Cause::WrongSecret)).then_some("env:OWN");
        assert_eq!(found.verdict.secret.as_deref(), name, "{signer:?} {known:?}");
        assert_eq!(found.evidence.is_some(), cause != Cause::NoMatch);
    }
}

#[test]
fn another_known_secret() {
    let mut delivery = Delivery::signed("razorpay.webhook", KEY, "{}").known("env:OWN", "quite_another");
    delivery.secrets.add(crate::Provider::Stripe, Secret::new("env:STRIPE", KEY));
    let found = delivery.diagnosed();
    assert_eq!(found.verdict.cause, Some(Cause::WrongSecret));
    assert_eq!(found.verdict.secret.as_deref(), Some("env:STRIPE"));
    assert_eq!(found.evidence.unwrap().what, "the secret `env:STRIPE` of Stripe fits");
}

#[test]
fn urls_and_methods() {
    for (url, cause) in [
        ("http://example.com/hooks?a=1", Cause::UrlMismatch),
        ("https://example.com/hooks/?a=1", Cause::UrlMismatch),
        ("https://example.com/hooks?a=1&x=2", Cause::UrlMismatch),
        ("https://example.com:8443/hooks?a=1", Cause::UrlMismatch),
        ("https://example.org/elsewhere", Cause::NoMatch),
    ] {
        let mut delivery = Delivery::usual("square.v1", "{}");
        delivery.url = url.to_owned();
        assert_eq!(delivery.cause(), Some(cause), "{url}");
    }
    let mut delivery = Delivery::usual("hubspot.v3", "{}");
    delivery.method = "PUT".to_owned();
    assert_eq!(delivery.cause(), Some(Cause::MethodMismatch));
}

#[test]
fn times_and_headers() {
    let mut delivery = Delivery::usual("slack.v0", "{}");
    for (name, value) in &mut delivery.headers {
        if name.eq_ignore_ascii_case("x-slack-request-timestamp") {
            value.push_str("000");
        }
    }
    assert_eq!(delivery.cause(), Some(Cause::TimestampUnit));
    let mut delivery = Delivery::usual("razorpay.webhook", "{}");
    let right = delivery.headers[0].1.clone();
    delivery.headers[0].1 = "0".repeat(right.len());
    delivery.headers.push(("x-webhook-signature".to_owned(), right));
    assert_eq!(delivery.cause(), Some(Cause::WrongHeader));
}

/// A signature made by one scheme's rule and sent by another's.
#[test]
fn other_ways_of_signing() {
    let spliced = |from: &str, to: &str| {
        let other = Delivery::signed(from, KEY, "{}");
        let mut delivery = Delivery::usual(to, "{}");
        let tag = |headers: &[(String, String)]| headers[0].1.rsplit('=').next().unwrap().to_owned();
        let (right, wrong) = (tag(&delivery.headers), tag(&other.headers));
        delivery.headers[0].1 = delivery.headers[0].1.replace(&right, &wrong);
        delivery.cause()
    };
    assert_eq!(spliced("razorpay.webhook", "stripe.v1"), Some(Cause::WrongContent));
    assert_eq!(spliced("paystack.v1", "razorpay.webhook"), Some(Cause::WrongAlgorithm));
    assert_eq!(spliced("github.sha1", "github.sha256"), Some(Cause::WrongAlgorithm));
}

#[test]
fn what_is_decided_is_left_alone() {
    let valid = Delivery::usual("razorpay.webhook", "{}").diagnosed();
    assert_eq!((valid.verdict.status, valid.trials, valid.tried.len()), (Status::Valid, 0, 0));
    let long = vec![b' '; DIAGNOSIS_BODY_LIMIT + 1];
    let found = Delivery::usual("razorpay.webhook", &long[1..]).received(long).diagnosed();
    assert_eq!((found.verdict.cause, found.is_complete), (Some(Cause::NoMatch), false));
}

#[test]
fn work_is_bounded() {
    let member = |index: usize| format!("\"k{index}\":{{\"b\":\"<\\/\\u00eb ü\",\"a\":1.0,\"a\":{{}}}}");
    let members: Vec<_> = (0..20_000).map(member).collect();
    let body = format!("{{{}}}", members.join(","));
    assert!(body.len() < DIAGNOSIS_BODY_LIMIT);
    let mut delivery = Delivery::usual("razorpay.webhook", body);
    delivery.secrets = Secrets::default();
    let found = delivery.known("env:OWN", "quite_another").diagnosed();
    assert_eq!((found.verdict.cause, found.is_complete), (Some(Cause::NoMatch), false));
    assert!(found.trials > 20, "{}", found.trials);
}

#[test]
fn a_signed_hash_tells_how_the_body_changed() {
    let delivery = Delivery::usual("netlify.jws", r#"{"a":1}"#).received(r#"{"a": 1}"#);
    let found = delivery.diagnosed();
    assert_eq!(found.verdict.cause, Some(Cause::BodyChanged));
    assert!(found.evidence.unwrap().what.starts_with("without spaces"));
    let found = Delivery::usual("netlify.jws", r#"{"a":1}"#).received(r#"{"a":2}"#).diagnosed();
    assert_eq!((found.verdict.cause, found.evidence), (Some(Cause::BodyChanged), None));
}
