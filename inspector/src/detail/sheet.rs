//! Lines of labels and values.

use crate::{
    line::{Line, Role, Span},
    rendered::{Content, Fixed, Stack},
};

/// Lines of a section, from top to bottom.
#[derive(Default)]
pub(super) struct Sheet {
    stack: Stack,
    lines: Fixed,
}

impl Sheet {
    /// The name of what follows, after an empty line unless it is the first.
    pub(super) fn heading(&mut self, text: &str) {
        if self.stack.lines() + self.lines.lines() > 0 {
            self.line(Line::new());
        }
        self.text(Role::Heading, text);
    }

    /// A label and its value. What wraps of the value stays in its column.
    pub(super) fn field(&mut self, label: &str, role: Role, value: impl AsRef<[u8]>) {
        self.fields(label, vec![Span::new(role, value)]);
    }

    /// As [`field`](Self::field), for a value of several pieces.
    pub(super) fn fields(&mut self, label: &str, value: Line) {
        let label = Span::new(Role::Muted, format!("{label:LABEL_COLUMNS$}"));
        let columns = label.width();
        self.lines.hang([vec![label], value].concat(), columns);
    }

    /// A sentence.
    pub(super) fn text(&mut self, role: Role, text: impl AsRef<[u8]>) {
        self.line(vec![Span::new(role, text)]);
    }

    pub(super) fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// A line whose later rows are indented by `columns`.
    pub(super) fn hang(&mut self, line: Line, columns: usize) {
        self.lines.hang(line, columns);
    }

    /// Something of any length.
    pub(super) fn content(&mut self, content: Box<dyn Content>) {
        self.stack.push(std::mem::take(&mut self.lines));
        self.stack.push_boxed(content);
    }

    pub(super) fn finish(mut self) -> Box<dyn Content> {
        self.stack.push(self.lines);
        Box::new(self.stack)
    }
}

/// The longest label, `answered by`, and a gap.
const LABEL_COLUMNS: usize = 13;
