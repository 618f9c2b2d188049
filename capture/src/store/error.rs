//! What can go wrong with a store.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No file is there.
    #[error("there is no store at `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is something else, and was left as it is.
    #[error("`{}` is not a store of hookwire", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of hookwire made it.
    #[error("the store `{}` has schema {found}, and this hookwire knows schemas up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// An older version of hookwire made it, and it was opened only for reading.
    #[error("the store `{}` has schema {found}, and this hookwire reads schema {known}", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The schema that is read here.
        known: u32,
    },
    /// The file or its folder can't be made or read.
    #[error("the store `{}` can't be opened: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite before 3.51.3 can corrupt a database in WAL mode (<https://sqlite.org/wal.html#the_wal_reset_bug>).
    #[error("SQLite {0} has a bug that can destroy stores")]
    OldSqlite(&'static str),
    /// What was handed over is not written, and may never be.
    #[error("exchanges are not being stored: {0}")]
    Failing(String),
    /// Another thread stopped the reading.
    #[error("reading the store was stopped")]
    Interrupted,
    /// A row can't be read back.
    #[error("row {row} of the store is damaged: {what}")]
    Damaged {
        /// The row.
        row: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// SQLite failed.
    #[error("the store failed: {0}")]
    Database(rusqlite::Error),
}

impl StoreError {
    /// What to do about it, where that can be told.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing { .. } => Some("`hookwire listen` makes it; or name another file with `--store`"),
            Self::NotAStore { .. } => Some("name another file with `--store`; this one was not touched"),
            Self::Newer { .. } => Some("use the newer hookwire, or another file with `--store`"),
            Self::Older { .. } => Some("`hookwire listen` brings it up to date; stop an older one that still runs"),
            Self::File { .. } => Some("check the folder's permissions, or name another file with `--store`"),
            Self::OldSqlite(_) => Some("build hookwire with the SQLite that it brings along"),
            Self::Failing(_) => Some("check the disk that holds the store"),
            Self::Damaged { .. } => Some("delete the exchange; should it happen again, check the disk"),
            Self::Interrupted | Self::Database(_) => None,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Self::Interrupted,
            _ => Self::Database(error),
        }
    }
}
