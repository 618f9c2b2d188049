//! Lines for a screen: text that is safe to show, and what each piece of it means.

use std::borrow::Cow;

use crate::{columns, sanitize::sanitize};

/// One line of a screen, piece by piece.
pub type Line = Vec<Span>;

/// A piece of a line: text that may go to a terminal as it is, and what it means.
///
/// **Invariant:** there is no way to make one around [`sanitize`], so the text holds no control character, nothing
/// that turns the direction of writing and nothing invisible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    text: Cow<'static, str>,
    role: Role,
}

impl Span {
    /// A piece of text from anywhere, escaped where it must be.
    pub fn new(role: Role, text: impl AsRef<[u8]>) -> Self {
        Self { text: Cow::Owned(sanitize(text.as_ref()).into_owned()), role }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    pub fn role(&self) -> Role {
        self.role
    }

    /// How many columns of a terminal it takes.
    pub fn width(&self) -> usize {
        columns::width(&self.text)
    }
}

/// What a piece of text means. A theme says how that looks; no meaning is in the look alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Text without a meaning of its own.
    #[default]
    Plain,
    /// The name of a field in JSON, a form or a table.
    Key,
    /// A string in JSON.
    String,
    /// A number in JSON.
    Number,
    /// `true`, `false` and `null`.
    Literal,
    /// Brackets, colons, commas.
    Punctuation,
    /// What is there when it is looked for: indentation, hints, offsets.
    Muted,
    /// What a search found.
    Match,
    /// Where something stops being what it should be.
    Error,
    /// The name of a header.
    HeaderName,
    /// The name of what follows.
    Heading,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// What deserves a second look.
    Warn,
}

/// The text of a line without the meanings, for tests and for what has no colours.
pub fn text(line: &[Span]) -> String {
    line.iter().map(Span::text).collect()
}
