//! The list.

use std::time::Duration;

use bytes::Bytes;
use hookwire_inspector::tui::{Ask, Effect, Live, Message};
use insta::assert_snapshot;

use crate::{
    fixture::{self, payment},
    script::Script,
};

#[test]
fn one_of_every_kind() {
    let mut script = Script::new(fixture::shop());
    assert_snapshot!("list_120x40", script.screen(120, 40));
    assert_snapshot!("list_80x24", script.screen(80, 24));
    assert_snapshot!("list_40x12", script.screen(40, 12));
}

#[test]
fn columns_go_one_by_one_where_the_screen_is_narrow() {
    let mut script = Script::new(vec![fixture::shop().swap_remove(2)]);
    let rows: Vec<String> = [160, 120, 100, 90, 80, 70, 60, 50, 40]
        .map(|width| script.screen(width, 12).lines().nth(2).unwrap().to_owned())
        .into();
    assert_snapshot!("columns", rows.join("\n"));
    for (row, width) in rows.iter().zip([160, 120, 100, 90, 80, 70, 60, 50, 40]) {
        assert!(row.contains('✓') && row.contains("200") && row.contains("payment.captured"), "{width}: {row}");
    }
}

#[test]
fn an_empty_list_teaches() {
    let mut script = Script::new(Vec::new());
    assert_snapshot!("empty_80x24", script.screen(80, 24));
    assert_snapshot!("empty_40x12", script.screen(40, 12));
    let mut finished = Script::looking(Vec::new(), hookwire_inspector::Palette::Dark, Live::default());
    assert_snapshot!("empty_without_listener", finished.screen(80, 12));
}

#[test]
fn one_row_is_a_list_too() {
    let mut script = Script::new(vec![payment(1)]);
    assert_snapshot!("one_row", script.screen(80, 12));
    script.press("j k G g pgdn pgup ctrl-d ctrl-u");
    assert!(script.screen(80, 12).contains("▸ 02:14:14"));
}

#[test]
fn it_follows_the_newest_until_somebody_moves_and_then_keeps_its_place() {
    let mut script = Script::new((0..50).map(payment).collect());
    script.arrive([payment(50)]);
    assert!(script.screen(80, 24).lines().nth(2).unwrap().starts_with("▸ 02:19:57"));

    script.press("j j");
    let before = script.screen(80, 24);
    assert!(before.lines().nth(4).unwrap().starts_with("▸ 02:19:43"));
    script.arrive((51..500).map(payment));
    let after = script.screen(80, 24);
    let rows = |screen: &str| screen.lines().skip(1).take(20).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&after), rows(&before));
    assert!(after.contains("↑ newer: g"));

    script.press("g");
    assert!(script.screen(80, 24).lines().nth(2).unwrap().starts_with("▸ 03:12:20"));
    script.arrive([payment(500)]);
    assert!(script.screen(80, 24).lines().nth(2).unwrap().starts_with("▸ 03:12:27"));
}

#[test]
fn it_asks_for_pages_and_never_for_all() {
    let mut script = Script::new((0..5_000).map(payment).collect());
    script.screen(80, 24);
    for _ in 0..260 {
        script.press("pgdn");
    }
    let bottom = script.screen(80, 24);
    assert!(bottom.contains("▸ 02:14:07"), "{bottom}");
    for _ in 0..260 {
        script.press("pgup");
    }
    assert!(script.screen(80, 24).contains("▸ 11:57:20"));
    script.press("G");
    assert!(script.screen(80, 24).contains("▸ 02:14:07"));
    script.press("k k k");
    assert!(script.screen(80, 24).contains("▸ 02:14:28"));
    script.press("g");
    assert!(script.screen(80, 24).contains("▸ 11:57:20"));
}

#[test]
fn only_one_page_is_on_its_way_at_a_time() {
    let mut script = Script::new((0..2_000).map(payment).collect());
    script.screen(80, 24);
    script.slow = true;
    // The first change asks; what changes meanwhile waits for the answer, and asks once more.
    for number in 2_000..2_100 {
        script.arrive([payment(number)]);
    }
    assert_eq!(script.waiting(), 1);
    script.answer();
    assert_eq!(script.waiting(), 1);
    script.answer();
    assert_eq!(script.waiting(), 0);
    assert!(script.screen(80, 24).contains("2,100 kept"));
    assert!(script.screen(80, 24).lines().nth(2).unwrap().starts_with("▸ 06:19:00"));
}

#[test]
fn an_answer_to_an_older_filter_is_not_shown() {
    let mut script = Script::new((0..30).map(payment).collect());
    script.slow = true;
    script.press("f \"a\"");
    let stale = Message::Page { generation: 0, ask: Ask::Anew(hookwire_capture::From::Newest), rows: Ok(Vec::new()) };
    script.tell(stale);
    assert!(script.screen(80, 24).contains("02:17:30"), "the rows before stay until the new ones are there");
}

#[test]
fn a_store_that_fails_says_so_and_what_is_there_stays() {
    let mut script = Script::new((0..30).map(payment).collect());
    script.slow = true;
    script.tell(Message::Changed);
    let ask = Ask::Anew(hookwire_capture::From::Newest);
    script.tell(Message::Page { generation: 0, ask, rows: Err("the store failed: disk I/O error".into()) });
    let screen = script.screen(80, 24);
    assert!(screen.contains("the store failed: disk I/O error") && screen.contains("▸ 02:17:30"), "{screen}");
    script.slow = false;
    script.arrive([payment(30)]);
    assert!(script.screen(80, 24).contains("▸ 02:17:37"));
}

#[test]
fn a_row_that_goes_leaves_its_place_to_the_next() {
    let mut script = Script::new((0..30).map(payment).collect());
    script.press("j j j j");
    assert!(script.screen(80, 24).contains("▸ 02:17:02"));
    script.forget(26);
    script.pass(Duration::from_secs(2));
    script.tell(Message::Changed);
    assert!(script.screen(80, 24).contains("▸ 02:16:55"));
}

#[test]
fn the_bar_and_the_banners_say_how_things_are() {
    let mut script = Script::new(fixture::shop());
    assert!(script.screen(120, 12).contains("● 23 ms   app up   11 kept   ✗ 1 invalid"));
    let mut live = fixture::live();
    live.connection = Some(hookwire_capture::Connection::Reconnecting {
        reason: "the relay closed the connection\x1b[2J".into(),
        retry_in: Duration::from_millis(80),
    });
    live.health.trouble = Some("disk full".into());
    live.health.bodies_skipped = 12;
    live.skipped = 3;
    let night = fixture::night();
    live.gap = Some(hookwire_capture::Gap {
        from: night - Duration::from_mins(31),
        to: night - Duration::from_mins(2),
        held: 3,
        delivered: 3,
        lost: 0,
    });
    script.tell(Message::Live(Box::new(live.clone())));
    assert_snapshot!("banners_120x40", script.screen(120, 40));
    assert_snapshot!("banners_40x12", script.screen(40, 12));

    live.connection = Some(hookwire_capture::Connection::Connected { after: None });
    live.verified_at = Some(fixture::night());
    script.pass(Duration::from_secs(4)).tell(Message::Live(Box::new(live)));
    assert!(script.screen(140, 40).contains("verified end to end 4 s ago"));
}

#[test]
fn the_app_is_as_its_latest_answer() {
    let mut script = Script::new(vec![payment(1)]);
    assert!(script.screen(100, 12).contains("app up"));
    let refused = payment(2).with(|it| {
        it.error = Some(hookwire_protocol::code::Code::AppRefused);
        it.response = None;
    });
    script.arrive([refused]);
    assert!(script.screen(100, 12).contains("app refuses"));
    script.arrive([payment(3).with(|it| it.response = Some(fixture::response(500)))]);
    assert!(script.screen(100, 12).contains("app fails"));
}

#[test]
fn wide_combining_and_hostile_characters_stay_in_their_cells() {
    let row = payment(1).with(|it| {
        it.request.method = Bytes::from_static(fixture::HOSTILE);
        it.request.target = Bytes::from_static(fixture::HOSTILE);
        it.event.name = Some("支付成功.e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{202e}evil\u{1b}[31m".into());
    });
    let mut script = Script::new(vec![row, payment(2)]);
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let screen = script.screen(width, height);
        assert!(screen.chars().all(|c| c == '\n' || !c.is_control()), "{screen}");
        assert!(!screen.contains(['\u{202e}', '\u{200b}']), "{screen}");
        // What follows the event stands where it stands in the row above.
        let buffer = script.draw(width, height);
        let column = |y| (0..width).position(|x| buffer[(x, y)].symbol() == "✓");
        assert_eq!(column(3), column(2), "{screen}");
        assert!(column(3).is_some());
    }
}

#[test]
fn the_wheel_scrolls_and_a_click_selects_then_opens() {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let mouse = |kind, row| Message::Mouse(MouseEvent { kind, column: 5, row, modifiers: KeyModifiers::NONE });
    let mut script = Script::new((0..100).map(payment).collect());
    script.screen(80, 24);
    script.tell(mouse(MouseEventKind::ScrollDown, 5));
    assert!(script.screen(80, 24).lines().nth(2).unwrap().starts_with("▸ 02:25:19"));
    script.tell(mouse(MouseEventKind::Down(MouseButton::Left), 6));
    assert!(script.screen(80, 24).lines().nth(6).unwrap().starts_with('▸'));
    assert!(!script.screen(80, 24).contains("overview"));
    script.tell(mouse(MouseEventKind::Down(MouseButton::Left), 6));
    assert!(script.screen(80, 24).contains("overview"));
}

#[test]
fn quitting_is_an_effect() {
    let mut script = Script::new(fixture::shop());
    script.press("q");
    assert!(matches!(script.wanted()[..], [Effect::Quit]));
    script.press("f ctrl-c");
    assert!(matches!(script.wanted()[..], [Effect::Quit]));
}
