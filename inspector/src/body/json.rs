//! JSON: an item on each line, keys in their order, numbers and strings as they were written, containers that fold.

pub(crate) mod index;
pub(crate) mod tokens;

use bytes::Bytes;

use self::{
    index::{Container, Index, Line, What},
    tokens::Bracket,
};
use super::{INDENT, Options, max_indented_depth};
use crate::{
    line::Role,
    rendered::{Content, Folds, Node, Pieces, contains},
};

/// A text of JSON as lines.
pub(crate) struct Json {
    text: Bytes,
    index: Index,
    /// The number that the first container has among all that are shown.
    first_node: u32,
    /// The numbers of the containers that are closed, ascending.
    closed: Vec<u32>,
    /// Levels beyond it are not indented.
    max_depth: usize,
    /// The lines that are not within a closed container; none: all of them.
    visible: Option<Vec<u32>>,
}

impl Json {
    pub(super) fn new(text: Bytes, index: Index, first_node: u32, options: &Options<'_>) -> Self {
        let max_depth = max_indented_depth(options.width);
        let mut json = Self { text, index, first_node, closed: Vec::new(), max_depth, visible: None };
        if !options.folds.is_empty() {
            json.fold(options.folds, options.search.as_bytes());
        }
        json
    }

    /// Closes what `folds` says, except what has a match within it: a search must not end at a fold.
    fn fold(&mut self, folds: &Folds, needle: &[u8]) {
        let matched = self.lines_with(needle);
        let mut visible = Vec::with_capacity(self.index.lines.len());
        let mut closed = Vec::new();
        let mut line = 0;
        while line < self.index.lines.len() {
            visible.push(u32::try_from(line).unwrap_or(u32::MAX));
            line = match self.index.lines[line].what {
                What::Open(node) => match self.index.nodes[node as usize] {
                    Container { close: Some(end), .. }
                        if folds.is_folded(self.node_of(node)) && !any_within(&matched, line, end as usize) =>
                    {
                        closed.push(node);
                        end as usize
                    }
                    _ => line,
                },
                _ => line,
            } + 1;
        }
        self.closed = closed;
        self.visible = Some(visible);
    }

    /// The lines that have the needle in them, ascending.
    fn lines_with(&self, needle: &[u8]) -> Vec<usize> {
        if needle.is_empty() {
            return Vec::new();
        }
        let mut pieces = Pieces::default();
        let has = |line: &usize| {
            pieces.clear();
            self.pieces(*line, &mut pieces);
            contains(&pieces, needle)
        };
        (0..self.index.lines.len()).filter(has).collect()
    }

    fn node_of(&self, node: u32) -> Node {
        Node { index: self.first_node + node, depth: self.index.nodes[node as usize].depth }
    }

    /// The number in the index of a line that is shown.
    fn actual(&self, line: usize) -> usize {
        self.visible.as_ref().map_or(line, |visible| visible[line] as usize)
    }

    fn pieces<'a>(&'a self, number: usize, pieces: &mut Pieces<'a>) {
        let line = &self.index.lines[number];
        pieces.indent(usize::from(line.depth).min(self.max_depth) * INDENT, 2 * INDENT);
        if let Some(key) = line.key() {
            pieces.push(Role::Key, &self.text[key]);
            pieces.word(Role::Punctuation, ": ");
        }
        let comma = match line.what {
            What::Open(node) if self.closed.binary_search(&node).is_ok() => self.closed_container(node, pieces),
            what => {
                self.what(what, pieces);
                line.comma
            }
        };
        if comma {
            pieces.word(Role::Punctuation, ",");
        }
    }

    fn what<'a>(&'a self, what: What, pieces: &mut Pieces<'a>) {
        let bracket = |node: u32| self.index.nodes[node as usize].bracket;
        match what {
            What::Scalar(place) => {
                let text = &self.text[place.range()];
                pieces.push(role(text), text);
            }
            What::Open(node) => pieces.word(Role::Punctuation, opening(bracket(node))),
            What::Close(node) => pieces.word(Role::Punctuation, closing(bracket(node))),
            What::Empty(Bracket::Object) => pieces.word(Role::Punctuation, "{}"),
            What::Empty(Bracket::Array) => pieces.word(Role::Punctuation, "[]"),
            What::Missing => {}
        }
    }

    /// A container on one line; says whether a comma follows it.
    fn closed_container(&self, node: u32, pieces: &mut Pieces<'_>) -> bool {
        let Container { bracket, items, close, .. } = self.index.nodes[node as usize];
        let unit = match (bracket, items) {
            (Bracket::Object, 1) => "field",
            (Bracket::Object, _) => "fields",
            (Bracket::Array, 1) => "item",
            (Bracket::Array, _) => "items",
        };
        pieces.word(Role::Punctuation, opening(bracket));
        pieces.push(Role::Muted, format!(" … {items} {unit} ").into_bytes());
        pieces.word(Role::Punctuation, closing(bracket));
        close.and_then(|line| self.index.lines.get(line as usize)).is_some_and(|line: &Line| line.comma)
    }
}

impl Content for Json {
    fn lines(&self) -> usize {
        self.visible.as_ref().map_or(self.index.lines.len(), Vec::len)
    }

    fn line<'a>(&'a self, index: usize, pieces: &mut Pieces<'a>) {
        self.pieces(self.actual(index), pieces);
    }

    fn node(&self, line: usize) -> Option<Node> {
        Some(self.node_of(self.index.container_at(self.actual(line))?))
    }

    fn line_of(&self, node: Node) -> Option<usize> {
        let number = node.index.checked_sub(self.first_node)?;
        let open = self.index.nodes.get(number as usize)?.open;
        match &self.visible {
            None => Some(open as usize),
            Some(visible) => visible.binary_search(&open).ok(),
        }
    }
}

fn any_within(lines: &[usize], from: usize, to: usize) -> bool {
    let next = lines.partition_point(|&line| line <= from);
    lines.get(next).is_some_and(|&line| line < to)
}

/// What a scalar is, by its first byte.
pub(crate) fn role(text: &[u8]) -> Role {
    match text.first() {
        Some(b'"') => Role::String,
        Some(b'-' | b'0'..=b'9') => Role::Number,
        _ => Role::Literal,
    }
}

const fn opening(bracket: Bracket) -> &'static str {
    match bracket {
        Bracket::Object => "{",
        Bracket::Array => "[",
    }
}

const fn closing(bracket: Bracket) -> &'static str {
    match bracket {
        Bracket::Object => "}",
        Bracket::Array => "]",
    }
}
