//! Reading, beside the writer: connections of their own on threads of their own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::SystemTime,
};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use uuid::Uuid;

use super::{
    Counts, Cursor, InboxError, LONGEST_WAIT, ParkReason, Parked, Pending,
    schema::{self, StoreError},
    store::{cached, read_pieces},
    times::{from_millis, to_millis},
};

/// Threads that read: one for a long page or a large body, one for the others meanwhile. There are two cores on a small server.
const READERS: usize = 2;

/// Questions that may wait: thousands a second are answered, so that more than these are no use to anybody in time.
const QUESTIONS: usize = 256;

/// Webhooks in one page, whatever is asked for: their rows are memory, too.
const PAGE_ROWS: usize = 1000;

/// Bytes of heads and bodies in one page, counted after the webhook that passes it.
const PAGE_BYTES: u64 = 4 * 1024 * 1024;

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// The reading threads. Dropped, they finish what waits and close their connections.
#[derive(Debug)]
pub(super) struct Readers {
    questions: Option<SyncSender<Question>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Opens the connections of an existing database.
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        let (questions, asked) = sync_channel(QUESTIONS);
        let asked = Arc::new(Mutex::new(asked));
        let mut readers = Self { questions: Some(questions), threads: Vec::new() };
        for number in 0..READERS {
            let (connection, asked) = (schema::open_to_read(file)?, Arc::clone(&asked));
            let thread = thread::Builder::new()
                .name(format!("inbox-read-{number}"))
                .spawn(move || answer(&connection, &asked))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Puts a question. It is dropped unanswered if it panics.
    pub(super) fn ask(&self, question: impl FnOnce(&Connection) + Send + 'static) -> Result<(), InboxError> {
        let questions = self.questions.as_ref().ok_or(InboxError::Closed)?;
        questions.try_send(Box::new(question)).map_err(|error| match error {
            TrySendError::Full(_) => InboxError::Busy,
            TrySendError::Disconnected(_) => InboxError::Failing("its readers have ended".into()),
        })
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.questions = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join(); // whoever asked knows of a panic already
        }
    }
}

fn answer(connection: &Connection, asked: &Mutex<Receiver<Question>>) {
    loop {
        // One thread waits for the next question with the lock in its hand, the others for the lock.
        let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(question) = next else { return };
        if catch_unwind(AssertUnwindSafe(|| question(connection))).is_err() {
            tracing::error!("reading the inbox panicked; the question is answered with an error");
        }
    }
}

/// See [`super::Inbox::due`].
pub(super) fn due(
    on: &Connection,
    endpoint: &str,
    after: Cursor,
    now: SystemTime,
    limit: usize,
) -> rusqlite::Result<Vec<Pending>> {
    let Some(endpoint) = row_of(on, endpoint)? else { return Ok(Vec::new()) };
    let mut select = cached(
        on,
        "SELECT sequence, id, received_at, attempt, status, size, head, due_at, body FROM webhook INDEXED BY waiting
         WHERE endpoint = ?1 AND sequence > ?2 AND due_at IS NOT NULL AND (due_at <= ?3 OR due_at > ?4) ORDER BY sequence LIMIT ?5",
    )?;
    let now = to_millis(now);
    let wrong = now.saturating_add(i64::try_from(LONGEST_WAIT.as_millis()).unwrap_or(i64::MAX));
    let rows = select.query_map(params![endpoint, after.0, now, wrong, limit.min(PAGE_ROWS)], |row| {
        Ok(Pending {
            cursor: Cursor(row.get(0)?),
            id: id(row)?,
            received_at: from_millis(row.get(2)?),
            attempt: row.get(3)?,
            status: row.get(4)?,
            size: row.get(5)?,
            head: Bytes::from(row.get::<_, Vec<u8>>(6)?),
            due_at: from_millis(row.get(7)?),
            body: row.get::<_, Option<Vec<u8>>>(8)?.map(Bytes::from),
        })
    })?;
    page(rows, |pending| (pending.head.len() + pending.body.as_ref().map_or(0, Bytes::len)) as u64)
}

/// See [`super::Inbox::parked`].
pub(super) fn parked(on: &Connection, endpoint: &str, after: Cursor, limit: usize) -> rusqlite::Result<Vec<Parked>> {
    let Some(endpoint) = row_of(on, endpoint)? else { return Ok(Vec::new()) };
    let mut select = cached(
        on,
        "SELECT sequence, id, received_at, attempt, status, size, head, since, reason FROM webhook INDEXED BY parked
         WHERE endpoint = ?1 AND sequence > ?2 AND due_at IS NULL ORDER BY sequence LIMIT ?3",
    )?;
    let rows = select.query_map(params![endpoint, after.0, limit.min(PAGE_ROWS)], |row| {
        let reason = row.get(8)?;
        Ok(Parked {
            cursor: Cursor(row.get(0)?),
            id: id(row)?,
            received_at: from_millis(row.get(2)?),
            attempt: row.get(3)?,
            status: row.get(4)?,
            size: row.get(5)?,
            head: Bytes::from(row.get::<_, Vec<u8>>(6)?),
            parked_at: from_millis(row.get(7)?),
            reason: ParkReason::from_number(reason).ok_or(rusqlite::Error::IntegralValueOutOfRange(8, reason))?,
        })
    })?;
    page(rows, |parked| parked.head.len() as u64)
}

/// See [`super::Inbox::body`].
pub(super) fn body(on: &Connection, id: Uuid) -> rusqlite::Result<Option<Bytes>> {
    // One view of row and pieces, whatever the writer does between.
    let view = on.unchecked_transaction()?;
    let row = cached(&view, "SELECT sequence, size - length(head), body FROM webhook WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<Vec<u8>>>(2)?)))
        .optional()?;
    let Some((sequence, length, inline)) = row else { return Ok(None) };
    let body = inline.map_or_else(|| read_pieces(&view, sequence, length), |inline| Ok(inline.into()))?;
    if body.len() == length {
        Ok(Some(body))
    } else {
        let lengths = format!("{} bytes of a body that has {length}", body.len());
        Err(rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, lengths.into()))
    }
}

/// See [`super::Inbox::next_due`].
pub(super) fn next_due(on: &Connection, endpoint: &str) -> rusqlite::Result<Option<SystemTime>> {
    let Some(endpoint) = row_of(on, endpoint)? else { return Ok(None) };
    let next = cached(
        on,
        "SELECT due_at FROM webhook INDEXED BY due WHERE endpoint = ?1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    )?
    .query_row([endpoint], |row| row.get(0))
    .optional()?;
    Ok(next.map(from_millis))
}

/// See [`super::Inbox::counts`].
pub(super) fn counts(on: &Connection, endpoint: &str) -> rusqlite::Result<Counts> {
    let view = on.unchecked_transaction()?;
    let account = cached(&view, "SELECT row, pending, parked, bytes, lost FROM endpoint WHERE name = ?1")?
        .query_row([endpoint], |row| {
            let counts = Counts {
                pending: row.get(1)?,
                parked: row.get(2)?,
                bytes: row.get(3)?,
                oldest: None,
                lost: row.get(4)?,
            };
            Ok((row.get::<_, i64>(0)?, counts))
        })
        .optional()?;
    let Some((row, counts)) = account else { return Ok(Counts::default()) };
    let oldest = cached(
        &view,
        "SELECT received_at FROM webhook INDEXED BY waiting WHERE endpoint = ?1 AND due_at IS NOT NULL ORDER BY sequence LIMIT 1",
    )?
    .query_row([row], |row| row.get(0))
    .optional()?;
    Ok(Counts { oldest: oldest.map(from_millis), ..counts })
}

/// See [`super::Inbox::endpoints`].
pub(super) fn endpoints(on: &Connection) -> rusqlite::Result<Vec<Arc<str>>> {
    let mut select = cached(on, "SELECT name FROM endpoint WHERE pending + parked > 0")?;
    let names = select.query_map([], |row| row.get::<_, String>(0).map(Arc::from))?;
    names.collect()
}

fn row_of(on: &Connection, endpoint: &str) -> rusqlite::Result<Option<i64>> {
    cached(on, "SELECT row FROM endpoint WHERE name = ?1")?.query_row([endpoint], |row| row.get(0)).optional()
}

fn id(row: &Row<'_>) -> rusqlite::Result<Uuid> {
    row.get(1).map(Uuid::from_bytes)
}

/// Rows up to the one with which a page is large enough.
fn page<T>(rows: impl Iterator<Item = rusqlite::Result<T>>, bytes: impl Fn(&T) -> u64) -> rusqlite::Result<Vec<T>> {
    let (mut page, mut held) = (Vec::new(), 0);
    for row in rows {
        let row = row?;
        held += bytes(&row);
        page.push(row);
        if held > PAGE_BYTES {
            break;
        }
    }
    Ok(page)
}
