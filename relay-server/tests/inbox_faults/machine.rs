//! Disks that can be filled and unplugged, and signals.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    Load,
    inbox_load::{Found, check},
};

/// Says so, and that loudly, if a test can't run here: not without root, not without its tools.
pub(crate) fn skip(tools: &[&str]) -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0);
    let missing: Vec<_> = tools.iter().filter(|tool| !is_there(tool)).collect();
    if !root || !missing.is_empty() {
        println!("SKIPPED: this test needs root (here: {root}) and these tools, which are missing: {missing:?}");
        return true;
    }
    false
}

/// A file system that is there as long as this is.
#[derive(Debug)]
pub(crate) struct Mount {
    path: PathBuf,
}

impl Mount {
    /// One in memory, of a size.
    pub(crate) fn tmpfs(path: &Path, size: &str) -> Self {
        Self::new(path, &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
    }

    /// The one in an image.
    pub(crate) fn image(path: &Path, image: &Path) -> Self {
        Self::new(path, &["-o", "loop", image.to_str().unwrap()])
    }

    fn new(path: &Path, arguments: &[&str]) -> Self {
        fs::create_dir(path).unwrap();
        command("mount", &[arguments, &[path.to_str().unwrap()]].concat());
        Self { path: path.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Free bytes.
    pub(crate) fn free(&self) -> u64 {
        let disk = rustix::fs::statvfs(&self.path).unwrap();
        disk.f_bavail * disk.f_frsize
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.path).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            println!("`umount {}` failed: do it by hand", self.path.display());
        }
    }
}

/// Cuts the power of a load that `start` starts with its inbox on a disk of its own, after so many hundreds of acknowledgements: the load
/// stands still, and what has reached the disk by then is copied. What the kernel still had in memory is not in the copy.
pub(crate) fn power_cut(hundreds: u32, start: impl FnOnce(&Path, &Path) -> Load) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let at = |name| folder.path().join(name);
    let (before, after, ledger) = (at("before.img"), at("after.img"), at("ledger"));
    OpenOptions::new().write(true).create_new(true).open(&before).unwrap().set_len(IMAGE_BYTES).unwrap();
    command("mkfs.ext4", &["-qF", before.to_str().unwrap()]);
    let disk = Mount::image(&at("disk"), &before);
    let mut load = start(&disk.path().join("inbox"), &ledger);
    load.hundreds(hundreds);
    load.signal("STOP");
    command("cp", &["--sparse=always", before.to_str().unwrap(), after.to_str().unwrap()]);
    load.kill();
    drop(disk);
    let disk = Mount::image(&at("again"), &after);
    check(&disk.path().join("inbox"), &ledger).unwrap()
}

/// Large enough for a minute's load, and sparse.
const IMAGE_BYTES: u64 = 1_500_000_000;

/// Fills a disk to the last byte.
pub(crate) fn fill(filler: &Path) {
    let mut file = OpenOptions::new().write(true).create_new(true).open(filler).unwrap();
    for length in [1 << 20, 4096, 1] {
        let block = vec![1; length];
        while file.write_all(&block).is_ok() {}
    }
}

/// Sends a signal by its name.
pub(crate) fn signal(process: &str, name: &str) {
    command("kill", &[&format!("-{name}"), process]);
}

fn is_there(tool: &str) -> bool {
    let mut command = Command::new(tool);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

fn command(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).output().unwrap();
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}
