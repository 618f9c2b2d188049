//! What goes, and that it is gone.

use std::fs;

use hookwire_capture::{Exchange, Reader, Retention, Store};
use hookwire_protocol::head::ResponseHead;
use memchr::memmem;
use uuid::Uuid;

use crate::{Place, all, count, fixture, keep, until};

fn ids(reader: &Reader) -> Vec<Uuid> {
    all(reader, "").iter().map(|summary| summary.id).collect()
}

#[test]
fn the_oldest_go_beyond_the_number_and_beyond_the_bytes() {
    let one = fixture::exchange(0);
    let heads = one.request.encoded_length() + one.response.as_ref().map_or(0, ResponseHead::encoded_length);
    let each = heads as u64 + one.request_body.length + one.response_body.length;
    for retention in
        [Retention { exchanges: 300, ..Retention::default() }, Retention { bytes: 300 * each, ..Retention::default() }]
    {
        let place = Place::new();
        let store = Store::open(&place.path(), retention).unwrap();
        let reader = place.reader();
        keep(&store, 2_000);
        until("the oldest to go", || count(&reader, "") <= 300);
        let left = ids(&reader);
        assert!((290..=300).contains(&left.len()), "{retention:?}: {}", left.len());
        assert!(left.iter().copied().eq((0..2_000).rev().map(fixture::id).take(left.len())));
    }
}

#[test]
fn a_lower_bound_is_reached_in_the_background_and_the_file_gets_shorter() {
    let place = Place::new();
    place.filled(6_000).close().unwrap();
    let size = || fs::metadata(place.path()).unwrap().len();
    let before = size();
    let store = Store::open(&place.path(), Retention { exchanges: 10, ..Retention::default() }).unwrap();
    until("the oldest to go", || count(&place.reader(), "") == 10);
    store.close().unwrap();
    // What is left are spare pages: 8 MiB at most.
    let store = place.store();
    until("the file to get shorter", || size() < before.min(9 << 20));
    store.close().unwrap();
    assert_eq!(ids(&place.reader()), (5_990..6_000).rev().map(fixture::id).collect::<Vec<_>>());
}

#[test]
fn what_is_deleted_is_in_no_file_any_more() {
    let canary = b"canary-4f1d9a";
    // The longer one is written in place.
    for body in [canary.to_vec(), canary.repeat(10_000)] {
        let place = Place::new();
        let store = place.store();
        let secret = Exchange { request_body: fixture::body(body), ..fixture::exchange(1) };
        for exchange in [fixture::exchange(0), secret, fixture::exchange(2)] {
            store.writer().keep(exchange.into());
        }
        store.writer().flush().unwrap();
        let found = || {
            let files = fs::read_dir(place.folder.path()).unwrap();
            files.into_iter().any(|file| memmem::find(&fs::read(file.unwrap().path()).unwrap(), canary).is_some())
        };
        assert!(found(), "the control: it was there");
        store.writer().delete(vec![fixture::id(1), Uuid::nil()]);
        store.writer().flush().unwrap();
        let reader = place.reader();
        assert_eq!(ids(&reader), [fixture::id(2), fixture::id(0)]);
        assert_eq!(count(&reader, ""), 2);
        assert_eq!(reader.exchange(fixture::id(1)).unwrap(), None);
        until("the bytes to be gone", || !found());
    }
}
