//! Asked to stop, both sides finish what they began and exit with 0.

use std::net::TcpStream;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{DEADLINE, Home, Listener, RawApp, Relay, Wire};

/// Longer than stopping takes on a loaded machine, shorter than the relay's patience with a silent connection (10 s), and than that
/// of a container's runtime, which kills after 10 s.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// An app that says when a request is there, and answers when it is told to.
fn gated_app() -> (RawApp, Receiver<()>, SyncSender<()>) {
    let (arrived, wait_for_arrival) = sync_channel(1);
    let (release, wait_for_release) = sync_channel(1);
    let wait_for_release = Mutex::new(wait_for_release);
    let app = RawApp::handling(move |wire, _| {
        arrived.send(()).unwrap();
        wait_for_release.lock().unwrap().recv_timeout(DEADLINE).unwrap();
        wire.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone");
        ControlFlow::Continue(())
    });
    (app, wait_for_arrival, release)
}

#[test]
fn a_relay_finishes_what_is_in_flight() {
    let (app, arrived, release) = gated_app();
    let mut relay = Relay::open();
    let _listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    wire.send("GET /shop/ HTTP/1.1\r\nhost: h\r\n\r\n");
    arrived.recv_timeout(DEADLINE).unwrap();

    relay.process.terminate();
    wait_until_no_new_work(&relay);
    release.send(()).unwrap();
    let (head, body) = wire.answer();
    assert_eq!((head.status(), body.as_slice()), (200, b"done".as_slice()));
    drop(wire);
    assert_eq!(relay.process.wait().code(), Some(0), "{}", relay.process.output());
}

#[test]
fn a_listener_finishes_what_is_in_flight() {
    let (app, arrived, release) = gated_app();
    let relay = Relay::open();
    let mut listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    wire.send("GET /shop/ HTTP/1.1\r\nhost: h\r\n\r\n");
    arrived.recv_timeout(DEADLINE).unwrap();

    listener.process.terminate();
    release.send(()).unwrap();
    let (head, body) = wire.answer();
    assert_eq!((head.status(), body.as_slice()), (200, b"done".as_slice()));
    assert_eq!(listener.process.wait().code(), Some(0), "{}", listener.process.output());
    assert_eq!(listener.exchange_at("/")["status"], 200);
}

#[test]
fn both_stop_at_once_when_nothing_is_in_flight() {
    let (app, _arrived, _release) = gated_app();
    // Whoever waited for the end of the grace time would be found out.
    let mut relay = Relay::start(&Home::new(), &["--open", "--grace", "1h"]);
    let mut listener = Listener::start(&relay, &app);
    // A connection that is kept alive, and one that never sent a byte, hold nothing up.
    let mut kept = relay.connect();
    kept.send("GET /nobody HTTP/1.1\r\nhost: h\r\n\r\n").answer();
    let _silent = relay.connect();
    let start = Instant::now();
    relay.process.terminate();
    assert_eq!(relay.process.wait().code(), Some(0), "{}", relay.process.output());
    assert!(start.elapsed() < STOP_WITHIN, "the relay took {:?} to stop", start.elapsed());
    listener.process.terminate();
    assert_eq!(listener.process.wait().code(), Some(0), "{}", listener.process.output());
}

/// Blocks until the relay takes no new work: it refuses connections, or requests on them.
fn wait_until_no_new_work(relay: &Relay) {
    let deadline = Instant::now() + DEADLINE;
    while let Ok(stream) = TcpStream::connect(relay.address) {
        let mut wire = Wire::of(stream);
        // An endpoint that does not exist keeps the app out of it.
        let sent = wire.try_send("GET /nobody HTTP/1.1\r\nhost: h\r\n\r\n");
        let Ok(Some(head)) = sent.and_then(|()| wire.head()) else { return };
        if head.status() == 503 {
            return;
        }
        assert!(Instant::now() < deadline, "the relay went on taking work");
        thread::yield_now();
    }
}

// It never ended: the exchange was not told that its session was gone, and the recorder waited for the exchange.
#[test]
fn an_endless_answer_does_not_keep_a_listener() {
    let app = RawApp::handling(|wire, _| {
        wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n");
        let _ = wire.head(); // stays, until the other side goes
        ControlFlow::Break(())
    });
    let relay = Relay::open();
    let mut listener = Listener::start(&relay, &app);
    let mut sender = relay.connect();
    sender.send("GET /shop/events HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(sender.head().unwrap().unwrap().status(), 200);

    listener.process.terminate();
    let exchange = listener.exchange_at("/events");
    assert_eq!(exchange["error"], "session-lost", "{exchange}");
    assert_eq!(listener.process.wait().code(), Some(0), "{}", listener.process.output());
}
