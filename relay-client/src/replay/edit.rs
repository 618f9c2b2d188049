//! What is changed of a request before it is sent again.

use bytes::{Bytes, BytesMut};
use hookwire_protocol::head::{BodyLength, HeaderLines, Headers, RequestHead};

use super::{OURS, Replay, ReplayError};

/// Headers that say how a message is framed or kept alive (RFC 9110 §7.6.1): the client writes its own.
const FRAMING: [&[u8]; 6] =
    [b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade"];

/// What is changed of a request before it is sent again. What is not named stays byte for byte.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Another method.
    pub method: Option<Bytes>,
    /// Another path and query below the endpoint, from the first `/` or `?` on.
    pub target: Option<Bytes>,
    /// Other header lines, all of them; names in any case.
    pub headers: Option<Vec<(Bytes, Bytes)>>,
    /// Header lines that take the place of those of the same name, or are added; names in any case.
    pub set_headers: Vec<(Bytes, Bytes)>,
    /// Another body. `content-length` follows it.
    pub body: Option<Bytes>,
}

impl Edit {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        let Self { method, target, headers, set_headers, body } = self;
        method.is_none() && target.is_none() && headers.is_none() && set_headers.is_empty() && body.is_none()
    }

    pub(super) fn of(self, replay: Replay) -> Result<Replay, ReplayError> {
        let Replay { head, body, .. } = &replay;
        let mut lines: Vec<(Vec<u8>, Bytes)> = match self.headers {
            Some(lines) => lines.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
            None => head.headers.slices().map(|(name, value)| (name.to_vec(), value)).collect(),
        };
        for (name, value) in self.set_headers {
            set(&mut lines, &name.to_ascii_lowercase(), &value);
        }
        lines.retain(|(name, _)| !FRAMING.contains(&name.as_slice()) && !name.starts_with(OURS));
        let body = self.body.unwrap_or_else(|| body.clone());
        let length = framed(&mut lines, head.body, body.len());
        let head = RequestHead {
            method: self.method.unwrap_or_else(|| head.method.clone()),
            target: self.target.unwrap_or_else(|| head.target.clone()),
            headers: headers(&lines),
            body: length,
            ..head.clone()
        };
        Ok(Replay { head: checked(&head, lines.len())?, body, ..replay })
    }
}

/// Gives a header this one value, where the first line of its name stands, or else at the end. `name` is in lower case.
pub(super) fn set(lines: &mut Vec<(Vec<u8>, Bytes)>, name: &[u8], value: &[u8]) {
    let place = lines.iter().position(|(other, _)| other == name).unwrap_or(lines.len());
    lines.retain(|(other, _)| other != name);
    lines.insert(place.min(lines.len()), (name.to_vec(), Bytes::copy_from_slice(value)));
}

/// Makes `content-length` right where it is told; a body of unknown length stays one, and no body may become one.
fn framed(lines: &mut Vec<(Vec<u8>, Bytes)>, before: BodyLength, length: usize) -> BodyLength {
    const NAME: &[u8] = b"content-length";
    let told = lines.iter().any(|(name, _)| name == NAME);
    match before {
        BodyLength::Empty if length == 0 && !told => BodyLength::Empty,
        BodyLength::Unknown if !told => BodyLength::Unknown,
        _ => {
            set(lines, NAME, length.to_string().as_bytes());
            BodyLength::Sized(length as u64)
        }
    }
}

pub(super) fn headers(lines: &[(Vec<u8>, Bytes)]) -> Headers {
    let mut list = HeaderLines::with_capacity(lines.iter().map(|(name, value)| name.len() + value.len() + 4).sum());
    for (name, value) in lines {
        list.push(name, value);
    }
    list.finish()
}

/// The head as a relay could have sent it, or why none could have.
fn checked(head: &RequestHead, lines: usize) -> Result<RequestHead, ReplayError> {
    if head.method.len().max(head.target.len()) > usize::from(u16::MAX) || head.headers.len() != lines {
        return Err(ReplayError::TooLong);
    }
    let mut encoded = BytesMut::new();
    head.encode(&mut encoded);
    Ok(RequestHead::decode(encoded.freeze())?)
}
