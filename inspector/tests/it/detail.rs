//! The sections of an exchange.

use std::{fmt::Write as _, io::Write as _, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use insta::assert_snapshot;
use proptest::prelude::*;

use hookwire_capture::{AnsweredBy, CapturedBody, Evidence, Exchange, Origin};
use hookwire_inspector::{
    Folds, Rendered, Role,
    body::{Options, View},
    detail::{self, Context, Section},
    line,
};
use hookwire_protocol::{code::Code, head::Headers};
use hookwire_signatures::{Cause, Status};

use crate::fixture;

fn rendered(exchange: &Exchange, section: Section, context: &Context, width: usize, view: View) -> Rendered {
    let folds = Folds::default();
    detail::render(exchange, section, context, &Options { width, folds: &folds, search: "", view })
}

fn text(rendered: &Rendered) -> String {
    let mut text = String::new();
    for line in rendered.lines(0..usize::MAX) {
        writeln!(text, "{}", line::text(&line)).unwrap();
    }
    text
}

fn section(exchange: &Exchange, section: Section) -> String {
    text(&rendered(exchange, section, &Context::default(), 80, View::Fitting))
}

fn evidence(text: &str) -> Evidence {
    text.to_owned().into()
}

fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

fn captured(body: &[u8]) -> CapturedBody {
    CapturedBody { bytes: Bytes::copy_from_slice(body), length: body.len() as u64, sha256: None }
}

/// A Razorpay webhook with everything there is to show.
fn payment() -> Exchange {
    let mut exchange = fixture::exchange();
    exchange.request.headers = headers(&[
        ("host", "relay.example.com"),
        ("content-type", "application/json"),
        ("x-razorpay-event-id", "evt_1"),
        ("x-razorpay-signature", "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc"),
    ]);
    exchange.request_body = captured(br#"{"event":"payment.captured","payload":{"amount":50000}}"#);
    exchange.forwarded = Some(Duration::from_micros(400));
    exchange.verdict.secret = Some("env:RAZORPAY_WEBHOOK_SECRET".into());
    exchange.response.as_mut().unwrap().headers =
        headers(&[("content-type", "application/json"), ("x-powered-by", "Express")]);
    exchange.response_body = captured(b"{\"ok\":true}");
    exchange
}

fn context() -> Context {
    Context {
        note: Some("the one that failed on Friday".into()),
        amount: Some("₹500.00".into()),
        repeats: 2,
        ..Context::default()
    }
}

#[test]
fn an_exchange_that_went_well() {
    for section in Section::ALL {
        let shown = text(&rendered(&payment(), *section, &context(), 80, View::Fitting));
        assert_snapshot!(format!("well-{}", section.title()), shown);
    }
    assert_snapshot!(
        "well-overview-narrow",
        text(&rendered(&payment(), Section::Overview, &context(), 40, View::Fitting))
    );
}

#[test]
fn an_app_that_is_down() {
    let mut refused = fixture::refused();
    refused.forwarded = None;
    assert_snapshot!("refused-overview", section(&refused, Section::Overview));
    refused.response = None;
    assert_snapshot!("refused-response", section(&refused, Section::Response));
}

#[test]
fn the_deadline_counts_for_whoever_waits() {
    let mut slow = payment();
    slow.duration = Duration::from_millis(2_140);
    slow.first_byte = Some(Duration::from_millis(2_100));
    let overview = section(&slow, Section::Overview);
    assert!(
        overview.contains("in all        2.1 s  of Razorpay's 5 s\nlimit from   https://razorpay.com/"),
        "{overview}"
    );

    slow.duration = Duration::from_millis(6_140);
    let overview = section(&slow, Section::Overview);
    assert!(overview.contains("of Razorpay's 5 s: it had given up by then"), "{overview}");
    let bad = |exchange: &Exchange| {
        let lines = rendered(exchange, Section::Overview, &Context::default(), 120, View::Fitting).lines(0..99);
        lines.into_iter().flatten().any(|span| span.role() == Role::Bad)
    };
    assert!(bad(&slow));

    // Nobody waits for a replay; and who got 202 in time waits no longer.
    slow.origin = Origin::Replay { of: slow.id };
    assert!(!section(&slow, Section::Overview).contains("5 s"));
    slow.origin = Origin::Live;
    slow.late = true;
    let overview = section(&slow, Section::Overview);
    assert!(!overview.contains("of Razorpay's") && overview.contains("202 from the relay"), "{overview}");
    // Stripe publishes no limit.
    let mut stripe = fixture::stripe(Status::Valid, None);
    stripe.duration = Duration::from_mins(1);
    assert!(!section(&stripe, Section::Overview).contains("given up"));
}

#[test]
fn each_verdict_says_why_and_what_to_do() {
    let mut stale = fixture::stripe(Status::Stale, Some(Cause::TooOld));
    (stale.verdict.age_seconds, stale.verdict.tolerance_seconds) = (Some(412), Some(300));
    stale.request.headers = headers(&[("stripe-signature", "t=1492774577,v1=5257a869")]);
    assert_snapshot!("signature-stale", section(&stale, Section::Signature));
    let delayed = section(&fixture::stale_of(722, Duration::from_mins(12)), Section::Signature);
    assert_snapshot!("signature-stale-by-delay", delayed);
    let stale = section(&fixture::stale_of(2_000, Duration::from_mins(12)), Section::Signature);
    assert!(stale.contains("2000 s old (limit 300 s)") && !stale.contains("--resign"), "{stale}");

    let mut invalid = fixture::stripe(Status::Invalid, Some(Cause::BodyReserialized));
    assert!(!section(&invalid, Section::Signature).contains("evidence"), "there is none");
    invalid.evidence =
        Some(evidence(r"with its slashes escaped as `\/`, the body fits; at byte 20 came `/` where `\/` was signed"));
    assert_snapshot!("signature-invalid", section(&invalid, Section::Signature));
    invalid.verdict.cause = Some(Cause::NoMatch);
    invalid.evidence = Some(evidence("tried in 312 ways: line endings; another URL"));
    let shown = section(&invalid, Section::Signature);
    assert!(shown.contains("\nevidence     none; tried in 312 ways: line endings; another URL\n"), "{shown}");

    let mut unsigned = payment();
    (unsigned.verdict.status, unsigned.verdict.scheme) = (Status::Unsigned, None);
    assert_snapshot!("signature-unsigned", section(&unsigned, Section::Signature));

    let mut no_secret = payment();
    (no_secret.verdict.status, no_secret.verdict.secret) = (Status::NoSecret, None);
    let shown = section(&no_secret, Section::Signature);
    assert!(shown.contains("`--secret razorpay=env:RAZORPAY_WEBHOOK_SECRET`"), "{shown}");
}

/// A body as PHP writes it, refused by an app on Express.
fn refused() -> Exchange {
    let mut refused = payment();
    refused.request_body = captured(br#"{"short_url":"https:\/\/rzp.io\/i\/x"}"#);
    refused.response.as_mut().unwrap().status = 401;
    refused
}

#[test]
fn a_valid_one_that_the_app_refused_says_why_that_is_likely() {
    assert_snapshot!("signature-refused", section(&refused(), Section::Signature));

    let mut gzipped = refused();
    gzipped.response.as_mut().unwrap().status = 500;
    assert!(!section(&gzipped, Section::Signature).contains("the app refused it"), "it may have any reason");
    let mut coder = GzEncoder::new(Vec::new(), Compression::fast());
    coder.write_all(b"Error: no signatures found matching").unwrap();
    gzipped.response_body = captured(&coder.finish().unwrap());
    gzipped.response.as_mut().unwrap().headers = headers(&[("content-encoding", "gzip")]);
    assert!(section(&gzipped, Section::Signature).contains("the app refused it"), "it says so itself");

    let is_told = |exchange: &Exchange| section(exchange, Section::Signature).contains("the app refused it");
    let late = Exchange { late: true, answered_by: AnsweredBy::Relay, ..refused() };
    let held = Exchange { origin: Origin::Held { since: fixture::night() }, ..late.clone() };
    assert!(is_told(&late) && is_told(&Exchange { late: false, ..held }));
    // The controls: not the app's answer, or no refusal.
    let by_client = Exchange { answered_by: AnsweredBy::Client, ..refused() };
    let failed = Exchange { error: Some(Code::AppDied), ..refused() };
    let mut taken = refused();
    taken.response.as_mut().unwrap().status = 200;
    assert!(![by_client, failed, taken].iter().any(is_told));
}

#[test]
fn of_a_body_that_is_not_all_there_nothing_is_said() {
    let section = |exchange: &Exchange, part| section(exchange, part).split_whitespace().collect::<Vec<_>>().join(" ");
    let whole = section(&refused(), Section::Signature);
    assert!(whole.contains("differs at byte 20") && whole.contains("what would break it in code"), "{whole}");
    let mut cut = refused();
    cut.request_body.length += 1;
    let shown = section(&cut, Section::Signature);
    assert!(shown.contains("does not check the raw body, or has"), "{shown}");
    assert!(!shown.contains("differs at byte") && !shown.contains("what would break it"), "{shown}");

    let mut survives = refused();
    survives.request_body = captured(b"{}");
    assert!(section(&survives, Section::Signature).contains("has another secret"), "the control");
    survives.request_body.length += 1;
    assert!(section(&survives, Section::Signature).contains("does not check the raw body, or has"));
}

#[test]
fn what_would_break_is_told_of_right_signatures_only_three_times_at_most() {
    let count = |exchange: &Exchange| section(exchange, Section::Signature).matches("\n! ").count();
    assert_eq!(count(&refused()), 4, "and how many more there are");
    let with = |status| {
        let mut exchange = refused();
        exchange.verdict.status = status;
        count(&exchange)
    };
    assert_eq!((with(Status::Stale), with(Status::Invalid), with(Status::NoSecret)), (4, 0, 0));
}

#[test]
fn what_is_empty_says_so() {
    let mut empty = fixture::exchange();
    empty.request_body = CapturedBody::default();
    empty.response_body = CapturedBody::default();
    empty.request.target = Bytes::from_static(b"?razorpay_payment_id=pay_1&x=a%20b");
    assert_eq!(
        section(&empty, Section::Body),
        "the request has no body\nwhat it says is in its query: see the headers\n"
    );
    assert_eq!(
        section(&empty, Section::Headers),
        "POST /?razorpay_payment_id=pay_1&x=a%20b HTTP/1.1\nno headers\n\nquery\n\
         razorpay_payment_id = pay_1\nx                   = a b\n"
    );
    assert_eq!(section(&empty, Section::Response), "HTTP/1.1 200 OK  by app\nno headers\n\nthe answer has no body\n");
    assert_eq!(section(&empty, Section::Raw), "POST /?razorpay_payment_id=pay_1&x=a%20b HTTP/1.1\\r\n\\r\n");
}

#[test]
fn raw_bytes_are_text_or_hexadecimal() {
    let mut binary = payment();
    binary.request_body = captured(b"\x89PNG\0\xff");
    let shown = section(&binary, Section::Raw);
    assert!(shown.ends_with("\n\\r\n00000000  89 50 4e 47 00 ff                                 .PNG..\n"), "{shown}");
    let hex = text(&rendered(&binary, Section::Raw, &Context::default(), 80, View::Hex));
    assert!(hex.starts_with("00000000  50 4f 53 54 20 2f 76 65  72 69 66 69 63 61 74 69  POST /verificati\n"), "{hex}");
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

proptest! {
    #[test]
    fn no_section_shows_what_could_harm_or_leaves_its_width(
        target: Vec<u8>,
        method: Vec<u8>,
        value: Vec<u8>,
        reason: Vec<u8>,
        event: String,
        answered_by in proptest::sample::select(&[AnsweredBy::App, AnsweredBy::Client, AnsweredBy::Relay]),
        width in 40..120_usize,
        is_invalid: bool,
    ) {
        let mut exchange = payment();
        let hostile = [fixture::HOSTILE, &value].concat();
        exchange.request.target = [fixture::HOSTILE, &target].concat().into();
        exchange.request.method = [fixture::HOSTILE, &method].concat().into();
        exchange.request.headers = [(&b"x\x1b"[..], &hostile[..]), (b"x-razorpay-signature", &hostile)].into_iter().collect();
        exchange.event.name = Some(event.clone());
        exchange.event.id = Some(format!("\u{202e}\x1b]0;{event}"));
        exchange.endpoint = "\u{9b}31m".into();
        exchange.response.as_mut().unwrap().reason = Some([b"\x9b", &reason[..]].concat().into());
        exchange.answered_by = answered_by;
        exchange.verdict.secret = Some("\x1b[2J".into());
        // Twice: with what is said of an invalid signature, and of a valid one that the app refused.
        exchange.evidence = Some(format!("\x1b[2J{event}").into());
        if is_invalid {
            (exchange.verdict.status, exchange.verdict.cause) = (Status::Invalid, Some(Cause::BodyChanged));
        } else {
            exchange.request_body = captured("{\"a\\u202e\u{202e}\u{9b}\": \"\u{9b}31m\\/\"}".as_bytes());
            exchange.response.as_mut().unwrap().status = 400;
        }
        let context = Context { note: Some(event.clone()), amount: Some(event), ..context() };
        for section in Section::ALL {
            for line in rendered(&exchange, *section, &context, width, View::Fitting).lines(0..usize::MAX) {
                let text = line::text(&line);
                prop_assert!(!text.contains(is_harmful), "{:?}", text);
                let columns: usize = line.iter().map(hookwire_inspector::Span::width).sum();
                prop_assert!(columns <= width, "{} of {}: {:?}", columns, width, text);
            }
        }
    }
}
