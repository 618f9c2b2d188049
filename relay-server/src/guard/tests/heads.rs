//! One head, one verdict.

use hookwire_protocol::code::Code::{
    self, AmbiguousLength, BadHost, BodyTooLarge, HeadTooLarge, MalformedRequest, UnsupportedTransferEncoding,
    UriTooLong,
};

use proptest::{collection::vec, prelude::*};

use crate::guard::{
    HeadLimits,
    head::{Body, check},
    target,
};

/// Heads that go on, with the length of their body; `None` is chunked.
const GOOD: &[(&[u8], Option<u64>)] = &[
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Some(0)),
    (b"GET / HTTP/1.1\r\nHost:a:8080\r\n\r\n", Some(0)),
    (b"GET / HTTP/1.1\r\nhOsT: \t[::1]:8080 \t\r\n\r\n", Some(0)),
    (b"GET / HTTP/1.0\r\n\r\n", Some(0)),
    (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", Some(0)),
    (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Some(0)),
    (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Some(0)),
    (b"GET http://a/b?c HTTP/1.1\r\nHost: A\r\n\r\n", Some(0)),
    (b"GET HTTPS://a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Some(0)),
    (b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", Some(0)),
    (b"M!#$%&'*+-.^_`|~ /pot HTTP/1.1\r\nHost: a\r\n\r\n", Some(0)),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", Some(0)),
    (b"POST / HTTP/1.1\r\nHost: a\r\ncontent-length:  0042 \r\n\r\n", Some(42)),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551613\r\n\r\n", Some(u64::MAX - 2)),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", None),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING: Chunked\r\n\r\n", None),
    (b"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n", Some(2)),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\x80\r\nX:\r\nX: 2\r\n\r\n", Some(0)),
    (b"GET /%00\"?%zz=&[]{}|^\\'!~ HTTP/1.1\r\nHost: xn--a_b.example.\r\n\r\n", Some(0)),
];

const BAD: &[(&[u8], Code)] = &[
    // Line ends and blanks.
    (b"GET / HTTP/1.1\nHost: a\n\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\r\n\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nX: a\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", MalformedRequest),
    (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX\xff: b\r\n\r\n", MalformedRequest),
    // Request lines.
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", MalformedRequest),
    (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET /\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET / http/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"G\xc3\xa4T / HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", MalformedRequest),
    (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"GET ** HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", MalformedRequest),
    (b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", MalformedRequest),
    // Two ways to read the length.
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", AmbiguousLength),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551614\r\n\r\n", BodyTooLarge),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", BodyTooLarge),
    // Codings.
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", UnsupportedTransferEncoding),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", UnsupportedTransferEncoding),
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        UnsupportedTransferEncoding,
    ),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", UnsupportedTransferEncoding),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", UnsupportedTransferEncoding),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", MalformedRequest),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", UnsupportedTransferEncoding),
    // Hosts.
    (b"GET / HTTP/1.1\r\n\r\n", BadHost),
    (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", BadHost),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", BadHost),
    (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", BadHost),
    (b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", BadHost),
    (b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", BadHost),
    (b"GET http://a/ HTTP/1.1\r\n\r\n", BadHost),
    (b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", BadHost),
    // Upgrades.
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\n",
        MalformedRequest,
    ),
    (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n", MalformedRequest),
];

#[test]
fn what_is_clear_goes_on() {
    for (bytes, body) in GOOD {
        let head =
            check(bytes, &HeadLimits::default()).unwrap_or_else(|code| panic!("{code}: {}", bytes.escape_ascii()));
        let head = head.unwrap_or_else(|| panic!("incomplete: {}", bytes.escape_ascii()));
        assert_eq!(head.length, bytes.len());
        assert_eq!(head.body, body.map_or(Body::Chunked, Body::Sized), "{}", bytes.escape_ascii());
        assert!(!head.upgrade && head.unusual.is_none(), "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_can_be_read_in_two_ways_does_not() {
    for (bytes, code) in BAD {
        assert_eq!(check(bytes, &HeadLimits::default()), Err(*code), "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_head_that_is_not_whole_waits() {
    for (bytes, _) in GOOD {
        for end in 0..bytes.len() {
            assert_eq!(check(&bytes[..end], &HeadLimits::default()), Ok(None), "{}", bytes[..end].escape_ascii());
        }
    }
}

#[test]
fn bounds_hold_to_the_byte() {
    let limits = HeadLimits { target: 100, head: 400, headers: 3 };
    let verdict = |head: &[u8]| check(head, &limits).map(|head| head.is_some());
    let with_target =
        |length: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(length - 1)).into_bytes();
    assert_eq!(verdict(&with_target(100)), Ok(true));
    assert_eq!(verdict(&with_target(101)), Err(UriTooLong));
    assert_eq!(verdict(&with_target(399)), Err(UriTooLong));
    assert_eq!(verdict(&with_target(399)[..163]), Ok(false));
    assert_eq!(verdict(&with_target(399)[..164]), Err(UriTooLong));

    let with_length =
        |length: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(length - 32)).into_bytes();
    assert_eq!(verdict(&with_length(400)), Ok(true));
    assert_eq!(verdict(&with_length(401)), Err(HeadTooLarge));
    assert_eq!(verdict(&with_length(401)[..399]), Ok(false));
    assert_eq!(verdict(&with_length(401)[..400]), Err(HeadTooLarge));

    let with_lines =
        |lines: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(lines - 1)).into_bytes();
    assert_eq!(verdict(&with_lines(3)), Ok(true));
    assert_eq!(verdict(&with_lines(4)), Err(HeadTooLarge));
    assert_eq!(check(&with_lines(100), &HeadLimits::default()).map(|head| head.is_some()), Ok(true));
    assert_eq!(check(&with_lines(101), &HeadLimits::default()), Err(HeadTooLarge));
}

#[test]
fn upgrades_are_seen() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n";
    assert!(check(head, &HeadLimits::default()).unwrap().unwrap().upgrade);
}

#[test]
fn targets_that_a_uri_can_not_hold_are_found() {
    for (target, path) in [
        (&b"/a<b>"[..], &b"/a<b>"[..]),
        (b"/a`b", b"/a`b"),
        (b"/a#b", b"/a#b"),
        (b"/a?b#c", b"/a?b#c"),
        (b"/a?\"b\"", b"/a?\"b\""),
        (b"/\xff?\xfe", b"/\xff?\xfe"),
        (b"/?\xc3", b"/?\xc3"),
        (b"http://a/<", b"/<"),
        (b"http://a/\xff", b"/\xff"),
    ] {
        let head = [b"\r\nGET ", target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        for end in 0..head.len() {
            assert_eq!(check(&head[..end], &HeadLimits::default()), Ok(None));
        }
        let unusual = check(&head, &HeadLimits::default()).unwrap().unwrap().unusual.unwrap();
        assert_eq!((&head[unusual.target], &head[unusual.path]), (target, path));
    }
}

/// The byte table must say what `http::Uri` does, or hyper answers in our place.
#[test]
fn the_table_agrees_with_uri() {
    let bytes = (0x21..=0xff).filter(|byte| *byte != 0x7f);
    for (before, byte) in
        bytes.flat_map(|byte| [(&b"/a"[..], byte), (b"/a?", byte), (b"/\xc3", byte), (b"/?\xc3", byte)])
    {
        let target = [before, &[byte]].concat();
        let uri = http::Uri::try_from(&target[..]);
        let kept = uri.is_ok_and(|uri| uri.path_and_query().is_some_and(|kept| kept.as_str().as_bytes() == target));
        assert_eq!(!target::form(&target).unwrap().unusual, kept, "{}", target.escape_ascii());
    }
}

proptest! {
    /// What goes on unchanged is nothing that hyper would answer for us.
    #[test]
    fn hyper_takes_what_goes_on(
        method in "[!-~]{1,12}",
        form in proptest::sample::select(vec![&b""[..], b"/", b"http://a", b"HTTP://a/", b"https://a?"]),
        tail in vec(any::<u8>(), 0..12),
    ) {
        let target = [form, &tail].concat();
        let head = [method.as_bytes(), b" ", &target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        if let Ok(Some(head)) = check(&head, &HeadLimits::default()) {
            prop_assert!(http::Method::from_bytes(method.as_bytes()).is_ok());
            prop_assert!(head.unusual.is_some() || http::Uri::try_from(target).is_ok());
        }
    }
}

#[test]
fn hosts_are_names_or_addresses() {
    for good in [
        "a",
        "a.b",
        "127.0.0.1:1",
        "a:",
        "A-b_c~%20",
        "[::1]",
        "[::ffff:1.2.3.4]:65535",
        "a!$&'()*+;=",
        "xn--bcher-kva.example",
    ] {
        assert!(target::is_host(good.as_bytes()), "{good}");
    }
    for bad in [
        "",
        ":",
        ":80",
        "a:b",
        "a:123456",
        "a:80:80",
        "a b",
        "a,b",
        "a/b",
        "u@a",
        "a\\b",
        "[::1",
        "::1",
        "[::1]a",
        "[]",
        "[::1%25x]",
        "a#b",
        "a?b",
        "ä",
    ] {
        assert!(!target::is_host(bad.as_bytes()), "{bad}");
    }
}
