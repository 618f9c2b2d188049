//! What would break a valid signature in the developer's own code.

use std::borrow::Cow;
use std::fmt;

use crate::request::Request;
use crate::rewrite::dialect::{Dialect, JAVASCRIPT, ROUND_TRIPS};
use crate::rewrite::difference::{Change, Difference, between, difference};
use crate::rewrite::document::Document;
use crate::rewrite::form::{self, FORM_ROUND_TRIPS};

/// The longest body that is looked into, in bytes: reading it and writing it a dozen times is work of tens of
/// milliseconds, and webhooks are far smaller.
pub const CAUTION_BODY_LIMIT: usize = 1 << 20;

/// A round trip that does not give back the bytes that were signed: code that checks the signature over its result
/// refuses this very request although it is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caution {
    /// The round trip, as it stands in code.
    pub program: &'static str,
    /// The language or program it belongs to.
    pub language: Language,
    /// The first byte that differs, and what changed there.
    pub difference: Difference,
}

/// Whose round trip it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// Node, Deno, Bun, browsers.
    JavaScript,
    /// Python.
    Python,
    /// PHP.
    Php,
    /// Go.
    Go,
    /// Ruby.
    Ruby,
    /// Java and Kotlin.
    Java,
    /// .NET.
    DotNet,
    /// A database column.
    Database,
}

impl fmt::Display for Caution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}", self.program, self.difference)
    }
}

/// Every usual round trip that would not give back `body`, the most frequent first; none if all of them would, or if
/// the body is neither JSON nor a form.
///
/// ```
/// use hookwire_signatures::{Request, cautions};
///
/// let request = Request { method: b"POST", target: b"/", headers: &[("content-type", "application/json")], urls: &[] };
/// let found = cautions(&request, br#"{"short_url":"https:\/\/rzp.io\/i\/x"}"#);
/// let expected = r"`JSON.stringify(JSON.parse(body))` differs at byte 20: `\/` became `/`";
/// assert_eq!(found[0].to_string(), expected);
/// ```
pub fn cautions(request: &Request<'_>, body: &[u8]) -> Vec<Caution> {
    if body.is_empty() || body.len() > CAUTION_BODY_LIMIT {
        return Vec::new();
    }
    let says_form = request.fields().first("content-type").is_some_and(|kind| {
        let form = b"application/x-www-form-urlencoded";
        kind.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form))
    });
    if says_form { of_form(body) } else { of_json(body) }
}

fn of_json(body: &[u8]) -> Vec<Caution> {
    let text = String::from_utf8_lossy(body);
    let replaced = matches!(text, Cow::Owned(_));
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let Some(document) = Document::parse(text) else {
        return Vec::new();
    };
    // Only JavaScript reads bytes that are no text.
    let read_by = |dialect: &&Dialect| !replaced || dialect.name == JAVASCRIPT.name;
    let mut found: Vec<Caution> = Vec::new();
    for dialect in ROUND_TRIPS.iter().filter(read_by) {
        if let Ok(Some(difference)) = difference(&document, dialect, body) {
            found.push(Caution { program: dialect.name, language: dialect.language, difference });
        }
    }
    found
}

fn of_form(body: &[u8]) -> Vec<Caution> {
    let Some(fields) = form::parse(body) else {
        return Vec::new();
    };
    let rewritten = FORM_ROUND_TRIPS.iter().filter_map(|dialect| {
        let difference = between(body, &form::write(&fields, dialect), Change::Encoding)?;
        Some(Caution { program: dialect.name, language: dialect.language, difference })
    });
    rewritten.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &[u8], kind: &str) -> Vec<(Language, usize, Change)> {
        let headers = [("content-type", kind)];
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let cautions = cautions(&request, body);
        cautions
            .iter()
            .map(|caution| (caution.language, caution.difference.offset, caution.difference.change))
            .collect()
    }

    fn first(body: &[u8]) -> Option<(Language, usize, Change)> {
        found(body, "application/json").first().copied()
    }

    #[test]
    fn json_round_trips() {
        assert_eq!(first(br#"{"a":170.00}"#), Some((Language::JavaScript, 8, Change::Number)));
        assert_eq!(first(br#"{"a":1}"#), Some((Language::Python, 5, Change::Spacing)), "JavaScript gives it back");
        assert_eq!(first(b"{\"a\": 1, \"b\": 2}"), Some((Language::JavaScript, 5, Change::Spacing)));
        assert_eq!(first(b"\xef\xbb\xbf{\"a\":1}"), Some((Language::JavaScript, 0, Change::Bytes)));
        assert_eq!(found(b"{\"a\":\"\xff\"}", "application/json"), [(Language::JavaScript, 6, Change::Bytes)]);
        for body in [&b""[..], b"1", b"not json", b"a=b"] {
            assert_eq!(first(body), None, "{}", String::from_utf8_lossy(body));
        }
        assert_eq!(first(&[b" ".repeat(CAUTION_BODY_LIMIT), b"1".to_vec()].concat()), None);
    }

    #[test]
    fn form_round_trips() {
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        let cautions = found(b"a=b%20c&b=", kind);
        assert_eq!(cautions[0], (Language::JavaScript, 3, Change::Encoding));
        assert!(found(b"a=b", kind).is_empty());
    }
}
