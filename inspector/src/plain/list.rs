//! What a store holds, as a table.

use std::io::{self, Write};

use hookwire_capture::{AnsweredBy, Origin, Summary};

use super::{
    Plain,
    exchange::{METHOD, TOOK, event_columns, mark, request_columns},
    row::{GAP, Row, TIME},
};
use crate::{columns, sanitize::sanitize, theme::Style, times};

/// The columns of a short id: its last digits, as an id begins with the time and those of one burst begin alike.
const ID: usize = 8;

/// The columns of a day and a time: `07-14 02:14:07`.
const WHEN: usize = 14;

/// The columns of an amount: `₹12,345.00` and more seldom.
const AMOUNT: usize = 10;

/// What stands before the columns that a live row has, too.
const BEFORE: usize = ID + GAP + WHEN - TIME;

/// With fewer columns than this there is no room for amounts.
const ROOM_FOR_AMOUNTS: usize = 110;

impl Plain {
    /// Writes a row for each of `summaries`, below the names of the columns if `heading`. Fails only if `out` does.
    ///
    /// ```text
    /// id        time            request               event                   amount    took  answer and signature
    /// 3f9a01c2  07-14 02:14:07  POST /verification    payment.captured       ₹500.00   12 ms  200  ✓ valid razorpay
    /// ```
    pub fn list(&mut self, summaries: &[Summary], heading: bool, out: &mut impl Write) -> io::Result<()> {
        self.page.clear();
        if heading && !summaries.is_empty() {
            self.list_heading();
        }
        for summary in summaries {
            self.summary(summary);
        }
        out.write_all(self.page.as_bytes())
    }

    fn list_heading(&mut self) {
        let (quiet, rest) = (self.theme.quiet, self.width - BEFORE);
        let mut row = Row::new(&mut self.page, self.width);
        row.cell(quiet, "id", ID);
        row.cell(quiet, "time", WHEN);
        row.cell(quiet, "request", request_columns(rest));
        row.cell(quiet, "event", event_columns(rest));
        if self.width >= ROOM_FOR_AMOUNTS {
            row.number(quiet, "amount", AMOUNT);
        }
        row.number(quiet, "took", TOOK);
        row.piece(quiet, &["answer and signature"]);
        row.end();
    }

    fn summary(&mut self, summary: &Summary) {
        let theme = self.theme;
        let when = times::timestamp(summary.received_at).to_zoned(self.zone.clone()).strftime("%m-%d %H:%M:%S");
        let (when, id) = (when.to_string(), summary.id.simple().to_string());
        let (width, rest) = (self.width, self.width - BEFORE);
        let mut row = Row::new(&mut self.page, width);
        row.cell(theme.strong, &id[id.len() - ID..], ID);
        row.cell(theme.quiet, &when, WHEN);
        let room = request_columns(rest);
        row.cell(Style::DEFAULT, &request(summary, room), room);
        let event = summary.event.name.as_deref().unwrap_or_default();
        row.cell(Style::DEFAULT, &sanitize(event.as_bytes()), event_columns(rest));
        if width >= ROOM_FOR_AMOUNTS {
            let amount = summary.amount.map(|amount| amount.to_string()).unwrap_or_default();
            row.number(Style::DEFAULT, &amount, AMOUNT);
        }
        row.number(theme.quiet, &times::Short(summary.duration).to_string(), TOOK);
        let good = summary.error.is_none() && (100..400).contains(&summary.status);
        row.piece(if good { theme.answer_good } else { theme.answer_bad }, &[&answer(summary)]);
        let (style, words) = mark(&summary.verdict, &theme);
        let full = match summary.event.provider {
            Some(provider) => format!("{words} {provider}"),
            None => words.clone(),
        };
        row.piece(style, &[&full, &words]);
        for remark in remarks(summary) {
            row.piece(theme.notice, &[&remark]);
        }
        if let Some(note) = &summary.note {
            row.note(theme.notice, "note: ", &sanitize(note.as_bytes()));
        }
        row.end();
    }
}

fn request(summary: &Summary, room: usize) -> String {
    let method = sanitize(&summary.method);
    let method = columns::cut(&method, METHOD);
    let path = summary.target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let path = sanitize(if path.is_empty() { b"/" } else { path });
    format!("{method} {}", columns::cut_middle(&path, room.saturating_sub(columns::width(&method) + 1)))
}

fn answer(summary: &Summary) -> String {
    let status = if summary.status == 0 { "no answer".to_owned() } else { summary.status.to_string() };
    match (summary.error, summary.answered_by) {
        (Some(code), _) => format!("{status} {code}"),
        (None, AnsweredBy::App) => status,
        (None, other) => format!("{status} by {}", other.as_str()),
    }
}

/// What is unusual about its coming here.
fn remarks(summary: &Summary) -> Vec<String> {
    let origin = match summary.origin {
        Origin::Live => None,
        Origin::Held { .. } => Some("(held)".to_owned()),
        Origin::Replay { of } => {
            let of = of.simple().to_string();
            Some(format!("(replay of {})", &of[of.len() - ID..]))
        }
        other => Some(format!("({})", other.as_str())),
    };
    let late = summary.late.then(|| "(late)".to_owned());
    let repeat =
        (summary.repeats > 0 && !matches!(summary.origin, Origin::Replay { .. })).then(|| "(repeat)".to_owned());
    origin.into_iter().chain(late).chain(repeat).collect()
}
