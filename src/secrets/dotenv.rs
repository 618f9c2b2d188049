//! `.env` files, read as the `dotenv` package of npm (v16 and later) reads them, so that hookwire and the app agree on every value.
//!
//! `KEY=value` or `KEY: value`, with or without `export`; `#` begins a comment; values in `'`, `"` or backticks may hold `#` and go
//! over several lines; `\n` and `\r` mean a line end in `"` only. Other lines are skipped, as that package does. One thing is
//! stricter: a quote that is never closed is an error here, since a secret with a stray quote would only look like a wrong one.

use std::fmt;

/// A quote that opens in this line, counted from 1, is never closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnclosedQuote {
    line: usize,
}

/// Every variable in the order of the file. A later one of the same name stands over an earlier one.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, UnclosedQuote> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut variables = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let line = text[at..].split('\n').next().unwrap_or_default();
        let next = at + line.len() + 1;
        let Some((name, value)) = assignment(line) else {
            at = next;
            continue;
        };
        // What follows the `=` up to the file's end: a quoted value may go over several lines.
        let start = at + line.len() - value.len();
        match quoted(&text[start..]) {
            Quoted::No => {
                variables.push((name.to_owned(), bare(value).to_owned()));
                at = next;
            }
            Quoted::Value { value, length } => {
                variables.push((name.to_owned(), value));
                at = start + length;
            }
            Quoted::Unclosed => return Err(UnclosedQuote { line: text[..at].matches('\n').count() + 1 }),
        }
    }
    Ok(variables)
}

enum Quoted {
    No,
    /// The value, and how many bytes it took with its quotes and the rest of its last line.
    Value {
        value: String,
        length: usize,
    },
    Unclosed,
}

/// Splits `export KEY = value` after its `=`; the value comes without the blanks before it.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(line).trim_start();
    let end = line.find(|character: char| !(character.is_ascii_alphanumeric() || "_.-".contains(character)))?;
    let (name, rest) = line.split_at(end);
    // A `:` needs a blank behind it, and none before.
    let value = match rest.trim_start().strip_prefix('=') {
        Some(value) => value,
        None => rest.strip_prefix(':').filter(|value| value.starts_with([' ', '\t']))?,
    };
    (!name.is_empty()).then_some((name, value.trim_start()))
}

/// Any other value ends at a comment. One like `'a' 'b'` loses its outer quotes there, so it does here.
fn bare(value: &str) -> &str {
    let value = value.split('#').next().unwrap_or_default().trim();
    let quote = value.chars().next().filter(|first| is_quote(*first));
    quote.and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}

fn is_quote(character: char) -> bool {
    matches!(character, '\'' | '"' | '`')
}

/// Reads a value that begins with a quote. One that has more behind its closing quote than a comment is no quoted value.
fn quoted(text: &str) -> Quoted {
    let Some(quote) = text.chars().next().filter(|first| is_quote(*first)) else {
        return Quoted::No;
    };
    let Some(end) = closing(&text[1..], quote) else { return Quoted::Unclosed };
    let behind = text[end + 2..].split('\n').next().unwrap_or_default();
    if !matches!(behind.trim_start().chars().next(), None | Some('#')) {
        return Quoted::No;
    }
    let inside = &text[1..=end];
    let value = if quote == '"' { inside.replace("\\n", "\n").replace("\\r", "\r") } else { inside.to_owned() };
    Quoted::Value { value, length: end + 2 + behind.len() }
}

/// The first quote without a backslash before it; if there is none, the last one with it.
fn closing(text: &str, quote: char) -> Option<usize> {
    let free = text.match_indices(quote).map(|(at, _)| at).find(|at| !text[..*at].ends_with('\\'));
    free.or_else(|| text.rfind(quote))
}

impl fmt::Display for UnclosedQuote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: the quote that opens here is never closed", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        let mut variables = parse(text).unwrap();
        assert_eq!(variables.len(), 1, "{variables:?}");
        variables.remove(0).1
    }

    // The expected values were compared with `require("dotenv").parse` of dotenv 16.
    #[test]
    fn values_are_those_of_the_npm_package() {
        for (text, value) in [
            ("A=b", "b"),
            ("  export   A = b  ", "b"),
            ("A: b", "b"),
            ("A=", ""),
            ("A=b # comment", "b"),
            ("A=b#comment", "b"),
            ("A=\"b # c\" # d", "b # c"),
            ("A='b\\nc'", "b\\nc"),
            ("A=\"b\\nc\"", "b\nc"),
            ("A=`it's \"so\"`", "it's \"so\""),
            ("A=\"b\\\"c\"", "b\\\"c"),
            ("A=\"b\"c", "\"b\"c"),
            ("A='b\nc'", "b\nc"),
            ("A='b' 'c'", "b' 'c"),
            ("A='b' c", "'b' c"),
            ("A=it's", "it's"),
            ("A=b=c==", "b=c=="),
            ("\u{feff}A=b\r\n", "b"),
            ("a.b-c=d", "d"),
        ] {
            assert_eq!(one(text), value, "{text:?}");
        }
    }

    #[test]
    fn other_lines_are_skipped() {
        let variables = parse("# A=1\n\njust words\nB=\"two\nlines\"\n=x\nC:3\nD=4").unwrap();
        assert_eq!(variables, [("B".into(), "two\nlines".into()), ("D".into(), "4".into())]);
    }

    #[test]
    fn an_unclosed_quote_names_its_line() {
        assert_eq!(parse("A=1\nB='2\n\nC=\"3\n").unwrap_err().line, 2);
        assert_eq!(parse("A='1\n2'\nB=\"3").unwrap_err().line, 3);
    }
}
