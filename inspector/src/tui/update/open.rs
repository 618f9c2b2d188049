//! Opening things, and what is seen of them.

use super::act::{hint, subject};
use crate::{
    body::View,
    detail::Section,
    rendered::Folds,
    tui::{
        action::Action,
        keymap::{Context, KEYMAP},
        message::{Effect, Purpose, Which},
        model::{Content, Layer, Model, Page, Pane, detail::Detail, list::Entry, sheet::Sheet},
    },
};

/// Containers inside more than so many others are closed by "fold all", which leaves an outline.
const OUTLINE: u16 = 1;

/// Opens the selected exchange.
pub(super) fn selected(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.list.selected().cloned() else {
        return hint(model, "no exchange is selected");
    };
    model.list.hold();
    model.pane = Pane::Detail;
    let entry = Entry::of(&row);
    if model.detail.as_ref().is_some_and(|detail| detail.entry == entry) {
        return Vec::new();
    }
    model.detail = Some(Detail::new(row, model.section));
    vec![Effect::Load { entry, then: Purpose::Look }]
}

/// The open detail turns to the selected exchange.
pub(super) fn follow(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.list.selected() else { return Vec::new() };
    let Some(detail) = &mut model.detail else { return Vec::new() };
    if detail.entry.row == row.row {
        return Vec::new();
    }
    detail.turn_to(row.clone());
    vec![Effect::Load { entry: detail.entry, then: Purpose::Look }]
}

/// Shows a part of the exchange; opens it if none is open.
pub(super) fn section(model: &mut Model, section: Section) -> Vec<Effect> {
    model.section = section;
    let effects = if model.detail.is_none() { selected(model) } else { Vec::new() };
    if let Some(detail) = &mut model.detail {
        detail.show(section);
    }
    effects
}

/// Shows the part on the next tab, or on the one before.
pub(super) fn beside(model: &mut Model, forward: bool) -> Vec<Effect> {
    match &model.detail {
        Some(detail) => section(model, detail.beside(forward)),
        None => Vec::new(),
    }
}

/// Changes the face of bodies: the fitting one, text, bytes.
pub(super) fn view(model: &mut Model) -> Vec<Effect> {
    if let Some(detail) = &mut model.detail {
        if !matches!(detail.section, Section::Body | Section::Response | Section::Raw) {
            return hint(model, "only bodies have other faces: text and bytes");
        }
        detail.view = match detail.view {
            View::Fitting => View::Text,
            View::Text => View::Hex,
            View::Hex => View::Fitting,
        };
        detail.sheet = None;
    }
    Vec::new()
}

/// Folds or unfolds what the cursor is on.
pub(super) fn fold(model: &mut Model) -> Vec<Effect> {
    let (width, height) = detail_size(model);
    let zone = model.zone.clone();
    let Some(detail) = &mut model.detail else { return Vec::new() };
    let Some(node) = detail.sheet.as_ref().and_then(Sheet::node) else {
        return hint(model, "nothing to fold here: JSON bodies can be folded");
    };
    detail.folds.toggle(node);
    detail.lay_out(width, &zone);
    if let Some(sheet) = &mut detail.sheet {
        sheet.stand_on(node, height);
    }
    Vec::new()
}

/// Folds or unfolds everything.
pub(super) fn fold_all(model: &mut Model, closed: bool) -> Vec<Effect> {
    let (width, _) = detail_size(model);
    let zone = model.zone.clone();
    let Some(detail) = &mut model.detail else { return Vec::new() };
    if detail.sheet.as_ref().is_none_or(|sheet| sheet.cursor().is_none()) {
        return hint(model, "nothing to fold here: JSON bodies can be folded");
    }
    detail.folds = if closed { Folds::from_depth(OUTLINE) } else { Folds::default() };
    detail.lay_out(width, &zone);
    Vec::new()
}

/// Compares two marked exchanges, or a replay with what it repeats.
pub(super) fn compare(model: &mut Model) -> Vec<Effect> {
    let marked = model.marked();
    if let [old, new] = marked[..] {
        return vec![Effect::LoadPair(Which::Row(old.row), Which::Row(new.row))];
    }
    let Some(entry) = subject(model) else { return Vec::new() };
    if let [other] = marked[..]
        && other != entry
    {
        let (old, new) = (other.min(entry), other.max(entry));
        return vec![Effect::LoadPair(Which::Row(old.row), Which::Row(new.row))];
    }
    if let Some(original) = model.original_of(entry) {
        return vec![Effect::LoadPair(Which::Id(original), Which::Row(entry.row))];
    }
    let key = KEYMAP.key_of(Context::List, Action::Mark);
    hint(model, format!("nothing to compare with: this is no replay; mark two with `{key}`"))
}

/// Shows the keys.
pub(super) fn help(model: &mut Model) -> Vec<Effect> {
    let width = usize::from(model.areas().page.width);
    push(model, Page::new("keys", Content::Help, width));
    Vec::new()
}

/// Lays a page over the rest; one of its kind at most.
pub(super) fn push(model: &mut Model, page: Page) {
    model.layers.retain(|layer| !matches!(layer, Layer::Page(known) if known.title == page.title));
    model.layers.push(Layer::Page(page));
}

fn detail_size(model: &Model) -> (usize, usize) {
    model.areas().detail.map_or((1, 1), |area| (usize::from(area.width), usize::from(area.height)))
}
