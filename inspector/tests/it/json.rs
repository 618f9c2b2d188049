use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use hookwire_capture::{AnsweredBy, Connection, Exchange, Origin, Update};
use hookwire_inspector::json::write_line;
use hookwire_signatures::{Cause, Status};

use crate::fixture;

fn line(update: &Update) -> String {
    let mut out = Vec::new();
    write_line(update, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn exchange_line(exchange: Exchange) -> Value {
    serde_json::from_str(&line(&Update::Exchange(Arc::new(exchange)))).unwrap()
}

#[test]
fn ready_names_the_addresses() {
    assert_eq!(
        line(&Update::Ready(fixture::ready())),
        "{\"type\":\"ready\",\"public_url\":\"https://relay.example.com/shop\",\
         \"webhook_url\":\"https://relay.example.com/shop/verification\",\"api\":null,\
         \"target\":\"http://localhost:3000\",\"endpoint\":\"shop\"}\n"
    );
}

#[test]
fn an_exchange_has_the_fields_that_scripts_rely_on() {
    assert_eq!(
        line(&Update::Exchange(Arc::new(fixture::exchange()))),
        "{\"type\":\"exchange\",\"id\":\"01980000-0000-7000-8000-000000000001\",\"time\":\"2026-07-14T02:14:07.250Z\",\
         \"origin\":\"live\",\"endpoint\":\"shop\",\"method\":\"POST\",\"path\":\"/verification\",\"status\":200,\
         \"answered_by\":\"app\",\"event\":\"payment.captured\",\"event_id\":\"evt_1\",\
         \"verdict\":{\"status\":\"valid\",\"scheme\":\"razorpay.webhook\",\"secret\":null,\"cause\":null,\"reason\":null,\
          \"evidence\":null},\
         \"error\":null,\"duration_ms\":12.3,\"request_bytes\":1620,\"response_bytes\":2}\n"
    );
}

#[test]
fn query_cause_and_error_appear_when_there_are_any() {
    let mut stale = fixture::stripe(Status::Stale, Some(Cause::TooOld));
    stale.verdict.secret = Some("file:stripe.secret".into());
    stale.verdict.age_seconds = Some(412);
    stale.verdict.tolerance_seconds = Some(300);
    let stale = exchange_line(stale);
    assert_eq!((&stale["path"], &stale["query"]), (&json!("/stripe"), &json!("live=1")));
    assert_eq!(
        stale["verdict"],
        json!({
            "status": "stale", "scheme": "stripe.v1", "secret": "file:stripe.secret", "cause": "too-old",
            "reason": "signature right, but 412 s old (limit 300 s)", "evidence": null,
        })
    );

    let mut invalid = fixture::stripe(Status::Invalid, Some(Cause::BodyNewline));
    invalid.evidence = Some("without the line feed at its end, the body fits".to_owned().into());
    assert_eq!(exchange_line(invalid)["verdict"]["evidence"], "without the line feed at its end, the body fits");
    // Held for 7 min, it was stale already when the relay took it in; had it come at once, it was not.
    let reason = |age| exchange_line(fixture::stale_of(age, Duration::from_mins(7)))["verdict"]["reason"].clone();
    assert_eq!(reason(1_000), "signature right, but 1000 s old (limit 300 s)");
    assert_eq!(reason(422), "right when it came: held for 7 min, past Stripe's 300 s");

    let refused = exchange_line(fixture::refused());
    assert_eq!((&refused["status"], &refused["error"]), (&json!(502), &json!("app-refused")));
    assert_eq!((&refused["answered_by"], &refused["duration_ms"]), (&json!("client"), &json!(0.4)));
}

#[test]
fn an_exchange_without_path_event_or_answer_is_still_whole() {
    let mut bare = fixture::exchange();
    bare.origin = Origin::Held { since: SystemTime::UNIX_EPOCH };
    bare.answered_by = AnsweredBy::Relay;
    bare.request.target = Bytes::from_static(b"?");
    bare.event.name = None;
    bare.event.id = None;
    bare.response = None;
    let bare = exchange_line(bare);
    assert_eq!((&bare["path"], &bare["query"], &bare["origin"]), (&json!("/"), &json!(""), &json!("held")));
    assert_eq!((&bare["event"], &bare["event_id"]), (&Value::Null, &Value::Null));
    assert_eq!((&bare["status"], &bare["answered_by"]), (&json!(0), &json!("relay")));
}

#[test]
fn connection_and_skipped_say_what_changed() {
    assert_eq!(
        line(&fixture::connected_after(3_200)),
        "{\"type\":\"connection\",\"state\":\"connected\",\"reason\":null,\"retry_in_ms\":null}\n"
    );
    assert_eq!(
        line(&fixture::reconnecting("the relay closed the connection")),
        "{\"type\":\"connection\",\"state\":\"reconnecting\",\"reason\":\"the relay closed the connection\",\"retry_in_ms\":80}\n"
    );
    assert_eq!(
        line(&Update::Connection(Connection::Closed { reason: "bad token".into() })),
        "{\"type\":\"connection\",\"state\":\"closed\",\"reason\":\"bad token\",\"retry_in_ms\":null}\n"
    );
    assert_eq!(line(&Update::Skipped(7)), "{\"type\":\"skipped\",\"count\":7}\n");
}

#[test]
fn hostile_bytes_are_exact_for_a_parser_and_harmless_for_a_terminal() {
    let mut hostile = fixture::exchange();
    hostile.request.target = Bytes::from_static(fixture::HOSTILE);
    hostile.event.name = Some("\u{1f680}\u{e0041}\u{7f}".into());
    let text = line(&Update::Exchange(Arc::new(hostile)));
    assert!(text.contains(r#""path":"/a\u001b[2J\u0007\\x9b31m\u009b1m\u202eexe\u200b\\xff""#), "{text}");
    assert!(text.contains("\"event\":\"\u{1f680}\\udb40\\udc41\\u007f\""), "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["path"], "/a\u{1b}[2J\u{7}\\x9b31m\u{9b}1m\u{202e}exe\u{200b}\\xff");
    assert_eq!(value["event"], "\u{1f680}\u{e0041}\u{7f}");
}

proptest! {
    #[test]
    fn any_text_is_read_back_from_one_line_without_a_control(target: Vec<u8>, event: String) {
        let mut any = fixture::exchange();
        any.request.target = Bytes::from(target);
        any.event.name = Some(event.clone());
        let text = line(&Update::Exchange(Arc::new(any)));
        prop_assert_eq!(text.trim_end_matches('\n').chars().filter(|c| c.is_control()).count(), 0);
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&value["event"], &Value::String(event));
    }
}
