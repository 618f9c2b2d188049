//! One exchange: its tabs, and the part of it that is seen.

use ratatui::{buffer::Buffer, layout::Rect};

use super::pen::{Emphasis, Pen};
use crate::{
    columns,
    detail::Section,
    line::Role,
    tui::{
        model::{
            Model, Pane,
            detail::{Detail, State},
            layout::{Areas, INSET},
            sheet::Sheet,
        },
        update::short,
    },
};

/// Draws it.
pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let (Some(tabs), Some(area), Some(detail)) = (areas.tabs, areas.detail, &model.detail) else { return };
    draw_tabs(model, detail, tabs, buffer);
    match (&detail.state, &detail.sheet) {
        (State::There(_), Some(sheet)) => {
            draw_sheet(model, sheet, area, model.pane == Pane::Detail, buffer);
        }
        (State::Failed(problem), _) => say(model, Role::Bad, problem, area, buffer),
        (State::Gone, _) => say(model, Role::Warn, "it is no longer in the store: deleted, or too old", area, buffer),
        _ => say(model, Role::Muted, "reading …", area, buffer),
    }
}

/// ```text
/// ── overview  signature  headers  body  response  raw ──────── 9e8f01c2 ─
/// ```
fn draw_tabs(model: &Model, detail: &Detail, area: Rect, buffer: &mut Buffer) {
    let Some(mut pen) = Pen::row(buffer, model.palette, area, 0) else { return };
    let id = short(detail.entry.id);
    let names: usize = Section::ALL.iter().map(|section| section.title().len() + 2).sum();
    pen.text(Role::Muted, "── ");
    if names + 3 > usize::from(area.width) {
        let place = Section::ALL.iter().position(|&section| section == detail.section).unwrap_or(0);
        pen.accent(detail.section.title());
        pen.text(Role::Muted, format!(" {}/{} ", place + 1, Section::ALL.len()));
    } else {
        for (index, section) in Section::ALL.iter().enumerate() {
            if index > 0 {
                pen.gap(2);
            }
            if *section == detail.section {
                pen.accent(section.title());
            } else {
                pen.text(Role::Muted, section.title());
            }
        }
        pen.gap(1);
    }
    if pen.room() > id.len() + 4 {
        let end = format!(" {id} ─");
        let line: String = std::iter::repeat_n('─', pen.room() - columns::width(&end)).collect();
        pen.text(Role::Muted, line);
        pen.text(Role::Muted, end);
    } else {
        pen.rule(Role::Muted);
    }
}

/// Draws the rows of a text that are seen, and where one stands in it.
pub(super) fn draw_sheet(model: &Model, sheet: &Sheet, area: Rect, focused: bool, buffer: &mut Buffer) {
    let height = usize::from(area.height);
    for (index, line) in sheet.seen(height).iter().enumerate() {
        let Some(pen) = Pen::row(buffer, model.palette, area, index) else { return };
        let stands = focused && sheet.cursor() == Some(index);
        pen.with(if stands { Emphasis::Selected } else { Emphasis::None }).line(line);
        if stands && area.x >= INSET {
            let gutter = Rect { x: area.x - INSET, width: INSET, ..area };
            if let Some(mut pen) = Pen::row(buffer, model.palette, gutter, index) {
                pen.accent("▸");
            }
        }
    }
    if sheet.is_empty() {
        say(model, Role::Muted, "nothing here", area, buffer);
    }
}

fn say(model: &Model, role: Role, text: &str, area: Rect, buffer: &mut Buffer) {
    if let Some(mut pen) = Pen::row(buffer, model.palette, area, 0) {
        pen.gap(2);
        pen.text(role, text);
    }
}
