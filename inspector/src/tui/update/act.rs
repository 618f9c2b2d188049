//! What an action means where it is run.

use super::{edit, find, moving, open, page, typing};
use crate::{
    detail::Section,
    export,
    tui::{
        action::Action,
        actions::Replay,
        keymap::{Context, KEYMAP},
        message::{Effect, Form, Purpose, Work},
        model::{Kind, Layer, Model, Pane, Running, Scope, list::Entry},
    },
};

/// Runs an action.
pub(super) fn run(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Down => moving::step(model, 1),
        Action::Up => moving::step(model, -1),
        Action::PageDown => moving::pages(model, 2),
        Action::PageUp => moving::pages(model, -2),
        Action::HalfPageDown => moving::pages(model, 1),
        Action::HalfPageUp => moving::pages(model, -1),
        Action::Top => moving::top(model),
        Action::Bottom => moving::bottom(model),
        Action::NextPane => moving::next_pane(model),
        Action::Zoom => moving::zoom(model),
        Action::Back => back(model),
        Action::Open => open::selected(model),
        Action::NextTab => open::beside(model, true),
        Action::PreviousTab => open::beside(model, false),
        Action::Overview => open::section(model, Section::Overview),
        Action::Signature => open::section(model, Section::Signature),
        Action::Headers => open::section(model, Section::Headers),
        Action::Body => open::section(model, Section::Body),
        Action::Response => open::section(model, Section::Response),
        Action::Raw => open::section(model, Section::Raw),
        Action::View => open::view(model),
        Action::Fold => open::fold(model),
        Action::FoldAll => open::fold_all(model, true),
        Action::UnfoldAll => open::fold_all(model, false),
        Action::Compare => open::compare(model),
        Action::Help => open::help(model),
        Action::Log => vec![Effect::Log],
        Action::Filter => typing::filter(model),
        Action::Search => typing::search(model),
        Action::NextMatch => find::again(model, true),
        Action::PreviousMatch => find::again(model, false),
        Action::Command => typing::command(model),
        Action::Note => typing::note(model),
        Action::Accept => typing::accept(model),
        Action::Complete => typing::complete(model),
        Action::Older => typing::recall(model, true),
        Action::Newer => typing::recall(model, false),
        Action::Replay => replay(model, false),
        Action::Sign => replay(model, true),
        Action::ReplayMarked => replay_marked(model),
        Action::Edit => edit::begin(model),
        Action::SendTest => work(model, "test event", Work::SendTest),
        Action::Mark => mark(model),
        Action::UnmarkAll => unmark_all(model),
        Action::Delete => delete(model),
        Action::Yes => confirmed(model),
        Action::Copy => menu(model, Layer::Copy),
        Action::Export => {
            let scope = if model.list.marked.is_empty() { Scope::This } else { Scope::Marked };
            menu(model, Layer::Export(scope))
        }
        Action::CopyCurl => copy(model, Form::Curl),
        Action::CopyRaw => copy(model, Form::Raw),
        Action::CopyBody => copy(model, Form::Body),
        Action::CopyResponse => copy(model, Form::ResponseBody),
        Action::CopyUrl => copy_url(model),
        Action::CopyId => copy_id(model),
        Action::Scope => scope(model),
        Action::ExportCurl => typing::export(model, export::Kind::Curl),
        Action::ExportHar => typing::export(model, export::Kind::Har),
        Action::ExportJson => typing::export(model, export::Kind::Json),
        Action::ExportFixture => typing::export(model, export::Kind::Fixture),
        Action::Cancel => cancel(model),
        Action::Redraw => vec![Effect::Redraw],
        Action::Quit => vec![Effect::Quit],
    }
}

/// One step back: what was opened last is closed, then what was set last is cleared.
fn back(model: &mut Model) -> Vec<Effect> {
    match model.layers.last() {
        Some(Layer::Prompt(_)) => return typing::cancel(model),
        Some(Layer::Edited(..) | Layer::Mistake(..)) => {
            model.layers.pop();
            model.say(Kind::Hint, "nothing was sent; the edit is gone");
            return Vec::new();
        }
        Some(_) => {
            model.layers.pop();
            return Vec::new();
        }
        None => {}
    }
    if model.pane == Pane::Detail && find::clear(model) {
        return Vec::new();
    }
    if model.detail.take().is_some() {
        model.pane = Pane::List;
        model.zoomed = false;
        return Vec::new();
    }
    if !model.list.filter_text.is_empty() {
        return typing::apply(model, "");
    }
    if !model.list.marked.is_empty() {
        return unmark_all(model);
    }
    if !model.list.following {
        return moving::top(model);
    }
    hint(model, format!("nothing to step back from: `{}` quits", KEYMAP.key_of(Context::List, Action::Quit)))
}

/// The exchange that keys are about; without one, says so.
pub(super) fn subject(model: &mut Model) -> Option<Entry> {
    let subject = model.subject();
    if subject.is_none() {
        model.say(Kind::Hint, "no exchange is selected");
    }
    subject
}

/// Nothing happens, and this is why.
pub(super) fn hint(model: &mut Model, text: impl Into<String>) -> Vec<Effect> {
    model.say(Kind::Hint, text);
    Vec::new()
}

/// Begins work.
pub(super) fn work(model: &mut Model, title: &str, work: Work) -> Vec<Effect> {
    if model.jobs.len() >= MAX_JOBS {
        let key = KEYMAP.key_of(Context::List, Action::Cancel);
        return hint(model, format!("{MAX_JOBS} things are going on already: wait, or cancel with `{key}`"));
    }
    let job = model.next_job;
    model.next_job += 1;
    model.jobs.push(Running { job, title: title.to_owned(), progress: (0, 0), cancelled: false });
    vec![Effect::Work { job, work }]
}

/// Work that may go on at once: each has a thread, and may wait for a slow app.
pub(in crate::tui) const MAX_JOBS: usize = 8;

fn replay(model: &mut Model, resign: bool) -> Vec<Effect> {
    if matches!(model.layers.last(), Some(Layer::Edited(..))) {
        return edit::send(model, resign);
    }
    let Some(entry) = subject(model) else { return Vec::new() };
    let title = if resign { "signed replay" } else { "replay" };
    work(model, title, Work::Replay(Replay { ids: vec![entry.id], edited: None, resign }))
}

fn replay_marked(model: &mut Model) -> Vec<Effect> {
    let ids: Vec<_> = model.marked().iter().map(|entry| entry.id).collect();
    if ids.is_empty() {
        let key = KEYMAP.key_of(Context::List, Action::Mark);
        return hint(model, format!("no exchange is marked: `{key}` marks one"));
    }
    let title = format!("replay of {}", ids.len());
    work(model, &title, Work::Replay(Replay { ids, edited: None, resign: false }))
}

fn mark(model: &mut Model) -> Vec<Effect> {
    if subject(model).is_none() || !model.list.toggle_mark() {
        return Vec::new();
    }
    if model.context() != Context::List {
        return Vec::new();
    }
    // One marks several in a row: the next one is below.
    let ask = model.list.step(1);
    page(model, ask)
}

fn unmark_all(model: &mut Model) -> Vec<Effect> {
    let count = model.list.marked.len();
    model.list.marked.clear();
    hint(model, if count == 0 { "nothing is marked".to_owned() } else { format!("{count} unmarked") })
}

fn delete(model: &mut Model) -> Vec<Effect> {
    let mut entries = model.marked();
    if entries.is_empty() {
        entries.extend(subject(model));
    }
    if !entries.is_empty() {
        model.layers.push(Layer::Delete(entries));
    }
    Vec::new()
}

fn confirmed(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Delete(entries)) = model.layers.pop() else { return Vec::new() };
    if model.detail.as_ref().is_some_and(|detail| entries.contains(&detail.entry)) {
        model.detail = None;
        model.pane = Pane::List;
    }
    model.list.marked.retain(|mark| !entries.contains(mark));
    work(model, "delete", Work::Delete(entries.iter().map(|entry| entry.id).collect()))
}

fn menu(model: &mut Model, layer: Layer) -> Vec<Effect> {
    if subject(model).is_some() {
        model.layers.push(layer);
    }
    Vec::new()
}

fn scope(model: &mut Model) -> Vec<Effect> {
    let marks = !model.list.marked.is_empty();
    if let Some(Layer::Export(scope)) = model.layers.last_mut() {
        *scope = match scope {
            Scope::This if marks => Scope::Marked,
            Scope::This | Scope::Marked => Scope::Shown,
            Scope::Shown => Scope::This,
        };
    }
    Vec::new()
}

fn copy(model: &mut Model, form: Form) -> Vec<Effect> {
    close_menu(model);
    let entry = subject(model);
    entry.map(|entry| Effect::Load { entry, then: Purpose::Copy(form) }).into_iter().collect()
}

fn copy_url(model: &mut Model) -> Vec<Effect> {
    close_menu(model);
    let Some(url) = model.webhook_url().map(str::to_owned) else {
        return hint(model, "no public URL is known: no listener has used this store yet");
    };
    model.say(Kind::Good, format!("copied {url}"));
    vec![Effect::Clipboard(url.into_bytes())]
}

fn copy_id(model: &mut Model) -> Vec<Effect> {
    close_menu(model);
    let Some(Entry { id, .. }) = subject(model) else { return Vec::new() };
    model.say(Kind::Good, format!("copied {id}"));
    vec![Effect::Clipboard(id.to_string().into_bytes())]
}

fn close_menu(model: &mut Model) {
    if matches!(model.layers.last(), Some(Layer::Copy | Layer::Export(_))) {
        model.layers.pop();
    }
}

fn cancel(model: &mut Model) -> Vec<Effect> {
    let Some(running) = model.jobs.iter_mut().rev().find(|running| !running.cancelled) else {
        return hint(model, "nothing is going on that could be cancelled");
    };
    running.cancelled = true;
    vec![Effect::Cancel(running.job)]
}
