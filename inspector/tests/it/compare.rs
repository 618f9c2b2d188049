//! What changed.

use std::fmt::Write as _;

use bytes::Bytes;
use proptest::prelude::*;

use hookwire_capture::{CapturedBody, Exchange};
use hookwire_inspector::{compare, line};
use hookwire_protocol::{code::Code, head::Headers};

use crate::fixture;

fn text(old: &Exchange, new: &Exchange) -> String {
    let mut text = String::new();
    for line in compare::render(old, new, 100, "").lines(0..usize::MAX) {
        writeln!(text, "{}", line::text(&line)).unwrap();
    }
    text
}

fn answer(body: &[u8]) -> Exchange {
    let mut exchange = fixture::exchange();
    exchange.response_body =
        CapturedBody { bytes: Bytes::copy_from_slice(body), length: body.len() as u64, sha256: None };
    exchange
}

/// What changed in the response's body.
fn changes(old: &[u8], new: &[u8]) -> Vec<String> {
    let shown = text(&answer(old), &answer(new));
    assert!(shown.starts_with("request: the same\n\nresponse: "), "{shown}");
    shown.lines().skip(3).map(str::to_owned).collect()
}

#[test]
fn the_same_is_the_same() {
    assert_eq!(text(&fixture::exchange(), &fixture::exchange()), "request: the same\n\nresponse: the same\n");
}

#[test]
fn lines_and_headers() {
    let headers = |lines: &[(&str, &str)]| -> Headers {
        lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
    };
    let mut old = fixture::refused();
    old.request.headers = headers(&[("a", "1"), ("b", "1"), ("b", "2"), ("c", "x")]);
    let mut new = fixture::exchange();
    new.request.headers = headers(&[("c", "x"), ("b", "1"), ("b", "3"), ("d", "\x1b")]);
    new.request.target = Bytes::from_static(b"/other");
    assert_eq!(
        text(&old, &new),
        "request: 4 changes\n\
         ~ target  /verification → /other\n\
         - a: 1\n\
         ~ b: 2 → 3\n\
         + d: \\x1b\n\
         \n\
         response: 3 changes\n\
         ~ status  502 Bad Gateway → 200 OK\n\
         ~ answered by  client → app\n\
         ~ error  app-refused → none\n"
    );
    old.response = None;
    old.error = Some(Code::SessionLost);
    assert!(text(&old, &new).contains("~ error  session-lost → none"));
}

#[test]
fn json_by_fields() {
    let old = br#"{"id":"pay_1","amount":50000,"rate":1.0,"gone":{"a":1},"list":[1,2,3],"deep":{"x":{"y":[{"z":null}]}},"a b":1}"#;
    let new = br#"{"amount":60000,"id":"pay_1","rate":1.00,"list":[0,1,2,3],"deep":{"x":{"y":[{"z":true}]}},"a b":[],"new":"n"}"#;
    assert_eq!(
        changes(old, new),
        [
            "~ amount  50000 → 60000",
            "~ rate  1.0 → 1.00",
            "- gone  { … 1 }",
            "+ list[0]  0",
            "~ deep.x.y[0].z  null → true",
            "~ [\"a b\"]  1 → []",
            "+ new  \"n\"",
        ]
    );
    assert_eq!(changes(b"[1,{\"a\":1},3]", b"[1,{\"a\":2},3,4]"), ["~ [1].a  1 → 2", "+ [3]  4"]);
    assert_eq!(changes(b"1", b"{}"), ["~ body  1 → {}"]);
    assert_eq!(changes(b"{\"a\":1,\"a\":2}", b"{\"a\":1,\"a\":3}"), ["~ a  2 → 3"]);
}

#[test]
fn what_reads_alike_but_is_not_is_said() {
    assert_eq!(
        changes(b"{\"a\":1}", b"{\"a\": 1}"),
        ["~ the body has the same content, written in another way from byte 5 on"]
    );
    assert_eq!(
        changes(b"{\"a\":1,\"b\":2}", b"{\"b\":2,\"a\":1}"),
        ["~ the body has the same content, written in another way from byte 2 on"]
    );
}

#[test]
fn text_by_lines_and_bytes_by_the_first() {
    assert_eq!(
        changes(b"1\n2\n3\n4\n5\n6\n7\n8\n9\nold\n", b"1\nTWO\n3\n4\n5\n6\n7\n8\n9\nnew\n"),
        ["  1", "- 2", "+ TWO", "  3", "  4", "…", "  8", "  9", "- old", "+ new"]
    );
    assert_eq!(
        changes(b"\x89PNG\0aaa", b"\x89PNG\0abaa"),
        ["~ the body differs from byte 6 on (8 bytes before, 9 bytes now)"]
    );
    assert_eq!(changes(b"", b"x"), ["+ body  1 byte"]);
    assert_eq!(changes(b"xx", b""), ["- body  2 bytes"]);
}

#[test]
fn what_was_not_captured_is_not_called_the_same() {
    let mut old = answer(b"abc");
    let mut new = answer(b"abc");
    (old.response_body.length, old.response_body.sha256) = (100, Some([1; 32]));
    (new.response_body.length, new.response_body.sha256) = (100, Some([2; 32]));
    let shown = text(&old, &new);
    assert!(shown.contains("the bodies differ beyond what was captured"), "{shown}");
    new.response_body.sha256 = old.response_body.sha256;
    assert!(text(&old, &new).ends_with("response: the same\n"));
}

#[test]
fn comparing_is_bounded() {
    let array = |value: u32| format!("[{}]", vec![value.to_string(); 200_000].join(","));
    let shown = changes(array(1).as_bytes(), array(2).as_bytes());
    assert_eq!(shown.len(), 500);
    let deep = |end: &str| format!("{}{end}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(changes(deep("1").as_bytes(), deep("2").as_bytes()).len(), 1);
    let lines = |word: &str| format!("{word}\n").repeat(100_000);
    assert_eq!(
        changes(lines("a").as_bytes(), lines("b").as_bytes()),
        ["~ the body differs from byte 0 on (200,000 bytes before, 200,000 bytes now)"]
    );
}

proptest! {
    /// Different bodies never look the same, and no change is made up.
    #[test]
    fn a_change_is_seen_exactly_if_there_is_one(
        old in r#"[\[\]{},:"a1 \n\x1b]{0,12}"#,
        new in r#"[\[\]{},:"a1 \n\x1b]{0,12}"#,
    ) {
        let shown = text(&answer(old.as_bytes()), &answer(new.as_bytes()));
        prop_assert_eq!(shown.ends_with("response: the same\n"), old == new, "{}", shown);
        prop_assert!(!shown.replace('\n', "").contains(char::is_control));
    }
}
