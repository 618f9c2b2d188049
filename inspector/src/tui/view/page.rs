//! A page of text over the panes.

use ratatui::buffer::Buffer;

use super::{detail, pen::Pen};
use crate::{
    line::Role,
    tui::{
        action::Action,
        keymap::{Context, KEYMAP},
        model::{Model, Page, layout::Areas},
    },
};

/// Draws its title and the rows that are seen.
pub(super) fn draw(model: &Model, page: &Page, areas: &Areas, buffer: &mut Buffer) {
    if let Some(mut pen) = Pen::row(buffer, model.palette, areas.title, 0) {
        pen.text(Role::Muted, "── ");
        pen.accent(page.title);
        let close = format!(" {} closes ─", KEYMAP.key_of(Context::Page, Action::Back));
        pen.gap(1);
        let rest = pen.room().saturating_sub(close.chars().count());
        pen.text(Role::Muted, "─".repeat(rest));
        pen.text(Role::Muted, close);
    }
    detail::draw_sheet(model, &page.sheet, areas.page, true, buffer);
}
