//! Every vector of `vectors.json`: published ones, ones whose verdict is an official package's, and constructed ones.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookwire_signatures::{Cause, Request, Scheme, Secret, Secrets, Status, Verdict, Verifier, detect, diagnose};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    id: String,
    scheme_id: String,
    secret: String,
    method: String,
    headers: BTreeMap<String, String>,
    body_base64: Option<String>,
    body_repeat: Option<Repeat>,
    now: Option<i64>,
    expect: String,
    reason: Option<String>,
    /// The MAC is right, only a strict official package refuses the form.
    #[serde(default)]
    crypto_matches: bool,
}

#[derive(Deserialize)]
struct Repeat {
    byte: char,
    count: usize,
}

#[test]
fn every_vector_has_its_verdict_and_cause() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 63, "a vector was lost");
    let failures: Vec<_> = vectors.iter().filter_map(|vector| failure(vector).err()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Where the headers tell the scheme, nobody need name it.
#[test]
fn detection_agrees_with_the_vectors() {
    let told = |vector: &&Vector| vector.headers.keys().any(|name| !name.to_lowercase().starts_with("x-hub"));
    let vectors = vectors();
    let told: Vec<_> = vectors.iter().filter(told).collect();
    assert!(told.len() > 40);
    for vector in told {
        let headers = headers(vector);
        let request = request(vector, &headers);
        assert_eq!(detect(&request).map(|scheme| scheme.id), Some(&*vector.scheme_id), "{}", vector.id);
    }
}

fn failure(vector: &Vector) -> Result<(), String> {
    let verdict = judged(vector);
    let code = verdict.cause.map(Cause::as_str);
    let as_listed = match (vector.expect.as_str(), verdict.status) {
        ("valid", status) => status == Status::Valid && code.is_none(),
        (_, Status::Stale | Status::Invalid | Status::Unsigned) => answers(code, vector),
        (_, Status::Valid) => vector.crypto_matches && answers(code, vector),
        _ => false,
    };
    if as_listed {
        return Ok(());
    }
    let (id, expect, reason) = (&vector.id, &vector.expect, &vector.reason);
    Err(format!("{id}: {expect} {reason:?} but was {} {code:?}", verdict.status))
}

/// Whether the cause is the one that the vector's reason stands for.
fn answers(code: Option<&str>, vector: &Vector) -> bool {
    let causes: &[&str] = match vector.reason.as_deref() {
        Some("missing_header") => &["missing-signature"],
        Some("malformed_signature" | "unsupported_version") => &["malformed-signature"],
        Some("wrong_encoding" | "upper_case_hex") => &["wrong-encoding"],
        Some("header_whitespace") => &["header-whitespace"],
        Some("timestamp_too_old") => &["too-old"],
        Some("body_reserialized") => &["body-reserialized"],
        Some("trailing_newline_added" | "line_endings_changed") => &["body-newline"],
        Some("signature_mismatch") => &["no-match", "wrong-secret", "body-changed"],
        Some("secret_whitespace") => &["secret-whitespace"],
        Some("sdk_rejects_empty_body") => &["sdk-strictness"],
        _ => &[],
    };
    code.is_some_and(|code| causes.contains(&code))
}

fn judged(vector: &Vector) -> Verdict {
    let scheme = Scheme::with_id(&vector.scheme_id).unwrap();
    let mut secrets = Secrets::default();
    secrets.add(scheme.provider, Secret::new("vector", vector.secret.as_str()));
    let headers = headers(vector);
    let request = request(vector, &headers);
    let body = body(vector);
    let now = vector.now.unwrap_or_default();
    let mut verifier = Verifier::start_with(scheme, &request, &secrets, now);
    verifier.update(&body);
    diagnose(&request, &body, &secrets, verifier.finish(), now)
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../vectors.json")).unwrap()
}

fn headers(vector: &Vector) -> Vec<(&str, &str)> {
    vector.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn request<'a>(vector: &'a Vector, headers: &'a Vec<(&'a str, &'a str)>) -> Request<'a> {
    Request { method: vector.method.as_bytes(), target: b"/", headers }
}

fn body(vector: &Vector) -> Vec<u8> {
    match (&vector.body_base64, &vector.body_repeat) {
        (Some(text), _) => STANDARD.decode(text).unwrap(),
        (None, Some(repeat)) => repeat.byte.to_string().repeat(repeat.count).into_bytes(),
        (None, None) => Vec::new(),
    }
}
