//! Processes die; the URL lives on.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::harness::{DEADLINE, ENDPOINT, Listener, RawApp, Relay, Shop, Wire};

/// Senders that post while the relay dies.
const SENDERS: usize = 4;

#[test]
fn the_listener_comes_back_when_the_relay_does() {
    let relay = Relay::open();
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec());
    let listener = Listener::start(&relay, &app);
    let url = listener.ready["public_url"].as_str().unwrap().to_owned();
    assert_eq!(url.trim_end_matches('/'), format!("{}/{ENDPOINT}", relay.url));
    let load = Load::start(&relay);
    app.requests.wait_for("the load", SENDERS * 10, |_| Some(()));

    listener.connection("connected", 0); // the first one, which may be told after the first webhooks
    let from = listener.process.stdout.len();
    let relay = relay.kill_and_restart();
    listener.connection("reconnecting", from);
    listener.connection("connected", from);
    load.stop();

    let (head, body) = relay.connect().send("GET /shop/after HTTP/1.1\r\nhost: h\r\n\r\n").answer();
    assert_eq!((head.status(), body.as_slice()), (200, b"ok".as_slice()));
    assert_eq!(listener.exchange_at("/after")["status"], 200);
    for process in [&relay.process, &listener.process] {
        assert!(!process.output().contains("panicked"), "{}", process.output());
    }
}

#[test]
fn an_app_that_was_killed_is_served_again_when_it_is_back() {
    let relay = Relay::open();
    let mut shop = Shop::start(0);
    let _listener = Listener::start(&relay, shop.port);
    let mut wire = relay.connect();
    let mut status = || wire.send("GET /shop/ HTTP/1.1\r\nhost: h\r\n\r\n").answer().0.status();
    assert_eq!(status(), 200);
    shop.process.kill();
    assert_eq!(status(), 502);
    assert_eq!(status(), 502);
    let _shop = Shop::start(shop.port);
    assert_eq!(status(), 200);
}

/// Senders that post as fast as they get answers, through refused and broken connections too, until told to stop.
struct Load {
    stopped: Arc<AtomicBool>,
    senders: Vec<thread::JoinHandle<()>>,
}

impl Load {
    fn start(relay: &Relay) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let address = relay.address;
        let sender = |_| {
            let stopped = Arc::clone(&stopped);
            thread::spawn(move || {
                while !stopped.load(Ordering::SeqCst) {
                    let Ok(stream) = TcpStream::connect_timeout(&address, DEADLINE) else { continue };
                    let mut wire = Wire::of(stream);
                    while !stopped.load(Ordering::SeqCst) {
                        let sent = wire.try_send("POST /shop/load HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nhi");
                        let Ok(Some(head)) = sent.and_then(|()| wire.head()) else { break };
                        if wire.answer_body(&head).all().is_err() {
                            break;
                        }
                    }
                }
            })
        };
        let senders = (0..SENDERS).map(sender).collect();
        Self { stopped, senders }
    }

    fn stop(self) {
        self.stopped.store(true, Ordering::SeqCst);
        for sender in self.senders {
            sender.join().unwrap();
        }
    }
}
