//! The folder of an inbox and the disk under it: free space, the ballast, and the mark of an unclean stop.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::data;

/// The database in its folder. SQLite puts `-wal` and `-shm` beside it, with the same rights.
const DATABASE: &str = "inbox.db";

/// Space that is given back when the disk is full: SQLite needs some to open a database whose log it has to go through.
const BALLAST: &str = "ballast";

/// There as long as the database is in use. Whoever finds it at the start knows that the last stop was none.
const IN_USE: &str = "in-use";

/// The ballast's size: what the log grows to between two checkpoints (4,000 pages of 8 KiB) has room in it.
const BALLAST_BYTES: u64 = 32 * 1024 * 1024;

/// The low-water mark on large disks: a log of 64 MiB twice, a ballast, and as much again for what else lives there. 5 % of a disk of
/// 1 TB would leave 50 GB unused for nothing.
const LOW_WATER_BYTES: u64 = 256 * 1024 * 1024;

/// The low-water mark on small disks, as a fraction: a twentieth. Below 5 GiB the fixed mark would take too much of them.
const LOW_WATER_FRACTION: u64 = 20;

/// An inbox's folder, which is its owner's alone.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    low_water: u64,
}

impl Folder {
    /// Makes the folder and the database's file where they are missing, with rights for their owner alone.
    pub(super) fn open(path: &Path, low_water: Option<u64>) -> io::Result<Self> {
        data::create_folder(path)?;
        keep_private(path)?;
        let database = path.join(DATABASE);
        if !database.exists() {
            // SQLite would make it with the rights of the umask.
            data::private(&database)?.sync_all()?;
            sync_folder(path)?;
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_folder)?;
        }
        let low_water = low_water.unwrap_or(LOW_WATER_BYTES.min(space(path)?.total / LOW_WATER_FRACTION));
        Ok(Self { path: path.to_owned(), low_water })
    }

    /// Where the database lies.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Free bytes below which nothing is taken.
    pub(super) fn low_water(&self) -> u64 {
        self.low_water
    }

    /// Free bytes above the low-water mark. A system that does not tell counts as full.
    pub(super) fn room(&self) -> u64 {
        space(&self.path).map_or(0, |space| space.free.saturating_sub(self.low_water))
    }

    /// Says that the database is in use from now on. Whether it was already, by somebody who did not end well.
    pub(super) fn enter(&self) -> io::Result<bool> {
        let mark = self.path.join(IN_USE);
        if mark.exists() {
            return Ok(true);
        }
        data::private(&mark)?.sync_all()?;
        sync_folder(&self.path)?;
        Ok(false)
    }

    /// Says that the database was closed as it should be.
    pub(super) fn leave(&self) -> io::Result<()> {
        fs::remove_file(self.path.join(IN_USE))?;
        sync_folder(&self.path)
    }

    /// Whether the ballast lies there in full.
    pub(super) fn has_ballast(&self) -> bool {
        fs::metadata(self.path.join(BALLAST)).is_ok_and(|file| file.len() == self.ballast_bytes())
    }

    /// Lays the ballast if it is missing and there is room for it.
    pub(super) fn lay_ballast(&self) -> io::Result<()> {
        let bytes = self.ballast_bytes();
        if self.has_ballast() || self.room() < 2 * bytes {
            return Ok(());
        }
        let mut file = data::private(&self.path.join(BALLAST))?;
        // Real blocks: a file that was only made long has none.
        let block = vec![0x5a; 64 * 1024];
        let mut left = bytes as usize;
        while left > 0 {
            let length = left.min(block.len());
            file.write_all(&block[..length])?;
            left -= length;
        }
        file.sync_all()
    }

    /// Gives the ballast's space back. Whether there was any.
    pub(super) fn free_ballast(&self) -> bool {
        fs::remove_file(self.path.join(BALLAST)).is_ok()
    }

    /// On a small disk the ballast is no more than the low-water mark.
    fn ballast_bytes(&self) -> u64 {
        BALLAST_BYTES.min(self.low_water)
    }
}

struct Space {
    free: u64,
    total: u64,
}

#[cfg(unix)]
fn space(path: &Path) -> io::Result<Space> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(Space { free: disk.f_bavail * disk.f_frsize, total: disk.f_blocks * disk.f_frsize })
}

/// Where the system can't be asked, SQLite says when the disk is full, and the ballast is what is left then.
#[cfg(not(unix))]
fn space(_: &Path) -> io::Result<Space> {
    Ok(Space { free: u64::MAX, total: u64::MAX })
}

#[cfg(unix)]
fn keep_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn keep_private(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A file is there after a power cut once its folder is synced.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_tells_an_unclean_stop() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path(), None).unwrap();
        assert!(!folder.enter().unwrap());
        assert!(folder.enter().unwrap(), "nobody left");
        folder.leave().unwrap();
        assert!(!folder.enter().unwrap());
    }

    #[test]
    fn the_ballast_is_real_and_laid_only_where_there_is_room() {
        let temporary = tempfile::tempdir().unwrap();
        let small = Folder::open(temporary.path(), Some(100_000)).unwrap();
        small.lay_ballast().unwrap();
        assert!(small.has_ballast() && small.free_ballast() && !small.free_ballast());
        let full = Folder::open(temporary.path(), Some(u64::MAX)).unwrap();
        full.lay_ballast().unwrap();
        assert!(full.room() == 0 && !full.has_ballast());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_look_in() {
        use std::os::unix::fs::PermissionsExt;
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("inbox");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let folder = Folder::open(&path, None).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&folder.database())), (0o700, 0o600));
    }
}
