//! Which role is shown in which colour. A colour only ever repeats what a word or a mark already says.

use std::{ffi::OsStr, fmt::Write as _};

use ratatui::style::{Color, Modifier, Style as Look};

use crate::line::Role;

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

/// How the full screen looks. Views name roles only; here they become the terminal's own 16 colours, or attributes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// No colours: bold, dim, underlined and reversed only.
    Plain,
}

impl Palette {
    /// What fits the terminal: no colours if `NO_COLOR` is there and not empty; else by the background that `COLORFGBG`
    /// names last (rxvt, Konsole and others set it: `15;0` is dark); dark if it says nothing.
    pub fn for_terminal(no_color: Option<&OsStr>, background: Option<&OsStr>) -> Self {
        if no_color.is_some_and(|value| !value.is_empty()) {
            return Self::Plain;
        }
        let background = background.and_then(OsStr::to_str).and_then(|it| it.rsplit(';').next()?.parse::<u8>().ok());
        match background {
            Some(7 | 9..=15) => Self::Light,
            _ => Self::Dark,
        }
    }

    /// How a role looks.
    pub(crate) fn look(self, role: Role) -> Look {
        let plain = Look::new();
        match (self, role) {
            (_, Role::Plain | Role::Punctuation)
            | (Self::Plain, Role::String | Role::Number | Role::Literal | Role::Good) => plain,
            (_, Role::Heading) | (Self::Plain, Role::Key | Role::HeaderName | Role::Warn) => {
                plain.add_modifier(Modifier::BOLD)
            }
            (Self::Plain, Role::Muted) => plain.add_modifier(Modifier::DIM),
            (Self::Plain, Role::Bad | Role::Error) => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            (Self::Plain, Role::Match) => plain.add_modifier(Modifier::REVERSED),
            (Self::Dark, Role::Key | Role::HeaderName) => plain.fg(Color::Cyan),
            (Self::Light, Role::Key | Role::HeaderName) => plain.fg(Color::Blue),
            (Self::Dark | Self::Light, Role::String | Role::Good) => plain.fg(Color::Green),
            (Self::Dark | Self::Light, Role::Number | Role::Literal) => plain.fg(Color::Magenta),
            (Self::Dark | Self::Light, Role::Muted) => plain.fg(Color::DarkGray),
            (Self::Dark | Self::Light, Role::Bad | Role::Error) => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Self::Dark, Role::Warn) => plain.fg(Color::Yellow),
            // Yellow can't be read on white.
            (Self::Light, Role::Warn) => plain.fg(Color::Magenta).add_modifier(Modifier::BOLD),
            (Self::Dark | Self::Light, Role::Match) => plain.fg(Color::Black).bg(Color::Yellow),
        }
    }

    /// How a role looks in the row one stands on, in the pane that has the keys.
    pub(crate) fn selected(self, role: Role) -> Look {
        match (self, role) {
            (Self::Plain, _) => self.look(role).remove_modifier(Modifier::DIM).add_modifier(Modifier::REVERSED),
            // What is dark grey elsewhere would be dark grey on dark grey here.
            (Self::Dark, Role::Muted) => Look::new().bg(Color::DarkGray).fg(Color::Gray),
            (Self::Dark, _) => self.look(role).bg(Color::DarkGray).add_modifier(Modifier::BOLD),
            (Self::Light, _) => self.look(role).bg(Color::Gray).add_modifier(Modifier::BOLD),
        }
    }

    /// How a role looks in the row one stands on, in the other pane.
    pub(crate) fn resting(self, role: Role) -> Look {
        self.look(role).remove_modifier(Modifier::DIM).add_modifier(Modifier::BOLD)
    }

    /// The name of the program, the open tab, a key in a hint: where the eye goes first.
    pub(crate) fn accent(self) -> Look {
        match self {
            Self::Dark => Look::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
            Self::Light => Look::new().fg(Color::Blue).add_modifier(Modifier::BOLD),
            Self::Plain => Look::new().add_modifier(Modifier::BOLD),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_follows_the_background_and_the_objection() {
        let palette = |no_color: Option<&str>, background: Option<&str>| {
            Palette::for_terminal(no_color.map(OsStr::new), background.map(OsStr::new))
        };
        assert_eq!(palette(None, None), Palette::Dark);
        assert_eq!(palette(None, Some("15;0")), Palette::Dark);
        assert_eq!(palette(None, Some("0;default;15")), Palette::Light);
        assert_eq!(palette(None, Some("0;7")), Palette::Light);
        assert_eq!(palette(Some(""), Some("nonsense")), Palette::Dark);
        assert_eq!(palette(Some("1"), Some("0;15")), Palette::Plain);
    }

    #[test]
    fn colours_need_a_terminal_and_no_objection() {
        assert_eq!(Theme::for_output(true, None), Theme::COLOUR);
        assert_eq!(Theme::for_output(true, Some(OsStr::new(""))), Theme::COLOUR);
        assert_eq!(Theme::for_output(true, Some(OsStr::new("1"))), Theme::PLAIN);
        assert_eq!(Theme::for_output(false, None), Theme::PLAIN);
    }
}
