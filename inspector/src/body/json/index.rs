//! JSON told line by line: where each line's key and value stand in the text, and which lines a container spans.

use std::ops::Range;

use super::tokens::{Bracket, Stop, Token, Tokens};

/// The lines of a text, as they are when every item has one of its own.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) lines: Vec<Line>,
    /// The containers, in the order they open.
    pub(crate) nodes: Vec<Container>,
    /// Where the text stops being JSON; none if all of it is.
    pub(crate) stop: Option<Stop>,
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    key: Option<Place>,
    pub(crate) what: What,
    /// How many containers stand around it.
    pub(crate) depth: u16,
    /// Whether a comma follows.
    pub(crate) comma: bool,
}

impl Line {
    /// Where the key stands, quotes included.
    pub(crate) fn key(&self) -> Option<Range<usize>> {
        self.key.map(Place::range)
    }
}

/// What stands on a line beside its key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A string, a number or a literal.
    Scalar(Place),
    /// The beginning of the container with this number.
    Open(u32),
    /// Its end.
    Close(u32),
    /// A container with nothing in it.
    Empty(Bracket),
    /// Nothing: the text stops being JSON after the key.
    Missing,
}

/// A range in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl From<Range<usize>> for Place {
    fn from(range: Range<usize>) -> Self {
        // A text for the eye is cut far below 4 GiB.
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: offset(range.start), end: offset(range.end) }
    }
}

/// An object or array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Container {
    pub(crate) bracket: Bracket,
    /// The line where it opens.
    pub(crate) open: u32,
    /// The line where it closes; none if the text stops before.
    pub(crate) close: Option<u32>,
    /// How many items it has.
    pub(crate) items: u32,
    pub(crate) depth: u16,
}

impl Index {
    /// Reads `text`, which may be several values one after the other if `many`.
    pub(crate) fn read(text: &[u8], many: bool) -> Self {
        let mut reader = Reader { index: Self::default(), around: Vec::new(), key: None, expect: Expect::Value };
        if let Err(stop) = reader.read(Tokens::new(text), text.len(), many) {
            if let Some(key) = reader.key.take() {
                reader.line(Some(key), What::Missing);
            }
            reader.index.stop = Some(stop);
        }
        reader.index
    }

    /// The number of the container that a line opens or closes.
    pub(crate) fn opened_or_closed(&self, line: usize) -> Option<u32> {
        match self.lines.get(line)?.what {
            What::Open(node) | What::Close(node) => Some(node),
            _ => None,
        }
    }

    /// The number of the innermost container that a line stands in, or that it opens or closes.
    pub(crate) fn container_at(&self, line: usize) -> Option<u32> {
        let depth = self.lines.get(line)?.depth;
        self.opened_or_closed(line).or_else(|| {
            // The last one that opened above with one level less is the one around it.
            let before = self.nodes.partition_point(|node| (node.open as usize) < line);
            let around = self.nodes[..before].iter().rposition(|node| node.depth < depth)?;
            u32::try_from(around).ok()
        })
    }
}

struct Reader {
    index: Index,
    /// The containers that are open.
    around: Vec<u32>,
    /// A key whose value has not come yet.
    key: Option<Place>,
    expect: Expect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrClose,
    Key,
    KeyOrClose,
    Colon,
    CommaOrClose(Bracket),
    End,
}

impl Expect {
    const fn words(self) -> &'static str {
        match self {
            Self::Value => "a value",
            Self::ValueOrClose => "a value or `]`",
            Self::Key => "a key in double quotes",
            Self::KeyOrClose => "a key in double quotes or `}`",
            Self::Colon => "`:`",
            Self::CommaOrClose(Bracket::Object) => "`,` or `}`",
            Self::CommaOrClose(Bracket::Array) => "`,` or `]`",
            Self::End => "nothing after the value",
        }
    }
}

impl Reader {
    fn read(&mut self, mut tokens: Tokens<'_>, length: usize, many: bool) -> Result<(), Stop> {
        while let Some((token, place)) = tokens.next()? {
            if many && self.expect == Expect::End {
                self.expect = Expect::Value;
            }
            if !self.take(token, place.clone()) {
                return Err(Stop { at: place.start, expected: self.expect.words() });
            }
        }
        if self.expect == Expect::End { Ok(()) } else { Err(Stop { at: length, expected: self.expect.words() }) }
    }

    /// Takes a token where it may stand; says whether it may.
    fn take(&mut self, token: Token, place: Range<usize>) -> bool {
        use Expect::{Colon, CommaOrClose, Key, KeyOrClose, Value, ValueOrClose};
        match (self.expect, token) {
            (Value | ValueOrClose, Token::String | Token::Number | Token::Literal) => {
                let key = self.key.take();
                self.line(key, What::Scalar(place.into()));
                self.expect = self.after_value();
            }
            (Value | ValueOrClose, Token::Open(bracket)) => self.open(bracket),
            (ValueOrClose, Token::Close(Bracket::Array)) | (KeyOrClose, Token::Close(Bracket::Object)) => self.close(),
            (CommaOrClose(open), Token::Close(bracket)) if open == bracket => self.close(),
            (Key | KeyOrClose, Token::String) => {
                self.key = Some(place.into());
                self.expect = Colon;
            }
            (Colon, Token::Colon) => self.expect = Value,
            (CommaOrClose(bracket), Token::Comma) => {
                if let Some(line) = self.index.lines.last_mut() {
                    line.comma = true;
                }
                self.expect = if bracket == Bracket::Object { Key } else { Value };
            }
            _ => return false,
        }
        true
    }

    fn open(&mut self, bracket: Bracket) {
        let (node, open) = (number(self.index.nodes.len()), number(self.index.lines.len()));
        let key = self.key.take();
        self.line(key, What::Open(node));
        self.index.nodes.push(Container { bracket, open, close: None, items: 0, depth: self.depth() });
        self.around.push(node);
        self.expect = if bracket == Bracket::Object { Expect::KeyOrClose } else { Expect::ValueOrClose };
    }

    fn close(&mut self) {
        if let Some(node) = self.around.pop() {
            let container = &mut self.index.nodes[node as usize];
            if container.items == 0 {
                container.close = Some(container.open);
                self.index.lines[container.open as usize].what = What::Empty(container.bracket);
            } else {
                container.close = Some(number(self.index.lines.len()));
                let depth = self.depth();
                self.index.lines.push(Line { key: None, what: What::Close(node), depth, comma: false });
            }
        }
        self.expect = self.after_value();
    }

    fn line(&mut self, key: Option<Place>, what: What) {
        if let Some(&node) = self.around.last() {
            self.index.nodes[node as usize].items += 1;
        }
        self.index.lines.push(Line { key, what, depth: self.depth(), comma: false });
    }

    fn depth(&self) -> u16 {
        u16::try_from(self.around.len()).unwrap_or(u16::MAX)
    }

    fn after_value(&self) -> Expect {
        match self.around.last() {
            Some(&node) => Expect::CommaOrClose(self.index.nodes[node as usize].bracket),
            None => Expect::End,
        }
    }
}

/// There is no more than one line or container for each byte.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn stop(text: &str) -> (usize, &'static str) {
        let stop = Index::read(text.as_bytes(), false).stop.unwrap();
        (stop.at, stop.expected)
    }

    #[test]
    fn the_first_byte_that_is_no_json_is_named_with_what_should_stand_there() {
        for (text, at, expected) in [
            ("", 0, "a value"),
            ("{", 1, "a key in double quotes or `}`"),
            ("{\"a\"", 4, "`:`"),
            ("{\"a\" 1}", 5, "`:`"),
            ("{\"a\":}", 5, "a value"),
            ("{\"a\":1 \"b\":2}", 7, "`,` or `}`"),
            ("{\"a\":1,}", 7, "a key in double quotes"),
            ("{'a':1}", 1, "a key in double quotes or `}`"),
            ("[1 2]", 3, "`,` or `]`"),
            ("[1,]", 3, "a value"),
            ("[1}", 2, "`,` or `]`"),
            ("[", 1, "a value or `]`"),
            ("{} x", 3, "nothing after the value"),
            ("NaN", 0, "a value"),
            ("01", 1, "no digit after a leading `0`"),
            ("-", 1, "a digit"),
            ("1.", 2, "a digit"),
            ("1e+", 3, "a digit"),
            ("\"a", 2, "the `\"` that ends the string"),
            ("\"a\nb\"", 2, "no control character in a string"),
            ("\"\\x\"", 2, "one of `\"\\/bfnrtu` after the backslash"),
            ("\"\\u12g4\"", 5, "four hexadecimal digits after `\\u`"),
            ("\"\\u12", 5, "four hexadecimal digits after `\\u`"),
        ] {
            assert_eq!(stop(text), (at, expected), "{text}");
        }
        let stop = Index::read(b"{\"a\":\"b\xffc\"}", false).stop.unwrap();
        assert_eq!((stop.at, stop.expected), (7, "UTF-8"));
    }

    #[test]
    fn several_values_are_json_only_where_they_are_expected() {
        assert_eq!(stop("1\n2"), (2, "nothing after the value"));
        assert!(Index::read(b"{}\n[1]\n2\n", true).stop.is_none());
    }

    #[test]
    fn containers_know_their_lines() {
        let index = Index::read(br#"{"a":[1,{"b":{}}],"c":[]}"#, false);
        let nodes: Vec<_> = index.nodes.iter().map(|node| (node.open, node.close, node.items, node.depth)).collect();
        assert_eq!(
            nodes,
            [(0, Some(8), 2, 0), (1, Some(6), 2, 1), (3, Some(5), 1, 2), (4, Some(4), 0, 3), (7, Some(7), 0, 1)]
        );
        assert_eq!(index.container_at(2), Some(1));
        assert_eq!(index.container_at(4), Some(2));
        assert_eq!(index.container_at(8), Some(0));
    }

    proptest! {
        /// The judge is `serde_json`, which stops at a depth of 128, and at lone surrogates.
        #[test]
        fn what_is_json_is_so_for_others_too(text in r#"[\[\]{},:"0-9eE.+tfn\\u ax-]{0,12}"#) {
            let ours = Index::read(text.as_bytes(), false).stop.is_none();
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(ours, theirs, "{}", text);
        }

        #[test]
        fn any_bytes_are_read_to_their_end_or_to_a_stop(bytes: Vec<u8>, many: bool) {
            let index = Index::read(&bytes, many);
            prop_assert!(index.stop.is_none_or(|stop| stop.at <= bytes.len()));
        }
    }
}
