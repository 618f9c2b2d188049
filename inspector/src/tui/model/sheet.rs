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
        self.top = self.top.saturating_add_signed(by).min(self.lowest(height));
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
        self.top = self.lowest(height);
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
            self.top = self.cursor.saturating_sub(height / 3).min(self.lowest(height));
        }
        Some((place + 1, count))
    }

    fn show(&mut self, height: usize) {
        self.top = self.top.clamp((self.cursor + 1).saturating_sub(height.max(1)), self.cursor);
    }

    /// The row that is the first to be seen at the end of the text. With no room at all it is as with a single row.
    fn lowest(&self, height: usize) -> usize {
        self.len().saturating_sub(height.max(1))
    }

    fn last(&self) -> usize {
        self.len().saturating_sub(1)
    }
}

/// Rows looked at for something to fold: it is in the first lines of a body if it is anywhere, below a few headings.
const PROBE: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        body::{Options, View},
        rendered::Folds,
    };

    /// JSON of twelve rows that folds, and a text of three rows that does not.
    fn sheets() -> [Sheet; 3] {
        let sheet = |text: &'static str, content_type: &[u8]| {
            let bytes = bytes::Bytes::from_static(text.as_bytes());
            let body = hookwire_capture::CapturedBody { length: bytes.len() as u64, bytes, sha256: None };
            let options = Options { width: 20, folds: &Folds::default(), search: "a", view: View::Fitting };
            Sheet::new(crate::body::render(&body, Some(content_type), None, &options))
        };
        [
            sheet(r#"{"a":[1,2,{"b":[]},4,5,6],"c":{"a":1}}"#, b"application/json"),
            sheet("a\nb\na", b"text/plain"),
            Sheet::new(Rendered::new(Box::new(crate::rendered::Fixed::from(Vec::new())), 20, "")),
        ]
    }

    /// A screen that was made so small that no row is left for the text.
    #[test]
    fn no_room_or_a_single_row_breaks_nothing() {
        for height in [0, 1, 2] {
            let moves: [&dyn Fn(&mut Sheet); 10] = [
                &|sheet| sheet.step(1, height),
                &|sheet| sheet.step(isize::MAX, height),
                &|sheet| sheet.step(-2, height),
                &|sheet| sheet.roll(3, height),
                &|sheet| sheet.roll(isize::MIN, height),
                &|sheet| sheet.end(height),
                &|sheet| sheet.pick(height),
                &|sheet| {
                    sheet.find(true, false, height);
                },
                &|sheet| {
                    sheet.find(false, true, height);
                },
                &|sheet| {
                    if let Some(node) = sheet.node() {
                        sheet.stand_on(node, height);
                    }
                },
            ];
            for (first, second) in
                (0..moves.len()).flat_map(|first| (0..moves.len()).map(move |second| (first, second)))
            {
                for mut sheet in sheets() {
                    for index in [first, second, first] {
                        moves[index](&mut sheet);
                        assert!(sheet.seen(height).len() <= height);
                        assert!(sheet.top <= sheet.last() && sheet.cursor <= sheet.last(), "{sheet:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_step_shows_the_row_one_stands_on() {
        let [mut sheet, ..] = sheets();
        for height in [1, 2, 5] {
            for by in [3, 4, -2, 9, -20] {
                sheet.step(by, height);
                assert!(sheet.range(height).contains(&sheet.cursor), "{by} at {height}: {sheet:?}");
            }
        }
        // With no room, one stands at the top of it.
        sheet.step(3, 0);
        assert_eq!((sheet.top, sheet.cursor), (3, 3));
    }
}
