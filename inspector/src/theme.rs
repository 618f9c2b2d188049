//! Which role is shown in which colour. A colour only ever repeats what a word or a mark already says.

use std::{ffi::OsStr, fmt::Write as _};

/// How one role looks: the parameters of an SGR sequence (ECMA-48 §8.3.117), or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style(&'static str);

impl Style {
    /// As the terminal writes by itself.
    pub const DEFAULT: Self = Self("");

    /// Appends `text` in this style.
    pub(crate) fn paint(self, text: &str, out: &mut String) {
        if self == Self::DEFAULT || text.is_empty() {
            out.push_str(text);
        } else {
            let written = write!(out, "\x1b[{}m{text}\x1b[0m", self.0);
            debug_assert!(written.is_ok(), "writing to a string can't fail");
        }
    }
}

/// The styles by role. Only the terminal's own 16 colours are used: they follow the user's light or dark scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// What the eye should find first: the address to paste.
    pub strong: Style,
    /// What is there when it is looked for: times, labels, hints.
    pub quiet: Style,
    /// What deserves a second look: a repeat, a lost connection.
    pub notice: Style,
    /// The answer of an app that accepted the webhook, or at least did not refuse it (below 400).
    pub answer_good: Style,
    /// An error that the sender was answered with.
    pub answer_bad: Style,
    /// A right signature.
    pub verdict_good: Style,
    /// A right signature of the wrong age, or one that a strict package refuses.
    pub verdict_stale: Style,
    /// A wrong signature.
    pub verdict_bad: Style,
    /// Nothing to judge, or nothing to judge it with.
    pub verdict_unknown: Style,
}

impl Theme {
    /// No colours at all.
    pub const PLAIN: Self = Self {
        strong: Style::DEFAULT,
        quiet: Style::DEFAULT,
        notice: Style::DEFAULT,
        answer_good: Style::DEFAULT,
        answer_bad: Style::DEFAULT,
        verdict_good: Style::DEFAULT,
        verdict_stale: Style::DEFAULT,
        verdict_bad: Style::DEFAULT,
        verdict_unknown: Style::DEFAULT,
    };

    /// Colours for a terminal.
    pub const COLOUR: Self = Self {
        strong: Style("1"),
        quiet: Style("2"),
        notice: Style("33"),
        answer_good: Style::DEFAULT,
        answer_bad: Style("1;31"),
        verdict_good: Style("32"),
        verdict_stale: Style("33"),
        verdict_bad: Style("1;31"),
        verdict_unknown: Style("2"),
    };

    /// Colours on a terminal, unless the variable `NO_COLOR` is there and not empty (<https://no-color.org>).
    pub fn for_output(is_terminal: bool, no_color: Option<&OsStr>) -> Self {
        let refused = no_color.is_some_and(|value| !value.is_empty());
        if is_terminal && !refused { Self::COLOUR } else { Self::PLAIN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_and_no_objection() {
        assert_eq!(Theme::for_output(true, None), Theme::COLOUR);
        assert_eq!(Theme::for_output(true, Some(OsStr::new(""))), Theme::COLOUR);
        assert_eq!(Theme::for_output(true, Some(OsStr::new("1"))), Theme::PLAIN);
        assert_eq!(Theme::for_output(false, None), Theme::PLAIN);
    }
}
