//! The list of what changed.

use crate::{
    columns,
    line::{Line, Role, Span},
    rendered::{Content, Fixed},
    sanitize::sanitize,
    sizes,
};

/// Changes of one message, in order, up to a bound.
pub(super) struct Changes {
    name: &'static str,
    lines: Fixed,
    /// How many there are; lines of context are none.
    count: u64,
    /// Whether some have no line.
    full: bool,
}

/// More changes than this are another message, not a changed one.
const LIMIT: usize = 500;

/// How many columns of a value are shown: enough to see it, and two of them on a screen.
const VALUE_COLUMNS: usize = 200;

/// How many bytes of a value are looked at for that.
const VALUE_BYTES: usize = 1_024;

/// What wraps is indented.
const HANG: usize = 4;

impl Changes {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, lines: Fixed::default(), count: 0, full: false }
    }

    /// A value that may have changed.
    pub(super) fn value(&mut self, name: &str, old: &[u8], new: &[u8]) {
        if old != new {
            self.changed(vec![Span::new(Role::Key, name), Span::new(Role::Plain, "  ")], old, new);
        }
    }

    /// A header that may have changed.
    pub(super) fn header(&mut self, name: &[u8], old: &[u8], new: &[u8]) {
        if old != new {
            self.changed(vec![Span::new(Role::HeaderName, name), Span::new(Role::Punctuation, ": ")], old, new);
        }
    }

    fn changed(&mut self, name: Line, old: &[u8], new: &[u8]) {
        let mut line = vec![Span::new(Role::Warn, "~ ")];
        line.extend(name);
        line.extend([value(Role::Bad, old), Span::new(Role::Muted, " → "), value(Role::Good, new)]);
        self.count += 1;
        self.push(line);
    }

    /// Something that is no longer there.
    pub(super) fn removed(&mut self, text: &[u8]) {
        self.count += 1;
        self.push(vec![Span::new(Role::Bad, "- "), value(Role::Bad, text)]);
    }

    /// Something that was not there.
    pub(super) fn added(&mut self, text: &[u8]) {
        self.count += 1;
        self.push(vec![Span::new(Role::Good, "+ "), value(Role::Good, text)]);
    }

    /// What stands around a change.
    pub(super) fn context(&mut self, text: &[u8]) {
        self.push(vec![Span::new(Role::Plain, "  "), value(Role::Muted, text)]);
    }

    /// A remark that is no change.
    pub(super) fn note(&mut self, role: Role, text: &str) {
        self.push(vec![Span::new(role, text)]);
    }

    /// A change that no line can show.
    pub(super) fn difference(&mut self, text: &str) {
        self.count += 1;
        self.push(vec![Span::new(Role::Warn, "~ "), Span::new(Role::Plain, text)]);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether looking for more is of no use.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// The list below its heading.
    pub(super) fn finish(self, after_another: bool) -> Fixed {
        let mut page = Fixed::default();
        if after_another {
            page.push(Line::new());
        }
        let (role, words) = match (self.count, self.full) {
            (0, _) => (Role::Muted, "the same".to_owned()),
            (1, false) => (Role::Plain, "1 change".to_owned()),
            (count, false) => (Role::Plain, format!("{} changes", sizes::grouped(count))),
            (count, true) => (Role::Warn, format!("{} changes, and more that are not shown", sizes::grouped(count))),
        };
        page.push(vec![Span::new(Role::Heading, self.name), Span::new(role, format!(": {words}"))]);
        page.append(self.lines);
        page
    }

    fn push(&mut self, line: Line) {
        if self.lines.lines() < LIMIT {
            self.lines.hang(line, HANG);
        } else {
            self.full = true;
        }
    }
}

/// A value, cut to what a person can compare.
fn value(role: Role, bytes: &[u8]) -> Span {
    let shown = sanitize(&bytes[..bytes.len().min(VALUE_BYTES)]);
    let mut text = columns::cut(&shown, VALUE_COLUMNS).into_owned();
    if bytes.len() > VALUE_BYTES && !text.ends_with('…') {
        text.push('…');
    }
    if text.is_empty() { Span::new(Role::Muted, "nothing") } else { Span::new(role, text) }
}
