//! Tokens to an expression.

use super::{
    FilterError,
    expression::{Expression, Term},
    lexer::{Kind, Letter, Token},
    value,
};

/// The most terms of a filter: each costs a look at every exchange.
const MOST_TERMS: usize = 50;

/// The deepest nesting of parentheses and `not`.
const DEEPEST: usize = 30;

/// Reads tokens, of which the last is [`Kind::End`].
pub(super) fn parse(tokens: Vec<Token>) -> Result<Expression, FilterError> {
    let mut parser = Parser { tokens, at: 0, depth: 0, terms: 0 };
    if parser.peek().kind == Kind::End {
        return Ok(Expression::All);
    }
    let expression = parser.any_of()?;
    let Token { column, kind } = parser.peek();
    if *kind == Kind::End {
        Ok(expression)
    } else {
        Err(error(*column, "this `)` closes nothing", Some("remove it, or write `\")\"` to search for one")))
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    terms: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        // The end is never stepped over.
        &self.tokens[self.at]
    }

    fn keyword(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(letters) if is_keyword(letters, word))
    }

    fn any_of(&mut self) -> Result<Expression, FilterError> {
        let mut sides = vec![self.all_of()?];
        while self.keyword("or") {
            self.at += 1;
            sides.push(self.all_of()?);
        }
        Ok(join(sides, Expression::Or))
    }

    fn all_of(&mut self) -> Result<Expression, FilterError> {
        let mut sides = vec![self.one()?];
        loop {
            if self.keyword("and") {
                self.at += 1;
            } else if self.keyword("or") || matches!(self.peek().kind, Kind::End | Kind::Close) {
                return Ok(join(sides, Expression::And));
            }
            sides.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Expression, FilterError> {
        let token = self.peek().clone();
        match token.kind {
            Kind::End => Err(error(token.column, "something is missing here", Some("for example `status:5xx`"))),
            Kind::Close => Err(error(token.column, "something is missing before this `)`", None)),
            Kind::Open => {
                self.nest(token.column)?;
                let inner = self.any_of()?;
                if self.peek().kind != Kind::Close {
                    return Err(error(token.column, "this `(` is not closed", Some("end it with `)`")));
                }
                self.at += 1;
                self.depth -= 1;
                Ok(inner)
            }
            Kind::Word(letters) if is_keyword(&letters, "not") => {
                self.nest(token.column)?;
                let inner = self.one()?;
                self.depth -= 1;
                Ok(Expression::Not(Box::new(inner)))
            }
            Kind::Word(letters) => self.term(token.column, &letters).map(Expression::Term),
        }
    }

    fn nest(&mut self, column: usize) -> Result<(), FilterError> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST { Err(error(column, "this is nested too deeply", None)) } else { Ok(()) }
    }

    fn term(&mut self, column: usize, letters: &[Letter]) -> Result<Term, FilterError> {
        for keyword in ["and", "or"] {
            if is_keyword(letters, keyword) {
                let hint = format!("put a filter on both sides, or write `\"{keyword}\"` to search for the word");
                return Err(error(column, &format!("`{keyword}` has nothing before it"), Some(&hint)));
            }
        }
        self.terms += 1;
        if self.terms > MOST_TERMS {
            return Err(error(column, &format!("the filter has more than {MOST_TERMS} parts"), None));
        }
        self.at += 1;
        value::term(column, letters)
    }
}

/// A list of one is that one.
fn join(mut sides: Vec<Expression>, of: fn(Vec<Expression>) -> Expression) -> Expression {
    match (sides.pop(), sides.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            sides.extend(last);
            of(sides)
        }
    }
}

/// Whether the word is this keyword, and no part of it was quoted.
pub(super) fn is_keyword(letters: &[Letter], keyword: &str) -> bool {
    letters.len() == keyword.len()
        && letters.iter().zip(keyword.chars()).all(|(at, letter)| !at.quoted && at.symbol.eq_ignore_ascii_case(&letter))
}

pub(super) fn error(column: usize, message: &str, hint: Option<&str>) -> FilterError {
    FilterError { column, message: message.to_owned(), hint: hint.map(str::to_owned) }
}
