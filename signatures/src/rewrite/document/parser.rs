//! Reads a JSON text into tokens.

use super::{DEPTH_LIMIT, Kind, Node, Traits};

/// Reads one text from its beginning to its end.
pub(super) struct Parser<'a> {
    text: &'a [u8],
    position: usize,
    nodes: Vec<Node>,
    traits: Traits,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0, nodes: Vec::new(), traits: Traits::NONE }
    }

    /// Every token, and what holds of any of them; `None` unless the text is one value.
    pub(super) fn whole(mut self) -> Option<(Vec<Node>, Traits)> {
        self.space();
        self.value(0)?;
        self.space();
        (self.position == self.text.len()).then_some((self.nodes, self.traits))
    }

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
                _ => traits |= Traits::of_byte(byte),
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
                    0..0x80 => Traits::of_byte(unit as u8),
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
