//! The tables of a store, and how an older store becomes one of today.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// Marks a database as a store of hookwire: "HkWr" (<https://sqlite.org/pragma.html#pragma_application_id>).
pub(crate) const APPLICATION: i32 = i32::from_be_bytes(*b"HkWr");

/// One step from each schema to the next; the first makes a store out of nothing. Steps are never edited once released.
pub(crate) const STEPS: &[&str] = &[FIRST, SECOND];

/// The schema that this version reads and writes.
pub(crate) const VERSION: u32 = STEPS.len() as u32;

/// What lists and most filters look at is narrow and stands apart from the blobs: a filter that reads every row of 100,000
/// then reads 20 MB. For the same reason heads, which a header filter reads, stand apart from bodies.
///
/// `sieve` holds what `crate::sieve` makes of all searchable text of the row; null: look at the text itself.
/// `total` is kept by whoever inserts and deletes, in the same transaction.
const FIRST: &str = "
    CREATE TABLE exchange (
        row             INTEGER PRIMARY KEY AUTOINCREMENT,
        id              BLOB NOT NULL,
        origin          TEXT NOT NULL,
        replay_of       BLOB,
        held_since      INTEGER,
        endpoint        TEXT NOT NULL,
        received_at     INTEGER NOT NULL,
        method          BLOB NOT NULL,
        target          BLOB NOT NULL,
        status          INTEGER NOT NULL,
        answered_by     TEXT NOT NULL,
        error           TEXT,
        late            INTEGER NOT NULL,
        duration        INTEGER NOT NULL,
        verdict         TEXT NOT NULL,
        scheme          TEXT,
        secret          TEXT,
        cause           TEXT,
        age             INTEGER,
        tolerance       INTEGER,
        provider        TEXT,
        event           TEXT,
        event_id        TEXT,
        amount          INTEGER,
        currency        TEXT,
        repeats         INTEGER NOT NULL,
        request_length  INTEGER NOT NULL,
        response_length INTEGER NOT NULL,
        note            TEXT,
        bytes           INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX exchange_id ON exchange (id);
    CREATE INDEX exchange_event ON exchange (provider, event_id) WHERE event_id IS NOT NULL AND origin <> 'replay';

    CREATE TABLE sieve (
        row  INTEGER PRIMARY KEY,
        bits BLOB
    ) STRICT;

    CREATE TABLE head (
        row        INTEGER PRIMARY KEY,
        request    BLOB NOT NULL,
        response   BLOB,
        forwarded  INTEGER,
        first_byte INTEGER
    ) STRICT;

    CREATE TABLE body (
        row             INTEGER PRIMARY KEY,
        request_sha256  BLOB,
        response_sha256 BLOB,
        request         BLOB NOT NULL,
        response        BLOB NOT NULL
    ) STRICT;

    CREATE TABLE total (
        one       INTEGER PRIMARY KEY CHECK (one = 1),
        exchanges INTEGER NOT NULL,
        bytes     INTEGER NOT NULL
    ) STRICT;
    INSERT INTO total VALUES (1, 0, 0);

    CREATE TABLE ready (
        one  INTEGER PRIMARY KEY CHECK (one = 1),
        json TEXT NOT NULL
    ) STRICT;
";

/// What shows a verdict's cause stands where only whole exchanges are read from.
const SECOND: &str = "ALTER TABLE head ADD COLUMN evidence TEXT";

/// What a database says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Whose it is; 0 if nobody marked it.
    pub(crate) application: i32,
    /// The version of its schema; 0 if it has none.
    pub(crate) version: u32,
}

impl Mark {
    /// Reads it without a change to the database.
    pub(crate) fn of(database: &Connection) -> rusqlite::Result<Self> {
        let application = database.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(Self { application, version })
    }
}

/// Whether there is nothing in the database at all: it was just made, perhaps by somebody who was stopped on the way.
pub(crate) fn is_empty(database: &Connection) -> rusqlite::Result<bool> {
    database.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

/// Takes the database through the steps that it lacks, each in a transaction of its own: stopped on the way, it goes on from
/// there the next time.
pub(crate) fn migrate(database: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    while (Mark::of(database)?.version as usize) < steps.len() {
        let step = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Read again behind the lock: another process may have taken the step meanwhile.
        let version = Mark::of(&step)?.version;
        if let Some(sql) = steps.get(version as usize) {
            take(&step, sql, version + 1)?;
        }
        step.commit()?;
    }
    Ok(())
}

fn take(step: &Transaction<'_>, sql: &str, version: u32) -> rusqlite::Result<()> {
    step.execute_batch(sql)?;
    step.pragma_update(None, "application_id", APPLICATION)?;
    step.pragma_update(None, "user_version", version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(database: &Connection) -> Vec<String> {
        let mut statement = database.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_store_of_every_earlier_version_becomes_one_of_today_and_keeps_its_rows() {
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh, STEPS).unwrap();
        for version in 1..=STEPS.len() {
            let mut old = Connection::open_in_memory().unwrap();
            migrate(&mut old, &STEPS[..version]).unwrap();
            old.execute("UPDATE total SET exchanges = 7", []).unwrap();
            migrate(&mut old, STEPS).unwrap();
            assert_eq!(tables(&old), tables(&fresh), "from {version}");
            assert_eq!(Mark::of(&old).unwrap(), Mark { application: APPLICATION, version: VERSION });
            assert_eq!(old.query_row("SELECT exchanges FROM total", [], |row| row.get(0)), Ok(7));
        }
    }

    /// The mechanism itself, with steps of the future.
    #[test]
    fn steps_are_taken_once_in_order_and_a_failing_one_leaves_the_step_before() {
        let steps = [
            FIRST,
            "ALTER TABLE ready ADD COLUMN a TEXT; UPDATE total SET bytes = 2",
            "UPDATE total SET bytes = bytes * 10",
        ];
        let bytes = |database: &Connection| {
            database.query_row("SELECT bytes FROM total", [], |row| row.get::<_, i64>(0)).unwrap()
        };
        let mut database = Connection::open_in_memory().unwrap();
        migrate(&mut database, &steps[..1]).unwrap();
        assert_eq!(bytes(&database), 0);
        for _ in 0..2 {
            migrate(&mut database, &steps).unwrap();
            assert_eq!(bytes(&database), 20);
        }

        let mut broken = Connection::open_in_memory().unwrap();
        let steps = [steps[0], "UPDATE total SET bytes = 5; UPDATE nothing SET a = 1"];
        migrate(&mut broken, &steps).unwrap_err();
        assert_eq!((bytes(&broken), Mark::of(&broken).unwrap().version), (0, 1));
    }
}
