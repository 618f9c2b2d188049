//! Rows in and out of a store, inside the writer's transaction.

use bytes::BytesMut;
use rusqlite::{CachedStatement, Connection, MAIN_DB, OptionalExtension as _, blob::ZeroBlob, params};
use uuid::Uuid;

use hookwire_protocol::code::Code;
use hookwire_signatures::{Cause, Provider};

use crate::{
    Amount, Currency, Exchange, Origin, Ready,
    amount::amount,
    columns::{duration_micros, micros_of, signed},
    sieve,
};

/// Bodies of together at least this size are written into the pages of their row. What is bound to a statement instead is copied whole twice before it
/// gets there: 2 MiB of memory for a body of 1 MiB. Below, opening a body costs as much or more.
const IN_PLACE: usize = 16 << 10;

/// How many exchanges a store holds, and how many bytes of heads and bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) exchanges: i64,
    pub(super) bytes: i64,
}

impl Total {
    pub(super) fn of(database: &Connection) -> rusqlite::Result<Self> {
        database
            .prepare_cached("SELECT exchanges, bytes FROM total")?
            .query_row([], |row| Ok(Self { exchanges: row.get(0)?, bytes: row.get(1)? }))
    }

    pub(super) fn store(self, database: &Connection) -> rusqlite::Result<()> {
        database
            .prepare_cached("UPDATE total SET exchanges = ?1, bytes = ?2")?
            .execute((self.exchanges, self.bytes))
            .map(drop)
    }
}

/// The statements of one transaction, prepared once, and the memory that they share.
pub(super) struct Insert<'d> {
    exchange: CachedStatement<'d>,
    sieve: CachedStatement<'d>,
    head: CachedStatement<'d>,
    body: CachedStatement<'d>,
    earlier: CachedStatement<'d>,
    maker: sieve::Maker,
    encoded: BytesMut,
}

/// Numbered parameters: looking names up took a tenth of a row's time. [`Insert::add_summary`] has them in this order.
const EXCHANGE: &str = "
    INSERT INTO exchange (id, origin, replay_of, held_since, endpoint, received_at, method, target, status, answered_by, error,
        late, duration, verdict, scheme, secret, cause, age, tolerance, provider, event, event_id, amount, currency, repeats,
        request_length, response_length, bytes)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25,
        ?26, ?27, ?28)";

impl<'d> Insert<'d> {
    pub(super) fn into(database: &'d Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            exchange: database.prepare_cached(EXCHANGE)?,
            sieve: database.prepare_cached("INSERT INTO sieve (row, bits) VALUES (?1, ?2)")?,
            head: database.prepare_cached("INSERT INTO head VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            body: database.prepare_cached("INSERT INTO body VALUES (?1, ?2, ?3, ?4, ?5)")?,
            earlier: database.prepare_cached(
                "SELECT repeats FROM exchange WHERE provider = ?1 AND event_id = ?2 AND origin <> 'replay'
                 ORDER BY row DESC LIMIT 1",
            )?,
            maker: sieve::Maker::default(),
            encoded: BytesMut::new(),
        })
    }

    /// Adds an exchange; says how many bytes it counts for.
    pub(super) fn add(&mut self, database: &Connection, exchange: &Exchange) -> rusqlite::Result<i64> {
        self.encoded.clear();
        exchange.request.encode(&mut self.encoded);
        let request = self.encoded.split();
        let response = exchange.response.as_ref().map(|head| {
            head.encode(&mut self.encoded);
            self.encoded.split()
        });
        let heads = request.len() + response.as_ref().map_or(0, BytesMut::len);
        let bytes = signed((heads + exchange.request_body.bytes.len() + exchange.response_body.bytes.len()) as u64);
        self.add_summary(exchange, bytes)?;
        let row = database.last_insert_rowid();
        let (forwarded, first_byte) =
            (exchange.forwarded.map(duration_micros), exchange.first_byte.map(duration_micros));
        let evidence = exchange.evidence.as_deref();
        self.head.execute(params![row, request.as_ref(), response.as_deref(), forwarded, first_byte, evidence])?;
        self.add_bodies(database, row, exchange)?;
        self.sieve.execute((row, self.maker.of(&texts(exchange))))?;
        Ok(bytes)
    }

    fn add_summary(&mut self, exchange: &Exchange, bytes: i64) -> rusqlite::Result<()> {
        let repeats = self.repeats(exchange)?;
        let (replay_of, held_since) = match exchange.origin {
            Origin::Replay { of } => (Some(of.into_bytes()), None),
            Origin::Held { since } => (None, Some(micros_of(since))),
            _ => (None, None),
        };
        let Exchange { verdict, event, .. } = exchange;
        let (minor, currency) =
            amount(event, &exchange.request_body).map(|Amount { minor, currency }| (minor, currency)).unzip();
        self.exchange.execute(params![
            exchange.id.as_bytes(),
            exchange.origin.as_str(),
            replay_of,
            held_since,
            exchange.endpoint.as_ref(),
            micros_of(exchange.received_at),
            exchange.method(),
            exchange.request.target.as_ref(),
            exchange.status(),
            exchange.answered_by.as_str(),
            exchange.error.map(Code::as_str),
            exchange.late,
            duration_micros(exchange.duration),
            verdict.status.as_str(),
            verdict.scheme,
            verdict.secret,
            verdict.cause.map(Cause::as_str),
            verdict.age_seconds,
            verdict.tolerance_seconds,
            event.provider.map(Provider::name),
            event.name,
            event.id,
            minor,
            currency.as_ref().map(Currency::code),
            repeats,
            signed(exchange.request_body.length),
            signed(exchange.response_body.length),
            bytes,
        ])?;
        Ok(())
    }

    /// How many exchanges with the same event came before: one more than had come before the latest of them.
    fn repeats(&mut self, exchange: &Exchange) -> rusqlite::Result<u32> {
        let (Some(provider), Some(id)) = (exchange.event.provider, &exchange.event.id) else {
            return Ok(0);
        };
        if matches!(exchange.origin, Origin::Replay { .. }) {
            return Ok(0);
        }
        let earlier: Option<u32> = self.earlier.query_row((provider.name(), id), |row| row.get(0)).optional()?;
        Ok(earlier.map_or(0, |earlier| earlier.saturating_add(1)))
    }

    fn add_bodies(&mut self, database: &Connection, row: i64, exchange: &Exchange) -> rusqlite::Result<()> {
        let (request, response) = (&exchange.request_body, &exchange.response_body);
        let nothing = request.bytes.is_empty() && response.bytes.is_empty();
        if nothing && request.sha256.is_none() && response.sha256.is_none() {
            return Ok(());
        }
        let [asked, answered] = [request.bytes.as_ref(), response.bytes.as_ref()];
        if asked.len() + answered.len() < IN_PLACE {
            return self.body.execute(params![row, request.sha256, response.sha256, asked, answered]).map(drop);
        }
        // Both: SQLite makes a copy of the row with zeros where anything else follows them.
        let room = |bytes: &[u8]| ZeroBlob(bytes.len() as u64);
        self.body.execute(params![row, request.sha256, response.sha256, room(asked), room(answered)])?;
        for (column, bytes) in [(c"request", asked), (c"response", answered)] {
            if !bytes.is_empty() {
                database.blob_open(MAIN_DB, c"body", column, row, false)?.write_all_at(bytes, 0)?;
            }
        }
        Ok(())
    }
}

/// All text of an exchange that a filter looks for without regard to where it stands.
fn texts(exchange: &Exchange) -> Vec<&[u8]> {
    let event = [exchange.event.name.as_deref(), exchange.event.id.as_deref()];
    let bodies = [&exchange.request_body, &exchange.response_body];
    [exchange.method(), exchange.request.target.as_ref(), exchange.endpoint.as_bytes()]
        .into_iter()
        .chain(event.into_iter().flatten().map(str::as_bytes))
        .chain(exchange.request.headers.iter().flat_map(|(name, value)| [name, value]))
        .chain(bodies.into_iter().map(|body| body.bytes.as_ref()))
        .collect()
}

/// Writes or removes a note. The sieve does not know it, and must let the row pass from now on.
pub(super) fn note(database: &Connection, id: Uuid, text: Option<&str>) -> rusqlite::Result<()> {
    let id = id.into_bytes();
    database.prepare_cached("UPDATE exchange SET note = ?2 WHERE id = ?1")?.execute((id, text))?;
    database
        .prepare_cached("UPDATE sieve SET bits = NULL WHERE row IN (SELECT row FROM exchange WHERE id = ?1)")?
        .execute([id])
        .map(drop)
}

/// Remembers the latest listener.
pub(super) fn ready(database: &Connection, ready: &Ready) -> rusqlite::Result<()> {
    let json = serde_json::to_string(ready).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    database.prepare_cached("INSERT OR REPLACE INTO ready VALUES (1, ?1)")?.execute([json]).map(drop)
}

/// Deletes the exchanges of these ids; says what went.
pub(super) fn delete(database: &Connection, ids: &[Uuid]) -> rusqlite::Result<Total> {
    let mut find = database.prepare_cached("SELECT row, bytes FROM exchange WHERE id = ?1")?;
    let mut gone = Total::default();
    for id in ids {
        let rows = find.query_map([id.into_bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        for row in rows.collect::<Result<Vec<_>, _>>()? {
            delete_rows(database, row.0, row.0)?;
            gone.exchanges += 1;
            gone.bytes += row.1;
        }
    }
    Ok(gone)
}

/// Deletes the oldest exchanges until `excess` is gone, at most `limit` of them; says what went.
pub(super) fn delete_oldest(database: &Connection, excess: Total, limit: u32) -> rusqlite::Result<Total> {
    let mut oldest = database.prepare_cached("SELECT row, bytes FROM exchange ORDER BY row LIMIT ?1")?;
    let mut rows = oldest.query([limit])?;
    let mut gone = Total::default();
    let mut last = None;
    while gone.exchanges < excess.exchanges || gone.bytes < excess.bytes {
        let Some(row) = rows.next()? else { break };
        last = Some(row.get(0)?);
        gone.exchanges += 1;
        gone.bytes += row.get::<_, i64>(1)?;
    }
    drop(rows);
    if let Some(last) = last {
        delete_rows(database, i64::MIN, last)?;
    }
    Ok(gone)
}

fn delete_rows(database: &Connection, first: i64, last: i64) -> rusqlite::Result<()> {
    for table in ["exchange", "sieve", "head", "body"] {
        let sql = format!("DELETE FROM {table} WHERE row BETWEEN ?1 AND ?2");
        database.prepare_cached(&sql)?.execute((first, last))?;
    }
    Ok(())
}
