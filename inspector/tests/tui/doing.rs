//! Replaying, editing, copying, exporting, deleting.

use std::path::Path;

use hookwire_inspector::{
    export::Kind,
    tui::{ActionError, Done, Effect, Message, Replay, Selection, Work},
};
use insta::assert_snapshot;

use crate::{
    fixture::{self, id, payment},
    script::Script,
};

fn shop() -> Script {
    let mut script = Script::new(fixture::shop());
    script.screen(100, 30);
    script
}

fn replays(script: &mut Script) -> Vec<Replay> {
    let replay = |effect| match effect {
        Effect::Work { work: Work::Replay(replay), .. } => Some(replay),
        _ => None,
    };
    script.wanted().into_iter().filter_map(replay).collect()
}

#[test]
fn a_replay_is_of_the_selected_exchange_and_ends_with_what_came_of_it() {
    let mut script = shop();
    script.press("j j r");
    assert!(script.screen(100, 30).contains("replay …"));
    assert_eq!(replays(&mut script), [Replay { ids: vec![id(8)], edited: None, resign: false }]);
    let done = Done { text: "200 in 12 ms".into(), made: vec![id(11)] };
    script.tell(Message::Ended { job: 0, outcome: Ok(done) });
    assert!(script.screen(100, 30).contains("replay: 200 in 12 ms"));

    script.press("s");
    assert_eq!(replays(&mut script), [Replay { ids: vec![id(8)], edited: None, resign: true }]);
    let error = ActionError::new("no secret for github is known", "name one with `--secret`");
    script.tell(Message::Ended { job: 1, outcome: Err(error) });
    assert!(script.screen(100, 30).contains("signed replay: no secret for github is known; name one with `--secret`"));
}

#[test]
fn marked_exchanges_are_replayed_in_the_order_they_came() {
    let mut script = shop();
    script.press("m j j m R");
    // Marking goes one down, so the third row below the first is the other one.
    assert_eq!(replays(&mut script), [Replay { ids: vec![id(7), id(10)], edited: None, resign: false }]);
    script.tell(Message::Progress { job: 0, done: 1, total: 2 });
    let screen = script.screen(100, 30);
    assert!(screen.contains("replay of 2: 1 of 2 …") && screen.contains("• 2"), "{screen}");
    script.press("c");
    assert!(script.screen(100, 30).contains("ending replay of 2"));
    assert!(matches!(script.wanted()[..], [Effect::Cancel(0)]));
}

#[test]
fn there_is_an_end_to_what_goes_on_at_once() {
    let mut script = shop();
    script.press("r r r r r r r r");
    assert_eq!(replays(&mut script).len(), 8);
    assert!(script.press("r").screen(100, 30).contains("8 things are going on already: wait, or cancel with `c`"));
    assert_eq!(replays(&mut script).len(), 0);
}

#[test]
fn an_edited_request_is_asked_about_and_sent_as_it_was_written() {
    let mut script = shop();
    script.press("j j e");
    let [Effect::Editor(text)] = &script.wanted()[..] else { panic!("no editor was wanted") };
    assert!(text.starts_with("POST /verification\ncontent-type: application/json\n"), "{text}");
    assert!(text.contains("\n\n{\"entity\":\"event\""), "{text}");

    script.tell(Message::Edited(Ok(text.clone())));
    assert!(script.screen(100, 30).contains("nothing was changed, so nothing is sent"));

    script.press("e");
    script.wanted();
    let edited = text.replace("50000", "70000").replace("POST /verification", "PUT /verification?again=1");
    script.tell(Message::Edited(Ok(format!("{edited}\n"))));
    assert_snapshot!("edited_80x24", script.screen(80, 24));
    script.press("enter");
    let replay = replays(&mut script).remove(0);
    let request = replay.edited.unwrap();
    assert_eq!((replay.ids, replay.resign), (vec![id(8)], false));
    assert_eq!((request.method.as_str(), &request.target[..]), ("PUT", &b"/verification?again=1"[..]));
    assert_eq!(request.headers.len(), 4);
    // The newline that an editor puts at the end of a file is none of the body's.
    assert!(request.body.ends_with(b"}") && request.body.windows(5).any(|it| it == b"70000"));
}

#[test]
fn a_mistake_in_an_edit_is_shown_and_the_text_is_kept() {
    let mut script = shop();
    script.press("j j e");
    script.wanted();
    script.tell(Message::Edited(Ok("POST /verification\nno header\n\n{}".into())));
    assert_snapshot!("mistake_80x24", script.screen(80, 24));
    assert_snapshot!("mistake_40x12", script.screen(40, 12));
    script.press("e");
    assert!(matches!(&script.wanted()[..], [Effect::Editor(text)] if text.contains("no header")));
    script.tell(Message::Edited(Err("the editor ended with exit status: 1: nothing is sent".into())));
    assert!(script.press("w").screen(100, 30).contains("e    "), "it can still be mended");
    script.press("esc");
    assert!(script.screen(100, 30).contains("nothing was sent; the edit is gone"));
    assert!(replays(&mut script).is_empty());
}

#[test]
fn a_body_that_was_cut_is_not_edited() {
    let mut script = Script::new(vec![payment(1).with(|it| it.request_body.length += 1)]);
    assert!(script.press("e").screen(100, 30).contains("its body was cut when it was captured"));
    assert!(script.wanted().is_empty());
}

#[test]
fn what_is_copied_goes_to_the_clipboard() {
    let mut script = shop();
    script.press("j j y");
    assert_snapshot!("copy_80x24", script.screen(80, 24));
    let copied = |script: &mut Script| match script.wanted().pop() {
        Some(Effect::Clipboard(bytes)) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    };
    script.press("b");
    assert!(copied(&mut script).starts_with("{\"entity\":\"event\""));
    assert!(script.screen(100, 30).contains("copied the request body"));
    script.press("y c");
    assert!(copied(&mut script).contains("http://localhost:3000/verification"));
    script.press("y r");
    assert!(copied(&mut script).starts_with("POST /verification HTTP/1.1\r\n"));
    script.press("y a");
    assert_eq!(copied(&mut script), "{\"ok\":true}");
    script.press("y i");
    assert_eq!(copied(&mut script), id(8).to_string());
    script.press("u");
    assert_eq!(copied(&mut script), "https://relay.example.com/shop/verification");
}

#[test]
fn an_export_asks_for_a_file_and_goes_to_work() {
    let mut script = shop();
    script.press("j m x");
    assert_snapshot!("export_80x24", script.screen(80, 24));
    script.press("tab h");
    assert!(script.screen(80, 24).contains("write to: hookwire.har"));
    script.press("ctrl-u \"out/all.har\" enter");
    let [Effect::Work { work: Work::Export { kind: Kind::Har, what: Selection::Shown(filter), path }, .. }] =
        &script.wanted()[..]
    else {
        panic!("no export was wanted")
    };
    assert!(filter.is_all());
    assert_eq!(path, Path::new("out/all.har"));

    script.press("M j x f enter");
    let [Effect::Work { work: Work::Export { kind: Kind::Fixture, what: Selection::These(entries), path }, .. }] =
        &script.wanted()[..]
    else {
        panic!("no export was wanted")
    };
    assert_eq!((entries.len(), path.to_str().unwrap()), (1, "hookwire-5384540f.fixture.json".to_owned().as_str()));
}

#[test]
fn deleting_asks_first() {
    let mut script = shop();
    script.press("j j D");
    assert_snapshot!("delete_80x24", script.screen(80, 24));
    script.press("n");
    assert!(script.wanted().is_empty());
    script.press("D y");
    assert!(matches!(&script.wanted()[..], [Effect::Work { work: Work::Delete(ids), .. }] if ids[..] == [id(8)]));
    script.press("m m D");
    assert!(script.screen(100, 30).contains("Delete 2 exchanges?"));
}

#[test]
fn a_note_is_written_and_an_empty_one_removed() {
    let mut script = shop();
    script.press("j j j j j j n");
    assert!(script.screen(80, 24).contains("note: wrong secret in staging"));
    script.press("\"!\" enter");
    let note = |script: &mut Script| match script.wanted().pop() {
        Some(Effect::Work { work: Work::Note(id, text), .. }) => (id, text),
        other => panic!("{other:?}"),
    };
    assert_eq!(note(&mut script), (id(4), Some("wrong secret in staging!".into())));
    script.press("n ctrl-u enter");
    assert_eq!(note(&mut script), (id(4), None));
}

#[test]
fn a_test_event_is_sent() {
    let mut script = Script::new(Vec::new());
    script.press("t");
    assert!(matches!(script.wanted()[..], [Effect::Work { work: Work::SendTest, .. }]));
}
