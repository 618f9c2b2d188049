//! How the model looks. It draws what is there, and remembers nothing.

mod bar;
mod detail;
mod empty;
mod footer;
mod list;
mod page;
mod pen;
mod popup;
mod row;

use ratatui::Frame;

use super::model::{Layer, Model};

/// Draws the screen; `Areas` in `model/layout.rs` is its picture.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let areas = model.areas();
    bar::draw(model, areas.bar, frame.buffer_mut());
    bar::draw_banners(model, areas.banner, frame.buffer_mut());
    let page = model.layers.iter().rev().find_map(|layer| match layer {
        Layer::Page(page) => Some(page),
        _ => None,
    });
    if let Some(page) = page {
        page::draw(model, page, &areas, frame.buffer_mut());
    } else {
        list::draw(model, &areas, frame.buffer_mut());
        detail::draw(model, &areas, frame.buffer_mut());
    }
    popup::draw(model, areas.title.union(areas.page), frame.buffer_mut());
    if let Some(cursor) = footer::draw(model, areas.footer, frame.buffer_mut()) {
        frame.set_cursor_position(cursor);
    }
}
