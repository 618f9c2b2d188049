//! Strings as other programs spell them after they read them.

use std::borrow::Cow;
use std::io::Write as _;

use super::document::Traits;

/// How a program spells a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strings {
    /// As it was spelled: nobody made a string of it.
    Kept,
    /// Read, and written with these escapes.
    Escaped(Escapes),
}

/// What is escaped, beside quotation marks, backslashes and control characters, which every program escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Escapes {
    /// `/` as `\/`.
    pub(crate) slash: bool,
    /// [`Traits::MARKUP`], [`Traits::QUOTES`] and [`Traits::DELETE`]: those of them that become `\uXXXX`.
    pub(crate) special: Traits,
    pub(crate) non_ascii: NonAscii,
    /// Hexadecimal digits of `\uXXXX` in upper case.
    pub(crate) upper: bool,
    /// The quotation mark as `\u0022`, as .NET writes it.
    pub(crate) quote: bool,
    pub(crate) lone: LoneSurrogates,
}

/// What happens to characters above U+007F.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NonAscii {
    /// Written as they are.
    Raw,
    /// Written as they are, but for U+2028 and U+2029, which end a line in old JavaScript.
    RawButLineSeparators,
    /// Written as `\uXXXX`, in pairs of surrogates above U+FFFF.
    Escaped,
}

/// What happens to half of a surrogate pair, which is no character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoneSurrogates {
    /// Escaped again.
    Kept,
    /// Made U+FFFD.
    Replaced,
    /// The program gives up.
    Refused,
}

impl Strings {
    /// What must be in a string for this program to spell it anew.
    pub(crate) const fn concerns(self) -> Traits {
        match self {
            Self::Kept => Traits::NONE,
            Self::Escaped(escapes) => {
                let always = Traits::BACKSLASH.union(escapes.special);
                let slash = if escapes.slash { Traits::SLASH } else { Traits::NONE };
                let non_ascii = match escapes.non_ascii {
                    NonAscii::Raw => Traits::NONE,
                    NonAscii::RawButLineSeparators => Traits::LINE_SEPARATOR,
                    NonAscii::Escaped => Traits::NON_ASCII,
                };
                always.union(slash).union(non_ascii)
            }
        }
    }
}

/// Appends a string, `content` being what stood between its quotation marks; `concerns` is [`Strings::concerns`] of these
/// escapes. `None` if the program refuses it.
pub(crate) fn write(content: &str, escapes: Escapes, concerns: Traits, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'"');
    let mut rest = content;
    loop {
        // What needs no thought is copied as it is.
        let kept = rest.bytes().position(|byte| byte == b'\\' || Traits::of_byte(byte).meets(concerns));
        let (plain, concerned) = rest.split_at(kept.unwrap_or(rest.len()));
        out.extend_from_slice(plain.as_bytes());
        let Some((unit, behind)) = first_unit(concerned) else { break };
        rest = behind;
        match unit {
            Unit::Char(char) => write_char(char, escapes, out),
            Unit::Lone(surrogate) => match escapes.lone {
                LoneSurrogates::Kept => hexadecimal(surrogate, escapes.upper, out),
                LoneSurrogates::Replaced => write_char(char::REPLACEMENT_CHARACTER, escapes, out),
                LoneSurrogates::Refused => return None,
            },
        }
    }
    out.push(b'"');
    Some(())
}

/// What a string spells, in UTF-8, where half of a character is encoded as if it were one (WTF-8): equal keys have
/// equal bytes, and their order is that of the code points.
pub(crate) fn decode(content: &str) -> Cow<'_, [u8]> {
    if !content.contains('\\') {
        return Cow::Borrowed(content.as_bytes());
    }
    let mut decoded = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some((unit, behind)) = first_unit(rest) {
        rest = behind;
        match unit {
            Unit::Char(char) => decoded.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Unit::Lone(surrogate) => {
                let [high, low] = surrogate.to_be_bytes();
                decoded.extend([0xe0 | (high >> 4), 0x80 | ((high & 0xf) << 2) | (low >> 6), 0x80 | (low & 0x3f)]);
            }
        }
    }
    Cow::Owned(decoded)
}

/// Where the character or escape sequence begins that covers `offset`.
pub(crate) fn spelled_from(content: &str, offset: usize) -> usize {
    let mut start = 0;
    while let Some((spelled, _)) = content.get(start..).and_then(first_spelling) {
        if start + spelled.len() > offset {
            break;
        }
        start += spelled.len();
    }
    start
}

/// The character that is spelled from `start` on: both halves, if it is a pair of surrogates.
pub(crate) fn character_at(content: &str, start: usize) -> &str {
    let rest = content.get(start..).unwrap_or_default();
    let Some((first, behind)) = first_spelling(rest) else { return "" };
    let pair = match (code(first), first_spelling(behind).map(|(second, _)| (second, code(second)))) {
        (Code::Unit(high), Some((second, Code::Unit(low)))) if is_pair(high, low) => second.len(),
        _ => 0,
    };
    &rest[..first.len() + pair]
}

fn is_pair(high: u16, low: u16) -> bool {
    matches!((high, low), (0xd800..=0xdbff, 0xdc00..=0xdfff))
}

fn write_char(char: char, escapes: Escapes, out: &mut Vec<u8>) {
    match char {
        '"' if escapes.quote => hexadecimal(0x22, escapes.upper, out),
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '/' if escapes.slash => out.extend_from_slice(b"\\/"),
        ..'\u{20}' => hexadecimal(char as u16, escapes.upper, out),
        ..'\u{80}' if Traits::of_byte(char as u8).meets(escapes.special) => {
            hexadecimal(char as u16, escapes.upper, out);
        }
        ..'\u{80}' => out.push(char as u8),
        _ => {
            let escaped = match escapes.non_ascii {
                NonAscii::Raw => false,
                NonAscii::RawButLineSeparators => matches!(char, '\u{2028}' | '\u{2029}'),
                NonAscii::Escaped => true,
            };
            if escaped {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    hexadecimal(*unit, escapes.upper, out);
                }
            } else {
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
}

fn hexadecimal(unit: u16, upper: bool, out: &mut Vec<u8>) {
    // Writing to a vector can't fail.
    let _ = if upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
}

/// What a string is made of once its escapes are read.
enum Unit {
    Char(char),
    Lone(u16),
}

/// The first character of a string, and what follows its spelling.
fn first_unit(content: &str) -> Option<(Unit, &str)> {
    let (spelled, rest) = first_spelling(content)?;
    let first = match code(spelled) {
        Code::Char(char) => return Some((Unit::Char(char), rest)),
        Code::Unit(unit) => unit,
    };
    if let Some((second, behind)) = first_spelling(rest)
        && let Code::Unit(second) = code(second)
        && is_pair(first, second)
        && let Some(Ok(char)) = char::decode_utf16([first, second]).next()
    {
        return Some((Unit::Char(char), behind));
    }
    Some((char::from_u32(first.into()).map_or(Unit::Lone(first), Unit::Char), rest))
}

/// The first character or escape sequence of a string, and what follows it. The content of a parsed string is always cut
/// cleanly.
fn first_spelling(content: &str) -> Option<(&str, &str)> {
    let mut chars = content.chars();
    let length = match chars.next()? {
        '\\' => match chars.next() {
            Some('u') => content.len().min(6),
            Some(char) => 1 + char.len_utf8(),
            None => 1,
        },
        char => char.len_utf8(),
    };
    content.split_at_checked(length)
}

/// What one spelling stands for.
enum Code {
    Char(char),
    /// A unit of UTF-16, which may be half of a character.
    Unit(u16),
}

fn code(spelled: &str) -> Code {
    if let Some(digits) = spelled.strip_prefix("\\u") {
        return Code::Unit(u16::from_str_radix(digits, 16).unwrap_or(0xfffd));
    }
    let mut chars = spelled.chars();
    let char = match (chars.next(), chars.next()) {
        (Some('\\'), Some(escaped)) => match escaped {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            itself => itself,
        },
        (Some(char), _) => char,
        (None, _) => char::REPLACEMENT_CHARACTER,
    };
    Code::Char(char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::dialect::{DOTNET, GO, JAVASCRIPT, PHP, PYTHON, PYTHON_UTF8};

    fn written(content: &str, strings: Strings) -> Option<String> {
        let Strings::Escaped(escapes) = strings else {
            return Some(content.to_owned());
        };
        let mut out = Vec::new();
        write(content, escapes, strings.concerns(), &mut out)?;
        Some(String::from_utf8(out).unwrap().trim_matches('"').to_owned())
    }

    #[test]
    fn as_other_programs_spell_them() {
        #[rustfmt::skip]
        let expected = [
            // text, JavaScript, Python, PHP, Go, .NET
            (r"a\/b/c", "a/b/c", "a/b/c", r"a\/b\/c", "a/b/c", "a/b/c"),
            (r"Zo\u00EB ë", "Zoë ë", r"Zo\u00eb \u00eb", r"Zo\u00eb \u00eb", "Zoë ë", r"Zo\u00EB \u00EB"),
            ("😀\\ud83d\\ude00", "😀😀", r"\ud83d\ude00\ud83d\ude00", r"\ud83d\ude00\ud83d\ude00", "😀😀",
                r"\uD83D\uDE00\uD83D\uDE00"),
            (r"\b\f\n\r\t\u001B", r"\b\f\n\r\t\u001b", r"\b\f\n\r\t\u001b", r"\b\f\n\r\t\u001b", r"\b\f\n\r\t\u001b",
                r"\b\f\n\r\t\u001B"),
            (r"<b>&'+`", "<b>&'+`", "<b>&'+`", "<b>&'+`", r"\u003cb\u003e\u0026'+`",
                r"\u003Cb\u003E\u0026\u0027\u002B\u0060"),
            (r"\u002f\u0041", "/A", "/A", r"\/A", "/A", "/A"),
            ("\u{7f}\u{2028}", "\u{7f}\u{2028}", r"\u007f\u2028", "\u{7f}\\u2028", "\u{7f}\\u2028", r"\u007F\u2028"),
        ];
        for (text, javascript, python, php, go, dotnet) in expected {
            for (dialect, expected) in
                [(JAVASCRIPT, javascript), (PYTHON, python), (PHP, php), (GO, go), (DOTNET, dotnet)]
            {
                assert_eq!(written(text, dialect.strings).as_deref(), Some(expected), "{text} {}", dialect.name);
            }
        }
        assert_eq!(written(r#"\""#, DOTNET.strings).as_deref(), Some(r"\u0022"));
    }

    #[test]
    fn half_a_character() {
        for text in [r"\ud800", r"\ude00\ud83d", r"\ud83dx"] {
            assert_eq!(written(text, JAVASCRIPT.strings).as_deref(), Some(text));
            assert_eq!(written(text, PYTHON.strings).as_deref(), Some(text));
            assert_eq!(written(text, PHP.strings), None);
            assert_eq!(written(text, PYTHON_UTF8.strings), None);
        }
        assert_eq!(written(r"\ud800", GO.strings).as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn characters_at_an_offset() {
        let text = r"aë\u00eb\/\ud83d\ude00";
        let shown = |offset| character_at(text, spelled_from(text, offset));
        assert_eq!([0, 2, 7, 9, 11, 99].map(shown), ["a", "ë", r"\u00eb", r"\/", r"\ud83d\ude00", ""]);
        assert_eq!(decode(text), "aëë/😀".as_bytes());
        assert_eq!(decode(r"\ud83dx"), &b"\xed\xa0\xbdx"[..]);
    }
}
