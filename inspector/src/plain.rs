//! What a person sees: one line for each exchange, and what to do below those that went wrong.

mod banner;
mod delivery;
mod exchange;
mod list;
mod row;

pub(crate) use self::exchange::secret_flag;

use std::{
    borrow::Cow,
    io::{self, Write},
    time::SystemTime,
};

use jiff::tz::TimeZone;

use hookwire_capture::{Backlog, Connection, Health, Update};

use crate::{
    columns,
    repeats::Repeats,
    sanitize::sanitize,
    theme::{Style, Theme},
    times,
};
use row::{Row, TIME};

/// Renders updates as plain lines.
///
/// ```text
/// 14:02:11  POST /verification  payment.captured   12 ms  200  ✓ valid razorpay
/// 14:02:15  POST /stripe        payment_intent.…  8.7 ms  400  ⧗ stale stripe
///           why:  signature right, but 412 s old (limit 300 s)
///           hint: have it sent anew: gateways sign each attempt with the current time
/// 14:02:31  reconnecting: the relay closed the connection; still trying
/// 14:02:34  connected again after 3.2 s
/// ```
///
/// The columns up to the duration are fixed by the width. What follows flows: a piece that finds no room goes below,
/// nothing of it is lost. It remembers just enough to mark repeats and not to say the same hint twice in a row.
#[derive(Debug)]
pub struct Plain {
    theme: Theme,
    width: usize,
    zone: TimeZone,
    repeats: Repeats,
    /// The hints of the exchange above: while an app is down, a thousand webhooks need its hint once.
    hints: Vec<Cow<'static, str>>,
    /// Why the connection is down, as last said: it is tried for ever, and said once.
    trouble: Option<String>,
    /// The backlog as last told.
    backlog: Backlog,
    /// Whether the way was last found open. It is said when that changes.
    verified: Option<bool>,
    /// What is being rendered; kept for its memory.
    page: String,
}

impl Plain {
    /// For an output of `width` columns that shows times in `zone`.
    ///
    /// Below 60 columns it renders for 60, and leaves the breaking of lines to the terminal. An output that is no
    /// terminal has no width: give it 200, so that every reason stays on its exchange's line and `grep` finds it there.
    pub fn new(theme: Theme, width: usize, zone: TimeZone) -> Self {
        Self {
            theme,
            width: width.max(MIN_WIDTH),
            zone,
            repeats: Repeats::default(),
            hints: Vec::new(),
            trouble: None,
            backlog: Backlog::default(),
            verified: None,
            page: String::new(),
        }
    }

    /// Writes `update` as whole lines. `now` is the time shown beside what has no time of its own. Fails only if `out` does.
    pub fn render(&mut self, update: &Update, now: SystemTime, out: &mut impl Write) -> io::Result<()> {
        self.page.clear();
        match update {
            Update::Ready(ready) => self.banner(ready),
            Update::Exchange(exchange) => self.exchange(exchange),
            Update::Connection(connection) => self.connection(connection, now),
            Update::Skipped(count) => self.skipped(*count, now),
            Update::Store(health) => self.store(health, now),
            Update::Backlog(backlog) => self.backlog(backlog, now),
            Update::Gap(gap) => self.gap(gap, now),
            Update::Proof(proof) => self.proof(proof, now),
        }
        out.write_all(self.page.as_bytes())
    }

    fn connection(&mut self, connection: &Connection, now: SystemTime) {
        let trouble = match connection {
            Connection::Connected { after: None } => {
                self.news(now, self.theme.quiet, "connected");
                None
            }
            Connection::Connected { after: Some(after) } => {
                self.news(now, self.theme.strong, &format!("connected again after {}", times::Short(*after)));
                None
            }
            Connection::Reconnecting { reason, .. } => {
                if self.trouble.as_ref() != Some(reason) {
                    // Said once, so it has to say that it goes on.
                    self.news(now, self.theme.notice, &format!("reconnecting: {}; still trying", brief(reason)));
                }
                Some(reason.clone())
            }
            Connection::Closed { reason } => {
                self.news(now, self.theme.answer_bad, &format!("closed: {}", brief(reason)));
                None
            }
        };
        self.trouble = trouble;
    }

    fn skipped(&mut self, count: u64, now: SystemTime) {
        let text = format!("{count} more delivered, but not shown: this output fell behind");
        self.news(now, self.theme.notice, &text);
    }

    /// How well the store keeps up: what is wrong is said once, and so is that it is right again.
    fn store(&mut self, health: &Health, now: SystemTime) {
        let Health { bodies_skipped, exchanges_skipped, trouble, .. } = health;
        let said = match trouble {
            Some(trouble) => format!("webhooks are delivered, but not kept: {}", brief(trouble)),
            None => "webhooks are kept".to_owned(),
        };
        let left_out = match (exchanges_skipped, bodies_skipped) {
            (0, 0) => String::new(),
            _ => format!("; so far {exchanges_skipped} were not kept, and {bodies_skipped} without their bodies"),
        };
        self.news(now, self.theme.notice, &(said + &left_out));
    }

    /// A line of news that is no exchange.
    fn news(&mut self, now: SystemTime, style: Style, text: &str) {
        let time = self.time(now);
        let mut row = Row::new(&mut self.page, self.width);
        row.cell(self.theme.quiet, &time, TIME);
        row.text(style, text);
        row.end();
    }

    fn time(&self, time: SystemTime) -> String {
        times::timestamp(time).to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }
}

/// Narrower, and no column would be left for the verdict.
const MIN_WIDTH: usize = 60;

/// How many columns of a reason are shown, which may be the text of a peer: five rows of a usual terminal.
const REASON: usize = 400;

/// A reason of whatever origin, made fit to be shown.
fn brief(reason: &str) -> String {
    columns::cut(&sanitize(reason.as_bytes()), REASON).into_owned()
}
