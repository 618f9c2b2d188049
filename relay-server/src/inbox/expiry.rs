//! What is too old: pending webhooks are parked, parked ones dropped and counted.

use std::{sync::Arc, time::SystemTime};

use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::{
    Expired, ExpiredTo, ParkReason,
    books::Books,
    store::{cached, park, remove},
    times::{from_millis, to_millis},
};

/// Webhooks in one step: as long a transaction as any other, so that nobody waits longer for it.
const BATCH: usize = 500;

/// Ends the time of at most [`BATCH`] webhooks.
pub(super) fn expire(on: &Transaction<'_>, books: &mut Books, now: SystemTime) -> rusqlite::Result<Vec<Expired>> {
    let Some(shows) = books.look_at_clock(on, now)? else { return Ok(Vec::new()) };
    let before = |time| shows.checked_sub(time).map_or(0, to_millis);
    let (pending_before, parked_before) =
        (before(books.settings().retention), before(books.settings().parked_retention));
    let mut expired = Vec::new();
    for (row, endpoint) in books.holding() {
        let tell = |(id, received_at), to| Expired { id, endpoint: Arc::clone(&endpoint), received_at, to };
        for old in oldest(on, PARKED, row, parked_before, BATCH - expired.len())? {
            remove(on, books, old.0)?;
            books.lost(row);
            expired.push(tell(old, ExpiredTo::Dropped));
        }
        for old in oldest(on, PENDING, row, pending_before, BATCH - expired.len())? {
            park(on, books, old.0, ParkReason::Retention, shows, None)?;
            expired.push(tell(old, ExpiredTo::Parked));
        }
        if expired.len() == BATCH {
            break;
        }
    }
    books.looked(expired.is_empty());
    Ok(expired)
}

// Both read their index alone up to the first that is old enough, and nearly always that is the first or none.

const PENDING: &str = "SELECT id, received_at FROM webhook INDEXED BY waiting
    WHERE endpoint = ?1 AND due_at IS NOT NULL AND since <= ?2 ORDER BY sequence LIMIT ?3";

const PARKED: &str = "SELECT id, received_at FROM webhook INDEXED BY parked
    WHERE endpoint = ?1 AND due_at IS NULL AND since <= ?2 ORDER BY sequence LIMIT ?3";

fn oldest(
    on: &Transaction<'_>,
    sql: &str,
    endpoint: i64,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(Uuid, SystemTime)>> {
    let mut select = cached(on, sql)?;
    let rows = select.query_map(params![endpoint, before, limit], |row| {
        Ok((Uuid::from_bytes(row.get(0)?), from_millis(row.get(1)?)))
    })?;
    rows.collect()
}
