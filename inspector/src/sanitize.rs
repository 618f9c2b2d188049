//! The one place that decides which untrusted bytes may reach a terminal.

use std::{
    borrow::Cow,
    fmt::Write as _,
    slice,
    str::{Chars, Utf8Chunks},
};

use unicode_width::UnicodeWidthChar;

/// Makes bytes from anywhere fit to be shown: what a person can see stays, all else becomes an escape that can be seen.
///
/// Escaped are control characters (C0, DEL, C1), whatever turns the direction of writing, line and paragraph separators,
/// spaces other than U+0020, zero-width and other invisible characters, unassigned and private ones, marks without a
/// letter to stand on or piled up too high, and bytes that are not UTF-8. The escapes are `\n`, `\r`, `\t`, `\x1b` for
/// what is one byte, and `\u{202e}` for the rest. A backslash stays as it is, so the escape is for eyes, not for parsing.
pub fn sanitize(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) => Cow::Borrowed(text),
        _ => Cow::Owned(escaped(bytes)),
    }
}

/// Bytes as text that loses nothing but what is not UTF-8, which becomes `\x9b`; for JSON, which has escapes of its own.
pub(crate) fn as_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(2 * bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        push_invalid(chunk.invalid(), &mut text);
    }
    Cow::Owned(text)
}

/// What [`sanitize`] shows, character by character.
pub(crate) fn units(bytes: &[u8]) -> Units<'_> {
    // There is no letter yet that a mark could stand on.
    Units { chunks: bytes.utf8_chunks(), valid: "".chars(), invalid: [].iter(), marks: MAX_MARKS }
}

/// One character of the input, or one byte that is part of none.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// It shows as itself.
    Visible(char),
    /// It shows as an escape.
    Escaped(char),
    /// It is not UTF-8, and shows as an escape.
    Invalid(u8),
}

impl Unit {
    /// How many bytes of the input it stands for.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Visible(c) | Self::Escaped(c) => c.len_utf8(),
            Self::Invalid(_) => 1,
        }
    }

    /// How many columns it takes.
    pub(crate) fn columns(self) -> usize {
        match self {
            Self::Visible(c) => c.width().unwrap_or(0),
            Self::Escaped('\n' | '\r' | '\t') => 2,
            Self::Escaped('\0'..='\u{7f}') | Self::Invalid(_) => 4,
            // `\u{` and `}` around one hexadecimal digit for each four bits.
            Self::Escaped(c) => 4 + (u32::from(c).ilog2() / 4 + 1) as usize,
        }
    }
}

/// See [`units`].
pub(crate) struct Units<'a> {
    chunks: Utf8Chunks<'a>,
    valid: Chars<'a>,
    invalid: slice::Iter<'a, u8>,
    /// How many marks stand on the last letter; all that may where there is none, as behind an escape.
    marks: usize,
}

impl Iterator for Units<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        loop {
            if let Some(c) = self.valid.next() {
                self.marks = if c.width() == Some(0) { self.marks + 1 } else { 0 };
                let visible = is_visible(c) && self.marks <= MAX_MARKS;
                if !visible {
                    self.marks = MAX_MARKS;
                }
                return Some(if visible { Unit::Visible(c) } else { Unit::Escaped(c) });
            }
            if let Some(&byte) = self.invalid.next() {
                self.marks = MAX_MARKS;
                return Some(Unit::Invalid(byte));
            }
            let chunk = self.chunks.next()?;
            self.valid = chunk.valid().chars();
            self.invalid = chunk.invalid().iter();
        }
    }
}

/// Whether a character shows as itself, and does nothing else.
pub(crate) fn is_visible(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{9f}' => false,
        _ => !is_ignorable(c) && has_a_glyph(c),
    }
}

/// How many marks may stand on one letter. Real text needs two or three (Vietnamese, Hebrew, Thai); a hundred of them
/// would paint over the lines above.
const MAX_MARKS: usize = 4;

fn escaped(bytes: &[u8]) -> String {
    // Escapes are rare, and four times as long as what they stand for.
    let mut text = String::with_capacity(bytes.len() + 32);
    for unit in units(bytes) {
        match unit {
            Unit::Visible(c) => text.push(c),
            Unit::Escaped(c) => push_escape(c, &mut text),
            Unit::Invalid(byte) => push_invalid(&[byte], &mut text),
        }
    }
    text
}

fn push_escape(c: char, text: &mut String) {
    let written = match c {
        '\n' => text.write_str("\\n"),
        '\r' => text.write_str("\\r"),
        '\t' => text.write_str("\\t"),
        '\0'..='\u{7f}' => write!(text, "\\x{:02x}", u32::from(c)),
        _ => write!(text, "\\u{{{:x}}}", u32::from(c)),
    };
    debug_assert!(written.is_ok(), "writing to a string can't fail");
}

fn push_invalid(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        let written = write!(text, "\\x{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a string can't fail");
    }
}

/// Letters and marks that show as nothing (`Default_Ignorable_Code_Point` of Unicode's `DerivedCoreProperties.txt`), as
/// far as [`has_a_glyph`] does not know them: joiners, fillers and variation selectors, whose width terminals dispute.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether the standard library prints `c` as itself where text is shown for debugging: its table leaves out the general
/// categories control, format, surrogate, private use, unassigned and separator (`library/core/src/unicode/printable.py`).
fn has_a_glyph(c: char) -> bool {
    // A mark is escaped at the start of a string, whatever it is: a letter goes before.
    let mut probe = [b'a', 0, 0, 0, 0];
    let length = 1 + c.encode_utf8(&mut probe[1..]).len();
    str::from_utf8(&probe[..length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn what_can_be_seen_stays() {
        for text in ["", "/verification?a=b", "\\x1b", "₹ 500.00", "支付成功", "नमस्ते", "Tiếng Việt", "e\u{301}", "🚀"]
        {
            assert_eq!(sanitize(text.as_bytes()), text);
        }
        assert!(matches!(sanitize(b"/verification"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_can_not_be_seen_becomes_an_escape() {
        let cases: [(&[u8], &str); 16] = [
            (b"\x1b[2J\x07", "\\x1b[2J\\x07"),
            (b"a\r\n\tb\x00\x7f", "a\\r\\n\\tb\\x00\\x7f"),
            // A C1 control as one raw byte, and as UTF-8: terminals obey both.
            (b"\x9b31m", "\\x9b31m"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
            ("gpj.\u{202e}exe".as_bytes(), "gpj.\\u{202e}exe"),
            ("\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}".as_bytes(), "\\u{2066}\\u{2069}\\u{200e}\\u{200f}\\u{61c}"),
            ("a\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}".as_bytes(), "a\\u{200b}\\u{200c}\\u{200d}\\u{2060}\\u{feff}"),
            ("\u{2028}\u{2029}\u{a0}\u{3000}".as_bytes(), "\\u{2028}\\u{2029}\\u{a0}\\u{3000}"),
            ("\u{e000}\u{378}\u{10ffff}".as_bytes(), "\\u{e000}\\u{378}\\u{10ffff}"),
            ("\u{ad}\u{fe0f}\u{e0041}\u{3164}".as_bytes(), "\\u{ad}\\u{fe0f}\\u{e0041}\\u{3164}"),
            (b"ok\xff\xfe", "ok\\xff\\xfe"),
            (b"\xe2\x82", "\\xe2\\x82"),
            ("\u{301}a".as_bytes(), "\\u{301}a"),
            // What stands for a character is no letter: a mark behind it shows alike wherever the text is cut.
            (b"a\xff\xcc\x81", "a\\xff\\u{301}"),
            ("a\u{200d}\u{301}".as_bytes(), "a\\u{200d}\\u{301}"),
            ("a\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(), "a\u{301}\u{301}\u{301}\u{301}\\u{301}"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sanitize(bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_visible_text(bytes: Vec<u8>) {
            prop_assert!(sanitize(&bytes).chars().all(is_visible));
        }

        #[test]
        fn units_tell_what_is_shown(bytes: Vec<u8>, text: String) {
            for bytes in [&bytes[..], text.as_bytes()] {
                let columns: usize = units(bytes).map(Unit::columns).sum();
                prop_assert_eq!(columns, crate::columns::width(&sanitize(bytes)));
                prop_assert_eq!(units(bytes).map(Unit::bytes).sum::<usize>(), bytes.len());
            }
        }

        #[test]
        fn any_text_becomes_visible_text(text: String) {
            let shown = sanitize(text.as_bytes());
            prop_assert!(shown.chars().all(is_visible));
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert_eq!(sanitize(shown.as_bytes()), shown.as_ref());
        }
    }
}
