//! Edits of headers and of the method.

use super::edit::{Edit, Proposal, Proposals};
use super::workbench::Case;
use crate::cause::Cause;
use crate::scheme::{Layout, Part, Place};

type Lines = Vec<(Vec<u8>, Vec<u8>)>;

fn lines(case: &Case<'_>) -> Lines {
    case.request.headers.entries().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

/// The timestamp in milliseconds instead of seconds, or the other way.
pub(super) fn other_times<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let places = case.scheme.time.iter().map(|rule| rule.place).chain(case.scheme.signature.iter().copied());
    let names: Vec<&str> = places
        .flat_map(|place| match place {
            Place::Header(name) => vec![name],
            Place::AnyHeader(names) => names.to_vec(),
            _ => Vec::new(),
        })
        .collect();
    if case.scheme.time.is_none() {
        return Box::new(std::iter::empty());
    }
    let all = lines(case);
    let edited = (0..all.len()).filter_map(move |index| {
        let (name, value) = &all[index];
        let named = names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        let (value, unit) = if named { in_other_unit(value)? } else { return None };
        let mut edited = all.clone();
        edited[index].1 = value;
        let what = format!("with the time in {unit}, the signature fits");
        Some(Proposal::new(Cause::TimestampUnit, what, Edit::Headers(edited)))
    });
    Box::new(edited)
}

/// The first unix time in a value, in the other unit.
fn in_other_unit(value: &[u8]) -> Option<(Vec<u8>, &'static str)> {
    /// Since 2001 and until 2286, unix seconds have ten digits; milliseconds have three more.
    const SECONDS: usize = 10;
    let mut start = 0;
    for run in value.split(|byte| !byte.is_ascii_alphanumeric()) {
        let end = start + run.len();
        let digits = run.iter().all(u8::is_ascii_digit);
        if digits && run.len() == SECONDS {
            return Some(([&value[..end], b"000", &value[end..]].concat(), "milliseconds"));
        }
        if digits && run.len() == SECONDS + 3 {
            return Some(([&value[..end - 3], &value[end..]].concat(), "seconds"));
        }
        start = end + 1;
    }
    None
}

/// Other methods, where the method is signed.
pub(super) fn methods<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    const METHODS: [&str; 5] = ["POST", "GET", "PUT", "PATCH", "DELETE"];
    let is_signed = case.scheme.content.iter().any(|part| matches!(part, Part::Method | Part::Made(_)));
    let current = case.request.method;
    let others = METHODS.into_iter().filter(move |method| is_signed && method.as_bytes() != current);
    Box::new(others.map(|method| {
        let what = format!("with the method `{method}`, the signature fits");
        Proposal::new(Cause::MethodMismatch, what, Edit::Method(method.as_bytes()))
    }))
}

/// The value of any other header that could be a signature, in the place of the right one.
pub(super) fn other_headers<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let Some(header) = case.scheme.signature_header() else {
        return Box::new(std::iter::empty());
    };
    let prefix = match case.scheme.layout {
        Layout::Prefixed(prefix) | Layout::List { prefix, .. } => prefix,
        _ => "",
    };
    let all = lines(case);
    let is_signature = move |name: &[u8]| name.eq_ignore_ascii_case(header.as_bytes());
    Box::new((0..all.len()).filter_map(move |index| {
        let (name, value) = &all[index];
        let value = value.trim_ascii();
        if is_signature(name) || !could_be_signature(value) {
            return None;
        }
        let front = if value.starts_with(prefix.as_bytes()) { "" } else { prefix };
        let mut edited: Lines = all.iter().filter(|(name, _)| !is_signature(name)).cloned().collect();
        edited.push((header.as_bytes().to_vec(), [front.as_bytes(), value].concat()));
        let what = format!("the signature came in the header `{}`, not in `{header}`", String::from_utf8_lossy(name));
        Some(Proposal::new(Cause::WrongHeader, what, Edit::Headers(edited)))
    }))
}

/// Whether a value is long enough for a signature and has no blanks but between several.
fn could_be_signature(value: &[u8]) -> bool {
    /// SHA-1 in base64 without padding, the shortest signature.
    const SHORTEST: usize = 27;
    let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_,;:. ".contains(byte);
    let longest = value.split(|byte| b"=,;: ".contains(byte)).map(<[u8]>::len).max().unwrap_or(0);
    longest >= SHORTEST && value.iter().all(in_alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_change_their_unit() {
        let shown = |value: &str| {
            let (edited, unit) = in_other_unit(value.as_bytes())?;
            Some((String::from_utf8(edited).unwrap(), unit))
        };
        assert_eq!(shown("1700000000"), Some(("1700000000000".to_owned(), "milliseconds")));
        assert_eq!(shown("t=1700000000123,v1=ab"), Some(("t=1700000000,v1=ab".to_owned(), "seconds")));
        assert_eq!(shown("v1=1700000000ab"), None);
    }

    #[test]
    fn what_could_be_a_signature() {
        let digest = "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc";
        for value in [digest, &format!("sha256={digest}"), &format!("t=1,v1={digest}")] {
            assert!(could_be_signature(value.as_bytes()), "{value}");
        }
        for value in ["application/json; charset=utf-8", "GitHub-Hookshot/044aadd", "Mozilla/5.0 (X11)", "12"] {
            assert!(!could_be_signature(value.as_bytes()), "{value}");
        }
    }
}
