//! A JSON text as a flat list of tokens, read once so that it can be written again in many dialects.

use std::ops::{BitOr, BitOrAssign};

/// How deeply a text may nest. PHP's `json_decode` stops here too; serde_json stops at 128 already.
pub(crate) const DEPTH_LIMIT: usize = 512;

/// A JSON text (RFC 8259, and the `NaN` and `Infinity` that Python writes) with the places of its tokens.
pub(crate) struct Document<'a> {
    text: &'a str,
    /// In the order of the text; the children of an array or object stand right behind it, keys before their values.
    nodes: Vec<Node>,
    traits: Traits,
}

/// One value or key.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// What the token itself holds; for an object, what holds of its keys.
    pub(crate) traits: Traits,
    /// Where the token begins and ends in the text, quotes and brackets included.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The index of the first node that is not inside this one.
    pub(crate) next: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    /// `true`, `false`, `null`.
    Literal,
    /// `NaN`, `Infinity`, `-Infinity`: no JSON, but Python reads and writes them.
    NotFinite,
}

/// What a text holds that some writer spells in its own way. Where a trait is absent, writers agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits(u16);

impl Traits {
    pub(crate) const NONE: Self = Self(0);
    /// An escape sequence of any kind.
    pub(crate) const BACKSLASH: Self = Self(1);
    /// `/`, escaped or not.
    pub(crate) const SLASH: Self = Self(1 << 1);
    /// `<`, `>` or `&`, which writers for web pages escape.
    pub(crate) const MARKUP: Self = Self(1 << 2);
    /// `'`, `+` or a backtick, which .NET escapes.
    pub(crate) const QUOTES: Self = Self(1 << 3);
    /// U+007F, which Python escapes.
    pub(crate) const DELETE: Self = Self(1 << 4);
    /// Anything above U+007F.
    pub(crate) const NON_ASCII: Self = Self(1 << 5);
    /// A number that is not finite, or not a plain integer of at most 15 digits, which any double holds exactly.
    pub(crate) const ODD_NUMBER: Self = Self(1 << 6);
    /// Keys that are not in ascending order of their bytes.
    pub(crate) const UNSORTED: Self = Self(1 << 7);
    /// Keys that are not in order of their length first, as PostgreSQL and MySQL keep them.
    pub(crate) const UNSORTED_BY_LENGTH: Self = Self(1 << 8);
    /// A key twice in one object.
    pub(crate) const DUPLICATE: Self = Self(1 << 9);
    /// A key that JavaScript takes for an index and moves to the front.
    pub(crate) const INDEX_KEY: Self = Self(1 << 10);
    /// An object without members.
    pub(crate) const EMPTY_OBJECT: Self = Self(1 << 11);
    /// Whitespace between the tokens.
    pub(crate) const SPACED: Self = Self(1 << 12);

    /// U+2028 or U+2029, which end a line in old JavaScript.
    pub(crate) const LINE_SEPARATOR: Self = Self(1 << 13);

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What one byte of a string may be a part of.
    pub(crate) const fn of_byte(byte: u8) -> Self {
        CLASSES[byte as usize]
    }

    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Traits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for Traits {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.union(other);
    }
}

impl<'a> Document<'a> {
    /// Reads a whole text; `None` unless it is one JSON value, nested no deeper than [`DEPTH_LIMIT`].
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let mut parser = Parser { text: text.as_bytes(), position: 0, nodes: Vec::new(), traits: Traits::NONE };
        parser.space();
        parser.value(0)?;
        parser.space();
        let whole = parser.position == text.len();
        whole.then_some(Self { text, nodes: parser.nodes, traits: parser.traits })
    }

    /// What holds of any of its tokens.
    pub(crate) fn traits(&self) -> Traits {
        self.traits
    }

    /// The text as it was given.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The tokens in the order of the text. There is at least one.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The text of one token.
    pub(crate) fn token(&self, node: &Node) -> &'a str {
        &self.text[node.start as usize..node.end as usize]
    }

    /// The innermost token that covers `offset`, or else the next one.
    pub(crate) fn node_at(&self, offset: usize) -> Option<usize> {
        let behind = self.nodes.partition_point(|node| node.start as usize <= offset);
        let last = behind.checked_sub(1)?;
        if offset < self.nodes[last].end as usize { Some(last) } else { Some(behind.min(self.nodes.len() - 1)) }
    }

    /// The indices of the keys of an object; each value stands right behind its key.
    pub(crate) fn keys(&self, object: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[object].next as usize;
        let mut index = object + 1;
        std::iter::from_fn(move || {
            let key = (index < end).then_some(index)?;
            index = self.nodes[key + 1].next as usize;
            Some(key)
        })
    }

    /// The indices of the items of an array.
    pub(crate) fn items(&self, array: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[array].next as usize;
        let mut index = array + 1;
        std::iter::from_fn(move || {
            let item = (index < end).then_some(index)?;
            index = self.nodes[item].next as usize;
            Some(item)
        })
    }
}

struct Parser<'a> {
    text: &'a [u8],
    position: usize,
    nodes: Vec<Node>,
    traits: Traits,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.position += 1)
    }

    fn space(&mut self) {
        let start = self.position;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
        if self.position > start {
            self.traits |= Traits::SPACED;
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'{' | b'[' if depth == DEPTH_LIMIT => None,
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b't' => self.literal("true", Kind::Literal),
            b'f' => self.literal("false", Kind::Literal),
            b'n' => self.literal("null", Kind::Literal),
            b'N' => self.literal("NaN", Kind::NotFinite),
            b'I' => self.literal("Infinity", Kind::NotFinite),
            b'-' if self.text[self.position..].starts_with(b"-I") => self.literal("-Infinity", Kind::NotFinite),
            _ => self.number(),
        }
    }

    fn open(&mut self, kind: Kind) -> usize {
        self.push(kind, self.position, Traits::NONE);
        self.position += 1;
        self.nodes.len() - 1
    }

    fn close(&mut self, index: usize, traits: Traits) {
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[index];
        (node.end, node.next, node.traits) = (self.position as u32, next, traits);
        self.traits |= traits;
    }

    fn push(&mut self, kind: Kind, start: usize, traits: Traits) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, traits, start: start as u32, end: self.position as u32, next });
        self.traits |= traits;
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        let object = self.open(Kind::Object);
        let mut keys = Keys::default();
        self.space();
        if self.take(b'}').is_none() {
            loop {
                self.space();
                let start = self.position;
                self.string()?;
                let escaped = self.nodes.last().is_some_and(|key| key.traits.meets(Traits::BACKSLASH));
                keys.add(&self.text[start + 1..self.position - 1], escaped);
                self.space();
                self.take(b':')?;
                self.space();
                self.value(depth + 1)?;
                self.space();
                if self.take(b',').is_none() {
                    break;
                }
            }
            self.take(b'}')?;
        }
        self.close(object, keys.traits());
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let array = self.open(Kind::Array);
        self.space();
        if self.take(b']').is_none() {
            loop {
                self.space();
                self.value(depth + 1)?;
                self.space();
                if self.take(b',').is_none() {
                    break;
                }
            }
            self.take(b']')?;
        }
        self.close(array, Traits::NONE);
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        let start = self.position;
        self.take(b'"')?;
        let mut traits = Traits::NONE;
        loop {
            let byte = self.peek()?;
            self.position += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    traits |= Traits::BACKSLASH | self.escape()?;
                }
                ..0x20 => return None,
                _ => traits |= CLASSES[byte as usize],
            }
        }
        let content = &self.text[start..self.position];
        if traits.meets(Traits::LINE_SEPARATOR) && !has_line_separator(content) {
            traits = traits.without(Traits::LINE_SEPARATOR);
        }
        self.push(Kind::String, start, traits);
        Some(())
    }

    /// What stands behind a backslash, and what it stands for.
    fn escape(&mut self) -> Option<Traits> {
        let byte = self.peek()?;
        self.position += 1;
        match byte {
            b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => Some(Traits::NONE),
            b'/' => Some(Traits::SLASH),
            b'u' => {
                let digits = self.text.get(self.position..self.position + 4)?;
                let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
                let unit = u16::from_str_radix(digits, 16).ok()?;
                self.position += 4;
                Some(match unit {
                    0..0x80 => CLASSES[usize::from(unit)],
                    0x2028 | 0x2029 => Traits::NON_ASCII | Traits::LINE_SEPARATOR,
                    _ => Traits::NON_ASCII,
                })
            }
            _ => None,
        }
    }

    fn literal(&mut self, word: &str, kind: Kind) -> Option<()> {
        let start = self.position;
        if !self.text[start..].starts_with(word.as_bytes()) {
            return None;
        }
        self.position += word.len();
        let odd = if kind == Kind::NotFinite { Traits::ODD_NUMBER } else { Traits::NONE };
        self.push(kind, start, odd);
        Some(())
    }

    fn digits(&mut self) -> Option<usize> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        Some(self.position - start).filter(|count| *count > 0)
    }

    fn number(&mut self) -> Option<()> {
        /// Any integer of so many digits is a double: 2^53 has 16.
        const SURE_DIGITS: usize = 15;

        let start = self.position;
        let negative = self.take(b'-').is_some();
        let zero = self.peek() == Some(b'0');
        let digits = self.digits()?;
        if zero && digits > 1 {
            return None;
        }
        let mut integer = true;
        if self.take(b'.').is_some() {
            integer = false;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits()?;
        }
        let plain = integer && digits <= SURE_DIGITS && !(negative && zero);
        self.push(Kind::Number, start, if plain { Traits::NONE } else { Traits::ODD_NUMBER });
        Some(())
    }
}

/// U+2028 or U+2029, raw or escaped.
fn has_line_separator(string: &[u8]) -> bool {
    [&b"\xe2\x80\xa8"[..], b"\xe2\x80\xa9", b"\\u2028", b"\\u2029"]
        .iter()
        .any(|separator| memchr::memmem::find(string, separator).is_some())
}

/// What each byte of a string may be a part of.
const CLASSES: [Traits; 256] = {
    let mut classes = [Traits(0); 256];
    let mut byte = 0x7f;
    while byte < 256 {
        classes[byte] = if byte == 0x7f { Traits::DELETE } else { Traits::NON_ASCII };
        byte += 1;
    }
    classes[0xe2] = Traits::NON_ASCII.union(Traits::LINE_SEPARATOR);
    classes[b'/' as usize] = Traits::SLASH;
    classes[b'<' as usize] = Traits::MARKUP;
    classes[b'>' as usize] = Traits::MARKUP;
    classes[b'&' as usize] = Traits::MARKUP;
    classes[b'\'' as usize] = Traits::QUOTES;
    classes[b'+' as usize] = Traits::QUOTES;
    classes[b'`' as usize] = Traits::QUOTES;
    classes
};

/// Learns, key by key, what a writer with an order of its own would change in one object.
#[derive(Default)]
struct Keys<'a> {
    last: Option<&'a [u8]>,
    all: Vec<&'a [u8]>,
    traits: Traits,
}

impl<'a> Keys<'a> {
    fn add(&mut self, key: &'a [u8], escaped: bool) {
        if escaped {
            // What it spells is not compared here; any order may change it.
            self.traits |= Traits::UNSORTED | Traits::UNSORTED_BY_LENGTH | Traits::DUPLICATE | Traits::INDEX_KEY;
        }
        if self.last.is_some_and(|last| last >= key) {
            self.traits |= Traits::UNSORTED;
        }
        if self.last.is_some_and(|last| (last.len(), last) >= (key.len(), key)) {
            self.traits |= Traits::UNSORTED_BY_LENGTH;
        }
        if key.first().is_some_and(u8::is_ascii_digit) {
            self.traits |= Traits::INDEX_KEY;
        }
        self.last = Some(key);
        self.all.push(key);
    }

    fn traits(mut self) -> Traits {
        if self.all.is_empty() {
            return Traits::EMPTY_OBJECT;
        }
        // Keys in ascending order can't come twice.
        if self.traits.meets(Traits::UNSORTED) && !self.traits.meets(Traits::DUPLICATE) {
            self.all.sort_unstable();
            if self.all.windows(2).any(|pair| pair[0] == pair[1]) {
                self.traits |= Traits::DUPLICATE;
            }
        }
        self.traits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_where_they_are() {
        let document = Document::parse(r#" {"a/b": [1.50, {}, "\u00eb"], "c": null} "#).unwrap();
        let tokens: Vec<_> = document.nodes().iter().map(|node| document.token(node)).collect();
        assert_eq!(tokens[1..], ["\"a/b\"", r#"[1.50, {}, "\u00eb"]"#, "1.50", "{}", r#""\u00eb""#, "\"c\"", "null"]);
        assert_eq!(document.keys(0).collect::<Vec<_>>(), [1, 6]);
        assert_eq!(document.items(2).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(document.node_at(11).map(|node| tokens[node]), Some("1.50"));
        for expected in [Traits::SLASH, Traits::NON_ASCII, Traits::ODD_NUMBER, Traits::EMPTY_OBJECT, Traits::SPACED] {
            assert!(document.traits().meets(expected), "{expected:?}");
        }
        assert!(!document.traits().meets(Traits::UNSORTED | Traits::DUPLICATE));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "}",
            "[",
            "[1,]",
            "{\"a}",
            "[\"\\",
            "][",
            "01",
            "1.",
            "-",
            "+1",
            "1e",
            "tru",
            "{\"a\":1,}",
            "{\"a\"}",
            "[1 2]",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\x\"",
            "\"\n\"",
            "1 2",
            "{1:2}",
            "-Inf",
            ".5",
        ] {
            assert!(Document::parse(text).is_none(), "{text}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Document::parse(&nested(DEPTH_LIMIT)).is_some());
        assert!(Document::parse(&nested(DEPTH_LIMIT + 1)).is_none());
    }

    #[test]
    fn the_order_of_keys_is_known() {
        let traits = |text| Document::parse(text).unwrap().traits();
        assert!(traits(r#"{"b":1,"a":2}"#).meets(Traits::UNSORTED));
        assert!(!traits(r#"{"aa":1,"b":2}"#).meets(Traits::UNSORTED));
        assert!(traits(r#"{"aa":1,"b":2}"#).meets(Traits::UNSORTED_BY_LENGTH));
        assert!(traits(r#"{"b":1,"a":2,"b":3}"#).meets(Traits::DUPLICATE));
        assert!(!traits(r#"{"b":1,"a":2}"#).meets(Traits::DUPLICATE | Traits::INDEX_KEY));
        assert!(traits(r#"{"1":1}"#).meets(Traits::INDEX_KEY));
    }
}
