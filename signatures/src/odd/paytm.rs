//! Paytm: a salted hash, encrypted with the merchant key.
//!
//! `CHECKSUMHASH` is the AES-128-CBC, under a fixed initialisation vector, of the hexadecimal SHA-256 of `text|salt`
//! followed by the salt. <https://business.paytm.com/docs/jscheckout-verify-payment>

use std::borrow::Cow;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::cause::Cause;
use crate::odd::Case;
use crate::scheme::Scheme;
use crate::scope::Scope;
use crate::verdict::Verdict;

/// The fixed vector of every Paytm package.
const VECTOR: [u8; BLOCK] = *b"@@@@&&&&####$$$$";

/// AES works on blocks of 16 bytes.
const BLOCK: usize = 16;

/// Four random characters.
const SALT: usize = 4;

/// The field that carries the checksum, and is not part of it.
const CHECKSUM: &str = "CHECKSUMHASH";

pub(crate) fn check(case: &Case<'_>) -> Verdict {
    case.verdict(|case, values| {
        let text = text(case.scope);
        let value = values.first().ok_or(Cause::MissingSignature)?.trim_ascii();
        // A form decoder or sender that took `+` for a blank has damaged only the base64.
        let restored: Vec<u8> = value.iter().map(|byte| if *byte == b' ' { b'+' } else { *byte }).collect();
        let sealed = STANDARD.decode(&restored).ok().ok_or(Cause::MalformedSignature)?;
        let fits = |key: &[u8]| {
            open(key, &sealed).is_some_and(|plain| {
                let Some((_, salt)) = plain.split_last_chunk::<SALT>() else { return false };
                hashed(&text, *salt).as_bytes().ct_eq(&plain).into()
            })
        };
        let fitting =
            case.secrets.iter().find(|secret| case.scheme.key.keys(secret.value()).iter().any(|key| fits(key)));
        let secret = fitting.copied().ok_or(Cause::NoMatch)?;
        if restored == value { Ok(secret) } else { Err(Cause::BodyReserialized) }
    })
}

/// The checksum of a request, for signing.
pub(crate) fn tag(scheme: &Scheme, scope: &Scope<'_>, secret: &[u8], salt: [u8; SALT]) -> Option<String> {
    let keys = scheme.key.keys(secret);
    let sealed = seal(keys.first()?, hashed(&text(scope), salt).as_bytes())?;
    Some(STANDARD.encode(sealed))
}

/// The values of all fields in the order of their names, joined by `|`; of JSON, the text of `body`, or all of it.
fn text<'a>(scope: &'a Scope<'_>) -> Cow<'a, [u8]> {
    if scope.body.trim_ascii_start().starts_with(b"{") {
        let inner = crate::json::raw(scope.body, "body");
        return Cow::Borrowed(inner.unwrap_or(scope.body));
    }
    let mut fields: Vec<_> = scope.form().iter().filter(|(name, _)| *name != CHECKSUM).collect();
    fields.sort_by_key(|(name, _)| *name);
    let values: Vec<_> = fields.into_iter().map(|(_, value)| if value == "null" { "" } else { value }).collect();
    Cow::Owned(values.join("|").into_bytes())
}

fn hashed(text: &[u8], salt: [u8; SALT]) -> String {
    let hash = Sha256::new().chain_update(text).chain_update(b"|").chain_update(salt).finalize();
    hex::encode(hash) + &String::from_utf8_lossy(&salt)
}

fn open(key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes128::new_from_slice(key).ok()?;
    let (blocks, rest) = sealed.as_chunks::<BLOCK>();
    if blocks.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut plain = Vec::with_capacity(sealed.len());
    let mut previous = VECTOR;
    for block in blocks {
        let mut opened = (*block).into();
        cipher.decrypt_block(&mut opened);
        plain.extend(opened.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
        previous = *block;
    }
    let padding = usize::from(*plain.last()?);
    plain.truncate(plain.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding))?);
    Some(plain)
}

fn seal(key: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes128::new_from_slice(key).ok()?;
    let padding = BLOCK - plain.len() % BLOCK;
    let mut padded = plain.to_vec();
    padded.extend(std::iter::repeat_n(padding as u8, padding));
    let mut sealed = Vec::with_capacity(padded.len());
    let mut previous = VECTOR;
    for block in padded.as_chunks::<BLOCK>().0 {
        let mut masked = *block;
        masked.iter_mut().zip(previous).for_each(|(byte, mask)| *byte ^= mask);
        let mut masked = masked.into();
        cipher.encrypt_block(&mut masked);
        previous = masked.into();
        sealed.extend_from_slice(&previous);
    }
    Some(sealed)
}
