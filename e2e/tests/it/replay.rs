//! A webhook that came once can be sent again, as it was or changed, with the relay away.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Home, Listener, RawApp, Relay, SECRETS, Shop, Wire, until, unused_address};

/// Razorpay's published example: this body under the secret `123456`.
const BODY: &str = r#"{"a":1,"b":2,"c":{"d":3}}"#;
const SIGNATURE: &str = "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc";

fn webhook(path: &str) -> String {
    format!(
        "POST /shop{path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\nx-razorpay-signature: {SIGNATURE}\r\n\
         content-length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

fn with_secrets(command: &mut Command) {
    command.envs(SECRETS).args(["--secret", "razorpay=env:RAZORPAY_WEBHOOK_SECRET"]);
}

/// Sends one webhook through a relay that is gone afterwards, as is the listener; gives the home with the store.
fn captured(target: impl std::fmt::Display, path: &str) -> Home {
    let relay = Relay::open();
    let mut listener = Listener::start_with(&relay.url, target, with_secrets);
    relay.connect().send(webhook(path)).answer();
    listener.exchange_at(path.split('?').next().unwrap());
    listener.stop();
    listener.home.clone()
}

fn replay(home: &Home, arguments: &[&str]) -> Value {
    let printed = home.run_with(&["replay", "latest", "--json"], |command| {
        with_secrets(command);
        command.args(arguments);
    });
    let mut lines = printed.lines();
    assert_eq!(lines.len(), 1, "{}", printed.text());
    lines.remove(0)
}

fn summary(home: &Home, id: &Value) -> Value {
    let listed = home.run(&["requests", "list", "--json"]).lines();
    listed.into_iter().find(|exchange| exchange["id"] == *id).unwrap()
}

#[test]
fn the_shop_sees_the_same_webhook_again_and_an_edited_one_for_what_it_is() {
    let shop = Shop::start(0);
    let home = captured(shop.port, "/verification");
    let original = home.run(&["requests", "list", "--json"]).lines().remove(0);
    assert_eq!((&original["status"], &original["verdict"]["status"]), (&200.into(), &"valid".into()), "{original}");

    let again = replay(&home, &[]);
    assert_eq!((&again["status"], &again["verdict"]["status"]), (&200.into(), &"valid".into()), "{again}");
    assert_eq!((&again["origin"], &again["replay_of"]), (&"replay".into(), &original["id"]));

    let edited = replay(&home, &["--body", r#"{"a":2}"#]);
    assert_eq!((&edited["status"], &edited["verdict"]["status"]), (&400.into(), &"invalid".into()), "{edited}");

    let signed = replay(&home, &["--body", r#"{"a":2}"#, "--resign"]);
    assert_eq!((&signed["status"], &signed["verdict"]["status"]), (&200.into(), &"valid".into()), "{signed}");
    assert_eq!(summary(&home, &signed["id"])["note"], "original invalid · re-signed");
    assert_eq!(summary(&home, &edited["id"])["note"], Value::Null);
    assert_eq!(home.run(&["requests", "list", "--json"]).lines().len(), 4);
}

#[test]
fn the_app_gets_every_byte_and_the_id_of_the_original() {
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let home = captured(&app, "/hook?x=%2F<&y");
    let first = app.request("/hook?x=%2F<&y");
    let from = app.requests.len();
    let replayed = replay(&home, &[]);
    let second = app.requests.wait_for("the replay", from, |request| Some(request.clone()));
    assert_eq!((&second.head.line, &second.body), (&first.head.line, &first.body));
    let mut headers = first.head.headers.clone();
    headers.push((b"hookwire-replay".to_vec(), replayed["replay_of"].as_str().unwrap().as_bytes().to_vec()));
    assert_eq!(second.head.headers, headers);
}

#[test]
fn what_is_named_is_changed_and_nothing_else() {
    let app = RawApp::answering(|_| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let home = captured(&app, "/hook");
    let from = app.requests.len();
    let file = home.file("body", "from a file");
    let file = format!("@{}", file.display());
    let flags = ["--method", "PUT", "--path", "/other?x", "--set-header", "X-New: 1", "--body", &file];
    assert_eq!(replay(&home, &flags)["status"], 204);
    let seen = app.requests.wait_for("the replay", from, |request| Some(request.clone()));
    assert_eq!((seen.head.line.as_slice(), seen.body.as_slice()), (&b"PUT /other?x HTTP/1.1"[..], &b"from a file"[..]));
    assert_eq!(seen.head.value("x-new").as_deref(), Some("1"));
    assert_eq!(seen.head.value("content-length").as_deref(), Some("11"));
    assert_eq!(seen.head.value("x-razorpay-signature").as_deref(), Some(SIGNATURE));
}

#[test]
fn an_app_that_is_away_is_exit_code_1_and_recorded() {
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let home = captured(&app, "/hook");
    let away = unused_address().to_string();
    let printed = home.run(&["replay", "latest", "--json", "--to", &away]);
    assert_eq!(printed.code, Some(1), "{}", printed.stderr);
    assert!(printed.stderr.starts_with("error: the app gave no whole answer: the app refused"), "{}", printed.stderr);
    assert!(printed.stderr.contains("\n\nhint: start the app, or name another with `--to`"), "{}", printed.stderr);
    assert_eq!(printed.json()[0]["error"], "app-refused");
    assert_eq!(home.run(&["requests", "list", "--json"]).lines()[0]["error"], "app-refused");
}

#[test]
fn several_go_out_in_the_order_they_were_named() {
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let relay = Relay::open();
    let listener = Listener::start(&relay, &app);
    let mut wire: Wire = relay.connect();
    for path in ["/1", "/2", "/3"] {
        wire.send(webhook(path)).answer();
        listener.exchange_at(path);
    }
    let id = |path: &str| listener.exchange_at(path)["id"].as_str().unwrap().to_owned();
    until("the commit", || listener.home.run(&["requests", "list", "--json"]).json().len() == 3);
    let from = app.requests.len();
    // While the listener goes on, which writes the same store.
    let printed = listener.home.run(&["replay", &id("/3"), &id("/1"), &id("/2"), "--json"]);
    let paths: Vec<_> = printed.lines().iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(paths, ["/3", "/1", "/2"]);
    let seen: Vec<_> = app.requests.all()[from..].iter().map(|request| request.target().to_vec()).collect();
    assert_eq!(seen, [b"/3", b"/1", b"/2"]);
    let after = wire.send(webhook("/4")).answer();
    assert_eq!(after.0.status(), 200);
}

#[test]
fn what_can_not_be_sent_says_why() {
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let home = captured(&app, "/hook");
    for (arguments, code, said) in [
        (&["replay", "ffffffff"][..], 1, "there is no exchange `ffffffff`"),
        (&["replay", "latest", "--path", "hook"], 2, "that is no request"),
        (&["replay", "latest", "--set-header", "x"], 2, "`x` is no header"),
        (&["replay", "latest", "--body", "@/does/not/exist"], 2, "can't read the body"),
        (&["replay", "latest", "--resign"], 2, "no secret of `razorpay` is known"),
        (&["replay", "latest", "--store", "none.db"], 2, "there is no store"),
    ] {
        let printed = home.run(arguments);
        assert_eq!(printed.code, Some(code), "{arguments:?}: {}", printed.stderr);
        assert!(printed.stderr.contains(said), "{arguments:?}: {}", printed.stderr);
    }
}
