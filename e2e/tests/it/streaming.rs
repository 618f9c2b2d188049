//! Bodies flow as they come, in both directions, in memory that does not grow with them.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;

use crate::harness::{DEADLINE, ENDPOINT, Listener, Pattern, RawApp, Relay, Wire};

/// Large enough that a relay or client which held it would be seen.
const LARGE: u64 = 64 * 1024 * 1024;

/// How much more either process may use at its peak when [`LARGE`] bytes have passed: less than the body, and the windows fit. How much it used before
/// depends on the build, whose code counts as well.
const MEMORY_KIB: u64 = 40 * 1024;

/// How much the tests write at once.
const PIECE: usize = 128 * 1024;

#[test]
fn a_large_body_streams_to_the_app_and_back() {
    let relay = Relay::open();
    let app = RawApp::handling(|wire, head| {
        let mut received = Pattern::default();
        let mut body = wire.request_body(&head);
        while let Ok(Some(piece)) = body.next() {
            received.check(&piece);
        }
        wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n");
        wire.send(format!("x-received: {}\r\n\r\n", received.position()));
        let mut sent = Pattern::default();
        while sent.position() < LARGE {
            wire.send(format!("{PIECE:x}\r\n")).send(sent.take(PIECE)).send("\r\n");
        }
        wire.send("0\r\n\r\n");
        ControlFlow::Continue(())
    });
    let listener = Listener::start(&relay, &app);
    let processes = [relay.process.id(), listener.process.id()];
    let before = processes.map(|process| if cfg!(target_os = "linux") { peak_memory_kib(process) } else { 0 });

    let mut wire = relay.connect();
    wire.send(format!("POST /{ENDPOINT}/large HTTP/1.1\r\nhost: h\r\ncontent-length: {LARGE}\r\n\r\n"));
    let mut sent = Pattern::default();
    while sent.position() < LARGE {
        wire.send(sent.take(PIECE));
    }
    let head = wire.head().unwrap().unwrap();
    assert_eq!(head.value("x-received"), Some(LARGE.to_string()));
    let mut received = Pattern::default();
    let mut body = wire.answer_body(&head);
    while let Some(piece) = body.next().unwrap() {
        received.check(&piece);
    }
    assert_eq!(received.position(), LARGE);
    if cfg!(target_os = "linux") {
        for (process, before) in processes.into_iter().zip(before) {
            let more = peak_memory_kib(process) - before;
            assert!(more < MEMORY_KIB, "{more} KiB more than the {before} KiB before");
        }
    }
}

#[test]
fn an_event_stream_is_not_held_back() {
    let (heard, wait) = sync_channel(1);
    let wait = Mutex::new(wait);
    let relay = Relay::open();
    let app = RawApp::handling(move |wire, _| {
        wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: first\n\n");
        // The second event is sent only when the first one was read at the other end.
        wait.lock().unwrap().recv_timeout(DEADLINE).unwrap();
        wire.send("data: second\n\n");
        ControlFlow::Break(())
    });
    let _listener = Listener::start(&relay, &app);

    let mut wire = relay.connect();
    wire.send("GET /shop/events HTTP/1.1\r\nhost: h\r\n\r\n");
    let head = wire.head().unwrap().unwrap();
    assert_eq!(head.value("content-type").as_deref(), Some("text/event-stream"));
    let mut body = wire.answer_body(&head);
    let mut first = Vec::new();
    while !first.ends_with(b"\n\n") {
        first.extend(body.next().unwrap().unwrap());
    }
    assert_eq!(first, b"data: first\n\n");
    heard.send(()).unwrap();
    assert_eq!(body.all().unwrap(), b"data: second\n\n");
}

#[test]
fn a_sender_that_asks_first_is_told_to_continue() {
    let (relay, app) = (Relay::open(), RawApp::answering(|request| with_length(&request.body)));
    let _listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    wire.send("POST /shop/e HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    let head = wire.head().unwrap().unwrap();
    assert_eq!(head.status(), 100);
    wire.send("hello");
    let (head, body) = wire.answer();
    assert_eq!((head.status(), body.as_slice()), (200, b"hello".as_slice()));
}

#[test]
fn an_early_answer_arrives_while_the_request_still_flows() {
    let relay = Relay::open();
    let app = RawApp::handling(|wire, head| {
        wire.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
        // A well-behaved app reads what is left, so that its answer is not lost to a reset.
        let _ = wire.request_body(&head).all();
        ControlFlow::Break(())
    });
    let _listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    wire.send("POST /shop/early HTTP/1.1\r\nhost: h\r\ncontent-length: 10000000\r\n\r\nonly the beginning");
    let (head, body) = wire.answer();
    assert_eq!((head.status(), body.as_slice()), (403, b"no".as_slice()));
}

#[test]
fn many_exchanges_at_once_keep_apart() {
    const SENDERS: usize = 16;
    const EACH: usize = 25;
    let (relay, app) = (Relay::open(), RawApp::answering(|request| with_length(&request.body)));
    let _listener = Listener::start(&relay, &app);
    let address = relay.address;
    let senders = (0..SENDERS).map(|sender| {
        thread::spawn(move || {
            let mut wire = Wire::connect(address);
            for number in 0..EACH {
                let body = format!("{sender}-{number}-").repeat(1 + sender * number);
                wire.send(format!(
                    "POST /{ENDPOINT}/m HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                ));
                let (head, echo) = wire.answer();
                assert_eq!(head.status(), 200);
                assert!(echo == body.as_bytes(), "sender {sender}, request {number} got another's answer");
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    for sender in senders {
        sender.join().unwrap();
    }
    assert_eq!(app.requests.len(), SENDERS * EACH);
}

fn with_length(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// The largest resident set that the process ever had.
fn peak_memory_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
