//! What is opened, what is made, and what is refused.

use std::fs;

use hookwire_capture::{Exchange, Reader, Retention, Store, StoreError};
use rusqlite::Connection;

use crate::{Place, all, count, fixture};

fn open(place: &Place) -> Result<Store, StoreError> {
    Store::open(&place.path(), Retention::default())
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_was() {
    let sqlite = {
        let place = Place::new();
        let other = Connection::open(place.path()).unwrap();
        other.execute_batch("CREATE TABLE invoices (number INTEGER); INSERT INTO invoices VALUES (1)").unwrap();
        drop(other);
        fs::read(place.path()).unwrap()
    };
    let cases: [&[u8]; 4] = [b"xy", b"a file of somebody's\n", &[b'#'; 10_000], &sqlite];
    for content in cases {
        let place = Place::new();
        fs::write(place.path(), content).unwrap();
        for error in [open(&place).unwrap_err(), Reader::open(&place.path()).unwrap_err()] {
            assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
            assert!(error.hint().is_some());
        }
        assert_eq!(fs::read(place.path()).unwrap(), content);
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1, "files beside it");
    }
}

#[test]
fn a_store_of_the_future_is_refused_with_a_hint_and_one_of_the_past_is_not_read() {
    let place = Place::new();
    place.filled(3).close().unwrap();
    let set = |version: u32| {
        let database = Connection::open(place.path()).unwrap();
        let before: u32 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        database.pragma_update(None, "user_version", version).unwrap();
        before
    };
    let today = set(99);
    for error in [open(&place).unwrap_err(), Reader::open(&place.path()).unwrap_err()] {
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert!(error.hint().unwrap().contains("newer hookwire"));
    }
    set(0);
    let error = Reader::open(&place.path()).unwrap_err();
    assert!(matches!(error, StoreError::Older { found: 0, .. }), "{error}");
    // The control: the file itself was all right.
    set(today);
    assert_eq!(count(&place.reader(), ""), 3);
}

#[test]
fn a_store_without_evidence_is_brought_up_to_date_by_whoever_writes() {
    let place = Place::new();
    place.filled(3).close().unwrap();
    let database = Connection::open(place.path()).unwrap();
    database.execute_batch("ALTER TABLE head DROP COLUMN evidence; PRAGMA user_version = 1").unwrap();
    drop(database);
    assert!(matches!(Reader::open(&place.path()).unwrap_err(), StoreError::Older { found: 1, .. }));
    let store = place.store();
    let told = Exchange { evidence: Some("tried".to_owned().into()), ..fixture::exchange(3) };
    store.writer().keep(told.clone().into());
    store.writer().flush().unwrap();
    let reader = place.reader();
    assert_eq!(reader.exchange(fixture::id(2)).unwrap(), Some(fixture::exchange(2)));
    assert_eq!(reader.exchange(told.id).unwrap(), Some(told));
}

#[test]
fn what_is_missing_is_made_for_writing_only() {
    let place = Place::new();
    let path = place.folder.path().join("data").join("project").join("store.db");
    assert!(matches!(Reader::open(&path), Err(StoreError::Missing { .. })));
    let store = Store::open(&path, Retention::default()).unwrap();
    assert_eq!(store.path(), path);
    assert_eq!(count(&Reader::open(&path).unwrap(), ""), 0);
    let folder = place.folder.path();
    assert!(matches!(Store::open(folder, Retention::default()), Err(StoreError::File { .. })));
}

#[cfg(unix)]
#[test]
fn files_and_new_folders_are_their_owner_s_alone_and_old_folders_stay_as_they_are() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let place = Place::new();
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let folder = place.folder.path().join("data");
    let path = folder.join("store.db");
    let store = Store::open(&path, Retention::default()).unwrap();
    store.writer().keep(fixture::shared(0));
    store.writer().flush().unwrap();
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "the database, its log and the log's index: {files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(place.folder.path()), 0o755);
    store.close().unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    Store::open(&path, Retention::default()).unwrap().close().unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn two_stores_may_write_one_file() {
    let place = Place::new();
    let stores = [place.store(), place.store()];
    for number in 0..200 {
        stores[number as usize % 2].writer().keep(fixture::shared(number));
    }
    for store in stores {
        store.close().unwrap();
    }
    let reader = place.reader();
    assert_eq!((count(&reader, ""), all(&reader, "").len()), (200, 200));
}

/// Closing a handle of the file would take this process's locks away, and a second process could then
/// move the log under the first one's feet (<https://sqlite.org/howtocorrupt.html>, 2.2).
#[cfg(target_os = "linux")]
#[test]
fn opening_a_reader_leaves_the_writer_s_locks_in_place() {
    use std::os::unix::fs::MetadataExt as _;
    let place = Place::new();
    let _store = place.filled(1);
    let inode = fs::metadata(place.path()).unwrap().ino();
    let listed = || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        let (pid, file) = (format!(" {} ", std::process::id()), format!(":{inode} "));
        locks.lines().any(|line| line.contains(&pid) && line.contains(&file))
    };
    // The kernel lists locks page by page, and skips some while others come and go: of 8,000 lists beside a busy process, 6 lacked a
    // lock that was held all the time. None names one that is not.
    let locked = || (0..10).any(|_| listed());
    assert!(locked(), "the writer holds a lock");
    drop(place.reader());
    assert!(matches!(open(&place).map(Store::close), Ok(Ok(()))));
    assert!(locked(), "and still does");
    drop(fs::File::open(place.path()).unwrap());
    assert!(!locked(), "the control: this is what takes it away");
}
