//! A body as a person reads it: JSON, form, multipart, XML, text or bytes, decompressed for the eye.
//!
//! What is shown is what was sent: order and spelling of JSON stay, and where a body stops being what it claims to be,
//! a line points at the byte. Nothing here changes a captured body.

mod coding;
mod form;
mod hex;
pub(crate) mod json;
mod kind;
mod multipart;
mod text;
mod xml;

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

use hookwire_capture::CapturedBody;

use self::{
    form::Form,
    json::{Json, index::Index, tokens::Stop},
    kind::{Kind, kind, parameter},
    multipart::{Part, Parts},
    xml::Xml,
};
use crate::{
    line::{Line, Role, Span},
    rendered::{Content, Fixed, Folds, MIN_WIDTH, Rendered, Stack},
    sanitize::sanitize,
    sizes,
};

pub(crate) use self::{hex::Hex, kind::is_text, text::Text};

/// How a body is to be shown.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The columns of the screen; below [`MIN_WIDTH`] it is laid out for that many.
    pub width: usize,
    /// The containers that are closed.
    pub folds: &'a Folds,
    /// What to mark, letters of ASCII in either case; empty: nothing. Containers with a match are open.
    pub search: &'a str,
    /// Which face to show.
    pub view: View,
}

/// The faces of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The one that fits its type and bytes.
    #[default]
    Fitting,
    /// Its lines as they came, decompressed.
    Text,
    /// Its bytes as they came.
    Hex,
}

/// How much of a body is shown: twice the default of what is captured, and laid out within a tenth of a second.
pub const SHOWN_LIMIT: usize = 4 << 20;

/// Shows a body. The other arguments are the values of its `content-type` and `content-encoding` headers.
pub fn render(
    body: &CapturedBody,
    content_type: Option<&[u8]>,
    content_encoding: Option<&[u8]>,
    options: &Options<'_>,
) -> Rendered {
    let content = content(body, content_type, content_encoding, options);
    Rendered::new(content, options.width, options.search)
}

/// A body's lines, to stand among others.
pub(crate) fn content(
    body: &CapturedBody,
    content_type: Option<&[u8]>,
    content_encoding: Option<&[u8]>,
    options: &Options<'_>,
) -> Box<dyn Content> {
    let mut page = Page { stack: Stack::default(), options, next_node: 0, cut: body.truncated() };
    if body.length == 0 {
        page.note(Role::Muted, "no body");
        return Box::new(page.stack);
    }
    if body.bytes.is_empty() {
        page.note(Role::Warn, &format!("the body was not captured: {} passed", sizes::bytes(body.length)));
        return Box::new(page.stack);
    }
    let shown = body.bytes.slice(..body.bytes.len().min(SHOWN_LIMIT));
    if options.view == View::Hex {
        page.hex(shown);
    } else {
        page.decoded(&shown, content_type, content_encoding);
    }
    if body.bytes.len() > SHOWN_LIMIT {
        let hidden = sizes::bytes((body.bytes.len() - SHOWN_LIMIT) as u64);
        page.note(Role::Warn, &format!("{hidden} more are captured, but not shown: export them to a file"));
    }
    if body.truncated() {
        page.truncation(body);
    }
    Box::new(page.stack)
}

/// A body's bytes without the outermost coding, as far as it can be undone.
pub(crate) fn decoded(body: &CapturedBody, content_encoding: Option<&[u8]>) -> Bytes {
    let shown = body.bytes.slice(..body.bytes.len().min(SHOWN_LIMIT));
    coding::decode(&shown, body.truncated(), content_encoding).bytes
}

/// Collects the lines of a body.
struct Page<'a> {
    stack: Stack,
    options: &'a Options<'a>,
    /// The number of the next container: they count on through the parts of a form.
    next_node: u32,
    /// The end is missing, and not by the sender's fault.
    cut: bool,
}

impl Page<'_> {
    fn decoded(&mut self, body: &Bytes, content_type: Option<&[u8]>, content_encoding: Option<&[u8]>) {
        self.cut |= body.len() == SHOWN_LIMIT;
        let decoded = coding::decode(body, self.cut, content_encoding);
        self.cut |= decoded.cut;
        let (first, last) = decoded.notes.split_at(decoded.notes.len().min(1));
        self.notes(first);
        if decoded.opaque {
            self.plain(decoded.bytes);
        } else if self.options.view == View::Text {
            self.stack.push(Text::new(decoded.bytes));
        } else {
            self.fitting(decoded.bytes, content_type);
        }
        self.notes(last);
    }

    fn fitting(&mut self, body: Bytes, content_type: Option<&[u8]>) {
        match kind(content_type, &body) {
            Kind::Json => self.json(&body, false),
            Kind::JsonLines => self.json(&body, true),
            Kind::Form => self.form(&body),
            Kind::Multipart { boundary } => self.multipart(&body, &boundary),
            Kind::Xml => self.stack.push(Xml::new(body, max_indented_depth(self.options.width))),
            Kind::Text => self.stack.push(Text::new(body)),
            Kind::Binary => self.hex(body),
        }
    }

    /// Bytes that are nothing in particular.
    fn plain(&mut self, bytes: Bytes) {
        if is_text(&bytes) { self.stack.push(Text::new(bytes)) } else { self.hex(bytes) }
    }

    fn hex(&mut self, bytes: Bytes) {
        self.stack.push(Hex::new(bytes, self.options.width));
    }

    /// JSON up to where it stops being JSON; from there on, the bytes.
    fn json(&mut self, text: &Bytes, many: bool) {
        let index = Index::read(text, many);
        let stop = index.stop;
        self.values(text.clone(), index);
        let Some(Stop { at, expected }) = stop else { return };
        let rest = text.slice(at..);
        if self.cut && rest.len() < LONGEST_LETTER {
            return;
        }
        let place = format!("byte {}", sizes::grouped(at as u64));
        let pointer = if rest.is_empty() {
            format!("▲ the JSON ends too early, at {place}: expected {expected}")
        } else {
            let found = if is_text(&rest) { rest.utf8_chunks().next() } else { None };
            let found = found.and_then(|chunk| chunk.valid().chars().next()).map(String::from);
            let found = found.unwrap_or_else(|| format!("\\x{:02x}", rest[0]));
            format!("▼ no JSON from {place} on: expected {expected}, found `{}`", sanitize(found.as_bytes()))
        };
        self.note(Role::Error, &pointer);
        self.plain(rest);
    }

    /// Puts JSON below what is there.
    fn values(&mut self, text: Bytes, index: Index) {
        let nodes = u32::try_from(index.nodes.len()).unwrap_or(u32::MAX);
        self.stack.push(Json::new(text, index, self.next_node, self.options));
        self.next_node = self.next_node.saturating_add(nodes);
    }

    /// Pairs as a table; a value of JSON is unfolded below its key (GitHub and Slack send such forms).
    fn form(&mut self, text: &Bytes) {
        let mut table: Vec<Range<u32>> = Vec::new();
        let mut unfolded = 0;
        for pair in form::pairs(text) {
            let (key, value) = form::split(&text[pair.start as usize..pair.end as usize]);
            let value = form::decode(value.unwrap_or_default());
            let json = matches!(value.first(), Some(b'{' | b'[')) && unfolded < MAX_UNFOLDED;
            let index = json.then(|| Index::read(&value, false)).filter(|index| index.stop.is_none());
            let Some(index) = index else {
                table.push(pair);
                continue;
            };
            unfolded += 1;
            self.stack.push(Form::new(text.clone(), std::mem::take(&mut table)));
            let heading = vec![Span::new(Role::Key, form::decode(key)), Span::new(Role::Punctuation, " =")];
            self.notes(&[heading]);
            self.values(Bytes::from(value.into_owned()), index);
        }
        self.stack.push(Form::new(text.clone(), table));
    }

    fn multipart(&mut self, body: &Bytes, boundary: &[u8]) {
        let Some(Parts { parts, closed }) = multipart::split(body, boundary) else {
            let boundary = String::from_utf8_lossy(boundary).into_owned();
            self.note(Role::Error, &format!("the boundary `{boundary}` of its content-type is nowhere in it"));
            return self.plain(body.clone());
        };
        for (index, part) in parts.into_iter().enumerate() {
            self.part(index + 1, part);
        }
        if !closed && !self.cut {
            self.note(Role::Error, "▲ the boundary that ends the last part is missing");
        }
    }

    fn part(&mut self, number: usize, part: Part) {
        let disposition = part.header("content-disposition").unwrap_or_default();
        let mut heading = vec![Span::new(Role::Heading, format!("part {number}"))];
        for name in ["name", "filename"] {
            if let Some(value) = parameter(disposition, name.as_bytes()) {
                heading.push(Span::new(Role::Muted, format!("  {name} ")));
                heading.push(Span::new(Role::String, value));
            }
        }
        heading.push(Span::new(Role::Muted, format!("  {}", sizes::bytes(part.body.len() as u64))));
        let mut lines = vec![heading];
        for (name, value) in &part.headers {
            lines.push(header(name, value));
        }
        self.notes(&lines);
        match kind(part.header("content-type"), &part.body) {
            _ if part.body.is_empty() => {}
            // One level of parts is what forms have; more would be a way to make us work.
            Kind::Multipart { .. } => self.plain(part.body),
            _ => {
                let content_type = part.header("content-type").map(<[u8]>::to_vec);
                self.fitting(part.body, content_type.as_deref());
            }
        }
        self.notes(&[Line::new()]);
    }

    fn truncation(&mut self, body: &CapturedBody) {
        let (kept, length) = (sizes::grouped(body.bytes.len() as u64), sizes::bytes(body.length));
        self.note(Role::Warn, &format!("truncated: the first {kept} of {length} were captured"));
        if let Some(hash) = body.sha256 {
            self.note(Role::Muted, &format!("sha-256 of all of them: {}", sizes::hexadecimal(&hash)));
        }
    }

    fn note(&mut self, role: Role, text: &str) {
        self.notes(&[vec![Span::new(role, text)]]);
    }

    fn notes(&mut self, lines: &[Line]) {
        self.stack.push(Fixed::from(lines.to_vec()));
    }
}

/// The pairs of a query or form, decoded.
pub(crate) fn pairs(text: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    form::pairs(text).into_iter().map(|pair| {
        let (key, value) = form::split(&text[pair.start as usize..pair.end as usize]);
        (form::decode(key), form::decode(value.unwrap_or_default()))
    })
}

/// A query as a table.
pub(crate) fn query(text: Bytes) -> impl Content {
    let pairs = form::pairs(&text);
    Form::new(text, pairs)
}

/// A header as a line.
pub(crate) fn header(name: &[u8], value: &[u8]) -> Line {
    vec![Span::new(Role::HeaderName, name), Span::new(Role::Punctuation, ": "), Span::new(Role::Plain, value)]
}

/// The columns of one level of JSON or XML.
const INDENT: usize = 2;

/// Deeper levels stay in one column: a body of a thousand brackets must not push its end off the screen.
const MAX_INDENTED_DEPTH: usize = 24;

/// How many levels are indented on a screen of `width` columns; half of it is for what they hold.
fn max_indented_depth(width: usize) -> usize {
    (width.max(MIN_WIDTH) / 2 / INDENT).min(MAX_INDENTED_DEPTH)
}

/// The longest letter of UTF-8: a cut within it is nobody's mistake.
const LONGEST_LETTER: usize = 4;

/// How many values of a form are read as JSON. One is usual.
const MAX_UNFOLDED: usize = 16;
