//! JSON web signatures (RFC 7515): Netlify's, Plaid's and Lago's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cause::Cause;
use crate::mac::Algorithm;
use crate::odd::{Case, Found};
use crate::public_key::PublicKey;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::verdict::Verdict;

/// Netlify's issuer.
const NETLIFY: &str = "netlify";

/// `iss` is Netlify and `sha256` is the hash of the body.
/// <https://docs.netlify.com/site-deploys/notifications/#payload-signature>
pub(crate) fn check_netlify(case: &Case<'_>) -> Verdict {
    case.verdict(|case, values| {
        let token = Token::read(case, values.first().ok_or(Cause::MissingSignature)?)?;
        let secret = token.secret(case)?;
        if token.claims["iss"].as_str() != Some(NETLIFY) {
            return Err(Cause::WrongContent);
        }
        token.has_hash("sha256", case.scope.body, secret)
    })
}

/// `request_body_sha256` is the hash of the body, `iat` the time.
/// <https://plaid.com/docs/api/webhooks/webhook-verification/>
pub(crate) fn check_plaid(case: &Case<'_>) -> Verdict {
    case.aged(|case, values| {
        let token = Token::read(case, values.first().ok_or(Cause::MissingSignature)?)?;
        let secret = token.secret(case)?;
        token.has_hash("request_body_sha256", case.scope.body, secret)?;
        let rule = case.scheme.time.as_ref();
        let issued = rule.zip(token.claims["iat"].as_i64());
        Ok((secret, issued.map(|(rule, seconds)| Timestamp::read(seconds.to_string().as_bytes(), rule))))
    })
}

/// The claim `data` is the body itself. <https://docs.getlago.com/guide/webhooks>
pub(crate) fn check_lago(case: &Case<'_>) -> Verdict {
    case.verdict(|case, values| {
        let token = Token::read(case, values.first().ok_or(Cause::MissingSignature)?)?;
        let secret = token.secret(case)?;
        let is_body = match &token.claims["data"] {
            // As text, byte for byte; as JSON, by its values.
            Value::String(text) => text.as_bytes() == case.scope.body,
            data => !data.is_null() && data == case.scope.json(),
        };
        if is_body { Ok(secret) } else { Err(Cause::BodyChanged) }
    })
}

/// A token taken apart.
struct Token<'a> {
    signed: &'a [u8],
    signature: Vec<u8>,
    claims: Value,
}

impl<'a> Token<'a> {
    /// Reads the compact form. An algorithm other than the scheme's is refused before anything is computed: a token must
    /// not choose how it is checked.
    fn read(case: &Case<'_>, token: &'a [u8]) -> Result<Self, Cause> {
        let token = token.trim_ascii();
        let parts: Vec<_> = token.split(|byte| *byte == b'.').collect();
        let [header, claims, signature] = parts[..] else { return Err(Cause::MalformedSignature) };
        let decode = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).ok().ok_or(Cause::MalformedSignature);
        let object = |part: &[u8]| -> Result<Value, Cause> {
            serde_json::from_slice(&decode(part)?).ok().ok_or(Cause::MalformedSignature)
        };
        let expected = match case.scheme.algorithm {
            Algorithm::Hs256 => "HS256",
            Algorithm::Es256 => "ES256",
            _ => "RS256",
        };
        if object(header)?["alg"].as_str() != Some(expected) {
            return Err(Cause::MalformedSignature);
        }
        let signed = &token[..header.len() + 1 + claims.len()];
        Ok(Self { signed, signature: decode(signature)?, claims: object(claims)? })
    }

    /// The secret or public key that made it.
    fn secret<'c>(&self, case: &'c Case<'_>) -> Found<'c> {
        let algorithm = case.scheme.algorithm;
        let fits = |key: &[u8]| match algorithm {
            Algorithm::Hs256 => Algorithm::HmacSha256.keyed(key).is_some_and(|mut mac| {
                mac.update(self.signed);
                mac.finish().fits(&self.signature)
            }),
            _ => PublicKey::read(key).is_some_and(|key| key.verifies(algorithm, self.signed, &self.signature)),
        };
        let made = |secret: &&&Secret| case.scheme.key.keys(secret.value()).iter().any(|key| fits(key));
        case.secrets.iter().find(made).copied().ok_or(Cause::NoMatch)
    }

    fn has_hash<'c>(&self, claim: &str, body: &[u8], secret: &'c Secret) -> Found<'c> {
        let hash = hex::encode(Sha256::digest(body));
        let is_right = self.claims[claim].as_str().is_some_and(|claimed| claimed.eq_ignore_ascii_case(&hash));
        if is_right { Ok(secret) } else { Err(Cause::BodyChanged) }
    }
}

/// A token over these claims, for signing.
pub(crate) fn token(claims: &Value, key: &[u8]) -> Option<String> {
    let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut mac = Algorithm::HmacSha256.keyed(key)?;
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finish().into_tag()?);
    Some(format!("{signed}.{signature}"))
}
