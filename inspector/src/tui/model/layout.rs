//! Where everything is on the screen. Both `update` and `view` ask here, so that they never disagree.

use ratatui::layout::Rect;

use super::{Kind, Layer, Model, Pane};
use crate::{
    columns,
    line::{Role, Span},
};

/// From so many columns on, the detail stands beside the list: then both have their 80.
const WIDE: u16 = 165;

/// From so many rows on, the detail stands below the list.
const TALL: u16 = 22;

/// Rows of a notice at most: it is there to be read, and not to hide what it is about.
const NOTICE: usize = 4;

/// The list's columns where the detail stands beside it, in percent.
const LIST_SHARE: u32 = 52;

/// The parts of the screen; none for what is not seen.
///
/// ```text
/// bar      hookwire  https://relay.example.com/shop     ● 23 ms   app up   1,204
/// banner   ⚠ reconnecting: …
/// heading  TIME      PATH            EVENT              STATUS  VERDICT
/// list     14:02:11  /verification   payment.captured   200     ✓ valid
/// tabs     ── overview  signature  headers  body  response  raw ─────────────────
/// detail   …
/// footer   enter open  r replay  f filter  ? help
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    /// The state of things.
    pub(crate) bar: Rect,
    /// What went wrong, or is going on.
    pub(crate) banner: Rect,
    /// The names of the list's columns.
    pub(crate) heading: Option<Rect>,
    /// The list's rows.
    pub(crate) list: Option<Rect>,
    /// The line between list and detail, where they stand side by side.
    pub(crate) border: Option<Rect>,
    /// The tabs of the detail.
    pub(crate) tabs: Option<Rect>,
    /// The detail.
    pub(crate) detail: Option<Rect>,
    /// The title of a page of text, which has the panes' place.
    pub(crate) title: Rect,
    /// The page of text.
    pub(crate) page: Rect,
    /// Hints and notices; or the line that is typed, with what is said about it.
    pub(crate) footer: Rect,
}

impl Model {
    /// Where everything is.
    pub(crate) fn areas(&self) -> Areas {
        let (width, height) = self.size;
        let banner_height = self.banners().len().min(usize::from(height / 6)) as u16;
        let footer_height = self.footer_height().min(height.saturating_sub(1));
        let bar = Rect::new(0, 0, width, 1.min(height));
        let banner = Rect::new(0, bar.height, width, banner_height);
        let top = bar.height + banner.height;
        let panes = Rect::new(0, top, width, height.saturating_sub(top + footer_height));
        let footer = Rect::new(0, height.saturating_sub(footer_height), width, footer_height);
        let (title, page) = rows(panes, 1);
        let mut areas = Areas { bar, banner, title, page: inset(page), footer, ..Areas::default() };
        self.split(panes, &mut areas);
        areas
    }

    fn split(&self, panes: Rect, areas: &mut Areas) {
        let (list, detail) = match (&self.detail, self.pane) {
            (Some(_), _) if !self.zoomed && self.size.0 >= WIDE => {
                let left = (u32::from(panes.width) * LIST_SHARE / 100) as u16;
                let (list, rest) = columns(panes, left);
                let (border, detail) = columns(rest, 1);
                areas.border = Some(border);
                (Some(list), Some(detail))
            }
            (Some(_), _) if !self.zoomed && self.size.1 >= TALL => {
                let (list, detail) = rows(panes, (panes.height / 3).max(6));
                (Some(list), Some(detail))
            }
            (None, _) | (Some(_), Pane::List) => (Some(panes), None),
            (Some(_), Pane::Detail) => (None, Some(panes)),
        };
        (areas.heading, areas.list) = list.map(|area| rows(area, 1)).unzip();
        (areas.tabs, areas.detail) = detail.map(|area| rows(area, 1)).unzip();
        areas.detail = areas.detail.map(inset);
    }

    /// A line that is typed needs others for what is said about it, and a notice as many as it has.
    fn footer_height(&self) -> u16 {
        match self.layers.last() {
            Some(Layer::Prompt(prompt)) => 1 + prompt.remark(usize::from(self.size.0)).len() as u16,
            _ => self.notice_lines().len().max(1) as u16,
        }
    }

    /// The notice, broken to the width of the screen.
    pub(crate) fn notice_lines(&self) -> Vec<Span> {
        let Some(notice) = &self.notice else { return Vec::new() };
        let role = match notice.kind {
            Kind::Good => Role::Good,
            Kind::Bad => Role::Bad,
            Kind::Hint => Role::Warn,
        };
        let whole = Span::new(role, &notice.text);
        let room = usize::from(self.size.0).saturating_sub(2);
        columns::wrap(whole.text(), room).take(NOTICE).map(|line| Span::new(role, line)).collect()
    }
}

/// Text with room on its left, for the mark of the row one stands on, and a little on its right. Where columns are few,
/// they are the text's.
fn inset(area: Rect) -> Rect {
    if area.width < ROOMY {
        return area;
    }
    Rect { x: area.x + INSET, width: area.width - INSET - 1, ..area }
}

/// Columns left of a text.
pub(crate) const INSET: u16 = 2;

/// From so many columns on there is room beside a text.
const ROOMY: u16 = 60;

/// The upper rows of an area, and the rest.
fn rows(area: Rect, upper: u16) -> (Rect, Rect) {
    let upper = upper.min(area.height);
    (Rect { height: upper, ..area }, Rect { y: area.y + upper, height: area.height - upper, ..area })
}

/// The left columns of an area, and the rest.
fn columns(area: Rect, left: u16) -> (Rect, Rect) {
    let left = left.min(area.width);
    (Rect { width: left, ..area }, Rect { x: area.x + left, width: area.width - left, ..area })
}
