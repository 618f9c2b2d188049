//! What the relay answers for, it delivers: later, once, and with a word about it.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{DEADLINE, ENDPOINT, Home, Listener, RawApp, Relay, unused_address};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// The default deadline of a hybrid relay.
const IN_TIME: Duration = Duration::from_millis(4_500);

fn app() -> RawApp {
    RawApp::answering(|_| OK.to_vec())
}

/// An app that says when a request is there, and answers when it is told to.
fn gated_app() -> (RawApp, Receiver<()>, SyncSender<()>) {
    let (arrived, wait_for_arrival) = sync_channel(8);
    let (release, wait_for_release) = sync_channel(8);
    let wait_for_release = Mutex::new(wait_for_release);
    let app = RawApp::answering(move |_| {
        arrived.send(()).unwrap();
        wait_for_release.lock().unwrap().recv_timeout(DEADLINE).unwrap();
        OK.to_vec()
    });
    (app, wait_for_arrival, release)
}

/// Opens the endpoint and leaves it: its wishes stay.
fn opened_and_left(relay: &Relay, more: impl FnOnce(&mut Command)) {
    let mut listener = Listener::start_with(&relay.url, unused_address(), more);
    listener.process.terminate();
    assert_eq!(listener.process.wait().code(), Some(0), "{}", listener.process.output());
}

/// Posts to a path and gives the status and the id that it is held under.
fn post(relay: &Relay, path: &str) -> (u16, Option<String>) {
    let request =
        format!("POST /{ENDPOINT}{path} HTTP/1.1\r\nhost: h\r\nhookwire-attempt: 99\r\ncontent-length: 4\r\n\r\npaid");
    let (head, _) = relay.connect().send(request).answer();
    (head.status(), head.value("hookwire-delivery-id"))
}

/// A request that the client answers itself: what the relay told it before has arrived when this returns.
fn pass_by(relay: &Relay) {
    let (head, _) = relay.connect().send("GET /shop/ HTTP/1.1\r\nhost: h\r\nhookwire-canary: x\r\n\r\n").answer();
    assert_eq!(head.status(), 404);
}

/// How often the app saw each target.
fn counted(app: &RawApp) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in app.requests.all() {
        *counts.entry(String::from_utf8(request.target().to_vec()).unwrap()).or_default() += 1;
    }
    counts
}

fn wait_until_seen(app: &RawApp, count: usize) {
    app.requests.wait_for(&format!("{count} requests"), count - 1, |_| Some(()));
}

#[test]
fn what_came_while_nobody_listened_arrives_once_in_order_and_says_so() {
    let relay = Relay::open();
    opened_and_left(&relay, |command| {
        command.arg("--ordered");
    });
    let ids: Vec<_> = (0..50).map(|number| post(&relay, &format!("/{number}"))).collect();
    assert!(ids.iter().all(|(status, id)| *status == 202 && id.is_some()), "{ids:?}");

    let app = app();
    let listener = Listener::start_with(&relay.url, &app, |command| {
        command.arg("--ordered");
    });
    wait_until_seen(&app, 50);
    let gap = listener.line("gap");
    assert_eq!((&gap["held"], &gap["delivered"], &gap["lost"]), (&50.into(), &50.into(), &0.into()), "{gap}");
    for (number, request) in app.requests.all().iter().enumerate() {
        assert_eq!(request.target(), format!("/{number}").as_bytes());
        assert_eq!(
            (request.body.as_slice(), request.head.value("hookwire-attempt").unwrap().as_str()),
            (&b"paid"[..], "1")
        );
        assert_eq!(request.head.value("hookwire-delivery-id"), ids[number].1);
        assert!(request.head.value("hookwire-held-since").unwrap().ends_with('Z'));
    }
    let exchange = listener.exchange_at("/49");
    assert_eq!((&exchange["origin"], &exchange["status"]), (&"held".into(), &200.into()), "{exchange}");
    assert_eq!(app.requests.len(), 50);
}

#[test]
fn a_relay_that_is_killed_after_its_202_delivers_after_its_restart() {
    let relay = Relay::open();
    opened_and_left(&relay, |_| {});
    for number in 0..20 {
        assert_eq!(post(&relay, &format!("/{number}")).0, 202);
    }
    let relay = relay.kill_and_restart();
    assert_eq!(post(&relay, "/20").0, 202, "the endpoint's wishes are remembered");
    let app = app();
    let _listener = Listener::start(&relay, &app);
    wait_until_seen(&app, 21);
    let counts = counted(&app);
    assert!(counts.len() == 21 && counts.values().all(|count| *count == 1), "{counts:?}");
}

#[test]
fn an_app_that_takes_too_long_is_called_once_and_shown_as_late() {
    let relay = Relay::open();
    let (app, arrived, release) = gated_app();
    let listener = Listener::start(&relay, &app);
    let begun = Instant::now();
    let (status, id) = post(&relay, "/slow");
    let after = begun.elapsed();
    assert_eq!(status, 202);
    // How exact it is shows where the clock is the test's; here it matters that it did not wait for the app.
    assert!(after >= IN_TIME && after < DEADLINE / 2, "{after:?}");
    arrived.recv_timeout(DEADLINE).unwrap();
    pass_by(&relay);
    release.send(()).unwrap();
    let exchange = listener.exchange_at("/slow");
    assert_eq!((&exchange["late"], &exchange["status"]), (&true.into(), &200.into()), "{exchange}");
    assert_eq!((&exchange["origin"], &exchange["answered_by"]), (&"live".into(), &"relay".into()), "{exchange}");
    assert_eq!(Some(exchange["id"].as_str().unwrap()), id.as_deref());
    // Whatever comes now comes behind a second delivery, if there were one.
    release.send(()).unwrap();
    assert_eq!(post(&relay, "/next").0, 200);
    assert_eq!(counted(&app)["/slow"], 1);
}

/// The sender has its 202, the app is still at work, and the relay dies: the client knows how it ended.
#[test]
fn a_relay_that_dies_under_a_late_webhook_does_not_bring_it_again() {
    let relay = Relay::open();
    let (app, arrived, release) = gated_app();
    let listener = Listener::start_with(&relay.url, &app, |command| {
        command.args(["--deadline", "200ms"]);
    });
    assert_eq!(post(&relay, "/late").0, 202);
    arrived.recv_timeout(DEADLINE).unwrap();
    let from = listener.process.stdout.len();
    let relay = relay.kill_and_restart();
    listener.connection("connected", from);
    release.send(()).unwrap();
    let exchange = listener.exchange_at("/late");
    assert_eq!((&exchange["status"], &exchange["error"]), (&200.into(), &"session-lost".into()), "{exchange}");
    // The relay hears of it, and has nothing left.
    listener.process.stdout.wait_for("an empty backlog", from, |line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["type"] == "gap" && line["held"] == 1 && line["delivered"] == 1).then_some(())
    });
    release.send(()).unwrap();
    assert_eq!(post(&relay, "/next").0, 200);
    assert_eq!(counted(&app), [("/late".to_owned(), 1), ("/next".to_owned(), 1)].into());
}

#[test]
fn an_app_that_is_down_gets_its_webhooks_when_it_is_up() {
    let relay = Relay::open();
    let address = unused_address();
    let listener = Listener::start(&relay, address);
    for number in 0..3 {
        assert_eq!(post(&relay, &format!("/{number}")).0, 202);
    }
    let refused = listener.exchange("the app being refused", |exchange| exchange["error"] == "app-refused");
    assert_eq!(refused["answered_by"], "relay", "{refused}");
    // Pages are for people who wait: they are never held.
    let (head, body) = relay.connect().send("GET /shop/page HTTP/1.1\r\nhost: h\r\n\r\n").answer();
    assert_eq!(head.refusal(&body), (502, "app-refused".into()));
    let app = RawApp::answering_at(address, |_| OK.to_vec());
    wait_until_seen(&app, 3);
    let counts = counted(&app);
    assert!(counts.len() == 3 && counts.values().all(|count| *count == 1), "{counts:?}");
}

#[test]
fn who_wants_refusals_gets_them() {
    let relay = Relay::open();
    opened_and_left(&relay, |command| {
        command.args(["--when-away", "refuse"]);
    });
    assert_eq!(post(&relay, "/x").0, 503);
    let relay = Relay::start(&Home::new(), &["--open", "--max-held", "0B"]);
    opened_and_left(&relay, |_| {});
    assert_eq!(post(&relay, "/x").0, 503);
}

#[test]
fn a_relay_that_answers_first_lets_the_app_take_its_time() {
    let relay = Relay::open();
    let (app, arrived, release) = gated_app();
    let listener = Listener::start_with(&relay.url, &app, |command| {
        command.args(["--answer", "relay"]);
    });
    assert_eq!(post(&relay, "/x").0, 202);
    arrived.recv_timeout(DEADLINE).unwrap();
    release.send(()).unwrap();
    assert_eq!(listener.exchange_at("/x")["origin"], "held");
}

#[test]
fn the_way_is_verified_and_the_app_does_not_hear_of_it() {
    let relay = Relay::open();
    let app = app();
    let listener = Listener::start(&relay, &app);
    let verified = listener.line("verified");
    assert!(verified["took_ms"].as_f64().unwrap() > 0.0, "{verified}");
    assert_eq!(post(&relay, "/x").0, 200);
    listener.exchange_at("/x");
    pass_by(&relay); // nobody else's canary reaches the app either
    assert_eq!(counted(&app).into_keys().collect::<Vec<_>>(), ["/x"]);
}

#[test]
fn a_listener_ends_when_it_was_dead_for_too_long() {
    let mut relay = Relay::open();
    let mut listener = Listener::start_with(&relay.url, unused_address(), |command| {
        command.args(["--exit-on-dead", "300ms"]);
    });
    relay.process.kill();
    let (code, error) = listener.process.failure();
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("no webhook could have arrived for 0.3 s"), "{error}");
}

/// The endpoint is drained while its senders go on: nothing is lost, and nothing comes twice.
#[test]
fn live_webhooks_and_held_ones_arrive_together() {
    let relay = Relay::open();
    opened_and_left(&relay, |_| {});
    for number in 0..200 {
        assert_eq!(post(&relay, &format!("/held/{number}")).0, 202);
    }
    let app = app();
    let _listener = Listener::start(&relay, &app);
    thread::scope(|scope| {
        let relay = &relay;
        for sender in 0..4 {
            scope.spawn(move || {
                for number in 0..50 {
                    assert_eq!(post(relay, &format!("/live/{sender}/{number}")).0, 200);
                }
            });
        }
    });
    wait_until_seen(&app, 400);
    let counts = counted(&app);
    assert!(counts.len() == 400 && counts.values().all(|count| *count == 1), "{counts:?}");
}

/// Wherever the relay dies between its 202 and the end, each webhook arrives, and the app has it once: the listener lives on and remembers.
#[test]
fn a_relay_that_dies_at_any_point_of_a_delivery_loses_and_repeats_nothing() {
    for point in ["after-202:3", "after-push:3", "after-app-answer:3", "after-settle:3", "after-commit:2"] {
        let relay = Relay::open();
        opened_and_left(&relay, |_| {});
        for number in 0..10 {
            assert_eq!(post(&relay, &format!("/{number}")).0, 202);
        }
        let relay = relay.restart(Some(point));
        let app = app();
        let _listener = Listener::start(&relay, &app);
        relay.process.stderr.wait_for("the fault", 0, |line| line.contains("fault point").then_some(()));
        let relay = relay.restart(None);
        wait_until_seen(&app, 10);
        // The inbox is empty once it has heard of all; a webhook behind them finds the way free.
        let held = || relay.operator("endpoint", &["list", "--json"]).stdout;
        let deadline = Instant::now() + DEADLINE;
        while !String::from_utf8(held()).unwrap().contains(r#""held":0"#) {
            assert!(Instant::now() < deadline, "{point}: something stays behind");
        }
        let counts = counted(&app);
        assert!(counts.len() == 10 && counts.values().all(|count| *count == 1), "{point}: {counts:?}");
    }
}

/// The relay dies when the app has answered, the listener is started again, and only then the relay comes back. How often the app was called.
fn calls_over_a_restart_of_both(more: fn(&mut Command)) -> usize {
    let (relay, home) = (Relay::open(), Home::new());
    opened_and_left(&relay, |_| {});
    assert_eq!(post(&relay, "/paid").0, 202);
    let relay = relay.restart(Some("after-app-answer:1"));
    let app = app();
    let mut listener = Listener::start_in(&home, &relay.url, &app, more);
    relay.process.stderr.wait_for("the fault", 0, |line| line.contains("fault point").then_some(()));
    listener.exchange_at("/paid");
    listener.stop();
    let listener = Listener::launch(&home, &relay.url, ENDPOINT, &app, more);
    listener.stdout.wait_for("a relay that is away", 0, |line| line.contains("reconnecting").then_some(()));
    let relay = relay.restart(None);
    listener.stdout.wait_for("the ready line", 0, |line| line.contains(r#""type":"ready""#).then_some(()));
    // Once the inbox is empty nothing comes any more.
    let deadline = Instant::now() + DEADLINE;
    let held = || relay.operator("endpoint", &["list", "--json"]).stdout;
    while !String::from_utf8(held()).unwrap().contains(r#""held":0"#) {
        assert!(Instant::now() < deadline, "it stays behind");
    }
    counted(&app)["/paid"]
}

#[test]
fn what_the_app_took_it_does_not_get_again_when_relay_and_listener_were_restarted() {
    assert_eq!(calls_over_a_restart_of_both(|_| {}), 1);
    // The control: who keeps nothing can't know.
    assert_eq!(
        calls_over_a_restart_of_both(|command| {
            command.args(["--store", "off"]);
        }),
        2
    );
}

/// Signed, as many as a busy hour brings.
#[test]
fn a_thousand_signed_webhooks_arrive_once_in_order_and_valid() {
    const COUNT: usize = 1_000;
    // The webhooks differ in target and event id only: one signature, HMAC-SHA256 of the body under `123456`, fits all.
    const BODY: &str = r#"{"entity":"event","event":"payment.captured"}"#;
    const SIGNATURE: &str = "2e753001dd617390d70d309ffbc4c7ea9168a5d6afc596bc12ef6ccf4aa03fd4";
    let listening: fn(&mut Command) = |command| {
        command.env("RAZORPAY_WEBHOOK_SECRET", "123456");
        command.args(["--ordered", "--secret", "razorpay=env:RAZORPAY_WEBHOOK_SECRET"]);
    };
    let relay = Relay::open();
    opened_and_left(&relay, listening);
    for number in 0..COUNT {
        let request = format!(
            "POST /{ENDPOINT}/{number} HTTP/1.1\r\nhost: h\r\nx-razorpay-event-id: e{number}\r\n\
             x-razorpay-signature: {SIGNATURE}\r\ncontent-length: {}\r\n\r\n{BODY}",
            BODY.len()
        );
        assert_eq!(relay.connect().send(request).answer().0.status(), 202);
    }
    let app = app();
    let listener = Listener::start_with(&relay.url, &app, listening);
    wait_until_seen(&app, COUNT);
    let gap = listener.line("gap");
    assert_eq!((&gap["held"], &gap["delivered"], &gap["lost"]), (&COUNT.into(), &COUNT.into(), &0.into()), "{gap}");
    listener.exchange_at(&format!("/{}", COUNT - 1));
    let lines = listener.process.stdout.all();
    let lines = lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let exchanges: Vec<_> = lines.filter(|line| line["type"] == "exchange").collect();
    assert_eq!((exchanges.len(), app.requests.len()), (COUNT, COUNT));
    for (number, (exchange, request)) in exchanges.iter().zip(app.requests.all()).enumerate() {
        let path = format!("/{number}");
        assert_eq!((request.target(), &exchange["path"]), (path.as_bytes(), &path.as_str().into()));
        assert_eq!((&exchange["origin"], &exchange["status"]), (&"held".into(), &200.into()), "{exchange}");
        assert_eq!(exchange["verdict"]["status"], "valid", "{exchange}");
    }
}

/// The operator's side of it, while the relay runs.
#[test]
fn the_operator_sees_what_is_held() {
    let relay = Relay::open();
    opened_and_left(&relay, |_| {});
    assert_eq!(post(&relay, "/x").0, 202);
    let endpoint = |arguments: &[&str]| relay.operator("endpoint", arguments);
    let list: serde_json::Value = serde_json::from_slice(&endpoint(&["list", "--json"]).stdout).unwrap();
    let shop = &list["endpoints"][0];
    assert_eq!(
        (&shop["name"], &shop["held"], &shop["connected"]),
        (&ENDPOINT.into(), &1.into(), &false.into()),
        "{list}"
    );
    assert_eq!(endpoint(&["rm", ENDPOINT]).status.code(), Some(1), "not while something is held");
    assert_eq!(endpoint(&["deliver", ENDPOINT, "--all"]).stdout, b"0 to be delivered\n");
    assert!(endpoint(&["rm", ENDPOINT, "--force"]).status.success());
    assert_eq!(post(&relay, "/x").0, 404);
}
