//! The list of exchanges.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    empty,
    pen::{Emphasis, Pen},
    row::{self, Plan},
};
use crate::{
    line::Role,
    tui::model::{Model, Pane, layout::Areas},
};

/// Draws the names of the columns and the rows that are seen.
pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let (Some(heading), Some(area)) = (areas.heading, areas.list) else { return };
    if let Some(border) = areas.border {
        draw_border(model, border, buffer);
    }
    if model.list.is_empty() {
        empty::draw(model, area, buffer);
        return;
    }
    let plan = Plan::new(usize::from(area.width));
    if let Some(mut pen) = Pen::row(buffer, model.palette, heading, 0) {
        plan.heading(&mut pen);
    }
    let focused = model.pane == Pane::List || model.detail.is_none();
    for (index, summary) in model.list.seen().enumerate() {
        let emphasis = match (model.list.is_selected(summary), focused) {
            (false, _) => Emphasis::None,
            (true, true) => Emphasis::Selected,
            (true, false) => Emphasis::Resting,
        };
        let Some(pen) = Pen::row(buffer, model.palette, area, index) else { return };
        let marked = model.list.is_marked(summary);
        let time = row::clock(summary.received_at, &model.zone);
        plan.draw(&mut pen.with(emphasis), summary, &time, model.list.is_selected(summary), marked);
    }
}

fn draw_border(model: &Model, area: Rect, buffer: &mut Buffer) {
    for row in 0..usize::from(area.height) {
        if let Some(mut pen) = Pen::row(buffer, model.palette, area, row) {
            pen.text(Role::Muted, "│");
        }
    }
}
