//! Which key runs which action where, read from `keymap.toml`.

use std::{fmt::Write as _, sync::LazyLock};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::action::Action;

/// The keys of the inspector.
pub static KEYMAP: LazyLock<Keymap> = LazyLock::new(|| {
    toml::from_str(include_str!("../../keymap.toml")).expect("a test reads the embedded keymap, so it can be read")
});

/// All bindings, in the order of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keymap {
    keys: Vec<Binding>,
}

/// One line of the keymap.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The keys, any of which will do.
    pub on: Vec<Key>,
    /// What they do.
    pub run: Action,
    /// What that is, in a few words.
    pub desc: String,
    /// Where they do it.
    #[serde(rename = "where")]
    pub contexts: Vec<Context>,
}

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// The list of exchanges.
    List,
    /// One exchange.
    Detail,
    /// A page of text: the help, a comparison, the log.
    Page,
    /// A line that is typed.
    Prompt,
    /// The menu of what to copy.
    Copy,
    /// The menu of what to export.
    Export,
    /// A question to be answered with yes or no.
    Question,
    /// A request was edited: what now?
    Edited,
    /// An edited request can't be read: what now?
    Mistake,
}

impl Context {
    /// All of them, with the heading that each has in the help.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::List, "List"),
        (Self::Detail, "Detail"),
        (Self::Page, "Help, comparison and log"),
        (Self::Prompt, "A line that is typed"),
        (Self::Copy, "Copy"),
        (Self::Export, "Export"),
        (Self::Question, "A question"),
        (Self::Edited, "After editing"),
        (Self::Mistake, "After a mistake in editing"),
    ];

    /// Where one is there, in the middle of a sentence.
    pub const fn place(self) -> &'static str {
        match self {
            Self::List => "in the list",
            Self::Detail => "in the detail",
            Self::Page => "on a page of text",
            Self::Prompt => "in a line that is typed",
            Self::Copy => "in the copy menu",
            Self::Export => "in the export menu",
            Self::Question => "in a question",
            Self::Edited | Self::Mistake => "after editing",
        }
    }
}

impl Keymap {
    /// What a key does in a context.
    pub fn action(&self, context: Context, key: KeyEvent) -> Option<Action> {
        let key = Key::of(key);
        self.bindings(context).find(|binding| binding.on.contains(&key)).map(|binding| binding.run)
    }

    /// The bindings of a context.
    pub fn bindings(&self, context: Context) -> impl Iterator<Item = &Binding> {
        self.keys.iter().filter(move |binding| binding.contexts.contains(&context))
    }

    /// The first key of an action in a context, for hints; empty if it has none.
    pub fn key_of(&self, context: Context, action: Action) -> String {
        let found = self.bindings(context).find(|binding| binding.run == action);
        found.and_then(|binding| binding.on.first()).map(Key::to_string).unwrap_or_default()
    }

    /// What an action does, in a few words.
    pub fn meaning(&self, action: Action) -> &str {
        self.keys.iter().find(|binding| binding.run == action).map_or("", |binding| &binding.desc)
    }

    /// Why a key does nothing in a context, and where it would do something.
    pub fn why_not(&self, context: Context, key: KeyEvent) -> String {
        let key = Key::of(key);
        let elsewhere = self.keys.iter().find(|binding| binding.on.contains(&key));
        match elsewhere.and_then(|binding| Some((binding, *binding.contexts.first()?))) {
            Some((binding, place)) => {
                format!("`{key}` does nothing {}: {} it is `{}`", context.place(), place.place(), binding.run)
            }
            None => format!("`{key}` does nothing: `{}` shows the keys", self.key_of(Context::List, Action::Help)),
        }
    }

    /// `docs/keys.md`.
    pub fn markdown(&self) -> String {
        let mut page = String::from(MARKDOWN_HEAD);
        for (context, heading) in Context::ALL {
            let written = write!(page, "\n## {heading}\n\n| key | action | what it does |\n|---|---|---|\n");
            debug_assert!(written.is_ok(), "writing to a string can't fail");
            for binding in self.bindings(context) {
                let keys: Vec<_> = binding.on.iter().map(|key| format!("`{key}`")).collect();
                let written = writeln!(page, "| {} | `{}` | {} |", keys.join(" "), binding.run, binding.desc);
                debug_assert!(written.is_ok(), "writing to a string can't fail");
            }
        }
        page
    }
}

const MARKDOWN_HEAD: &str = "# The inspector's keys

Made from `inspector/keymap.toml` by `cargo run -p hookwire-inspector --example keys > docs/keys.md`; a test compares them.
The command line on `:` knows the actions by their names.
";

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// The key of an event. Shift is part of a character already: `G`, not shift and `g`.
    pub fn of(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        if matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers -= KeyModifiers::SHIFT;
        }
        Self { code: event.code, modifiers }
    }

    /// The event that pressing it makes.
    pub const fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// Reads `j`, `G`, `ctrl-d`, `enter`; none if it is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((name, after)) =
            rest.split_once('-').filter(|(name, after)| !name.is_empty() && !after.is_empty())
        {
            modifiers |= match name {
                "ctrl" => KeyModifiers::CONTROL,
                "alt" => KeyModifiers::ALT,
                "shift" => KeyModifiers::SHIFT,
                _ => return None,
            };
            rest = after;
        }
        Some(Self { code: code(rest)?, modifiers })
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (modifier, name) in
            [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        match NAMED.iter().find(|(_, code)| *code == self.code) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "{}", self.code),
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no key")))
    }
}

/// Keys that no character stands for.
const NAMED: [(&str, KeyCode); 17] = [
    ("↓", KeyCode::Down),
    ("↑", KeyCode::Up),
    ("←", KeyCode::Left),
    ("→", KeyCode::Right),
    ("down", KeyCode::Down),
    ("up", KeyCode::Up),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgdn", KeyCode::PageDown),
    ("pgup", KeyCode::PageUp),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
];

fn code(name: &str) -> Option<KeyCode> {
    if let Some((_, code)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some(*code);
    }
    if let Some(number) = name.strip_prefix('f').and_then(|number| number.parse().ok()) {
        return Some(KeyCode::F(number));
    }
    let mut characters = name.chars();
    let first = characters.next()?;
    characters.next().is_none().then_some(KeyCode::Char(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_it_is_read() {
        for name in ["j", "G", "?", "-", "+", "ctrl-d", "alt-x", "enter", "space", "pgdn", "f1", "/"] {
            let key = Key::parse(name).unwrap();
            assert_eq!(
                Key::parse(&key.to_string().to_lowercase()).unwrap().code,
                Key::parse(&name.to_lowercase()).unwrap().code
            );
            assert_eq!(Key::of(key.event()), key);
        }
        for wrong in ["", "enterr", "hyper-x", "ctrl-"] {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_place_and_every_place_has_a_way_back() {
        for (context, heading) in Context::ALL {
            let mut keys: Vec<String> =
                KEYMAP.bindings(context).flat_map(|it| it.on.iter().map(Key::to_string)).collect();
            let all = keys.len();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), all, "{heading}");
            assert_eq!(KEYMAP.key_of(context, Action::Back), "esc", "{heading}");
        }
    }

    #[test]
    fn a_key_that_does_nothing_says_where_it_would() {
        let key = |name| Key::parse(name).unwrap().event();
        assert_eq!(KEYMAP.action(Context::List, key("r")), Some(Action::Replay));
        assert_eq!(KEYMAP.action(Context::Page, key("r")), None);
        assert_eq!(
            KEYMAP.why_not(Context::Page, key("r")),
            "`r` does nothing on a page of text: in the list it is `replay`"
        );
        assert_eq!(KEYMAP.why_not(Context::List, key("w")), "`w` does nothing: `?` shows the keys");
    }
}
