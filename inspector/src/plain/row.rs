//! One row of the output, and what flows below it.

use std::iter;

use crate::{columns, theme::Style};

/// The columns of a time of day.
pub(super) const TIME: usize = 8;

/// The columns between two cells.
pub(super) const GAP: usize = 2;

/// Where that starts which goes below: under the second cell, so that only rows begin with a time.
const INDENT: usize = TIME + GAP;

/// Writes one row from left to right, and below it what found no room.
pub(super) struct Row<'a> {
    out: &'a mut String,
    /// The columns of the output.
    width: usize,
    /// The columns written in the current line.
    column: usize,
}

impl<'a> Row<'a> {
    pub(super) fn new(out: &'a mut String, width: usize) -> Self {
        Self { out, width, column: 0 }
    }

    /// A cell of exactly `columns` columns, written from its left.
    pub(super) fn cell(&mut self, style: Style, text: &str, columns: usize) {
        let text = columns::cut(text, columns);
        self.gap();
        style.paint(&text, self.out);
        self.space(columns - columns::width(&text));
        self.column += columns;
    }

    /// A cell of at least `columns` columns, written up to its right.
    pub(super) fn number(&mut self, style: Style, text: &str, columns: usize) {
        let used = columns::width(text);
        self.gap();
        self.space(columns.saturating_sub(used));
        style.paint(text, self.out);
        self.column += columns.max(used);
    }

    /// The first of several forms, longest first, that there is room for here; else the first that there is room for
    /// below. Says which one it was.
    pub(super) fn piece(&mut self, style: Style, forms: &[&str]) -> usize {
        let fits = |column: usize| forms.iter().position(|form| column + columns::width(form) <= self.width);
        let form = if let Some(form) = fits(self.column + GAP) {
            self.gap();
            form
        } else {
            let form = fits(INDENT).unwrap_or(forms.len() - 1);
            self.below();
            form
        };
        style.paint(forms[form], self.out);
        self.column += columns::width(forms[form]);
        form
    }

    /// Text on lines of its own, below the row, under a label.
    pub(super) fn note(&mut self, style: Style, label: &str, text: &str) {
        self.below();
        style.paint(label, self.out);
        self.column += columns::width(label);
        self.paragraph(style, text);
    }

    /// Text in the rest of this line, and below as long as it must.
    pub(super) fn text(&mut self, style: Style, text: &str) {
        self.gap();
        self.paragraph(style, text);
    }

    /// Ends the last line.
    pub(super) fn end(self) {
        self.out.push('\n');
    }

    fn paragraph(&mut self, style: Style, text: &str) {
        let left = self.column;
        for (index, line) in columns::wrap(text, self.width.saturating_sub(left)).enumerate() {
            if index > 0 {
                self.out.push('\n');
                self.space(left);
            }
            style.paint(line, self.out);
            self.column = left + columns::width(line);
        }
    }

    fn below(&mut self) {
        self.out.push('\n');
        self.space(INDENT);
        self.column = INDENT;
    }

    fn gap(&mut self) {
        if self.column > 0 {
            self.space(GAP);
            self.column += GAP;
        }
    }

    fn space(&mut self, columns: usize) {
        self.out.extend(iter::repeat_n(' ', columns));
    }
}
