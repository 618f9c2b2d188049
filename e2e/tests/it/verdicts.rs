//! A signature is judged over the bytes that were sent, whatever becomes of them.

use std::process::Command;

use crate::harness::{Listener, RawApp, Relay, unused_address};

/// The example of GitHub's documentation ("Validating webhook deliveries").
const SECRET: (&str, &str) = ("GITHUB_WEBHOOK_SECRET", "It's a Secret to Everybody");
const BODY: &str = "Hello, World!";
const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn with_secret(command: &mut Command) {
    command.env(SECRET.0, SECRET.1).args(["--secret", "github=env:GITHUB_WEBHOOK_SECRET"]);
}

fn signed(path: &str, length: usize, body: &str) -> String {
    format!(
        "POST /shop{path} HTTP/1.1\r\nhost: h\r\nx-github-event: push\r\nx-hub-signature-256: {SIGNATURE}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

// The verdict was `invalid` when the app had not read the body: it was judged over nothing.
#[test]
fn a_right_signature_is_right_while_the_app_is_away() {
    let relay = Relay::open();
    let listener = Listener::start_with(&relay.url, unused_address(), with_secret);
    let (head, _) = relay.connect().send(signed("/away", BODY.len(), BODY)).answer();
    assert_eq!(head.status(), 202, "held");
    let exchange = listener.exchange_at("/away");
    assert_eq!((&exchange["verdict"]["status"], &exchange["error"]), (&"valid".into(), &"app-refused".into()));

    // The control: the same with one byte changed.
    relay.connect().send(signed("/changed", BODY.len(), "Hello, World?")).answer();
    assert_eq!(listener.exchange_at("/changed")["verdict"]["status"], "invalid");
}

#[test]
fn a_right_signature_is_right_when_the_app_answers_without_reading() {
    let relay = Relay::open();
    let app = RawApp::handling(|wire, _head| {
        wire.send("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        std::ops::ControlFlow::Break(())
    });
    let listener = Listener::start_with(&relay.url, &app, with_secret);
    let (head, _) = relay.connect().send(signed("/early", BODY.len(), BODY)).answer();
    assert!(head.line.starts_with(b"HTTP/1.1 401"));
    assert_eq!(listener.exchange_at("/early")["verdict"]["status"], "valid");
}

// Bodies above what is kept were judged on their beginning when the app did not read them.
#[test]
fn a_large_body_is_judged_whole_while_the_app_is_away() {
    let relay = Relay::open();
    let listener = Listener::start_with(&relay.url, unused_address(), |command| {
        command.env("KEY", "0").args(["--secret", "github=env:KEY"]);
    });
    // 3,000,000 times `a` under the key `0`.
    let signature = "sha256=c7d700260f20b3e620358d7c047fccae5fc74ba4173134d8bace6993a3ffbae4";
    let length = 3_000_000;
    let mut sender = relay.connect();
    sender.send(format!(
        "POST /shop/large HTTP/1.1\r\nhost: h\r\nx-github-event: push\r\nx-hub-signature-256: {signature}\r\n\
         content-length: {length}\r\n\r\n"
    ));
    // The relay may stop reading what nobody wants any more.
    let _ = sender.try_send("a".repeat(length));
    let exchange = listener.exchange_at("/large");
    assert_eq!(exchange["error"], "app-refused", "{exchange}");
    assert_eq!(exchange["verdict"]["status"], "valid", "{exchange}");
}

#[test]
fn a_body_that_was_cut_says_so() {
    let relay = Relay::open();
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let listener = Listener::start_with(&relay.url, &app, with_secret);
    let mut sender = relay.connect();
    sender.send(signed("/cut", BODY.len() + 1000, BODY));
    drop(sender);
    let exchange = listener.exchange_at("/cut");
    assert_eq!(exchange["verdict"]["status"], "invalid", "{exchange}");
    assert_eq!(exchange["verdict"]["cause"], "body-incomplete", "{exchange}");
}
