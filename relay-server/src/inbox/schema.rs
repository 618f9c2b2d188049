//! The database: its settings, its tables and how they came to be what they are.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

/// SQLite 3.51.3 is the first without the bug that could damage a database when its log was reset (3.7.0 to 3.51.2,
/// sqlite.org/wal.html, "The WAL-reset bug").
const SQLITE_VERSION: i32 = 3_051_003;

/// Three rows of 2 KB, a usual webhook, go on a page of 8 KiB; only one on the default of 4 KiB. Measured: 41,500 rows/s against 17,757.
pub(super) const PAGE_BYTES: u64 = 8192;

/// Pages in the log after which they are moved to the database: 32 MiB.
const CHECKPOINT_PAGES: u64 = 4000;

/// The smallest log that is worth having: on tiny disks the log is a quarter of the low-water mark.
const CHECKPOINT_PAGES_LEAST: u64 = 64;

/// What the log's file may keep of the disk when it is not needed: two times what it grows to between checkpoints.
const LOG_BYTES: u64 = 64 * 1024 * 1024;

/// Cache of the writing connection. Indexes of a backlog of a million webhooks have their upper pages in it; larger transactions spill.
const CACHE_KIB: i64 = 16 * 1024;

/// How long a connection waits for the lock of another. Ours hold none for longer than a query; a person's `sqlite3` may.
const BUSY: Duration = Duration::from_secs(5);

/// Marks the file as ours ("hwin").
const APPLICATION_ID: i32 = 0x6877_696e;

/// What takes a database from the version that is the index to the next. Never change one that was released: add another.
const MIGRATIONS: &[&str] = &[FIRST];

/// `due_at` is set as long as a webhook is pending; `since` is when it became pending or was parked. `sequence` is given by the writer and
/// never used twice while it runs, as cursors depend on it. Bodies that are not small lie in `piece`, under `sequence * 1024 + number`:
/// changing a webhook's row must not rewrite megabytes.
const FIRST: &str = "
    CREATE TABLE endpoint (
        row     INTEGER PRIMARY KEY,
        name    TEXT NOT NULL UNIQUE,
        pending INTEGER NOT NULL,
        parked  INTEGER NOT NULL,
        bytes   INTEGER NOT NULL,
        lost    INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE webhook (
        sequence    INTEGER PRIMARY KEY,
        id          BLOB NOT NULL UNIQUE,
        endpoint    INTEGER NOT NULL REFERENCES endpoint,
        received_at INTEGER NOT NULL,
        since       INTEGER NOT NULL,
        due_at      INTEGER,
        reason      INTEGER,
        attempt     INTEGER NOT NULL,
        status      INTEGER,
        size        INTEGER NOT NULL,
        head        BLOB NOT NULL,
        body        BLOB
    ) STRICT;
    CREATE INDEX waiting ON webhook (endpoint, sequence, due_at, since) WHERE due_at IS NOT NULL;
    CREATE INDEX due ON webhook (endpoint, due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX parked ON webhook (endpoint, sequence, since) WHERE due_at IS NULL;
    CREATE TABLE piece (place INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), shows INTEGER NOT NULL, stepped_at INTEGER NOT NULL) STRICT;
";

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// SQLite says no.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The system says no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// SQLite is one with a known bug.
    #[error("SQLite {0} can damage databases; this program must be built with 3.51.3 or newer")]
    OldSqlite(&'static str),
    /// A newer program made the tables.
    #[error("a newer version of hookwire wrote it (schema {0}); run that version, or use another folder")]
    Newer(i64),
    /// The file is no inbox.
    #[error("it is a database of another program")]
    Foreign,
    /// The check found damage.
    #[error("it is damaged: {0}; keep a copy of the folder, then save what is left with `sqlite3 inbox.db .recover`")]
    Damaged(String),
    /// Somebody reads and does not stop.
    #[error("another program holds it open; close it")]
    LogInUse,
    /// WAL is not to be had, on a network's file system for example.
    #[error("its file system does not allow a write-ahead log (`{0}` was given); use a local disk")]
    NoLog(String),
}

impl StoreError {
    /// Whether it is for lack of space.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Io(error) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}

/// Opens the writing connection and brings the tables up to date. `low_water` bounds what the log may take.
pub(super) fn open(file: &Path, low_water: u64, synced: bool) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION {
        return Err(StoreError::OldSqlite(rusqlite::version()));
    }
    let mut connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    version(&connection, MIGRATIONS.len())?; // before anything is changed in what may be somebody else's
    // Both count only before the first table is made.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::NoLog(mode));
    }
    // NORMAL lost up to 799 of 57,845 acknowledged rows in a simulated power cut, FULL none.
    connection.pragma_update(None, "synchronous", if synced { "FULL" } else { "NORMAL" })?;
    let pages = (low_water / 4 / PAGE_BYTES).clamp(CHECKPOINT_PAGES_LEAST, CHECKPOINT_PAGES);
    connection.pragma_update(None, "wal_autocheckpoint", pages)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES * pages / CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    no_map(&connection)?;
    migrate(&mut connection, MIGRATIONS)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_to_read(file: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    no_map(&connection)?;
    Ok(connection)
}

/// Looks through the whole database, but for the agreement of indexes and tables. Reads all of it.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
}

/// Moves the whole log into the database and empties it. An error of an earlier sync may have left holes in the log on the disk
/// that memory does not show: nothing that is acknowledged may come to lie behind them.
pub(super) fn empty_log(connection: &Connection) -> Result<bool, StoreError> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

/// With a mapped file, an I/O error would be a signal that ends the process, not an answer.
fn no_map(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(())).or_else(|error| match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()), // built without mapping at all
        error => Err(error.into()),
    })
}

/// Each step is a transaction that also counts the version up: a stop half-way leaves the version before.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let done = version(connection, migrations.len())?;
    for (step, sql) in migrations.iter().enumerate().skip(done) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", step + 1)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
    Ok(())
}

/// How many migrations the database has seen, if it is ours and not from the future.
fn version(connection: &Connection, known: usize) -> Result<usize, StoreError> {
    let read = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (version, id) = (read("user_version")?, read("application_id")?);
    if id != i64::from(APPLICATION_ID) && (id != 0 || version != 0) {
        return Err(StoreError::Foreign);
    }
    usize::try_from(version).ok().filter(|version| *version <= known).ok_or(StoreError::Newer(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("inbox.db");
        std::fs::File::create(&file).unwrap();
        (folder, file)
    }

    fn pragma(connection: &Connection, name: &str) -> String {
        use rusqlite::types::Value;
        connection
            .pragma_query_value(None, name, |row| {
                Ok(match row.get(0)? {
                    Value::Integer(number) => number.to_string(),
                    Value::Text(text) => text,
                    other => format!("{other:?}"),
                })
            })
            .unwrap()
    }

    #[test]
    fn the_database_has_the_settings_that_were_measured() {
        let (_folder, file) = new();
        let connection = open(&file, 1 << 28, true).unwrap();
        for (name, value) in [
            ("page_size", "8192"),
            ("auto_vacuum", "2"), // incremental
            ("journal_mode", "wal"),
            ("synchronous", "2"), // full
            ("wal_autocheckpoint", "4000"),
            ("journal_size_limit", "67108864"),
            ("secure_delete", "1"),
            ("foreign_keys", "1"),
            ("busy_timeout", "5000"),
            ("mmap_size", "0"),
            ("user_version", "1"),
        ] {
            assert_eq!(pragma(&connection, name), value, "{name}");
        }
        assert_eq!(pragma(&open(&file, 1 << 28, false).unwrap(), "synchronous"), "1");
        let small = open(&file, 1 << 20, true).unwrap();
        assert_eq!(
            (pragma(&small, "wal_autocheckpoint"), pragma(&small, "journal_size_limit")),
            ("64".into(), "1073741".into())
        );
    }

    #[test]
    fn migrations_run_once_in_order_and_all_or_nothing() {
        let (_folder, file) = new();
        let mut connection = Connection::open(&file).unwrap();
        let first = "CREATE TABLE a (x)";
        migrate(&mut connection, &[first]).unwrap();
        migrate(&mut connection, &[first]).unwrap();
        connection.execute("INSERT INTO a VALUES (7)", []).unwrap();

        let broken = "ALTER TABLE a RENAME TO b; CREATE TABLE c (x); SELECT * FROM nowhere";
        assert!(migrate(&mut connection, &[first, broken]).is_err());
        assert_eq!(pragma(&connection, "user_version"), "1");
        assert_eq!(
            connection.query_row("SELECT x FROM a", [], |row| row.get::<_, i64>(0)).unwrap(),
            7,
            "it was undone"
        );

        migrate(&mut connection, &[first, "ALTER TABLE a RENAME TO b", "CREATE TABLE c (x)"]).unwrap();
        assert_eq!(pragma(&connection, "user_version"), "3");
        assert_eq!(connection.query_row("SELECT x FROM b", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
        assert!(matches!(migrate(&mut connection, &[first]), Err(StoreError::Newer(3))));
    }

    #[test]
    fn other_programs_databases_are_left_alone() {
        let (_folder, file) = new();
        Connection::open(&file).unwrap().execute_batch("PRAGMA application_id = 1; CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(open(&file, 1 << 28, true), Err(StoreError::Foreign)));
    }

    #[test]
    fn damage_is_found() {
        let (_folder, file) = new();
        let connection = open(&file, 1 << 28, true).unwrap();
        check(&connection).unwrap();
        for place in 1..=50 {
            connection.execute("INSERT INTO piece VALUES (?1, randomblob(5000))", [place]).unwrap();
        }
        assert!(empty_log(&connection).unwrap());
        drop(connection);
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2 / 8192 * 8192;
        bytes[middle..middle + 64].fill(0xff);
        std::fs::write(&file, bytes).unwrap();
        let connection = open(&file, 1 << 28, true).unwrap();
        assert!(matches!(check(&connection), Err(StoreError::Damaged(_))));
    }
}
