//! The keys, and the pages made from them.

use std::{fs, path::Path};

use hookwire_inspector::tui::{Action, Context, KEYMAP};

use crate::{fixture, script::Script};

#[test]
fn the_document_is_what_the_keymap_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/keys.md");
    let document = fs::read_to_string(path).unwrap();
    assert_eq!(document, KEYMAP.markdown(), "run `cargo run -p hookwire-inspector --example keys > docs/keys.md`");
}

#[test]
fn every_action_has_a_key() {
    for &action in Action::ALL {
        let bound = Context::ALL.iter().any(|&(context, _)| !KEYMAP.key_of(context, action).is_empty());
        assert!(bound, "{action}");
    }
}

/// Every key of the list and the detail does something: it changes the screen, says something or wants something done.
#[test]
fn every_key_does_something_or_says_why_not() {
    for (context, before) in [(Context::List, "j"), (Context::Detail, "j enter 4")] {
        for binding in KEYMAP.bindings(context).filter(|binding| binding.run != Action::Redraw) {
            for key in &binding.on {
                let mut script = Script::new(fixture::shop());
                script.screen(100, 30);
                script.press(before);
                let screen = script.draw(100, 30);
                script.wanted();
                script.tell(hookwire_inspector::tui::Message::Key(key.event()));
                let changed = script.draw(100, 30) != screen;
                // On its first row there is nothing above, and the tab that is open is open.
                let idle = ["up", "top", "body", "unfold-all", "page-up", "half-page-up"].contains(&binding.run.name());
                assert!(changed || !script.wanted().is_empty() || idle, "{context:?} {key} {}", binding.run);
            }
        }
    }
}

#[test]
fn a_key_that_does_nothing_here_says_why() {
    let mut script = Script::new(fixture::shop());
    assert!(script.press("w").screen(100, 30).contains("`w` does nothing: `?` shows the keys"));
    let screen = script.press("? r").screen(100, 30);
    assert!(screen.contains("`r` does nothing on a page of text: in the list it is `replay`"), "{screen}");
    assert!(script.press("esc ]").screen(100, 30).contains("nothing was searched for yet"));
    assert!(script.press("c").screen(100, 30).contains("nothing is going on that could be cancelled"));
    assert!(script.press("R").screen(100, 30).contains("no exchange is marked: `m` marks one"));
    assert!(script.press("d").screen(100, 30).contains("nothing to compare with"));
    assert!(Script::new(Vec::new()).press("enter").screen(100, 30).contains("no exchange is selected"));
}

#[test]
fn help_is_the_keymap() {
    let mut script = Script::new(fixture::shop());
    insta::assert_snapshot!("help_80x24", script.press("?").screen(80, 24));
    insta::assert_snapshot!("help_40x12", script.screen(40, 12));
    let mut seen = String::new();
    for _ in 0..30 {
        seen.push_str(&script.screen(80, 24));
        script.press("pgdn");
    }
    for (context, heading) in Context::ALL {
        assert!(seen.contains(heading));
        for binding in KEYMAP.bindings(context) {
            assert!(seen.contains(&binding.desc), "{}", binding.desc);
        }
    }
    assert!(!script.press("q").screen(80, 24).contains("keys ──"));
}

#[test]
fn escape_steps_back_one_thing_at_a_time() {
    let mut script = Script::new(fixture::shop());
    script.press("m j f \"POST\" enter j enter 4 / \"pay\" enter ?");
    assert!(script.screen(100, 40).contains("── keys"));
    assert!(script.press("esc").screen(100, 40).contains(" body "));
    // The marks of the search go first, then the detail.
    assert!(script.press("esc").screen(100, 40).contains(" body "));
    assert!(!script.press("esc").screen(100, 40).contains(" body "));
    assert!(script.screen(100, 40).contains("filter: POST"));
    assert!(!script.press("esc").screen(100, 40).contains("filter:"));
    assert!(script.screen(100, 40).contains('•'));
    assert!(!script.press("esc").screen(100, 40).contains('•'));
    assert!(script.press("esc").screen(100, 40).contains("nothing to step back from: `q` quits"));
    assert!(script.wanted().is_empty());
}
