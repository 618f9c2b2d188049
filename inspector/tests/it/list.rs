use std::time::Duration;

use bytes::Bytes;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use hookwire_capture::{Health, Origin, Summary, Update};
use hookwire_inspector::{Plain, Theme, json};

use crate::fixture;

/// What a list shows of the fixture's exchange.
fn summary() -> Summary {
    let exchange = fixture::exchange();
    Summary {
        row: 7,
        id: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_3f9a_01c2),
        origin: exchange.origin,
        endpoint: exchange.endpoint.clone(),
        received_at: exchange.received_at,
        method: exchange.request.method.clone(),
        target: Bytes::from_static(b"/verification?x=1"),
        status: 200,
        answered_by: exchange.answered_by,
        error: None,
        late: false,
        duration: Duration::from_millis(12),
        verdict: exchange.verdict.clone(),
        event: exchange.event.clone(),
        amount: None,
        repeats: 0,
        request_length: 1_620,
        response_length: 2,
        note: None,
    }
}

fn listed(summaries: &[Summary], width: usize) -> String {
    let mut out = Vec::new();
    Plain::new(Theme::PLAIN, width, TimeZone::UTC).list(summaries, true, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn rows_stand_below_their_headings() {
    let held = Summary {
        origin: Origin::Replay { of: Uuid::from_u128(0xaaaa_bbbb) },
        note: Some("original valid · re-signed".into()),
        ..summary()
    };
    insta::assert_snapshot!(listed(&[summary(), held], 120), @"
    id        time            request                   event                     amount    took  answer and signature
    3f9a01c2  07-14 02:14:07  POST /verification        payment.captured                   12 ms  200  ✓ valid razorpay
    3f9a01c2  07-14 02:14:07  POST /verification        payment.captured                   12 ms  200  ✓ valid razorpay
              (replay of aaaabbbb)
              note: original valid · re-signed
    ");
}

#[test]
fn nothing_to_list_is_nothing_at_all() {
    assert_eq!(listed(&[], 80), "");
}

#[test]
fn no_untrusted_byte_of_a_row_reaches_the_terminal() {
    let hostile = Summary {
        method: Bytes::from_static(b"P\x1bST"),
        target: Bytes::from_static(b"/\x9b31m\xe2\x80\xae"),
        note: Some("\x1b]52;c;AAAA\x07".into()),
        ..summary()
    };
    for text in [120, 60].map(|width| listed(std::slice::from_ref(&hostile), width)) {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
    let mut line = Vec::new();
    json::write_summary(&hostile, &mut line).unwrap();
    assert!(line.iter().all(|byte| (b' '..0x7F).contains(byte) || *byte == b'\n' || *byte > 0x9f), "{line:?}");
}

#[test]
fn json_has_the_names_that_live_lines_have() {
    let line = |summary: &Summary| -> Value {
        let mut line = Vec::new();
        json::write_summary(summary, &mut line).unwrap();
        serde_json::from_slice(&line).unwrap()
    };
    let mut live = Vec::new();
    json::write_line(&Update::Exchange(fixture::exchange().into()), &mut live).unwrap();
    let live: Value = serde_json::from_slice(&live).unwrap();
    let listed = line(&summary());
    for name in live.as_object().unwrap().keys().filter(|name| *name != "type") {
        assert!(listed.get(name).is_some(), "{name}");
    }
    assert_eq!(
        (&listed["path"], &listed["query"], &listed["row"]),
        (&"/verification".into(), &"x=1".into(), &7.into())
    );
    assert!(listed.get("replay_of").is_none());
    let of = Uuid::from_u128(5);
    assert_eq!(line(&Summary { origin: Origin::Replay { of }, ..summary() })["replay_of"], of.to_string());
}

#[test]
fn what_the_store_leaves_out_is_told_as_a_line_and_as_an_object() {
    let failing =
        Health { bodies_skipped: 3, exchanges_skipped: 1, trouble: Some("disk full\x1b".into()), since: None };
    let update = Update::Store(failing);
    let mut plain = Vec::new();
    Plain::new(Theme::PLAIN, 200, TimeZone::UTC).render(&update, fixture::night(), &mut plain).unwrap();
    insta::assert_snapshot!(
        String::from_utf8(plain).unwrap(),
        @r"02:14:07  webhooks are delivered, but not kept: disk full\x1b; so far 1 were not kept, and 3 without their bodies"
    );
    let mut line = Vec::new();
    json::write_line(&update, &mut line).unwrap();
    insta::assert_snapshot!(
        String::from_utf8(line).unwrap(),
        @r#"{"type":"store","bodies_skipped":3,"exchanges_skipped":1,"trouble":"disk full\u001b"}"#
    );
}
