//! One exchange, section by section. A section is never empty: where there is nothing, it says why, or what to do.

mod budget;
mod message;
mod overview;
mod sheet;
mod signature;

use jiff::tz::TimeZone;

use hookwire_capture::Exchange;

use crate::{body, rendered::Rendered};

/// A part of what there is to say about an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// What happened: the way there and back, who answered, how long it took.
    Overview,
    /// What checking the signature found, and why.
    Signature,
    /// The request line and the request's headers.
    Headers,
    /// The request's body.
    Body,
    /// The answer: line, headers and body.
    Response,
    /// The request's bytes.
    Raw,
}

impl Section {
    /// Every section, in the order they are shown.
    pub const ALL: &'static [Self] =
        &[Self::Overview, Self::Signature, Self::Headers, Self::Body, Self::Response, Self::Raw];

    /// Its name on screens, in lower case.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Signature => "signature",
            Self::Headers => "headers",
            Self::Body => "body",
            Self::Response => "response",
            Self::Raw => "raw",
        }
    }
}

/// What is known of an exchange beside itself.
#[derive(Clone, Debug)]
pub struct Context {
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// What the developer noted.
    pub note: Option<String>,
    /// The amount of money in the body, as it is written.
    pub amount: Option<String>,
    /// How many exchanges with the same event id came before.
    pub repeats: u32,
}

impl Default for Context {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, note: None, amount: None, repeats: 0 }
    }
}

/// Shows a section.
pub fn render(exchange: &Exchange, section: Section, context: &Context, options: &body::Options<'_>) -> Rendered {
    let content = match section {
        Section::Overview => overview::content(exchange, context, options.width),
        Section::Signature => signature::content(exchange),
        Section::Headers => message::headers(exchange),
        Section::Body => message::request_body(exchange, options),
        Section::Response => message::response(exchange, options),
        Section::Raw => message::raw(exchange, options),
    };
    Rendered::new(content, options.width, options.search)
}
