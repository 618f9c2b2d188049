//! The one small language in which exchanges are searched: on the screen, on the command line and in the API.
//!
//! ```text
//! status:5xx                    the answer's status; also `404`, `>=400`, `0` for no answer
//! method:POST                   the method
//! path:/stripe                  how the path begins; with `*`, the whole of it: `path:*/refunds`
//! verdict:invalid               what checking the signature found
//! cause:body-*                  why it is not valid
//! provider:razorpay             who sent it
//! event:payment.*               the event's name
//! header:x-github-event=push    a header of the request; without `=…`: that it is there
//! body:"pay_29Q"                a text in the body of the request or the response
//! origin:replay                 live, held, replay or sent
//! endpoint:shop                 the endpoint's name
//! error:app-refused             what went wrong on the way
//! age:<10m  duration:>1s        with ms, s, m, h or d
//! note:"ask anna"               a text in the note
//! repeat  late                  an event that came before; an answer after the deadline
//! refund "two words"            a text in method, target, endpoint, event, note, header values or bodies
//! a b  a and b  a or b  not a   `and` binds tighter than `or`; parentheses group
//! ```
//!
//! A `*` outside quotes stands for any text. Letters of ASCII count the same in upper and lower case. Inside quotes, `\"` and
//! `\\` are a quote and a backslash.

mod compile;
mod error;
mod evaluate;
mod expression;
mod lexer;
mod parser;
mod value;
mod words;

use std::time::SystemTime;

pub(crate) use compile::Compiled;
pub use error::FilterError;
pub use evaluate::Beside;
use expression::Expression;
pub use words::Word;

use crate::{Exchange, columns};

/// The longest filter, in characters: more than anybody types, and little enough for everything that reads it.
const LONGEST: usize = 1000;

/// A parsed filter.
///
/// ```
/// use hookwire_capture::Filter;
///
/// let filter = Filter::parse("status:5xx event:payment.* not origin:replay")?;
/// assert_eq!(Filter::parse("stauts:5xx").unwrap_err().hint.as_deref(), Some("did you mean `status:`?"));
/// # Ok::<(), hookwire_capture::FilterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: String,
    expression: Expression,
}

impl Filter {
    /// The filter that every exchange passes, as does the empty text.
    pub fn all() -> Self {
        Self { text: String::new(), expression: Expression::All }
    }

    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.chars().nth(LONGEST).is_some() {
            let message = format!("the filter is longer than {LONGEST} characters");
            return Err(FilterError { column: LONGEST + 1, message, hint: None });
        }
        Ok(Self { text: text.to_owned(), expression: parser::parse(lexer::tokens(text)?)? })
    }

    /// The text that it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether every exchange passes.
    pub fn is_all(&self) -> bool {
        self.expression == Expression::All
    }

    /// Whether the exchange passes, `now` being the time that ages count back from. The store's own search finds the same.
    pub fn matches(&self, exchange: &Exchange, beside: Beside<'_>, now: SystemTime) -> bool {
        self.expression.holds(exchange, beside, columns::micros_of(now))
    }

    /// Every word of the language, for completion and help.
    pub fn words() -> &'static [Word] {
        words::all()
    }

    /// The filter as SQL.
    pub(crate) fn compile(&self, now: SystemTime) -> Compiled {
        Compiled::of(&self.expression, columns::micros_of(now))
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::all()
    }
}
