//! What editors, shells, gateways and charsets do to a body as a whole.

use std::borrow::Cow;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// The byte order mark of UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How long a decompressed body may be, in bytes: far more than a webhook, and no bomb.
const DECOMPRESSED_LIMIT: u64 = 4 << 20;

/// CRLF made LF; `None` if there is no CRLF.
pub(crate) fn line_feeds(body: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(body, b"\r\n")?;
    let kept = |index: &usize| !body[*index..].starts_with(b"\r\n");
    Some((0..body.len()).filter(kept).map(|index| body[index]).collect())
}

/// LF made CRLF; `None` if there is no bare LF.
pub(crate) fn carriage_returns(body: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\n', body)?;
    let mut converted = Vec::with_capacity(body.len() + body.len() / 16);
    for (index, byte) in body.iter().enumerate() {
        if *byte == b'\n' && !body[..index].ends_with(b"\r") {
            converted.push(b'\r');
        }
        converted.push(*byte);
    }
    (converted.len() > body.len()).then_some(converted)
}

/// UTF-8 text as Latin-1, and where that has no character, as Windows-1252: undoes bytes that were read as either and
/// written as UTF-8. `None` if nothing would change, or if there is a character that neither has.
pub(crate) fn to_latin_1(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_ascii())?;
    text.chars().map(latin_1_byte).collect()
}

fn latin_1_byte(char: char) -> Option<u8> {
    /// Windows-1252 from 0x80 to 0x9f (WHATWG Encoding §9.1); what it leaves undefined stands for itself.
    const WINDOWS_1252: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    if let Ok(byte) = u8::try_from(char) {
        return Some(byte);
    }
    let index = WINDOWS_1252.iter().position(|known| *known == char)?;
    u8::try_from(0x80 + index).ok()
}

/// Bytes as if each was a character of Latin-1, in UTF-8. `None` if all are ASCII.
pub(crate) fn from_latin_1(body: &[u8]) -> Option<Vec<u8>> {
    (!body.is_ascii()).then(|| body.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes())
}

/// UTF-16 as UTF-8, with or without its byte order mark; `None` if it is no such text.
pub(crate) fn from_utf_16(body: &[u8]) -> Option<Vec<u8>> {
    let (rest, big) = match body {
        [0xff, 0xfe, rest @ ..] => (rest, false),
        [0xfe, 0xff, rest @ ..] => (rest, true),
        [0, second, ..] if *second != 0 => (body, true),
        [first, 0, ..] if *first != 0 => (body, false),
        _ => return None,
    };
    let (pairs, odd) = rest.as_chunks::<2>();
    let units = pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    odd.is_empty().then_some(text.ok()?.into_bytes())
}

/// UTF-8 as UTF-16, little-endian as .NET's `Encoding.Unicode`; `None` if it is no text.
pub(crate) fn to_utf_16(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
}

/// What base64 text, in either alphabet, stands for; `None` if it is none. AWS API Gateway hands bodies on like this
/// (`isBase64Encoded`).
pub(crate) fn from_base64(body: &[u8]) -> Option<Vec<u8>> {
    /// Shorter words are rather words.
    const SHORTEST: usize = 8;
    let text = body.trim_ascii();
    if text.len() < SHORTEST {
        return None;
    }
    STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()
}

/// Base64 of the body.
pub(crate) fn to_base64(body: &[u8]) -> Vec<u8> {
    STANDARD.encode(body).into_bytes()
}

/// What gzip, zlib or bare deflate holds; `None` if it is none of them, or too long.
pub(crate) fn decompressed(body: &[u8]) -> Option<Vec<u8>> {
    fn all(reader: impl std::io::Read) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        reader.take(DECOMPRESSED_LIMIT + 1).read_to_end(&mut out).ok()?;
        (out.len() as u64 <= DECOMPRESSED_LIMIT && !out.is_empty()).then_some(out)
    }
    match body {
        [0x1f, 0x8b, ..] => all(GzDecoder::new(body)),
        // RFC 1950 §2.2: deflate with a window of up to 32 kB, and a check of the first two bytes.
        [first, second, ..] if first & 0xf == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31) => {
            all(ZlibDecoder::new(body))
        }
        _ => all(DeflateDecoder::new(body)),
    }
}

/// What a body stands for that is one JSON string: somebody called `JSON.stringify` on text. `None` if it is none.
pub(crate) fn unquoted(body: &[u8]) -> Option<Cow<'_, [u8]>> {
    let text = std::str::from_utf8(body.trim_ascii()).ok()?;
    let content = text.strip_prefix('"')?.strip_suffix('"')?;
    super::document::Document::parse(text)?;
    Some(super::string::decode(content))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn line_endings() {
        assert_eq!(line_feeds(b"a\r\nb\r\n").as_deref(), Some(&b"a\nb\n"[..]));
        assert_eq!(line_feeds(b"a\nb\r"), None);
        assert_eq!(carriage_returns(b"a\nb\r\n").as_deref(), Some(&b"a\r\nb\r\n"[..]));
        assert_eq!(carriage_returns(b"a\r\n"), None);
    }

    #[test]
    fn charsets() {
        let original = "Zoë’s €".as_bytes();
        let latin_1_read = from_latin_1(original).unwrap();
        assert_eq!(to_latin_1(&latin_1_read).as_deref(), Some(original));
        assert_eq!(to_latin_1("ZoÃ«â€™s".as_bytes()).as_deref(), Some("Zoë’s".as_bytes()), "read as Windows-1252");
        assert_eq!(to_latin_1("日".as_bytes()), None);
        assert_eq!((to_latin_1(b"a"), from_latin_1(b"a")), (None, None));
        let wide = to_utf_16(original).unwrap();
        assert_eq!(from_utf_16(&wide).as_deref(), Some(original));
        assert_eq!(from_utf_16(b"\xfe\xff\0a").as_deref(), Some(&b"a"[..]));
        for no_text in [&b"ab"[..], b"", b"a\0b", b"\xff\xfe\x00\xd8"] {
            assert_eq!(from_utf_16(no_text), None, "{no_text:?}");
        }
    }

    #[test]
    fn wrappings() {
        let body = br#"{"a":1}"#;
        assert_eq!(from_base64(&to_base64(body)).as_deref(), Some(&body[..]));
        assert_eq!((from_base64(body), from_base64(b"word")), (None, None));
        assert_eq!(unquoted(br#" "{\"a\":1}" "#).as_deref(), Some(&body[..]));
        for text in [&b"\"a\" \"b\""[..], b"{}", b"\"", b"\"a"] {
            assert_eq!(unquoted(text), None);
        }
        let level = flate2::Compression::fast();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
        gzip.write_all(body).unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(body).unwrap();
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), level);
        deflate.write_all(body).unwrap();
        for compressed in [gzip.finish().unwrap(), zlib.finish().unwrap(), deflate.finish().unwrap()] {
            assert_eq!(decompressed(&compressed).as_deref(), Some(&body[..]));
        }
        assert_eq!(decompressed(body), None);
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), level);
        bomb.write_all(&vec![0; DECOMPRESSED_LIMIT as usize + 1]).unwrap();
        assert_eq!(decompressed(&bomb.finish().unwrap()), None);
    }
}
