//! Adyen's classic notifications: one signature for each item, inside of the item.
//!
//! <https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures>

use serde_json::Value;
use subtle::ConstantTimeEq as _;

use crate::cause::Cause;
use crate::encoding::Encoding;
use crate::odd::Case;
use crate::scheme::Scheme;
use crate::scope::{at_path, scalar};
use crate::secret::Secret;
use crate::verdict::Verdict;

/// The values that are signed, joined by colons; a missing one is empty, and nothing is escaped.
const SIGNED: [&str; 8] = [
    "pspReference",
    "originalReference",
    "merchantAccountCode",
    "merchantReference",
    "amount.value",
    "amount.currency",
    "eventCode",
    "success",
];

/// Where an item keeps its signature.
const SIGNATURE: &str = "additionalData.hmacSignature";

/// Every item must be signed with the same secret: one forged item is enough to do harm.
pub(crate) fn check(case: &Case<'_>) -> Verdict {
    case.verdict(|case, _| {
        let items = items(case.scope.json());
        if items.is_empty() {
            return Err(Cause::MalformedSignature);
        }
        let fitting = case.secrets.iter().find(|secret| items.iter().all(|item| fits(case.scheme, item, secret)));
        match fitting {
            Some(secret) => Ok(secret),
            None => Err(wrong(case, &items)),
        }
    })
}

/// The signature of an item, for signing.
pub(crate) fn tag(scheme: &Scheme, item: &Value, key: &[u8]) -> Option<Vec<u8>> {
    let values: Vec<_> = SIGNED.iter().map(|path| at_path(item, path).and_then(scalar).unwrap_or_default()).collect();
    let mut mac = scheme.algorithm.keyed(key)?;
    mac.update(values.join(":").as_bytes());
    mac.finish().into_tag()
}

fn items(body: &Value) -> Vec<&Value> {
    let items = body.get("notificationItems").and_then(Value::as_array);
    items.into_iter().flatten().filter_map(|item| item.get("NotificationRequestItem")).collect()
}

fn fits(scheme: &Scheme, item: &Value, secret: &Secret) -> bool {
    let claimed = at_path(item, SIGNATURE).and_then(scalar).and_then(|text| scheme.encoding.decode(text.as_bytes()));
    let Some(claimed) = claimed else { return false };
    scheme
        .key
        .keys(secret.value())
        .iter()
        .filter_map(|key| tag(scheme, item, key))
        .any(|tag| tag.ct_eq(&claimed).into())
}

/// Whether the signatures would be right in another encoding.
fn wrong(case: &Case<'_>, items: &[&Value]) -> Cause {
    let fits_in = |encoding: Encoding| {
        let scheme = Scheme { encoding, ..*case.scheme };
        case.secrets.iter().any(|secret| items.iter().all(|item| fits(&scheme, item, secret)))
    };
    if Encoding::ALL.into_iter().any(fits_in) { Cause::WrongEncoding } else { Cause::NoMatch }
}
