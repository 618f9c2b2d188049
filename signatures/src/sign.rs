//! Signs as a provider would.

use crate::scheme::{Layout, Part, Scheme, TimeSource};
use crate::secret::Secret;

/// The signature headers that the provider would send with `body`, as name and value; `now` is in unix seconds.
/// Headers that are no part of the signature, such as an event's id, are not made.
pub fn sign(scheme: &Scheme, secret: &Secret, body: &[u8], now: i64) -> Vec<(String, String)> {
    let timestamp = now.to_string();
    let mut mac = scheme.algorithm.keyed(secret.value());
    for part in scheme.content {
        mac.update(match part {
            Part::Body => body,
            Part::Timestamp => timestamp.as_bytes(),
            Part::Text(text) => text.as_bytes(),
        });
    }
    let signature = scheme.encoding.encode(&mac.finish());
    let value = match scheme.layout {
        Layout::Prefixed(prefix) => format!("{prefix}{signature}"),
        Layout::Pairs { separator, signature: key } => {
            let time = scheme.time.as_ref().map(|rule| match rule.source {
                TimeSource::Pair(key) => format!("{key}={timestamp}{}", char::from(separator)),
            });
            format!("{}{key}={signature}", time.unwrap_or_default())
        }
    };
    vec![(scheme.header.to_owned(), value)]
}
