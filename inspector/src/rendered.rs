//! Any length of content as rows of a screen: indexed once, built row by row when they are looked at.

mod content;
mod fold;
mod rows;

pub use self::fold::{Folds, Node};
pub(crate) use self::{
    content::{Content, Fixed, Pieces, Stack},
    rows::contains,
};

use std::{fmt, ops::Range};

use crate::line::Line;

use self::rows::{Match, Row};

/// Content laid out for a width.
///
/// Laying out reads all of it once; [`lines`](Self::lines) then costs what the rows asked for cost, wherever they are.
pub struct Rendered {
    content: Box<dyn Content>,
    width: usize,
    rows: Vec<Row>,
    matches: Vec<Match>,
}

impl Rendered {
    /// Lays out `content` in rows of at most `width` columns, [`MIN_WIDTH`] at least, and looks for `search` in it unless that is empty.
    pub(crate) fn new(content: Box<dyn Content>, width: usize, search: &str) -> Self {
        let width = width.max(MIN_WIDTH);
        let (rows, matches) = rows::layout(&*content, width, search.as_bytes());
        Self { content, width, rows, matches }
    }

    /// How many rows there are.
    pub fn line_count(&self) -> usize {
        self.rows.len()
    }

    /// The rows of `range`, as far as there are any.
    pub fn lines(&self, range: Range<usize>) -> Vec<Line> {
        let end = range.end.min(self.rows.len());
        (range.start..end).map(|row| self.line(row)).collect()
    }

    /// The container that a row belongs to: the one that opens or closes there, else the one around it. This is what
    /// a key that folds is about.
    pub fn node(&self, row: usize) -> Option<Node> {
        let row = self.rows.get(row)?;
        self.content.node(row.line as usize)
    }

    /// The row where a container opens; none if it is folded away with one around it.
    pub fn row_of(&self, node: Node) -> Option<usize> {
        let line = self.content.line_of(node)?;
        Some(self.rows.partition_point(|row| (row.line as usize) < line))
    }

    /// The rows with something that the search found, each once, in order. At most [`MATCH_LIMIT`] places are looked at.
    pub fn matches(&self) -> Vec<usize> {
        let mut found: Vec<_> = self.matches.iter().map(|found| found.row as usize).collect();
        found.dedup();
        found
    }

    fn line(&self, row: usize) -> Line {
        rows::row(&*self.content, &self.rows[row..], self.width, &self.matches)
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered").field("width", &self.width).field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// How many places a search marks: a screen shows a few dozen, and nobody steps through more than this.
pub const MATCH_LIMIT: usize = 50_000;

/// Narrower, and the longest escape (`\u{10ffff}`) would not fit beside an indentation, which takes up to half.
pub const MIN_WIDTH: usize = 20;
