//! How the model changes: one message in, what is to be done out. No clock, no channel, no terminal.

mod act;
mod answers;
mod edit;
mod find;
mod mouse;
mod moving;
mod open;
mod typing;

use std::time::Duration;

use crossterm::event::KeyEvent;

use super::{
    keymap::KEYMAP,
    message::{Effect, Message},
    model::{Kind, Layer, Model, ask::Ask},
};

pub(super) use self::typing::short;

/// How long a notice of something that went well stays: long enough to be read.
const NOTICE: Duration = Duration::from_secs(6);

/// How often a list that is held looks at its rows again, for notes and deletions of other processes.
const REFRESH: Duration = Duration::from_secs(1);

/// Takes one thing in that happened, and says what is to be done about it.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let mut effects = match message {
        Message::Key(key) => key_pressed(model, key),
        Message::Paste(text) => typing::pasted(model, &text),
        Message::Mouse(event) => mouse::moved(model, event),
        Message::Resize(width, height) => {
            model.size = (width, height);
            vec![Effect::Redraw]
        }
        Message::Tick(now) => {
            model.now = now;
            Vec::new()
        }
        Message::Live(live) => {
            model.live = *live;
            Vec::new()
        }
        Message::Changed => changed(model),
        Message::Counted(counts) => {
            model.counts = counts;
            Vec::new()
        }
        Message::Page { generation, ask, rows } => answers::page(model, generation, ask, rows),
        Message::Found { generation, row } => answers::found(model, generation, row),
        Message::Loaded { entry, then, exchange } => answers::loaded(model, entry, then, exchange),
        Message::Pair(pair) => answers::pair(model, pair),
        Message::Edited(text) => edit::closed(model, text),
        Message::Progress { job, done, total } => {
            if let Some(running) = model.jobs.iter_mut().find(|running| running.job == job) {
                running.progress = (done, total);
            }
            Vec::new()
        }
        Message::Ended { job, outcome } => answers::ended(model, job, outcome),
        Message::Log(lines) => answers::log(model, lines),
    };
    effects.extend(settle(model));
    effects
}

fn key_pressed(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    model.notice = None;
    let context = model.context();
    match KEYMAP.action(context, key) {
        Some(action) => act::run(model, action),
        None if matches!(model.layers.last(), Some(Layer::Prompt(_))) => typing::typed(model, key),
        None => {
            model.say(Kind::Hint, KEYMAP.why_not(context, key));
            Vec::new()
        }
    }
}

fn changed(model: &mut Model) -> Vec<Effect> {
    let refresh = model.now.duration_since(model.refreshed).is_ok_and(|since| since >= REFRESH);
    if refresh {
        model.refreshed = model.now;
    }
    let ask = model.list.changed(refresh);
    page(model, ask)
}

/// What follows from any change: old notices go, and everything is laid out for the place it has now.
fn settle(model: &mut Model) -> Vec<Effect> {
    if let Some(notice) = &model.notice
        && notice.kind == Kind::Good
        && model.now.duration_since(notice.since).is_ok_and(|age| age >= NOTICE)
    {
        model.notice = None;
    }
    let areas = model.areas();
    if let (Some(detail), Some(area)) = (&mut model.detail, areas.detail) {
        detail.fit(usize::from(area.width), &model.zone);
    }
    let width = usize::from(areas.page.width);
    for layer in &mut model.layers {
        if let Layer::Page(page) = layer {
            page.fit(width);
        }
    }
    let height = areas.list.map_or(1, |area| usize::from(area.height));
    let ask = model.list.resize(height);
    page(model, ask)
}

/// Asks the store for rows.
fn page(model: &Model, ask: Option<Ask>) -> Vec<Effect> {
    let request = |ask| Effect::Page { generation: model.list.generation, filter: model.list.filter.clone(), ask };
    ask.map(request).into_iter().collect()
}
