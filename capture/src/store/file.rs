//! A store's file: making it, telling it from other files, opening it.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{
    error::StoreError,
    schema::{self, APPLICATION, Mark, STEPS, VERSION},
};

/// The first SQLite without the bug of <https://sqlite.org/wal.html#the_wal_reset_bug>.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Rows of bodies are about 2 kB: three of them fill a page of 8 kB well, and one wastes half of a page of 4 kB.
const PAGE_BYTES: u32 = 8192;

/// Write-ahead log before its pages are moved into the database, in pages: 16 MiB, so that the fsync of a checkpoint comes
/// about once a second at 5,000 exchanges a second.
const CHECKPOINT_PAGES: u32 = 2000;

/// What the write-ahead log is cut to when a slow reader had kept it from being reused.
const LOG_BYTES: u32 = 64 << 20;

/// How long a statement waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(2);

/// Page cache of a writer in KiB: the inner pages and the ends of all tables and indices fit, and what 20 ms bring. What a larger transaction
/// changes goes into the log before its end, and what it reads beside is in the system's cache.
const WRITER_CACHE_KIB: i32 = 1 << 10;

/// Page cache of a reader in KiB: one page of rows fits; scans gain nothing from more.
const READER_CACHE_KIB: i32 = 4 << 10;

/// Opens a store for writing; makes it and its folder where they are missing, and brings an older one up to date.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    check_sqlite()?;
    let failed = |source| StoreError::File { path: path.to_owned(), source };
    make_folder(path)?;
    make_private(path).map_err(failed)?;
    let mut database = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mark = mark_of(&database, path)?;
    if mark.application != APPLICATION && !is_new(&database, mark)? {
        return Err(StoreError::NotAStore { path: path.to_owned() });
    }
    if mark.version > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found: mark.version, known: VERSION });
    }
    restrict(path).map_err(failed)?;
    set_up(&database)?;
    schema::migrate(&mut database, STEPS)?;
    Ok(database)
}

/// Opens a store for reading. It must be there, and have the schema of today.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    check_sqlite()?;
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(StoreError::Missing { path: path.to_owned() }),
        Err(source) => return Err(StoreError::File { path: path.to_owned(), source }),
    }
    let database = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mark = mark_of(&database, path)?;
    let (path, found, known) = (|| path.to_owned(), mark.version, VERSION);
    match mark.application {
        APPLICATION if found > known => return Err(StoreError::Newer { path: path(), found, known }),
        APPLICATION if found < known => return Err(StoreError::Older { path: path(), found, known }),
        APPLICATION => {}
        // One that is being made at this moment.
        _ if is_new(&database, mark)? => return Err(StoreError::Missing { path: path() }),
        _ => return Err(StoreError::NotAStore { path: path() }),
    }
    database.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    database.pragma_update(None, "trusted_schema", false)?;
    Ok(database)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    // A connection stays with one thread at a time, so it needs no mutex. What looks like a URI is a file's name all the same.
    let opened = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let database = opened.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => StoreError::File { path: path.to_owned(), source: io::Error::other(error) },
        _ => error.into(),
    })?;
    database.busy_timeout(PATIENCE)?;
    Ok(database)
}

/// Whose database it is; refuses what is none, which SQLite leaves as it was.
///
/// Only SQLite may open the file: whoever closes another handle of it takes away the locks of every connection that this
/// process has (<https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_>).
fn mark_of(database: &Connection, path: &Path) -> Result<Mark, StoreError> {
    Mark::of(database).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotAStore { path: path.to_owned() },
        _ => error.into(),
    })
}

/// Whether the database was just made, perhaps by somebody who was stopped on the way.
fn is_new(database: &Connection, mark: Mark) -> rusqlite::Result<bool> {
    Ok(mark.application == 0 && schema::is_empty(database)?)
}

fn check_sqlite() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE { Err(StoreError::OldSqlite(rusqlite::version())) } else { Ok(()) }
}

/// Page size and vacuum mode count only before the first table; asked of an older store, they change nothing.
fn set_up(database: &Connection) -> rusqlite::Result<()> {
    database.pragma_update(None, "page_size", PAGE_BYTES)?;
    database.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    // The app has answered already: a power cut may take the last second of capture, never its consistency.
    database.pragma_update(None, "synchronous", "NORMAL")?;
    // Deleted webhooks hold customers' data.
    database.pragma_update(None, "secure_delete", true)?;
    database.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    database.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    database.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    database.pragma_update(None, "trusted_schema", false)
}

/// Makes the folders that are missing, for their owner alone. One that exists may be a project's, and stays as it is.
fn make_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| StoreError::File { path: folder.to_owned(), source })
}

/// Makes an empty file where there is none, for its owner alone. SQLite gives the files beside it the same permissions.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Takes away what others may do with a store that came from elsewhere.
#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let others = fs::metadata(path)?.permissions().mode() & 0o077;
    if others == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

/// Folders of a user's data are the user's alone on other systems.
#[cfg(not(unix))]
fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}
