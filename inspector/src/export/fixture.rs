//! A request in a small file: kept in a repository, sent again by a test.
//!
//! ```json
//! {
//!   "method": "POST",
//!   "target": "/verification",
//!   "headers": [
//!     ["content-type", "application/json"]
//!   ],
//!   "body": "{\"event\":\"payment.captured\"}"
//! }
//! ```
//!
//! A value that is not UTF-8 is written as `{ "base64": "…" }`.

use std::io::{self, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use hookwire_capture::Exchange;
use hookwire_protocol::head::{BodyLength, HeadError, Headers, HttpVersion, RequestHead};

use crate::json;

/// A request as a fixture has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// The request without its body. It has no id and no time: whoever sends it gives it both.
    pub head: RequestHead,
    /// The body, all of it.
    pub body: Bytes,
}

impl Fixture {
    /// Reads a file of one fixture, or of an array of them.
    ///
    /// Names of headers become lower case, and a `content-length` is set right: who edits a body need not count it.
    pub fn read(file: &[u8]) -> Result<Vec<Self>, FixtureError> {
        let file = file.trim_ascii_start();
        let written: Vec<Written> =
            if file.starts_with(b"[") { serde_json::from_slice(file)? } else { vec![serde_json::from_slice(file)?] };
        written.into_iter().enumerate().map(|(index, written)| written.check(index + 1)).collect()
    }
}

/// Why a file is no fixture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// It is not the JSON that was expected.
    #[error("not a fixture: {0}; `hookwire requests export` writes them")]
    Json(#[from] serde_json::Error),
    /// No request could look like that.
    #[error("fixture {number} is no request: {source}")]
    Head {
        /// Which one of the file, from 1.
        number: usize,
        /// What is wrong.
        source: HeadError,
    },
    /// It was written from a capture that had not kept all of the body.
    #[error("fixture {number} has only the beginning of its body: raise the capture's cap and export it again")]
    Truncated {
        /// Which one of the file, from 1.
        number: usize,
    },
}

/// Writes one fixture, its last line without a line break.
pub(super) fn write(exchange: &Exchange, out: &mut impl Write) -> io::Result<()> {
    let Exchange { request, request_body: body, .. } = exchange;
    out.write_all(b"{\n  \"method\": ")?;
    json::write(&Blob(request.method.clone()), out)?;
    out.write_all(b",\n  \"target\": ")?;
    json::write(&Blob(request.target.clone()), out)?;
    out.write_all(b",\n  \"headers\": [")?;
    for (index, (name, value)) in request.headers.slices().enumerate() {
        out.write_all(if index > 0 { b",\n    [" } else { b"\n    [" })?;
        json::write(&Blob(Bytes::copy_from_slice(name)), out)?;
        out.write_all(b", ")?;
        json::write(&Blob(value), out)?;
        out.write_all(b"]")?;
    }
    out.write_all(if request.headers.is_empty() { b"],\n  \"body\": " } else { b"\n  ],\n  \"body\": " })?;
    json::write(&Blob(body.bytes.clone()), out)?;
    out.write_all(if body.truncated() { b",\n  \"truncated\": true\n}" } else { b"\n}" })
}

/// What stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    method: Blob,
    target: Blob,
    #[serde(default)]
    headers: Vec<(Blob, Blob)>,
    #[serde(default)]
    body: Blob,
    #[serde(default)]
    truncated: bool,
}

impl Written {
    fn check(self, number: usize) -> Result<Fixture, FixtureError> {
        if self.truncated {
            return Err(FixtureError::Truncated { number });
        }
        let body = self.body.0;
        let length = body.len().to_string();
        let mut lines: Vec<_> =
            self.headers.into_iter().map(|(name, value)| (name.0.to_ascii_lowercase(), value.0)).collect();
        let count = lines.len();
        let mut told = false;
        for (_, value) in lines.iter_mut().filter(|(name, _)| name == b"content-length") {
            *value = Bytes::from(length.clone());
            told = true;
        }
        let head = RequestHead {
            id: [0; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: if body.is_empty() && !told { BodyLength::Empty } else { BodyLength::Sized(body.len() as u64) },
            method: self.method.0,
            target: self.target.0,
            headers: lines.iter().map(|(name, value)| (&name[..], &value[..])).collect::<Headers>(),
        };
        // The wire's own rules say what a head may be: no line break in a header, no space in a target.
        let mut encoded = BytesMut::new();
        head.encode(&mut encoded);
        let head = RequestHead::decode(encoded.freeze()).map_err(|source| FixtureError::Head { number, source })?;
        // A line that is too long for the wire was left out.
        let whole = head.headers.len() == count;
        whole.then_some(Fixture { head, body }).ok_or(FixtureError::Head { number, source: HeadError::Range })
    }
}

/// Bytes in JSON: a string, or an object with base64.
#[derive(Default)]
struct Blob(Bytes);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Encoded { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Either::deserialize(deserializer)? {
            Either::Text(text) => Ok(Self(text.into())),
            Either::Encoded(Encoded { base64 }) => {
                let bytes = STANDARD.decode(base64).map_err(|error| D::Error::custom(format!("base64: {error}")))?;
                Ok(Self(bytes.into()))
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    base64: String,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string, or an object with `base64`")]
enum Either {
    Text(String),
    Encoded(Encoded),
}
