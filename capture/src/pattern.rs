//! Texts to look for, with `*` for anything. Letters of ASCII count the same in upper and lower case.

use memchr::memmem::Finder;

use crate::sieve;

/// Stands for any text between two parts. UTF-8 has no such byte, so it is in no part.
const ANY: u8 = 0xFF;

/// How much of a text is put into lower case at a time, in bytes: it stays in the processor's nearest cache.
const CHUNK: usize = 4096;

/// The longest part, in bytes: several chunks' overlap would be mostly overlap.
pub(crate) const LONGEST_PART: usize = CHUNK / 4;

/// A text to fit, with `*` for anything.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// Its parts in lower case with [`ANY`] between them: how it travels into SQL functions.
    encoded: Vec<u8>,
    /// What stands between the wildcards; the first and the last are anchored. Never empty.
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    lower: Vec<u8>,
    finder: Finder<'static>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.encoded == other.encoded
    }
}

impl Pattern {
    /// A pattern of pieces: a text, or none for a wildcard.
    pub(crate) fn of<'a>(pieces: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut encoded = Vec::new();
        for piece in pieces {
            match piece {
                Some(text) => encoded.extend(text.bytes().map(|byte| byte.to_ascii_lowercase())),
                None if encoded.last() == Some(&ANY) => {}
                None => encoded.push(ANY),
            }
        }
        Self::decode(&encoded)
    }

    /// One that fits every text.
    pub(crate) fn any() -> Self {
        Self::of([None])
    }

    /// Reads what [`encoded`](Self::encoded) gave.
    pub(crate) fn decode(encoded: &[u8]) -> Self {
        let part = |lower: &[u8]| Part { lower: lower.to_vec(), finder: Finder::new(lower).into_owned() };
        Self { encoded: encoded.to_vec(), parts: encoded.split(|&byte| byte == ANY).map(part).collect() }
    }

    /// The form in which it is handed to SQL.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Its text in lower case, if it has no wildcard.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [only] => std::str::from_utf8(&only.lower).ok(),
            _ => None,
        }
    }

    /// The trigrams that any text has which it fits; none if it has no part that long.
    pub(crate) fn trigrams(&self) -> Vec<u32> {
        self.parts.iter().flat_map(|part| sieve::trigrams(&part.lower)).collect()
    }

    /// Whether the whole text is as it says.
    pub(crate) fn fits(&self, text: &[u8]) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_none_or(|only| text.eq_ignore_ascii_case(&only.lower));
        };
        let Some((beginning, text)) = text.split_at_checked(first.lower.len()) else {
            return false;
        };
        let Some(text_length) = text.len().checked_sub(last.lower.len()) else {
            return false;
        };
        let (mut text, end) = text.split_at(text_length);
        let anchored = beginning.eq_ignore_ascii_case(&first.lower) && end.eq_ignore_ascii_case(&last.lower);
        anchored
            && middle.iter().all(|part| match part.find(text) {
                Some(at) => {
                    text = &text[at + part.lower.len()..];
                    true
                }
                None => false,
            })
    }
}

impl Part {
    /// Where it first stands in the text. A chunk at a time is put into lower case, so that the search itself can be a plain one.
    fn find(&self, text: &[u8]) -> Option<usize> {
        let mut chunk = [0; CHUNK];
        // What a chunk must repeat of the one before, so that no place lies across a border.
        let overlap = self.lower.len().saturating_sub(1).min(LONGEST_PART);
        let mut start = 0;
        loop {
            let rest = &text[start..];
            let length = rest.len().min(CHUNK);
            let lower = &mut chunk[..length];
            lower.copy_from_slice(&rest[..length]);
            lower.make_ascii_lowercase();
            if let Some(at) = self.finder.find(lower) {
                return Some(start + at);
            }
            if rest.len() <= CHUNK {
                return None;
            }
            start += CHUNK - overlap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        let mut pieces: Vec<Option<&str>> = text.split('*').flat_map(|part| [None, Some(part)]).collect();
        pieces.remove(0);
        Pattern::of(pieces)
    }

    #[test]
    fn a_pattern_fits_the_whole_text() {
        let cases = [
            ("payment.captured", "payment.captured", true),
            ("payment.captured", "PAYMENT.captured", true),
            ("payment", "payment.captured", false),
            ("payment.*", "payment.captured", true),
            ("payment.*", "payment.", true),
            ("payment.*", "payment", false),
            ("*.captured", "payment.captured", true),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab*", "abab", true),
            ("*ab*ab*", "abb", false),
            ("**b**", "abc", true),
            ("\u{e9}*", "\u{e9}t\u{e9}", true),
        ];
        for (text, subject, fits) in cases {
            assert_eq!(pattern(text).fits(subject.as_bytes()), fits, "{text:?} on {subject:?}");
        }
    }

    #[test]
    fn a_text_across_chunks_is_found_wherever_it_lies() {
        for at in CHUNK - 20..CHUNK + 20 {
            let mut text = vec![b'.'; 2 * CHUNK];
            text[at..at + 7].copy_from_slice(b"pay_29Q");
            assert!(pattern("*PAY_29q*").fits(&text), "{at}");
            assert!(!pattern("*pay_29R*").fits(&text), "{at}");
        }
    }

    proptest! {
        /// Against the plainest matcher there is.
        #[test]
        fn it_fits_what_a_naive_matcher_fits(shape in "[ab*]{0,6}", text in "[abAB]{0,8}") {
            fn naive(shape: &[u8], text: &[u8]) -> bool {
                match (shape.split_first(), text.split_first()) {
                    (None, None) => true,
                    (Some((b'*', rest)), after) => {
                        naive(rest, text) || after.is_some_and(|(_, text)| naive(shape, text))
                    }
                    (Some((a, shape)), Some((b, text))) => a.eq_ignore_ascii_case(b) && naive(shape, text),
                    _ => false,
                }
            }
            prop_assert_eq!(pattern(&shape).fits(text.as_bytes()), naive(shape.as_bytes(), text.as_bytes()));
        }
    }
}
