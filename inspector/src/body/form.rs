//! `application/x-www-form-urlencoded` as a table (<https://url.spec.whatwg.org/#application/x-www-form-urlencoded>).

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

use crate::{
    columns,
    line::Role,
    rendered::{Content, Pieces},
    sanitize::sanitize,
};

/// Pairs of a form, decoded.
pub(super) struct Form {
    text: Bytes,
    pairs: Vec<Range<u32>>,
    /// The columns that keys get.
    key_columns: usize,
}

impl Form {
    /// The pairs of `text` that stand at `pairs`.
    pub(super) fn new(text: Bytes, pairs: Vec<Range<u32>>) -> Self {
        let shown = pairs.iter().take(MEASURED_PAIRS);
        let width = |pair: &Range<u32>| {
            let (key, _) = split(&text[pair.start as usize..pair.end as usize]);
            columns::width(&sanitize(&decode(key)))
        };
        let key_columns = shown.map(width).filter(|&width| width <= MAX_KEY_COLUMNS).max().unwrap_or_default();
        Self { text, pairs, key_columns }
    }
}

/// Where the pairs of a form stand.
pub(super) fn pairs(text: &[u8]) -> Vec<Range<u32>> {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut start = 0;
    let ends = memchr::memchr_iter(b'&', text).chain([text.len()]);
    let ranges = ends.map(|end| std::mem::replace(&mut start, end + 1)..end);
    ranges.filter(|pair| !pair.is_empty()).map(|pair| offset(pair.start)..offset(pair.end)).collect()
}

/// Key and value of a pair, undecoded.
pub(super) fn split(pair: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', pair) {
        Some(at) => (&pair[..at], Some(&pair[at + 1..])),
        None => (pair, None),
    }
}

/// Undoes `+` and `%2B`; a `%` without two digits stands for itself.
pub(super) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'+', b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let digit = |at: usize| text.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    Cow::Owned(decoded)
}

impl Content for Form {
    fn lines(&self) -> usize {
        self.pairs.len()
    }

    fn line<'a>(&'a self, index: usize, pieces: &mut Pieces<'a>) {
        let pair = &self.pairs[index];
        let (key, value) = split(&self.text[pair.start as usize..pair.end as usize]);
        let key = decode(key);
        let padding = self.key_columns.saturating_sub(columns::width(&sanitize(&key)));
        pieces.push(Role::Key, key);
        if let Some(value) = value {
            pieces.push(Role::Plain, " ".repeat(padding).into_bytes());
            pieces.word(Role::Punctuation, " = ");
            pieces.push(Role::String, decode(value));
        }
        pieces.hang = self.key_columns + 3;
    }
}

/// Keys beyond it have no say in the columns; nor have pairs far below the first screen.
const MAX_KEY_COLUMNS: usize = 32;
const MEASURED_PAIRS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_and_decoded() {
        let text = b"&a=1&&b+c=%7B%22x%22%7d&d&e=%zz%4&f==";
        let pairs: Vec<_> = pairs(text)
            .into_iter()
            .map(|pair| {
                let (key, value) = split(&text[pair.start as usize..pair.end as usize]);
                let text = |bytes| String::from_utf8(decode(bytes).into_owned()).unwrap();
                (text(key), value.map(text))
            })
            .collect();
        let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(
            pairs,
            [
                pair("a", Some("1")),
                pair("b c", Some("{\"x\"}")),
                pair("d", None),
                pair("e", Some("%zz%4")),
                pair("f", Some("=")),
            ]
        );
    }
}
