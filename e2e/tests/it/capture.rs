//! What was delivered is kept, whatever becomes of the listener, its terminal or its disk.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::harness::{Home, Listener, RawApp, Relay, Wire, until};

/// Connections that send at the same time.
const SENDERS: usize = 4;

/// Webhooks that each of them sends.
const EACH: usize = 100;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn app() -> RawApp {
    RawApp::answering(|_| OK.to_vec())
}

fn webhook(path: &str, body: &str) -> String {
    format!("POST /shop{path} HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Posts, and waits for the answer.
fn post(wire: &mut Wire, path: &str, body: &str) {
    let (head, _) = wire.send(webhook(path, body)).answer();
    assert_eq!(head.status(), 200, "{path}");
}

fn listed(home: &Home) -> Vec<Value> {
    home.run(&["requests", "list", "--json", "--limit", "1000000"]).lines()
}

fn paths(exchanges: &[Value]) -> BTreeSet<String> {
    exchanges.iter().map(|exchange| exchange["path"].as_str().unwrap().to_owned()).collect()
}

/// The store of a listener that was not told where to put it.
fn store(home: &Home) -> std::path::PathBuf {
    let projects = home.path().join(".local/share/hookwire/projects");
    let folder = std::fs::read_dir(projects).unwrap().next().unwrap().unwrap().path();
    folder.join("exchanges.db")
}

#[test]
fn every_webhook_is_kept_with_its_bytes() {
    let (relay, app) = (Relay::open(), app());
    let mut listener = Listener::start(&relay, &app);
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let mut wire = relay.connect();
            scope.spawn(move || {
                for number in 0..EACH {
                    post(&mut wire, &format!("/{sender}/{number}"), &format!("{{\"number\":{number}}}"));
                }
            });
        }
    });
    listener.stop();

    let exchanges = listed(&listener.home);
    let sent: BTreeSet<_> =
        (0..SENDERS).flat_map(|sender| (0..EACH).map(move |number| format!("/{sender}/{number}"))).collect();
    assert_eq!(exchanges.len(), SENDERS * EACH);
    assert_eq!(paths(&exchanges), sent);
    for exchange in &exchanges {
        assert_eq!(
            (&exchange["status"], &exchange["answered_by"], &exchange["origin"]),
            (&200.into(), &"app".into(), &"live".into())
        );
        assert_eq!(exchange["response_bytes"], 2);
    }
    let one = exchanges.iter().find(|exchange| exchange["path"] == "/3/42").unwrap();
    let body = listener.home.run(&["requests", "export", one["id"].as_str().unwrap(), "--as", "body"]);
    assert_eq!(body.stdout, b"{\"number\":42}", "{}", body.stderr);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let store = store(&listener.home);
        assert_eq!((mode(&store), mode(store.parent().unwrap())), (0o600, 0o700));
    }
}

#[test]
fn a_body_beyond_the_cap_is_cut_with_its_true_length_and_hash() {
    let (relay, app) = (Relay::open(), app());
    let mut listener = Listener::start_with(&relay.url, &app, |command| {
        command.args(["--max-capture-body", "1KiB"]);
    });
    let mut wire = relay.connect();
    post(&mut wire, "/long", &"a".repeat(3000));
    post(&mut wire, "/short", &"a".repeat(1024));
    listener.stop();
    let json = |id: &str| -> Value {
        let shown = listener.home.run(&["requests", "show", id, "--json"]);
        serde_json::from_slice(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {}", shown.stderr))
    };
    let exchanges = listed(&listener.home);
    let id = |path: &str| {
        exchanges.iter().find(|exchange| exchange["path"] == path).unwrap()["id"].as_str().unwrap().to_owned()
    };
    // `printf 'a%.0s' $(seq 3000) | sha256sum`
    let hash = "556ac82f23f64d2f41b3fb3b9a171791364021aa95c0af6df9e2b5e1d88c8038";
    let long = json(&id("/long")).to_string();
    assert!(long.contains("3000") && long.contains(hash), "{long}");
    assert_eq!(exchanges.iter().find(|exchange| exchange["path"] == "/long").unwrap()["request_bytes"], 3000);
    // What was cut can't be sent again as it was; what was not can.
    let replay = |path: &str| listener.home.run(&["replay", &id(path), "--to", &app.to_string()]);
    let refused = replay("/long");
    assert!(refused.code == Some(2) && refused.stderr.contains("1024 of 3000 bytes"), "{}", refused.stderr);
    assert_eq!(replay("/short").code, Some(0));
}

#[test]
fn another_process_sees_what_comes_while_it_comes() {
    let (relay, app) = (Relay::open(), app());
    let listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    for path in ["/first", "/second"] {
        post(&mut wire, path, "{}");
        until("the webhook in another process", || paths(&listed(&listener.home)).contains(path));
    }
    assert_eq!(listed(&listener.home).len(), 2);
}

#[test]
fn a_killed_listener_leaves_a_whole_store() {
    let (relay, app) = (Relay::open(), app());
    // Nothing is held: what was under way at the kill does not come again.
    let mut listener = Listener::start_with(&relay.url, &app, |command| {
        command.args(["--answer", "app"]);
    });
    let home = listener.home.clone();
    let stopped = Arc::new(AtomicBool::new(false));
    let answered = thread::scope(|scope| {
        let mut wire = relay.connect();
        let traffic = scope.spawn({
            let stopped = Arc::clone(&stopped);
            move || {
                let mut answered = Vec::new();
                for number in 0.. {
                    let path = format!("/{number}");
                    let sent = wire.try_send(webhook(&path, &"x".repeat(1600)));
                    let Ok(Some(head)) = sent.and_then(|()| wire.head()) else { break };
                    if wire.answer_body(&head).all().is_err() || stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    if head.status() == 200 {
                        answered.push(path);
                    }
                }
                answered
            }
        });
        // Committed, as another process saw it: these must survive.
        let mut committed = BTreeSet::new();
        until("enough webhooks", || {
            committed = paths(&listed(&home));
            committed.len() >= 200
        });
        listener.process.kill();
        stopped.store(true, Ordering::SeqCst);
        let answered: BTreeSet<_> = traffic.join().unwrap().into_iter().collect();
        let kept = paths(&listed(&home));
        assert!(committed.is_subset(&kept), "lost: {:?}", committed.difference(&kept));
        // A group commit takes milliseconds: what is missing is the last of what was answered, and nothing in between.
        let missing: Vec<_> = answered.difference(&kept).collect();
        let first = missing.iter().filter_map(|path| path[1..].parse::<usize>().ok()).min();
        let last_kept = kept.iter().filter_map(|path| path[1..].parse::<usize>().ok()).max();
        assert!(
            first.is_none_or(|first| Some(first) > last_kept),
            "a hole: {first:?} is missing, {last_kept:?} is not"
        );
        answered
    });
    assert!(answered.len() >= 200);

    let database = Connection::open_with_flags(store(&home), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    drop(database);

    // The next listener goes on in the same store.
    let before = listed(&home).len();
    let mut listener = Listener::start_in(&home, &relay.url, &app, |command| {
        command.args(["--answer", "app"]);
    });
    post(&mut relay.connect(), "/after", "{}");
    listener.stop();
    let exchanges = listed(&home);
    assert_eq!((exchanges.len(), exchanges[0]["path"].as_str()), (before + 1, Some("/after")));
}

#[test]
fn what_is_older_than_what_is_to_be_kept_goes() {
    let (relay, app) = (Relay::open(), app());
    let mut listener = Listener::start_with(&relay.url, &app, |command| {
        command.args(["--keep", "20"]);
    });
    let mut wire = relay.connect();
    for number in 0..60 {
        post(&mut wire, &format!("/{number}"), "{}");
    }
    let home = listener.home.clone();
    until("the oldest going", || {
        let exchanges = listed(&home);
        exchanges.len() <= 20 && exchanges.first().is_some_and(|newest| newest["path"] == "/59")
    });
    listener.stop();
}

#[test]
fn a_store_that_can_not_be_made_leaves_delivery_going_and_says_so() {
    let (relay, app) = (Relay::open(), app());
    let home = Home::new();
    // Where the folder should be there is a file: not even root can make one.
    let data = home.path().join(".local/share/hookwire");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("projects"), "").unwrap();
    let mut listener = Listener::start_in(&home, &relay.url, &app, |_| {});
    post(&mut relay.connect(), "/hook", "{}");
    assert_eq!(listener.exchange_at("/hook")["status"], 200);
    listener.stop();
    let said = listener.process.stderr.all().join("\n");
    assert!(said.contains("delivered and shown, but not kept"), "{said}");
    // One that was asked for must be there.
    let mut refused = Listener::launch(&home, &relay.url, "shop", &app, |command| {
        command.args(["--store", ".local/share/hookwire/projects/store.db"]);
    });
    let (code, said) = refused.failure();
    assert!(code == Some(2) && said.contains("hint: "), "{said}");
}

#[test]
fn a_disk_that_takes_no_more_leaves_delivery_going_and_says_so() {
    let (relay, app) = (Relay::open(), app());
    let home = Home::new();
    let mut command = Command::new("sh");
    let hookwire = home.hookwire();
    // No file may grow beyond 512 blocks, which is 256 or 512 KiB: to SQLite that is a disk that fails.
    command.args(["-c", "trap '' XFSZ; ulimit -f 512; exec \"$@\"", "sh"]).arg(hookwire.get_program());
    command.args([
        "listen",
        &app.to_string(),
        "--relay",
        &relay.url,
        "--endpoint",
        "shop",
        "--output",
        "json",
        "--api",
        "off",
    ]);
    command
        .env_clear()
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap());
    let mut process = crate::harness::Process::start(&mut command);
    process.stdout.wait_for("the ready line", 0, |line| line.contains("\"ready\"").then_some(()));

    let mut wire = relay.connect();
    post(&mut wire, "/before", "{}");
    until("the webhook before", || !listed(&home).is_empty());
    for number in 0..40 {
        post(&mut wire, &format!("/{number}"), &"x".repeat(64 * 1024));
    }
    let trouble = process.stdout.wait_for("a word about the store", 0, |line| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["type"] == "store" && line["trouble"].is_string()).then_some(line)
    });
    assert!(!trouble["trouble"].as_str().unwrap().is_empty());
    post(&mut wire, "/last", "{}");
    process.stdout.wait_for("the last exchange", 0, |line| line.contains("\"/last\"").then_some(()));
    process.terminate();
    assert!(process.wait().success(), "{}", process.output());
    // What was kept before is still there.
    assert!(paths(&listed(&home)).contains("/before"));
}
