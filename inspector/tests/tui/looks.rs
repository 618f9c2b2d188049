//! Colours: they repeat what a word or a mark says, and there are none where nobody wants them.

use hookwire_inspector::{Palette, tui::Message};
use ratatui::style::{Color, Modifier};

use crate::{fixture, script::Script};

#[test]
fn verdicts_have_their_colours_beside_their_words() {
    let mut script = Script::new(fixture::shop());
    assert_eq!(script.style(120, 40, "✓ valid").fg, Some(Color::Green));
    assert_eq!(script.style(120, 40, "✗ invalid    live").fg, Some(Color::Red));
    assert_eq!(script.style(120, 40, "⧗ stale").fg, Some(Color::Yellow));
    assert_eq!(script.style(120, 40, "? no secret").fg, Some(Color::DarkGray));
    assert_eq!(script.style(120, 40, "– challenge").fg, Some(Color::DarkGray));
    assert_eq!(script.style(120, 40, "502").fg, Some(Color::Red));
    assert_eq!(script.style(120, 40, "401").fg, Some(Color::Red));
    // One stands on the unsigned one: what is grey elsewhere is lighter on grey.
    assert_eq!(script.style(120, 40, "– unsigned").fg, Some(Color::Gray));
    assert_eq!(script.style(120, 40, "– unsigned").bg, Some(Color::DarkGray));
}

#[test]
fn only_the_sixteen_colours_are_used() {
    for palette in [Palette::Dark, Palette::Light] {
        let mut script = Script::looking(fixture::shop(), palette, fixture::live());
        for keys in ["", "j enter 4", "?", "esc y", "esc f \"(\""] {
            let buffer = script.press(keys).draw(120, 40);
            for cell in &buffer.content {
                assert!(!matches!(cell.fg, Color::Rgb(..) | Color::Indexed(_)), "{keys}");
                assert!(!matches!(cell.bg, Color::Rgb(..) | Color::Indexed(_)), "{keys}");
            }
        }
    }
}

#[test]
fn without_colours_there_are_attributes_only_and_the_same_words() {
    let mut plain = Script::looking(fixture::shop(), Palette::Plain, fixture::live());
    let mut dark = Script::new(fixture::shop());
    for keys in ["", "j enter 2", "4", "?", "esc y", "esc D", "esc esc f"] {
        let buffer = plain.press(keys).draw(120, 40);
        assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{keys}");
        assert_eq!(plain.screen(120, 40), dark.press(keys).screen(120, 40), "{keys}");
    }
    plain.press("esc esc esc esc");
    assert!(plain.style(120, 40, "✗ invalid    live").add_modifier.contains(Modifier::BOLD | Modifier::UNDERLINED));
    assert!(plain.press("g").style(120, 40, "▸").add_modifier.contains(Modifier::REVERSED));
}

/// The parameters of a sequence are digits and semicolons, after a `?` perhaps.
fn is_ours(sequence: &str) -> bool {
    let Some(rest) = sequence.strip_prefix('[') else { return false };
    let Some(last) = rest.chars().last() else { return false };
    let parameters = &rest[..rest.len() - 1];
    let parameters = parameters.strip_prefix('?').unwrap_or(parameters);
    // Colours and attributes, cursor, its hiding and showing (ECMA-48, sections 8.3.117 and 8.3.21; DEC mode 25).
    "mHlh".contains(last) && parameters.chars().all(|c| c.is_ascii_digit() || c == ';')
}

#[test]
fn a_terminal_is_sent_no_escape_but_ours() {
    let hostile = fixture::hostile(fixture::HOSTILE);
    let mut script = Script::new(vec![hostile]);
    let mut live = fixture::live();
    live.unverified = Some(String::from_utf8_lossy(fixture::HOSTILE).into_owned());
    script.tell(Message::Live(Box::new(live)));
    for keys in
        ["", "enter", "2", "3", "4", "v", "v", "5", "6", "/ \"a\" enter", "esc m j m", "y", "esc n", "esc D", "n"]
    {
        let bytes = script.press(keys).stream(100, 30);
        let text = str::from_utf8(&bytes).unwrap();
        let mut rest = text;
        while let Some(start) = rest.find(char::is_control) {
            let sequence =
                rest[start..].strip_prefix('\x1b').unwrap_or_else(|| panic!("{:?} after {keys}", &rest[start..]));
            let end = 1 + sequence[1..].find(|c: char| c.is_ascii_alphabetic()).unwrap() + 1;
            assert!(is_ours(&sequence[..end]), "{:?} after {keys}", &sequence[..end]);
            rest = &sequence[end..];
        }
    }
    // The check itself sees what is not ours.
    for foreign in ["]52;c;aGk=\x07", "[6n", "[2J", "P+q", "c", "[31;1H\x1b"] {
        assert!(!is_ours(foreign), "{foreign}");
    }
}

#[test]
fn yellow_is_not_used_on_white() {
    let mut script = Script::looking(fixture::shop(), Palette::Light, fixture::live());
    let buffer = script.draw(120, 40);
    assert!(buffer.content.iter().all(|cell| cell.fg != Color::Yellow));
    assert_eq!(script.style(120, 40, "⧗ stale").fg, Some(Color::Magenta));
}
