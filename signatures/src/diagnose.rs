//! Why a signature does not fit: edit one thing, verify again. The first edit that makes it fit names the cause, so a
//! cause is never guessed.

mod body;
mod secret;

use std::borrow::Cow;

use crate::cause::Cause;
use crate::request::Request;
use crate::scheme::Scheme;
use crate::secret::{Secret, Secrets};
use crate::verdict::{Status, Verdict};
use crate::verifier::{own, trial};

/// The longest body that is diagnosed, in bytes. Webhooks are far smaller (GitHub's limit of 25 MB is the exception),
/// and some twenty MACs over 1 MiB keep a core busy for tens of milliseconds already.
pub const DIAGNOSIS_BODY_LIMIT: usize = 1 << 20;

/// Looks for the cause of an invalid verdict whose cause is [`Cause::NoMatch`]; any other verdict comes back as it is.
///
/// `body` must be the whole body; one longer than [`DIAGNOSIS_BODY_LIMIT`] is not looked into. A verdict with a new
/// cause names the secret that the cause was found with. This is no work for the delivery path.
pub fn diagnose(request: &Request<'_>, body: &[u8], secrets: &Secrets, verdict: Verdict, now: i64) -> Verdict {
    let undecided = (verdict.status, verdict.cause) == (Status::Invalid, Some(Cause::NoMatch));
    let Some(scheme) = verdict.scheme.and_then(Scheme::with_id).filter(|_| undecided) else {
        return verdict;
    };
    let own = own(scheme, secrets);
    if body.len() > DIAGNOSIS_BODY_LIMIT {
        return verdict;
    }
    let case = Case { scheme, secrets, body };
    for hypothesis in HYPOTHESES {
        for edit in (hypothesis.edits)(case) {
            let fits = match &edit {
                Edit::Body(edited) => trial(scheme, request, edited, &own, now),
                Edit::Secret(edited) => trial(scheme, request, body, &[edited], now),
            };
            if fits.is_some() {
                return Verdict { cause: Some(hypothesis.cause), secret: fits, ..verdict };
            }
        }
    }
    verdict
}

/// What might have happened, and the edits that would undo it.
struct Hypothesis {
    cause: Cause,
    edits: for<'a> fn(Case<'a>) -> Edits<'a>,
}

/// In the order that gives the best message: what the developer set, then what the bytes went through.
const HYPOTHESES: &[Hypothesis] = &[
    Hypothesis { cause: Cause::SecretWhitespace, edits: secret::trimmed },
    Hypothesis { cause: Cause::WrongSecret, edits: secret::of_others },
    Hypothesis { cause: Cause::BodyNewline, edits: body::other_newlines },
    Hypothesis { cause: Cause::BodyReserialized, edits: body::other_styles },
];

/// What a hypothesis may look at.
#[derive(Clone, Copy)]
struct Case<'a> {
    scheme: &'static Scheme,
    secrets: &'a Secrets,
    body: &'a [u8],
}

/// One thing changed, everything else as received.
enum Edit<'a> {
    /// The body as it may have been when it was signed.
    Body(Cow<'a, [u8]>),
    /// The secret that may have been used.
    Secret(Secret),
}

/// Edits are made one by one, so that a fitting one saves the rest.
type Edits<'a> = Box<dyn Iterator<Item = Edit<'a>> + 'a>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;
    use crate::sign::{SignInput, sign};
    use crate::verifier::Verifier;

    /// The cause, and the secret it was found with, when `received` comes with the signature of `signed`.
    fn cause(signed: &str, received: &str, signed_with: &str, known: &[(Provider, &str)]) -> (Cause, Option<String>) {
        let scheme = Scheme::with_id("stripe.v1").unwrap();
        let signed = sign(scheme, &SignInput::new(&Secret::new("", signed_with), signed.as_bytes(), 0));
        let headers = signed.unwrap().headers;
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let mut secrets = Secrets::default();
        for (provider, value) in known {
            secrets.add(*provider, Secret::new(format!("env:{provider}"), *value));
        }
        let mut verifier = Verifier::start(&request, &secrets, 0);
        verifier.update(received.as_bytes());
        let verdict = diagnose(&request, received.as_bytes(), &secrets, verifier.finish(), 0);
        assert_eq!(verdict.status, Status::Invalid);
        (verdict.cause.unwrap(), verdict.secret)
    }

    fn body_cause(signed: &str, received: &str) -> Cause {
        cause(signed, received, "key", &[(Provider::Stripe, "key")]).0
    }

    #[test]
    fn edits_of_the_body() {
        for (signed, received) in
            [("{}", "{}\n"), ("{}", "{}\r\n"), ("{}\n", "{}"), ("a\r\nb\r\n", "a\nb\n"), ("a\nb", "a\r\nb")]
        {
            assert_eq!(body_cause(signed, received), Cause::BodyNewline, "{signed:?} {received:?}");
        }
        let php = r#"{"url":"a\/b","n":1.50,"list":[1,2]}"#;
        let javascript = r#"{"url":"a/b","n":1.50,"list":[1,2]}"#;
        let python = r#"{"url": "a\/b", "n": 1.50, "list": [1, 2]}"#;
        let indented = "{\n  \"url\": \"a\\/b\",\n  \"n\": 1.50,\n  \"list\": [\n    1,\n    2\n  ]\n}";
        let spellings = [php, javascript, python, indented];
        for signed in spellings {
            for received in spellings.into_iter().filter(|received| *received != signed) {
                assert_eq!(body_cause(signed, received), Cause::BodyReserialized, "{signed} {received}");
            }
        }
        assert_eq!(body_cause(r#"{"n":1}"#, r#"{"n":2}"#), Cause::NoMatch);
    }

    #[test]
    fn edits_of_the_secret() {
        for value in ["key\n", " key", "\"key\"", "'key' \r\n"] {
            let found = cause("{}", "{}", "key", &[(Provider::Stripe, value)]);
            assert_eq!(found, (Cause::SecretWhitespace, Some("env:stripe".to_owned())), "{value:?}");
        }
        let known = [(Provider::Stripe, "other"), (Provider::GitHub, "key")];
        assert_eq!(cause("{}", "{}", "key", &known), (Cause::WrongSecret, Some("env:github".to_owned())));
    }

    #[test]
    fn a_long_body_is_left_alone() {
        let body = " ".repeat(DIAGNOSIS_BODY_LIMIT);
        assert_eq!(body_cause(&body[1..], &body), Cause::NoMatch);
        assert_eq!(body_cause(&body, &format!("{body}\n")), Cause::NoMatch);
    }
}
