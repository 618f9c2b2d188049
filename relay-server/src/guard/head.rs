//! Whether a request head is one that everybody reads in the same way.

use std::{mem::MaybeUninit, ops::Range};

use hookwire_protocol::code::Code;
use httparse::{Error, Header, Request, Status};

use super::target::{self, Form};

/// What a request line has besides its target: method, spaces, version, line end, and an empty line before it. No registered method
/// has more than 17 letters.
const REST_OF_LINE: usize = 64;

/// Header lines that are looked at, whatever the limits say: what hyper takes too.
const SLOTS: usize = 100;

/// How much of a head the relay reads before it refuses it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// Bytes of a request target.
    pub(crate) target: usize,
    /// Bytes of a whole head, with the empty line that ends it.
    pub(crate) head: usize,
    /// Header lines, at most 100.
    pub(crate) headers: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            // RFC 9112 §3 recommends at least 8,000 bytes; nginx and Apache take 8 KiB.
            target: 8 * 1024,
            // Four times what nginx gives one line; the largest webhook heads seen (signatures, certificates, traces) have 6 KiB.
            head: 32 * 1024,
            // What Apache and hyper take. Gateways send about 15, proxies in between add as many.
            headers: SLOTS,
        }
    }
}

/// A head that may go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its bytes, with the empty line.
    pub(super) length: usize,
    /// How much body follows.
    pub(super) body: Body,
    /// Whether the sender wants to speak something else afterwards.
    pub(super) upgrade: bool,
    /// A target that `http::Uri` can't hold.
    pub(super) unusual: Option<Unusual>,
}

/// How a body is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// By its length in bytes; none is 0.
    Sized(u64),
    /// By the chunked coding.
    Chunked,
}

/// Where a head has a target that `http::Uri` can't hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unusual {
    /// All of the target.
    pub(super) target: Range<usize>,
    /// Its path and query.
    pub(super) path: Range<usize>,
}

/// Where a request line must have ended.
pub(super) fn line_bound(limits: &HeadLimits) -> usize {
    limits.target + REST_OF_LINE
}

/// Checks the head that `bytes` begin with. `Ok(None)` when more of it has to come first.
///
/// The verdict does not depend on how much follows the head, nor on how often it was asked for while the head arrived: what comes
/// first in the bytes decides.
pub(super) fn check(bytes: &[u8], limits: &HeadLimits) -> Result<Option<Head>, Code> {
    let Some(start) = skip_empty_line(bytes)? else { return Ok(None) };
    let mut window = &bytes[..bytes.len().min(limits.head)];
    let bound = line_bound(limits);
    let overlong = window.len() >= bound && !window[start..bound].contains(&b'\n');
    if overlong {
        window = &window[..bound];
    }
    match parse(window, window, start, limits) {
        Ok(None) if overlong => Err(Code::UriTooLong),
        Ok(None) if window.len() >= limits.head => Err(Code::HeadTooLarge),
        verdict => verdict,
    }
}

/// Where the request line begins: one empty line before it is ignored (RFC 9112 §2.2), as some clients end a body with one too many.
fn skip_empty_line(bytes: &[u8]) -> Result<Option<usize>, Code> {
    match bytes {
        [] | [b'\r'] | [b'\r', b'\n'] => Ok(None),
        [b'\r', b'\n', b'\r' | b'\n', ..] => Err(Code::MalformedRequest),
        [b'\r', b'\n', ..] => Ok(Some(2)),
        [b'\r' | b'\n', ..] => Err(Code::MalformedRequest),
        _ => Ok(Some(0)),
    }
}

/// Parses `bytes`, which differ from `original` at most within the target.
fn parse(bytes: &[u8], original: &[u8], start: usize, limits: &HeadLimits) -> Result<Option<Head>, Code> {
    let mut slots = [const { MaybeUninit::<Header<'_>>::uninit() }; SLOTS];
    let mut request = Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut slots[..limits.headers.min(SLOTS)]) {
        Ok(Status::Complete(length)) => judge(&request, &original[..length], start, limits).map(Some),
        Ok(Status::Partial) => Ok(None),
        Err(Error::TooManyHeaders) => Err(Code::HeadTooLarge),
        // httparse wants targets in UTF-8, which nobody promised (RFC 3986 has bytes).
        Err(Error::Token) => match ascii_target(bytes, start) {
            Some(stand_in) => parse(&stand_in, original, start, limits),
            None => Err(Code::MalformedRequest),
        },
        Err(_) => Err(Code::MalformedRequest),
    }
}

/// A copy in which every byte of a target that is not UTF-8 is ASCII. `None` when that is not what is wrong.
fn ascii_target(bytes: &[u8], start: usize) -> Option<Vec<u8>> {
    let mut spaces = bytes.iter().enumerate().skip(start).filter(|(_, byte)| **byte == b' ').map(|(at, _)| at);
    let target = spaces.next()? + 1..spaces.next()?;
    std::str::from_utf8(&bytes[target.clone()]).err()?;
    let mut copy = bytes.to_vec();
    copy[target].iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'x');
    Some(copy)
}

/// What a complete, well-formed head says, if it says it in one way only.
fn judge(request: &Request<'_, '_>, head: &[u8], start: usize, limits: &HeadLimits) -> Result<Head, Code> {
    let (Some(method), Some(path), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Code::MalformedRequest);
    };
    let at = start + method.len() + 1;
    let span = at..at + path.len();
    if span.len() > limits.target {
        return Err(Code::UriTooLong);
    }
    if method == "CONNECT" || has_bare_line_feed(head) {
        return Err(Code::MalformedRequest);
    }
    let fields = Fields::read(request.headers);
    let body = fields.body(minor)?;
    let form = target::form(&head[span.clone()])?;
    fields.check_host(minor, &form)?;
    if fields.upgrade && body != Body::Sized(0) {
        return Err(Code::MalformedRequest);
    }
    let unusual = form.unusual.then(|| Unusual { path: span.start + form.path..span.end, target: span });
    Ok(Head { length: head.len(), body, upgrade: fields.upgrade, unusual })
}

/// Whether a line ends without a carriage return. RFC 9112 §2.2 allows to take it for a line end, and parsers that differ on it can be
/// played off against each other.
fn has_bare_line_feed(head: &[u8]) -> bool {
    // Without branches, so that the compiler compares 16 bytes at once.
    let bare = |(before, byte): (&u8, &u8)| u8::from(*byte == b'\n') & u8::from(*before != b'\r');
    head.iter().zip(&head[1..]).map(bare).fold(0, |any, bare| any | bare) != 0
}

/// The header lines that decide where a message ends and for whom it is.
#[derive(Default)]
struct Fields<'b> {
    host: Line<'b>,
    length: Line<'b>,
    coding: Line<'b>,
    upgrade: bool,
}

/// A header that should be there once at most.
#[derive(Default)]
struct Line<'b> {
    value: &'b [u8],
    count: usize,
}

impl<'b> Line<'b> {
    fn add(&mut self, value: &'b [u8]) {
        self.value = value;
        self.count += 1;
    }
}

impl<'b> Fields<'b> {
    fn read(headers: &[Header<'b>]) -> Self {
        let mut fields = Self::default();
        for header in headers {
            let named = |name: &str| header.name.eq_ignore_ascii_case(name);
            // Nearly every line is told apart by its length alone.
            match header.name.len() {
                4 if named("host") => fields.host.add(header.value),
                // RFC 9110 §7.8 lets a server ignore `h2c`, which Java's client and `curl --http2` offer with every request without TLS.
                7 if named("upgrade") => fields.upgrade |= !header.value.eq_ignore_ascii_case(b"h2c"),
                14 if named("content-length") => fields.length.add(header.value),
                17 if named("transfer-encoding") => fields.coding.add(header.value),
                _ => {}
            }
        }
        fields
    }

    /// RFC 9112 §6.3, without the cases in which a server may guess. HTTP/1.0 does not know `transfer-encoding`: somebody on the way
    /// may have ignored it (§6.1).
    fn body(&self, minor: u8) -> Result<Body, Code> {
        match (self.coding.count, self.length.count) {
            (0, 0) => Ok(Body::Sized(0)),
            (0, 1) => parse_length(self.length.value).map(Body::Sized),
            (1, 0) if minor == 1 && self.coding.value.eq_ignore_ascii_case(b"chunked") => Ok(Body::Chunked),
            (_, 0) if minor == 1 => Err(Code::UnsupportedTransferEncoding),
            _ => Err(Code::AmbiguousLength),
        }
    }

    /// RFC 9112 §3.2 and §3.2.2.
    fn check_host(&self, minor: u8, form: &Form<'_>) -> Result<(), Code> {
        let host = self.host.value;
        let fits = match self.host.count {
            0 => minor == 0,
            1 => target::is_host(host) && form.authority.is_none_or(|authority| authority.eq_ignore_ascii_case(host)),
            _ => false,
        };
        if fits { Ok(()) } else { Err(Code::BadHost) }
    }
}

/// `1*DIGIT` (RFC 9110 §8.6).
fn parse_length(value: &[u8]) -> Result<u64, Code> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Code::AmbiguousLength);
    }
    let length = value.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    // hyper keeps the two largest numbers for itself.
    length.filter(|length| *length < u64::MAX - 1).ok_or(Code::BodyTooLarge)
}
