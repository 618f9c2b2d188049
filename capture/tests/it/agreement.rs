//! The store finds what a filter finds without a store.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_capture::{AnsweredBy, Beside, Exchange, Filter, From, Origin, Reader, Store};
use hookwire_protocol::{code::Code, head::Headers};
use hookwire_signatures::{Cause, Event, Provider, Status};
use proptest::{prelude::*, sample::select, strategy::ValueTree as _, test_runner::TestRunner};

use crate::{Place, fixture};

const STORED: u64 = 300;

/// When ages are counted from: some exchanges are of the future.
fn now() -> SystemTime {
    fixture::night() + Duration::from_secs(30)
}

/// Little text, so that filters and exchanges meet often.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abAB/.]{0,4}",
        select(vec!["pay_29Q", "payment.captured", "a*b", "x\"y", "\u{e9}A"]).prop_map(str::to_owned)
    ]
}

fn exchange(number: u64) -> impl Strategy<Value = Exchange> {
    let when = (0..60_000_u64, 0..3_000_u64, any::<bool>());
    let answer = (select(vec![0_u16, 200, 404, 503]), select(vec![None, Some(Code::AppRefused), Some(Code::Internal)]));
    let texts = (text(), text(), text(), text(), text(), select(vec!["GET", "POST", "a"]));
    let event = (select(vec![None, Some(Provider::Razorpay), Some(Provider::GitHub)]), 0..9_u8, text());
    let origin =
        select(vec![Origin::Live, Origin::Sent, Origin::Replay { of: fixture::id(0) }, Origin::Held { since: now() }]);
    let verdict =
        (select(vec![Status::Valid, Status::Invalid, Status::NoSecret]), select(vec![None, Some(Cause::TooOld)]));
    (when, answer, texts, event, origin, verdict).prop_map(move |(when, answer, texts, event, origin, verdict)| {
        let mut exchange = fixture::exchange(number);
        exchange.received_at = fixture::night() + Duration::from_millis(when.0);
        exchange.duration = Duration::from_millis(when.1);
        exchange.late = when.2;
        exchange.response = (answer.0 > 0).then(|| fixture::response(answer.0));
        exchange.error = answer.1;
        exchange.answered_by = AnsweredBy::App;
        exchange.request.target = Bytes::from(format!("/{}?{}", texts.0, texts.1).replace(['"', '\u{e9}'], ""));
        exchange.request.method = Bytes::from_static(texts.5.as_bytes());
        let headers = [(b"x-a".as_slice(), texts.2.as_bytes()), (b"content-type", b"b")];
        exchange.request.headers = headers.into_iter().collect::<Headers>();
        exchange.request_body = fixture::body(texts.3.clone());
        exchange.response_body = fixture::body(texts.4.repeat(3));
        exchange.endpoint = texts.4.as_str().into();
        let id = (event.1 > 0).then(|| format!("evt_{}", event.1));
        exchange.event = Event { provider: event.0, name: (event.1 > 2).then_some(event.2), id };
        exchange.origin = origin;
        (exchange.verdict.status, exchange.verdict.cause) = verdict;
        exchange
    })
}

/// A filter's text: single terms, and terms joined.
fn filters() -> impl Strategy<Value = String> {
    let quoted = |text: String| format!("\"{}\"", text.replace('"', "\\\""));
    let bare = "[abx*/.]{1,4}";
    let term = prop_oneof![
        select(vec![
            "status:5xx",
            "status:0",
            "status:>=404",
            "status:<404",
            "repeat",
            "late",
            "method:post",
            "method:*",
            "path:/a",
            "path:*b",
            "verdict:invalid",
            "verdict:*d",
            "cause:too-old",
            "cause:*",
            "provider:github",
            "error:app-refused",
            "error:*",
            "origin:replay",
            "origin:*e*",
            "event:payment.*",
            "event:*",
            "header:x-a",
            "header:x-*=*a*",
            "header:x-b",
            "header:content-type=b",
            "header:content-type",
            "age:<10s",
            "age:>0s",
            "age:<=1ms",
            "duration:>1s",
            "duration:<=500ms",
            "note:a",
            "body:pay_29q",
            "body:captured",
            "endpoint:ab*",
            "note:*",
            "pay_29Q",
            "payment",
            "noted",
        ])
        .prop_map(str::to_owned),
        (select(vec!["body:", "note:", "event:", "endpoint:", "header:x-a=", "path:/", ""]), bare)
            .prop_map(|(f, v)| format!("{f}{v}")),
        (select(vec!["body:", "", "endpoint:", "header:x-a="]), text().prop_filter("empty", |text| !text.is_empty()))
            .prop_map(move |(field, value)| format!("{field}{}", quoted(value))),
    ];
    term.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} or {b} and {a}")),
            inner.clone().prop_map(|a| format!("not {a}")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

/// One store for all filters, with every seventh exchange noted.
fn stored() -> &'static (Vec<Exchange>, Place, Store) {
    static STORE: OnceLock<(Vec<Exchange>, Place, Store)> = OnceLock::new();
    STORE.get_or_init(|| {
        let mut runner = TestRunner::deterministic();
        let made = |number| exchange(number).new_tree(&mut runner).unwrap().current();
        let exchanges: Vec<Exchange> = (0..STORED).map(made).collect();
        let place = Place::new();
        let store = place.store();
        for exchange in &exchanges {
            store.writer().keep(exchange.clone().into());
        }
        (0..STORED).step_by(7).for_each(|number| store.writer().note(fixture::id(number), Some("noted A".to_owned())));
        store.writer().flush().unwrap();
        (exchanges, place, store)
    })
}

/// The numbers of the exchanges that pass, by the store and without it, newest first.
fn both(reader: &Reader, exchanges: &[Exchange], filter: &Filter) -> (Vec<u64>, Vec<u64>) {
    let found = reader.page(filter, From::Newest, usize::MAX, now()).unwrap();
    let everything = reader.page(&Filter::all(), From::Newest, usize::MAX, now()).unwrap();
    let expected = everything.iter().filter(|summary| {
        let beside = Beside { repeats: summary.repeats, note: summary.note.as_deref() };
        filter.matches(&exchanges[summary.row as usize - 1], beside, now())
    });
    (found.iter().map(|summary| summary.row).collect(), expected.map(|summary| summary.row).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 3 / 2))]
    #[test]
    fn the_store_finds_what_a_filter_finds(text in filters()) {
        let (exchanges, place, _) = stored();
        let reader = place.reader();
        let filter = Filter::parse(&text).unwrap();
        let (found, expected) = both(&reader, exchanges, &filter);
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(reader.count(&filter, now()).unwrap(), expected.len() as u64);
    }
}

/// The property would hold of filters that never find anything, too.
#[test]
fn the_filters_of_the_property_find_some_and_leave_some() {
    let (exchanges, place, _) = stored();
    let reader = place.reader();
    let mut runner = TestRunner::deterministic();
    let texts: Vec<String> = (0..200).map(|_| filters().new_tree(&mut runner).unwrap().current()).collect();
    let found = texts.iter().map(|text| both(&reader, exchanges, &Filter::parse(text).unwrap()).0.len() as u64);
    let telling = found.filter(|found| (1..STORED).contains(found)).count();
    assert!(telling > 100, "{telling} of 200");
}
