//! Request and response heads: compact, and exact to the byte.
//!
//! Header lines keep their order, repetitions and bytes; nothing is decoded. A decoded head is a set of slices of the
//! message it came in, so reading one copies nothing.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Header lines in the order they came, encoded as on the wire: a count, then for each a name and a value with their lengths.
///
/// Names are lower case. Values are bytes as sent, which may not be UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub struct Headers(Bytes);

/// What an encoded list of no headers looks like.
const NO_HEADERS: &[u8] = &[0, 0];

impl Headers {
    /// How many lines there are.
    pub fn len(&self) -> usize {
        usize::from(u16::from_be_bytes([self.0[0], self.0[1]]))
    }

    /// Whether there is no line at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + '_ {
        split_lines(&self.0[2..])
    }

    /// The lines with their values as slices that share this list's memory.
    pub fn slices(&self) -> impl Iterator<Item = (&[u8], Bytes)> + '_ {
        self.iter().map(|(name, value)| (name, self.0.slice_ref(value)))
    }

    /// The first value under `name`, which must be given in lower case.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
    }

    /// The encoded form.
    pub fn encoded(&self) -> &[u8] {
        &self.0
    }

    /// Reads an encoded list that fills `bytes` to the end.
    pub fn decode(bytes: Bytes) -> Result<Self, HeadError> {
        let mut rest: &[u8] = &bytes;
        let count = rest.try_get_u16()?;
        for _ in 0..count {
            let name = split_field(&mut rest).ok_or(HeadError::Truncated)?;
            let value = split_field(&mut rest).ok_or(HeadError::Truncated)?;
            if name.is_empty() || !is_name(name) {
                return Err(HeadError::Name);
            }
            if !is_value(value) {
                return Err(HeadError::Value);
            }
        }
        if rest.is_empty() { Ok(Self(bytes)) } else { Err(HeadError::Trailing) }
    }
}

impl Default for Headers {
    fn default() -> Self {
        Self(Bytes::from_static(NO_HEADERS))
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be credentials: names are enough to debug with.
        f.debug_list().entries(self.iter().map(|(name, _)| String::from_utf8_lossy(name))).finish()
    }
}

impl<'a> FromIterator<(&'a [u8], &'a [u8])> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a [u8], &'a [u8])>>(lines: I) -> Self {
        let mut list = HeaderLines::with_capacity(512);
        for (name, value) in lines {
            list.push(name, value);
        }
        list.finish()
    }
}

/// Builds [`Headers`] line by line.
#[derive(Debug)]
pub struct HeaderLines {
    buffer: BytesMut,
    count: u16,
}

impl HeaderLines {
    /// An empty list with room for about `bytes` bytes of names and values.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut buffer = BytesMut::with_capacity(bytes);
        buffer.put_slice(NO_HEADERS);
        Self { buffer, count: 0 }
    }

    /// Adds a line. One that no frame could carry (longer than 64 KiB, or after 65,535 others) is left out: the ingress refuses such
    /// heads before.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        if let (Ok(name_length), Ok(value_length), Some(count)) =
            (u16::try_from(name.len()), u16::try_from(value.len()), self.count.checked_add(1))
        {
            self.count = count;
            self.buffer.put_u16(name_length);
            self.buffer.put_slice(name);
            self.buffer.put_u16(value_length);
            self.buffer.put_slice(value);
        }
    }

    /// The finished list.
    pub fn finish(mut self) -> Headers {
        self.buffer[..2].copy_from_slice(&self.count.to_be_bytes());
        Headers(self.buffer.freeze())
    }
}

/// Bytes of a request head beside method, target and headers: id, time, version, body length, two field lengths.
const REQUEST_FIXED: usize = 16 + 8 + 1 + 9 + 2 + 2;

/// Bytes of a response head beside reason and headers: status, version, error, body length, a field length.
const RESPONSE_FIXED: usize = 2 + 1 + 1 + 9 + 2;

/// How long a body is, as its sender announced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no body, and no header speaks of one.
    Empty,
    /// `content-length` says so many bytes.
    Sized(u64),
    /// It ends when it ends: chunked in HTTP/1.1.
    Unknown,
}

/// The version of HTTP that a message came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl HttpVersion {
    /// As in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
        }
    }
}

/// A request without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The delivery id: a UUIDv7, made by the relay.
    pub id: [u8; 16],
    /// When the relay had read the head, in microseconds since 1970 (UTC).
    pub received_at: u64,
    /// What the sender spoke.
    pub version: HttpVersion,
    /// How long the body is.
    pub body: BodyLength,
    /// The method, any token.
    pub method: Bytes,
    /// What follows the endpoint in the request target, untouched: empty, `/…` or `?…`.
    pub target: Bytes,
    /// The header lines.
    pub headers: Headers,
}

/// A response without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status, 100 to 999.
    pub status: u16,
    /// What the app spoke.
    pub version: HttpVersion,
    /// Set when hookwire's client answers for the app: what went wrong.
    pub error: Option<crate::code::Code>,
    /// How long the body is.
    pub body: BodyLength,
    /// The reason phrase, where it is not the usual one.
    pub reason: Option<Bytes>,
    /// The header lines.
    pub headers: Headers,
}

/// Why an encoded head can't be read: a peer with a bug, or a hostile one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// It ends in the middle of a field.
    #[error("head ends in the middle of a field")]
    Truncated,
    /// Bytes follow the last header.
    #[error("head goes on after its last header")]
    Trailing,
    /// A header name that is no lower-case token.
    #[error("header name is not a lower-case token")]
    Name,
    /// A header value with a control byte.
    #[error("header value has a control byte")]
    Value,
    /// A method that is no token.
    #[error("method is not a token")]
    Method,
    /// A target that could change the request line, or leave the path of the app.
    #[error("target has a byte that no request line may carry")]
    Target,
    /// A status outside 100 to 999, or an unknown tag.
    #[error("head has a number out of range")]
    Range,
}

impl From<bytes::TryGetError> for HeadError {
    fn from(_: bytes::TryGetError) -> Self {
        Self::Truncated
    }
}

impl RequestHead {
    /// Bytes of the encoded head.
    pub fn encoded_length(&self) -> usize {
        REQUEST_FIXED + self.method.len() + self.target.len() + self.headers.0.len()
    }

    /// Appends the encoded head.
    pub fn encode(&self, out: &mut BytesMut) {
        out.reserve(self.encoded_length());
        out.put_slice(&self.id);
        out.put_u64(self.received_at);
        out.put_u8(version_tag(self.version));
        put_length(out, self.body);
        put_field(out, &self.method);
        put_field(out, &self.target);
        out.put_slice(&self.headers.0);
    }

    /// Reads an encoded head that fills `bytes` to the end.
    pub fn decode(mut bytes: Bytes) -> Result<Self, HeadError> {
        if bytes.len() < 16 {
            return Err(HeadError::Truncated);
        }
        let mut id = [0; 16];
        bytes.copy_to_slice(&mut id);
        let received_at = bytes.try_get_u64()?;
        let version = version_of(bytes.try_get_u8()?)?;
        let body = take_length(&mut bytes)?;
        let method = take_field(&mut bytes)?;
        if method.is_empty() || !is_token(&method) {
            return Err(HeadError::Method);
        }
        let target = take_field(&mut bytes)?;
        if !matches!(target.first(), None | Some(b'/' | b'?')) || !all(&target, is_target_byte) {
            return Err(HeadError::Target);
        }
        Ok(Self { id, received_at, version, body, method, target, headers: Headers::decode(bytes)? })
    }

    /// The header lines of an encoded head, where they stand: for those who look through many heads and keep none.
    /// Nothing is checked: it must be what [`encode`](Self::encode) made.
    pub fn lines_of_encoded(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> + '_ {
        // What `REQUEST_FIXED` counts without the lengths of method and target, which are part of their fields.
        let mut rest = head.get(REQUEST_FIXED - 4..).unwrap_or_default();
        let _ = (split_field(&mut rest), split_field(&mut rest));
        let count = size_of::<u16>();
        split_lines(rest.get(count..).unwrap_or_default())
    }

    /// The same head in memory of its own. A decoded head keeps the whole message alive that it came in, with all its neighbours.
    pub fn detached(&self) -> Self {
        let mut copy = BytesMut::with_capacity(self.method.len() + self.target.len() + self.headers.0.len());
        copy.put_slice(&self.method);
        copy.put_slice(&self.target);
        copy.put_slice(&self.headers.0);
        let mut headers = copy.freeze();
        let method = headers.split_to(self.method.len());
        let target = headers.split_to(self.target.len());
        Self { method, target, headers: Headers(headers), ..*self }
    }

    /// The target up to its query.
    pub fn path(&self) -> &[u8] {
        self.target.split(|&byte| byte == b'?').next().unwrap_or_default()
    }
}

impl ResponseHead {
    /// Bytes of the encoded head.
    pub fn encoded_length(&self) -> usize {
        RESPONSE_FIXED + self.reason.as_ref().map_or(0, Bytes::len) + self.headers.0.len()
    }

    /// Appends the encoded head.
    pub fn encode(&self, out: &mut BytesMut) {
        out.reserve(self.encoded_length());
        out.put_u16(self.status);
        out.put_u8(version_tag(self.version));
        out.put_u8(self.error.map_or(0, crate::code::Code::wire));
        put_length(out, self.body);
        put_field(out, self.reason.as_deref().unwrap_or_default());
        out.put_slice(&self.headers.0);
    }

    /// Reads an encoded head that fills `bytes` to the end.
    pub fn decode(mut bytes: Bytes) -> Result<Self, HeadError> {
        let status = bytes.try_get_u16()?;
        if !(100..1000).contains(&status) {
            return Err(HeadError::Range);
        }
        let version = version_of(bytes.try_get_u8()?)?;
        let error = match bytes.try_get_u8()? {
            0 => None,
            // A newer peer may know more codes than we do: its answer still stands.
            wire => Some(crate::code::Code::from_wire(wire).unwrap_or(crate::code::Code::Internal)),
        };
        let body = take_length(&mut bytes)?;
        let reason = take_field(&mut bytes)?;
        if !is_value(&reason) {
            return Err(HeadError::Value);
        }
        let reason = (!reason.is_empty()).then_some(reason);
        Ok(Self { status, version, error, body, reason, headers: Headers::decode(bytes)? })
    }
}

fn version_tag(version: HttpVersion) -> u8 {
    match version {
        HttpVersion::Http10 => 10,
        HttpVersion::Http11 => 11,
        HttpVersion::Http2 => 20,
    }
}

fn version_of(tag: u8) -> Result<HttpVersion, HeadError> {
    match tag {
        10 => Ok(HttpVersion::Http10),
        11 => Ok(HttpVersion::Http11),
        20 => Ok(HttpVersion::Http2),
        _ => Err(HeadError::Range),
    }
}

fn put_length(out: &mut BytesMut, length: BodyLength) {
    let (tag, bytes) = match length {
        BodyLength::Empty => (0, 0),
        BodyLength::Sized(bytes) => (1, bytes),
        BodyLength::Unknown => (2, 0),
    };
    out.put_u8(tag);
    out.put_u64(bytes);
}

fn take_length(bytes: &mut Bytes) -> Result<BodyLength, HeadError> {
    match (bytes.try_get_u8()?, bytes.try_get_u64()?) {
        (0, 0) => Ok(BodyLength::Empty),
        (1, length) => Ok(BodyLength::Sized(length)),
        (2, 0) => Ok(BodyLength::Unknown),
        _ => Err(HeadError::Range),
    }
}

/// Appends a length and bytes. Callers hold bounds far below 64 KiB; what lies beyond is cut, never misread.
fn put_field(out: &mut BytesMut, field: &[u8]) {
    let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
    out.put_u16(length);
    out.put_slice(&field[..usize::from(length)]);
}

fn take_field(bytes: &mut Bytes) -> Result<Bytes, HeadError> {
    let length = usize::from(bytes.try_get_u16()?);
    if bytes.len() < length { Err(HeadError::Truncated) } else { Ok(bytes.split_to(length)) }
}

fn split_lines(mut rest: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> + '_ {
    std::iter::from_fn(move || {
        let name = split_field(&mut rest)?;
        let value = split_field(&mut rest)?;
        Some((name, value))
    })
}

fn split_field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<2>()?;
    let (field, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = tail;
    Some(field)
}

/// Whether all bytes pass. Looks at every one, good or bad: a way out at each would cost more than it saves.
fn all(bytes: &[u8], passes: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |good, &byte| good & passes(byte))
}

/// A token, lower case: what the `http` crate writes.
fn is_name(bytes: &[u8]) -> bool {
    all(bytes, |byte| NAME[usize::from(byte)])
}

/// A token (RFC 9110 §5.6.2).
fn is_token(bytes: &[u8]) -> bool {
    all(bytes, |byte| NAME[usize::from(byte)] | byte.is_ascii_uppercase())
}

/// Field content (RFC 9110 §5.5): tab, space, visible ASCII and everything above 0x7F. Most values have no control byte at all, and to see
/// that takes a few instructions for eight bytes; the last eight may lie over those before.
fn is_value(bytes: &[u8]) -> bool {
    let plain = |word: &[u8; 8]| !has_control(u64::from_ne_bytes(*word));
    bytes.last_chunk().is_some_and(|last| plain(last) && bytes.as_chunks().0.iter().all(plain))
        || all(bytes, |byte| byte == b'\t' || (byte >= b' ' && byte != 0x7F))
}

/// Whether one of eight bytes is below a space, or is DEL. A byte's high bit is set by subtracting what it is less than, if it was not set before.
const fn has_control(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 0xFF;
    let delete_is_zero = word ^ (ONES * 0x7F);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let below_one = delete_is_zero.wrapping_sub(ONES) & !delete_is_zero;
    (below_space | below_one) & (ONES * 0x80) != 0
}

/// Which bytes may stand in a token (RFC 9110 §5.6.2) that is lower case. A table, because names are most of a head.
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
    while let [byte, tail @ ..] = rest {
        table[*byte as usize] = true;
        rest = tail;
    }
    table
};

/// What may stand in a request line between its two spaces.
fn is_target_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7F
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn request() -> RequestHead {
        RequestHead {
            id: [7; 16],
            received_at: u64::MAX,
            version: HttpVersion::Http2,
            body: BodyLength::Sized(u64::MAX),
            method: Bytes::from_static(b"M-SEARCH"),
            target: Bytes::from_static(b"/a%2Fb/../\xc3\xa9?x=1&x=2#"),
            headers: [(b"cookie".as_slice(), b"a=1".as_slice()), (b"x", b""), (b"cookie", b"b=\xff\t2")]
                .into_iter()
                .collect(),
        }
    }

    fn response() -> ResponseHead {
        ResponseHead {
            status: 999,
            version: HttpVersion::Http10,
            error: None,
            body: BodyLength::Unknown,
            reason: Some(Bytes::from_static(b"Tr\xe8s bien")),
            headers: Headers::default(),
        }
    }

    fn encoded(encode: impl FnOnce(&mut BytesMut)) -> BytesMut {
        let mut out = BytesMut::new();
        encode(&mut out);
        out
    }

    /// The encoded request with one byte replaced.
    fn damaged(at: usize, byte: u8) -> Result<RequestHead, HeadError> {
        let mut bytes = encoded(|out| request().encode(out));
        bytes[at] = byte;
        RequestHead::decode(bytes.freeze())
    }

    #[test]
    fn heads_read_back_byte_for_byte() {
        let bytes = encoded(|out| request().encode(out));
        assert_eq!(bytes.len(), request().encoded_length());
        assert!(RequestHead::lines_of_encoded(&bytes).eq(request().headers.iter()));
        assert_eq!(RequestHead::lines_of_encoded(&bytes[..9]).count(), 0);
        assert_eq!(RequestHead::decode(bytes.freeze()), Ok(request()));

        for error in [None, Some(Code::AppTimeout)] {
            let head = ResponseHead { error, ..response() };
            let bytes = encoded(|out| head.encode(out));
            assert_eq!(bytes.len(), head.encoded_length());
            assert_eq!(ResponseHead::decode(bytes.freeze()), Ok(head));
        }
    }

    #[test]
    fn header_lines_keep_order_repetition_and_bytes() {
        let headers = request().headers;
        let lines: Vec<_> = headers.iter().collect();
        assert_eq!(lines, [(&b"cookie"[..], &b"a=1"[..]), (b"x", b""), (b"cookie", b"b=\xff\t2")]);
        assert_eq!(headers.value("cookie"), Some(&b"a=1"[..]));
        assert_eq!(headers.value("x"), Some(&b""[..]));
        assert_eq!(headers.value("y"), None);
        assert!(headers.slices().eq(lines.iter().map(|(name, value)| (*name, Bytes::copy_from_slice(value)))));
        assert_eq!(format!("{headers:?}"), r#"["cookie", "x", "cookie"]"#);
    }

    #[test]
    fn a_path_ends_at_its_query() {
        for (target, path) in [("", ""), ("/", "/"), ("?q", ""), ("/a?b?c", "/a")] {
            let head = RequestHead { target: Bytes::from_static(target.as_bytes()), ..request() };
            assert_eq!(head.path(), path.as_bytes());
        }
    }

    #[test]
    fn a_cut_or_longer_head_is_refused() {
        let bytes = encoded(|out| request().encode(out)).freeze();
        for length in 0..bytes.len() {
            assert_eq!(RequestHead::decode(bytes.slice(..length)), Err(HeadError::Truncated), "{length}");
        }
        let mut longer = BytesMut::from(&bytes[..]);
        longer.put_u8(0);
        assert_eq!(RequestHead::decode(longer.freeze()), Err(HeadError::Trailing));

        let bytes = encoded(|out| response().encode(out)).freeze();
        for length in 0..bytes.len() {
            assert_eq!(ResponseHead::decode(bytes.slice(..length)), Err(HeadError::Truncated), "{length}");
        }
    }

    /// What would let one head become two, or leave its place, on an HTTP/1.1 connection.
    #[test]
    fn bytes_that_could_split_a_head_are_refused() {
        const METHOD: usize = 36;
        const TARGET: usize = METHOD + 8 + 2;
        let first_name = TARGET + request().target.len() + 4;
        for byte in [b' ', b'\r', b'\n', 0, b':', 0x7F, 0x80] {
            assert_eq!(damaged(METHOD, byte), Err(HeadError::Method), "{byte}");
            assert_eq!(damaged(first_name, byte), Err(HeadError::Name), "{byte}");
        }
        assert_eq!(damaged(first_name, b'C'), Err(HeadError::Name));
        for byte in [b' ', b'\r', b'\n', 0, 0x7F] {
            assert_eq!(damaged(TARGET + 1, byte), Err(HeadError::Target), "{byte}");
        }
        for byte in [b'a', b'#', b'*', b'@'] {
            assert_eq!(damaged(TARGET, byte), Err(HeadError::Target), "{byte}");
        }
        for byte in [b'\r', b'\n', 0, 0x1B, 0x7F] {
            assert_eq!(damaged(first_name + 8, byte), Err(HeadError::Value), "{byte}");
            let head = ResponseHead { reason: Some(Bytes::copy_from_slice(&[byte])), ..response() };
            let bytes = encoded(|out| head.encode(out));
            assert_eq!(ResponseHead::decode(bytes.freeze()), Err(HeadError::Value), "{byte}");
        }
    }

    /// Eight bytes are looked at together: each of them counts, wherever it stands and whatever its neighbours are.
    #[test]
    fn every_byte_of_a_value_counts() {
        for (length, byte, neighbour) in (1..=17).flat_map(|length| {
            (0..=255u8).flat_map(move |byte| [b'\t', b' ', b'~', 0x80].map(|other| (length, byte, other)))
        }) {
            let fits = byte == b'\t' || (byte >= b' ' && byte != 0x7F);
            for at in 0..length {
                let mut value = vec![neighbour; length];
                value[at] = byte;
                assert_eq!(is_value(&value), fits, "{value:?}");
            }
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        const VERSION: usize = 24;
        for status in [0, 99, 1000] {
            let bytes = encoded(|out| ResponseHead { status, ..response() }.encode(out));
            assert_eq!(ResponseHead::decode(bytes.freeze()), Err(HeadError::Range));
        }
        assert_eq!(damaged(VERSION, 12), Err(HeadError::Range));
        assert_eq!(damaged(VERSION + 1, 3), Err(HeadError::Range));
        assert_eq!(damaged(VERSION + 1, 0), Err(HeadError::Range), "an empty body has no length");
        let mut bytes = encoded(|out| response().encode(out));
        bytes[3] = 255;
        assert_eq!(ResponseHead::decode(bytes.freeze()).map(|head| head.error), Ok(Some(Code::Internal)));
    }

    #[test]
    fn lines_that_can_not_be_counted_are_left_out() {
        let mut lines = HeaderLines::with_capacity(0);
        lines.push(b"x-long", &vec![b'a'; 1 << 16]);
        (0..1 << 16).for_each(|_| lines.push(b"a", b""));
        let headers = lines.finish();
        assert_eq!(headers.len(), (1 << 16) - 1);
        assert_eq!(headers.iter().count(), headers.len());
    }
}
