//! Exports, given to those who read them.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use hookwire_capture::{CapturedBody, Exchange, Origin};
use hookwire_inspector::export::{Export, Fixture, FixtureError, Kind, export};
use hookwire_protocol::head::{BodyLength, Headers};

use crate::fixture;

fn request(method: &str, target: &[u8], headers: &[(&str, &[u8])], body: &[u8]) -> Exchange {
    let mut exchange = fixture::exchange();
    exchange.request.method = Bytes::copy_from_slice(method.as_bytes());
    exchange.request.target = Bytes::copy_from_slice(target);
    exchange.request.headers = headers.iter().map(|(name, value)| (name.as_bytes(), *value)).collect::<Headers>();
    let told = headers.iter().any(|(name, _)| *name == "content-length");
    exchange.request.body = match (told, body.len()) {
        (true, length) => BodyLength::Sized(length as u64),
        (false, 0) => BodyLength::Empty,
        (false, _) => BodyLength::Unknown,
    };
    exchange.request_body =
        CapturedBody { bytes: Bytes::copy_from_slice(body), length: body.len() as u64, sha256: None };
    exchange
}

fn razorpay() -> Exchange {
    let body = br#"{"event":"payment.captured","note":"it's \u20b9500"}"#;
    let length = body.len().to_string();
    let headers: &[(&str, &[u8])] = &[
        ("host", b"relay.example.com"),
        ("content-type", b"application/json"),
        ("content-length", length.as_bytes()),
        ("x-razorpay-signature", b"2fe04e22"),
        ("x-forwarded-for", b"52.66.75.174"),
    ];
    request("POST", b"/verification", headers, body)
}

fn exported(kind: Kind, base: &str, exchanges: &[Exchange]) -> String {
    let mut out = Vec::new();
    export(kind, base, exchanges, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A server for one request: what came, byte for byte, with chunks undone.
struct Server {
    listener: TcpListener,
}

struct Received {
    line: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Server {
    fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        (Self { listener }, base)
    }

    fn receive(self) -> Received {
        let (mut socket, _) = self.listener.accept().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(byte(&mut socket));
        }
        let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let line = lines.next().unwrap().to_vec();
        let headers: Vec<_> = lines
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let colon = line.iter().position(|&byte| byte == b':').unwrap();
                let name = String::from_utf8(line[..colon].to_ascii_lowercase()).unwrap();
                (name, line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]).to_vec())
            })
            .collect();
        let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| &value[..]);
        let body = match (value("content-length"), value("transfer-encoding")) {
            (Some(length), None) => {
                let mut body = vec![0; String::from_utf8_lossy(length).parse().unwrap()];
                socket.read_exact(&mut body).unwrap();
                body
            }
            (None, Some(b"chunked")) => chunked(&mut socket),
            (None, None) => Vec::new(),
            other => panic!("{other:?}"),
        };
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        Received { line, headers, body }
    }
}

fn byte(socket: &mut TcpStream) -> u8 {
    let mut byte = [0];
    socket.read_exact(&mut byte).unwrap();
    byte[0]
}

fn chunked(socket: &mut TcpStream) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(byte(socket));
        }
        let length = usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        socket.read_exact(&mut chunk).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

/// Runs the command that an exchange is exported as, in `sh`, and compares what arrives with what was captured.
fn reproduces(exchange: &Exchange) {
    let (server, base) = Server::start();
    let script = exported(Kind::Curl, &base, std::slice::from_ref(exchange));
    assert!(!script.replace('\n', "").contains(char::is_control), "{script}");
    let receiver = thread::spawn(|| server.receive());
    let mut shell = Command::new("sh")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));

    let received = receiver.join().unwrap();
    let target = match exchange.request.target.first() {
        Some(b'/') => exchange.request.target.to_vec(),
        _ => [b"/", &exchange.request.target[..]].concat(),
    };
    let line = [exchange.method(), b" ", &target, b" HTTP/1.1"].concat();
    assert_eq!(String::from_utf8_lossy(&received.line), String::from_utf8_lossy(&line), "{script}");
    let mut expected: Vec<_> = exchange
        .request
        .headers
        .iter()
        .map(|(name, value)| (String::from_utf8(name.to_vec()).unwrap(), value.to_vec()))
        .collect();
    if exchange.request.body == BodyLength::Unknown {
        expected.push(("transfer-encoding".to_owned(), b"chunked".to_vec()));
    }
    // Among lines of one name the order counts; curl puts `host` first.
    let by_name = |lines: &mut Vec<(String, Vec<u8>)>| lines.sort_by(|left, right| left.0.cmp(&right.0));
    let mut headers = received.headers;
    by_name(&mut expected);
    by_name(&mut headers);
    assert_eq!(headers, expected, "{script}");
    assert!(received.body == exchange.request_body.bytes, "{script}");
}

#[test]
fn curl_sends_the_request_again_byte_for_byte() {
    let host: (&str, &[u8]) = ("host", b"relay.example.com");
    let binary: Vec<u8> = (0..=255).cycle().take(1_000).collect();
    let cases = [
        razorpay(),
        request("GET", b"/callback?razorpay_payment_id=pay_1&a[]=1", &[host], b""),
        request("HEAD", b"", &[host], b""),
        request("HEAD", b"/", &[host, ("content-length", b"0")], b""),
        request("DELETE", b"?x=%2F", &[host, ("accept", b"*/*"), ("user-agent", b"Razorpay-Webhook/v1")], b""),
        request("POST", b"/empty", &[host, ("content-length", b"0")], b""),
        request("POST", b"/no-length", &[host], b""),
        request("PUT", b"/it's/$HOME/`x`", &[host, ("content-length", b"13")], b"@file 'a' $x\n"),
        request("POST", b"/a/../b/%2e%2E/./c#not-a-fragment{1,2}\xff<>", &[host, ("content-length", b"2")], b"{}"),
        request("POST", b"//two", &[host, ("x-many", b"2"), ("x-many", b"1"), ("x-empty", b"")], b"chunked"),
        request(
            "M-SEARCH'",
            b"/",
            &[host, ("x-bytes", b"caf\xe9 100% \\ 'x'"), ("x-tab", b"a\tb"), ("content-length", b"1000")],
            &binary,
        ),
        request("POST", b"/lines", &[host, ("content-length", b"12")], b"a\nb\r\nc\td\x1b[0m"),
        request(
            "POST",
            b"/text",
            &[host, ("content-length", b"20"), ("content-type", b"text/plain")],
            "支付 ₹500 'ok'\n\n".as_bytes(),
        ),
        request("POST", b"/big", &[host, ("content-length", b"3000000")], &"0123456789".repeat(300_000).into_bytes()),
    ];
    for exchange in &cases {
        reproduces(exchange);
    }
}

proptest! {
    // Each case runs curl: a tenth of the usual number.
    #![proptest_config(ProptestConfig::with_cases((ProptestConfig::default().cases / 10).max(1)))]
    #[test]
    fn curl_sends_any_request_again(
        target in "/[!-~]{0,30}",
        value in proptest::collection::vec(prop_oneof![0x20..0x7F_u8, 0x80..=0xFF_u8, Just(b'\t')], 0..40),
        body in prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes), "[ -~\n]{0,40}".prop_map(String::into_bytes)],
    ) {
        let length = body.len().to_string();
        let headers = [("host", &b"h"[..]), ("x-value", value.trim_ascii()), ("content-length", length.as_bytes())];
        reproduces(&request("POST", target.as_bytes(), &headers, &body));
    }
}

#[test]
fn curl_reads_well() {
    assert_eq!(
        exported(Kind::Curl, "http://localhost:3000/hook", &[razorpay()]),
        r#"curl --request POST http://localhost:3000/hook/verification \
  --header 'host: relay.example.com' \
  --header 'content-type: application/json' \
  --header 'content-length: 52' \
  --header 'x-razorpay-signature: 2fe04e22' \
  --header 'x-forwarded-for: 52.66.75.174' \
  --header 'accept:' \
  --header 'user-agent:' \
  --data-raw '{"event":"payment.captured","note":"it'\''s \u20b9500"}'
"#
    );
    let mut cut = request("POST", b"/", &[("host", b"h"), ("content-length", b"9000000")], &[b'x'; 52]);
    cut.request_body.length = 9_000_000;
    let script = exported(Kind::Curl, "http://localhost:3000", &[cut, razorpay()]);
    assert!(script.starts_with("# only the first 52 of the body's 9000000 bytes were captured\ncurl"), "{script}");
    assert_eq!(script.matches("content-length").count(), 1);
    assert_eq!(script.matches("\n\ncurl ").count(), 1);
}

#[test]
fn a_raw_request_has_a_length_and_a_body_is_itself() {
    let raw = exported(Kind::Http, "", &[request("POST", b"?a", &[("host", b"h")], b"{}")]);
    assert_eq!(raw, "POST /?a HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}");
    let raw = exported(Kind::Http, "", &[razorpay()]);
    assert_eq!(raw.matches("content-length").count(), 1);
    let mut out = Vec::new();
    export(Kind::Body, "", &[request("POST", b"/", &[], b"\x00\xff"), razorpay()], &mut out).unwrap();
    assert!(out.starts_with(b"\x00\xff\n{\"event"));
}

#[test]
fn a_fixture_is_read_back() {
    let odd = request("PATCH", b"/a?\xff", &[("x", b"caf\xe9"), ("x", b""), ("content-length", b"3")], b"\x00\xfe\n");
    let one = exported(Kind::Fixture, "", std::slice::from_ref(&odd));
    assert!(one.starts_with("{\n  \"method\": \"PATCH\",\n  \"target\": {\"base64\":\"L2E//w==\"},"), "{one}");
    let many = exported(Kind::Fixture, "", &[odd.clone(), razorpay(), odd.clone()]);
    for (file, count) in [(one, 1), (many, 3), (exported(Kind::Fixture, "", &[]), 0)] {
        let fixtures = Fixture::read(file.as_bytes()).unwrap();
        assert_eq!(fixtures.len(), count, "{file}");
        for (index, fixture) in fixtures.iter().enumerate() {
            let original = if index == 1 { razorpay() } else { odd.clone() };
            assert_eq!(fixture.head.method, original.request.method);
            assert_eq!(fixture.head.target, original.request.target);
            assert_eq!(fixture.head.headers, original.request.headers);
            assert_eq!(fixture.body, original.request_body.bytes);
            assert_eq!(fixture.head.body, original.request.body);
        }
    }
}

#[test]
fn a_fixture_made_by_hand_is_checked() {
    let read = |text: &str| Fixture::read(text.as_bytes());
    let fixture =
        read(r#"{"method":"POST","target":"/x","headers":[["Content-Length","999"],["X-A","1"]],"body":"four"}"#);
    let fixture = &fixture.unwrap()[0];
    assert_eq!(fixture.head.headers.value("content-length"), Some(&b"4"[..]));
    assert_eq!(fixture.head.headers.value("x-a"), Some(&b"1"[..]));
    assert_eq!(read(r#"{"method":"GET","target":""}"#).unwrap()[0].head.body, BodyLength::Empty);

    for (text, message) in [
        ("", "not a fixture: EOF"),
        (r#"{"method":"GET","target":"/","boddy":""}"#, "unknown field `boddy`"),
        (r#"{"method":"GET","target":"/","body":7}"#, "expected a string, or an object with `base64`"),
        (r#"{"method":"GET","target":"/","body":{"base64":"*"}}"#, "base64"),
        (r#"{"method":"GE T","target":"/"}"#, "fixture 1 is no request: method is not a token"),
        (r#"[{"method":"GET","target":"/"},{"method":"GET","target":"http://x/"}]"#, "fixture 2 is no request: target"),
        (r#"{"method":"GET","target":"/","headers":[["a","b\r\nc: d"]]}"#, "fixture 1 is no request: header value"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let mut cut = razorpay();
    cut.request_body.length = 9_000_000;
    let file = exported(Kind::Fixture, "", &[cut]);
    assert!(matches!(read(&file), Err(FixtureError::Truncated { number: 1 })));
}

proptest! {
    #[test]
    fn any_fixture_is_read_back(
        target in "[/?][!-~]{0,20}",
        value in proptest::collection::vec(prop_oneof![0x20..0x7F_u8, 0x80..=0xFF_u8], 0..20),
        body: Vec<u8>,
    ) {
        let original = request("POST", target.as_bytes(), &[("x-value", &value)], &body);
        let file = exported(Kind::Fixture, "", std::slice::from_ref(&original));
        prop_assert!(!file.replace('\n', "").contains(char::is_control));
        let fixture = Fixture::read(file.as_bytes()).unwrap().remove(0);
        prop_assert_eq!(&fixture.body, &original.request_body.bytes);
        prop_assert_eq!(&fixture.head.headers, &original.request.headers);
        prop_assert_eq!(&fixture.head.target, &original.request.target);
    }
}

#[test]
fn har_has_what_the_format_asks_for() {
    let mut binary = request("POST", b"/x?a=b+c&d#%zz\xff", &[("content-type", b"image/png")], b"\x89PNG\xff");
    binary.forwarded = Some(Duration::from_micros(400));
    let mut none = fixture::refused();
    none.response = None;
    let har: Value =
        serde_json::from_str(&exported(Kind::Har, "https://h.test/hook", &[binary, none, razorpay()])).unwrap();
    let log = &har["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&json!("1.2"), &json!("hookwire")));
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3);

    let first = &entries[0];
    assert_eq!(first["startedDateTime"], "2026-07-14T02:14:07.250Z");
    assert_eq!(first["request"]["url"], "https://h.test/hook/x?a=b+c&d%23%25zz%FF");
    assert_eq!(first["request"]["queryString"][0], json!({"name": "a", "value": "b c"}));
    assert_eq!(
        first["request"]["postData"],
        json!({"mimeType": "image/png", "text": "iVBOR/8=", "_encoding": "base64"})
    );
    assert_eq!(first["response"]["content"], json!({"size": 2, "mimeType": "", "text": "{}"}));
    assert_eq!(first["timings"], json!({"send": 0.4, "wait": 10.6, "receive": 1.34}));
    for entry in entries {
        let timings: f64 = entry["timings"].as_object().unwrap().values().map(|value| value.as_f64().unwrap()).sum();
        assert!((timings - entry["time"].as_f64().unwrap()).abs() < 1e-9);
        for (object, fields) in [
            (entry, &["startedDateTime", "time", "request", "response", "cache", "timings"][..]),
            (
                &entry["request"],
                &["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"],
            ),
            (
                &entry["response"],
                &[
                    "status",
                    "statusText",
                    "httpVersion",
                    "cookies",
                    "headers",
                    "content",
                    "redirectURL",
                    "headersSize",
                    "bodySize",
                ],
            ),
        ] {
            for field in fields {
                assert!(object.get(field).is_some(), "{field}");
            }
        }
    }
    assert_eq!((&entries[1]["response"]["status"], &entries[1]["_error"]), (&json!(0), &json!("app-refused")));
    assert_eq!(entries[2]["response"]["statusText"], "OK");
    let empty: Value = serde_json::from_str(&exported(Kind::Har, "", &[])).unwrap();
    assert_eq!(empty["log"]["entries"], json!([]));
}

#[test]
fn json_is_one_object_or_an_array_and_safe_to_print() {
    let mut replay = request("POST", b"/\xe2\x80\xae", &[("x", b"\x9b")], b"\xff\x1b");
    replay.origin = Origin::Replay { of: fixture::exchange().id };
    let text = exported(Kind::Json, "", std::slice::from_ref(&replay));
    assert!(text.ends_with('\n') && !text.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{text}");
    let object: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["request"]["target"], "/\u{202e}");
    assert_eq!(object["request"]["body"], json!({"length": 2, "base64": "/xs=", "truncated": false}));
    assert_eq!(object["response"]["body"]["text"], "{}");
    assert_eq!(object["replay_of"], fixture::exchange().id.hyphenated().to_string());
    assert_eq!(object["verdict"]["status"], "valid");

    let many: Value =
        serde_json::from_str(&exported(Kind::Json, "", &[replay.clone(), replay.clone(), replay])).unwrap();
    assert_eq!(many.as_array().unwrap().len(), 3);
    assert_eq!(exported(Kind::Json, "", &[]), "[]\n");
}

#[test]
fn an_export_that_is_stopped_holds_no_more_than_one() {
    let mut export = Export::start(Kind::Har, "http://h", Vec::new()).unwrap();
    export.write(&razorpay()).unwrap();
    let har: Value = serde_json::from_slice(&export.finish().unwrap()).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 1);
}
