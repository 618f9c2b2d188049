//! Other processes: one that is killed, one that writes while this one reads.

use std::io::Write as _;

use rusqlite::Connection;

use crate::{Place, all, child::Other, count, fixture};

#[test]
fn what_was_flushed_survives_a_kill_in_the_middle_of_writing() {
    for committed in [100_u64, 700, 2_000] {
        let place = Place::new();
        let mut other = Other::start("write for ever", &place.path());
        let mut said = 0;
        while said < committed {
            said = other.says().unwrap().parse().unwrap();
        }
        other.kill();
        // A reader comes first: it finds the log as the killed process left it.
        let reader = place.reader();
        let found = all(&reader, "");
        assert!(found.len() as u64 >= said);
        for (number, summary) in (0..).zip(found.iter().rev()) {
            assert_eq!(summary.id, fixture::id(number));
        }
        assert_eq!(reader.exchange(fixture::id(said - 1)).unwrap(), Some(fixture::exchange(said - 1)));
        let store = place.store();
        store.writer().keep(fixture::shared(1_000_000));
        store.close().unwrap();
        assert_eq!(count(&place.reader(), ""), found.len() as u64 + 1);
        let database = Connection::open(place.path()).unwrap();
        let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
}

#[test]
fn another_process_s_exchange_is_seen_as_soon_as_it_is_committed() {
    let place = Place::new();
    let mut other = Other::start("write when told", &place.path());
    assert_eq!(other.says().as_deref(), Some("open"));
    let mut reader = place.reader();
    for number in 0..3 {
        assert!(!reader.changed().unwrap());
        assert_eq!(count(&reader, ""), number);
        writeln!(other.input, "write").unwrap();
        assert_eq!(other.says().as_deref(), Some("written"));
        assert!(reader.changed().unwrap());
        assert_eq!(all(&reader, "").first().map(|summary| summary.id), Some(fixture::id(number)));
    }
    other.kill();
}
