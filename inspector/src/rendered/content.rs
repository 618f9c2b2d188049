//! What can be laid out: logical lines of pieces, made one at a time when they are asked for.

use std::borrow::Cow;

use super::Node;
use crate::line::{Line, Role};

/// Lines of any number and length.
///
/// The pieces of a line are raw bytes: they are escaped where they become spans, nowhere before. A line gives the same
/// pieces every time.
pub(crate) trait Content: Send + Sync {
    /// How many lines there are.
    fn lines(&self) -> usize;

    /// Puts the pieces of a line into `pieces`, which is empty.
    fn line<'a>(&'a self, index: usize, pieces: &mut Pieces<'a>);

    /// The container that a line belongs to.
    fn node(&self, _line: usize) -> Option<Node> {
        None
    }

    /// The line where a container opens.
    fn line_of(&self, _node: Node) -> Option<usize> {
        None
    }
}

/// The pieces of one line.
#[derive(Default)]
pub(crate) struct Pieces<'a> {
    pub(crate) pieces: Vec<Piece<'a>>,
    /// The columns by which rows after the first are indented.
    pub(crate) hang: usize,
}

impl<'a> Pieces<'a> {
    pub(crate) fn push(&mut self, role: Role, bytes: impl Into<Cow<'a, [u8]>>) {
        self.pieces.push(Piece { bytes: bytes.into(), role });
    }

    /// As [`push`](Self::push), for text of ours.
    pub(crate) fn word(&mut self, role: Role, text: &'a str) {
        self.push(role, text.as_bytes());
    }

    /// So many columns of nothing; what wraps goes `more` columns further.
    pub(crate) fn indent(&mut self, columns: usize, more: usize) {
        if columns > 0 {
            self.word(Role::Plain, &SPACES[..columns.min(SPACES.len())]);
        }
        self.hang = columns + more;
    }

    pub(crate) fn clear(&mut self) {
        self.pieces.clear();
        self.hang = 0;
    }
}

/// A run of bytes with one meaning.
pub(crate) struct Piece<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) role: Role,
}

/// The deepest indentation: beyond it, depth is no longer told by columns.
const SPACES: &str = "                                                                ";

/// Lines that are there already: notes, tables, sections.
#[derive(Default)]
pub(crate) struct Fixed(Vec<(Line, usize)>);

impl Fixed {
    /// Adds a line.
    pub(crate) fn push(&mut self, line: Line) {
        self.hang(line, 0);
    }

    /// Adds a line whose later rows are indented by `columns`.
    pub(crate) fn hang(&mut self, line: Line, columns: usize) {
        self.0.push((line, columns));
    }

    /// Puts other lines below.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
}

impl From<Vec<Line>> for Fixed {
    fn from(lines: Vec<Line>) -> Self {
        Self(lines.into_iter().map(|line| (line, 0)).collect())
    }
}

impl Content for Fixed {
    fn lines(&self) -> usize {
        self.0.len()
    }

    fn line<'a>(&'a self, index: usize, pieces: &mut Pieces<'a>) {
        let (line, hang) = &self.0[index];
        for span in line {
            pieces.word(span.role(), span.text());
        }
        pieces.hang = *hang;
    }
}

/// One content below another.
#[derive(Default)]
pub(crate) struct Stack {
    parts: Vec<Box<dyn Content>>,
    /// How many lines there are up to the end of each part.
    ends: Vec<usize>,
}

impl Stack {
    pub(crate) fn push(&mut self, part: impl Content + 'static) {
        self.push_boxed(Box::new(part));
    }

    pub(crate) fn push_boxed(&mut self, part: Box<dyn Content>) {
        self.ends.push(self.lines() + part.lines());
        self.parts.push(part);
    }

    /// The part that a line is in, and its number there.
    fn part(&self, line: usize) -> (&dyn Content, usize) {
        let index = self.ends.partition_point(|&end| end <= line);
        (&*self.parts[index], line - self.start(index))
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

impl Content for Stack {
    fn lines(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    fn line<'a>(&'a self, index: usize, pieces: &mut Pieces<'a>) {
        let (part, line) = self.part(index);
        part.line(line, pieces);
    }

    fn node(&self, line: usize) -> Option<Node> {
        let (part, line) = self.part(line);
        part.node(line)
    }

    fn line_of(&self, node: Node) -> Option<usize> {
        self.parts.iter().enumerate().find_map(|(index, part)| Some(self.start(index) + part.line_of(node)?))
    }
}
