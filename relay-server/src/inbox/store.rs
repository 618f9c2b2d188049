//! The writing connection: one batch of commands, one transaction.

use std::{borrow::Cow, time::SystemTime};

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::{
    Expired, InboxError, ParkReason, Settings, Settled, Webhook,
    books::{Books, Held},
    disk::Folder,
    expiry,
    intake::Command,
    schema::{self, StoreError},
    times::to_millis,
    webhook::INLINE_BODY,
};
use crate::fault;

/// Bytes in one row of a large body. Reading and writing it costs this much memory at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// Rows that the body of one webhook may have, ten times what GitHub's largest needs.
const PIECES: i64 = 1024;

/// The largest body that can be kept at all.
pub(super) const LARGEST_BODY: u64 = PIECE_BYTES as u64 * PIECES as u64;

/// What came of a command, to be told once it is synced.
#[derive(Debug)]
pub(super) enum Outcome {
    Kept(Result<(), InboxError>),
    WasThere(bool),
    Expired(Vec<Expired>),
}

impl Command {
    /// Tells whoever waits. One that gave up is told nothing.
    pub(super) fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Append(_, answer), Outcome::Kept(result)) => drop(answer.send(result)),
            (Self::Settle(_, _, answer) | Self::Release(_, _, answer), Outcome::WasThere(was)) => {
                drop(answer.send(Ok(was)));
            }
            (Self::Expire(_, answer), Outcome::Expired(expired)) => drop(answer.send(Ok(expired))),
            // `Store::perform` pairs them. Were it wrong, the dropped answer would tell a failure, never a success.
            (command, _) => drop(command),
        }
    }
}

/// The writing connection and what it knows by heart.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    books: Books,
}

impl Store {
    /// Opens the database. With `check`, all of it is read and its log is emptied before anything new is taken.
    /// `behind` is a place that new webhooks must lie behind.
    pub(super) fn open(folder: &Folder, settings: &Settings, check: bool, behind: i64) -> Result<Self, StoreError> {
        let connection = schema::open(&folder.database(), folder.low_water(), settings.synced)?;
        if check {
            if !schema::empty_log(&connection)? {
                return Err(StoreError::LogInUse);
            }
            schema::check(&connection)?;
        }
        let books = Books::read(&connection, settings, behind)?;
        Ok(Self { connection, books })
    }

    /// The place of the last webhook.
    pub(super) fn last(&self) -> i64 {
        self.books.last_sequence()
    }

    /// Does what is asked for, in one transaction, and returns when it is synced. `room` is what the disk has to spare, in bytes.
    /// After an error nothing of it can be relied on, and neither can this connection.
    pub(super) fn write(&mut self, commands: &[Command], room: u64) -> Result<Vec<Outcome>, StoreError> {
        self.books.begin(room);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        fault::point("before-insert");
        let outcomes =
            commands.iter().map(|command| perform(&transaction, &mut self.books, command)).collect::<Result<_, _>>()?;
        self.books.write(&transaction)?;
        fault::point("before-commit");
        transaction.commit()?;
        fault::point("after-commit");
        Ok(outcomes)
    }

    /// Whether somebody was refused for lack of room in the last transaction, or would be in the next.
    pub(super) fn is_full(&self) -> bool {
        self.books.is_full()
    }

    /// Closes the connection.
    pub(super) fn close(self) -> Result<(), StoreError> {
        self.connection.close().map_err(|(_, error)| error.into())
    }

    /// Bytes of pages in the file that hold nothing.
    pub(super) fn spare(&self) -> Result<u64, StoreError> {
        let pages: u32 = self.connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        Ok(u64::from(pages) * schema::PAGE_BYTES)
    }

    /// Gives at most `bytes` of them back to the disk.
    pub(super) fn shrink(&self, bytes: u64) -> Result<(), StoreError> {
        let mut shrink =
            self.connection.prepare(&format!("PRAGMA incremental_vacuum({})", bytes / schema::PAGE_BYTES))?;
        let mut rows = shrink.query([])?;
        while rows.next()?.is_some() {} // a page each
        Ok(())
    }

    /// Empties the log, so that what was deleted is not there either. Whether nothing stood in the way.
    pub(super) fn empty_log(&self) -> Result<bool, StoreError> {
        schema::empty_log(&self.connection)
    }
}

fn perform(on: &Transaction<'_>, books: &mut Books, command: &Command) -> rusqlite::Result<Outcome> {
    Ok(match command {
        Command::Append(webhook, _) => Outcome::Kept(append(on, books, webhook)?),
        Command::Settle(id, outcome, _) => Outcome::WasThere(settle(on, books, *id, *outcome)?),
        Command::Release(id, due_at, _) => Outcome::WasThere(release(on, books, *id, *due_at)?),
        Command::Expire(now, _) => Outcome::Expired(expiry::expire(on, books, *now)?),
        #[cfg(test)]
        Command::Deed(deed) => {
            deed.0(on);
            Outcome::WasThere(true)
        }
    })
}

fn append(on: &Transaction<'_>, books: &mut Books, webhook: &Webhook) -> rusqlite::Result<Result<(), InboxError>> {
    if let Err(full) = books.admit(&webhook.endpoint, webhook.size()) {
        return Ok(Err(InboxError::Full(full)));
    }
    let endpoint = books.row_of(on, &webhook.endpoint)?;
    let sequence = books.next_sequence();
    let inline = (webhook.body_len() <= INLINE_BODY).then(|| whole(&webhook.body));
    let inserted = cached(
        on,
        "INSERT INTO webhook (sequence, id, endpoint, received_at, since, due_at, attempt, size, head, body)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
    )?
    .execute(params![
        sequence,
        webhook.id.as_bytes(),
        endpoint,
        to_millis(webhook.received_at),
        to_millis(webhook.due_at),
        webhook.attempt,
        webhook.size(),
        &webhook.head[..],
        inline.as_deref(),
    ])?;
    if inserted == 0 {
        return Ok(Err(InboxError::Duplicate(webhook.id)));
    }
    if inline.is_none() {
        append_pieces(on, sequence, &webhook.body)?;
    }
    books.added(endpoint, webhook.size());
    Ok(Ok(()))
}

/// A body of one piece, as most are, is not copied.
fn whole(body: &[Bytes]) -> Cow<'_, [u8]> {
    match body {
        [one] => one[..].into(),
        pieces => pieces.concat().into(),
    }
}

fn append_pieces(on: &Transaction<'_>, sequence: i64, body: &[Bytes]) -> rusqlite::Result<()> {
    let mut insert = cached(on, "INSERT INTO piece (place, bytes) VALUES (?1, ?2)")?;
    let mut place = sequence * PIECES;
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    for mut rest in body.iter().map(|bytes| &bytes[..]) {
        while !rest.is_empty() {
            let (next, behind) = rest.split_at(rest.len().min(PIECE_BYTES - piece.len()));
            piece.extend_from_slice(next);
            rest = behind;
            if piece.len() == PIECE_BYTES {
                insert.execute(params![place, piece])?;
                place += 1;
                piece.clear();
            }
        }
    }
    if !piece.is_empty() {
        insert.execute(params![place, piece])?;
    }
    Ok(())
}

fn settle(on: &Transaction<'_>, books: &mut Books, id: Uuid, outcome: Settled) -> rusqlite::Result<bool> {
    match outcome {
        Settled::Delivered | Settled::Dropped => Ok(remove(on, books, id)?.is_some()),
        Settled::Retry { at, attempt, status } => {
            let changed = cached(
                on,
                "UPDATE webhook SET due_at = ?2, attempt = ?3, status = ?4 WHERE id = ?1 AND due_at IS NOT NULL",
            )?
            .execute(params![id.as_bytes(), to_millis(at), attempt, status])?;
            Ok(changed > 0 || is_there(on, id)?)
        }
        Settled::Parked { reason, at, attempt, status } => {
            Ok(park(on, books, id, reason, at, Some((attempt, status)))? || is_there(on, id)?)
        }
    }
}

/// Takes a webhook out, pending or parked.
pub(super) fn remove(on: &Transaction<'_>, books: &mut Books, id: Uuid) -> rusqlite::Result<Option<Held>> {
    let removed = cached(
        on,
        "DELETE FROM webhook WHERE id = ?1 RETURNING sequence, endpoint, size, due_at IS NOT NULL, body IS NULL",
    )?
    .query_row([id.as_bytes()], |row| {
        let held = Held { endpoint: row.get(1)?, size: row.get(2)?, pending: row.get(3)? };
        Ok((row.get::<_, i64>(0)?, held, row.get::<_, bool>(4)?))
    })
    .optional()?;
    let Some((sequence, held, has_pieces)) = removed else { return Ok(None) };
    if has_pieces {
        let first = sequence * PIECES;
        cached(on, "DELETE FROM piece WHERE place BETWEEN ?1 AND ?2")?.execute([first, first + PIECES - 1])?;
    }
    books.removed(held);
    Ok(Some(held))
}

/// Parks a webhook, if it is pending. `tried` is how often it went to the app and what that said, where that has changed.
pub(super) fn park(
    on: &Transaction<'_>,
    books: &mut Books,
    id: Uuid,
    reason: ParkReason,
    at: SystemTime,
    tried: Option<(u32, Option<u16>)>,
) -> rusqlite::Result<bool> {
    let parked = cached(
        on,
        "UPDATE webhook SET due_at = NULL, since = ?2, reason = ?3, attempt = coalesce(?4, attempt), status = coalesce(?5, status)
         WHERE id = ?1 AND due_at IS NOT NULL RETURNING endpoint",
    )?
    .query_row(
        params![id.as_bytes(), to_millis(at), reason.number(), tried.map(|(attempt, _)| attempt), tried.and_then(|(_, status)| status)],
        |row| row.get(0),
    )
    .optional()?;
    if let Some(endpoint) = parked {
        books.parked(endpoint);
    }
    Ok(parked.is_some())
}

fn release(on: &Transaction<'_>, books: &mut Books, id: Uuid, due_at: SystemTime) -> rusqlite::Result<bool> {
    let released = cached(
        on,
        "UPDATE webhook SET due_at = ?2, since = ?2, reason = NULL WHERE id = ?1 AND due_at IS NULL RETURNING endpoint",
    )?
    .query_row(params![id.as_bytes(), to_millis(due_at)], |row| row.get(0))
    .optional()?;
    if let Some(endpoint) = released {
        books.released(endpoint);
    }
    Ok(released.is_some())
}

fn is_there(on: &Transaction<'_>, id: Uuid) -> rusqlite::Result<bool> {
    cached(on, "SELECT 1 FROM webhook WHERE id = ?1")?.exists([id.as_bytes()])
}

/// A statement that is prepared once.
pub(super) fn cached<'a>(on: &'a Connection, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
    on.prepare_cached(sql)
}

/// The body of a webhook whose row says that it lies in pieces.
pub(super) fn read_pieces(on: &Connection, sequence: i64, length: usize) -> rusqlite::Result<Bytes> {
    let mut body = Vec::with_capacity(length);
    let mut select = cached(on, "SELECT bytes FROM piece WHERE place BETWEEN ?1 AND ?2 ORDER BY place")?;
    let mut rows = select.query([sequence * PIECES, (sequence + 1) * PIECES - 1])?;
    while let Some(row) = rows.next()? {
        body.extend_from_slice(row.get_ref(0)?.as_blob()?);
    }
    Ok(body.into())
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{
        super::{FullReason, Quota, contract::webhook},
        *,
    };

    /// A store, and the folder that goes with it.
    fn store(settings: &Settings) -> (tempfile::TempDir, Store) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path(), None).unwrap();
        let store = Store::open(&folder, settings, false, 0).unwrap();
        (temporary, store)
    }

    fn append(endpoint: &str, length: usize) -> Command {
        Command::Append(webhook(endpoint, 1, vec![vec![b'x'; length].into()]), oneshot::channel().0)
    }

    fn write(store: &mut Store, commands: &[Command], room: u64) -> Vec<Result<(), FullReason>> {
        let outcomes = store.write(commands, room).unwrap();
        outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Kept(Err(InboxError::Full(reason))) => Err(reason),
                Outcome::Kept(Ok(())) => Ok(()),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_transaction_takes_what_there_is_room_for_and_refuses_the_others_alone() {
        let (_folder, mut store) = store(&Settings::default());
        let commands: Vec<_> = (0..10).map(|number| append(&format!("shop-{number}"), 10_000)).collect();
        let taken = write(&mut store, &commands, 100_000);
        assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 4, "each is on the disk twice: {taken:?}");
        assert!(taken[4..].iter().all(|taken| *taken == Err(FullReason::Disk)) && store.is_full());
        assert_eq!(write(&mut store, &[append("late", 10_000)], 1 << 30), [Ok(())]);
        assert!(!store.is_full());
    }

    #[test]
    fn one_endpoint_gets_half_of_the_disk_at_most() {
        let (_folder, mut store) = store(&Settings::default());
        let room = |store: &Store| 2_000_000 - 2 * store.books.total();
        let flood: Vec<_> = (0..1000).map(|_| append("flood", 10_000)).collect();
        let mut taken = 0;
        for command in flood {
            let left = room(&store);
            taken += usize::from(write(&mut store, &[command], left) == [Ok(())]);
        }
        assert!((45..=50).contains(&taken), "{taken} of the hundred that fit");
        let left = room(&store);
        assert_eq!(write(&mut store, &[append("flood", 10_000)], left), [Err(FullReason::Bytes)]);
        assert_eq!(write(&mut store, &[append("other", 10_000)], left), [Ok(())]);
    }

    #[test]
    fn accounts_agree_with_what_is_there() {
        let quota = Quota { webhooks: 30, bytes: u64::MAX };
        let (folder, mut store) = store(&Settings { quota, ..Settings::default() });
        let commands: Vec<_> = (0..40).map(|number| append(["a", "b"][number % 2], number * 1000)).collect();
        assert!(write(&mut store, &commands, u64::MAX / 4).iter().all(Result::is_ok));
        for (number, command) in commands.iter().enumerate() {
            let Command::Append(webhook, _) = command else { continue };
            let outcome = match number % 4 {
                0 => Settled::Delivered,
                1 => Settled::Parked { reason: ParkReason::ByHand, at: SystemTime::now(), attempt: 1, status: None },
                _ => Settled::Retry { at: SystemTime::now(), attempt: 1, status: Some(500) },
            };
            store.write(&[Command::Settle(webhook.id, outcome, oneshot::channel().0)], 0).unwrap();
        }
        let count = "SELECT count(*) FROM endpoint JOIN (
                SELECT endpoint, sum(due_at IS NOT NULL) AS pending, sum(due_at IS NULL) AS parked, sum(size) AS bytes
                FROM webhook GROUP BY endpoint
            ) AS there ON there.endpoint = endpoint.row
            WHERE (endpoint.pending, endpoint.parked, endpoint.bytes) = (there.pending, there.parked, there.bytes)";
        let agreeing: i64 = store.connection.query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(agreeing, 2);
        let pieces =
            "SELECT count(*) FROM piece WHERE place / 1024 NOT IN (SELECT sequence FROM webhook WHERE body IS NULL)";
        assert_eq!(store.connection.query_row(pieces, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
        drop((store, folder));
    }
}
