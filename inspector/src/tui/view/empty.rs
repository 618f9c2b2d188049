//! What stands where there are no rows: why, and what to do about it.

use ratatui::{buffer::Buffer, layout::Rect};

use super::pen::Pen;
use crate::{
    columns,
    line::Role,
    tui::{
        action::Action,
        keymap::{Context, KEYMAP},
        model::Model,
    },
};

/// Columns free on the left.
const INDENT: usize = 2;

/// Draws it.
pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(2 * INDENT);
    let mut row = 1;
    for (role, text) in paragraphs(model) {
        for line in columns::wrap(&text, room).flat_map(|line| columns::chunks(line, room)) {
            let Some(mut pen) = Pen::row(buffer, model.palette, area, row) else { return };
            pen.gap(INDENT);
            if role == Role::Key {
                pen.accent(line);
            } else {
                pen.text(role, line);
            }
            row += 1;
        }
        if role != Role::Plain {
            row += 1;
        }
    }
}

fn paragraphs(model: &Model) -> Vec<(Role, String)> {
    let key = |action| KEYMAP.key_of(Context::List, action);
    if !model.list.loaded {
        return vec![(Role::Muted, "reading the store …".to_owned())];
    }
    if !model.list.filter_text.is_empty() {
        let back = key(Action::Back);
        return vec![
            (Role::Heading, format!("nothing matches {}", model.list.filter_text)),
            (Role::Muted, format!("`{}` changes the filter, `{back}` clears it", key(Action::Filter))),
        ];
    }
    let keys = format!(
        "`{}` copies it, `{}` sends a signed test event, `{}` shows all keys",
        key(Action::CopyUrl),
        key(Action::SendTest),
        key(Action::Help)
    );
    match &model.live.ready {
        Some(ready) if ready.webhook_url.ends_with('/') => vec![
            (Role::Heading, "no webhooks yet".to_owned()),
            (
                Role::Plain,
                "add your app's route to this address and paste it into the provider's dashboard:".to_owned(),
            ),
            (Role::Key, ready.webhook_url.clone()),
            (Role::Muted, keys),
        ],
        Some(ready) => vec![
            (Role::Heading, "no webhooks yet".to_owned()),
            (Role::Plain, "paste this address into the provider's dashboard:".to_owned()),
            (Role::Key, ready.webhook_url.clone()),
            (Role::Muted, keys),
        ],
        None => vec![
            (Role::Heading, "no webhooks in this store".to_owned()),
            (Role::Muted, "`hookwire listen 3000` opens a public address for the app on port 3000".to_owned()),
        ],
    }
}
