//! Signatures that stand inside of a body or a query.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Draft, SignError, SignInput, Signed};
use crate::form;
use crate::mac::Algorithm;
use crate::odd::{adyen, jws, paytm};
use crate::scheme::{Place, Scheme};
use crate::scope::{Scope, at_path};

/// Writes the time into a JSON body, where a scheme reads it from there.
pub(super) fn with_times(scheme: &Scheme, mut draft: Draft) -> Result<Draft, SignError> {
    let (Some(rule), Some(timestamp)) = (&scheme.time, &draft.timestamp) else { return Ok(draft) };
    let Place::Json(path) = rule.place else { return Ok(draft) };
    let text = String::from_utf8_lossy(&timestamp.text).into_owned();
    let is_signed_inside = scheme.signature.iter().any(|place| matches!(place, Place::Json(_)));
    let Ok(mut body) = serde_json::from_slice::<Value>(&draft.body) else {
        // Without a place for the time it is sent without one.
        return if is_signed_inside { Err(SignError::Body) } else { Ok(draft) };
    };
    if !body.is_object() {
        return Ok(draft);
    }
    let is_text = is_signed_inside;
    let value = if is_text { Value::String(text) } else { timestamp.millis.map_or(Value::Null, Value::from) };
    set(&mut body, path, value).ok_or(SignError::Body)?;
    if is_signed_inside && at_path(&body, "signature.token").is_none() {
        set(&mut body, "signature.token", json!("00000000000000000000000000000000000000000000000000"));
    }
    draft.body = body.to_string().into_bytes();
    draft.body_is_made = true;
    Ok(draft)
}

/// Adds a field to the query of a GET, else to the form of the body.
pub(super) fn into_fields(draft: &mut Draft, input: &SignInput<'_>, name: &str, value: &str) {
    let field = (name.to_owned(), value.to_owned());
    if input.method == "GET" {
        draft.query.push(field);
        return;
    }
    let known = form::parse(&draft.body);
    let fields = known.iter().filter(|(known, _)| *known != name).chain([(name, value)]);
    draft.body = form::write(fields).into_bytes();
    draft.body_is_made = true;
    draft.set_header("content-type", "application/x-www-form-urlencoded");
}

/// Writes a text into the JSON of the body.
pub(super) fn into_json(draft: &mut Draft, path: &str, value: &str) -> Result<(), SignError> {
    let mut body: Value = serde_json::from_slice(&draft.body).ok().ok_or(SignError::Body)?;
    set(&mut body, path, Value::String(value.to_owned())).ok_or(SignError::Body)?;
    draft.body = body.to_string().into_bytes();
    draft.body_is_made = true;
    Ok(())
}

/// Signs by the schemes that have a check of their own.
pub(super) fn own(scheme: &Scheme, input: &SignInput<'_>, draft: Draft) -> Result<Signed, SignError> {
    match scheme.algorithm {
        Algorithm::Hs256 => {
            let keys = scheme.key.keys(input.secret.value());
            let claims = json!({ "iss": "netlify", "sha256": hex::encode(Sha256::digest(&draft.body)) });
            let token = jws::token(&claims, keys.first().ok_or(SignError::Secret)?).ok_or(SignError::Secret)?;
            draft.finish(scheme, input, &token)
        }
        Algorithm::Aes128Cbc => {
            let request = draft.request(input);
            let scope = Scope::new(&request, &draft.body);
            let checksum = paytm::tag(scheme, &scope, input.secret.value(), *b"hook").ok_or(SignError::Secret)?;
            draft.finish(scheme, input, &checksum)
        }
        Algorithm::HmacSha1 if matches!(scheme.signature, [Place::Field(_)]) => {
            let signature = draft.signature(scheme, input)?;
            draft.finish(scheme, input, &signature)
        }
        Algorithm::HmacSha256 => {
            let mut body: Value = serde_json::from_slice(&draft.body).ok().ok_or(SignError::Body)?;
            let keys = scheme.key.keys(input.secret.value());
            let key = keys.first().ok_or(SignError::Secret)?;
            let items = body.get_mut("notificationItems").and_then(Value::as_array_mut).ok_or(SignError::Body)?;
            for item in items.iter_mut().filter_map(|item| item.get_mut("NotificationRequestItem")) {
                let tag = adyen::tag(scheme, item, key).ok_or(SignError::Secret)?;
                let text = Value::String(scheme.encoding.encode(&tag));
                set(item, "additionalData.hmacSignature", text).ok_or(SignError::Body)?;
            }
            Ok(Signed { headers: draft.made, query: draft.query, body: Some(body.to_string().into_bytes()) })
        }
        _ => Err(SignError::Unsupported),
    }
}

/// Sets the value at a path of keys, making the objects on the way; `None` if something else stands there.
fn set(value: &mut Value, path: &str, new: Value) -> Option<()> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let slot = match value {
        Value::Object(members) => members.entry(key).or_insert_with(|| json!({})),
        Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?)?,
        _ => return None,
    };
    if let Some(rest) = rest {
        return set(slot, rest, new);
    }
    *slot = new;
    Some(())
}
