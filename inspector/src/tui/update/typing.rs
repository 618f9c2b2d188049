//! Lines that are typed: filter, search, command, note, file name.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hookwire_capture::Filter;
use tui_input::InputRequest;

use super::{
    act::{self, hint, subject, work},
    find, page,
};
use crate::{
    export,
    sanitize::is_visible,
    tui::{
        action::Action,
        keymap::{Context, KEYMAP},
        message::{Effect, Selection, Work},
        model::{
            Layer, Model, Scope,
            prompt::{Prompt, Purpose},
        },
    },
};

/// Longer lines are cut: no name, note or filter that a person types comes near.
const LONGEST: usize = 2_000;

pub(super) fn filter(model: &mut Model) -> Vec<Effect> {
    let text = model.list.filter_text.clone();
    open(model, Prompt::new(Purpose::Filter, &text))
}

pub(super) fn search(model: &mut Model) -> Vec<Effect> {
    open(model, Prompt::new(Purpose::Search, ""))
}

pub(super) fn command(model: &mut Model) -> Vec<Effect> {
    open(model, Prompt::new(Purpose::Command, ""))
}

pub(super) fn note(model: &mut Model) -> Vec<Effect> {
    let Some(entry) = subject(model) else { return Vec::new() };
    let opened = model.detail.as_ref().map(|detail| &detail.summary);
    let rows = model.list.selected().into_iter().chain(opened);
    let written = rows.filter(|row| row.row == entry.row).find_map(|row| row.note.clone());
    open(model, Prompt::new(Purpose::Note(entry.id), &written.unwrap_or_default()))
}

pub(super) fn export(model: &mut Model, kind: export::Kind) -> Vec<Effect> {
    let Some(Layer::Export(scope)) = model.layers.pop() else {
        return hint(model, "choose what to export first");
    };
    let what = match scope {
        Scope::This => Selection::These(model.subject().into_iter().collect()),
        Scope::Marked => Selection::These(model.marked()),
        Scope::Shown => Selection::Shown(model.list.filter.clone()),
    };
    let name = match &what {
        Selection::These(ids) if ids.len() == 1 => format!("hookwire-{}", short(ids[0].id)),
        _ => "hookwire".to_owned(),
    };
    let file = format!("{name}.{}", kind.extension());
    open(model, Prompt::new(Purpose::Export(kind, what), &file))
}

/// An id as people read it: ids of one moment differ at their end only.
pub(in crate::tui) fn short(id: uuid::Uuid) -> String {
    let whole = id.simple().to_string();
    whole[whole.len() - 8..].to_owned()
}

fn open(model: &mut Model, prompt: Prompt) -> Vec<Effect> {
    model.layers.retain(|layer| !matches!(layer, Layer::Prompt(_)));
    model.layers.push(Layer::Prompt(Box::new(prompt)));
    Vec::new()
}

/// The line that is typed, if one is.
fn prompt(model: &mut Model) -> Option<&mut Prompt> {
    match model.layers.last_mut() {
        Some(Layer::Prompt(prompt)) => Some(prompt),
        _ => None,
    }
}

/// A key that is no action: it is typed, or moves in the line.
pub(super) fn typed(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(request) = request(key) else { return hint(model, KEYMAP.why_not(Context::Prompt, key)) };
    let Some(prompt) = prompt(model) else { return Vec::new() };
    let full = prompt.input.value().len() >= LONGEST;
    if matches!(request, InputRequest::InsertChar(c) if full || !is_visible(c)) {
        return Vec::new();
    }
    if prompt.input.handle(request).is_some_and(|change| change.value) {
        return changed(model);
    }
    Vec::new()
}

/// What a key does in a line, as in a shell.
fn request(key: KeyEvent) -> Option<InputRequest> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    Some(match key.code {
        KeyCode::Char('a') if control => InputRequest::GoToStart,
        KeyCode::Char('e') if control => InputRequest::GoToEnd,
        KeyCode::Char('u') if control => InputRequest::DeleteFromStart,
        KeyCode::Char('k') if control => InputRequest::DeleteTillEnd,
        KeyCode::Char('w') if control => InputRequest::DeletePrevWord,
        KeyCode::Char('y') if control => InputRequest::Yank,
        KeyCode::Char(c) if !control && !alt => InputRequest::InsertChar(c),
        KeyCode::Backspace if control || alt => InputRequest::DeletePrevWord,
        KeyCode::Backspace => InputRequest::DeletePrevChar,
        KeyCode::Delete => InputRequest::DeleteNextChar,
        KeyCode::Left if control || alt => InputRequest::GoToPrevWord,
        KeyCode::Right if control || alt => InputRequest::GoToNextWord,
        KeyCode::Left => InputRequest::GoToPrevChar,
        KeyCode::Right => InputRequest::GoToNextChar,
        KeyCode::Home => InputRequest::GoToStart,
        KeyCode::End => InputRequest::GoToEnd,
        _ => return None,
    })
}

/// Pasted text goes into the line, as one line.
pub(super) fn pasted(model: &mut Model, text: &str) -> Vec<Effect> {
    let Some(prompt) = prompt(model) else {
        return hint(model, "pasted text has no place here: open a line with `f`, `/`, `n` or `:` first");
    };
    let room = LONGEST.saturating_sub(prompt.input.value().len());
    for c in text.chars().map(|c| if c == '\n' { ' ' } else { c }).filter(|&c| is_visible(c)).take(room) {
        prompt.input.handle(InputRequest::InsertChar(c));
    }
    changed(model)
}

/// After the line changed: a filter is tried at once, a search marks what it finds.
fn changed(model: &mut Model) -> Vec<Effect> {
    let Some(prompt) = prompt(model) else { return Vec::new() };
    prompt.completion = None;
    prompt.recalled = None;
    prompt.error = None;
    let text = prompt.input.value().to_owned();
    match prompt.purpose.clone() {
        Purpose::Filter => try_filter(model, &text),
        Purpose::Search if !searches_list(model) => {
            find::mark(model, &text);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn searches_list(model: &Model) -> bool {
    use crate::tui::model::Pane;
    let over_page = model.layers.iter().any(|layer| matches!(layer, Layer::Page(_)));
    !over_page && (model.pane == Pane::List || model.detail.is_none())
}

fn try_filter(model: &mut Model, text: &str) -> Vec<Effect> {
    match Filter::parse(text) {
        Ok(_) => apply(model, text),
        Err(error) => {
            if let Some(prompt) = prompt(model) {
                prompt.error = Some(error);
            }
            Vec::new()
        }
    }
}

/// Shows what a filter lets through; one that can't be read changes nothing.
pub(super) fn apply(model: &mut Model, text: &str) -> Vec<Effect> {
    if text == model.list.filter_text {
        return Vec::new();
    }
    let Ok(filter) = (if text.trim().is_empty() { Ok(Filter::all()) } else { Filter::parse(text) }) else {
        return Vec::new();
    };
    let ask = model.list.show(filter.clone(), text.to_owned());
    let mut effects = page(model, Some(ask));
    effects.push(Effect::Count { generation: model.list.generation, filter });
    effects
}

/// Closes the line and undoes what it did.
pub(super) fn cancel(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = model.layers.pop() else { return Vec::new() };
    match prompt.purpose {
        Purpose::Filter => apply(model, &prompt.before),
        Purpose::Search => {
            find::clear(model);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Uses the line.
pub(super) fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(prompt) = prompt(model) else { return Vec::new() };
    if prompt.error.is_some() {
        return hint(model, "the filter can't be used yet: mend it, or step back with `esc`");
    }
    let Some(Layer::Prompt(prompt)) = model.layers.pop() else { return Vec::new() };
    let text = prompt.input.value().trim().to_owned();
    match prompt.purpose {
        Purpose::Filter => {
            model.filters.remember(&text);
            apply(model, &text)
        }
        Purpose::Search if text.is_empty() => find::again(model, true),
        Purpose::Search => find::search(model, &text),
        Purpose::Command => run_command(model, &text),
        Purpose::Note(id) => work(model, "note", Work::Note(id, (!text.is_empty()).then_some(text))),
        Purpose::Export(..) if text.is_empty() => hint(model, "no file was named: nothing is exported"),
        Purpose::Export(kind, what) => work(model, "export", Work::Export { kind, what, path: PathBuf::from(text) }),
    }
}

/// Runs what is named: an action, and for some a word that it is about.
fn run_command(model: &mut Model, line: &str) -> Vec<Effect> {
    model.commands.remember(line);
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    match Action::named(name) {
        None if name.is_empty() => Vec::new(),
        None => hint(model, format!("`{name}` is no action: `tab` completes names, `?` lists them")),
        Some(Action::Filter) if !rest.is_empty() => match Filter::parse(rest) {
            Ok(_) => apply(model, rest),
            Err(error) => hint(model, error.to_string()),
        },
        Some(Action::Search) if !rest.is_empty() => find::search(model, rest),
        Some(action) => act::run(model, action),
    }
}

/// Completes the word before the cursor.
pub(super) fn complete(model: &mut Model) -> Vec<Effect> {
    let Some(prompt) = prompt(model) else { return Vec::new() };
    let found = match prompt.purpose {
        Purpose::Filter => prompt.complete(Filter::words().iter().map(|word| (word.text.as_str(), word.meaning))),
        Purpose::Command => prompt.complete(Action::ALL.iter().map(|&action| (action.name(), KEYMAP.meaning(action)))),
        _ => return hint(model, "there is nothing to complete here"),
    };
    if !found {
        return hint(model, "nothing begins like this");
    }
    // The choice goes on with the next key, so it must outlive the change.
    let completion = prompt.completion.take();
    let effects = changed(model);
    if let Some(Layer::Prompt(prompt)) = model.layers.last_mut() {
        prompt.completion = completion;
    }
    effects
}

/// An older or newer line of the same kind.
pub(super) fn recall(model: &mut Model, older: bool) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = model.layers.last_mut() else { return Vec::new() };
    let history = match prompt.purpose {
        Purpose::Filter => &model.filters,
        Purpose::Search => &model.searches,
        Purpose::Command => &model.commands,
        Purpose::Note(_) | Purpose::Export(..) => return hint(model, "there are no older lines of this kind"),
    };
    prompt.recall(history, older);
    let recalled = prompt.recalled;
    let effects = changed(model);
    if let Some(Layer::Prompt(prompt)) = model.layers.last_mut() {
        prompt.recalled = recalled;
    }
    effects
}
