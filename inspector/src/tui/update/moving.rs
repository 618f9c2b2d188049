//! Moving about.

use super::{act::hint, open, page};
use crate::tui::{
    message::Effect,
    model::{Layer, Model, Pane, sheet::Sheet},
};

/// The text that has the keys, and how many rows of it are seen; none if the list has them.
pub(super) fn sheet(model: &mut Model) -> Option<(&mut Sheet, usize)> {
    let areas = model.areas();
    match (model.layers.last_mut(), model.pane, &mut model.detail) {
        (Some(Layer::Page(page)), ..) => Some((&mut page.sheet, usize::from(areas.page.height))),
        (None, Pane::Detail, Some(detail)) => {
            detail.sheet.as_mut().map(|sheet| (sheet, areas.detail.map_or(1, |area| usize::from(area.height))))
        }
        _ => None,
    }
}

/// Whether the list has the keys.
pub(super) fn in_list(model: &Model) -> bool {
    model.layers.is_empty() && (model.pane == Pane::List || model.detail.is_none())
}

/// Moves by so many rows.
pub(super) fn step(model: &mut Model, by: isize) -> Vec<Effect> {
    if in_list(model) {
        let ask = model.list.step(by);
        return moved(model, ask);
    }
    if let Some((sheet, height)) = sheet(model) {
        sheet.step(by, height);
    }
    Vec::new()
}

/// Scrolls by so many rows.
pub(super) fn roll(model: &mut Model, by: isize) -> Vec<Effect> {
    if in_list(model) {
        let ask = model.list.roll(by);
        return moved(model, ask);
    }
    if let Some((sheet, height)) = sheet(model) {
        sheet.roll(by, height);
    }
    Vec::new()
}

/// Moves by so many halves of a page.
pub(super) fn pages(model: &mut Model, halves: isize) -> Vec<Effect> {
    let height = if in_list(model) { model.list_height() } else { sheet(model).map_or(1, |(_, height)| height) };
    // One row of the page before stays: the eye finds its place by it.
    let rows = (height.saturating_sub(1) / if halves.abs() == 1 { 2 } else { 1 }).max(1);
    let by = rows.cast_signed() * halves.signum();
    if in_list(model) {
        return step(model, by);
    }
    if let Some((sheet, height)) = sheet(model) {
        sheet.roll(by, height);
    }
    Vec::new()
}

/// Goes to the first row; the list follows the newest then.
pub(super) fn top(model: &mut Model) -> Vec<Effect> {
    if in_list(model) {
        let ask = model.list.follow();
        return moved(model, Some(ask));
    }
    if let Some((sheet, _)) = sheet(model) {
        sheet.first();
    }
    Vec::new()
}

/// Goes to the last row.
pub(super) fn bottom(model: &mut Model) -> Vec<Effect> {
    if in_list(model) {
        let ask = model.list.oldest();
        return moved(model, ask);
    }
    if let Some((sheet, height)) = sheet(model) {
        sheet.end(height);
    }
    Vec::new()
}

/// Gives the keys to the other pane.
pub(super) fn next_pane(model: &mut Model) -> Vec<Effect> {
    if model.detail.is_none() {
        return hint(model, "the list is alone: `enter` opens an exchange beside it");
    }
    model.pane = match model.pane {
        Pane::List => Pane::Detail,
        Pane::Detail => Pane::List,
    };
    Vec::new()
}

/// Gives the screen to one pane, or to both.
pub(super) fn zoom(model: &mut Model) -> Vec<Effect> {
    if model.detail.is_none() {
        return hint(model, "the list is alone already");
    }
    model.zoomed = !model.zoomed;
    Vec::new()
}

/// After the selection moved: the detail follows it, and what the list lacks is asked for.
pub(super) fn moved(model: &mut Model, ask: Option<crate::tui::model::ask::Ask>) -> Vec<Effect> {
    let mut effects = page(model, ask);
    effects.extend(open::follow(model));
    effects
}
