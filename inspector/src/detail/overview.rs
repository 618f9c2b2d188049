//! What happened, in the order it happened.

use std::{borrow::Cow, time::Duration};

use jiff::tz::TimeZone;

use hookwire_capture::{AnsweredBy, Exchange, Origin};
use hookwire_protocol::code::Code;
use hookwire_signatures::Provider;

use super::{Context, budget, message, sheet::Sheet, signature};
use crate::{
    line::{Line, Role, Span},
    rendered::Content,
    sizes,
    times::{self, Short},
};

/// The overview.
///
/// ```text
/// POST /verification
/// payment.captured · ₹500.00 · evt_29QQoUBi66xm2f
/// ✓ valid razorpay
///
/// received     2026-07-14 02:14:07.250
/// origin       live: a sender posted it
/// id           01980000-0000-7000-8000-000000000001
///
/// timeline
/// to the app    0.4 ms  █
/// app works      11 ms   ████████████████████████████████████
/// answer        1.3 ms                                       ███
/// in all         12 ms  of Razorpay's 5 s
///
/// answered by  app: 200 OK, 2 bytes
/// ```
pub(super) fn content(exchange: &Exchange, context: &Context, width: usize) -> Box<dyn Content> {
    let mut sheet = Sheet::default();
    sheet.line(message::request_line(exchange));
    event(exchange, context, &mut sheet);
    sheet.line(vec![signature::mark(&exchange.verdict)]);
    sheet.line(Line::new());
    origin(exchange, context, &mut sheet);
    timeline(exchange, width, &mut sheet);
    answer(exchange, &mut sheet);
    sheet.finish()
}

/// Name, amount and id of the event, as far as they are known.
fn event(exchange: &Exchange, context: &Context, sheet: &mut Sheet) {
    let event = &exchange.event;
    let known = [
        event.name.as_deref().map(|name| Span::new(Role::Plain, name)),
        context.amount.as_deref().map(|amount| Span::new(Role::Number, amount)),
        event.id.as_deref().map(|id| Span::new(Role::Muted, id)),
    ];
    let mut line = Line::new();
    for span in known.into_iter().flatten() {
        if !line.is_empty() {
            line.push(Span::new(Role::Muted, " · "));
        }
        line.push(span);
    }
    if !line.is_empty() {
        sheet.line(line);
    }
    if context.repeats > 0 {
        let times = if context.repeats == 1 { "once".into() } else { format!("{} times", context.repeats) };
        sheet.text(Role::Warn, format!("this event came {times} before: providers deliver at least once"));
    }
}

fn origin(exchange: &Exchange, context: &Context, sheet: &mut Sheet) {
    let time = |time| times::timestamp(time).to_zoned(context.zone.clone());
    let zone = if context.zone == TimeZone::UTC { " UTC" } else { "" };
    let received = time(exchange.received_at).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
    sheet.field("received", Role::Plain, received + zone);
    let origin = match exchange.origin {
        Origin::Live => Cow::Borrowed("live: a sender posted it"),
        Origin::Held { since } => {
            Cow::Owned(format!("held by the relay since {}{zone}", time(since).strftime("%Y-%m-%d %H:%M:%S")))
        }
        Origin::Replay { of } => Cow::Owned(format!("replay of {}", of.hyphenated())),
        Origin::Sent => Cow::Borrowed("sent from here"),
        other => Cow::Borrowed(other.as_str()),
    };
    sheet.field("origin", Role::Plain, &*origin);
    sheet.field("endpoint", Role::Plain, &*exchange.endpoint);
    let id = exchange.id.hyphenated().to_string();
    sheet.field("id", Role::Plain, id);
    if let Some(note) = &context.note {
        sheet.field("note", Role::Warn, note);
    }
}

/// One step of an exchange on its way.
struct Step {
    name: &'static str,
    from: Duration,
    to: Duration,
}

fn timeline(exchange: &Exchange, width: usize, sheet: &mut Sheet) {
    sheet.heading("timeline");
    let total = exchange.duration;
    let room = width.saturating_sub(TIMELINE_TEXT).min(MAX_BAR);
    for Step { name, from, to } in steps(exchange) {
        let took = Short(to.saturating_sub(from)).to_string();
        sheet.line(vec![
            Span::new(Role::Muted, format!("{name:STEP_COLUMNS$}")),
            Span::new(Role::Plain, format!("{took:>TOOK_COLUMNS$}  ")),
            Span::new(Role::Good, bar(from, to, total, room)),
        ]);
    }
    let mut all = vec![
        Span::new(Role::Muted, format!("{:STEP_COLUMNS$}", "in all")),
        Span::new(Role::Plain, format!("{:>TOOK_COLUMNS$}", Short(total).to_string())),
    ];
    let Some(budget) = spent(exchange) else { return sheet.line(all) };
    let role = match total {
        _ if total > budget.limit => Role::Bad,
        _ if total > budget.limit / 2 => Role::Warn,
        _ => Role::Good,
    };
    let title = exchange.event.provider.map_or("the sender", Provider::title);
    all.push(Span::new(role, format!("  of {title}'s {}", seconds(budget.limit))));
    if total > budget.limit {
        all.push(Span::new(Role::Bad, ": it had given up by then, and will send it again"));
    }
    sheet.hang(all, STEP_COLUMNS + TOOK_COLUMNS + 2);
    sheet.field("limit from", Role::Muted, budget.source);
}

fn steps(exchange: &Exchange) -> Vec<Step> {
    let total = exchange.duration;
    let mut steps = Vec::new();
    let sent = exchange.forwarded.unwrap_or_default().min(total);
    if exchange.forwarded.is_some() {
        steps.push(Step { name: "to the app", from: Duration::ZERO, to: sent });
    }
    if let Some(answered) = exchange.first_byte.map(|answered| answered.clamp(sent, total)) {
        steps.push(Step { name: "app works", from: sent, to: answered });
        steps.push(Step { name: "answer", from: answered, to: total });
    } else if exchange.forwarded.is_some() {
        steps.push(Step { name: "app silent", from: sent, to: total });
    }
    steps
}

/// The budget that an exchange spends from. One that was made here has nobody waiting.
fn spent(exchange: &Exchange) -> Option<&'static budget::Budget> {
    let waits = matches!(exchange.origin, Origin::Live) && !exchange.late;
    exchange.event.provider.filter(|_| waits).and_then(|provider| budget::of(provider.name()))
}

/// A bar of `room` columns for all of `total`, filled from `from` to `to`; what took any time has a mark at least.
fn bar(from: Duration, to: Duration, total: Duration, room: usize) -> String {
    if total.is_zero() || room == 0 {
        return String::new();
    }
    let (whole, half) = (total.as_nanos(), total.as_nanos() / 2);
    let column = |time: Duration| ((time.as_nanos() * room as u128 + half) / whole) as usize;
    let (start, end) = (column(from).min(room - 1), column(to).min(room));
    let marks = if end > start { "█".repeat(end - start) } else { "▏".to_owned() };
    format!("{}{marks}", " ".repeat(start))
}

fn answer(exchange: &Exchange, sheet: &mut Sheet) {
    sheet.line(Line::new());
    let mut line = vec![Span::new(Role::Plain, format!("{}: ", exchange.answered_by.as_str()))];
    line.extend(message::status(exchange));
    let length = sizes::bytes(exchange.response_body.length);
    line.push(Span::new(Role::Muted, format!(", {length}")));
    sheet.fields("answered by", line);
    if exchange.late {
        let late = "the sender got 202 from the relay when the deadline had passed; what the app said went to nobody";
        sheet.field("late", Role::Warn, late);
    }
    if let Some(code) = exchange.error {
        error(code, sheet);
    } else if exchange.answered_by == AnsweredBy::Relay && !exchange.late {
        sheet.field("", Role::Muted, "the relay answered for the app: it has the webhook, and delivers it");
    }
}

/// What went wrong, whose fault it is, and what to do.
pub(super) fn error(code: Code, sheet: &mut Sheet) {
    sheet.field("error", Role::Bad, format!("{code}: {}", code.message()));
    sheet.field("whose fault", Role::Plain, code.fault().as_str());
    sheet.field("what to do", Role::Plain, code.hint());
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}

/// The longest name, `to the app` or `app silent`, and a gap.
const STEP_COLUMNS: usize = 13;

/// See [`Short`].
const TOOK_COLUMNS: usize = 6;

/// What stands before a bar.
const TIMELINE_TEXT: usize = STEP_COLUMNS + TOOK_COLUMNS + 2;

/// A longer bar tells no more.
const MAX_BAR: usize = 40;
