//! The one thread that writes a store.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{
    Retention,
    file::open_for_writing,
    insert::{self, Insert, Total},
    queue::{BATCH, Work},
    shared::{Shared, Turn},
};
use crate::columns::signed;

/// Between two tries to write, while the disk is full or failing.
const RETRY: Duration = Duration::from_millis(500);

/// Statements that are kept prepared: all that there are.
const STATEMENTS: usize = 32;

/// Rows that one transaction deletes at most: a batch's worth, and as much again to catch up.
const DELETED_AT_ONCE: u32 = 2 * BATCH as u32;

/// Between two steps of tidying while webhooks keep coming.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// Unused pages that a store may keep for what comes next; beyond that, the file is made shorter. 8 MiB.
const SPARE_PAGES: u32 = 1_000;

/// Pages that are given back at a time, so that what comes meanwhile does not wait. 1 MiB.
const PAGES_AT_ONCE: u32 = 128;

/// The thread's own.
pub(super) struct Thread {
    database: Connection,
    path: PathBuf,
    retention: Total,
    shared: Arc<Shared>,
    /// Rows may have to go, or pages to be given back.
    untidy: bool,
    /// Something was deleted or given back, and only the log knows yet: it has the old bytes, the file the old length.
    checkpoint: bool,
    tidied: Instant,
}

/// Tells the handles that the thread has ended, even by a panic.
struct Ending<'s>(&'s Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end(Err("the store's thread ended in a panic".to_owned()));
    }
}

impl Thread {
    pub(super) fn new(database: Connection, path: PathBuf, retention: Retention, shared: Arc<Shared>) -> Self {
        database.set_prepared_statement_cache_capacity(STATEMENTS);
        let retention = Total { exchanges: signed(retention.exchanges), bytes: signed(retention.bytes) };
        // The last run may have kept more, or stopped in the middle of tidying.
        Self { database, path, retention, shared, untidy: true, checkpoint: false, tidied: Instant::now() }
    }

    /// Writes what comes until the store is closed.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _ending = Ending(&shared);
        let outcome = loop {
            match shared.next(self.untidy) {
                Turn::Write(batch) => {
                    if let Err(problem) = self.write_at_last(batch) {
                        break Err(problem);
                    }
                    if self.untidy && self.tidied.elapsed() > TIDY_EVERY {
                        self.tidy();
                    }
                }
                Turn::Tidy => self.tidy(),
                Turn::End => break Ok(()),
            }
        };
        // The last connection to close moves the log into the database.
        let closed = self.database.close().map_err(|(_, error)| error.to_string());
        shared.end(outcome.and(closed));
    }

    /// Writes a batch, however long that takes; gives up only when the store is being closed.
    fn write_at_last(&mut self, mut batch: Vec<Work>) -> Result<(), String> {
        loop {
            self.shared.writing(true);
            let written = self.write(&batch);
            self.shared.writing(false);
            let Err(error) = written else {
                self.shared.recovered();
                answer_flushes(&mut batch, &Ok(()));
                return Ok(());
            };
            let problem = problem(&error);
            tracing::warn!("exchanges are not being stored: {problem}");
            self.shared.failed(&problem);
            answer_flushes(&mut batch, &Err(problem.clone()));
            if self.shared.wait_for_retry(RETRY) {
                self.shared.skipped(exchanges(&batch) as u64);
                return Err(problem);
            }
            self.reopen_after(&error);
        }
    }

    /// One transaction. A tenth too many waits for a quiet moment. Beyond it the oldest go first, so that the pages they leave are
    /// overwritten at once.
    fn write(&mut self, batch: &[Work]) -> rusqlite::Result<()> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut total = Total::of(&transaction)?;
        let excess = total.with(exchanges(batch), 0).above(self.retention.and_a_tenth());
        let gone = insert::delete_oldest(&transaction, excess, DELETED_AT_ONCE)?;
        total = total.less(gone);
        let mut rows = Insert::into(&transaction)?;
        for work in batch {
            match work {
                Work::Keep(exchange) => total = total.with(1, rows.add(&transaction, exchange)?),
                Work::Ready(ready) => insert::ready(&transaction, ready)?,
                Work::Note(id, text) => insert::note(&transaction, *id, text.as_deref())?,
                Work::Delete(ids) => {
                    total = total.less(insert::delete(&transaction, ids)?);
                    self.checkpoint = true;
                }
                Work::Flush(_) => {}
            }
        }
        drop(rows);
        total.store(&transaction)?;
        transaction.commit()?;
        self.untidy |= total.above(self.retention) != Total::default() || self.checkpoint;
        Ok(())
    }

    /// A full disk and a busy database need only time; after anything else the connection may be of no more use.
    fn reopen_after(&mut self, error: &rusqlite::Error) {
        use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
        if matches!(error.sqlite_error_code(), Some(DiskFull | DatabaseBusy | DatabaseLocked)) {
            return;
        }
        if let Ok(database) = open_for_writing(&self.path) {
            database.set_prepared_statement_cache_capacity(STATEMENTS);
            self.database = database;
        }
    }

    /// One small step of what can wait: too many rows, too many unused pages, deleted bytes in the log.
    fn tidy(&mut self) {
        self.shared.writing(true);
        let done = self.tidy_one_step();
        self.shared.writing(false);
        // What failed now is tried again after the next batch.
        self.untidy = !done.unwrap_or(true);
        self.tidied = Instant::now();
    }

    /// True: nothing is left to do.
    fn tidy_one_step(&mut self) -> rusqlite::Result<bool> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let total = Total::of(&transaction)?;
        let gone = insert::delete_oldest(&transaction, total.above(self.retention), DELETED_AT_ONCE)?;
        if gone != Total::default() {
            total.less(gone).store(&transaction)?;
            transaction.commit()?;
            return Ok(false);
        }
        transaction.finish()?;
        let spare: u32 = self.database.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if spare > SPARE_PAGES {
            // Each page is a row of this statement: it does as much as is asked of it.
            let mut pages = self.database.prepare_cached("PRAGMA incremental_vacuum")?;
            let mut pages = pages.query([])?;
            for _ in 0..PAGES_AT_ONCE {
                if pages.next()?.is_none() {
                    break;
                }
            }
            self.checkpoint = true;
            return Ok(false);
        }
        if self.checkpoint {
            let busy: bool = self.database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            self.checkpoint = busy;
        }
        Ok(!self.checkpoint)
    }
}

impl Total {
    fn with(self, exchanges: usize, bytes: i64) -> Self {
        Self { exchanges: self.exchanges + signed(exchanges as u64), bytes: self.bytes + bytes }
    }

    fn less(self, gone: Self) -> Self {
        Self { exchanges: self.exchanges - gone.exchanges, bytes: self.bytes - gone.bytes }
    }

    fn and_a_tenth(self) -> Self {
        let more = |number: i64| number.saturating_add(number / 10);
        Self { exchanges: more(self.exchanges), bytes: more(self.bytes) }
    }

    fn above(self, limit: Self) -> Self {
        Self { exchanges: (self.exchanges - limit.exchanges).max(0), bytes: (self.bytes - limit.bytes).max(0) }
    }
}

fn exchanges(batch: &[Work]) -> usize {
    batch.iter().filter(|work| matches!(work, Work::Keep(_))).count()
}

fn answer_flushes(batch: &mut Vec<Work>, outcome: &Result<(), String>) {
    batch.retain(|work| match work {
        Work::Flush(answer) => {
            // Whoever asked may be gone; there is room for one answer.
            let _ = answer.try_send(outcome.clone());
            false
        }
        _ => true,
    });
}

/// What is wrong, for a person.
fn problem(error: &rusqlite::Error) -> String {
    use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(DiskFull) => "the disk that holds the store is full".to_owned(),
        Some(DatabaseBusy | DatabaseLocked) => "another program holds the store locked".to_owned(),
        Some(ReadOnly) => "the store is not writable any more".to_owned(),
        Some(SystemIoFailure) => format!("the disk that holds the store fails: {error}"),
        _ => format!("the store fails: {error}"),
    }
}
