//! What comes out of a store is what went in.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hookwire_capture::{AnsweredBy, Exchange, FindError, From, Origin, StoreError};
use hookwire_protocol::{code::Code, head::Headers};
use hookwire_signatures::{Cause, Event, Status};
use rusqlite::Connection;
use uuid::Uuid;

use crate::{Place, all, count, filter, fixture, until};

/// Exchanges with everything that an exchange can have or lack.
fn odd_ones() -> Vec<Exchange> {
    let plain = || fixture::exchange(0);
    let mut held =
        Exchange { id: fixture::id(1), origin: Origin::Held { since: fixture::night() }, late: true, ..plain() };
    held.verdict.status = Status::Stale;
    held.verdict.cause = Some(Cause::TooOld);
    held.verdict.age_seconds = Some(-412);
    held.verdict.tolerance_seconds = Some(300);
    held.evidence = Some("tried in 12 ways: \u{9b}, \u{202e}".to_owned().into());
    held.answered_by = AnsweredBy::Relay;
    let mut cut = Exchange { id: fixture::id(2), origin: Origin::Replay { of: fixture::id(1) }, ..plain() };
    cut.request_body.length = 9_000_000_000;
    cut.request_body.sha256 = Some([7; 32]);
    cut.response_body = fixture::body(vec![0xFF; 100_000]);
    let mut nothing = Exchange { id: fixture::id(3), origin: Origin::Sent, response: None, ..plain() };
    nothing.request_body = fixture::body("");
    nothing.response_body = fixture::body("");
    nothing.error = Some(Code::AppRefused);
    nothing.answered_by = AnsweredBy::Client;
    (nothing.forwarded, nothing.first_byte) = (None, None);
    nothing.event = Event::default();
    nothing.verdict.scheme = None;
    nothing.verdict.secret = None;
    nothing.received_at = SystemTime::UNIX_EPOCH - Duration::from_micros(5);
    let mut raw = Exchange { id: fixture::id(4), endpoint: "".into(), ..plain() };
    raw.request.target = Bytes::from_static(b"?\xff\xfe=%00");
    raw.request.method = Bytes::from_static(b"M-SEARCH");
    raw.request.headers = [(b"x".as_slice(), b"\xff\t".as_slice()), (b"x", b"")].into_iter().collect::<Headers>();
    raw.request_body = fixture::body(vec![0; 3 << 20]);
    raw.event.name = Some("\u{1b}[2J\u{202e}".to_owned());
    vec![plain(), held, cut, nothing, raw]
}

#[test]
fn an_exchange_reads_back_as_it_was() {
    let place = Place::new();
    let store = place.store();
    for exchange in odd_ones() {
        store.writer().keep(exchange.into());
    }
    store.writer().flush().unwrap();
    let reader = place.reader();
    let summaries = all(&reader, "");
    for (exchange, summary) in odd_ones().iter().zip(summaries.iter().rev()) {
        assert_eq!(reader.exchange(exchange.id).unwrap().as_ref(), Some(exchange));
        assert_eq!(reader.exchange_at(summary.row).unwrap().as_ref(), Some(exchange));
        assert_eq!(reader.summary(exchange.id).unwrap().as_ref(), Some(summary));
        assert_eq!((summary.id, summary.origin, &summary.endpoint), (exchange.id, exchange.origin, &exchange.endpoint));
        assert_eq!((summary.received_at, summary.duration), (exchange.received_at, exchange.duration));
        assert_eq!((&summary.method, &summary.target), (&exchange.request.method, &exchange.request.target));
        assert_eq!((summary.status, summary.error, summary.late), (exchange.status(), exchange.error, exchange.late));
        assert_eq!((&summary.verdict, &summary.event), (&exchange.verdict, &exchange.event));
        assert_eq!((summary.answered_by, &summary.note), (exchange.answered_by, &None));
        assert_eq!(summary.request_length, exchange.request_body.length);
        assert_eq!(summary.response_length, exchange.response_body.length);
    }
    let amounts: Vec<_> =
        summaries.iter().rev().map(|summary| summary.amount.map(|amount| amount.to_string())).collect();
    let amount = Some("₹22.44".to_owned());
    assert_eq!(amounts, [amount.clone(), amount, None, None, None]);
    assert_eq!(reader.exchange(Uuid::nil()).unwrap(), None);
    assert_eq!(reader.exchange_at(99).unwrap(), None);
}

/// Bytes of which no two stretches are alike, so that a piece in the wrong place shows.
fn counted(length: usize) -> Bytes {
    (0_u32..).flat_map(u32::to_le_bytes).take(length).collect()
}

#[test]
fn bodies_of_any_size_read_back_beside_each_other() {
    let place = Place::new();
    let store = place.store();
    let lengths = [0, 1, 8_000, 8_192, 16_383, 16_384, 16_385, 70_000, 1 << 20];
    let pairs = || lengths.iter().flat_map(|asked| lengths.iter().map(move |answered| (*asked, *answered)));
    let exchange = |number: u64, (asked, answered)| Exchange {
        id: fixture::id(number),
        request_body: fixture::body(counted(asked)),
        response_body: fixture::body(counted(answered)),
        ..fixture::exchange(0)
    };
    for (number, pair) in (0..).zip(pairs()) {
        store.writer().keep(exchange(number, pair).into());
        until("the commit", || store.writer().flush().is_ok());
    }
    let reader = place.reader();
    for (number, pair) in (0..).zip(pairs()) {
        assert!(reader.exchange(fixture::id(number)).unwrap() == Some(exchange(number, pair)), "{pair:?}");
    }
    assert_eq!(store.writer().health().bodies_skipped, 0);
    store.writer().delete((0..81).step_by(2).map(fixture::id).collect());
    store.close().unwrap();
    let database = Connection::open(place.path()).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    assert!(place.reader().exchange(fixture::id(79)).unwrap() == Some(exchange(79, pairs().nth(79).unwrap())));
}

#[test]
fn pages_join_without_gap_or_overlap_and_rows_are_never_used_again() {
    let place = Place::new();
    let store = place.filled(25);
    let reader = place.reader();
    let page = |from| reader.page(&filter("method:post"), from, 10, SystemTime::now()).unwrap();
    let rows = |from| page(from).iter().map(|summary| summary.row).collect::<Vec<_>>();
    let first = rows(From::Newest);
    assert_eq!(first, (16..=25).rev().collect::<Vec<_>>());
    assert_eq!(rows(From::Before(16)), (6..=15).rev().collect::<Vec<_>>());
    assert_eq!(rows(From::Before(6)), (1..=5).rev().collect::<Vec<_>>());
    assert!(rows(From::Before(1)).is_empty());
    assert_eq!(rows(From::After(5)), (6..=15).rev().collect::<Vec<_>>());
    assert_eq!(rows(From::After(20)), (21..=25).rev().collect::<Vec<_>>());
    assert!(rows(From::After(25)).is_empty());
    store.writer().delete(vec![fixture::id(24)]);
    store.writer().keep(fixture::shared(30));
    store.writer().flush().unwrap();
    assert_eq!(rows(From::After(24)), [26]);
}

#[test]
fn repeats_count_what_came_before_from_the_same_provider() {
    let place = Place::new();
    let store = place.store();
    let origins = [Origin::Live, Origin::Replay { of: fixture::id(0) }, Origin::Live, Origin::Sent, Origin::Live];
    for (number, origin) in (0..).zip(origins) {
        let event = fixture::exchange(0).event;
        store.writer().keep(Exchange { id: fixture::id(number), origin, event, ..fixture::exchange(number) }.into());
    }
    let nameless = |number| Exchange { event: Event::default(), ..fixture::exchange(number) };
    (5..8).for_each(|number| store.writer().keep(nameless(number).into()));
    store.writer().keep(fixture::shared(9));
    store.writer().flush().unwrap();
    let reader = place.reader();
    let repeats: Vec<_> = all(&reader, "").iter().rev().map(|summary| summary.repeats).collect();
    assert_eq!(repeats, [0, 0, 1, 2, 3, 0, 0, 0, 0]);
    assert_eq!(count(&reader, "repeat"), 3);
}

#[test]
fn notes_are_written_found_and_removed() {
    let place = Place::new();
    let store = place.filled(3);
    let (writer, reader) = (store.writer(), place.reader());
    writer.note(fixture::id(1), Some("Ask Anna".to_owned()));
    writer.note(Uuid::nil(), Some("nobody's".to_owned()));
    writer.flush().unwrap();
    assert_eq!(reader.summary(fixture::id(1)).unwrap().unwrap().note.as_deref(), Some("Ask Anna"));
    for text in ["note:anna", "\"ask anna\"", "note:*", "anna body:captured"] {
        assert_eq!(all(&reader, text).iter().map(|summary| summary.id).collect::<Vec<_>>(), [fixture::id(1)], "{text}");
    }
    writer.note(fixture::id(1), None);
    writer.flush().unwrap();
    assert_eq!(count(&reader, "anna"), 0);
}

#[test]
fn the_latest_listener_is_remembered() {
    let place = Place::new();
    let store = place.store();
    let reader = place.reader();
    assert_eq!(reader.ready().unwrap(), None);
    store.writer().ready(&fixture::ready());
    let later = hookwire_capture::Ready { target: "http://localhost:4000".into(), ..fixture::ready() };
    store.writer().ready(&later);
    store.close().unwrap();
    assert_eq!(reader.ready().unwrap(), Some(later));
}

#[test]
fn an_id_is_found_by_either_end() {
    let place = Place::new();
    let store = place.filled(40);
    let reader = place.reader();
    assert_eq!(reader.find("latest").unwrap(), fixture::id(39));
    let id = fixture::id(7);
    let text = id.to_string();
    let simple = id.simple().to_string();
    for part in [text.as_str(), &simple, &text[28..], &text[22..].to_uppercase(), &text[..18], &format!(" {text} ")] {
        match reader.find(part) {
            Ok(found) => assert_eq!(found, id, "{part}"),
            Err(error) => assert!(part == &text[..18] && matches!(error, FindError::Ambiguous(_)), "{part}: {error}"),
        }
    }
    match reader.find(&text[..8]).unwrap_err() {
        FindError::Ambiguous(ids) => assert_eq!(ids, (30..40).rev().map(fixture::id).collect::<Vec<_>>()),
        error => panic!("{error}"),
    }
    assert!(matches!(reader.find("00000000"), Err(FindError::None(_))));
    for text in ["", "abc", "pay_29Q", "latest!", &format!("{text}0")] {
        assert!(matches!(reader.find(text), Err(FindError::NotAnId(_))), "{text}");
    }
    // Delivered again it is still one id, and the newest of its exchanges is meant.
    store.writer().keep(Exchange { late: true, ..fixture::exchange(7) }.into());
    store.writer().flush().unwrap();
    assert_eq!(reader.find(&text[28..]).unwrap(), id);
    assert!(reader.exchange(id).unwrap().unwrap().late);
    assert!(!reader.exchange_at(8).unwrap().unwrap().late);
}

#[test]
fn what_is_kept_is_committed_and_seen_without_being_asked_for() {
    let place = Place::new();
    let store = place.store();
    let mut reader = place.reader();
    store.writer().keep(fixture::shared(0));
    until("a commit", || reader.changed().unwrap());
    until("the row", || count(&reader, "") == 1);
}

#[test]
fn a_reader_sees_whole_commits_while_others_are_written() {
    let place = Place::new();
    let store = place.store();
    let writer = store.writer();
    let reader = place.reader();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (0..1_000).for_each(|number| writer.keep(fixture::shared(number)));
            writer.flush().unwrap();
        });
        let mut seen = 0;
        while seen < 1_000 {
            let rows = all(&reader, "body:captured");
            assert!(rows.len() >= seen);
            seen = rows.len();
            assert!((1..=seen as u64).rev().eq(rows.iter().map(|summary| summary.row)));
        }
    });
}

/// What may be answered from memory: only what the app itself took, here, and not in a replay.
#[test]
fn what_the_app_took_is_known_and_nothing_else_is() {
    let place = Place::new();
    let store = place.store();
    let held = Origin::Held { since: fixture::night() };
    let with = |number, status, change: fn(&mut Exchange)| {
        let mut exchange = fixture::exchange(number);
        exchange.response = Some(fixture::response(status));
        change(&mut exchange);
        exchange
    };
    let kept = [
        with(0, 200, |_| {}),
        with(1, 204, |late| late.late = true),
        Exchange { origin: held, answered_by: AnsweredBy::Relay, ..with(2, 201, |_| {}) },
        // The session broke behind the app's answer.
        with(3, 200, |broken| broken.error = Some(Code::SessionLost)),
        // It failed, came again, and was taken.
        with(4, 500, |_| {}),
        Exchange { origin: held, ..with(4, 200, |_| {}) },
        // And these are not taken, or not here.
        with(5, 500, |_| {}),
        with(6, 302, |_| {}),
        with(7, 502, |refused| refused.error = Some(Code::AppRefused)),
        with(8, 0, |lost| (lost.response, lost.error) = (None, Some(Code::SessionLost))),
        with(9, 200, |replay| replay.origin = Origin::Replay { of: fixture::id(5) }),
        with(10, 200, |sent| sent.origin = Origin::Sent),
        with(11, 200, |elsewhere| elsewhere.endpoint = "other".into()),
    ];
    for exchange in kept {
        store.writer().keep(exchange.into());
    }
    store.writer().flush().unwrap();
    let expected =
        [(0, 200), (1, 204), (2, 201), (3, 200), (4, 200)].map(|(number, status)| (fixture::id(number), status));
    assert_eq!(place.reader().taken("shop", 100).unwrap(), expected);
    assert_eq!(place.reader().taken("shop", 2).unwrap(), expected[3..]);
}

#[test]
fn reading_can_be_stopped_from_another_thread() {
    let place = Place::new();
    let _store = place.filled(500);
    let reader = place.reader();
    let interrupt = reader.interrupt_handle();
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            loop {
                if let Err(error) = reader.count(&filter("body:\"z!\""), SystemTime::now()) {
                    return error;
                }
            }
        });
        until("an interruption", || {
            interrupt.interrupt();
            reading.is_finished()
        });
        assert!(matches!(reading.join().unwrap(), StoreError::Interrupted));
    });
}
