//! What filters mean, and what is said of texts that are none.

use std::time::Duration;

use bytes::Bytes;
use hookwire_capture::{Beside, Exchange, Filter, Origin};
use hookwire_protocol::code::Code;
use hookwire_signatures::{Cause, Status};

use crate::fixture;

/// Answered with 503 after 2 s, ten minutes ago.
fn exchange() -> Exchange {
    let mut exchange = fixture::exchange(0);
    exchange.request.target = Bytes::from_static(b"/stripe/hook?retry=1");
    exchange.response = Some(fixture::response(503));
    exchange.response_body = fixture::body("no (more) \"room\"");
    exchange.request_body = fixture::body("{\"id\":\"pay_29QQwertyUIOPas\",\"note\":\"caf\u{e9}\"}");
    exchange.duration = Duration::from_secs(2);
    exchange.verdict.status = Status::Invalid;
    exchange.verdict.cause = Some(Cause::WrongSecret);
    exchange.error = Some(Code::AppTimeout);
    exchange
}

fn passes(text: &str) -> bool {
    let now = fixture::night() + Duration::from_mins(10);
    Filter::parse(text).unwrap().matches(&exchange(), Beside { repeats: 1, note: Some("ask Anna") }, now)
}

#[test]
fn a_filter_means_what_it_says() {
    let yes = [
        "",
        "  ",
        "status:503",
        "status:5xx",
        "STATUS:5XX",
        "status:>=500",
        "status:<504",
        "status:<=503",
        "status:>502",
        "method:post",
        "method:P*T",
        "path:/stripe",
        "path:/stripe/hook",
        "path:*/hook",
        "path:/s*k",
        "path:\"/stripe\"",
        "verdict:invalid",
        "verdict:in*",
        "cause:wrong-secret",
        "cause:wrong-*",
        "provider:razorpay",
        "event:payment.*",
        "event:payment.captured",
        "endpoint:shop",
        "error:app-timeout",
        "origin:live",
        "header:content-type",
        "header:content-type=application/json",
        "header:x-razorpay-*",
        "header:user-agent=razorpay*",
        "header:accept=\"*/*\"",
        "body:pay_29Q",
        "body:\"pay_29q\"",
        "body:caf\u{e9}",
        "body:\"no (more) \\\"room\\\"\"",
        "body:pay_*note",
        "duration:>1s",
        "duration:>=2s",
        "duration:<=2000ms",
        "duration:<1m",
        "age:<11m",
        "age:>=10m",
        "age:<=600s",
        "age:>1s",
        "age:<1h",
        "age:<1d",
        "repeat",
        "note:anna",
        "note:\"ask anna\"",
        "anna",
        "stripe",
        "retry=1",
        "razorpay-webhook",
        "pay_29Q",
        "\"no (more)\"",
        "not late",
        "not not repeat",
        "status:4xx or status:5xx",
        "late or repeat",
        "late late or repeat",
        "repeat or late late",
        "(late or repeat) not late",
        "not (late or status:2xx)",
        "NOT late AND repeat",
        "not late and not status:200",
        "\"or\" or repeat",
        "path:/stripe method:POST status:5xx verdict:invalid",
        "52.66.75.174",
        "*pay*29q*",
    ];
    for text in yes {
        assert!(passes(text), "{text}");
    }
    let no = [
        "status:0",
        "status:4xx",
        "status:<503",
        "status:>503",
        "method:GET",
        "method:POS",
        "path:/strip/",
        "path:*/hoo",
        "path:\"/stripe*\"",
        "path:/stripe/hook?retry",
        "verdict:valid",
        "cause:too-old",
        "provider:stripe",
        "event:payment",
        "event:\"payment.*\"",
        "endpoint:sho",
        "origin:replay",
        "header:x-nothing",
        "header:content-type=json",
        "header:content",
        "header:content-type=",
        "body:pay_29R",
        "body:note*pay",
        "duration:>2s",
        "duration:<2s",
        "age:<10m",
        "age:>10m",
        "late",
        "note:bob",
        "bob",
        "\"ask  anna\"",
        "not repeat",
        "late repeat",
        "not (late or repeat)",
        "late or late",
        "not late late",
        "invalid",
        "\"repeat\"",
        "and-or",
    ];
    for text in no {
        assert!(!passes(text), "{text}");
    }
}

#[test]
fn without_an_answer_the_status_is_the_error_s_or_0() {
    let passes = |error, text: &str| {
        let exchange = Exchange { response: None, error, origin: Origin::Sent, ..exchange() };
        Filter::parse(text).unwrap().matches(&exchange, Beside::default(), fixture::night())
    };
    assert!(passes(Some(Code::AppTimeout), "status:504"));
    assert!(passes(None, "status:0 status:<100 not status:5xx not repeat not note:* not error:*"));
}

/// A text, and the column, the message and the hint that it gives.
const WRONG: &[(&str, usize, &str, &str)] = &[
    ("stauts:5xx", 1, "there is no field `stauts`", "did you mean `status:`?"),
    ("late status:5xx vredict:valid", 17, "there is no field `vredict`", "did you mean `verdict:`?"),
    ("statu:5xx", 1, "there is no field `statu`", "did you mean `status:`?"),
    ("verd:invalid", 1, "there is no field `verd`", "did you mean `verdict:`?"),
    ("porv:razorpay", 1, "there is no field `porv`", "did you mean `provider:`?"),
    ("e:x", 1, "there is no field `e`", "put it in quotes to search for the text: `\"e:…\"`"),
    ("c:/orders", 1, "there is no field `c`", "put it in quotes to search for the text: `\"c:…\"`"),
    ("verdict:inv", 9, "there is no verdict `inv`", "did you mean `verdict:invalid`?"),
    ("https://x", 1, "there is no field `https`", "put it in quotes to search for the text: `\"https:…\"`"),
    ("status:", 8, "`status:` needs a value", "for example `status:5xx`"),
    ("late status:abc", 13, "`abc` is no status", "for example `status:5xx`"),
    ("status:0xx", 8, "`0xx` is no status", "for example `status:5xx`"),
    ("status:>5xx", 8, "`>5xx` is no status", "for example `status:5xx`"),
    ("status:1000", 8, "`1000` is no status", "for example `status:5xx`"),
    ("age:10m", 5, "`age:` needs `<` or `>`", "for example `age:<10m`"),
    ("age:<10x", 5, "`<10x` is no time: a whole number with `ms`, `s`, `m`, `h` or `d`", "for example `age:<10m`"),
    (
        "duration:>99999999999999999999s",
        10,
        "`>99999999999999999999s` is no time: a whole number with `ms`, `s`, `m`, `h` or `d`",
        "for example `duration:>1s`",
    ),
    ("verdict:invaild", 9, "there is no verdict `invaild`", "did you mean `verdict:invalid`?"),
    ("origin:x", 8, "there is no origin `x`", "known are `live`, `held`, `replay`, `sent`"),
    ("header:=x", 8, "the header's name is missing", "for example `header:x-github-event=push`"),
    ("body:\"pay", 6, "this quote is not closed", "end the text with `\"`; a quote inside it is written `\\\"`"),
    ("(late", 1, "this `(` is not closed", "end it with `)`"),
    ("late)", 5, "this `)` closes nothing", "remove it, or write `\")\"` to search for one"),
    ("late or", 8, "something is missing here", "for example `status:5xx`"),
    ("not", 4, "something is missing here", "for example `status:5xx`"),
    ("()", 2, "something is missing before this `)`", ""),
    (
        "and late",
        1,
        "`and` has nothing before it",
        "put a filter on both sides, or write `\"and\"` to search for the word",
    ),
    ("late \"\"", 6, "this text is empty", "remove it, or write what to look for"),
    ("\u{20b9}\u{1f600} stauts:5", 4, "there is no field `stauts`", "did you mean `status:`?"),
];

#[test]
fn a_mistake_is_named_at_its_column_with_what_to_write_instead() {
    for (text, column, message, hint) in WRONG {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!((error.column, error.message.as_str()), (*column, *message), "{text}");
        assert_eq!(error.hint.as_deref().unwrap_or_default(), *hint, "{text}");
    }
    assert_eq!(Filter::parse("late)").unwrap_err().to_string(), "this `)` closes nothing (column 5)");
}

#[test]
fn what_would_be_too_much_is_refused() {
    for text in [
        "a ".repeat(51),
        "x".repeat(1_001),
        "(".repeat(100),
        "not ".repeat(100),
        format!("body:{}", "\u{20ac}".repeat(400)),
    ] {
        assert!(Filter::parse(&text).is_err(), "{text}");
    }
    // The controls: as much as is allowed.
    let deep = format!("{}a{}", "(".repeat(30), ")".repeat(30));
    for text in ["a ".repeat(50), "x".repeat(1_000), deep, format!("body:{}", "\u{20ac}".repeat(300))] {
        assert!(Filter::parse(&text).is_ok(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_upsets_the_parser(text: String, typed in "[a-z:()\"\\\\*<>=0-9 ]{0,40}") {
        let _ = (Filter::parse(&text), Filter::parse(&typed));
    }
}
