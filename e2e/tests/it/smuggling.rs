//! Requests that two parsers could read in two ways: each is refused, or the app sees exactly the one request that was meant.
//!
//! The shapes are those of RFC 9112 §11.2 and of the request-smuggling research since 2005 (Linhart et al.; Kettle 2019, 2022).

use crate::harness::{Listener, RawApp, Relay, Wire};

/// What must happen to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// It never reaches the app, and this code says why.
    Refused(&'static str),
    /// It never reaches the app, or reaches it as exactly one request with this body.
    RefusedOrSeen(&'static str),
}

use Outcome::{Refused, RefusedOrSeen};

/// A second request that must never be seen as one.
const HIDDEN: &str = "GET /shop/hidden HTTP/1.1\r\nhost: h\r\n\r\n";

/// What stands behind `POST /shop/case HTTP/1.1`, from the line end on; `HIDDEN` follows each.
const HEADS: [(&str, Outcome); 29] = [
    ("\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length: 5, 5\r\n\r\nhello", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length: +5\r\n\r\nhello", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length: -5\r\n\r\nhello", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length: 0x5\r\n\r\nhello", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length: 5 5\r\n\r\nhello", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length:\r\n\r\nhello", Refused("ambiguous-length")),
    ("\r\nhost: h\r\ncontent-length: 99999999999999999999\r\n\r\nhello", Refused("")),
    ("\r\nhost: h\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Refused("unsupported-transfer-encoding")),
    ("\r\nhost: h\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n", Refused("unsupported-transfer-encoding")),
    ("\r\nhost: h\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n", Refused("unsupported-transfer-encoding")),
    ("\r\nhost: h\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n", Refused("unsupported-transfer-encoding")),
    ("\r\nhost: h\r\ntransfer-encoding: \"chunked\"\r\n\r\n0\r\n\r\n", Refused("unsupported-transfer-encoding")),
    ("\r\nhost: h\r\ntransfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n", Refused("")),
    ("\r\nhost: h\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n", Refused("malformed-request")),
    ("\r\nhost: h\r\ntransfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n", Refused("")),
    ("\r\nhost: h\r\nx: y\r\n transfer-encoding: chunked\r\n\r\n", Refused("malformed-request")),
    ("\r\nhost: h\r\nx: y\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", Refused("malformed-request")),
    ("\nhost: h\n\n", Refused("malformed-request")),
    ("\r\nhost: h\r\nx: a\rb\r\n\r\n", Refused("malformed-request")),
    ("\r\nhost: h\r\nx: a\0b\r\n\r\n", Refused("malformed-request")),
    ("\r\ncontent-length: 0\r\n\r\n", Refused("bad-host")),
    ("\r\nhost: h\r\nhost: h\r\ncontent-length: 0\r\n\r\n", Refused("bad-host")),
    ("\r\nhost: a, b\r\ncontent-length: 0\r\n\r\n", Refused("bad-host")),
    ("\r\nhost: h\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", RefusedOrSeen("ok")),
    ("\r\nhost: h\r\ncontent-length: \t5 \r\n\r\nhello", RefusedOrSeen("hello")),
];

/// Whole requests with something odd in their first line or their chunks.
const WHOLE: [(&str, Outcome); 12] = [
    ("POST /shop/case HTTP/1.0\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", Refused("ambiguous-length")),
    ("POST  /shop/case HTTP/1.1\r\nhost: h\r\n\r\n", Refused("malformed-request")),
    ("POST /shop/case  HTTP/1.1\r\nhost: h\r\n\r\n", Refused("malformed-request")),
    ("POST /shop/case\r\nhost: h\r\n\r\n", Refused("malformed-request")),
    ("POST /shop/case HTTP/1.2\r\nhost: h\r\n\r\n", Refused("malformed-request")),
    ("POST /shop/case HTTP/1.1 HTTP/1.1\r\nhost: h\r\n\r\n", Refused("malformed-request")),
    (" POST /shop/case HTTP/1.1\r\nhost: h\r\n\r\n", Refused("malformed-request")),
    ("CONNECT h:80 HTTP/1.1\r\nhost: h:80\r\n\r\n", Refused("malformed-request")),
    ("POST http://other/shop/case HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n", Refused("bad-host")),
    ("\r\nPOST /shop/case HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nok", RefusedOrSeen("ok")),
    ("POST http://h/shop/case HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nok", RefusedOrSeen("ok")),
    (
        "POST /shop/case HTTP/1.1\r\nhost: h\r\nupgrade: x\r\nconnection: upgrade\r\ncontent-length: 2\r\n\r\nok",
        Refused(""),
    ),
];

/// Bodies whose chunks are malformed: the head is right, so the app may be asked, but must never see the body as whole.
const CHUNKS: [&str; 8] = [
    "x\r\nok\r\n0\r\n\r\n",
    "-2\r\nok\r\n0\r\n\r\n",
    "0x2\r\nok\r\n0\r\n\r\n",
    "2 \r\nokay\r\n0\r\n\r\n",
    "2\nok\n0\n\n",
    "2\r\nokay\r\n0\r\n\r\n",
    "ffffffffffffffff2\r\nok\r\n0\r\n\r\n",
    "2;\n\r\nok\r\n0\r\n\r\n",
];

#[test]
fn an_ambiguous_request_is_refused_or_seen_once() {
    let (relay, app) = (Relay::open(), RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()));
    let _listener = Listener::start(&relay, &app);
    let heads = HEADS.map(|(head, outcome)| (format!("POST /shop/case HTTP/1.1{head}"), outcome));
    let whole = WHOLE.map(|(request, outcome)| (request.to_owned(), outcome));
    for (request, outcome) in heads.into_iter().chain(whole) {
        let from = app.requests.len();
        let refused = refusal(&mut relay.connect(), &request);
        sentinel(&relay, &app);
        let all = app.requests.all();
        let seen: Vec<_> = all[from..].iter().filter(|seen| seen.target() == b"/case").collect();
        let hidden = all[from..].iter().filter(|seen| seen.target() == b"/hidden").count();
        match (outcome, refused) {
            (Refused(code), Some(refused)) => {
                assert!(code.is_empty() || code == refused, "{request:?} was {refused}, not {code}");
                assert_eq!((seen.len(), hidden), (0, 0), "{request:?} reached the app");
            }
            (RefusedOrSeen(_), Some(_)) => assert_eq!((seen.len(), hidden), (0, 0), "{request:?} reached the app"),
            (RefusedOrSeen(body), None) => {
                assert_eq!(seen.len(), 1, "{request:?}");
                assert_eq!(seen[0].body, body.as_bytes(), "{request:?}");
                assert_eq!(hidden, 1, "{request:?}");
            }
            (Refused(_), None) => panic!("{request:?} was not refused"),
        }
    }
}

#[test]
fn a_malformed_chunk_never_ends_a_body() {
    let (relay, app) = (Relay::open(), RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()));
    let _listener = Listener::start(&relay, &app);
    for chunks in CHUNKS {
        let mut wire = relay.connect();
        wire.send(format!("POST /shop/case HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n{chunks}{HIDDEN}"));
        wire.finish();
        let answer = wire.rest();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{chunks:?}: {}", answer.escape_ascii());
        sentinel(&relay, &app);
        let all = app.requests.all();
        let whole = all.iter().find(|seen| [b"/case".as_slice(), b"/hidden"].contains(&seen.target()));
        assert!(whole.is_none(), "{chunks:?} reached the app as {whole:?}");
    }
}

/// Sends the request and a hidden one behind it; gives hookwire's code when it refused the first. A refusal ends the connection.
fn refusal(wire: &mut Wire, request: &str) -> Option<String> {
    // A refusal may come, and the connection go, before all of it is sent.
    let _ = wire.try_send(format!("{request}{HIDDEN}"));
    let head = wire.head().unwrap().unwrap_or_else(|| panic!("{request:?} got no answer"));
    let body = wire.answer_body(&head).all().unwrap();
    if head.status() == 200 {
        // Then the hidden request is one of its own.
        assert_eq!(wire.answer().0.status(), 200, "{request:?}");
        return None;
    }
    let (status, code) = head.refusal(&body);
    assert!((400..500).contains(&status), "{request:?} got {status}");
    let rest = wire.rest();
    assert!(rest.is_empty(), "{request:?} got a second answer: {}", rest.escape_ascii());
    Some(code)
}

/// A plain request sent afterwards and seen by the app: what came before would have been seen by then.
fn sentinel(relay: &Relay, app: &RawApp) {
    let from = app.requests.len();
    let (head, _) = relay.connect().send("GET /shop/sentinel HTTP/1.1\r\nhost: h\r\n\r\n").answer();
    assert_eq!(head.status(), 200);
    app.requests.wait_for("the sentinel", from, |seen| (seen.target() == b"/sentinel").then_some(()));
}
