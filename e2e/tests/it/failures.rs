//! When things are wrong, the sender is told what, with a status that its retries understand; the listener's line says the same.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;

use crate::harness::{DEADLINE, Home, Listener, RawApp, Relay, unused_address};

const REQUEST: &str = "POST /shop/x HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nhi";

/// An app that answers a whole request with these bytes and closes the connection.
fn dying_app(answer: &'static str) -> RawApp {
    RawApp::handling(move |wire, head| {
        let _ = wire.request_body(&head).all();
        wire.send(answer);
        ControlFlow::Break(())
    })
}

#[test]
fn an_unknown_endpoint_is_not_found() {
    let relay = Relay::open();
    for path in ["/nobody", "/nobody/x?y", "/", "/no%62ody"] {
        let (head, body) = relay.connect().send(format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n")).answer();
        assert_eq!(head.refusal(&body), (404, "no-such-endpoint".into()), "{path}");
    }
}

#[test]
fn an_endpoint_without_a_client_is_unavailable_for_now() {
    let relay = Relay::open();
    let mut listener = Listener::answering_for_itself(&relay, unused_address());
    listener.process.terminate();
    listener.process.wait();
    let (head, body) = relay.connect().send(REQUEST).answer();
    assert_eq!(head.refusal(&body), (503, "no-session".into()));
}

#[test]
fn an_app_that_is_not_there_is_named() {
    let relay = Relay::open();
    let listener = Listener::answering_for_itself(&relay, unused_address());
    let (head, body) = relay.connect().send(REQUEST).answer();
    assert_eq!(head.refusal(&body), (502, "app-refused".into()));
    let exchange = listener.exchange_at("/x");
    assert_eq!(exchange["error"], "app-refused", "{exchange}");
    assert_eq!(exchange["status"], 502, "{exchange}");
    assert_eq!(exchange["answered_by"], "client", "{exchange}");
}

#[test]
fn an_app_that_dies_before_its_answer_is_a_bad_gateway() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let (relay, app) = (Relay::open(), dying_app(answer));
        let listener = Listener::start(&relay, &app);
        let (head, body) = relay.connect().send(REQUEST).answer();
        assert_eq!(head.refusal(&body), (502, "app-died".into()), "{answer:?}");
        assert_eq!(listener.exchange_at("/x")["error"], "app-died");
    }
}

#[test]
fn an_app_that_speaks_no_http_is_a_bad_gateway() {
    let (relay, app) = (Relay::open(), dying_app("220 mail.example ESMTP ready\r\n\r\n"));
    let listener = Listener::start(&relay, &app);
    let (head, body) = relay.connect().send(REQUEST).answer();
    assert_eq!(head.refusal(&body), (502, "app-bad-answer".into()));
    assert_eq!(listener.exchange_at("/x")["error"], "app-bad-answer");
}

#[test]
fn an_app_that_does_not_answer_in_time_is_a_gateway_timeout() {
    let relay = Relay::open();
    let app = RawApp::handling(|wire, _| {
        wire.wait_for_close();
        ControlFlow::Break(())
    });
    let listener = Listener::start_with(&relay.url, &app, |command| {
        command.args(["--timeout", "200ms"]);
    });
    let (head, body) = relay.connect().send(REQUEST).answer();
    assert_eq!(head.refusal(&body), (504, "app-timeout".into()));
    assert_eq!(listener.exchange_at("/x")["error"], "app-timeout");
}

#[test]
fn half_an_answer_never_looks_whole() {
    let answers = [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\nhalf",
    ];
    for answer in answers {
        let (read, wait_until_read) = sync_channel(1);
        let wait_until_read = Mutex::new(wait_until_read);
        let relay = Relay::open();
        let app = RawApp::handling(move |wire, head| {
            wire.request_body(&head).all().unwrap();
            wire.send(answer);
            // It dies only when the sender has the first half, and so the good status, in hand.
            wait_until_read.lock().unwrap().recv_timeout(DEADLINE).unwrap();
            ControlFlow::Break(())
        });
        let listener = Listener::start(&relay, &app);
        let mut wire = relay.connect();
        wire.send(REQUEST);
        let head = wire.head().unwrap().unwrap();
        assert_eq!(head.status(), 200, "{answer:?}");
        let mut body = wire.answer_body(&head);
        assert_eq!(body.next().unwrap().unwrap(), b"half");
        read.send(()).unwrap();
        assert!(body.all().is_err(), "{answer:?} ended as if whole");
        assert_eq!(listener.exchange_at("/x")["error"], "app-died");
    }
}

#[test]
fn an_answer_that_breaks_at_once_never_looks_whole() {
    let (relay, app) = (Relay::open(), dying_app("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    let listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    wire.send(REQUEST);
    // The end may overtake the beginning: then the sender sees a connection that closes without an answer, which it retries too.
    if let Ok(Some(head)) = wire.head() {
        assert!(head.status() == 502 || wire.answer_body(&head).all().is_err(), "it ended as if whole");
    }
    assert_eq!(listener.exchange_at("/x")["error"], "app-died");
}

#[test]
fn what_is_too_large_is_refused_with_its_own_status() {
    let relay = Relay::start(&Home::new(), &["--open", "--max-body", "1000B"]);
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let _listener = Listener::start(&relay, &app);
    let long = "a".repeat(9 * 1024);
    let wide = format!("x-wide: {long}\r\n").repeat(4);
    let many = "x-many: 1\r\n".repeat(101);
    let cases = [
        (format!("GET /shop/{long} HTTP/1.1\r\nhost: h\r\n\r\n"), 414, "uri-too-long"),
        (format!("GET /shop HTTP/1.1\r\nhost: h\r\n{wide}\r\n"), 431, "head-too-large"),
        (format!("GET /shop HTTP/1.1\r\nhost: h\r\n{many}\r\n"), 431, "head-too-large"),
        ("POST /shop HTTP/1.1\r\nhost: h\r\ncontent-length: 1001\r\n\r\n".into(), 413, "body-too-large"),
    ];
    for (request, status, code) in cases {
        let (head, body) = relay.connect().send(request).answer();
        assert_eq!(head.refusal(&body), (status, code.into()));
    }
    assert_eq!(app.requests.len(), 0, "none of it reached the app");
    let exact = format!("POST /shop/exact HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\n{}", "b".repeat(1000));
    assert_eq!(relay.connect().send(exact).answer().0.status(), 200);
}

#[test]
fn a_chunked_body_that_grows_too_large_is_cut_off() {
    let relay = Relay::start(&Home::new(), &["--open", "--max-body", "1000B"]);
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let listener = Listener::start(&relay, &app);
    let chunk = format!("1f4\r\n{}\r\n", "c".repeat(500));
    let mut wire = relay.connect();
    wire.send("POST /shop/grow HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
    wire.send(chunk.repeat(3)).send("0\r\n\r\n");
    let (head, body) = wire.answer();
    assert_eq!(head.refusal(&body), (413, "body-too-large".into()));
    assert_eq!(app.requests.len(), 0, "the app never saw it as whole");
    let exchange = listener.exchange_at("/grow");
    assert_eq!((&exchange["error"], &exchange["status"]), (&"body-too-large".into(), &413.into()), "{exchange}");
}
