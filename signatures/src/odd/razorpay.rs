//! Razorpay's onboarding: no signature, but an encrypted text that only the partner's secret can have made.
//!
//! <https://razorpay.com/docs/partners/technology-partners/onboard-businesses/integrate-oauth/>

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::cause::Cause;
use crate::odd::Case;
use crate::time::Timestamp;
use crate::verdict::Verdict;

pub(crate) fn check(case: &Case<'_>) -> Verdict {
    case.aged(|case, values| {
        let value = values.first().ok_or(Cause::MissingSignature)?;
        let sealed = hex::decode(value.trim_ascii()).ok().ok_or(Cause::MalformedSignature)?;
        let opened = case.secrets.iter().find_map(|secret| {
            let keys = case.scheme.key.keys(secret.value());
            keys.iter().find_map(|key| open(key, &sealed)).map(|plain| (*secret, plain))
        });
        let (secret, plain) = opened.ok_or(Cause::NoMatch)?;
        let text: serde_json::Value = serde_json::from_slice(&plain).ok().ok_or(Cause::MalformedSignature)?;
        let seconds = text["timestamp"].as_i64();
        let rule = case.scheme.time.as_ref();
        let timestamp = rule.zip(seconds).map(|(rule, seconds)| Timestamp::read(seconds.to_string().as_bytes(), rule));
        Ok((secret, timestamp))
    })
}

/// Two forms are about: the older packages take the nonce from the key and do not send it, razorpay-node 2.9.8 sends a
/// random one in front.
fn open(key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let older = key.first_chunk::<NONCE_LEN>().and_then(|nonce| open_with(key, *nonce, sealed));
    older.or_else(|| {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        open_with(key, *nonce, sealed)
    })
}

fn open_with(key: &[u8], nonce: [u8; NONCE_LEN], sealed: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).ok()?);
    let mut buffer = sealed.to_vec();
    let plain = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut buffer).ok()?;
    Some(plain.to_vec())
}
