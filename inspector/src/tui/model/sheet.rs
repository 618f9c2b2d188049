//! Text on the screen, and where one stands in it.

use std::ops::Range;

use crate::{
    line::Line,
    rendered::{Node, Rendered},
};

/// Laid-out text with a place in it.
#[derive(Debug)]
pub(crate) struct Sheet {
    rendered: Rendered,
    /// The first row that is seen.
    top: usize,
    /// The row one stands on; moves only where something can be folded.
    cursor: usize,
    /// Whether there is something to fold, so that one stands on a row.
    folding: bool,
    /// The rows with something that the search found.
    matches: Vec<usize>,
}

impl Sheet {
    /// A sheet, seen from its beginning.
    pub(crate) fn new(rendered: Rendered) -> Self {
        let first = (0..rendered.line_count().min(PROBE)).find(|&row| rendered.node(row).is_some());
        let matches = rendered.matches();
        Self { rendered, top: 0, cursor: first.unwrap_or(0), folding: first.is_some(), matches }
    }

    /// The same text laid out anew, seen from about the same place.
    pub(crate) fn relaid(&self, rendered: Rendered) -> Self {
        let mut sheet = Self::new(rendered);
        let last = sheet.last();
        sheet.top = self.top.min(last);
        sheet.cursor = self.cursor.min(last);
        sheet
    }

    /// The rows that are seen, from the first.
    pub(crate) fn seen(&self, height: usize) -> Vec<Line> {
        self.rendered.lines(self.range(height))
    }

    /// Which rows are seen.
    pub(crate) fn range(&self, height: usize) -> Range<usize> {
        self.top..(self.top + height).min(self.rendered.line_count())
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rendered.line_count()
    }

    /// Whether there is no row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of the cursor among the seen rows, where there is one.
    pub(crate) fn cursor(&self) -> Option<usize> {
        self.folding.then(|| self.cursor.saturating_sub(self.top))
    }

    /// What is folded or unfolded by a key.
    pub(crate) fn node(&self) -> Option<Node> {
        self.rendered.node(self.cursor)
    }

    /// Stands on the row where a container opens.
    pub(crate) fn stand_on(&mut self, node: Node, height: usize) {
        if let Some(row) = self.rendered.row_of(node) {
            self.cursor = row;
            self.show(height);
        }
    }

    /// Moves by so many rows, down if positive.
    pub(crate) fn step(&mut self, by: isize, height: usize) {
        if self.folding {
            self.cursor = self.cursor.saturating_add_signed(by).min(self.last());
            self.show(height);
        } else {
            self.roll(by, height);
        }
    }

    /// Scrolls by so many rows; the cursor comes along at the edges.
    pub(crate) fn roll(&mut self, by: isize, height: usize) {
        self.top = self.top.saturating_add_signed(by).min(self.len().saturating_sub(height));
        let bottom = (self.top + height.saturating_sub(1)).min(self.last());
        self.cursor = self.cursor.clamp(self.top.min(bottom), bottom);
    }

    /// Goes to the first row.
    pub(crate) fn first(&mut self) {
        self.top = 0;
        self.cursor = 0;
    }

    /// Goes to the last row.
    pub(crate) fn end(&mut self, height: usize) {
        self.top = self.len().saturating_sub(height);
        self.cursor = self.last();
    }

    /// Stands on the row that is seen at a place.
    pub(crate) fn pick(&mut self, place: usize) {
        self.cursor = (self.top + place).min(self.last());
    }

    /// Goes to the next place that the search found, or the one before. Says which it is, of how many.
    pub(crate) fn find(&mut self, forward: bool, here_too: bool, height: usize) -> Option<(usize, usize)> {
        let count = self.matches.len();
        let place = if forward {
            let after = self.matches.partition_point(|&row| row < self.cursor + usize::from(!here_too));
            if after == count { 0 } else { after }
        } else {
            let before = self.matches.partition_point(|&row| row < self.cursor);
            before.checked_sub(1).unwrap_or(count.saturating_sub(1))
        };
        self.cursor = *self.matches.get(place)?;
        if !self.range(height).contains(&self.cursor) {
            // A third of the screen above it: what comes before a place helps to understand it.
            self.top = self.cursor.saturating_sub(height / 3).min(self.len().saturating_sub(height));
        }
        Some((place + 1, count))
    }

    fn show(&mut self, height: usize) {
        self.top = self.top.clamp((self.cursor + 1).saturating_sub(height), self.cursor);
    }

    fn last(&self) -> usize {
        self.len().saturating_sub(1)
    }
}

/// Rows looked at for something to fold: it is in the first lines of a body if it is anywhere, below a few headings.
const PROBE: usize = 40;
