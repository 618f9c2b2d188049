//! A sender that goes away takes its request to the app with it.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::harness::{DEADLINE, Listener, RawApp, Relay};

fn signal() -> (SyncSender<()>, Receiver<()>) {
    sync_channel(8)
}

// With a body too: a connection whose request is all read is the one that a relay could stop looking at.
#[test]
fn the_app_sees_the_end_of_a_sender_that_gives_up_waiting() {
    let (arrived, wait_for_arrival) = signal();
    let (closed, wait_for_close) = signal();
    let relay = Relay::open();
    let app = RawApp::handling(move |wire, head| {
        wire.request_body(&head).all().unwrap();
        arrived.send(()).unwrap();
        wire.wait_for_close();
        closed.send(()).unwrap();
        ControlFlow::Break(())
    });
    let listener = Listener::start(&relay, &app);

    for (path, request) in [
        ("/get", "GET /shop/get HTTP/1.1\r\nhost: h\r\n\r\n"),
        ("/sized", "POST /shop/sized HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello"),
        (
            "/chunked",
            "POST /shop/chunked HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
    ] {
        let mut wire = relay.connect();
        wire.send(request);
        wait_for_arrival.recv_timeout(DEADLINE).unwrap();
        drop(wire);
        wait_for_close.recv_timeout(DEADLINE).unwrap();
        assert_eq!(listener.exchange_at(path)["error"], "sender-gone");
    }
}

#[test]
fn the_app_sees_the_end_of_a_sender_that_stops_reading_a_stream() {
    let (closed, wait_for_close) = signal();
    let relay = Relay::open();
    let app = RawApp::handling(move |wire, _| {
        wire.send("HTTP/1.1 200 OK\r\n\r\n");
        while wire.try_send([b'.'; 1024]).is_ok() {}
        closed.send(()).unwrap();
        ControlFlow::Break(())
    });
    let _listener = Listener::start(&relay, &app);

    let mut wire = relay.connect();
    wire.send("GET /shop/endless HTTP/1.1\r\nhost: h\r\n\r\n");
    let head = wire.head().unwrap().unwrap();
    assert!(wire.answer_body(&head).next().unwrap().is_some());
    drop(wire);
    wait_for_close.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn half_a_request_never_looks_whole_to_the_app() {
    let (arrived, wait_for_arrival) = signal();
    let (outcome, wait_for_outcome) = sync_channel(8);
    let relay = Relay::open();
    let app = RawApp::handling(move |wire, head| {
        arrived.send(()).unwrap();
        outcome.send(wire.request_body(&head).all().is_ok()).unwrap();
        ControlFlow::Break(())
    });
    let _listener = Listener::start(&relay, &app);

    for framing in ["content-length: 100\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let mut wire = relay.connect();
        wire.send(format!("POST /shop/half HTTP/1.1\r\nhost: h\r\n{framing}"));
        wait_for_arrival.recv_timeout(DEADLINE).unwrap();
        drop(wire);
        assert!(!wait_for_outcome.recv_timeout(DEADLINE).unwrap(), "{framing:?} looked whole");
    }
}
