//! A filter as SQL over the store's tables.
//!
//! Every term is true or false, never null: `not` is then the opposite, as it is without a store.

use std::ops::RangeInclusive;

use rusqlite::types::Value;

use super::expression::{Expression, Term, Text};
use crate::pattern::Pattern;

/// A condition on the rows `e` of `exchange`.
pub(crate) struct Compiled {
    /// What must hold.
    pub(crate) condition: String,
    /// What must hold of the row `s` of `sieve` if the condition holds; none if nothing must.
    pub(crate) sieve: Option<String>,
    /// The values of `?1`, `?2` … in both.
    pub(crate) values: Vec<Value>,
}

impl Compiled {
    /// Compiles an expression; `now` in microseconds since 1970.
    pub(super) fn of(expression: &Expression, now: i64) -> Self {
        let mut builder = Builder { values: Vec::new(), now, bits: "s.bits" };
        let sieve = builder.sieve(expression);
        if sieve.is_none() {
            builder.bits = "(SELECT bits FROM sieve WHERE row = e.row)";
        }
        let condition = builder.condition(expression);
        Self { condition, sieve, values: builder.values }
    }

    /// One more value, and how the text refers to it.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> String {
        bind(&mut self.values, value.into())
    }
}

fn bind(values: &mut Vec<Value>, value: Value) -> String {
    values.push(value);
    format!("?{}", values.len())
}

struct Builder {
    values: Vec<Value>,
    now: i64,
    /// Where the row's sieve is.
    bits: &'static str,
}

impl Builder {
    fn condition(&mut self, expression: &Expression) -> String {
        match expression {
            Expression::All => "TRUE".to_owned(),
            Expression::And(sides) => self.joined(sides, " AND "),
            Expression::Or(sides) => self.joined(sides, " OR "),
            Expression::Not(inner) => format!("NOT {}", self.condition(inner)),
            Expression::Term(term) => self.term(term),
        }
    }

    fn joined(&mut self, sides: &[Expression], by: &str) -> String {
        // The cheap ones first: SQLite evaluates in order, and stops as soon as the outcome is clear.
        let mut sides: Vec<&Expression> = sides.iter().collect();
        sides.sort_by_key(|side| cost(side));
        let sides: Vec<String> = sides.into_iter().map(|side| self.condition(side)).collect();
        format!("({})", sides.join(by))
    }

    fn term(&mut self, term: &Term) -> String {
        match term {
            Term::Status(range) => self.between("e.status", i64::from(*range.start())..=i64::from(*range.end())),
            Term::Duration(range) => self.between("e.duration", range.clone()),
            Term::Age(range) => {
                let (youngest, oldest) =
                    (self.now.saturating_sub(*range.start()), self.now.saturating_sub(*range.end()));
                self.between("e.received_at", oldest..=youngest)
            }
            Term::Repeat => "e.repeats > 0".to_owned(),
            Term::Late => "e.late".to_owned(),
            Term::Text(text, pattern) => self.text(*text, pattern),
            Term::Header { name, value } => {
                let sieve = self.sieved_first(term);
                let (name, value) = (self.pattern(name), self.pattern(value));
                format!("({sieve}{})", in_head(&name, &value))
            }
            Term::Body(pattern) => {
                let (sieve, pattern) = (self.sieved_first(term), self.pattern(pattern));
                format!("({sieve}{})", in_bodies(&pattern))
            }
            Term::Anywhere(pattern) => {
                let sieve = self.sieved_first(term);
                let (any, pattern) = (self.pattern(&Pattern::any()), self.pattern(pattern));
                let columns = "e.method, e.target, e.endpoint, e.event, e.event_id, e.note";
                let (headers, bodies) = (in_head(&any, &pattern), in_bodies(&pattern));
                format!("({sieve}(fits({pattern}, {columns}) OR {headers} OR {bodies}))")
            }
        }
    }

    /// What comes before a look at heads and bodies.
    fn sieved_first(&mut self, term: &Term) -> String {
        self.sieve_of(term).map_or_else(String::new, |sieve| format!("{sieve} AND "))
    }

    fn text(&mut self, text: Text, pattern: &Pattern) -> String {
        let column = match text {
            Text::Path => return format!("path_fits({}, e.target)", self.pattern(pattern)),
            Text::Method => "e.method",
            Text::Endpoint => "e.endpoint",
            Text::Event => "e.event",
            Text::Note => "e.note",
            Text::Origin => "e.origin",
            Text::Verdict => "e.verdict",
            Text::Cause => "e.cause",
            Text::Provider => "e.provider",
            Text::Error => "e.error",
        };
        match pattern.literal() {
            // Words of a closed list are stored in lower case.
            Some(word) if text.is_of_a_closed_list() => {
                let word = bind(&mut self.values, word.to_owned().into());
                format!("{column} IS {word}")
            }
            _ => format!("fits({}, {column})", self.pattern(pattern)),
        }
    }

    fn between(&mut self, column: &str, range: RangeInclusive<i64>) -> String {
        let low = bind(&mut self.values, (*range.start()).into());
        let high = bind(&mut self.values, (*range.end()).into());
        format!("{column} BETWEEN {low} AND {high}")
    }

    fn pattern(&mut self, pattern: &Pattern) -> String {
        bind(&mut self.values, pattern.encoded().to_vec().into())
    }

    /// What the sieve can say for the whole expression: nothing for what is negated, and for a choice only if it can for each side.
    fn sieve(&mut self, expression: &Expression) -> Option<String> {
        match expression {
            Expression::And(sides) => {
                let sides: Vec<String> = sides.iter().filter_map(|side| self.sieve(side)).collect();
                (!sides.is_empty()).then(|| format!("({})", sides.join(" AND ")))
            }
            Expression::Or(sides) => {
                let sides: Option<Vec<String>> = sides.iter().map(|side| self.sieve(side)).collect();
                sides.map(|sides| format!("({})", sides.join(" OR ")))
            }
            Expression::Term(term) => self.sieve_of(term),
            Expression::All | Expression::Not(_) => None,
        }
    }

    fn sieve_of(&mut self, term: &Term) -> Option<String> {
        match term {
            Term::Body(pattern) | Term::Anywhere(pattern) => self.sieved(pattern),
            Term::Header { name, value } => {
                let sides: Vec<String> = [name, value].into_iter().filter_map(|part| self.sieved(part)).collect();
                (!sides.is_empty()).then(|| sides.join(" AND "))
            }
            _ => None,
        }
    }

    fn sieved(&mut self, pattern: &Pattern) -> Option<String> {
        (!pattern.trigrams().is_empty()).then(|| format!("sieve_passes({}, {})", self.pattern(pattern), self.bits))
    }
}

fn in_head(name: &str, value: &str) -> String {
    format!("header_fits({name}, {value}, (SELECT request FROM head WHERE row = e.row))")
}

fn in_bodies(pattern: &str) -> String {
    // Empty bodies have no row.
    let body = |of| format!("fits({pattern}, ifnull((SELECT {of} FROM body WHERE row = e.row), x''))");
    format!("({} OR {})", body("request"), body("response"))
}

/// How dear an expression is: columns, then heads, then bodies.
fn cost(expression: &Expression) -> u8 {
    match expression {
        Expression::And(sides) | Expression::Or(sides) => sides.iter().map(cost).max().unwrap_or(0),
        Expression::Not(inner) => cost(inner),
        Expression::Term(Term::Header { .. }) => 2,
        Expression::Term(Term::Body(_) | Term::Anywhere(_)) => 3,
        Expression::Term(Term::Text(..)) => 1,
        Expression::All | Expression::Term(_) => 0,
    }
}

impl Text {
    fn is_of_a_closed_list(self) -> bool {
        matches!(self, Self::Origin | Self::Verdict | Self::Cause | Self::Provider | Self::Error)
    }
}
