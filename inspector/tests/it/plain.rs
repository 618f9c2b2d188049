use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use hookwire_capture::{AnsweredBy, CapturedBody, Connection, Exchange, Origin, Ready, Update};
use hookwire_inspector::{Plain, Theme};
use hookwire_protocol::code::Code;
use hookwire_signatures::{Cause, Status};

use crate::fixture;

fn plain(theme: Theme, width: usize) -> Plain {
    Plain::new(theme, width, TimeZone::UTC)
}

fn screen<'a>(plain: &mut Plain, updates: impl IntoIterator<Item = &'a Update>) -> String {
    let mut out = Vec::new();
    for update in updates {
        plain.render(update, fixture::night(), &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn exchange_at(width: usize, exchange: Exchange) -> String {
    screen(&mut plain(Theme::PLAIN, width), [&Update::Exchange(Arc::new(exchange))])
}

/// A Stripe webhook, seven minutes old.
fn stale() -> Exchange {
    let mut stale = fixture::stripe(Status::Stale, Some(Cause::TooOld));
    stale.verdict.age_seconds = Some(412);
    stale.verdict.tolerance_seconds = Some(300);
    stale.response = Some(fixture::response(400));
    stale.duration = Duration::from_micros(8_700);
    stale
}

/// A browser on a callback page with a long path.
fn unsigned() -> Exchange {
    let mut unsigned = fixture::exchange();
    unsigned.request.method = Bytes::from_static(b"GET");
    unsigned.request.target = Bytes::from_static(b"/api/v1/webhooks/razorpay/payments/callback?id=pay_1");
    unsigned.verdict.status = Status::Unsigned;
    unsigned.verdict.scheme = None;
    unsigned.event.name = None;
    unsigned.event.id = None;
    unsigned.duration = Duration::from_millis(2_140);
    unsigned
}

fn invalid() -> Exchange {
    let mut invalid = fixture::exchange();
    invalid.verdict = fixture::verdict(Status::Invalid, "razorpay.webhook", Some(Cause::BodyReserialized));
    invalid.event.id = Some("evt_3".into());
    invalid.response = Some(fixture::response(400));
    invalid
}

/// A night's worth of news.
fn night() -> Vec<Update> {
    let exchanges = [
        fixture::exchange(),
        fixture::exchange(),
        stale(),
        invalid(),
        fixture::stripe(Status::NoSecret, None),
        unsigned(),
    ];
    let mut updates = vec![Update::Ready(fixture::ready())];
    updates.extend(
        exchanges.into_iter().chain([fixture::refused(), fixture::refused()]).map(|it| Update::Exchange(Arc::new(it))),
    );
    updates.extend([
        fixture::reconnecting("the relay closed the connection"),
        fixture::reconnecting("the relay closed the connection"),
        fixture::reconnecting("the relay refused the connection"),
        fixture::connected_after(3_200),
        Update::Skipped(12),
    ]);
    updates
}

#[test]
fn a_night_at_80_columns() {
    assert_eq!(
        screen(&mut plain(Theme::PLAIN, 80), &night()),
        "
hookwire · shop

  webhook URL  https://relay.example.com/shop/verification
               paste it into the provider's dashboard
  public URL   https://relay.example.com/shop
  forwards to  http://localhost:3000
  relay        https://relay.example.com
  secrets      razorpay  env:RAZORPAY_WEBHOOK_SECRET
               stripe    file:stripe.secret

time      request             event               took  answer and signature
02:14:07  POST /verification  payment.captured   12 ms  200  ✓ valid razorpay
02:14:07  POST /verification  payment.captured   12 ms  200  ✓ valid razorpay
          (repeat of the same event id)
02:14:07  POST /stripe        payment_intent.…  8.7 ms  400  ⧗ stale stripe
          why:  signature right, but 412 s old (limit 300 s)
          hint: have it sent anew: gateways sign each attempt with the current
                time
02:14:07  POST /verification  payment.captured   12 ms  400  ✗ invalid razorpay
          why:  the body was parsed and written again after it was signed
          hint: hand on the raw bytes, never the result of parsing and
                serialising
02:14:07  POST /stripe        payment_intent.…   12 ms  200  ? no secret
          (repeat of the same event id)
          hint: `--secret stripe=env:STRIPE_WEBHOOK_SECRET` lets it be judged
02:14:07  GET /api…/callback                     2.1 s  200  – unsigned
02:14:07  POST /verification  payment.captured  0.4 ms  502 app-refused  ✓ valid
          (repeat of the same event id)
          hint: the app refused the connection: start the app, or check the port
                given to `hookwire listen`
02:14:07  POST /verification  payment.captured  0.4 ms  502 app-refused  ✓ valid
          (repeat of the same event id)
02:14:07  reconnecting: the relay closed the connection; still trying
02:14:07  reconnecting: the relay refused the connection; still trying
02:14:07  connected again after 3.2 s
02:14:07  12 more delivered, but not shown: this output fell behind
"
    );
}

#[test]
fn an_app_with_routes_of_its_own_is_told_to_add_one() {
    let ready = fixture::ready();
    let ready = Ready { webhook_url: format!("{}/", ready.public_url), ..ready };
    let screen = screen(&mut plain(Theme::PLAIN, 100), &[Update::Ready(ready)]);
    assert!(screen.contains("https://relay.example.com/shop/verification reaches http://localhost:3000/verification"));
    assert!(screen.contains("add your app's route"), "{screen}");
}

#[test]
fn a_night_at_120_columns() {
    assert_eq!(
        screen(&mut plain(Theme::PLAIN, 120), &night()[1..]),
        "\
02:14:07  POST /verification            payment.captured           12 ms  200  ✓ valid razorpay
02:14:07  POST /verification            payment.captured           12 ms  200  ✓ valid razorpay  (repeat)
02:14:07  POST /stripe                  payment_intent.succeeded  8.7 ms  400  ⧗ stale stripe
          why:  signature right, but 412 s old (limit 300 s)
          hint: have it sent anew: gateways sign each attempt with the current time
02:14:07  POST /verification            payment.captured           12 ms  400  ✗ invalid razorpay
          why:  the body was parsed and written again after it was signed
          hint: hand on the raw bytes, never the result of parsing and serialising
02:14:07  POST /stripe                  payment_intent.succeeded   12 ms  200  ? no secret for stripe  (repeat)
          hint: `--secret stripe=env:STRIPE_WEBHOOK_SECRET` lets it be judged
02:14:07  GET /api/v1…ayments/callback                             2.1 s  200  – unsigned
02:14:07  POST /verification            payment.captured          0.4 ms  502 app-refused  ✓ valid razorpay  (repeat)
          hint: the app refused the connection: start the app, or check the port given to `hookwire listen`
02:14:07  POST /verification            payment.captured          0.4 ms  502 app-refused  ✓ valid razorpay  (repeat)
02:14:07  reconnecting: the relay closed the connection; still trying
02:14:07  reconnecting: the relay refused the connection; still trying
02:14:07  connected again after 3.2 s
02:14:07  12 more delivered, but not shown: this output fell behind
"
    );
}

#[test]
fn where_there_is_room_the_reason_stands_on_the_line() {
    let line = exchange_at(200, invalid());
    assert!(
        line.contains("400  ✗ invalid razorpay: the body was parsed and written again after it was signed\n"),
        "{line}"
    );
}

#[test]
fn without_secrets_the_banner_says_how_to_give_one() {
    let mut ready = fixture::ready();
    ready.secrets.clear();
    ready.api = Some("http://127.0.0.1:4040".into());
    let banner = screen(&mut plain(Theme::PLAIN, 80), [&Update::Ready(ready)]);
    assert!(
        banner.contains(
            "
  relay        https://relay.example.com
  local API    http://127.0.0.1:4040
  secrets      none: signatures are seen, but not judged
               hint: `--secret razorpay=env:RAZORPAY_WEBHOOK_SECRET`, or `--env-file .env`
"
        ),
        "{banner}"
    );
}

#[test]
fn colours_follow_roles_and_only_repeat_what_words_say() {
    let mut coloured = plain(Theme::COLOUR, 80);
    let good = screen(&mut coloured, [&Update::Exchange(Arc::new(fixture::exchange()))]);
    assert_eq!(
        good,
        "\x1b[2m02:14:07\x1b[0m  POST /verification  payment.captured   \x1b[2m12 ms\x1b[0m  200  \x1b[32m✓ valid razorpay\x1b[0m\n"
    );
    let bad = screen(&mut coloured, [&Update::Exchange(Arc::new(invalid()))]);
    assert!(bad.contains("\x1b[1;31m400\x1b[0m  \x1b[1;31m✗ invalid razorpay\x1b[0m\n"), "{bad}");
    assert!(bad.contains("          \x1b[2mhint: \x1b[0m\x1b[2mhand on"), "{bad}");

    let coloured = screen(&mut plain(Theme::COLOUR, 80), &night());
    assert_eq!(without_colours(&coloured), screen(&mut plain(Theme::PLAIN, 80), &night()));
}

/// Every verdict can be told without colour, and each has its mark.
#[test]
fn every_verdict_has_a_mark_and_a_word() {
    let cases = [
        (Status::Valid, None, "✓ valid razorpay\n"),
        (Status::Stale, None, "⧗ stale razorpay\n"),
        (Status::Invalid, None, "✗ invalid razorpay\n"),
        (Status::NoSecret, None, "? no secret for razorpay\n"),
        (Status::Unsigned, None, "– unsigned\n"),
        (Status::Challenge, None, "– challenge razorpay\n"),
        // Right, with a warning.
        (Status::Valid, Some(Cause::WrongEncoding), "✓ valid razorpay: the signature is right, but written in another"),
    ];
    for (status, cause, expected) in cases {
        let mut exchange = fixture::exchange();
        exchange.verdict = fixture::verdict(status, "razorpay.webhook", cause);
        let line = exchange_at(200, exchange);
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn the_answer_names_who_gave_it_and_what_went_wrong() {
    let answer = |change: &dyn Fn(&mut Exchange)| {
        let mut exchange = fixture::exchange();
        change(&mut exchange);
        exchange_at(200, exchange)
    };
    let late = answer(&|it| {
        it.response = Some(fixture::response(202));
        it.answered_by = AnsweredBy::Relay;
    });
    assert!(late.contains("  202 by relay  ✓ valid"), "{late}");
    let broken = answer(&|it| it.error = Some(Code::AppDied));
    assert!(broken.contains("  200 app-died  ✓ valid"), "{broken}");
    let silent = answer(&|it| it.response = None);
    assert!(silent.contains("  no answer  ✓ valid"), "{silent}");
}

// The most expensive mistake to find without being told.
#[test]
fn an_app_that_refuses_a_right_signature_is_told_why_that_is_likely() {
    let mut refused = fixture::exchange();
    let body = Bytes::from_static(b"{\"a\":\"\\/\xc2\x9b\"}");
    refused.request_body = CapturedBody { length: body.len() as u64, bytes: body, sha256: None };
    let mut response = fixture::response(401);
    response.headers = [(&b"x-powered-by"[..], &b"Express"[..])].into_iter().collect();
    refused.response = Some(response);
    let line = exchange_at(200, refused.clone());
    let why = r"hint: the signature is valid, but the app refused it: it probably checks a body that was parsed and written again: `JSON.stringify(JSON.parse(body))` differs at byte 6: `\/` became `/`";
    assert!(line.split_whitespace().collect::<Vec<_>>().join(" ").contains(why), "{line}");
    assert!(line.contains("hint: ") && line.contains("express.raw"), "{line}");
    // The control: what it took needs no words.
    refused.response = Some(fixture::response(200));
    assert!(!exchange_at(200, refused).contains("hint:"));
}

#[test]
fn evidence_is_shown_where_it_says_more_than_the_cause() {
    let shown = |cause, secret: Option<&str>, evidence: &str| {
        let mut exchange = invalid();
        (exchange.verdict.cause, exchange.verdict.secret) = (Some(cause), secret.map(str::to_owned));
        exchange.evidence = Some(evidence.to_owned().into());
        let line = exchange_at(200, exchange);
        assert_eq!(line.matches("hint: ").count(), 1 + usize::from(line.contains("found")), "{line}");
        line.contains("hint: found")
    };
    assert!(shown(Cause::BodyReserialized, None, "found"));
    assert!(shown(Cause::WrongSecret, None, "found"));
    assert!(!shown(Cause::WrongSecret, Some("env:OTHER"), "it is env:OTHER"), "the reason names it");
    assert!(!shown(Cause::NoMatch, None, "tried in 312 ways"));
    let mut hostile = invalid();
    hostile.evidence = Some("\u{9b}2J\u{202e}".to_owned().into());
    assert!(exchange_at(200, hostile).contains(r"hint: \u{9b}2J\u{202e}"));
}

#[test]
fn what_came_in_an_unusual_way_says_so_and_a_replay_is_no_repeat() {
    let mut plain = plain(Theme::PLAIN, 200);
    let mut shown = |origin, id: &str| {
        let mut exchange = fixture::exchange();
        exchange.origin = origin;
        exchange.event.id = Some(id.into());
        let of_now = screen(&mut plain, [&Update::Exchange(Arc::new(exchange))]);
        of_now.trim_end().split_once("✓ valid razorpay").unwrap().1.trim_start().to_owned()
    };
    assert_eq!(shown(Origin::Live, "a"), "");
    assert_eq!(shown(Origin::Replay { of: uuid::Uuid::nil() }, "a"), "(replay)");
    assert_eq!(shown(Origin::Sent, "b"), "(sent from here)");
    assert_eq!(shown(Origin::Held { since: SystemTime::UNIX_EPOCH }, "b"), "(held by the relay)");
    assert_eq!(shown(Origin::Held { since: SystemTime::UNIX_EPOCH }, "a"), "(repeat of the same event id)");
}

#[test]
fn a_hint_is_said_again_after_a_good_exchange() {
    let updates = [fixture::refused(), fixture::refused(), fixture::exchange(), fixture::refused()];
    let updates = updates.map(|it| Update::Exchange(Arc::new(it)));
    let screen = screen(&mut plain(Theme::PLAIN, 120), &updates);
    assert_eq!(screen.matches("hint: the app refused").count(), 2, "{screen}");
}

#[test]
fn connection_news_have_the_time_of_the_given_zone() {
    let delhi = TimeZone::fixed(Offset::from_seconds(5 * 3_600 + 1_800).unwrap());
    let mut plain = Plain::new(Theme::PLAIN, 80, delhi);
    let updates = [
        Update::Connection(Connection::Connected { after: None }),
        Update::Connection(Connection::Closed { reason: "the relay does not know this token".into() }),
        Update::Exchange(Arc::new(Exchange { received_at: SystemTime::UNIX_EPOCH, ..fixture::exchange() })),
    ];
    let screen = screen(&mut plain, &updates);
    assert!(
        screen.starts_with("07:44:07  connected\n07:44:07  closed: the relay does not know this token\n05:30:00  POST"),
        "{screen}"
    );
}

#[test]
fn wide_characters_keep_the_columns() {
    let mut wide = fixture::exchange();
    wide.request.target = Bytes::from("/支付/成功/通知".as_bytes());
    wide.event.name = Some("支付成功支付成功支付成功".into());
    assert_eq!(
        exchange_at(80, wide),
        "02:14:07  POST /支…成功/通知  支付成功支付成…    12 ms  200  ✓ valid razorpay\n"
    );
}

#[test]
fn hostile_bytes_are_seen_and_not_obeyed() {
    let mut hostile = fixture::exchange();
    hostile.request.method = Bytes::from_static(b"\x1b]0;x\x07");
    hostile.request.target = Bytes::from_static(fixture::HOSTILE);
    hostile.event.name = Some("\u{202e}derutpac\u{9b}2J".into());
    hostile.verdict = fixture::verdict(Status::Invalid, "razorpay.webhook", Some(Cause::WrongSecret));
    hostile.verdict.secret = Some("file:\x1b[31m\u{2066}".into());
    let reason = String::from_utf8_lossy(fixture::HOSTILE);
    let updates = [
        Update::Exchange(Arc::new(hostile)),
        fixture::reconnecting(&reason),
        Update::Connection(Connection::Closed { reason: reason.into_owned() }),
    ];
    let screen = screen(&mut plain(Theme::PLAIN, 200), &updates);
    assert!(screen.contains("  \\x1b]0;x\\… /a\\x1b[2J…02e}exe\\u{200b}\\xff  "), "{screen}");
    assert!(screen.contains("  \\u{202e}derutpac\\u{9b}2J"), "{screen}");
    assert!(screen.contains("signed with the secret `file:\\x1b[31m\\u{2066}`"), "{screen}");
    assert!(screen.contains("closed: /a\\x1b[2J\\x07\u{fffd}31m\\u{9b}1m\\u{202e}exe\\u{200b}\u{fffd}\n"), "{screen}");
    assert!(is_harmless(&screen), "{screen:?}");
}

proptest! {
    #[test]
    fn any_exchange_is_harmless_and_its_row_fits(method: Vec<u8>, target: Vec<u8>, event: String, width in 80..200_usize) {
        let mut any = invalid();
        any.request.method = Bytes::from(method);
        any.request.target = Bytes::from(target);
        any.event.name = Some(event);
        let screen = exchange_at(width, any);
        prop_assert!(is_harmless(&screen));
        prop_assert!(screen.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= width), "{}", screen);
    }
}

/// Whether nothing in `screen` but line ends moves a cursor, and nothing turns text around.
fn is_harmless(screen: &str) -> bool {
    !screen.chars().any(|c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

fn without_colours(screen: &str) -> String {
    let mut pieces = screen.split("\x1b[");
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').unwrap().1)
}
