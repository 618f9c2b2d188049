//! Writes a document in a dialect, piece by piece, so that no rewritten body need exist as a whole.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::dialect::{Dialect, Layout, Objects, Order};
use super::document::{Document, Kind, Node, Traits};
use super::number::{self, Numbers};
use super::string;

/// Where a rewritten text goes. It may end the writing.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> ControlFlow<()> + 'a;

/// Why a text was not written to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The program does not read this text, or could not write it.
    Refused,
    /// The sink had enough.
    BySink,
    /// It grew beyond all reason.
    TooLong,
}

/// How far a rewritten text may grow: real bodies stay below threefold when they are indented, but a hostile one
/// grows a thousandfold.
const GROWTH_LIMIT: usize = 4;
/// Room for the growth of the smallest bodies, in bytes.
const GROWTH_ROOM: usize = 4_096;
/// How much is gathered before the sink sees it, in bytes: a MAC is fastest in long pieces.
const PIECE: usize = 8 * 1_024;

/// Writes `document` in `dialect`.
pub(crate) fn write(document: &Document<'_>, dialect: &Dialect, sink: &mut Sink<'_>) -> Result<(), Stopped> {
    let reduced = dialect.reduced_to(document.traits());
    let mut writer = Writer {
        document,
        dialect: reduced,
        concerns: reduced.strings.concerns(),
        gathered: Vec::with_capacity(PIECE + PIECE / 4),
        room: document.text().len() * GROWTH_LIMIT + GROWTH_ROOM,
        depth: 0,
        sink,
    };
    if reduced.layout == Layout::Kept {
        writer.in_place()?;
    } else {
        writer.value(0)?;
    }
    writer.flush()
}

struct Writer<'a, 's> {
    document: &'a Document<'a>,
    dialect: Dialect,
    /// What must be in a string for it to be spelled anew.
    concerns: Traits,
    gathered: Vec<u8>,
    /// How many bytes may still be written.
    room: usize,
    depth: usize,
    sink: &'a mut Sink<'s>,
}

impl Writer<'_, '_> {
    fn flush(&mut self) -> Result<(), Stopped> {
        self.room = self.room.checked_sub(self.gathered.len()).ok_or(Stopped::TooLong)?;
        let flow = (self.sink)(&self.gathered);
        self.gathered.clear();
        if flow.is_break() { Err(Stopped::BySink) } else { Ok(()) }
    }

    fn put(&mut self, text: &str) -> Result<(), Stopped> {
        self.gathered.extend_from_slice(text.as_bytes());
        if self.gathered.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Only strings and numbers are written anew; all that stands between them stays.
    fn in_place(&mut self) -> Result<(), Stopped> {
        let document = self.document;
        let mut copied = 0;
        for node in document.nodes() {
            if !self.is_kept(node) {
                self.put(&document.text()[copied..node.start as usize])?;
                self.scalar(node)?;
                copied = node.end as usize;
            }
        }
        self.put(&document.text()[copied..])
    }

    fn value(&mut self, index: usize) -> Result<(), Stopped> {
        let document = self.document;
        let node = document.nodes()[index];
        match node.kind {
            Kind::Object if self.becomes_array(index) => {
                self.list('[', document.keys(index).map(|key| (None, key + 1)), ']')
            }
            Kind::Object if node.traits.meets(self.dialect.order.concerns()) => {
                let keys = self.ordered_keys(index);
                self.list('{', keys.into_iter().map(|key| (Some(key), key + 1)), '}')
            }
            Kind::Object => self.list('{', document.keys(index).map(|key| (Some(key), key + 1)), '}'),
            Kind::Array => self.list('[', document.items(index).map(|item| (None, item)), ']'),
            _ => self.scalar(&node),
        }
    }

    fn list(
        &mut self,
        open: char,
        entries: impl Iterator<Item = (Option<usize>, usize)>,
        close: char,
    ) -> Result<(), Stopped> {
        let Layout::Spaced { comma, colon, indent } = self.dialect.layout else {
            return Err(Stopped::Refused);
        };
        self.gathered.push(open as u8);
        self.depth += 1;
        let mut empty = true;
        for (key, value) in entries {
            if !std::mem::take(&mut empty) {
                self.put(comma)?;
            }
            self.new_line(indent)?;
            if let Some(key) = key {
                let node = self.document.nodes()[key];
                self.scalar(&node)?;
                self.put(colon)?;
            }
            self.value(value)?;
        }
        self.depth -= 1;
        if !empty {
            self.new_line(indent)?;
        }
        self.gathered.push(close as u8);
        Ok(())
    }

    fn new_line(&mut self, indent: &str) -> Result<(), Stopped> {
        if !indent.is_empty() {
            self.put("\n")?;
            for _ in 0..self.depth {
                self.put(indent)?;
            }
        }
        Ok(())
    }

    fn is_kept(&self, node: &Node) -> bool {
        match node.kind {
            Kind::String => !node.traits.meets(self.concerns),
            Kind::Number | Kind::NotFinite => self.dialect.numbers == Numbers::Kept,
            Kind::Literal | Kind::Object | Kind::Array => true,
        }
    }

    fn scalar(&mut self, node: &Node) -> Result<(), Stopped> {
        let token = self.document.token(node);
        match (node.kind, self.dialect.strings) {
            (Kind::String, string::Strings::Escaped(escapes)) if node.traits.meets(self.concerns) => {
                string::write(&token[1..token.len() - 1], escapes, self.concerns, &mut self.gathered)
                    .ok_or(Stopped::Refused)?;
            }
            (Kind::Number, _) => {
                number::write(token, self.dialect.numbers, &mut self.gathered).ok_or(Stopped::Refused)?;
            }
            (Kind::NotFinite, _) if !self.dialect.numbers.reads_not_finite() => return Err(Stopped::Refused),
            _ => self.gathered.extend_from_slice(token.as_bytes()),
        }
        self.put("")
    }

    /// Whether this is an object that comes out as an array.
    fn becomes_array(&self, index: usize) -> bool {
        let node = &self.document.nodes()[index];
        let candidate = node.kind == Kind::Object
            && self.dialect.objects == Objects::Arrays
            && node.traits.meets(Traits::EMPTY_OBJECT | Traits::INDEX_KEY);
        candidate
            && self.document.keys(index).enumerate().all(|(position, key)| {
                let text = self.document.token(&self.document.nodes()[key]);
                text.trim_matches('"').parse() == Ok(position) && (text.len() == 3 || !text.starts_with("\"0"))
            })
    }

    /// The keys of an object in the order in which they are written.
    fn ordered_keys(&self, object: usize) -> Vec<usize> {
        let name = |key: usize| {
            let token = self.document.token(&self.document.nodes()[key]);
            string::decode(&token[1..token.len() - 1])
        };
        let mut members: Vec<Member<'_>> =
            self.document.keys(object).enumerate().map(|(place, key)| Member { name: name(key), place, key }).collect();
        // Equal names come together, in the order they came: the first one's place stays, with the last one's value.
        members.sort_by(|left, right| left.name.cmp(&right.name));
        members.dedup_by(|later, earlier| {
            let same = later.name == earlier.name;
            if same {
                earlier.key = later.key;
            }
            same
        });
        match self.dialect.order {
            Order::Kept | Order::Inserted => members.sort_unstable_by_key(|member| member.place),
            Order::JavaScript => {
                members.sort_unstable_by_key(|member| (array_index(&member.name).unwrap_or(u32::MAX), member.place));
            }
            Order::Sorted => {}
            Order::ByLength => members.sort_by_key(|member| member.name.len()),
        }
        members.into_iter().map(|member| member.key).collect()
    }
}

/// A key of an object while it is put in order.
struct Member<'a> {
    name: Cow<'a, [u8]>,
    /// Where the name came first.
    place: usize,
    key: usize,
}

/// The array index that a key is in JavaScript: canonical, and below 2^32 - 1 (ECMA-262 §6.1.7).
fn array_index(key: &[u8]) -> Option<u32> {
    let canonical = key.iter().all(u8::is_ascii_digit) && (key == b"0" || !key.starts_with(b"0"));
    let index: u32 = std::str::from_utf8(key).ok()?.parse().ok()?;
    (canonical && index < u32::MAX).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::dialect::{
        AIRY, COMPACT, GO, INDENTED_2, INDENTED_4, JAVASCRIPT, JSONB, PHP, PHP_OBJECTS, PYTHON, PYTHON_COMPACT,
        PYTHON_UTF8, UNTOUCHED,
    };

    fn written(text: &str, dialect: &Dialect) -> Result<String, Stopped> {
        let mut out = Vec::new();
        write(&Document::parse(text).unwrap(), dialect, &mut |piece| {
            out.extend_from_slice(piece);
            ControlFlow::Continue(())
        })?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn layouts_keep_every_token() {
        let text = "{ \"a/b\" :[ 1.50,{},[ ], \"\\/\\\\/\\\"\" ],\"c\":null}\n";
        let laid = |layout| written(text, &Dialect { layout, ..UNTOUCHED }).unwrap();
        assert_eq!(laid(Layout::Kept), text);
        assert_eq!(laid(COMPACT), r#"{"a/b":[1.50,{},[],"\/\\/\""],"c":null}"#);
        assert_eq!(laid(AIRY), r#"{"a/b": [1.50, {}, [], "\/\\/\""], "c": null}"#);
        let indented = "{\n  \"a/b\": [\n    1.50,\n    {},\n    [],\n    \"\\/\\\\/\\\"\"\n  ],\n  \"c\": null\n}";
        assert_eq!(laid(INDENTED_2), indented);
        assert_eq!(laid(INDENTED_4), indented.replace("  ", "    "));
    }

    /// What node 20 and CPython 3.11 gave for the same texts; Go, PHP and PostgreSQL as their documentation says.
    #[test]
    fn round_trips() {
        let text = r#"{"b":{"10":1,"9":2,"x":3,"09":4},"a":"\/\u00eb<","a":[{},1.0],"9":-0}"#;
        #[rustfmt::skip]
        let expected = [
            (JAVASCRIPT, r#"{"9":0,"b":{"9":2,"10":1,"x":3,"09":4},"a":[{},1]}"#),
            (PYTHON, r#"{"b": {"10": 1, "9": 2, "x": 3, "09": 4}, "a": [{}, 1.0], "9": 0}"#),
            (PYTHON_COMPACT, r#"{"b":{"10":1,"9":2,"x":3,"09":4},"a":[{},1.0],"9":0}"#),
            (GO, r#"{"9":-0,"a":[{},1],"b":{"09":4,"10":1,"9":2,"x":3}}"#),
            (PHP, r#"{"b":{"10":1,"9":2,"x":3,"09":4},"a":[[],1],"9":-0}"#),
            (PHP_OBJECTS, r#"{"b":{"10":1,"9":2,"x":3,"09":4},"a":[{},1],"9":-0}"#),
            (JSONB, r#"{"9": 0, "a": [{}, 1.0], "b": {"9": 2, "x": 3, "09": 4, "10": 1}}"#),
        ];
        for (dialect, expected) in expected {
            assert_eq!(written(text, &dialect).as_deref(), Ok(expected), "{}", dialect.name);
        }
        let lists = r#"{"a":{"0":"x","1":"y"},"b":{"1":"x"},"c":{"0":1,"00":2}}"#;
        assert_eq!(written(lists, &PHP).unwrap(), r#"{"a":["x","y"],"b":{"1":"x"},"c":{"0":1,"00":2}}"#);
        assert_eq!(written("[NaN,-Infinity]", &PYTHON).unwrap(), "[NaN, -Infinity]");
        assert_eq!(written("[NaN]", &JAVASCRIPT), Err(Stopped::Refused));
        assert_eq!(written(r#"["\ud800"]"#, &PYTHON_UTF8), Err(Stopped::Refused));
    }

    #[test]
    fn growth_is_bounded_and_the_sink_may_stop() {
        let deep = "[".repeat(400) + &"1,".repeat(5_000) + "1" + &"]".repeat(400);
        assert_eq!(written(&deep, &Dialect { layout: INDENTED_4, ..UNTOUCHED }), Err(Stopped::TooLong));
        let document = Document::parse(&deep).unwrap();
        let mut seen = 0;
        let stopped = write(&document, &PYTHON, &mut |piece| {
            seen += piece.len();
            ControlFlow::Break(())
        });
        assert_eq!(stopped, Err(Stopped::BySink));
        assert!(seen < deep.len(), "{seen}");
    }

    #[test]
    fn reduced_dialects_write_alike() {
        for text in [r#"{"b":1,"a":"ë"}"#, r#"{ "a" : 1 }"#, r#"["<\/",1.0]"#, r#"{"a":{},"1":2}"#] {
            let traits = Document::parse(text).unwrap().traits();
            for dialect in crate::rewrite::dialect::ROUND_TRIPS {
                assert_eq!(written(text, &dialect.reduced_to(traits)), written(text, dialect), "{text}");
            }
        }
        let compact = Document::parse(r#"{"a":1}"#).unwrap().traits();
        assert_eq!(JAVASCRIPT.reduced_to(compact), UNTOUCHED);
        assert_eq!(GO.reduced_to(compact), UNTOUCHED);
    }

    /// Texts made at random of everything that writers spell differently, and what node 20 (`JSON.stringify`) and CPython
    /// 3.11 (`json.dumps`, with and without `ensure_ascii=False`) made of them; `null` where they gave up.
    #[test]
    fn what_node_and_python_wrote() {
        #[derive(serde::Deserialize)]
        struct Fact {
            text: String,
            javascript: Option<String>,
            python: Option<String>,
            python_utf8: Option<String>,
        }
        let facts: Vec<Fact> = serde_json::from_str(include_str!("../../tests/round_trips.json")).unwrap();
        assert_eq!(facts.len(), 150);
        for Fact { text, javascript, python, python_utf8 } in facts {
            assert_eq!(written(&text, &JAVASCRIPT).ok(), javascript, "{text}");
            assert_eq!(written(&text, &PYTHON).ok(), python, "{text}");
            assert_eq!(written(&text, &PYTHON_UTF8).ok(), python_utf8, "{text}");
        }
    }
}
