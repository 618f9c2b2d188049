//! A real disk that is full.

use std::{env, path::Path, process::Command};

use hookwire_capture::Health;
use rusqlite::Connection;

use crate::{Place, child::Other, count, fixture};

/// Where what is run with it has a disk of 96 MiB in the place of `folder`, which goes when it ends.
fn on_a_small_disk(folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", "mount -t tmpfs -o size=96m tmpfs \"$0\" && exec \"$@\""]);
    command.arg(folder);
    command
}

/// Needs root, or user namespaces.
#[test]
#[expect(clippy::print_stderr, reason = "a test that could not be made must say so")]
fn a_full_disk_stops_the_store_and_nothing_else_until_there_is_room() {
    let place = Place::new();
    if !on_a_small_disk(place.folder.path()).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("\nSKIPPED: no disk can be mounted here, so none was filled");
        return;
    }
    let mut command = on_a_small_disk(place.folder.path());
    command.arg(env::current_exe().unwrap());
    let mut other = Other::run(command, "fill the disk", &place.path());
    let mut says = || other.says().unwrap_or_default();
    assert_eq!(says(), "exchanges are not being stored: the disk that holds the store is full");
    assert_eq!(says(), "the disk that holds the store is full");
    assert_eq!(says(), "true", "bodies were left out first, then exchanges");
    assert_eq!(says(), "true", "it recovered by itself");
    assert_eq!((says().as_str(), says().as_str()), ("closed", ""));
}

#[test]
fn while_another_program_holds_the_store_nothing_waits_and_afterwards_all_is_written() {
    let place = Place::new();
    let store = place.filled(1);
    let writer = store.writer();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    (1..100).for_each(|number| writer.keep(fixture::shared(number)));
    let error = writer.flush().unwrap_err();
    assert_eq!(error.to_string(), "exchanges are not being stored: another program holds the store locked");
    let health = writer.health();
    assert_eq!(health.trouble.as_deref(), Some("another program holds the store locked"));
    assert!(health.since.is_some());
    other.execute_batch("ROLLBACK").unwrap();
    writer.flush().unwrap();
    assert_eq!(writer.health(), Health::default());
    assert_eq!(count(&place.reader(), ""), 100);
}

#[test]
fn a_closed_store_takes_nothing_and_says_so() {
    let place = Place::new();
    let store = place.filled(1);
    let writer = store.writer();
    store.close().unwrap();
    writer.keep(fixture::shared(1));
    assert_eq!(writer.health().exchanges_skipped, 1);
    assert!(writer.flush().is_err());
    assert_eq!(count(&place.reader(), ""), 1);
}
