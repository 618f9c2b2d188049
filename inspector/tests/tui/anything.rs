//! Any keys, at any size, over any bytes: it never panics, and never lets a control character through.

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use hookwire_inspector::tui::{ActionError, Context, Effect, KEYMAP, Message};
use proptest::prelude::*;

use crate::{
    fixture::{self, payment},
    script::Script,
};

#[derive(Clone, Debug)]
enum Step {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Size(u16, u16),
    Paste(String),
    Arrive(u64),
    Forget(u64),
    /// The editor is closed with this text, and all work ends.
    Finish(String),
}

fn key() -> impl Strategy<Value = KeyEvent> {
    let known: Vec<KeyEvent> = Context::ALL
        .iter()
        .flat_map(|&(context, _)| KEYMAP.bindings(context))
        .flat_map(|binding| binding.on.iter().map(|key| key.event()))
        .collect();
    prop_oneof![
        8 => prop::sample::select(known),
        2 => any::<char>().prop_map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)),
        1 => prop::sample::select(vec![KeyCode::Backspace, KeyCode::Delete, KeyCode::Null, KeyCode::F(9)])
            .prop_map(KeyEvent::from),
    ]
}

fn mouse() -> impl Strategy<Value = MouseEvent> {
    let kinds = vec![MouseEventKind::ScrollDown, MouseEventKind::ScrollUp, MouseEventKind::Down(MouseButton::Left)];
    (prop::sample::select(kinds), 0..200_u16, 0..60_u16).prop_map(|(kind, column, row)| MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => key().prop_map(Step::Key),
        2 => mouse().prop_map(Step::Mouse),
        2 => (0..200_u16, 0..60_u16).prop_map(|(width, height)| Step::Size(width, height)),
        1 => (0..200_u16, 0..6_u16).prop_map(|(width, height)| Step::Size(width, height)),
        1 => any::<String>().prop_map(Step::Paste),
        2 => (1..300_u64).prop_map(Step::Arrive),
        1 => (1..400_u64).prop_map(Step::Forget),
        1 => any::<String>().prop_map(Step::Finish),
    ]
}

/// A tenth of the usual number, for each case draws up to sixty screens; `PROPTEST_CASES` asks for more of them, too.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: (usual.cases / 10).max(1), ..usual }
}

/// Where keys mean something, and how one gets there.
const PLACES: [&str; 16] = [
    "",
    "enter 1",
    "enter 3",
    "enter 4",
    "enter 4 z -",
    "enter 6 /",
    "?",
    "? /",
    "f",
    "f \"status:wrong\"",
    "/ \"a\" enter",
    ":",
    "n",
    "y",
    "x",
    "d",
];

/// Twenty screens side by side: a share of so many columns is more than 16 bits hold.
#[test]
fn a_very_wide_screen_is_split_as_any_other() {
    let mut script = Script::new(fixture::shop());
    script.draw(1300, 8);
    assert!(script.press("enter").screen(1300, 8).contains("overview  signature"));
}

/// No row left, or no column: what the screen is for a moment while a window is dragged, and what some terminals say
/// that they are before they know.
#[test]
fn every_key_works_at_every_small_size() {
    let keys: HashSet<KeyEvent> = Context::ALL
        .iter()
        .flat_map(|&(context, _)| KEYMAP.bindings(context))
        .map(|binding| binding.on[0].event())
        .collect();
    let sizes = [(0, 0), (1, 1), (1, 24), (80, 0), (80, 2), (80, 3), (3, 7), (170, 2)];
    for (width, height) in sizes {
        let mut script = Script::new(fixture::shop());
        script.arrive([fixture::hostile(fixture::HOSTILE), payment(1)]);
        script.draw(width, height);
        for place in PLACES {
            for &key in &keys {
                script.press("esc esc esc esc g").press(place);
                // Twice, for what is there only after the first.
                script.tell(Message::Key(key)).tell(Message::Key(key));
                script.draw(width, height);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn nothing_breaks_it(
        bytes in prop_oneof![any::<Vec<u8>>(), Just(fixture::HOSTILE.to_vec())],
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut script = Script::new(fixture::shop());
        script.arrive([fixture::hostile(&bytes)]);
        let (mut width, mut height) = (80, 24);
        for step in steps {
            match step {
                Step::Key(key) => { script.tell(Message::Key(key)); }
                Step::Mouse(event) => { script.tell(Message::Mouse(event)); }
                Step::Size(columns, rows) => (width, height) = (columns, rows),
                Step::Paste(text) => { script.tell(Message::Paste(text)); }
                Step::Arrive(count) => { script.arrive((0..count).map(payment)); }
                Step::Forget(row) => { script.forget(row); script.tell(Message::Changed); }
                Step::Finish(text) => finish(&mut script, &text),
            }
            let buffer = script.draw(width, height);
            for cell in &buffer.content {
                prop_assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
                let turned = cell.symbol().contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}']);
                prop_assert!(!turned, "{:?}", cell.symbol());
            }
        }
    }
}

fn finish(script: &mut Script, text: &str) {
    for effect in script.wanted() {
        match effect {
            Effect::Editor(_) => {
                script.tell(Message::Edited(Ok(text.to_owned())));
            }
            Effect::Work { job, .. } => {
                let outcome = Err(ActionError::new(text, text));
                script.tell(Message::Ended { job, outcome });
            }
            _ => {}
        }
    }
}
