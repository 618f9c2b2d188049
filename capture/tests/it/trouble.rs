//! A real disk that is full.

use std::{env, process::Command};

use crate::{Place, child::Other};

/// In a mount namespace of its own, with a disk of 96 MiB that goes with it. Needs root, or user namespaces.
#[test]
fn a_full_disk_stops_the_store_and_nothing_else_until_there_is_room() {
    let place = Place::new();
    let mut command = Command::new("unshare");
    let folder = place.folder.path().to_str().unwrap();
    command.args([
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        "mount -t tmpfs -o size=96m tmpfs \"$0\" && exec \"$@\"",
        folder,
    ]);
    let mut probe = Command::new("unshare");
    probe.args(["--mount", "--map-root-user", "sh", "-c", "mount -t tmpfs -o size=96m tmpfs \"$0\"", folder]);
    if !probe.output().is_ok_and(|probe| probe.status.success()) {
        use std::io::Write as _;
        writeln!(std::io::stderr(), "\nSKIPPED: no disk can be mounted here, so none was filled").unwrap();
        return;
    }
    command.arg(env::current_exe().unwrap());
    let mut other = Other::run(command, "fill the disk", &place.path());
    let mut says = || other.says().unwrap();
    assert_eq!(says(), "exchanges are not being stored: the disk that holds the store is full");
    assert_eq!(says(), "the disk that holds the store is full");
    assert_eq!(says(), "true", "bodies were left out first, then exchanges");
    assert_eq!(says(), "true", "it recovered by itself");
    assert_eq!(says(), "closed");
}
