//! Every step of a check, in words and bytes.

use std::fmt::Write as _;

use crate::claims::{Claims, signature_values};
use crate::content::{Content, Ingredients};
use crate::key::KeyForm;
use crate::mac::Algorithm;
use crate::request::Request;
use crate::scheme::{Place, Scheme};
use crate::scope::Scope;
use crate::secret::{Secret, Secrets};
use crate::verifier::own;

/// What stands where the secret is part of the signed text.
const REDACTED: &[u8] = b"<the secret>";

/// The most that is shown of one text, in bytes: enough for any manifest, and a screenful of a body.
const SHOWN: usize = 512;

/// One step of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is looked at.
    pub name: &'static str,
    /// What was found. It may hold bytes of the request, as text; where they are no text they are escaped.
    pub text: String,
}

/// Every step by which `request` is checked under a scheme, up to the comparison. Neither the secret nor the signature
/// that was expected is part of any; what the outcome is, the [`Verifier`](crate::Verifier) says.
pub fn explain(scheme: &Scheme, request: &Request<'_>, secrets: &Secrets, body: &[u8], now: i64) -> Vec<Step> {
    let scope = Scope::new(request, body);
    let own = own(scheme, secrets);
    let mut steps = vec![
        Step { name: "scheme", text: format!("{} of {}", scheme.id, scheme.provider.title()) },
        Step { name: "documented", text: scheme.docs.to_owned() },
        Step { name: "signature in", text: places(scheme.signature) },
    ];
    let mut step = |name, text| steps.push(Step { name, text });
    match signature_values(scheme, &scope) {
        Ok(values) => values.iter().for_each(|(value, _)| step("found there", shown(value))),
        Err(cause) => step("found there", cause.sentence().to_owned()),
    }
    let claims = Claims::read(scheme, &scope);
    match &claims {
        Ok(claims) => {
            for candidate in claims.sets.iter().flat_map(|set| &set.candidates) {
                let fault = candidate.fault.map_or_else(String::new, |cause| format!(" ({})", cause.sentence()));
                step("as bytes", format!("{}{fault}", hex::encode(&candidate.tag)));
            }
            if claims.is_hopeless() {
                step("as bytes", format!("none that {} could make", algorithm(claims.algorithm)));
            }
        }
        Err(cause) => step("as bytes", cause.sentence().to_owned()),
    }
    let sets = claims.as_ref().map_or(&[][..], |claims| &claims.sets);
    for timestamp in sets.iter().filter_map(|set| set.timestamp.as_ref()) {
        let age = timestamp.age_millis(now).map_or_else(
            || "which is no time".to_owned(),
            |age| format!("{} s before the present ({now})", age.div_euclid(1_000)),
        );
        step("signed at", format!("{}, {age}", shown(&timestamp.text)));
    }
    if let Some(limit) = scheme.time.as_ref().and_then(|rule| rule.tolerance_seconds) {
        step("may be", format!("{limit} s old"));
    }
    match own.as_slice() {
        [] => step("secret", format!("none of {} is known", scheme.provider.title())),
        secrets => secrets.iter().for_each(|secret| step("secret", key(scheme, secret))),
    }
    step("computed with", algorithm(claims.as_ref().map_or(scheme.algorithm, |claims| claims.algorithm)).to_owned());
    if scheme.own.is_some() {
        step("signed text", "made in a way of the provider's own: see its page".to_owned());
        return steps;
    }
    // The text does not depend on the secret, apart from those that hold it.
    let nobody = Secret::new("", "");
    let secret = own.first().copied().unwrap_or(&nobody);
    let timestamp = sets.first().and_then(|set| set.timestamp.as_ref());
    for url in scheme.url.candidates(&scope) {
        let ingredients = Ingredients { secret, key: REDACTED, url: &url, timestamp };
        let text = match Content::of(scheme, &scope, ingredients) {
            Ok(content) => signed_text(&content, body),
            Err(cause) => cause.sentence().to_owned(),
        };
        step("signed text", text);
    }
    steps
}

fn places(places: &[Place]) -> String {
    places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or ")
}

/// A secret by its name, and what becomes of its text.
fn key(scheme: &Scheme, secret: &Secret) -> String {
    let form = match scheme.key {
        KeyForm::Text => "its text as it is",
        KeyForm::Base64 => "the bytes that its base64 stands for, without `whsec_`",
        KeyForm::Base64IfPrefixed => "the bytes of the base64 behind `whsec_`, else its text",
        KeyForm::TextOrBase64 => "its text, or the bytes of the base64 behind `whsec_`",
        KeyForm::Hex => "the bytes that its hexadecimal stands for",
        KeyForm::Sha1 => "the SHA-1 of its text",
        KeyForm::First16 => "the first 16 bytes of its text",
        KeyForm::PublicKey => "a public key or certificate",
    };
    let unusable = if scheme.key.keys(secret.value()).is_empty() { "; its text is not of that form" } else { "" };
    format!("{}: {form}{unusable}", secret.name())
}

const fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HmacSha256 => "HMAC-SHA256",
        Algorithm::HmacSha1 => "HMAC-SHA1",
        Algorithm::HmacSha512 => "HMAC-SHA512",
        Algorithm::HmacNamed(_) => "the HMAC that a header names",
        Algorithm::Sha256 => "SHA-256, with the secret inside of the text",
        Algorithm::Sha512 => "SHA-512, with the secret inside of the text",
        Algorithm::Token => "nothing: the secret itself is sent and compared",
        Algorithm::Ed25519 => "Ed25519",
        Algorithm::EcdsaP256 => "ECDSA over P-256 with SHA-256",
        Algorithm::RsaSha256 => "RSA PKCS#1 v1.5 with SHA-256",
        Algorithm::Hs256 => "a JSON web token, HS256",
        Algorithm::Es256 => "a JSON web token, ES256",
        Algorithm::Rs256 => "a JSON web token, RS256",
        Algorithm::Aes128Gcm => "AES-128-GCM: an encrypted text instead of a signature",
        Algorithm::Aes128Cbc => "AES-128-CBC around a salted SHA-256",
    }
}

fn signed_text(content: &Content, body: &[u8]) -> String {
    let body: &[u8] = if content.has_body { body } else { b"" };
    let length = content.before.len() + body.len() + content.after.len();
    let text = [&content.before[..], body, &content.after[..]].concat();
    format!("{length} bytes: {}", shown(&text))
}

/// Text as it is, other bytes as `\xNN`; the beginning, if there is much. Writing into a string can't fail.
fn shown(bytes: &[u8]) -> String {
    let beginning = &bytes[..bytes.len().min(SHOWN)];
    let mut text = String::with_capacity(beginning.len());
    for chunk in beginning.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    if bytes.len() > SHOWN {
        let _ = write!(text, " … and {} bytes more", bytes.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;
    use crate::sign::{SignInput, sign};

    fn steps(id: &str, secret: &str) -> String {
        let scheme = Scheme::with_id(id).unwrap();
        let secret = Secret::new("env:SECRET", secret).with_account("user");
        let signed = sign(scheme, &SignInput::new(&secret, b"{\"a\":1}", 1_700_000_000)).unwrap();
        let mut secrets = Secrets::default();
        secrets.add(scheme.provider, secret);
        let request =
            Request { method: b"POST", target: b"/", headers: &signed.headers, urls: &["https://example.com/"] };
        let steps = explain(scheme, &request, &secrets, b"{\"a\":1}", 1_700_000_010);
        steps.iter().flat_map(|step| [step.name, ": ", &step.text, "\n"]).collect()
    }

    #[test]
    fn every_step_of_stripes_check() {
        let text = steps("stripe.v1", "whsec_abc");
        for line in [
            "signature in: the header `Stripe-Signature`",
            "signed at: 1700000000, 10 s before the present (1700000010)",
            "may be: 300 s old",
            "secret: env:SECRET: its text as it is",
            "computed with: HMAC-SHA256",
            "signed text: 18 bytes: 1700000000.{\"a\":1}",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn no_step_of_any_scheme_holds_the_secret() {
        let value = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=";
        for scheme in crate::scheme::schemes() {
            let secret = Secret::new("env:SECRET", value).with_account("user");
            let mut secrets = Secrets::default();
            secrets.add(scheme.provider, secret);
            // Nothing of the secret is in the request, so any trace of it would come from here.
            let headers = [("authorization", "Basic dXNlcjp4")];
            let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &["https://example.com/"] };
            for step in explain(scheme, &request, &secrets, b"a=1", 0) {
                assert!(!step.text.contains(value) && !step.text.contains("secret-secret"), "{} {step:?}", scheme.id);
            }
        }
        assert!(Provider::ALL.len() > 80);
    }
}
