//! The outcomes that no vector covers: missing signatures, missing secrets, rotation, repeated headers.

use hookwire_signatures::{
    Cause, Provider, Request, Scheme, Secret, Secrets, SignInput, Status, Verdict, Verifier, challenge, detect, sign,
};

use crate::made::{Made, signable};

const BODY: &[u8] = br#"{"event":"payment.captured"}"#;
const NOW: i64 = 1_700_000_000;

fn secrets(known: &[(Provider, &str)]) -> Secrets {
    let mut secrets = Secrets::default();
    for (provider, value) in known {
        secrets.add(*provider, Secret::new(format!("env:{value}"), *value));
    }
    secrets
}

fn signed(id: &str, secret: &str) -> Vec<(String, String)> {
    let scheme = Scheme::with_id(id).unwrap();
    let companions = scheme.detection.with.iter().map(|name| ((*name).to_owned(), "push".to_owned()));
    let mut headers: Vec<_> = companions.collect();
    headers.extend(sign(scheme, &SignInput::new(&Secret::new("", secret), BODY, NOW)).unwrap().headers);
    headers
}

/// The verdict, and whether the body was needed for it.
fn judge(headers: &[(String, String)], secrets: &Secrets, now: i64) -> (Verdict, bool) {
    let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
    let mut verifier = Verifier::start(&request, secrets, now);
    let needed = verifier.needs_body();
    verifier.update(BODY);
    (verifier.finish(), needed)
}

fn outcome((verdict, _): (Verdict, bool)) -> (Status, Option<&'static str>, Option<Cause>) {
    (verdict.status, verdict.scheme, verdict.cause)
}

#[test]
fn without_a_secret_nothing_is_hashed() {
    let (verdict, needed) = judge(&signed("stripe.v1", "key"), &Secrets::default(), NOW);
    assert_eq!((verdict.status, verdict.scheme), (Status::NoSecret, Some("stripe.v1")));
    assert!(!needed);
    let (verdict, needed) = judge(&[], &secrets(&[(Provider::Stripe, "key")]), NOW);
    assert_eq!((verdict.status, verdict.scheme, verdict.cause), (Status::Unsigned, None, None));
    assert!(!needed);
}

#[test]
fn a_missing_signature_is_invalid_only_where_one_was_due() {
    for (header, provider, scheme) in [
        ("x-razorpay-event-id", Provider::Razorpay, "razorpay.webhook"),
        ("x-github-event", Provider::GitHub, "github.sha256"),
    ] {
        let headers = [(header.to_owned(), "x".to_owned())];
        let missing = Some(Cause::MissingSignature);
        let known = secrets(&[(provider, "key")]);
        assert_eq!(outcome(judge(&headers, &known, NOW)), (Status::Invalid, Some(scheme), missing));
        assert_eq!(outcome(judge(&headers, &Secrets::default(), NOW)), (Status::Unsigned, Some(scheme), missing));
    }
}

#[test]
fn every_secret_of_a_rotation_counts_and_is_named() {
    let known = secrets(&[(Provider::Stripe, "new"), (Provider::Stripe, "old"), (Provider::GitHub, "key")]);
    for value in ["new", "old"] {
        let (verdict, _) = judge(&signed("stripe.v1", value), &known, NOW);
        assert_eq!(verdict.status, Status::Valid);
        assert_eq!(verdict.secret, Some(format!("env:{value}")));
    }
    let (verdict, _) = judge(&signed("stripe.v1", "key"), &known, NOW);
    assert_eq!((verdict.status, verdict.secret), (Status::Invalid, None));
}

#[test]
fn an_empty_secret_verifies_nothing() {
    let known = secrets(&[(Provider::Razorpay, "")]);
    let (verdict, _) = judge(&signed("razorpay.webhook", ""), &known, NOW);
    assert_eq!(verdict.status, Status::NoSecret);
}

#[test]
fn age_is_told_and_judged() {
    let known = secrets(&[(Provider::Stripe, "key")]);
    for (age, status) in [(-3_600, Status::Valid), (0, Status::Valid), (300, Status::Valid), (301, Status::Stale)] {
        let (verdict, _) = judge(&signed("stripe.v1", "key"), &known, NOW + age);
        assert_eq!(verdict.status, status, "{age}");
        assert_eq!((verdict.age_seconds, verdict.tolerance_seconds), (Some(age), Some(300)));
    }
    let (verdict, _) = judge(&signed("stripe.v1", "wrong"), &known, NOW + 301);
    assert_eq!((verdict.status, verdict.cause), (Status::Invalid, Some(Cause::NoMatch)), "age comes second");
}

#[test]
fn a_repeated_signature_header_is_not_guessed_at() {
    let known = secrets(&[(Provider::Razorpay, "key")]);
    let mut headers = signed("razorpay.webhook", "key");
    headers.extend(signed("razorpay.webhook", "key"));
    let expected = (Status::Invalid, Some("razorpay.webhook"), Some(Cause::RepeatedHeader));
    assert_eq!(outcome(judge(&headers, &known, NOW)), expected);
}

#[test]
fn a_header_without_any_possible_signature_needs_no_body() {
    let known = secrets(&[(Provider::Razorpay, "key")]);
    let headers = [("X-Razorpay-Signature".to_owned(), "sdfafds".to_owned())];
    let (verdict, needed) = judge(&headers, &known, NOW);
    assert_eq!((verdict.status, verdict.cause), (Status::Invalid, Some(Cause::NoMatch)));
    assert!(!needed);
}

#[test]
fn a_verifier_can_cross_threads() {
    fn is_send<T: Send + 'static>() {}
    is_send::<Verifier>();
}

/// Not every row alone, but the whole way: detected, judged, and nobody else's.
#[test]
fn what_is_signed_is_recognised() {
    let mut unnamed = Vec::new();
    for scheme in signable() {
        let made = Made::new(scheme, "the key", b"content");
        let values = scheme.detection.values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let headers: Vec<_> = made.headers.iter().cloned().chain(values).collect();
        let urls = [made.url.as_str()];
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &urls };
        let mut secrets = Secrets::default();
        secrets.add(scheme.provider, crate::made::secret(scheme, "the key"));
        let mut verifier = Verifier::start(&request, &secrets, NOW);
        assert!(verifier.needs_body() || scheme.covers == hookwire_signatures::Coverage::Nothing, "{}", scheme.id);
        verifier.update(&made.body);
        let verdict = verifier.finish();
        if verdict.scheme != Some(scheme.id) || verdict.status != Status::Valid {
            unnamed.push((scheme.id, verdict.scheme, verdict.status, verdict.cause));
        }
    }
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

#[test]
fn lookalikes_with_secrets_of_both_are_told_by_what_fits() {
    for (signer, id) in [(Provider::Intercom, "intercom.v1"), (Provider::Meta, "meta.sha1")] {
        let known = secrets(&[(Provider::Meta, "meta"), (Provider::Intercom, "intercom")]);
        let headers = signed(id, signer.name());
        let (verdict, _) = judge(&headers, &known, NOW);
        assert_eq!((verdict.status, verdict.scheme), (Status::Valid, Some(id)));
    }
}

#[test]
fn a_callback_is_judged_with_the_key_secret() {
    let target = b"/done?razorpay_payment_id=pay_B2&razorpay_order_id=order_A1\
        &razorpay_signature=bc69d53feb1f3fad4e513b55728a1021e6269b892c4dbca37a77d5c9fcca52eb";
    let no_headers: [(&str, &str); 0] = [];
    let request = Request { method: b"GET", target, headers: &no_headers, urls: &[] };
    let judged = |secret: Secret| {
        let mut known = Secrets::default();
        known.add(Provider::Razorpay, secret);
        let verdict = Verifier::start(&request, &known, NOW).finish();
        (verdict.status, verdict.scheme)
    };
    let key_secret = Secret::new("", "EnLs21M47BllR3X8PSFtjtbd");
    assert_eq!(judged(key_secret.clone().of_api()), (Status::Valid, Some("razorpay.payment")));
    // The webhook's secret is another one; that it has the same text here must not matter.
    assert_eq!(judged(key_secret), (Status::NoSecret, Some("razorpay.payment")));
    let webhook = Scheme::with_id("razorpay.webhook").unwrap();
    let mut known = Secrets::default();
    known.add(Provider::Razorpay, Secret::new("", "x").of_api());
    let headers = signed(webhook.id, "x");
    assert_eq!(judge(&headers, &known, NOW).0.status, Status::NoSecret);
}

#[test]
fn a_posted_callback_is_recognised_in_its_form() {
    let secret = Secret::new("key", "secret").of_api();
    let fields = ["razorpay_payment_id", "razorpay_subscription_id"].map(|name| (name.to_owned(), "x".to_owned()));
    let scheme = Scheme::with_id("razorpay.subscription").unwrap();
    let signed = sign(scheme, &SignInput { fields: &fields, ..SignInput::new(&secret, b"", NOW) }).unwrap();
    let request = Request { method: b"POST", target: b"/done", headers: &signed.headers, urls: &[] };
    let mut known = Secrets::default();
    known.add(Provider::Razorpay, secret);
    let body = signed.body.unwrap();
    assert_eq!(detect(&request).map(|scheme| scheme.id), None, "only the body tells");
    let mut verifier = Verifier::start(&request, &known, NOW);
    verifier.update(&body[..7]);
    verifier.update(&body[7..]);
    assert_eq!(outcome((verifier.finish(), true)), (Status::Valid, Some("razorpay.subscription"), None));
}

#[test]
fn handshakes_are_named_and_not_called_invalid() {
    let plain: &[(&str, &str)] = &[];
    let post = |headers: &[(&str, &str)], body: &str, known: &Secrets| {
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let mut verifier = Verifier::start(&request, known, NOW);
        verifier.update(body.as_bytes());
        let verdict = verifier.finish();
        (verdict.status, challenge(&request, body.as_bytes()).map(|challenge| challenge.provider))
    };
    let nothing = Secrets::default();
    let told = |provider| (Status::Challenge, Some(provider));
    assert_eq!(post(&[("X-Hook-Secret", "s")], "", &nothing), told(Provider::Asana));
    let zoom = &[("x-zm-signature", "v0=00"), ("x-zm-request-timestamp", "1")];
    let question = r#"{"payload":{"plainToken":"x"},"event":"endpoint.url_validation"}"#;
    assert_eq!(post(zoom, question, &nothing), told(Provider::Zoom));
    assert_eq!(post(zoom, r#"{"event":"meeting.started"}"#, &nothing), (Status::NoSecret, None));
    let wrong = secrets(&[(Provider::Zoom, "key")]);
    assert_eq!(post(zoom, question, &wrong), (Status::Invalid, Some(Provider::Zoom)), "a wrong signature stays wrong");
    let ping = &[("user-agent", "WooCommerce/9.0 Hookshot"), ("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(post(ping, "webhook_id=1", &nothing), told(Provider::WooCommerce));
    assert_eq!(post(plain, "", &nothing), (Status::Unsigned, None));
    let target = b"/?hub.mode=subscribe&hub.challenge=1&hub.verify_token=t";
    let request = Request { method: b"GET", target, headers: &plain, urls: &[] };
    assert_eq!(Verifier::start(&request, &nothing, NOW).finish().status, Status::Challenge);
}

#[test]
fn the_public_url_counts_and_not_the_one_that_arrived() {
    let scheme = Scheme::with_id("square.v1").unwrap();
    let secret = Secret::new("", "key");
    let public = "https://relay.example/shop/square";
    let headers = sign(scheme, &SignInput { url: public, ..SignInput::new(&secret, BODY, NOW) }).unwrap().headers;
    let judged = |urls: &[&str], host: &str| {
        let all: Vec<_> = headers.iter().cloned().chain([("host".to_owned(), host.to_owned())]).collect();
        let request = Request { method: b"POST", target: b"/shop/square", headers: &all, urls };
        let mut verifier = Verifier::start(&request, &secrets(&[(Provider::Square, "key")]), NOW);
        verifier.update(BODY);
        verifier.finish().status
    };
    assert_eq!(judged(&["https://old.example/x", public], "localhost"), Status::Valid);
    assert_eq!(judged(&["https://old.example/x"], "relay.example"), Status::Invalid);
    assert_eq!(judged(&[], "relay.example"), Status::Valid, "made of the host");
    assert_eq!(judged(&[], "localhost:3000"), Status::Invalid);
}

#[test]
fn what_signs_nothing_says_so() {
    let reason = |id: &str| {
        let made = Made::new(Scheme::with_id(id).unwrap(), "the key", b"x");
        let verdict = made.judged("the key", NOW);
        assert_eq!(verdict.status, Status::Valid);
        verdict.reason().unwrap_or_default()
    };
    assert!(reason("telegram.token").contains("signs nothing"));
    assert!(reason("mercadopago.v1").contains("does not sign the body"));
    assert_eq!(reason("stripe.v1"), "");
}

#[test]
fn a_body_too_long_to_be_kept_is_not_called_wrong_or_right() {
    let scheme = Scheme::with_id("linear.v1").unwrap();
    let mut made = Made::new(scheme, "the key", b"x");
    made.body = vec![b' '; hookwire_signatures::WHOLE_BODY_LIMIT + 1];
    assert_eq!(made.judged_in_chunks("the key", NOW, 1 << 20).cause, Some(Cause::BodyTooLong));
}
