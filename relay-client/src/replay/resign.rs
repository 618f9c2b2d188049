//! A request with a signature of the developer's own, for one that was edited or is too old.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hookwire_signatures::{Scheme, Secrets, SignInput, sign};

use super::{Edit, Replay, ReplayError, edit};
use crate::judge::urls;

/// Signs `replay` as its provider would at `now`.
pub(super) fn resign(mut replay: Replay, secrets: &Secrets, now: SystemTime) -> Result<Replay, ReplayError> {
    let scheme = replay.verdict.scheme.and_then(Scheme::with_id).ok_or(ReplayError::NoScheme)?;
    let known = || secrets.of(scheme.provider).iter().filter(|secret| secret.kind() == scheme.kind);
    let fitted = known().find(|secret| replay.verdict.secret.as_deref() == Some(secret.name()));
    let secret = fitted.or(known().next()).ok_or(ReplayError::NoSecret(scheme.provider.name()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let [url, _] = urls(&replay.head, &replay.endpoint);
    let headers: Vec<(String, String)> =
        replay.head.headers.iter().map(|(name, value)| (text(name), text(value))).collect();
    let method = text(&replay.head.method);
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    let input =
        SignInput { method: &method, url: &url, headers: &headers, ..SignInput::new(secret, &replay.body, now) };
    let signed = sign(scheme, &input).map_err(ReplayError::NotSigned)?;
    if !signed.query.is_empty() {
        replay.head.target = with_parameters(&replay.head.target, &signed.query);
    }
    if let Some(body) = signed.body {
        replay = Edit { body: Some(body.into()), ..Edit::default() }.of(replay)?;
    }
    let mut lines: Vec<(Vec<u8>, Bytes)> =
        replay.head.headers.slices().map(|(name, value)| (name.to_vec(), value)).collect();
    for (name, value) in signed.headers {
        edit::set(&mut lines, name.to_ascii_lowercase().as_bytes(), value.as_bytes());
    }
    replay.head.headers = edit::headers(&lines);
    Ok(replay)
}

/// The target with these parameters in its query, in place of those of the same name.
fn with_parameters(target: &[u8], parameters: &[(String, String)]) -> Bytes {
    let mut parts = target.splitn(2, |&byte| byte == b'?');
    let (path, query) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_replaced = |pair: &[u8]| {
        let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
        parameters.iter().any(|(made, _)| made.as_bytes() == name)
    };
    let kept = query.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty() && !is_replaced(pair));
    let mut pairs: Vec<Vec<u8>> = kept.map(<[u8]>::to_vec).collect();
    pairs.extend(parameters.iter().map(|(name, value)| {
        form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish().into_bytes()
    }));
    [path, b"?", &pairs.join(&b'&')].concat().into()
}
