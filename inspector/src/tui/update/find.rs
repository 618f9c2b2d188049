//! Searching: in the text that has the keys, or through the list.

use hookwire_capture::{Filter, From};

use super::{
    act::hint,
    moving::{self, in_list},
};
use crate::tui::{
    action::Action,
    keymap::{Context, KEYMAP},
    message::Effect,
    model::{Layer, Model, Pane},
};

/// Searches for a text from here on.
pub(super) fn search(model: &mut Model, text: &str) -> Vec<Effect> {
    model.searches.remember(text);
    if in_list(model) {
        return in_store(model, text, true);
    }
    mark(model, text);
    step(model, true, true)
}

/// Goes to the next place, or to the one before.
pub(super) fn again(model: &mut Model, forward: bool) -> Vec<Effect> {
    let Some(text) = model.searches.latest().map(str::to_owned) else {
        let key = KEYMAP.key_of(Context::List, Action::Search);
        return hint(model, format!("nothing was searched for yet: `{key}` does"));
    };
    if in_list(model) {
        return in_store(model, &text, forward);
    }
    if marked(model).is_empty() {
        mark(model, &text);
    }
    step(model, forward, false)
}

/// Marks what matches while it is typed.
pub(super) fn mark(model: &mut Model, text: &str) {
    let areas = model.areas();
    let zone = model.zone.clone();
    match top_page(model) {
        Some(page) => {
            text.clone_into(&mut page.search);
            page.lay_out(usize::from(areas.page.width));
        }
        None => {
            if let Some(detail) = &mut model.detail {
                text.clone_into(&mut detail.search);
                detail.lay_out(areas.detail.map_or(1, |area| usize::from(area.width)), &zone);
            }
        }
    }
}

/// Takes the marks of a search away; false if there were none.
pub(super) fn clear(model: &mut Model) -> bool {
    let any = !marked(model).is_empty();
    if any {
        mark(model, "");
    }
    any
}

/// What is marked in the text that has the keys.
fn marked(model: &mut Model) -> String {
    let detail = if model.pane == Pane::Detail { model.detail.as_ref().map(|it| it.search.clone()) } else { None };
    top_page(model).map(|page| page.search.clone()).or(detail).unwrap_or_default()
}

/// The page that a search is about: the top one, below the line that is typed.
fn top_page(model: &mut Model) -> Option<&mut crate::tui::model::Page> {
    model.layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::Page(page) => Some(page),
        _ => None,
    })
}

fn step(model: &mut Model, forward: bool, here_too: bool) -> Vec<Effect> {
    let found = moving::sheet(model).and_then(|(sheet, height)| sheet.find(forward, here_too, height));
    match found {
        Some((place, count)) => hint(model, format!("match {place} of {count}")),
        None => hint(model, "no match here"),
    }
}

/// Asks the store for the next row that matches both the filter and the text, older ones first.
fn in_store(model: &mut Model, text: &str, older: bool) -> Vec<Effect> {
    let Some(row) = model.list.selected().map(|row| row.row) else {
        return hint(model, "there is nothing to search in");
    };
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    let both = if model.list.filter_text.is_empty() {
        format!("\"{quoted}\"")
    } else {
        format!("({}) \"{quoted}\"", model.list.filter_text)
    };
    match Filter::parse(&both) {
        Ok(filter) => {
            model.list.hold();
            let from = if older { From::Before(row) } else { From::After(row) };
            vec![Effect::Find { generation: model.list.generation, filter, from }]
        }
        Err(error) => hint(model, error.to_string()),
    }
}
