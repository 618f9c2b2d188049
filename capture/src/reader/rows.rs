//! Rows of the store to exchanges and what lists show of them.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Row, types::FromSql};
use uuid::Uuid;

use hookwire_protocol::head::{RequestHead, ResponseHead};

use crate::{
    Amount, CapturedBody, Currency, Evidence, Exchange, StoreError, Summary,
    columns::{self, VerdictColumns, duration_of, time_of, unsigned},
};

/// What a summary is read from, in the order in which it is read.
pub(super) const SUMMARY: &str = "e.row, e.id, e.origin, e.replay_of, e.held_since, e.endpoint, e.received_at, e.method, \
    e.target, e.status, e.answered_by, e.error, e.late, e.duration, e.verdict, e.scheme, e.secret, e.cause, e.age, \
    e.tolerance, e.provider, e.event, e.event_id, e.amount, e.currency, e.repeats, e.request_length, e.response_length, \
    e.note";

/// What a whole exchange is read from: a summary and the rest.
pub(super) const EXCHANGE: &str = "head.request, head.response, head.forwarded, head.first_byte, head.evidence, \
    body.request, body.request_sha256, body.response, body.response_sha256";

/// Reads columns one after the other.
struct Columns<'a, 'r> {
    row: &'a Row<'r>,
    next: usize,
}

impl Columns<'_, '_> {
    fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let value = self.row.get(self.next);
        self.next += 1;
        value
    }

    /// Looks at a word without a copy of it.
    fn word<T>(&mut self, read: impl FnOnce(Option<&str>) -> T) -> rusqlite::Result<T> {
        let word = self.row.get_ref(self.next)?.as_str_or_null()?;
        self.next += 1;
        Ok(read(word))
    }

    fn bytes(&mut self) -> rusqlite::Result<Bytes> {
        let bytes = self.row.get_ref(self.next)?.as_blob_or_null()?;
        self.next += 1;
        Ok(bytes.map(Bytes::copy_from_slice).unwrap_or_default())
    }
}

/// Reads [`SUMMARY`].
pub(super) fn summary(row: &Row<'_>) -> rusqlite::Result<Summary> {
    read_summary(&mut Columns { row, next: 0 })
}

fn read_summary(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Summary> {
    let row = unsigned(columns.take()?);
    let id = Uuid::from_bytes(columns.take()?);
    let word: String = columns.take()?;
    let origin = columns::origin_of(&word, columns.take()?, columns.take()?);
    let endpoint = columns.word(|name| Arc::from(name.unwrap_or_default()))?;
    let received_at = time_of(columns.take()?);
    let (method, target) = (columns.bytes()?, columns.bytes()?);
    let status = columns.take()?;
    let answered_by = columns.word(|word| columns::answered_by_of(word.unwrap_or_default()))?;
    let error = columns.word(|name| name.map(columns::error_of))?;
    let late = columns.take()?;
    let duration = duration_of(columns.take()?);
    let verdict = {
        let (status, scheme): (String, Option<String>) = (columns.take()?, columns.take()?);
        let (secret, cause): (_, Option<String>) = (columns.take()?, columns.take()?);
        let (age, tolerance) = (columns.take()?, columns.take()?);
        let (scheme, cause) = (scheme.as_deref(), cause.as_deref());
        VerdictColumns { status: &status, scheme, secret, cause, age, tolerance }.verdict()
    };
    let provider: Option<String> = columns.take()?;
    let event = columns::event_of(provider.as_deref(), columns.take()?, columns.take()?);
    let minor: Option<i64> = columns.take()?;
    let currency = columns.word(|code| code.and_then(Currency::of))?;
    Ok(Summary {
        row,
        id,
        origin,
        endpoint,
        received_at,
        method,
        target,
        status,
        answered_by,
        error,
        late,
        duration,
        verdict,
        event,
        amount: minor.zip(currency).map(|(minor, currency)| Amount { minor, currency }),
        repeats: columns.take()?,
        request_length: unsigned(columns.take()?),
        response_length: unsigned(columns.take()?),
        note: columns.take()?,
    })
}

/// Reads [`SUMMARY`] and [`EXCHANGE`]. What can't be decoded is an error of its own: the row is there, and damaged.
pub(super) fn exchange(row: &Row<'_>) -> rusqlite::Result<Result<Exchange, StoreError>> {
    let mut columns = Columns { row, next: 0 };
    let summary = read_summary(&mut columns)?;
    let damaged = |what| Ok(Err(StoreError::Damaged { row: summary.row, what }));
    let Ok(request) = RequestHead::decode(columns.bytes()?) else {
        return damaged("its request can't be decoded");
    };
    let response: Option<Vec<u8>> = columns.take()?;
    let Ok(response) = response.map(|head| ResponseHead::decode(head.into())).transpose() else {
        return damaged("its response can't be decoded");
    };
    let forwarded = columns.take::<Option<i64>>()?.map(duration_of);
    let first_byte = columns.take::<Option<i64>>()?.map(duration_of);
    let evidence = columns.take::<Option<String>>()?.map(Evidence::from);
    let mut body = |length| -> rusqlite::Result<CapturedBody> {
        Ok(CapturedBody { bytes: columns.bytes()?, length, sha256: columns.take()? })
    };
    Ok(Ok(Exchange {
        request_body: body(summary.request_length)?,
        response_body: body(summary.response_length)?,
        id: summary.id,
        origin: summary.origin,
        endpoint: summary.endpoint,
        received_at: summary.received_at,
        request,
        response,
        answered_by: summary.answered_by,
        late: summary.late,
        error: summary.error,
        forwarded,
        first_byte,
        duration: summary.duration,
        verdict: summary.verdict,
        evidence,
        event: summary.event,
    }))
}
