//! Every vector of `vectors.json`: published ones, ones whose verdict is an official package's, and constructed ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hookwire_signatures::{Cause, Request, Scheme, Secrets, Status, Verdict, Verifier, detect, event, schemes};
use serde::Deserialize;

use crate::case::Case;

#[derive(Deserialize)]
struct Vector {
    #[serde(flatten)]
    case: Case,
    expect: String,
    reason: Option<String>,
    /// The MAC is right, only a strict official package refuses the form.
    #[serde(default)]
    crypto_matches: bool,
}

/// How many vectors of one scheme there are, and how many came out as they should.
#[derive(Default)]
struct Row {
    vectors: usize,
    right_verdict: usize,
    invalid: usize,
    right_cause: usize,
}

/// The part of the invalid vectors whose cause must be the right one, in percent; the rest have a finer or
/// a nearer cause than the one that the vector lists.
const CAUSES_PERCENT: usize = 95;

#[test]
fn every_vector_has_its_verdict_and_nearly_every_one_its_cause() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 554, "a vector was lost");
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut strange = Vec::new();
    for vector in &vectors {
        let verdict = vector.case.judged().unwrap();
        let row = rows.entry(&vector.case.scheme_id).or_default();
        row.vectors += 1;
        if vector.has_right_verdict(&verdict) {
            row.right_verdict += 1;
        } else {
            wrong.push(vector.told(&verdict));
        }
        if vector.expect == "invalid" {
            row.invalid += 1;
            if vector.is_answered_by(verdict.cause) {
                row.right_cause += 1;
            } else {
                strange.push(vector.told(&verdict));
            }
        }
    }
    let sum = |count: fn(&Row) -> usize| rows.values().map(count).sum::<usize>();
    let (invalid, right) = (sum(|row| row.invalid), sum(|row| row.right_cause));
    let table = table(&rows);
    assert!(wrong.is_empty(), "{table}\nwrong verdicts: {wrong:#?}");
    assert!(right * 100 >= invalid * CAUSES_PERCENT, "{table}\n{right} of {invalid} causes; the others: {strange:#?}");
}

/// What a verifier says of the event is what is found without one, whatever secrets it knows.
#[test]
fn a_verifier_tells_the_same_event() {
    let mut named = 0;
    for vector in vectors() {
        let scheme = Scheme::with_id(&vector.case.scheme_id).unwrap();
        let (headers, body, secrets) = (vector.case.headers(), vector.case.body(), vector.case.secrets(scheme));
        let Ok(body) = body else { continue };
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        for secrets in [&secrets, &Secrets::default()] {
            let found = event(&request, &body);
            named += usize::from(found.name.is_some());
            assert_eq!(
                Verifier::start(&request, secrets, 0).event(&request, &body),
                found,
                "{}",
                vector.case.scheme_id
            );
        }
    }
    assert!(named > 100, "only {named} events had a name");
}

/// Where the headers tell the scheme, nobody need name it. A scheme that looks like a more general one is found as that.
#[test]
fn detection_agrees_with_the_vectors() {
    let general = |id: &str| match id {
        "clerk.svix" | "resend.svix" => "svix.v1".to_owned(),
        "openai.v1" | "polar.v1" | "bigcommerce.v1" | "gitlab.signing" | "supabase.hooks" | "replicate.v1"
        | "dodo.v1" => "standardwebhooks.v1".to_owned(),
        id => id.to_owned(),
    };
    let mut told = 0;
    for vector in vectors() {
        let headers = vector.case.headers();
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let Some(found) = detect(&request) else { continue };
        told += 1;
        let expected = schemes().iter().find(|scheme| scheme.id == general(&vector.case.scheme_id)).unwrap();
        // Many vectors hold the signature alone, without the headers that tell GitHub from Meta or Svix's names from
        // the common ones.
        // And a header with signatures of both versions is first of all one of the usual version.
        let is_bare = headers.len() == 1 || vector.case.scheme_id == "svix.v1";
        let is_mixed = found.provider == expected.provider && expected.id.ends_with("v1a");
        assert!(found.id == expected.id || is_bare || is_mixed, "{}: {}", vector.case.id, found.id);
    }
    assert!(told > 400, "{told}");
}

impl Vector {
    fn has_right_verdict(&self, verdict: &Verdict) -> bool {
        match (self.expect.as_str(), verdict.status) {
            ("valid", status) => status == Status::Valid,
            (_, Status::Stale | Status::Invalid | Status::Unsigned) => true,
            (_, Status::Valid) => self.crypto_matches && verdict.cause.is_some(),
            _ => false,
        }
    }

    /// Whether the cause is one that the vector's reason stands for.
    fn is_answered_by(&self, cause: Option<Cause>) -> bool {
        let causes: &[Cause] = match self.reason.as_deref().unwrap_or_default() {
            "missing_header" | "missing_signature" => &[Cause::MissingSignature],
            "malformed_signature" | "illegal_characters" | "unsupported_version" | "unsupported_algorithm" => {
                &[Cause::MalformedSignature]
            }
            "wrong_encoding" | "upper_case_hex" => &[Cause::WrongEncoding],
            "header_whitespace" => &[Cause::HeaderWhitespace],
            "timestamp_too_old" => &[Cause::TooOld],
            "timestamp_too_new" => &[Cause::TooNew],
            "timestamp_unit" => &[Cause::TimestampUnit],
            "body_reserialized" | "number_format" | "form_reencoded" => &[Cause::BodyReserialized],
            "body_key_order" => &[Cause::BodyReserialized, Cause::BodyKeyOrder],
            "trailing_newline_added" | "trailing_newline_lost" | "line_endings_changed" => &[Cause::BodyNewline],
            "signature_mismatch" => &[Cause::NoMatch, Cause::WrongSecret, Cause::BodyChanged],
            "body_hash_mismatch" => &[Cause::BodyChanged, Cause::NoMatch],
            "params_changed" => &[Cause::BodyChanged],
            "secret_whitespace" => &[Cause::SecretWhitespace],
            "secret_prefix_stripped"
            | "secret_prefix_not_stripped"
            | "secret_not_base64_decoded"
            | "secret_base64_decoded"
            | "secret_not_hex_decoded" => &[Cause::SecretEncoding],
            "token_mismatch" | "no_matching_public_key" => &[Cause::NoMatch, Cause::WrongSecret],
            "provider_has_no_secret" => &[Cause::NoProviderSecret],
            "url_mismatch" => &[Cause::UrlMismatch],
            "method_mismatch" => &[Cause::MethodMismatch],
            "signed_content" | "argument_order" => &[Cause::WrongContent, Cause::ArgumentOrder],
            "bad_issuer" => &[Cause::WrongContent],
            "sdk_rejects_empty_body" | "sdk_checks_last_only" => &[Cause::SdkStrictness],
            _ => &[],
        };
        cause.is_some_and(|cause| causes.contains(&cause))
    }

    fn told(&self, verdict: &Verdict) -> String {
        let cause = verdict.cause.map(Cause::as_str);
        format!("{}: {} {:?} but was {} {cause:?}", self.case.id, self.expect, self.reason, verdict.status)
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../vectors.json")).unwrap()
}

fn table(rows: &BTreeMap<&str, Row>) -> String {
    let mut table = format!("{:26} {:>7} {:>7} {:>7} {:>7}\n", "scheme", "vectors", "right", "invalid", "cause");
    for (scheme, row) in rows {
        let Row { vectors, right_verdict, invalid, right_cause } = row;
        writeln!(table, "{scheme:26} {vectors:>7} {right_verdict:>7} {invalid:>7} {right_cause:>7}").unwrap();
    }
    table
}
