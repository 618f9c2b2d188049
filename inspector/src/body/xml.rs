//! XML with a line for each element: no parser, just enough to read by.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

use super::INDENT;
use crate::{
    line::Role,
    rendered::{Content, Pieces},
};

/// XML, indented by its tags. What is not well-formed is shown all the same; nothing is left out but white space between tags.
pub(super) struct Xml {
    text: Bytes,
    lines: Vec<XmlLine>,
    /// Levels beyond it are not indented.
    max_depth: usize,
}

struct XmlLine {
    start: u32,
    end: u32,
    depth: u16,
}

impl Xml {
    pub(super) fn new(text: Bytes, max_depth: usize) -> Self {
        let mut lines: Vec<XmlLine> = Vec::new();
        let mut depth = 0_u16;
        let mut at = 0;
        // Whether the last line is a tag that opens, alone or with the text behind it: the end may join it.
        let mut joins = false;
        while let Some(place) = next(&text, at) {
            at = place.end;
            let what = What::of(&text[place.clone()]);
            if what == What::Space {
                continue;
            }
            if what == What::Close {
                depth = depth.saturating_sub(1);
            }
            match lines.last_mut() {
                Some(line) if joins && matches!(what, What::Text | What::Close) => line.end = offset(place.end),
                _ => lines.push(XmlLine { start: offset(place.start), end: offset(place.end), depth }),
            }
            joins = match what {
                What::Open => {
                    depth = depth.saturating_add(1);
                    true
                }
                What::Text => joins,
                _ => false,
            };
        }
        Self { text, lines, max_depth }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Open,
    Close,
    /// An empty element, a comment, a declaration, an instruction, character data.
    Other,
    Text,
    Space,
}

impl What {
    fn of(text: &[u8]) -> Self {
        match text {
            [b'<', b'/', ..] => Self::Close,
            [b'<', b'?' | b'!', ..] | [b'<', .., b'/', b'>'] => Self::Other,
            [b'<', ..] => Self::Open,
            _ if text.trim_ascii().is_empty() => Self::Space,
            _ => Self::Text,
        }
    }
}

/// The tag or the text that begins at `at`; none at the end.
fn next(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let until = |end: &[u8]| memmem::find(rest, end).map_or(rest.len(), |found| found + end.len());
    let length = match rest {
        [] => return None,
        _ if rest.starts_with(b"<!--") => until(b"-->"),
        _ if rest.starts_with(b"<![CDATA[") => until(b"]]>"),
        [b'<', b'?', ..] => until(b"?>"),
        [b'<', ..] => until(b">"),
        _ => memchr::memchr(b'<', rest).unwrap_or(rest.len()),
    };
    Some(at..at + length)
}

impl Content for Xml {
    fn lines(&self) -> usize {
        self.lines.len()
    }

    fn line<'a>(&'a self, index: usize, pieces: &mut Pieces<'a>) {
        let &XmlLine { start, end, depth } = &self.lines[index];
        pieces.indent(usize::from(depth).min(self.max_depth) * INDENT, 2 * INDENT);
        let line = &self.text[..end as usize];
        let mut at = start as usize;
        while let Some(place) = next(line, at) {
            at = place.end;
            let text = &line[place];
            match What::of(text) {
                What::Open | What::Close => tag(text, pieces),
                What::Other if !text.starts_with(b"<!") && !text.starts_with(b"<?") => tag(text, pieces),
                What::Other => pieces.push(Role::Muted, text),
                What::Text | What::Space => pieces.push(Role::String, text.trim_ascii()),
            }
        }
    }
}

/// A tag: its name stands out, its attributes are plain.
fn tag<'a>(text: &'a [u8], pieces: &mut Pieces<'a>) {
    let opened = if text.starts_with(b"</") { 2 } else { 1 };
    let closed = if text.ends_with(b"/>") { 2 } else { usize::from(text.ends_with(b">")) };
    let (open, rest) = text.split_at(opened.min(text.len()));
    let (inner, close) = rest.split_at(rest.len().saturating_sub(closed));
    let name = inner.iter().position(u8::is_ascii_whitespace).unwrap_or(inner.len());
    for (role, text) in [
        (Role::Punctuation, open),
        (Role::Key, &inner[..name]),
        (Role::Plain, &inner[name..]),
        (Role::Punctuation, close),
    ] {
        if !text.is_empty() {
            pieces.push(role, text);
        }
    }
}
