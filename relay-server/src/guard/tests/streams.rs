//! Streams of messages, however they are cut into reads.

use hookwire_protocol::code::Code;
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::guard::{
    HeadLimits, NoteKind,
    chunked::{ChunkError, Chunks, Progress},
    framing::Stage,
    fuzz::{Outcome, fuzz_guard},
};

const BAD: &[(&[u8], Code)] = &[
    (b"GET / HTTP/1.1\nHost: a\n\n", Code::MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Code::BadHost),
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Code::AmbiguousLength,
    ),
    (b"\x16\x03\x01\x02\x00\x01", Code::MalformedRequest),
    (b"GET /\xff HTTP/3", Code::MalformedRequest),
];

/// A message and what its target is, if unusual.
fn message() -> impl Strategy<Value = (Vec<u8>, Option<Vec<u8>>)> {
    let target = prop_oneof![4 => Just(None), 1 => vec(any::<u8>(), 1..20).prop_map(Some)];
    let body = prop_oneof![
        Just(b"\r\n".to_vec()),
        vec(any::<u8>(), 0..300)
            .prop_map(|body| [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat()),
        (vec(vec(any::<u8>(), 1..50), 0..4), any::<bool>()).prop_map(|(chunks, fancy)| chunked(&chunks, fancy)),
        Just(b"Upgrade: websocket\r\n\r\n".to_vec()),
        Just(format!("X: {}\r\n\r\n", "y".repeat(3000)).into_bytes()),
    ];
    (target, body, any::<bool>()).prop_map(|(target, rest, empty_line)| {
        let target = target.map(|tail| {
            let legal = tail.into_iter().filter(|byte| *byte > 0x20 && *byte != 0x7f);
            b"/<".iter().copied().chain(legal).collect::<Vec<_>>()
        });
        let line: &[u8] = if empty_line { b"\r\n" } else { b"" };
        let shown = target.as_deref().unwrap_or(b"/a/b?c=d");
        ([line, b"POST ", shown, b" HTTP/1.1\r\nHost: a\r\n", &rest].concat(), target)
    })
}

fn chunked(chunks: &[Vec<u8>], fancy: bool) -> Vec<u8> {
    let mut bytes = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in chunks {
        let extension = if fancy { ";name=\"v\"" } else { "" };
        bytes.extend(format!("{:X}{extension}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(if fancy { &b"000\r\nX-Sum: 1\r\nY:\r\n\r\n"[..] } else { b"0\r\n\r\n" });
    bytes
}

/// What has to come out for a message.
fn expected(bytes: &[u8], target: Option<&Vec<u8>>) -> Vec<u8> {
    let Some(target) = target else { return bytes.to_vec() };
    let start = bytes.windows(target.len()).position(|window| window == target).unwrap();
    [&bytes[..start], b"/", &bytes[start + target.len()..]].concat()
}

proptest! {
    #[test]
    fn reads_make_no_difference(
        messages in vec(message(), 0..6),
        bad in proptest::option::of(0..BAD.len()),
        cuts in vec(any::<Index>(), 0..40),
    ) {
        let mut stream: Vec<u8> = messages.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        let mut wanted: Vec<u8> = messages.iter().flat_map(|(bytes, target)| expected(bytes, target.as_ref())).collect();
        let mut notes: Vec<_> = messages.iter().enumerate()
            .filter_map(|(ordinal, (_, target))| Some((ordinal as u64, NoteKind::Target(target.clone()?.into()))))
            .collect();
        if let Some(bad) = bad {
            stream.extend(BAD[bad].0);
            notes.push((messages.len() as u64, NoteKind::Refused(BAD[bad].1)));
            wanted.extend(b"GET / HTTP/1.1\r\nhost: invalid\r\nconnection: close\r\n\r\n");
        }
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).filter(|piece| !piece.is_empty());
        let outcome = Outcome::of_pieces(pieces, HeadLimits::default());
        prop_assert_eq!(outcome.bytes.escape_ascii().to_string(), wanted.escape_ascii().to_string());
        prop_assert_eq!(outcome.notes.into_iter().map(|note| (note.ordinal, note.kind)).collect::<Vec<_>>(), notes);
        prop_assert_eq!(outcome.stage, if bad.is_some() { Stage::Refused } else { Stage::Between });
    }

    #[test]
    fn nothing_panics(data in vec(any::<u8>(), 0..2000)) {
        fuzz_guard(&data);
    }

    /// Nearly well-formed input, so that the interesting places are reached.
    #[test]
    fn nothing_panics_near_http(
        messages in vec(message(), 1..4),
        piece in any::<u8>(),
        changes in vec((any::<Index>(), prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':')]), 0..4),
    ) {
        let mut stream: Vec<u8> = messages.into_iter().flat_map(|(bytes, _)| bytes).collect();
        for (at, byte) in changes {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        stream.insert(0, piece);
        fuzz_guard(&stream);
    }
}

#[test]
fn chunks_are_read_strictly() {
    let good: &[&[u8]] = &[
        b"0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"a;x=\"\t\xff\"\r\n0123456789\r\n00\r\nX: y\r\n\r\n",
        b"0000000000000001\r\nx\r\n0\r\n\r\n",
    ];
    for bytes in good {
        assert_eq!(Chunks::new(2).advance(bytes), Progress::End(bytes.len()), "{}", bytes.escape_ascii());
    }
    for (bytes, at, error) in [
        (&b"\r\n"[..], 0, ChunkError::Size),
        (b"x\r\n", 0, ChunkError::Size),
        (b"5 \r\n", 1, ChunkError::Size),
        (b"-5\r\n", 0, ChunkError::Size),
        (b"0x5\r\n", 1, ChunkError::Size),
        (b"00000000000000001\r\n", 16, ChunkError::Size),
        (b"5\nhello", 1, ChunkError::Size),
        (b"5\r\rhello", 2, ChunkError::LineEnd),
        (b"5;a\nb\r\n", 3, ChunkError::Extension),
        (b"5;a\rb\r\n", 4, ChunkError::LineEnd),
        (b"1\r\nxy", 4, ChunkError::LineEnd),
        (b"1\r\nx\n", 4, ChunkError::LineEnd),
        (b"1\r\nx\rx", 5, ChunkError::LineEnd),
        (b"0\r\nX\r\n", 4, ChunkError::Trailer),
        (b"0\r\n X: y\r\n", 3, ChunkError::Trailer),
        (b"0\r\nX: y\n", 7, ChunkError::Trailer),
        (b"0\r\nX: y\rx", 8, ChunkError::LineEnd),
        (b"0\r\nX: y\r\nX: y\r\nX: y\r\n", 15, ChunkError::Trailer),
        (b"0\r\n\rx", 4, ChunkError::LineEnd),
    ] {
        assert_eq!(Chunks::new(2).advance(bytes), Progress::Broken(at, error), "{}", bytes.escape_ascii());
    }
}

#[test]
fn extensions_and_trailers_have_a_bound() {
    let extension = [b"1;".to_vec(), vec![b'x'; 16 * 1024]].concat();
    assert_eq!(Chunks::new(2).advance(&extension), Progress::Broken(2 + 15 * 1024, ChunkError::Extension));
    let many = b"1;12345678\r\nx\r\n".repeat(2000);
    assert!(matches!(Chunks::new(2).advance(&many), Progress::Broken(_, ChunkError::Extension)));
    let trailer = [b"0\r\nX: ".to_vec(), vec![b'x'; 16 * 1024]].concat();
    assert_eq!(Chunks::new(2).advance(&trailer), Progress::Broken(3 + 15 * 1024, ChunkError::Trailer));
}
