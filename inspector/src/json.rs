//! One JSON object a line, for scripts: a contract, so fields are added and never renamed.
//!
//! A line is written straight from the update: nothing is built in between. Strings are exact, except that bytes which are
//! not UTF-8 become `\x9b` in the text; characters that could move a terminal's cursor or hide are written as JSON's own
//! `\u202e`, which every parser reads back.

use std::{
    borrow::Cow,
    io::{self, Write},
    time::{Duration, SystemTime},
};

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;
use uuid::Uuid;

use hookwire_capture::{Backlog, Connection, Exchange, Gap, Origin, Proof, Ready, Summary, Update};
use hookwire_protocol::code::Code;
use hookwire_signatures::{Cause, Verdict};

use crate::{
    delay::{self, Delay},
    sanitize, times,
};

/// Writes `update` as one line. Fails only if `out` does.
pub fn write_line(update: &Update, out: &mut impl Write) -> io::Result<()> {
    write(&Line::of(update), out)?;
    out.write_all(b"\n")
}

/// Writes what a list shows of an exchange as one line. Fails only if `out` does.
pub fn write_summary(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    write(&Listed::of(summary), out)?;
    out.write_all(b"\n")
}

/// Writes `value` in compact form, with every character escaped that a terminal could obey or hide.
pub(crate) fn write(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Visible))?;
    Ok(())
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "one lives at a time, on the stack of `write_line`")]
enum Line<'a> {
    Ready {
        public_url: &'a str,
        webhook_url: &'a str,
        api: Option<&'a str>,
        target: &'a str,
        endpoint: &'a str,
    },
    Exchange {
        #[serde(serialize_with = "write_id")]
        id: Uuid,
        #[serde(serialize_with = "write_time")]
        time: SystemTime,
        origin: &'static str,
        #[serde(serialize_with = "write_optional_id", skip_serializing_if = "Option::is_none")]
        replay_of: Option<Uuid>,
        endpoint: &'a str,
        method: Cow<'a, str>,
        path: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        query: Option<Cow<'a, str>>,
        status: u16,
        answered_by: &'static str,
        event: Option<&'a str>,
        event_id: Option<&'a str>,
        verdict: Judgement<'a>,
        error: Option<&'static str>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        late: bool,
        #[serde(serialize_with = "write_milliseconds")]
        duration_ms: Duration,
        request_bytes: u64,
        response_bytes: u64,
    },
    Connection {
        state: &'static str,
        reason: Option<&'a str>,
        retry_in_ms: Option<u64>,
    },
    Skipped {
        count: u64,
    },
    Store {
        bodies_skipped: u64,
        exchanges_skipped: u64,
        trouble: Option<&'a str>,
    },
    Backlog {
        held: u64,
        parked: u64,
        left_ms: Option<u64>,
    },
    Gap {
        #[serde(serialize_with = "write_time")]
        from: SystemTime,
        #[serde(serialize_with = "write_time")]
        to: SystemTime,
        held: u64,
        delivered: u64,
        lost: u64,
    },
    #[serde(rename = "round-trip")]
    RoundTrip {
        #[serde(serialize_with = "write_milliseconds")]
        took_ms: Duration,
    },
    Verified {
        #[serde(serialize_with = "write_time")]
        time: SystemTime,
        #[serde(serialize_with = "write_milliseconds")]
        took_ms: Duration,
    },
    Unverified {
        reason: &'a str,
    },
}

/// A verdict and what shows its cause, as they stand in JSON. The fields of [`VerdictFields`] are repeated, since flattening them
/// takes as long as the rest of a line.
#[derive(Serialize)]
pub(crate) struct Judgement<'a> {
    status: &'static str,
    scheme: Option<&'static str>,
    secret: Option<&'a str>,
    cause: Option<&'static str>,
    reason: Option<String>,
    evidence: Option<&'a str>,
}

/// A verdict as it stands in JSON.
#[derive(Serialize)]
struct VerdictFields<'a> {
    status: &'static str,
    scheme: Option<&'static str>,
    secret: Option<&'a str>,
    cause: Option<&'static str>,
    reason: Option<String>,
}

impl<'a> Line<'a> {
    fn of(update: &'a Update) -> Self {
        match update {
            Update::Ready(ready) => Self::ready(ready),
            Update::Exchange(exchange) => Self::exchange(exchange),
            Update::Connection(connection) => Self::connection(connection),
            Update::Skipped(count) => Self::Skipped { count: *count },
            Update::Store(health) => Self::Store {
                bodies_skipped: health.bodies_skipped,
                exchanges_skipped: health.exchanges_skipped,
                trouble: health.trouble.as_deref(),
            },
            Update::Backlog(Backlog { held, parked, left }) => {
                Self::Backlog { held: *held, parked: *parked, left_ms: left.map(milliseconds) }
            }
            Update::Gap(Gap { from, to, held, delivered, lost }) => {
                Self::Gap { from: *from, to: *to, held: *held, delivered: *delivered, lost: *lost }
            }
            Update::Proof(Proof::RoundTrip(took)) => Self::RoundTrip { took_ms: *took },
            Update::Proof(Proof::Verified { at, took }) => Self::Verified { time: *at, took_ms: *took },
            Update::Proof(Proof::Unverified { reason }) => Self::Unverified { reason },
        }
    }

    fn ready(ready: &'a Ready) -> Self {
        Self::Ready {
            public_url: &ready.public_url,
            webhook_url: &ready.webhook_url,
            api: ready.api.as_deref(),
            target: &ready.target,
            endpoint: &ready.endpoint,
        }
    }

    fn exchange(exchange: &'a Exchange) -> Self {
        Self::Exchange {
            id: exchange.id,
            time: exchange.received_at,
            origin: exchange.origin.as_str(),
            replay_of: replay_of(exchange.origin),
            endpoint: &exchange.endpoint,
            method: sanitize::as_text(exchange.method()),
            path: sanitize::as_text(exchange.path()),
            query: exchange.query().map(sanitize::as_text),
            status: exchange.status(),
            answered_by: exchange.answered_by.as_str(),
            event: exchange.event.name.as_deref(),
            event_id: exchange.event.id.as_deref(),
            verdict: Judgement::of(exchange),
            error: exchange.error.map(Code::as_str),
            late: exchange.late,
            duration_ms: exchange.duration,
            request_bytes: exchange.request_body.length,
            response_bytes: exchange.response_body.length,
        }
    }

    fn connection(connection: &'a Connection) -> Self {
        match connection {
            Connection::Connected { .. } => Self::Connection { state: "connected", reason: None, retry_in_ms: None },
            Connection::Reconnecting { reason, retry_in } => {
                let retry_in_ms = Some(milliseconds(*retry_in));
                Self::Connection { state: "reconnecting", reason: Some(reason), retry_in_ms }
            }
            Connection::Closed { reason } => {
                Self::Connection { state: "closed", reason: Some(reason), retry_in_ms: None }
            }
        }
    }
}

impl<'a> Judgement<'a> {
    pub(crate) fn of(exchange: &'a Exchange) -> Self {
        let VerdictFields { status, scheme, secret, cause, reason } =
            VerdictFields::of(&exchange.verdict, Delay::of(exchange));
        Self { status, scheme, secret, cause, reason, evidence: exchange.evidence.as_deref() }
    }
}

impl<'a> VerdictFields<'a> {
    fn of(verdict: &'a Verdict, delay: Option<Delay>) -> Self {
        Self {
            status: verdict.status.as_str(),
            scheme: verdict.scheme,
            secret: verdict.secret.as_deref(),
            cause: verdict.cause.map(Cause::as_str),
            reason: delay::reason(verdict, delay),
        }
    }
}

/// What a list shows of an exchange, under the names that [`Line::Exchange`] has.
#[derive(Serialize)]
struct Listed<'a> {
    row: u64,
    #[serde(serialize_with = "write_id")]
    id: Uuid,
    #[serde(serialize_with = "write_time")]
    time: SystemTime,
    origin: &'static str,
    #[serde(serialize_with = "write_optional_id", skip_serializing_if = "Option::is_none")]
    replay_of: Option<Uuid>,
    endpoint: &'a str,
    method: Cow<'a, str>,
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Cow<'a, str>>,
    status: u16,
    answered_by: &'static str,
    late: bool,
    event: Option<&'a str>,
    event_id: Option<&'a str>,
    repeats: u32,
    amount: Option<String>,
    verdict: VerdictFields<'a>,
    error: Option<&'static str>,
    #[serde(serialize_with = "write_milliseconds")]
    duration_ms: Duration,
    request_bytes: u64,
    response_bytes: u64,
    note: Option<&'a str>,
}

impl<'a> Listed<'a> {
    fn of(summary: &'a Summary) -> Self {
        let mut target = summary.target.splitn(2, |byte| *byte == b'?');
        let path = target.next().filter(|path| !path.is_empty()).unwrap_or(b"/");
        Self {
            row: summary.row,
            id: summary.id,
            time: summary.received_at,
            origin: summary.origin.as_str(),
            replay_of: replay_of(summary.origin),
            endpoint: &summary.endpoint,
            method: sanitize::as_text(&summary.method),
            path: sanitize::as_text(path),
            query: target.next().map(sanitize::as_text),
            status: summary.status,
            answered_by: summary.answered_by.as_str(),
            late: summary.late,
            event: summary.event.name.as_deref(),
            event_id: summary.event.id.as_deref(),
            repeats: summary.repeats,
            amount: summary.amount.map(|amount| amount.to_string()),
            verdict: VerdictFields::of(&summary.verdict, Delay::of_summary(summary)),
            error: summary.error.map(Code::as_str),
            duration_ms: summary.duration,
            request_bytes: summary.request_length,
            response_bytes: summary.response_length,
            note: summary.note.as_deref(),
        }
    }
}

fn replay_of(origin: Origin) -> Option<Uuid> {
    match origin {
        Origin::Replay { of } => Some(of),
        _ => None,
    }
}

#[expect(clippy::ref_option, reason = "serde hands over a field as it is")]
fn write_optional_id<S: Serializer>(id: &Option<Uuid>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => write_id(id, serializer),
        None => serializer.serialize_none(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn write_id<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

/// RFC 3339 in UTC with milliseconds. A time that no calendar of four-digit years has becomes the nearest one that has.
fn write_time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{:.3}", times::timestamp(*time)))
}

/// Milliseconds with one decimal: enough to compare two answers by, short enough to read.
fn write_milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 10_000.0).round() / 10.0)
}

/// JSON's compact form, with every character escaped that a terminal could obey or hide.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // `serde_json` has escaped what lies below a space.
        if fragment.bytes().fold(0, u8::max) < 0x7F {
            return out.write_all(fragment.as_bytes());
        }
        let mut utf8 = [0; 4];
        for c in fragment.chars() {
            if sanitize::is_visible(c) {
                out.write_all(c.encode_utf8(&mut utf8).as_bytes())?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}
