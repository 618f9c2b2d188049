//! The state of things, above everything else.

use ratatui::{buffer::Buffer, layout::Rect};

use super::pen::Pen;
use crate::{
    columns,
    line::{Role, Span},
    tui::model::Model,
};

/// Between the parts of the bar.
const GAP: usize = 3;

/// From so many columns on there is room for an address.
const ROOM_FOR_URL: usize = 60;

/// Draws the bar.
///
/// ```text
/// hookwire   https://relay.example.com/shop      ● 23 ms   app up   1,204 of 5,210   12 ✗
/// ```
pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(mut pen) = Pen::row(buffer, model.palette, area, 0) else { return };
    let wide = usize::from(area.width) >= ROOM_FOR_URL;
    let mut parts: Vec<Span> = [model.connection(), model.app()].into_iter().flatten().collect();
    parts.push(counts(model, wide));
    parts.extend(invalid(model, wide));
    // Last, for it goes first where room is short.
    let width = |parts: &[Span]| parts.iter().map(|part| part.width() + GAP).sum::<usize>();
    let left = if wide { NAME.len() + GAP + address(model).map_or(0, |url| columns::width(&url)) + GAP } else { 0 };
    if let Some(verified) = model.verified()
        && left + width(&parts) + verified.width() + GAP < usize::from(area.width)
    {
        parts.insert(1, verified);
    }
    let right = width(&parts) - GAP + 1;
    pen.gap(1);
    if wide {
        pen.accent(NAME);
        pen.gap(GAP);
        if let Some(url) = address(model) {
            let room = pen.room().saturating_sub(right + GAP);
            pen.path(Role::Plain, url, room);
        }
    }
    pen.leave(right);
    for part in &parts {
        pen.span(part);
        pen.gap(GAP);
    }
}

/// Draws the lines below the bar.
pub(super) fn draw_banners(model: &Model, area: Rect, buffer: &mut Buffer) {
    for (row, banner) in model.banners().iter().enumerate() {
        let Some(mut pen) = Pen::row(buffer, model.palette, area, row) else { return };
        pen.gap(1);
        pen.span(banner);
    }
}

const NAME: &str = "hookwire";

fn address(model: &Model) -> Option<String> {
    model.webhook_url().map(str::to_owned)
}

fn counts(model: &Model, wide: bool) -> Span {
    let total = model.counts.total;
    let text = match model.shown() {
        Some(shown) if shown != total => format!("{} of {}", thousands(shown), thousands(total)),
        _ if wide => format!("{} kept", thousands(total)),
        _ => thousands(total),
    };
    Span::new(Role::Plain, text)
}

fn invalid(model: &Model, wide: bool) -> Option<Span> {
    let invalid = model.counts.invalid;
    let word = if wide { " invalid" } else { "" };
    (invalid > 0).then(|| Span::new(Role::Bad, format!("✗ {}{word}", thousands(invalid))))
}

/// `5210` as `5,210`.
pub(in crate::tui) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
