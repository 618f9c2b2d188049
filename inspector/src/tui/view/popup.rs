//! Menus and questions, in a box above the last row.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    widgets::{Block, BorderType, Clear, Widget},
};

use super::pen::Pen;
use crate::{
    columns,
    line::{Line, Role, Span},
    tui::{
        action::Action,
        keymap::{Binding, Context, KEYMAP},
        model::{Layer, Model, Scope},
        update::short,
    },
};

/// Columns of the keys.
const KEYS: usize = 8;

/// Columns of a box at most: lines of text that is to be read stay short.
const WIDEST: usize = 76;

/// Draws the top layer, if it is one.
pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (title, mut lines) = match model.layers.last() {
        Some(Layer::Copy) => ("copy", Vec::new()),
        Some(Layer::Export(scope)) => ("export", vec![scopes(model, *scope), Line::new()]),
        Some(Layer::Delete(entries)) => ("delete", question(entries.len(), || short(entries[0].id))),
        Some(Layer::Edited(_, request)) => {
            let what = format!("{} {}", request.method, String::from_utf8_lossy(&request.target));
            (
                "edited",
                vec![
                    vec![Span::new(Role::Plain, what)],
                    vec![Span::new(Role::Muted, "Sent as it is, its signature no longer fits what was changed.")],
                    Line::new(),
                ],
            )
        }
        Some(Layer::Mistake(_, mistake)) => (
            "this is no request",
            vec![
                vec![Span::new(Role::Bad, mistake)],
                vec![Span::new(Role::Muted, "The text is kept until you step back.")],
                Line::new(),
            ],
        ),
        _ => return,
    };
    lines.extend(keys(model.context()));
    draw_box(model, title, &lines, area, buffer);
}

fn draw_box(model: &Model, title: &str, lines: &[Line], area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(4).min(WIDEST);
    let lines: Vec<Line> = lines.iter().flat_map(|line| wrapped(line, room)).collect();
    let widest = lines.iter().map(|line| line.iter().map(Span::width).sum::<usize>()).max().unwrap_or(0);
    let width = (widest.max(title.len() + 2) + 4).min(usize::from(area.width)) as u16;
    let height = (lines.len() + 2).min(usize::from(area.height)) as u16;
    let frame = Rect::new(area.x, area.bottom().saturating_sub(height), width, height);
    Clear.render(frame, buffer);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(model.palette.look(Role::Muted))
        .title(format!(" {title} "))
        .title_style(model.palette.accent());
    let inner = block.inner(frame);
    block.render(frame, buffer);
    for (row, line) in lines.iter().enumerate() {
        let Some(mut pen) = Pen::row(buffer, model.palette, inner, row) else { return };
        pen.gap(1);
        pen.line(line);
    }
}

/// A line of one span, broken at spaces; others stay as they are.
fn wrapped(line: &Line, room: usize) -> Vec<Line> {
    match &line[..] {
        [span] => columns::wrap(span.text(), room).map(|text| vec![Span::new(span.role(), text)]).collect(),
        _ => vec![line.clone()],
    }
}

/// What each key does here.
fn keys(context: Context) -> impl Iterator<Item = Line> {
    // The ways out come last; that ctrl-c ends everything needs no menu to say it.
    let way_out = |binding: &&Binding| binding.run == Action::Back;
    let offered = KEYMAP.bindings(context).filter(|binding| !matches!(binding.run, Action::Back | Action::Quit));
    offered.chain(KEYMAP.bindings(context).filter(way_out)).map(|binding| {
        let names: Vec<_> = binding.on.iter().map(ToString::to_string).collect();
        let names = names.join(" ");
        let gap = KEYS.saturating_sub(columns::width(&names)).max(1);
        vec![Span::new(Role::Key, names), Span::new(Role::Plain, format!("{}{}", " ".repeat(gap), binding.desc))]
    })
}

fn scopes(model: &Model, chosen: Scope) -> Line {
    let marked = model.list.marked.len();
    let shown = model.shown().map_or_else(String::new, |shown| format!(" {shown}"));
    let all = [
        (Scope::This, "this one".to_owned()),
        (Scope::Marked, format!("{marked} marked")),
        (Scope::Shown, format!("all{shown} shown")),
    ];
    let mut line = vec![Span::new(Role::Muted, "what:")];
    for (scope, name) in all {
        let (role, text) =
            if scope == chosen { (Role::Heading, format!("  [{name}]")) } else { (Role::Muted, format!("   {name} ")) };
        line.push(Span::new(role, text));
    }
    line
}

fn question(count: usize, one: impl Fn() -> String) -> Vec<Line> {
    let what = if count == 1 { format!("Delete {}?", one()) } else { format!("Delete {count} exchanges?") };
    vec![
        vec![Span::new(Role::Heading, what)],
        vec![Span::new(Role::Muted, "It is gone for good, body and all.")],
        Line::new(),
    ]
}
