//! Parts between boundaries (RFC 2046 §5.1).

use bytes::Bytes;
use memchr::memmem;

/// One part, with slices of the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its header lines in order, names as sent.
    pub(super) headers: Vec<(Bytes, Bytes)>,
    /// What it holds.
    pub(super) body: Bytes,
}

impl Part {
    /// The first value under `name`, which is given in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let is_it = |(key, _): &&(Bytes, Bytes)| key.eq_ignore_ascii_case(name.as_bytes());
        self.headers.iter().find(is_it).map(|(_, value)| &value[..])
    }
}

/// The parts of a body, and whether the boundary that ends the last one is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    pub(super) closed: bool,
}

/// No form has more. The rest is shown as the last part's content.
const MAX_PARTS: usize = 200;

/// Splits a body; none if its boundary is nowhere in it.
pub(super) fn split(body: &Bytes, boundary: &[u8]) -> Option<Parts> {
    let delimiter = [b"--", boundary].concat();
    let mut at = delimiters(body, &delimiter, 0).next()?;
    let mut parts = Vec::new();
    loop {
        let after = at + delimiter.len();
        if body[after..].starts_with(b"--") {
            return Some(Parts { parts, closed: true });
        }
        let start = memchr::memchr(b'\n', &body[after..]).map_or(body.len(), |end| after + end + 1);
        let next = delimiters(body, &delimiter, start).next().filter(|_| parts.len() + 1 < MAX_PARTS);
        // The line break before a delimiter belongs to it.
        let end = next.map_or(body.len(), |next| next - line_break(&body[start..next]));
        parts.push(part(&body.slice(start..end)));
        match next {
            Some(next) => at = next,
            None => return Some(Parts { parts, closed: false }),
        }
    }
}

/// Where delimiters begin lines, from `from` on.
fn delimiters<'a>(body: &'a [u8], delimiter: &'a [u8], from: usize) -> impl Iterator<Item = usize> + 'a {
    let places = memmem::find_iter(&body[from..], delimiter).map(move |at| from + at);
    places.filter(|&at| at == 0 || body[at - 1] == b'\n')
}

/// How long the line break at the end is.
fn line_break(text: &[u8]) -> usize {
    if text.ends_with(b"\r\n") { 2 } else { usize::from(text.ends_with(b"\n")) }
}

fn part(bytes: &Bytes) -> Part {
    let mut headers = Vec::new();
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'\n', &bytes[at..]) {
        let line = bytes[at..at + length].trim_ascii();
        at += length + 1;
        let Some(colon) = memchr::memchr(b':', line) else { break };
        headers.push((bytes.slice_ref(line[..colon].trim_ascii()), bytes.slice_ref(line[colon + 1..].trim_ascii())));
    }
    Part { headers, body: bytes.slice(at..) }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn parts(body: &'static [u8]) -> (Vec<(usize, &'static [u8])>, bool) {
        let bytes = Bytes::from_static(body);
        let Parts { parts, closed } = split(&bytes, b"x").unwrap();
        (parts.iter().map(|part| (part.headers.len(), &body[offset(&bytes, &part.body)])).collect(), closed)
    }

    fn offset(whole: &Bytes, part: &Bytes) -> std::ops::Range<usize> {
        if part.is_empty() {
            return 0..0;
        }
        let start = part.as_ptr() as usize - whole.as_ptr() as usize;
        start..start + part.len()
    }

    #[test]
    fn parts_have_headers_and_bytes() {
        let body = b"preamble\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n--x\r\n\r\n--xy not\r\n--x--\r\n";
        // `--xy` begins a line and the delimiter with it: RFC 2046 forbids a boundary that is a prefix of the content.
        assert_eq!(parts(body).0[0], (1, &b"1\r\n2"[..]));
        assert_eq!(parts(b"--x\n\nhello\n--x--"), (vec![(0, &b"hello"[..])], true));
        assert_eq!(parts(b"--x\r\nA: b\r\n\r\nhel"), (vec![(1, &b"hel"[..])], false));
        assert_eq!(parts(b"--x--"), (vec![], true));
        assert_eq!(split(&Bytes::from_static(b"a --x"), b"x"), None);
        let part = split(&Bytes::from_static(b"--x\r\nCONTENT-TYPE :a/b\r\n\r\n"), b"x").unwrap().parts.pop().unwrap();
        assert_eq!(part.header("content-type"), Some(&b"a/b"[..]));
    }

    proptest! {
        #[test]
        fn any_bytes_split(body: Vec<u8>, text in "(--x|\r\n|a: b|-|\n){0,12}") {
            for body in [Bytes::from(body), Bytes::from(text)] {
                let length = body.len();
                if let Some(Parts { parts, .. }) = split(&body, b"x") {
                    prop_assert!(parts.iter().map(|part| part.body.len()).sum::<usize>() <= length);
                }
            }
        }
    }
}
