//! What is told about holding, delivering later, and the way being open.

use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use hookwire_capture::{AnsweredBy, Backlog, Exchange, Gap, Proof, Update};
use hookwire_inspector::{Plain, Theme, json};

use crate::fixture;

fn after(minutes: u64) -> SystemTime {
    fixture::night() + Duration::from_mins(minutes)
}

fn gap(minutes: u64, lost: u64) -> Update {
    Update::Gap(Gap { from: fixture::night(), to: after(minutes), held: 3, delivered: 2, lost })
}

fn backlog(held: u64, parked: u64, left: Option<u64>) -> Update {
    Update::Backlog(Backlog { held, parked, left: left.map(Duration::from_secs) })
}

fn verified(took: u64) -> Update {
    Update::Proof(Proof::Verified { at: fixture::night(), took: Duration::from_millis(took) })
}

fn unverified() -> Update {
    Update::Proof(Proof::Unverified { reason: "\x1b[2Jno answer".into() })
}

fn screen(updates: &[Update]) -> String {
    let mut plain = Plain::new(Theme::PLAIN, 120, TimeZone::UTC);
    let mut out = Vec::new();
    for update in updates {
        plain.render(update, fixture::night(), &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn lines(updates: &[Update]) -> String {
    let mut out = Vec::new();
    for update in updates {
        json::write_line(update, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn a_backlog_is_told_when_it_changes_and_a_gap_by_its_times() {
    let told = [
        backlog(312, 0, Some(3)),
        backlog(312, 0, Some(3)),
        backlog(40, 0, None),
        backlog(41, 0, None),
        backlog(0, 0, None),
        backlog(0, 2, None),
        gap(29, 0),
        gap(0, 1),
    ];
    assert_eq!(
        screen(&told),
        "\
02:14:07  delivering 312 held, 3.0 s left
02:14:07  40 held by the relay
02:14:07  2 parked: they are tried no more
02:14:07  offline 02:14–02:43: 3 held, 2 delivered, 0 lost
02:14:07  offline 02:14:07–02:14:07: 3 held, 2 delivered, 1 lost
"
    );
}

#[test]
fn the_way_is_told_when_it_opens_and_when_it_does_not() {
    let told = [
        Update::Proof(Proof::RoundTrip(Duration::from_millis(40))),
        verified(80),
        verified(90),
        unverified(),
        unverified(),
        verified(70),
    ];
    assert_eq!(
        screen(&told),
        "\
02:14:07  verified end to end in 80 ms
02:14:07  not verified: \\x1b[2Jno answer
02:14:07  verified end to end in 70 ms
"
    );
}

#[test]
fn a_late_answer_says_that_the_sender_had_another() {
    let late = Exchange {
        late: true,
        answered_by: AnsweredBy::Relay,
        duration: Duration::from_secs(6),
        ..fixture::exchange()
    };
    let update = Update::Exchange(std::sync::Arc::new(late));
    let row = screen(std::slice::from_ref(&update));
    assert!(row.contains(" 6.0 s  200 late  ✓ valid razorpay  (202 sent)"), "{row}");
    let line: serde_json::Value = serde_json::from_str(&lines(&[update])).unwrap();
    assert_eq!((&line["late"], &line["answered_by"], &line["status"]), (&true.into(), &"relay".into(), &200.into()));
}

#[test]
fn what_the_relay_holds_for_an_app_that_is_down_says_so() {
    let held = Exchange { answered_by: AnsweredBy::Relay, ..fixture::refused() };
    let row = screen(&[Update::Exchange(std::sync::Arc::new(held))]);
    assert!(row.contains("502 app-refused  ✓ valid razorpay  (held)"), "{row}");
}

#[test]
fn scripts_get_all_of_it() {
    let told = [
        backlog(312, 1, Some(3)),
        backlog(0, 0, None),
        gap(29, 0),
        Update::Proof(Proof::RoundTrip(Duration::from_micros(40_120))),
        verified(80),
        unverified(),
    ];
    assert_eq!(
        lines(&told),
        r#"{"type":"backlog","held":312,"parked":1,"left_ms":3000}
{"type":"backlog","held":0,"parked":0,"left_ms":null}
{"type":"gap","from":"2026-07-14T02:14:07.250Z","to":"2026-07-14T02:43:07.250Z","held":3,"delivered":2,"lost":0}
{"type":"round-trip","took_ms":40.1}
{"type":"verified","time":"2026-07-14T02:14:07.250Z","took_ms":80.0}
{"type":"unverified","reason":"\u001b[2Jno answer"}
"#
    );
}

#[test]
fn what_being_held_made_stale_says_so_and_offers_to_sign_it_anew() {
    let held = |age| Update::Exchange(std::sync::Arc::new(fixture::stale_of(age, Duration::from_mins(12))));
    insta::assert_snapshot!(screen(&[held(722), held(723), held(2_000)]), @"
02:14:07  POST /stripe                  payment_intent.succeeded   12 ms  400  ⧗ stale stripe  (held by the relay)
          why:  right when it came: held for 12 min, past Stripe's 300 s
          hint: `hookwire replay <id> --resign` signs it anew (`hookwire requests list --filter verdict:stale` shows the
                ids)
02:14:07  POST /stripe                  payment_intent.succeeded   12 ms  400  ⧗ stale stripe  (repeat)
          why:  right when it came: held for 12 min, past Stripe's 300 s
02:14:07  POST /stripe                  payment_intent.succeeded   12 ms  400  ⧗ stale stripe  (repeat)
          why:  signature right, but 2000 s old (limit 300 s)
          hint: have it sent anew: gateways sign each attempt with the current time
");
}
