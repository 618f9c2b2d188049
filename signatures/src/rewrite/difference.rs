//! Where a rewritten body first differs from the one received, and what changed there.

use std::fmt;
use std::ops::ControlFlow;

use super::dialect::Dialect;
use super::document::{Document, Kind, Node};
use super::number;
use super::string::{self, Strings};
use super::write::{Stopped, write};

/// The first byte that differs between a body as it was received and as a program writes it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How many bytes are alike before it: an offset into the received body.
    pub offset: usize,
    /// What kind of change it is.
    pub change: Change,
    /// What was received there.
    pub received: Snippet,
    /// What stands there when it is written again; empty if it ends there.
    pub rewritten: Snippet,
}

/// What a program changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Spaces or line breaks between the tokens.
    Spacing,
    /// The spelling of a number, and often its value.
    Number,
    /// The spelling of a character: escaped, or no longer.
    Escape,
    /// The order of keys, or a key that came twice.
    Keys,
    /// An empty object, or one that counts, became an array.
    Array,
    /// How a field of a form is encoded, or which fields there are.
    Encoding,
    /// Bytes of another kind: a byte order mark, or bytes that are not UTF-8.
    Bytes,
}

impl Change {
    /// The stable code, in kebab-case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spacing => "spacing",
            Self::Number => "number",
            Self::Escape => "escape",
            Self::Keys => "keys",
            Self::Array => "array",
            Self::Encoding => "encoding",
            Self::Bytes => "bytes",
        }
    }
}

/// A few characters of a body, for a person to see. `Debug` leaves them out: bodies hold customers' data.
#[derive(Clone, PartialEq, Eq)]
pub struct Snippet(String);

impl Snippet {
    /// The longest snippet, in characters: a number or a key fits, a sentence does not.
    const LONGEST: usize = 32;

    pub(crate) fn new(text: &str) -> Self {
        let cut = text.char_indices().nth(Self::LONGEST);
        Self(cut.map_or_else(|| text.to_owned(), |(end, _)| format!("{}…", &text[..end])))
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        /// No character is longer in UTF-8.
        const CHARACTER: usize = 4;
        Self::new(&String::from_utf8_lossy(&bytes[..bytes.len().min(Self::LONGEST * CHARACTER)]))
    }

    /// The characters. They come from the network: they must be made harmless before a terminal sees them.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Snippet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Snippet({} bytes)", self.0.len())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, received, rewritten, .. } = self;
        let (received, rewritten) = (received.as_str(), rewritten.as_str());
        write!(formatter, "differs at byte {offset}: ")?;
        match self.change {
            Change::Spacing => formatter.write_str("the white space between the tokens is another"),
            Change::Keys => write!(formatter, "where `{received}` stood comes `{rewritten}`"),
            _ if rewritten.is_empty() => write!(formatter, "it ends before `{received}`"),
            _ => write!(formatter, "`{received}` became `{rewritten}`"),
        }
    }
}

/// Compares `received` with `document` written in `dialect`; `None` if they are alike. `document` is what the program
/// reads: `received`, or its text after a byte order mark or undecodable bytes were dealt with.
pub(crate) fn difference(
    document: &Document<'_>,
    dialect: &Dialect,
    received: &[u8],
) -> Result<Option<Difference>, Stopped> {
    let mut offset = 0;
    let mut rewritten = Vec::new();
    let outcome = write(document, dialect, &mut |piece| {
        let rest = &received[offset..];
        let alike = piece.iter().zip(rest).take_while(|(left, right)| left == right).count();
        offset += alike;
        if alike < piece.len() {
            rewritten.extend_from_slice(&piece[alike..piece.len().min(alike + REWRITTEN_SEEN)]);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    match outcome {
        Ok(()) if offset == received.len() => Ok(None),
        Ok(()) | Err(Stopped::BySink) => Ok(Some(at(document, dialect, received, offset, &rewritten))),
        Err(stopped) => Err(stopped),
    }
}

/// Compares two bodies of which only the kind of change is known.
pub(crate) fn between(received: &[u8], rewritten: &[u8], change: Change) -> Option<Difference> {
    let offset = received.iter().zip(rewritten).take_while(|(left, right)| left == right).count();
    let alike = received.len() == rewritten.len() && offset == received.len();
    let found = || Difference { change, ..bytes(offset, &received[offset..], &rewritten[offset..]) };
    (!alike).then(found)
}

/// How much of the rewritten text is looked at behind the first difference, in bytes: a token that fits a snippet.
const REWRITTEN_SEEN: usize = 128;

fn at(document: &Document<'_>, dialect: &Dialect, received: &[u8], offset: usize, rewritten: &[u8]) -> Difference {
    let found = |change, received: &str, rewritten: &str| Difference {
        offset,
        change,
        received: Snippet::new(received),
        rewritten: Snippet::new(rewritten),
    };
    let is_space = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    let same_text = received == document.text().as_bytes();
    let node = document.node_at(offset).filter(|_| same_text).map(|index| document.nodes()[index]);
    if let Some(node) = node
        && let Some((change, before, after)) = in_token(document, dialect, &node, offset)
    {
        return found(change, &before, &after);
    }
    let received_here = &received[offset..];
    if !same_text && !is_space(rewritten.first()) {
        return Difference { change: Change::Bytes, ..bytes(offset, received_here, rewritten) };
    }
    if is_space(received_here.first()) || is_space(rewritten.first()) {
        return Difference { change: Change::Spacing, ..bytes(offset, received_here, rewritten) };
    }
    if received_here.starts_with(b"{") && rewritten.starts_with(b"[") {
        return found(Change::Array, "{", "[");
    }
    match node {
        Some(node) if (node.start as usize) < offset => {
            let alike = &received[node.start as usize..offset];
            let other = [alike, rewritten].concat();
            Difference {
                change: Change::Keys,
                rewritten: Snippet::new(&first_token(&other)),
                ..found(Change::Keys, document.token(&node), "")
            }
        }
        _ => Difference { change: Change::Keys, ..bytes(offset, received_here, rewritten) },
    }
}

fn bytes(offset: usize, received: &[u8], rewritten: &[u8]) -> Difference {
    Difference {
        offset,
        change: Change::Bytes,
        received: Snippet::of_bytes(received),
        rewritten: Snippet::of_bytes(rewritten),
    }
}

/// The string or word at the beginning of a rewritten text.
fn first_token(text: &[u8]) -> String {
    let quoted = text.first() == Some(&b'"');
    let end = text.iter().skip(1).position(|byte| if quoted { *byte == b'"' } else { b",:]}".contains(byte) });
    let length = end.map_or(text.len(), |end| end + 1 + usize::from(quoted));
    String::from_utf8_lossy(&text[..length]).into_owned()
}

/// What changed in a token, if it is its own spelling that differs first at `offset`.
fn in_token(
    document: &Document<'_>,
    dialect: &Dialect,
    node: &Node,
    offset: usize,
) -> Option<(Change, String, String)> {
    let token = document.token(node);
    let inside = offset.checked_sub(node.start as usize)?;
    let mut written = Vec::new();
    match (node.kind, dialect.strings) {
        (Kind::String, Strings::Escaped(escapes)) => {
            string::write(&token[1..token.len() - 1], escapes, dialect.strings.concerns(), &mut written)?;
        }
        (Kind::Number, _) => number::write(token, dialect.numbers, &mut written)?,
        _ => return None,
    }
    let alike = token.bytes().zip(&written).take_while(|(left, right)| left == *right).count();
    let written = String::from_utf8(written).ok()?;
    if alike != inside || token == written {
        return None;
    }
    if node.kind == Kind::Number {
        return Some((Change::Number, token.to_owned(), written));
    }
    let content = |text: &str| text[1..text.len() - 1].to_owned();
    let (before, after) = (content(token), content(&written));
    let start = string::spelled_from(&before, inside - 1);
    let spelled = |text: &str| string::character_at(text, start).to_owned();
    Some((Change::Escape, spelled(&before), spelled(&after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::dialect::{GO, JAVASCRIPT, JSONB, PHP, PYTHON, PYTHON_UTF8};

    fn shown(text: &str, dialect: &Dialect) -> Option<(usize, Change, String, String)> {
        let document = Document::parse(text).unwrap();
        let found = difference(&document, dialect, text.as_bytes()).unwrap()?;
        Some((found.offset, found.change, found.received.0, found.rewritten.0))
    }

    #[test]
    fn the_first_difference_is_named() {
        let expected = [
            (r#"{"a":170.00}"#, JAVASCRIPT, Some((8, Change::Number, "170.00", "170"))),
            (r#"{"a":"x\/y"}"#, JAVASCRIPT, Some((7, Change::Escape, r"\/", "/"))),
            (r#"{"a":"x/y"}"#, PHP, Some((7, Change::Escape, "/", r"\/"))),
            (r#"{"a":"\u00EB"}"#, PYTHON_UTF8, Some((5, Change::Spacing, r#""\u00EB"}"#, r#" "ë"}"#))),
            (r#"["\u00EB"]"#, PYTHON, Some((6, Change::Escape, r"\u00EB", r"\u00eb"))),
            (r#"["\ud83d\ude00"]"#, JAVASCRIPT, Some((2, Change::Escape, r"\ud83d\ude00", "😀"))),
            (r#"["😀"]"#, PYTHON, Some((2, Change::Escape, "😀", r"\ud83d\ude00"))),
            (r#"{"id":1,"amount":2}"#, GO, Some((2, Change::Keys, "\"id\"", "\"amount\""))),
            (r#"{"idx":1,"id":2}"#, GO, Some((4, Change::Keys, "\"idx\"", "\"id\""))),
            (r#"{"a":{}}"#, PHP, Some((5, Change::Array, "{", "["))),
            ("{\"a\":1}\n", JAVASCRIPT, Some((7, Change::Spacing, "\n", ""))),
            (r#"{"b":1,"aa":2}"#, JSONB, Some((5, Change::Spacing, r#"1,"aa":2}"#, r#" 1, "aa": 2}"#))),
            (r#"{"b":"ë/","a":2}"#, JAVASCRIPT, None),
        ];
        for (text, dialect, expected) in expected {
            let expected = expected.map(|(offset, change, received, rewritten)| {
                (offset, change, received.to_owned(), rewritten.to_owned())
            });
            assert_eq!(shown(text, &dialect), expected, "{text} {}", dialect.name);
        }
    }

    #[test]
    fn a_snippet_is_short_and_not_in_debug() {
        let long = format!("[{}.0]", "9".repeat(100));
        let (_, _, received, _) = shown(&long, &JAVASCRIPT).unwrap();
        assert_eq!(received.chars().count(), Snippet::LONGEST + 1);
        assert_eq!(format!("{:?}", Snippet::new("secret")), "Snippet(6 bytes)");
    }
}
