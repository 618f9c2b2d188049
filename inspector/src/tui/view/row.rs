//! One row of the list, and which columns it has.

use std::time::SystemTime;

use hookwire_capture::{Origin, Summary};
use hookwire_signatures::{Status, Verdict};
use jiff::tz::TimeZone;

use super::pen::Pen;
use crate::{
    line::Role,
    times::{self, Short},
};

/// The columns of the list and their widths; 0 for one that finds no room.
///
/// ```text
///   TIME     METH PATH          EVENT                AMOUNT STA VERDICT     ORIGIN
/// ▸ 14:02:11 POST /verification payment.captured    ₹500.00 200 ✓ valid     live
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    gap: usize,
    method: usize,
    path: usize,
    event: usize,
    amount: usize,
    status: usize,
    took: usize,
    verdict: usize,
    origin: usize,
    repeats: usize,
}

/// Selection and mark.
const GUTTER: usize = 2;

/// `14:02:11`
const TIME: usize = 8;

/// `/verification` fits.
const PATH: usize = 13;

/// `payment.captured` fits.
const EVENT: usize = 16;

/// `payment_intent.amount_capturable_updated` has 40: longer ones are cut where the path needs the room.
const LONG_EVENT: usize = 40;

/// From so many columns on, two lie between the columns.
const WIDE: usize = 110;

impl Plan {
    /// The columns for a width: the more of it, the more of them.
    pub(super) fn new(width: usize) -> Self {
        let gap = if width >= WIDE { 2 } else { 1 };
        // What is always there; event or path take the rest.
        let mut plan = Self {
            gap,
            method: 0,
            path: 0,
            event: 0,
            amount: 0,
            status: 3,
            took: 0,
            verdict: 1,
            origin: 0,
            repeats: 0,
        };
        let mut room = width.saturating_sub(GUTTER + TIME + gap + plan.status + gap + plan.verdict + gap);
        let mut take = |columns: usize, keep: usize| {
            let fits = room >= columns + keep;
            if fits {
                room -= columns;
            }
            fits
        };
        let method = if width >= WIDE { 6 } else { 4 };
        if take(method + gap, PATH + gap + EVENT) {
            plan.method = method;
            let keep = PATH + gap + EVENT;
            let wanted: [(&mut usize, usize, usize); 6] = [
                (&mut plan.verdict, 11, 10),
                (&mut plan.origin, 6, 6 + gap),
                (&mut plan.amount, 10, 10 + gap),
                (&mut plan.took, 6, 6 + gap),
                (&mut plan.status, 10, 7),
                (&mut plan.repeats, 3, 3 + gap),
            ];
            for (column, columns, costs) in wanted {
                if take(costs, keep) {
                    *column = columns;
                }
            }
        } else if take(0, EVENT + gap + 11) && take(10, EVENT) {
            plan.verdict = 11;
        }
        if plan.method == 0 {
            plan.event = room;
        } else {
            let rest = room - gap;
            plan.event = (rest * 55 / 100).clamp(EVENT, LONG_EVENT).min(rest - PATH);
            plan.path = rest - plan.event;
        }
        plan
    }

    /// Writes the names of the columns.
    pub(super) fn heading(&self, pen: &mut Pen<'_>) {
        // A name that does not fit is left out: what stands below it speaks for itself.
        let names = [
            ("time", TIME, false),
            ("method", self.method, false),
            (if self.path > 0 { "path" } else { "" }, self.path, false),
            (if self.method > 0 { "event" } else { "request" }, self.event, false),
            ("amount", self.amount, true),
            ("status", self.status, false),
            ("took", self.took, true),
            ("verdict", self.verdict, false),
            ("origin", self.origin, false),
        ];
        pen.gap(GUTTER);
        for (name, width, right) in names.into_iter().filter(|(_, width, _)| *width > 0) {
            let name = if name.len() > width { "" } else { name };
            if right {
                pen.number(Role::Muted, name, width);
            } else {
                pen.cell(Role::Muted, name, width);
            }
            pen.gap(self.gap);
        }
    }

    /// Writes a row.
    pub(super) fn draw(&self, pen: &mut Pen<'_>, row: &Summary, time: &str, selected: bool, marked: bool) {
        pen.text(Role::Plain, if selected { "▸" } else { " " });
        match (marked, &row.note) {
            (true, _) => pen.text(Role::Warn, "•"),
            (false, Some(_)) => pen.text(Role::Muted, "n"),
            (false, None) => pen.gap(1),
        }
        pen.cell(Role::Muted, time, TIME);
        pen.gap(self.gap);
        self.draw_request(pen, row);
        if self.amount > 0 {
            let amount = row.amount.as_ref().map(ToString::to_string).unwrap_or_default();
            pen.number(Role::Plain, amount, self.amount);
            pen.gap(self.gap);
        }
        self.draw_answer(pen, row);
        let (role, mark, word) = judgement(&row.verdict);
        pen.cell(role, if self.verdict > 1 { format!("{mark} {word}") } else { mark.to_owned() }, self.verdict);
        pen.gap(self.gap);
        self.draw_origin(pen, row);
    }

    fn draw_request(&self, pen: &mut Pen<'_>, row: &Summary) {
        let event = row.event.name.as_deref().unwrap_or_default();
        let path = path(&row.target);
        if self.method == 0 {
            // One column for both: an event says more than the path that all of them come to.
            match event {
                "" => pen.path(Role::Plain, [&row.method[..], b" ", path].concat(), self.event),
                event => pen.cell(Role::Plain, event, self.event),
            }
        } else {
            pen.cell(Role::Muted, &row.method, self.method);
            pen.gap(self.gap);
            pen.path(Role::Plain, path, self.path);
            pen.gap(self.gap);
            pen.cell(Role::Plain, event, self.event);
        }
        pen.gap(self.gap);
    }

    fn draw_answer(&self, pen: &mut Pen<'_>, row: &Summary) {
        let good = row.error.is_none() && (100..400).contains(&row.status);
        let role = if good { Role::Plain } else { Role::Bad };
        let status = if row.status == 0 { "–".to_owned() } else { row.status.to_string() };
        if self.status > 3 {
            pen.cell(role, status, 3);
            pen.gap(1);
            pen.cell(Role::Muted, row.answered_by.as_str(), self.status - 4);
        } else {
            pen.cell(role, status, self.status);
        }
        pen.gap(self.gap);
        if self.took > 0 {
            pen.number(Role::Muted, Short(row.duration).to_string(), self.took);
            pen.gap(self.gap);
        }
    }

    fn draw_origin(&self, pen: &mut Pen<'_>, row: &Summary) {
        if self.origin == 0 {
            return;
        }
        let repeats = if row.repeats > 0 { format!("×{}", row.repeats.saturating_add(1)) } else { String::new() };
        let origin = match (row.late, row.origin) {
            (true, _) => "late",
            (false, origin) => origin.as_str(),
        };
        let usual = !row.late && matches!(row.origin, Origin::Live);
        if self.repeats > 0 {
            pen.cell(if usual { Role::Muted } else { Role::Warn }, origin, self.origin);
            pen.gap(self.gap);
            pen.cell(Role::Warn, repeats, self.repeats);
        } else if usual && !repeats.is_empty() {
            pen.cell(Role::Warn, repeats, self.origin);
        } else {
            pen.cell(if usual { Role::Muted } else { Role::Warn }, origin, self.origin);
        }
    }
}

/// Role, mark and word of a verdict.
pub(super) fn judgement(verdict: &Verdict) -> (Role, &'static str, &'static str) {
    match (verdict.status, verdict.cause) {
        (Status::Valid, None) => (Role::Good, "✓", "valid"),
        (Status::Valid, Some(_)) => (Role::Warn, "✓", "valid"),
        (Status::Stale, _) => (Role::Warn, "⧗", "stale"),
        (Status::Invalid, _) => (Role::Bad, "✗", "invalid"),
        (Status::NoSecret, _) => (Role::Muted, "?", "no secret"),
        (Status::Unsigned, _) => (Role::Muted, "–", "unsigned"),
        (Status::Challenge, _) => (Role::Muted, "–", "challenge"),
        _ => (Role::Muted, "?", "unknown"),
    }
}

/// The time of day.
pub(super) fn clock(time: SystemTime, zone: &TimeZone) -> String {
    times::timestamp(time).to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// The path without its query.
fn path(target: &[u8]) -> &[u8] {
    match target.split(|&byte| byte == b'?').next() {
        None | Some(b"") => b"/",
        Some(path) => path,
    }
}
