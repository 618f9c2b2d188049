//! The last row: what the last key did, or what the next could do; or the line that is typed.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{bar::thousands, pen::Pen};
use crate::{
    columns,
    line::{Role, Span},
    tui::{
        action::Action,
        keymap::{Context, KEYMAP},
        model::{Layer, Model, prompt::Prompt},
    },
};

/// Draws it, and says where the cursor is.
pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if let Some(Layer::Prompt(prompt)) = model.layers.last() {
        return draw_prompt(model, prompt, area, buffer);
    }
    let right = right(model);
    let taken = right.iter().map(|part| part.width() + 2).sum::<usize>();
    let mut pen = Pen::row(buffer, model.palette, area, 0)?;
    pen.gap(1);
    if model.notice.is_some() {
        for (row, line) in model.notice_lines().iter().enumerate() {
            let mut pen = Pen::row(buffer, model.palette, area, row)?;
            pen.gap(1);
            pen.span(line);
        }
        return None;
    }
    draw_hints(model, &mut pen, taken);
    if pen.room() > taken {
        pen.leave(taken);
        for part in &right {
            pen.span(part);
            pen.gap(2);
        }
    }
    None
}

/// The actions that are offered in each place, the most useful first.
const fn offered(context: Context) -> &'static [Action] {
    match context {
        Context::List => &[
            Action::Open,
            Action::Replay,
            Action::Filter,
            Action::Search,
            Action::Copy,
            Action::Mark,
            Action::Edit,
            Action::Help,
        ],
        Context::Detail => &[
            Action::NextTab,
            Action::Fold,
            Action::Replay,
            Action::Search,
            Action::Copy,
            Action::Zoom,
            Action::Back,
            Action::Help,
        ],
        Context::Page => &[Action::Search, Action::Back],
        _ => &[Action::Back],
    }
}

fn draw_hints(model: &Model, pen: &mut Pen<'_>, taken: usize) {
    let context = model.context();
    for &action in offered(context) {
        let key = KEYMAP.key_of(context, action);
        if columns::width(&key) + action.name().len() + 3 + taken > pen.room() {
            break;
        }
        pen.accent(&key);
        pen.gap(1);
        pen.text(Role::Muted, action.name());
        pen.gap(2);
    }
}

/// What goes on, and what is above the screen.
fn right(model: &Model) -> Vec<Span> {
    let mut parts = Vec::new();
    if let Some(running) = model.jobs.last() {
        let more = if model.jobs.len() > 1 { format!(" (+{})", model.jobs.len() - 1) } else { String::new() };
        let progress = match running.progress {
            (_, 0) => String::new(),
            (done, total) => format!(": {} of {}", thousands(done), thousands(total)),
        };
        let state = if running.cancelled { "ending " } else { "" };
        parts.push(Span::new(Role::Warn, format!("{state}{}{progress}{more} …", running.title)));
    }
    if !model.list.marked.is_empty() {
        parts.push(Span::new(Role::Warn, format!("• {}", model.list.marked.len())));
    }
    if model.context() != Context::List {
        return parts;
    }
    if model.list.following {
        parts.push(Span::new(Role::Muted, "following"));
    } else if model.list.has_newer() {
        let key = KEYMAP.key_of(Context::List, Action::Top);
        parts.push(Span::new(Role::Muted, format!("↑ newer: {key}")));
    }
    parts
}

/// ```text
/// filter: status:5xx and verdict:invaild
///                                ^ no such verdict; did you mean `invalid`?
/// ```
fn draw_prompt(model: &Model, prompt: &Prompt, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let label = prompt.purpose.label();
    let scroll = prompt.scroll(usize::from(area.width));
    let mut pen = Pen::row(buffer, model.palette, area, 0)?;
    pen.gap(1);
    pen.accent(label);
    let start = pen.at().0;
    pen.text(Role::Plain, from_column(prompt.input.value(), scroll));
    let before_cursor = prompt.input.visual_cursor().saturating_sub(scroll);
    let cursor = Position::new((start + before_cursor as u16).min(area.right().saturating_sub(1)), area.y);
    for (row, line) in prompt.remark(usize::from(area.width)).iter().enumerate() {
        Pen::row(buffer, model.palette, area, row + 1)?.line(line);
    }
    Some(cursor)
}

/// The text from a column on.
fn from_column(text: &str, column: usize) -> &str {
    let mut used = 0;
    let start = text.char_indices().find(|&(_, c)| {
        let here = used >= column;
        used += columns::width(c.encode_utf8(&mut [0; 4]));
        here
    });
    start.map_or("", |(index, _)| &text[index..])
}
