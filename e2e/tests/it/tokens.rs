//! Who may listen, and on which endpoint.

use std::path::{Path, PathBuf};

use crate::harness::{ENDPOINT, Home, Listener, Process, RawApp, Relay};

/// Makes a token on the relay's machine and writes it to a file, as its owner would.
fn token(home: &Home, name: &str) -> PathBuf {
    let data = Relay::data_directory(home);
    let mut command = home.hookwire();
    let mut made = Process::start(command.args(["token", "new", "--data-dir", &data, "--name", name]));
    let status = made.wait();
    assert!(status.success(), "{}", made.output());
    let lines = made.stdout.all();
    assert_eq!(lines.len(), 1, "standard output has the token alone: {lines:?}");
    home.file(&format!("{name}.token"), &format!("{}\n", lines[0]))
}

fn listen(relay: &Relay, endpoint: &str, token: Option<&Path>) -> Process {
    Listener::launch(&Home::new(), &relay.url, endpoint, 3000, |command| {
        if let Some(token) = token {
            command.arg("--token-file").arg(token);
        }
    })
}

#[test]
fn a_token_opens_a_session() {
    let home = Home::new();
    let alice = token(&home, "alice");
    let relay = Relay::start(&home, &[]);
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let _listener = Listener::start_with(&relay.url, &app, |command| {
        command.arg("--token-file").arg(&alice);
    });
    assert_eq!(relay.connect().send("GET /shop/ HTTP/1.1\r\nhost: h\r\n\r\n").answer().0.status(), 200);

    let relay = relay.kill_and_restart();
    let app_again = RawApp::answering(|_| b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n".to_vec());
    let again = Listener::launch(&Home::new(), &relay.url, "second", &app_again, |command| {
        command.env("HOOKWIRE_TOKEN", std::fs::read_to_string(&alice).unwrap().trim());
    });
    again.stdout.wait_for("the ready line", 0, |line| line.contains(r#""ready""#).then_some(()));
    assert_eq!(relay.connect().send("GET /second/ HTTP/1.1\r\nhost: h\r\n\r\n").answer().0.status(), 201);
}

#[test]
fn without_a_good_token_there_is_no_session() {
    let home = Home::new();
    let alice = token(&home, "alice");
    let mut wrong = std::fs::read_to_string(&alice).unwrap().trim().to_owned();
    let last = if wrong.ends_with('0') { '1' } else { '0' };
    wrong.pop();
    wrong.push(last);
    let wrong = home.file("wrong.token", &wrong);
    let relay = Relay::start(&home, &[]);
    for token in [None, Some(wrong.as_path())] {
        let (code, errors) = listen(&relay, ENDPOINT, token).failure();
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains("error: ") && errors.contains("hint: "), "{errors}");
        assert!(errors.contains("--token-file"), "{errors}");
    }
}

#[test]
fn an_endpoint_belongs_to_whoever_opened_it_first() {
    let home = Home::new();
    let (alice, bob) = (token(&home, "alice"), token(&home, "bob"));
    let relay = Relay::start(&home, &[]);
    let first = listen(&relay, ENDPOINT, Some(&alice));
    first.stdout.wait_for("the ready line", 0, |line| line.contains(r#""ready""#).then_some(()));
    let (code, errors) = listen(&relay, ENDPOINT, Some(&bob)).failure();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains(ENDPOINT) && errors.contains("hint: "), "{errors}");

    // It stays theirs when they are away.
    drop(first);
    let relay = relay.kill_and_restart();
    let (code, errors) = listen(&relay, ENDPOINT, Some(&bob)).failure();
    assert_eq!(code, Some(2), "{errors}");
}

#[test]
fn an_open_relay_stays_on_loopback() {
    let home = Home::new();
    let data = Relay::data_directory(&home);
    let mut command = home.hookwire();
    let mut relay = Process::start(command.args(["relay", "--open", "--listen", "0.0.0.0:0", "--data-dir", &data]));
    let (code, errors) = relay.failure();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("--open") && errors.contains("127.0.0.1"), "{errors}");
}
