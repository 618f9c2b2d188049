//! The outcomes that no vector covers: missing signatures, missing secrets, rotation, repeated headers.

use hookwire_signatures::{
    Cause, Provider, Request, Scheme, Secret, Secrets, Status, Verdict, Verifier, schemes, sign,
};

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
    headers.extend(sign(scheme, &Secret::new("", secret), BODY, NOW));
    headers
}

/// The verdict, and whether the body was needed for it.
fn judge(headers: &[(String, String)], secrets: &Secrets, now: i64) -> (Verdict, bool) {
    let request = Request { method: b"POST", target: b"/", headers: &headers };
    let mut verifier = Verifier::start(&request, secrets, now);
    let needed = verifier.needs_body();
    verifier.update(BODY);
    (verifier.finish(), needed)
}

fn outcome((verdict, _): (Verdict, bool)) -> (Status, Option<&'static str>, Option<Cause>) {
    (verdict.status, verdict.scheme, verdict.cause)
}

#[test]
fn what_sign_makes_is_valid_for_every_scheme() {
    for scheme in schemes() {
        let known = secrets(&[(scheme.provider, "key")]);
        let (verdict, needed) = judge(&signed(scheme.id, "key"), &known, NOW);
        assert_eq!((verdict.status, verdict.cause), (Status::Valid, None), "{}", scheme.id);
        assert_eq!(verdict.scheme, Some(scheme.id));
        assert!(needed);
    }
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
