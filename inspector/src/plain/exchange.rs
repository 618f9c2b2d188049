//! The row of an exchange, and what is to be said below it.

use std::borrow::Cow;

use hookwire_capture::{AnsweredBy, Exchange, Origin};
use hookwire_signatures::{Cause, Scheme, Status, Verdict};

use super::{
    Plain, brief,
    row::{Row, TIME},
};
use crate::{
    advice, columns,
    delay::{self, Delay},
    sanitize::sanitize,
    theme::{Style, Theme},
    times,
};

/// The columns of a duration: see [`times::Short`].
pub(super) const TOOK: usize = 6;

/// The columns that a method gets at most. The longest of RFC 9110 has 7; a request may bring any token.
pub(super) const METHOD: usize = 10;

impl Plain {
    /// The names of the columns.
    pub(super) fn heading(&mut self) {
        let quiet = self.theme.quiet;
        let mut row = Row::new(&mut self.page, self.width);
        row.cell(quiet, "time", TIME);
        row.cell(quiet, "request", request_columns(self.width));
        row.cell(quiet, "event", event_columns(self.width));
        row.number(quiet, "took", TOOK);
        row.piece(quiet, &["answer and signature"]);
        row.end();
    }

    /// One exchange: its row; below it why its signature is not right, and what to do.
    pub(super) fn exchange(&mut self, exchange: &Exchange) {
        let theme = self.theme;
        let time = self.time(exchange.received_at);
        let remark = self.remark(exchange);
        let hints = hints(exchange);

        let mut row = Row::new(&mut self.page, self.width);
        row.cell(theme.quiet, &time, TIME);
        let columns = request_columns(self.width);
        row.cell(Style::DEFAULT, &request(exchange, columns), columns);
        let event = exchange.event.name.as_deref().unwrap_or_default();
        row.cell(Style::DEFAULT, &sanitize(event.as_bytes()), event_columns(self.width));
        row.number(theme.quiet, &times::Short(exchange.duration).to_string(), TOOK);
        row.piece(answer_style(exchange, &theme), &[&answer(exchange)]);
        judgement(&mut row, exchange, &theme, remark);
        for hint in hints.iter().filter(|hint| !self.hints.contains(hint)) {
            row.note(theme.quiet, "hint: ", hint);
        }
        row.end();
        self.hints = hints;
    }

    /// What is unusual about the exchange's coming here, in a long and a short form.
    fn remark(&mut self, exchange: &Exchange) -> Option<[&'static str; 2]> {
        match exchange.origin {
            // These have the id of an event that was here, which is no news.
            Origin::Replay { .. } => return Some(["(replay)"; 2]),
            Origin::Sent => return Some(["(sent from here)", "(sent)"]),
            _ => {}
        }
        let id = exchange.event.id.as_deref();
        let repeated = id.is_some_and(|id| self.repeats.seen(exchange.event.provider, id));
        match (repeated, exchange.origin) {
            (true, _) => Some(["(repeat of the same event id)", "(repeat)"]),
            (false, Origin::Held { .. }) => Some(["(held by the relay)", "(held)"]),
            (false, _) if exchange.error.is_some() && exchange.answered_by == AnsweredBy::Relay => {
                Some(["(the relay holds it)", "(held)"])
            }
            (false, _) if exchange.late => Some(["(the sender had its 202 already)", "(202 sent)"]),
            (false, _) => None,
        }
    }
}

/// At 80 columns `POST /verification` fits exactly, and leaves room for `502 app-refused  ✓ valid`.
pub(super) fn request_columns(width: usize) -> usize {
    (width / 4 - 2).clamp(14, 40)
}

/// At 80 columns `payment.captured` fits exactly, at 120 `payment_intent.succeeded`.
pub(super) fn event_columns(width: usize) -> usize {
    (width / 5).clamp(12, 32)
}

fn request(exchange: &Exchange, room: usize) -> String {
    let method = sanitize(exchange.method());
    let method = columns::cut(&method, METHOD);
    let path = sanitize(exchange.path());
    let path = columns::cut_middle(&path, room.saturating_sub(columns::width(&method) + 1));
    format!("{method} {path}")
}

/// The status, and who answered or what went wrong if it was not simply the app.
fn answer(exchange: &Exchange) -> String {
    let status = match exchange.status() {
        0 => Cow::Borrowed("no answer"),
        status => Cow::Owned(status.to_string()),
    };
    match (exchange.error, exchange.answered_by) {
        // The relay's own answer is the same for all: what counts is what the app said, too late for the sender.
        (None, _) if exchange.late => format!("{status} late"),
        (None, _) if matches!(exchange.origin, Origin::Held { .. }) => status.into_owned(),
        (Some(code), _) => format!("{status} {code}"),
        (None, AnsweredBy::App) => status.into_owned(),
        (None, other) => format!("{status} by {}", other.as_str()),
    }
}

fn answer_style(exchange: &Exchange, theme: &Theme) -> Style {
    let good = exchange.error.is_none() && (100..400).contains(&exchange.status());
    if good { theme.answer_good } else { theme.answer_bad }
}

/// Writes the verdict as fully as there is room for; what did not fit of its reason stands below.
fn judgement(row: &mut Row<'_>, exchange: &Exchange, theme: &Theme, remark: Option<[&str; 2]>) {
    let verdict = &exchange.verdict;
    let (style, short) = mark(verdict, theme);
    let full = match verdict.scheme.and_then(Scheme::with_id) {
        Some(scheme) if verdict.status == Status::NoSecret => format!("{short} for {}", scheme.provider),
        Some(scheme) if verdict.status != Status::Unsigned => format!("{short} {}", scheme.provider),
        _ => short.clone(),
    };
    // Without a secret, the reason says no more than the verdict and the hint.
    let why = delay::reason(verdict, Delay::of(exchange))
        .filter(|_| verdict.status != Status::NoSecret)
        .map(|why| brief(&why));
    let whole = why.as_ref().map(|why| format!("{full}: {why}"));
    let written = row.piece(style, &[whole.as_ref().unwrap_or(&full), &full, &short]);
    if let Some(remark) = remark {
        row.piece(theme.notice, &remark);
    }
    if let Some(why) = why.filter(|_| written > 0) {
        row.note(style, "why:  ", &why);
    }
}

/// Mark and words of a verdict.
pub(super) fn mark(verdict: &Verdict, theme: &Theme) -> (Style, String) {
    let (style, words) = match (verdict.status, verdict.cause) {
        (Status::Valid, None) => (theme.verdict_good, "✓ valid"),
        (Status::Valid, Some(_)) => (theme.verdict_stale, "✓ valid"),
        (Status::Stale, _) => (theme.verdict_stale, "⧗ stale"),
        (Status::Invalid, _) => (theme.verdict_bad, "✗ invalid"),
        (Status::NoSecret, _) => (theme.verdict_unknown, "? no secret"),
        (Status::Unsigned, _) => (theme.verdict_unknown, "– unsigned"),
        (Status::Challenge, _) => (theme.verdict_unknown, "– challenge"),
        (other, _) => return (theme.verdict_unknown, format!("? {other}")),
    };
    (style, words.to_owned())
}

/// What to do: about the answer first, for the sender has got it already; then about the signature.
fn hints(exchange: &Exchange) -> Vec<Cow<'static, str>> {
    let answer = exchange.error.map(|code| Cow::Owned(format!("{}: {}", code.message(), code.hint())));
    let [first, second] = match (exchange.verdict.status, exchange.verdict.cause) {
        (Status::NoSecret, _) => [secret_flag(&exchange.verdict), None],
        (Status::Valid, None) => match advice::refusal(exchange) {
            Some(refusal) => [Some(brief(&refusal.to_string()).into()), Some(refusal.advice().into())],
            None => [None, None],
        },
        _ if Delay::of(exchange).is_some() => [Some(Cow::Borrowed(delay::COMMAND)), None],
        (_, Some(cause)) => [Some(cause.advice().into()), evidence(exchange, cause)],
        (_, None) => [None, None],
    };
    answer.into_iter().chain(first).chain(second).collect()
}

/// What shows the cause, where that is more than the reason says.
fn evidence(exchange: &Exchange, cause: Cause) -> Option<Cow<'static, str>> {
    let says_more = match cause {
        // What was tried in vain fills lines, and tells less than the advice.
        Cause::NoMatch => false,
        // The reason names the secret already.
        Cause::WrongSecret => exchange.verdict.secret.is_none(),
        _ => true,
    };
    exchange.evidence.as_deref().filter(|_| says_more).map(|evidence| brief(evidence).into())
}

/// How to give the secret that a verdict lacked.
pub(crate) fn secret_flag(verdict: &Verdict) -> Option<Cow<'static, str>> {
    let provider = Scheme::with_id(verdict.scheme?)?.provider;
    let variable = provider.usual_env_names().first()?;
    Some(Cow::Owned(format!("`--secret {provider}=env:{variable}` lets it be judged")))
}
