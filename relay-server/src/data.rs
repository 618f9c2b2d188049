//! Small JSON files of the data folder, written whole or not at all.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::RelayError;

/// Reads a file; a missing one is the default.
pub(crate) fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, RelayError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| damaged(path, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(failed(path, &error)),
    }
}

/// Replaces a file: readers see the old content or the new, and after a power cut one of both is there.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), RelayError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = (|| {
        create_folder(folder)?;
        let mut file = private(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        // The rename itself is durable once the folder is.
        fs::File::open(folder).and_then(|folder| folder.sync_all())
    })();
    written.map_err(|error: io::Error| {
        let _ = fs::remove_file(&draft); // the error that matters is the first one
        failed(path, &error)
    })
}

/// The lock file of a data folder.
const LOCK: &str = "relay.lock";

/// Takes a data folder for this process alone, for as long as the file is held. Two relays would write over each other's endpoints.
pub(crate) fn lock(folder: &Path) -> Result<fs::File, RelayError> {
    let path = folder.join(LOCK);
    let file = create_folder(folder).and_then(|()| private(&path)).map_err(|error| failed(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(RelayError::DataInUse(folder.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(failed(&path, &error)),
    }
}

fn damaged(path: &Path, reason: &serde_json::Error) -> RelayError {
    RelayError::Damaged { path: path.to_owned(), reason: reason.to_string() }
}

fn failed(path: &Path, reason: &dyn ToString) -> RelayError {
    RelayError::Data { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(unix)]
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
pub(crate) fn private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
pub(crate) fn private(path: &Path) -> io::Result<fs::File> {
    fs::File::create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_for_one_relay() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        assert!(matches!(lock(folder.path()), Err(RelayError::DataInUse(_))));
        drop(held);
        lock(folder.path()).unwrap();
    }
}
