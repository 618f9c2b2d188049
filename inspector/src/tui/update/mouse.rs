//! The mouse: the wheel scrolls what is under it, a click selects.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{moving, open};
use crate::tui::{
    message::Effect,
    model::{Model, Pane},
};

/// Rows per notch of the wheel, as terminals themselves scroll.
const NOTCH: isize = 3;

pub(super) fn moved(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    let at = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollDown => wheel(model, at, NOTCH),
        MouseEventKind::ScrollUp => wheel(model, at, -NOTCH),
        MouseEventKind::Down(MouseButton::Left) => click(model, at),
        _ => Vec::new(),
    }
}

fn wheel(model: &mut Model, at: Position, by: isize) -> Vec<Effect> {
    focus(model, at);
    moving::roll(model, by)
}

fn click(model: &mut Model, at: Position) -> Vec<Effect> {
    if !model.layers.is_empty() {
        return Vec::new();
    }
    let pane = focus(model, at);
    let areas = model.areas();
    match (pane, areas.list, areas.detail) {
        (Some(Pane::List), Some(area), _) => {
            let place = usize::from(at.y - area.y);
            let again = model.detail.is_none() && model.list.position() == place;
            if !model.list.pick(place) {
                return Vec::new();
            }
            // A second click opens, as in a file manager.
            if again { open::selected(model) } else { moving::moved(model, None) }
        }
        (Some(Pane::Detail), _, Some(area)) => {
            if let Some((sheet, _)) = moving::sheet(model) {
                sheet.pick(usize::from(at.y - area.y));
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Gives the keys to the pane at a place, and says which it is.
fn focus(model: &mut Model, at: Position) -> Option<Pane> {
    let areas = model.areas();
    let within = |area: Option<Rect>| area.is_some_and(|area| area.contains(at));
    let pane = if within(areas.list) {
        Pane::List
    } else if within(areas.detail) {
        Pane::Detail
    } else {
        return None;
    };
    if model.layers.is_empty() {
        model.pane = pane;
    }
    Some(pane)
}
