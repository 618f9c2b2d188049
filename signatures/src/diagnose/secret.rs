//! Edits of the secret.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::edit::{Edit, Proposal, Proposals};
use super::workbench::Case;
use crate::cause::Cause;
use crate::secret::Secret;

/// The provider's secrets without what an `.env` file, a shell or a copy and paste may have left around them.
pub(super) fn trimmed<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    Box::new(case.own.iter().flat_map(|secret| {
        let cleaned = cleaned(secret.value()).map(|(value, what)| {
            let what = format!("the secret `{}` has {what}; without, the signature fits", secret.name());
            Proposal::new(Cause::SecretWhitespace, what, Edit::Secret(secret.with_value(value)))
        });
        let assigned = assigned(secret.value()).map(|value| {
            let what =
                format!("the secret `{}` begins with a name and `=`; without, the signature fits", secret.name());
            Proposal::new(Cause::SecretWhitespace, what, Edit::Secret(secret.with_value(value)))
        });
        cleaned.into_iter().chain(assigned)
    }))
}

/// The provider's secrets with what may be around them where the signer has them.
pub(super) fn extended<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    const ENDS: [(&str, &str); 3] = [("\n", "a line feed"), ("\r\n", "a line break (CRLF)"), (" ", "a space")];
    if !case.scheme.algorithm.is_symmetric() {
        return Box::new(std::iter::empty());
    }
    Box::new(case.own.iter().flat_map(|secret| {
        ENDS.iter().map(|(end, what)| {
            let what = format!("the signer has {what} at the end of the secret `{}`", secret.name());
            let value = Zeroizing::new([secret.value(), end.as_bytes()].concat());
            Proposal::new(Cause::SecretWhitespace, what, Edit::Secret(secret.with_value(&value)))
        })
    }))
}

/// What stands around a secret and does not belong to it, and the secret without.
fn cleaned(value: &[u8]) -> Option<(&[u8], String)> {
    const ESCAPED_NEWLINES: [&[u8]; 2] = [b"\\n", b"\\r"];
    let mut kept = value;
    let mut found: Vec<&str> = Vec::new();
    loop {
        let (rest, what) = match kept {
            [first @ (b'"' | b'\'' | b'`'), rest @ .., last] if first == last => (rest, "quotation marks around it"),
            [rest @ .., b'\n'] => (rest, "a line feed at its end"),
            [rest @ .., b'\r'] => (rest, "a carriage return at its end"),
            [rest @ .., b' '] => (rest, "a space at its end"),
            [rest @ .., b'\t'] => (rest, "a tab at its end"),
            [rest @ .., 0xc2, 0xa0] => (rest, "a no-break space at its end"),
            [0xef, 0xbb, 0xbf, rest @ ..] => (rest, "a byte order mark in front"),
            [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] => (rest, "white space in front"),
            [rest @ .., a, b] if ESCAPED_NEWLINES.contains(&&[*a, *b][..]) => {
                (rest, "an escaped line break at its end")
            }
            [rest @ .., b'"' | b'\'' | b'`'] => (rest, "a quotation mark at its end"),
            [b'"' | b'\'' | b'`', rest @ ..] => (rest, "a quotation mark in front"),
            _ => break,
        };
        if !found.contains(&what) {
            found.push(what);
        }
        kept = rest;
    }
    (!found.is_empty() && !kept.is_empty()).then(|| (kept, found.join(" and ")))
}

/// What stands behind `NAME=`, pasted with its name.
fn assigned(value: &[u8]) -> Option<&[u8]> {
    let equals = memchr::memchr(b'=', value)?;
    let (name, rest) = (value[..equals].trim_ascii(), &value[equals + 1..]);
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b' ');
    let quoted = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
    let start = rest.iter().position(|byte| !quoted(byte))?;
    let end = rest.iter().rposition(|byte| !quoted(byte))?;
    (name.len() > 2 && name.iter().all(is_name)).then(|| &rest[start..=end])
}

/// The provider's secrets, decoded or not where the provider does otherwise.
pub(super) fn other_forms<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    if !case.scheme.algorithm.is_symmetric() {
        return Box::new(std::iter::empty());
    }
    Box::new(case.own.iter().flat_map(|secret| {
        let usual = case.scheme.key.keys(secret.value());
        forms(secret.value()).into_iter().filter(move |(key, _)| !usual.contains(key)).map(|(key, what)| {
            let what = format!("with the secret `{}` {what}, the signature fits", secret.name());
            Proposal::new(Cause::SecretEncoding, what, Edit::Key(secret.with_value(&key)))
        })
    }))
}

/// A secret in the forms in which it is used by mistake, and what each one is.
fn forms(value: &[u8]) -> Vec<(Zeroizing<Vec<u8>>, &'static str)> {
    const PREFIX: &[u8] = b"whsec_";
    let versioned = value.strip_prefix(b"v1,").unwrap_or(value);
    let bare = versioned.strip_prefix(PREFIX).unwrap_or(versioned);
    let owned = |key: &[u8]| Some(Zeroizing::new(key.to_vec()));
    let base64 = |text: &[u8]| {
        let text: Zeroizing<Vec<u8>> = Zeroizing::new(text.iter().map(|byte| url_unsafe(*byte)).collect());
        LENIENT.decode(&text).ok().map(Zeroizing::new)
    };
    let forms = [
        (owned(value), "as plain text, nothing decoded"),
        (owned(bare), "as plain text without its prefix"),
        (owned(versioned), "as plain text without `v1,`"),
        (base64(bare), "decoded from base64"),
        (hex::decode(bare).ok().map(Zeroizing::new), "decoded from hexadecimal"),
        (Some(Zeroizing::new([PREFIX, bare].concat())), "with `whsec_` in front, as plain text"),
    ];
    let mut found: Vec<(Zeroizing<Vec<u8>>, &'static str)> = Vec::with_capacity(forms.len());
    for (key, what) in forms {
        if let Some(key) = key.filter(|key| !key.is_empty() && found.iter().all(|(known, _)| known != key)) {
            found.push((key, what));
        }
    }
    found
}

fn url_unsafe(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

/// Dashboards show secrets with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How many other secrets are tried: a project has some, and one of each would be a list of 88 providers.
const OTHERS_LIMIT: usize = 128;

/// Every other secret that is known: of another provider, of another kind.
pub(super) fn others<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let is_own = |secret: &Secret| case.own.iter().any(|own| std::ptr::eq(*own, secret));
    let others = case.secrets.iter().filter(move |(_, secret)| !is_own(secret)).take(OTHERS_LIMIT);
    Box::new(others.flat_map(move |(provider, secret)| {
        let what = move || format!("the secret `{}` of {} fits", secret.name(), provider.title()).into();
        let mut keys = case.scheme.key.keys(secret.value());
        if case.scheme.algorithm.is_symmetric() {
            let raw = Zeroizing::new(secret.value().to_vec());
            if !keys.contains(&raw) {
                keys.push(raw);
            }
        }
        let as_key = move |key: Zeroizing<Vec<u8>>| Proposal {
            cause: Cause::WrongSecret,
            what: what(),
            edit: Edit::Key(secret.with_value(&key)),
        };
        let public = (!case.scheme.algorithm.is_symmetric()).then(|| Proposal {
            cause: Cause::WrongSecret,
            what: what(),
            edit: Edit::Secret(secret.clone()),
        });
        let symmetric = case.scheme.algorithm.is_symmetric().then_some(keys).into_iter().flatten().map(as_key);
        public.into_iter().chain(symmetric)
    }))
}

/// What is left where a variable was never set.
pub(super) fn unset<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    const UNSET: [(&str, &str); 5] = [
        ("", "an empty secret"),
        ("undefined", "`undefined` as secret: a variable in JavaScript that is not set"),
        ("null", "`null` as secret"),
        ("None", "`None` as secret: a variable in Python that is not set"),
        ("false", "`false` as secret"),
    ];
    let Some(first) = case.own.first().filter(|_| case.scheme.algorithm.is_symmetric()) else {
        return Box::new(std::iter::empty());
    };
    Box::new(UNSET.iter().map(|(value, what)| {
        let what = format!("it was signed with {what}");
        Proposal::new(Cause::WrongSecret, what, Edit::Key(first.with_value(value.as_bytes())))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_belong_to_a_secret() {
        let shown = |value: &str| {
            let (kept, what) = cleaned(value.as_bytes())?;
            Some((String::from_utf8(kept.to_vec()).unwrap(), what))
        };
        let expected = [
            ("key\n", "key", "a line feed at its end"),
            ("\"key\"", "key", "quotation marks around it"),
            (
                " 'key'\r\n",
                "key",
                "a line feed at its end and a carriage return at its end and white space in front and quotation marks around it",
            ),
            ("key\\n", "key", "an escaped line break at its end"),
            ("key\u{a0}", "key", "a no-break space at its end"),
        ];
        for (value, kept, what) in expected {
            assert_eq!(shown(value), Some((kept.to_owned(), what.to_owned())), "{value:?}");
        }
        assert_eq!((shown("key"), shown("\"\""), shown("")), (None, None, None));
        assert_eq!(assigned(b"WEBHOOK_SECRET=\"key\" "), Some(&b"key"[..]));
        assert_eq!((assigned(b"a2V5="), assigned(b"A=b")), (None, None));
    }

    #[test]
    fn forms_of_a_secret() {
        let keys = |value: &str| -> Vec<_> {
            forms(value.as_bytes()).iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect()
        };
        assert_eq!(keys("v1,whsec_a2V5"), ["v1,whsec_a2V5", "a2V5", "whsec_a2V5", "key"]);
        assert_eq!(keys("6b6579"), ["6b6579", "\u{9fb9}\u{fffd}", "key", "whsec_6b6579"]);
    }
}
