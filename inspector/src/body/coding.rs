//! Compressed bodies, decompressed for the eye: within bounds, and only there.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::kind::is_text;
use crate::{
    line::{Line, Role, Span},
    sizes,
};

/// The most that is decompressed: more than any webhook, and quick to lay out.
pub(super) const OUTPUT_LIMIT: usize = 1 << 20;

/// How many times its size a body may grow. JSON with the same record over and over shrinks to a fiftieth; what grows
/// more was made to fill memories.
pub(super) const RATIO_LIMIT: usize = 100;

/// So much is decompressed whatever the ratio: it does no harm, and a test body of ten bytes has any ratio.
const RATIO_FLOOR: usize = 64 * 1024;

/// The memory that a zstd frame may ask for, as RFC 8878 §3.1.1.1.2 recommends decoders to support.
const ZSTD_WINDOW: u64 = 8 << 20;

/// A body as it is looked at, and what there is to say about how it came to be so.
pub(super) struct Decoded {
    pub(super) bytes: Bytes,
    pub(super) notes: Vec<Line>,
    /// The bytes are still compressed.
    pub(super) opaque: bool,
    /// The end is missing, and not by the sender's fault.
    pub(super) cut: bool,
}

/// Undoes the outermost coding of `content-encoding` (RFC 9110 §8.4).
pub(super) fn decode(body: &Bytes, cut: bool, content_encoding: Option<&[u8]>) -> Decoded {
    let plain = Decoded { bytes: body.clone(), notes: Vec::new(), opaque: false, cut };
    let codings = content_encoding.unwrap_or_default().split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let mut codings: Vec<_> =
        codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")).collect();
    let Some(outermost) = codings.pop().filter(|_| !body.is_empty()) else { return plain };
    let name = String::from_utf8_lossy(outermost).to_lowercase();
    let Some(coding) = Coding::named(&name) else {
        let text = format!("content-encoding `{name}` is not known here, so these are the bytes that were sent");
        return Decoded { notes: vec![note(Role::Warn, text)], opaque: true, ..plain };
    };

    let limit = OUTPUT_LIMIT.min(body.len().saturating_mul(RATIO_LIMIT).max(RATIO_FLOOR));
    let (bytes, end) = read(coding, body, limit);
    // What is compressed never reads well; bare deflate finds some bytes in anything.
    if end == End::Broken && (bytes.is_empty() || is_text(body)) {
        let text = format!("said to be `{name}`, but it is not, so these are the bytes that were sent");
        return Decoded { notes: vec![note(Role::Bad, text)], opaque: true, ..plain };
    }
    let sent = sizes::bytes(body.len() as u64);
    let mut notes =
        vec![note(Role::Muted, format!("{name}: {sent} as sent, {} as shown", sizes::bytes(bytes.len() as u64)))];
    notes.extend(remark(end, cut, limit));
    if let Some(inner) = codings.last() {
        let inner = String::from_utf8_lossy(inner).to_lowercase();
        notes.push(note(Role::Warn, format!("compressed again within, as `{inner}`: only one layer is undone")));
    }
    Decoded { bytes: bytes.into(), notes, opaque: !codings.is_empty(), cut: cut || end != End::Whole }
}

/// What is wrong with the end of what was decompressed.
fn remark(end: End, cut: bool, limit: usize) -> Option<Line> {
    match end {
        End::Whole => None,
        End::Full if limit < OUTPUT_LIMIT => Some(note(
            Role::Bad,
            format!("truncated: it grows to more than {RATIO_LIMIT} times what was sent, as a compression bomb does"),
        )),
        End::Full => {
            Some(note(Role::Warn, format!("truncated: only the first {} are shown", sizes::bytes(limit as u64))))
        }
        End::Broken if cut => Some(note(Role::Warn, "truncated where the captured bytes end".to_owned())),
        End::Broken => Some(note(Role::Bad, "broken from here on: what follows could not be decompressed".to_owned())),
    }
}

#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn named(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// How decompressing ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// At the limit, and there was more.
    Full,
    /// At an error.
    Broken,
}

fn read(coding: Coding, body: &[u8], limit: usize) -> (Vec<u8>, End) {
    match coding {
        Coding::Gzip => fill(MultiGzDecoder::new(body), limit),
        // RFC 9110 §8.4.1.2: the zlib format; some senders send bare deflate.
        Coding::Deflate if is_zlib(body) => fill(ZlibDecoder::new(body), limit),
        Coding::Deflate => fill(DeflateDecoder::new(body), limit),
        // A window beyond RFC 7932's 16 MiB is an extension that this decoder refuses by itself.
        Coding::Brotli => fill(brotli_decompressor::Decompressor::new(body, BUFFER), limit),
        Coding::Zstd => zstd(body, limit),
    }
}

/// What a decoder works in.
const BUFFER: usize = 4096;

/// RFC 1950 §2.2: the method is 8, and the two bytes are a multiple of 31.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..] if method & 0x0F == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

/// One frame after the other (RFC 8878 §3.1).
fn zstd(mut body: &[u8], limit: usize) -> (Vec<u8>, End) {
    let mut all = Vec::new();
    while !body.is_empty() {
        let Ok(decoder) = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(&mut body, ZSTD_WINDOW) else {
            return (all, End::Broken);
        };
        let (bytes, end) = fill(decoder, limit - all.len());
        all.extend(bytes);
        if end != End::Whole {
            return (all, end);
        }
    }
    (all, End::Whole)
}

fn fill(decoder: impl Read, limit: usize) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    let result: io::Result<usize> = decoder.take(limit as u64 + 1).read_to_end(&mut bytes);
    let end = match result {
        _ if bytes.len() > limit => End::Full,
        Ok(_) => End::Whole,
        Err(_) => End::Broken,
    };
    bytes.truncate(limit);
    (bytes, end)
}

fn note(role: Role, text: String) -> Line {
    vec![Span::new(role, text)]
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Write as _;

    use flate2::{Compression, write};
    use proptest::prelude::*;

    use crate::line;

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    fn notes(decoded: &Decoded) -> Vec<String> {
        decoded.notes.iter().map(|note| line::text(note)).collect()
    }

    /// `{"a":1}` as `brotli` and `zstd` write it, and as zlib and bare deflate.
    const BROTLI: &[u8] = b"\x0b\x03\x80{\"a\":1}\x03";
    const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00{\"a\":1}";

    #[test]
    fn each_coding_is_undone() {
        let mut zlib = write::ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"{\"a\":1}").unwrap();
        let mut deflate = write::DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(b"{\"a\":1}").unwrap();
        let cases: [(&[u8], Bytes); 6] = [
            (b"gzip", gzip(b"{\"a\":1}")),
            (b"x-gzip", gzip(b"{\"a\":1}")),
            (b"Deflate", zlib.finish().unwrap().into()),
            (b"deflate", deflate.finish().unwrap().into()),
            (b"br", BROTLI.into()),
            (b"zstd", [ZSTD, ZSTD].concat()[..ZSTD.len()].to_vec().into()),
        ];
        for (name, body) in cases {
            let decoded = decode(&body, false, Some(name));
            assert_eq!(&decoded.bytes[..], b"{\"a\":1}", "{}", String::from_utf8_lossy(name));
            assert!(!decoded.opaque && !decoded.cut);
        }
        assert_eq!(decode(&[ZSTD, ZSTD].concat().into(), false, Some(b"zstd")).bytes.len(), 14);
    }

    #[test]
    fn what_can_not_be_undone_is_shown_as_sent_and_said() {
        let body = Bytes::from_static(b"{\"a\":1}");
        for name in [&b"gzip"[..], b"zstd", b"deflate"] {
            let decoded = decode(&body, false, Some(name));
            assert_eq!(decoded.bytes, body);
            assert!(decoded.opaque && notes(&decoded)[0].contains("but it is not"), "{:?}", notes(&decoded));
        }
        let decoded = decode(&body, false, Some(b"compress"));
        assert!(decoded.opaque && notes(&decoded)[0].contains("`compress` is not known here"));
        for none in [None, Some(&b""[..]), Some(b"identity, ")] {
            assert!(decode(&body, false, none).notes.is_empty());
        }
    }

    #[test]
    fn growth_is_bounded_by_size_and_by_ratio() {
        let bomb = gzip(&vec![0; 10 << 20]);
        let decoded = decode(&bomb, false, Some(b"gzip"));
        assert_eq!(decoded.bytes.len(), bomb.len() * RATIO_LIMIT);
        assert!(decoded.cut && notes(&decoded)[1].contains("compression bomb"), "{:?}", notes(&decoded));

        let noise: Vec<u8> = (0..2_u32 << 20).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let decoded = decode(&gzip(&noise), false, Some(b"gzip"));
        assert_eq!(decoded.bytes, noise[..OUTPUT_LIMIT]);
        assert!(notes(&decoded)[1].contains("only the first 1,048,576 bytes"), "{:?}", notes(&decoded));
    }

    #[test]
    fn one_layer_is_undone_and_a_cut_is_told_from_damage() {
        let inner = gzip(b"{}");
        let decoded = decode(&gzip(&inner), false, Some(b"gzip, gzip"));
        assert_eq!(decoded.bytes, inner);
        assert!(decoded.opaque && notes(&decoded)[1].contains("only one layer"));

        let noise: Vec<u8> = (0..100_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let half = gzip(&noise);
        let half = half.slice(..half.len() / 2);
        assert!(notes(&decode(&half, true, Some(b"gzip")))[1].contains("where the captured bytes end"));
        assert!(notes(&decode(&half, false, Some(b"gzip")))[1].contains("broken"));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_a_decoder_down(mut bytes: Vec<u8>, start in 0..5_usize) {
            let starts: [&[u8]; 5] = [b"", b"\x1f\x8b\x08\x00", ZSTD, b"\x28\xb5\x2f\xfd", BROTLI];
            bytes.splice(..0, starts[start].iter().copied());
            let body = Bytes::from(bytes);
            for name in [&b"gzip"[..], b"deflate", b"br", b"zstd"] {
                prop_assert!(decode(&body, false, Some(name)).bytes.len() <= OUTPUT_LIMIT);
            }
        }
    }
}
