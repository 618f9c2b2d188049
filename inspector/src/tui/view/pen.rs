//! Writes along one row of the screen.

use std::iter;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    columns,
    line::{Line, Role, Span},
    theme::Palette,
};

/// Where and how text goes onto a row. What finds no room is left out.
pub(super) struct Pen<'a> {
    buffer: &'a mut Buffer,
    palette: Palette,
    emphasis: Emphasis,
    x: u16,
    y: u16,
    end: u16,
}

/// How a whole row stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emphasis {
    /// Not at all.
    None,
    /// One stands on it.
    Selected,
    /// One stands on it, in the pane that does not have the keys.
    Resting,
}

impl<'a> Pen<'a> {
    /// For a row of an area, from 0; none if it has no such row.
    pub(super) fn row(buffer: &'a mut Buffer, palette: Palette, area: Rect, row: usize) -> Option<Self> {
        let row = u16::try_from(row).ok().filter(|&row| row < area.height)?;
        let area = area.intersection(buffer.area);
        let y = area.y + row;
        (y < buffer.area.bottom() && area.width > 0).then_some(Self {
            buffer,
            palette,
            emphasis: Emphasis::None,
            x: area.x,
            y,
            end: area.right(),
        })
    }

    /// The same, for a row that stands out as a whole.
    pub(super) fn with(mut self, emphasis: Emphasis) -> Self {
        self.emphasis = emphasis;
        let style = self.style(Role::Plain);
        self.buffer.set_style(Rect::new(self.x, self.y, self.end - self.x, 1), style);
        self
    }

    /// How many columns are left.
    pub(super) fn room(&self) -> usize {
        usize::from(self.end - self.x)
    }

    /// Writes a span, cut if it must be.
    pub(super) fn span(&mut self, span: &Span) {
        self.safe(span.text(), self.style(span.role()));
    }

    /// Writes a line.
    pub(super) fn line(&mut self, line: &Line) {
        for span in line {
            self.span(span);
        }
    }

    /// Writes text from anywhere, cut if it must be.
    pub(super) fn text(&mut self, role: Role, text: impl AsRef<[u8]>) {
        self.span(&Span::new(role, text));
    }

    /// Writes text where the eye goes first.
    pub(super) fn accent(&mut self, text: &str) {
        let span = Span::new(Role::Plain, text);
        self.safe(span.text(), self.palette.accent());
    }

    /// Writes text into a cell of so many columns, its end cut.
    pub(super) fn cell(&mut self, role: Role, text: impl AsRef<[u8]>, width: usize) {
        let span = Span::new(role, text);
        let cut = columns::cut(span.text(), width);
        let used = columns::width(&cut);
        self.safe(&cut, self.style(role));
        self.gap(width.saturating_sub(used));
    }

    /// The same, its middle cut.
    pub(super) fn path(&mut self, role: Role, text: impl AsRef<[u8]>, width: usize) {
        let span = Span::new(role, text);
        let cut = columns::cut_middle(span.text(), width);
        let used = columns::width(&cut);
        self.safe(&cut, self.style(role));
        self.gap(width.saturating_sub(used));
    }

    /// The same, up to the right.
    pub(super) fn number(&mut self, role: Role, text: impl AsRef<[u8]>, width: usize) {
        let span = Span::new(role, text);
        let cut = columns::cut(span.text(), width);
        self.gap(width.saturating_sub(columns::width(&cut)));
        self.safe(&cut, self.style(role));
    }

    /// Leaves columns free.
    pub(super) fn gap(&mut self, columns: usize) {
        self.x = self.x.saturating_add(columns as u16).min(self.end);
    }

    /// Goes so far that only this many columns are left; stays where it is if fewer are.
    pub(super) fn leave(&mut self, columns: usize) {
        self.x = self.x.max(self.end.saturating_sub(columns as u16));
    }

    /// Fills the rest of the row.
    pub(super) fn rule(&mut self, role: Role) {
        let line: String = iter::repeat_n('─', self.room()).collect();
        self.safe(&line, self.style(role));
    }

    /// Where it stands.
    pub(super) fn at(&self) -> (u16, u16) {
        (self.x.min(self.end.saturating_sub(1)), self.y)
    }

    /// Writes what is sanitised already.
    fn safe(&mut self, text: &str, style: Style) {
        let cut = columns::cut(text, self.room());
        if self.room() > 0 {
            (self.x, _) = self.buffer.set_stringn(self.x, self.y, cut, self.room(), style);
        }
    }

    fn style(&self, role: Role) -> Style {
        match self.emphasis {
            Emphasis::None => self.palette.look(role),
            Emphasis::Selected => self.palette.selected(role),
            Emphasis::Resting => self.palette.resting(role),
        }
    }
}
