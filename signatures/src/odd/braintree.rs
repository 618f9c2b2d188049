//! Braintree: a form with a signed payload, and the challenge that comes before.
//!
//! <https://developer.paypal.com/braintree/docs/guides/webhooks/parse>

use subtle::ConstantTimeEq as _;

use crate::cause::Cause;
use crate::claims::Claims;
use crate::odd::{Case, Found};
use crate::secret::Secret;
use crate::verdict::Verdict;

/// The length of a challenge, in hexadecimal digits, as the official packages check it.
const CHALLENGE_LENGTH: std::ops::RangeInclusive<usize> = 20..=32;

/// `bt_signature` holds pairs of public key and signature; the own public key's signature is over `bt_payload`, whose
/// last line feed form decoders may have lost.
pub(crate) fn check(case: &Case<'_>) -> Verdict {
    case.verdict(|case, _| {
        let payload = case.scope.field("bt_payload").unwrap_or_default();
        let is_payload = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'=' | b'/' | b'\n');
        if !payload.bytes().all(is_payload) {
            return Err(Cause::MalformedSignature);
        }
        let claims = Claims::read(case.scheme, case.scope)?;
        let candidates: Vec<_> = claims.sets.iter().flat_map(|set| &set.candidates).collect();
        let mut cause = Cause::NoMatch;
        for secret in case.secrets {
            for text in [payload.to_owned(), format!("{payload}\n")] {
                for tag in tags(case, secret, text.as_bytes()) {
                    for candidate in &candidates {
                        let is_own = match (&candidate.owner, secret.account()) {
                            (Some(owner), Some(account)) => owner == account.as_bytes(),
                            _ => true,
                        };
                        if is_own && bool::from(candidate.tag.ct_eq(&tag)) {
                            match candidate.fault {
                                None => return Ok(secret),
                                Some(fault) => cause = fault,
                            }
                        }
                    }
                }
            }
        }
        Err(cause)
    })
}

/// A challenge is answered and not checked; only its form can be wrong.
pub(crate) fn check_challenge(case: &Case<'_>) -> Verdict {
    fn first<'c>(case: &'c Case<'_>) -> Found<'c> {
        case.secrets.first().copied().ok_or(Cause::NoMatch)
    }
    case.verdict(|case, values| {
        let is_challenge = |text: &[u8]| {
            let is_digit = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
            CHALLENGE_LENGTH.contains(&text.len()) && text.iter().all(is_digit)
        };
        if values.iter().all(|text| is_challenge(text)) { first(case) } else { Err(Cause::MalformedSignature) }
    })
}

fn tags(case: &Case<'_>, secret: &Secret, text: &[u8]) -> Vec<Vec<u8>> {
    let keys = case.scheme.key.keys(secret.value());
    let macs = keys.iter().filter_map(|key| case.scheme.algorithm.keyed(key));
    macs.filter_map(|mut mac| {
        mac.update(text);
        mac.finish().into_tag()
    })
    .collect()
}
