//! One word to a term: `status:5xx`, `late`, `refund`.

use std::ops::RangeInclusive;

use super::{
    FilterError,
    error::closest,
    expression::{Term, Text},
    lexer::Letter,
    parser::{error, is_keyword},
    words::{self, Field},
};
use crate::pattern::{LONGEST_PART, Pattern};

/// Reads one word.
pub(super) fn term(column: usize, letters: &[Letter]) -> Result<Term, FilterError> {
    if is_keyword(letters, "repeat") {
        return Ok(Term::Repeat);
    }
    if is_keyword(letters, "late") {
        return Ok(Term::Late);
    }
    match field_and_value(letters) {
        Some((name, value)) => {
            let field = words::field(&name).ok_or_else(|| unknown_field(column, &name))?;
            let value = Value { column: column + name.chars().count() + 1, letters: value, field };
            value.term()
        }
        None if letters.is_empty() => {
            Err(error(column, "this text is empty", Some("remove it, or write what to look for")))
        }
        None => {
            let word = Value { column, letters, field: &words::ANYWHERE };
            Ok(Term::Anywhere(word.part_of_text()?))
        }
    }
}

/// What stands before and after the first colon, if what stands before can be a field.
fn field_and_value(letters: &[Letter]) -> Option<(String, &[Letter])> {
    let colon = letters.iter().position(|letter| letter.is(':'))?;
    let (name, value) = (&letters[..colon], &letters[colon + 1..]);
    let like_a_name = |at: &Letter| !at.quoted && (at.symbol.is_ascii_alphabetic() || matches!(at.symbol, '-' | '_'));
    (colon > 0 && name.iter().all(like_a_name))
        .then(|| (name.iter().map(|at| at.symbol.to_ascii_lowercase()).collect(), value))
}

fn unknown_field(column: usize, name: &str) -> FilterError {
    let hint = match closest(name, words::FIELDS.iter().map(|field| field.name)) {
        Some(meant) => format!("did you mean `{meant}:`?"),
        None => format!("put it in quotes to search for the text: `\"{name}:…\"`"),
    };
    error(column, &format!("there is no field `{name}`"), Some(&hint))
}

/// What stands behind a field's colon.
struct Value<'a> {
    column: usize,
    letters: &'a [Letter],
    field: &'a Field,
}

impl Value<'_> {
    fn term(&self) -> Result<Term, FilterError> {
        if self.letters.is_empty() {
            return Err(self.wrong(format!("`{}:` needs a value", self.field.name)));
        }
        let text = |text, pattern| Ok(Term::Text(text, pattern));
        match self.field.name {
            "status" => Ok(Term::Status(self.status()?)),
            "duration" => Ok(Term::Duration(self.span()?)),
            "age" => Ok(Term::Age(self.span()?)),
            "header" => self.header(),
            "body" => Ok(Term::Body(self.part_of_text()?)),
            "path" => text(Text::Path, self.beginning()?),
            "note" => text(Text::Note, self.part_of_text()?),
            "method" => text(Text::Method, self.whole()?),
            "endpoint" => text(Text::Endpoint, self.whole()?),
            "event" => text(Text::Event, self.whole()?),
            "origin" => text(Text::Origin, self.one_of()?),
            "verdict" => text(Text::Verdict, self.one_of()?),
            "cause" => text(Text::Cause, self.one_of()?),
            "provider" => text(Text::Provider, self.one_of()?),
            // The last field of the table.
            _ => text(Text::Error, self.one_of()?),
        }
    }

    fn text(&self) -> String {
        self.letters.iter().map(|at| at.symbol).collect()
    }

    fn wrong(&self, message: String) -> FilterError {
        let hint = format!("for example `{}`", self.field.example);
        FilterError { column: self.column, message, hint: Some(hint) }
    }

    /// A pattern of letters, with wildcards before and behind where asked.
    fn pattern(&self, letters: &[Letter], before: bool, behind: bool) -> Result<Pattern, FilterError> {
        let mut pieces = vec![Some(String::new())];
        for at in letters {
            match pieces.last_mut() {
                _ if at.is('*') => pieces.push(None),
                Some(Some(text)) => text.push(at.symbol),
                _ => pieces.push(Some(at.symbol.to_string())),
            }
        }
        if pieces.iter().flatten().any(|text| text.len() > LONGEST_PART) {
            return Err(self.wrong(format!("this text is longer than {LONGEST_PART} bytes")));
        }
        let pieces = pieces.iter().map(Option::as_deref);
        let (before, behind) = (before.then_some(None), behind.then_some(None));
        Ok(Pattern::of(before.into_iter().chain(pieces).chain(behind)))
    }

    fn whole(&self) -> Result<Pattern, FilterError> {
        self.pattern(self.letters, false, false)
    }

    fn part_of_text(&self) -> Result<Pattern, FilterError> {
        self.pattern(self.letters, true, true)
    }

    /// Without a wildcard the path only begins so: that is what people mean by `path:/stripe`.
    fn beginning(&self) -> Result<Pattern, FilterError> {
        let wild = self.letters.iter().any(|at| at.is('*'));
        self.pattern(self.letters, false, !wild)
    }

    /// A word of a closed list, or a pattern that at least one of them fits.
    fn one_of(&self) -> Result<Pattern, FilterError> {
        let pattern = self.whole()?;
        let known = words::values(self.field);
        if known.iter().any(|word| pattern.fits(word.as_bytes())) {
            return Ok(pattern);
        }
        let text = self.text();
        let hint = match closest(&text, known.iter().copied()) {
            Some(meant) => format!("did you mean `{}:{meant}`?", self.field.name),
            None => format!("known are {}", list(&known)),
        };
        let message = format!("there is no {} `{text}`", self.field.name);
        Err(FilterError { column: self.column, message, hint: Some(hint) })
    }

    fn header(&self) -> Result<Term, FilterError> {
        let equals = self.letters.iter().position(|at| at.is('='));
        let (name, value) = match equals {
            Some(at) => (&self.letters[..at], self.pattern(&self.letters[at + 1..], false, false)?),
            None => (self.letters, Pattern::any()),
        };
        if name.is_empty() {
            return Err(self.wrong("the header's name is missing".to_owned()));
        }
        Ok(Term::Header { name: self.pattern(name, false, false)?, value })
    }

    fn status(&self) -> Result<RangeInclusive<u16>, FilterError> {
        let text = self.text().to_ascii_lowercase();
        let (comparison, number) = Comparison::of(&text);
        let range = match number.strip_suffix("xx") {
            // 0 is no answer at all, so it is no class of its own.
            Some(class) if comparison == Comparison::Equal => match class.parse::<u16>() {
                Ok(class @ 1..=9) => Some(class * 100..=class * 100 + 99),
                _ => None,
            },
            Some(_) => None,
            None => number.parse().ok().filter(|status| *status < 1000).map(|status| comparison.range(status)),
        };
        range.ok_or_else(|| self.wrong(format!("`{}` is no status", self.text())))
    }

    /// A comparison with a duration, in microseconds.
    fn span(&self) -> Result<RangeInclusive<i64>, FilterError> {
        let text = self.text().to_ascii_lowercase();
        let (comparison, span) = Comparison::of(&text);
        if comparison == Comparison::Equal {
            return Err(self.wrong(format!("`{}:` needs `<` or `>`", self.field.name)));
        }
        let micros = micros_of(span).ok_or_else(|| {
            self.wrong(format!("`{}` is no time: a whole number with `ms`, `s`, `m`, `h` or `d`", self.text()))
        })?;
        Ok(comparison.range(micros))
    }
}

/// A time such as `10m`, in microseconds.
fn micros_of(text: &str) -> Option<i64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// A number that comparisons make ranges of.
trait Number: Copy {
    const LEAST: Self;
    const MOST: Self;
    /// The next lower one; saturates, which leaves `<0` with zero in it: harmless, and nobody's question.
    fn below(self) -> Self;
    fn above(self) -> Self;
}

impl Comparison {
    /// The comparison that a text begins with, and the rest.
    fn of(text: &str) -> (Self, &str) {
        let table = [("<=", Self::AtMost), (">=", Self::AtLeast), ("<", Self::Less), (">", Self::More)];
        table
            .into_iter()
            .find_map(|(sign, comparison)| Some((comparison, text.strip_prefix(sign)?)))
            .unwrap_or((Self::Equal, text))
    }

    fn range<N: Number>(self, limit: N) -> RangeInclusive<N> {
        match self {
            Self::Less => N::LEAST..=limit.below(),
            Self::AtMost => N::LEAST..=limit,
            Self::Equal => limit..=limit,
            Self::AtLeast => limit..=N::MOST,
            Self::More => limit.above()..=N::MOST,
        }
    }
}

impl Number for u16 {
    const LEAST: Self = Self::MIN;
    const MOST: Self = Self::MAX;
    fn below(self) -> Self {
        self.saturating_sub(1)
    }
    fn above(self) -> Self {
        self.saturating_add(1)
    }
}

impl Number for i64 {
    const LEAST: Self = Self::MIN;
    const MOST: Self = Self::MAX;
    fn below(self) -> Self {
        self.saturating_sub(1)
    }
    fn above(self) -> Self {
        self.saturating_add(1)
    }
}
