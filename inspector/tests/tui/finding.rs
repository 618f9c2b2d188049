//! Filtering and searching.

use hookwire_inspector::tui::Message;
use insta::assert_snapshot;

use crate::{fixture, script::Script};

#[test]
fn a_filter_works_while_it_is_typed() {
    let mut script = Script::new(fixture::shop());
    script.screen(100, 30);
    script.press("f \"status:502\"");
    script.count();
    assert_snapshot!("filter_80x24", script.screen(80, 24));
    script.press("enter");
    let screen = script.screen(100, 30);
    assert!(screen.contains("filter: status:502") && screen.contains("1 of 11"), "{screen}");
    assert!(!script.press("esc").screen(100, 30).contains("filter:"));
}

#[test]
fn a_wrong_filter_points_at_the_column_and_changes_nothing() {
    let mut script = Script::new(fixture::shop());
    script.screen(80, 24);
    script.press("f \"status:502 and verdict:invaild\"");
    assert_snapshot!("filter_error_80x24", script.screen(80, 24));
    assert_snapshot!("filter_error_40x12", script.screen(40, 12));
    assert!(script.press("enter").screen(80, 24).contains("filter: status:502 and verdict:invaild"));
    // Stepping back brings back what was there before.
    let screen = script.press("esc").screen(80, 24);
    assert!(!screen.contains("filter:") && screen.contains("pull_request"), "{screen}");
}

#[test]
fn words_are_completed_and_lines_recalled() {
    let mut script = Script::new(fixture::shop());
    script.screen(100, 30);
    script.press("f \"verd\" tab");
    assert!(script.screen(100, 30).contains("filter: verdict:"), "{}", script.screen(100, 30));
    script.press("ctrl-u \"status:502\" enter f ctrl-u \"method:GET\" enter f ctrl-u up");
    assert!(script.screen(100, 30).contains("filter: method:GET"));
    assert!(script.press("up").screen(100, 30).contains("filter: status:502"));
    assert!(script.press("down").screen(100, 30).contains("filter: method:GET"));
    script.press("esc : \"unm\" tab");
    assert!(script.screen(100, 30).contains(":unmark-all"));
    assert!(script.press("ctrl-u \"nonsense\" enter").screen(100, 30).contains("`nonsense` is no action"));
    assert!(script.press(": \"filter status:502\" enter").screen(100, 30).contains("filter: status:502"));
}

#[test]
fn a_search_goes_from_match_to_match_through_the_store() {
    let mut script = Script::new(
        (0..1_000)
            .map(|number| {
                let row = fixture::payment(number);
                if number % 400 == 7 { row.with(|it| it.event.name = Some("refund.created".into())) } else { row }
            })
            .collect(),
    );
    script.screen(80, 24);
    script.press("/ \"refund.created\" enter");
    assert!(script.screen(80, 24).contains("▸ 03:48:16"), "{}", script.screen(80, 24));
    script.press("]");
    assert!(script.screen(80, 24).contains("▸ 03:01:36"));
    script.press("]");
    assert!(script.screen(80, 24).contains("▸ 02:14:56"), "{}", script.screen(80, 24));
    assert!(script.press("]").screen(80, 24).contains("no match that way"));
    script.press("[");
    assert!(script.screen(80, 24).contains("▸ 03:01:36"));
}

#[test]
fn a_search_in_a_body_marks_what_it_finds() {
    let mut script = Script::new(fixture::shop());
    script.screen(100, 30);
    script.press("j j enter 4 / \"pay\"");
    let style = script.style(100, 30, "pay_29QQoUBi66xm2f");
    assert_eq!(style.bg, Some(ratatui::style::Color::Yellow));
    assert!(script.press("enter").screen(100, 30).contains("match 1 of "));
    assert!(script.press("]").screen(100, 30).contains("match 2 of "));
    assert!(script.press("[ [").screen(100, 30).contains("match "));
}

#[test]
fn what_is_pasted_into_a_line_is_text_only() {
    let mut script = Script::new(fixture::shop());
    script.press("f");
    script.tell(Message::Paste("path:/a\n\x1b[2J\u{202e}b".into()));
    assert!(script.screen(100, 30).contains("filter: path:/a [2Jb"));
    script.press("esc");
    script.tell(Message::Paste("q".into()));
    assert!(script.screen(100, 30).contains("pasted text has no place here"));
    assert!(script.wanted().is_empty());
}
