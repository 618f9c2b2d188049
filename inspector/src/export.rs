//! Exchanges as they leave: for a shell, for other programs, for tests.
//!
//! The developer's own traffic is written as it is, credentials in headers included: an export without them could not
//! be sent again.

mod clipboard;
mod curl;
mod fixture;
mod har;
mod object;
pub(crate) mod request;

pub use clipboard::{CLIPBOARD_LIMIT, TooLong, clipboard};
pub use fixture::{Fixture, FixtureError};

use std::io::{self, Write};

use hookwire_capture::Exchange;

use crate::json;

/// What exchanges can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A command for `sh` that sends the request again, byte for byte.
    Curl,
    /// The request as HTTP/1.1.
    Http,
    /// The request's body alone.
    Body,
    /// HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>).
    Har,
    /// All that is known, as JSON: one object, or an array of several.
    Json,
    /// The request alone, as JSON that [`Fixture::read`] reads back.
    Fixture,
}

impl Kind {
    /// Every kind, in the order they are offered.
    pub const ALL: &'static [Self] = &[Self::Curl, Self::Http, Self::Body, Self::Har, Self::Json, Self::Fixture];

    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Http => "http",
            Self::Body => "body",
            Self::Har => "har",
            Self::Json => "json",
            Self::Fixture => "fixture",
        }
    }

    /// What a file of it is usually called: the part after the name. A fixture and all that is known can lie side by side.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Curl => "sh",
            Self::Http => "http",
            Self::Body => "bin",
            Self::Har => "har",
            Self::Json => "json",
            Self::Fixture => "fixture.json",
        }
    }
}

/// Writes exchanges one after the other, and holds at most one of them. Whoever calls it can show how far it is, and stop.
///
/// What is written has no control character in it but line breaks, except in [`Kind::Http`] and [`Kind::Body`], which
/// are the bytes themselves.
pub struct Export<W> {
    kind: Kind,
    base: String,
    out: W,
    /// How many were written.
    count: u64,
    /// The first one, until it is known whether it stays alone: then it needs no array.
    first: Vec<u8>,
}

impl<W: Write> Export<W> {
    /// Begins. `base` is the URL that [`Kind::Curl`] sends to and [`Kind::Har`] names: the app's, or the public one,
    /// without the request's own path.
    pub fn start(kind: Kind, base: &str, mut out: W) -> io::Result<Self> {
        if kind == Kind::Har {
            out.write_all(har::START.as_bytes())?;
        }
        Ok(Self { kind, base: base.to_owned(), out, count: 0, first: Vec::new() })
    }

    /// Writes one exchange.
    pub fn write(&mut self, exchange: &Exchange) -> io::Result<()> {
        let Self { base, out, .. } = self;
        match self.kind {
            Kind::Curl => {
                separate(self.count, b"\n", out)?;
                curl::write(exchange, base, out)?;
            }
            Kind::Http => out.write_all(&request::whole(exchange))?,
            Kind::Body => {
                separate(self.count, b"\n", out)?;
                out.write_all(&exchange.request_body.bytes)?;
            }
            Kind::Har => {
                separate(self.count, b",\n", out)?;
                json::write(&har::Entry::of(exchange, base), out)?;
            }
            Kind::Json => {
                let mut text = Vec::new();
                json::write(&object::Object::of(exchange), &mut text)?;
                self.item(text)?;
            }
            Kind::Fixture => {
                let mut text = Vec::new();
                fixture::write(exchange, &mut text)?;
                self.item(text)?;
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Writes what comes after the last one, and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        let end: &[u8] = match (self.kind, self.count) {
            (Kind::Har, _) => har::END.as_bytes(),
            (Kind::Json | Kind::Fixture, 0) => b"[]\n",
            (Kind::Json | Kind::Fixture, 1) => {
                self.out.write_all(&self.first)?;
                b"\n"
            }
            (Kind::Json | Kind::Fixture, _) => b"\n]\n",
            _ => b"",
        };
        self.out.write_all(end)?;
        Ok(self.out)
    }

    /// An object that stands alone or in an array.
    fn item(&mut self, text: Vec<u8>) -> io::Result<()> {
        match self.count {
            0 => self.first = text,
            1 => {
                let first = std::mem::take(&mut self.first);
                self.out.write_all(&[b"[\n", &first[..], b",\n", &text].concat())?;
            }
            _ => self.out.write_all(&[b",\n", &text[..]].concat())?,
        }
        Ok(())
    }
}

fn separate(count: u64, separator: &[u8], out: &mut impl Write) -> io::Result<()> {
    if count > 0 { out.write_all(separator) } else { Ok(()) }
}

/// Writes all of `exchanges`.
pub fn export<'a>(
    kind: Kind,
    base: &str,
    exchanges: impl IntoIterator<Item = &'a Exchange>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut export = Export::start(kind, base, out)?;
    for exchange in exchanges {
        export.write(exchange)?;
    }
    export.finish()?;
    Ok(())
}
