//! One exchange.

use bytes::Bytes;
use hookwire_inspector::tui::{Effect, Message};
use insta::assert_snapshot;
use ratatui::style::Color;

use crate::{
    fixture::{self, payment},
    script::Script,
};

#[test]
fn it_opens_below_the_list_beside_it_or_instead_of_it() {
    let mut script = Script::new(fixture::shop());
    script.screen(120, 40);
    script.press("j j j j j j enter 3");
    assert_snapshot!("detail_120x40", script.screen(120, 40));
    assert_snapshot!("detail_180x24", script.screen(180, 24));
    assert_snapshot!("detail_80x24", script.screen(80, 24));
    assert_snapshot!("detail_40x12", script.screen(40, 12));
}

#[test]
fn every_tab() {
    let mut script = Script::new(fixture::shop());
    script.screen(100, 30);
    script.press("j j j j j j enter z");
    // What they say in full is tested where it is made.
    let tabs = [
        ("overview", "timeline"),
        ("signature", "wrong-secret"),
        ("headers", "x-razorpay-event-id: evt_1042"),
        ("body", "\"id\": \"pay_29QQoUBi66xm2f\""),
        ("response", "401 Unauthorized"),
        ("raw", "POST /verification HTTP/1.1"),
    ];
    for (key, (name, content)) in tabs.iter().enumerate() {
        let screen = script.press(&(key + 1).to_string()).screen(100, 30);
        assert!(screen.contains(content), "{name}: {screen}");
        assert_eq!(script.style(100, 30, name).fg, Some(Color::Cyan), "{name}");
    }
    let last = script.screen(100, 30);
    script.press("l h");
    assert_eq!(script.screen(100, 30), last);
}

#[test]
fn the_detail_follows_the_list_when_that_moves() {
    let mut script = Script::new(fixture::shop());
    script.screen(120, 40);
    script.press("enter 3 tab j j j");
    let screen = script.screen(120, 40);
    assert!(screen.contains("▸ 02:14:56") && screen.contains("x-razorpay-event-id"), "{screen}");
    // What arrives now moves neither.
    script.arrive((11..100).map(payment));
    assert!(script.screen(120, 40).contains("▸ 02:14:56"));
}

#[test]
fn bodies_fold() {
    let mut script = Script::new(vec![payment(1)]);
    script.screen(100, 30);
    script.press("enter 4 z -");
    assert_snapshot!("folded", script.screen(100, 30));
    script.press("+");
    let open = script.screen(100, 30);
    assert!(open.contains("pay_29QQoUBi66xm2f"));
    script.press("enter");
    assert!(!script.screen(100, 30).contains("pay_29QQoUBi66xm2f"));
    script.press("enter");
    assert_eq!(script.screen(100, 30), open);
    assert!(script.press("3 enter").screen(100, 30).contains("nothing to fold here"));
}

#[test]
fn bodies_of_every_kind_have_a_face() {
    let bodies: [(&str, &'static [u8]); 5] = [
        ("empty", b""),
        ("binary", b"\x00\x01\x02\xff\xfe\x1b[2J PNG \x89"),
        ("broken", b"{\"amount\": 500, \"currency\": INR}"),
        ("text", "line one\nline two \u{202e} \u{9b}31m 支付\n".as_bytes()),
        ("form", b"amount=500&currency=INR&note=a%20b"),
    ];
    for (name, bytes) in bodies {
        let row = payment(1).with(|it| {
            it.request_body = fixture::body(bytes);
            let content_type = if name == "form" { "application/x-www-form-urlencoded" } else { "application/json" };
            it.request.headers = fixture::headers(&[("content-type", content_type)]);
        });
        let mut script = Script::new(vec![row]);
        script.screen(80, 24);
        script.press("enter 4");
        let screen = script.screen(80, 24);
        assert!(screen.chars().all(|c| c == '\n' || !c.is_control()), "{screen}");
        assert_snapshot!(format!("body_{name}"), screen);
    }
}

#[test]
fn a_body_that_overflows_is_scrolled() {
    let mut long = String::from("[");
    long.extend((0..5_000).map(|number| format!("{number},")));
    long.push_str("\"the end\"]");
    let row = payment(1).with(|it| {
        it.request_body.length = long.len() as u64;
        it.request_body.bytes = Bytes::from(long.clone());
    });
    let mut script = Script::new(vec![row]);
    script.screen(80, 24);
    script.press("enter 4 G");
    assert!(script.screen(80, 24).contains("the end"));
    script.press("g");
    assert!(!script.screen(80, 24).contains("the end"));
    for _ in 0..10 {
        script.press("pgdn");
    }
    let there = script.screen(80, 24);
    script.press("pgdn pgup pgdn pgup");
    let again = script.screen(80, 24);
    let rows = |screen: &str| screen.lines().skip(9).map(|row| row.replace('▸', " ")).collect::<Vec<_>>();
    assert_eq!(rows(&again), rows(&there));
    script.press("g");
    let there = again;
    script.press("pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgup");
    assert_eq!(script.screen(80, 24), there);
}

#[test]
fn what_is_not_there_any_more_says_so() {
    let mut script = Script::new(fixture::shop());
    script.screen(80, 24);
    script.forget(11);
    assert!(script.press("enter").screen(80, 24).contains("it is no longer in the store"));
    script.press("esc");
    script.slow = true;
    assert!(script.press("enter").screen(80, 24).contains("reading …"));
    let mut failed = Script::new(vec![payment(1)]);
    failed.slow = true;
    failed.press("enter");
    let entry = failed.asked();
    failed.tell(Message::Loaded {
        entry,
        then: hookwire_inspector::tui::Purpose::Look,
        exchange: Err("the store failed: disk I/O error".into()),
    });
    assert!(failed.screen(80, 24).contains("the store failed: disk I/O error"));
}

#[test]
fn a_replay_is_compared_with_its_original_and_two_marked_with_each_other() {
    let mut script = Script::new(fixture::shop());
    script.screen(100, 30);
    script.press("j j d");
    assert_snapshot!("compare_100x30", script.screen(100, 30));
    assert_snapshot!("compare_40x12", script.screen(40, 12));
    script.press("esc m m d");
    assert!(script.screen(100, 30).contains("── what changed"));
    script.press("esc M g d");
    assert!(script.screen(100, 30).contains("nothing to compare with"));
}

#[test]
fn the_log_is_a_page() {
    let mut script = Script::new(fixture::shop());
    script.press(": \"log\" enter");
    assert!(matches!(script.wanted()[..], [Effect::Log]));
    script.tell(Message::Log(vec![b"WARN reconnecting \x1b[31mred".to_vec()]));
    let screen = script.screen(80, 24);
    assert!(screen.contains("── log") && screen.contains("WARN reconnecting \\x1b[31mred"), "{screen}");
    script.press("q");
    script.tell(Message::Log(Vec::new()));
    assert!(script.screen(80, 24).contains("nothing was logged yet"));
}
