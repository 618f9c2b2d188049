//! `hookwire requests` over a store that a listener has written.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{Home, Listener, RawApp, Relay, root};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";

/// Bodies that a shell, a JSON string or a terminal would spoil.
const BODIES: [&[u8]; 4] =
    [b"{\"text\":\"it's \\u20b9 $HOME `id` \\\\n\"}", b"line\nline\r\n\n", b"\x00\xff\xfe\x1b[2J\x9b31m", b"@file"];

/// A relay, an app and a listener that have brought a webhook for each of [`BODIES`], one answered with an error, and one without a body.
struct Traffic {
    app: RawApp,
    home: Home,
    listener: Listener,
    _relay: Relay,
}

fn traffic() -> Traffic {
    let relay = Relay::open();
    let app = RawApp::answering(|request| match request.target() {
        b"/missing" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => OK.to_vec(),
    });
    let listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    for (number, body) in BODIES.iter().enumerate() {
        let head = format!(
            "POST /shop/body/{number}?q=a%20b HTTP/1.1\r\nhost: shop.test\r\nuser-agent: sender's/1.0\r\naccept: */*\r\n\
             x-twice: 1\r\nx-twice: \"2\" $x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        wire.send([head.as_bytes(), body].concat()).answer();
    }
    wire.send("DELETE /shop/missing HTTP/1.1\r\nhost: shop.test\r\n\r\n").answer();
    listener.exchange_at("/missing");
    Traffic { app, home: listener.home.clone(), listener, _relay: relay }
}

/// Commits come some milliseconds after the answer: the stopped listener has committed all.
fn finished() -> Traffic {
    let mut traffic = traffic();
    traffic.listener.stop();
    traffic
}

#[test]
fn a_list_is_filtered_and_newest_first() {
    let Traffic { home, .. } = finished();
    let list = |arguments: &[&str]| home.run(&[&["requests", "list", "--json"], arguments].concat());
    let paths = |arguments: &[&str]| -> Vec<String> {
        list(arguments).lines().iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths(&[]), ["/missing", "/body/3", "/body/2", "/body/1", "/body/0"]);
    assert_eq!(paths(&["--limit", "2"]), ["/missing", "/body/3"]);
    assert_eq!(paths(&["--filter", "status:404"]), ["/missing"]);
    assert_eq!(paths(&["--filter", "method:POST body:\"@file\""]), ["/body/3"]);
    assert_eq!(paths(&["--filter", "status:5xx"]), [""; 0]);
    let wrong = list(&["--filter", "status:404 statsu:1"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("  status:404 statsu:1\n             ^") && wrong.stderr.contains("hint: "),
        "{}",
        wrong.stderr
    );

    let plain = home.run(&["requests", "list"]).text();
    let rows: Vec<_> = plain.lines().collect();
    assert_eq!(rows.len(), 6, "{plain}");
    assert!(rows[0].starts_with("id ") && rows[1].contains("DELETE /missing") && rows[1].contains("404"), "{plain}");
    // The id that is shown is one that can be asked for.
    let id = rows[1].split_whitespace().next().unwrap();
    let shown = home.run(&["requests", "show", id]).text();
    assert!(shown.contains("DELETE") && shown.contains("404"), "{shown}");
}

#[test]
fn nothing_untrusted_reaches_the_output_of_show() {
    let Traffic { home, .. } = finished();
    for id in home.run(&["requests", "list", "--json"]).lines() {
        let shown = home.run(&["requests", "show", id["id"].as_str().unwrap()]).text();
        let obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!shown.contains(obeyed), "{shown:?}");
    }
}

#[test]
fn curl_sends_the_same_request_again() {
    // The listener's own row must not come between.
    let Traffic { app, home, .. } = finished();
    for (number, body) in BODIES.iter().enumerate() {
        let target = format!("/body/{number}?q=a%20b");
        let first = app.request(&target);
        let listed = home.run(&["requests", "list", "--json", "--filter", &format!("path:/body/{number}")]).lines();
        let script = home.run(&["requests", "export", listed[0]["id"].as_str().unwrap(), "--as", "curl"]);
        assert_eq!(script.code, Some(0), "{}", script.stderr);
        let from = app.requests.len();
        let mut shell = Command::new("sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir(home.path())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(&script.stdout).unwrap();
        assert!(shell.wait().unwrap().success(), "{}", script.text());
        let second = app.requests.wait_for("curl's request", from, |request| Some(request.clone()));
        assert_eq!(second.head.line, first.head.line, "{}", script.text());
        assert_eq!(second.body, *body, "{}", script.text());
        let sorted = |headers: &[(Vec<u8>, Vec<u8>)]| {
            let mut headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
            headers.sort();
            headers
        };
        assert_eq!(sorted(&second.head.headers), sorted(&first.head.headers), "{}", script.text());
    }
}

#[test]
fn a_har_file_is_valid_and_has_everything() {
    let Traffic { home, .. } = finished();
    let file = home.path().join("all.har");
    let written = home.run(&["requests", "export", "--filter", "", "--as", "har", "-o", &file.display().to_string()]);
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let har = std::fs::read(&file).unwrap();
    assert_eq!(validate(&har), (true, String::new()));
    let json: serde_json::Value = serde_json::from_slice(&har).unwrap();
    let entries = json["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), BODIES.len() + 1);
    assert_eq!(entries[0]["response"]["status"], 200);
    // The control: the validator refuses what is no HAR file.
    let mut broken = json.clone();
    broken["log"]["entries"][0]["request"]["method"] = serde_json::Value::Null;
    let (valid, said) = validate(broken.to_string().as_bytes());
    assert!(!valid && said.contains("method"), "{said}");
}

/// What the validator from npm says.
fn validate(har: &[u8]) -> (bool, String) {
    let directory = root().join("e2e").join("har");
    assert!(directory.join("node_modules").is_dir(), "run `cargo xtask test`, or `npm ci` in {}", directory.display());
    let mut command = Command::new("node");
    command.arg("validate.mjs").current_dir(directory).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut node = command.spawn().unwrap();
    node.stdin.take().unwrap().write_all(har).unwrap();
    let output = node.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_body_leaves_as_it_came() {
    let Traffic { home, .. } = finished();
    for (number, body) in BODIES.iter().enumerate() {
        let id = home.run(&["requests", "list", "--json", "--filter", &format!("path:/body/{number}")]).lines();
        let exported = home.run(&["requests", "export", id[0]["id"].as_str().unwrap(), "--as", "body"]);
        assert_eq!(exported.stdout, *body, "{}", exported.stderr);
    }
}

#[test]
fn without_a_store_it_is_said_what_makes_one() {
    let home = Home::new();
    for arguments in [&["requests", "list"][..], &["requests", "show"], &["replay", "latest"]] {
        let printed = home.run(arguments);
        assert_eq!(printed.code, Some(2), "{arguments:?}");
        assert!(printed.stderr.contains("there is no store"), "{}", printed.stderr);
        assert!(printed.stderr.contains("hint: `hookwire listen` makes it"), "{}", printed.stderr);
        assert!(printed.stdout.is_empty());
    }
}
