//! What the app sees is what was sent, byte for byte, and what it answers is what arrives.

use crate::harness::{Head, Listener, RawApp, Relay, Wire};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn ok_app() -> RawApp {
    RawApp::answering(|_| OK.to_vec())
}

/// Sends a request with these header lines to `/shop` and gives the answer.
fn exchange(wire: &mut Wire, request_line: &[u8], headers: &[u8]) -> (Head, Vec<u8>) {
    let host = b"\r\nhost: relay.example\r\n";
    wire.send([request_line, host, headers, b"\r\n"].concat());
    wire.answer()
}

#[test]
fn odd_targets_reach_the_app_untouched() {
    let targets: [&[u8]; 20] = [
        b"//a",
        b"/a//b/../c/./d",
        b"/%2F%2e%2E/%00%zz",
        b"/<script>",
        b"/`id`",
        b"/a#b?c#d",
        b"/\xff\xfe/\x80",
        b"/?x=\xff&y=<>#`",
        b"/a?b?c=?",
        b"/;p=1;q=2",
        b"/|{}^\"\\",
        "/é/支付".as_bytes(),
        b"/*",
        b"/a%20b+c",
        b"/?",
        b"/a?",
        b"/@user:pass",
        b"/http://other.example/x",
        b"/shop/shop",
        b"/a=b&c=d,e!$'()~",
    ];
    let (relay, app) = (Relay::open(), ok_app());
    let _listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    for target in targets {
        let (head, _) = exchange(&mut wire, &[b"GET /shop", target, b" HTTP/1.1"].concat(), b"");
        assert_eq!(head.status(), 200, "{}", target.escape_ascii());
        let seen = app.requests.all().pop().unwrap();
        assert_eq!(seen.target().escape_ascii().to_string(), target.escape_ascii().to_string());
    }
    assert_eq!(app.requests.len(), targets.len());
}

#[test]
fn an_endpoint_without_a_path_is_the_apps_root() {
    let (relay, app) = (Relay::open(), ok_app());
    let _listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    for (sent, seen) in [("/shop", "/"), ("/shop/", "/"), ("/shop?a=1", "/?a=1")] {
        let (head, _) = exchange(&mut wire, format!("GET {sent} HTTP/1.1").as_bytes(), b"");
        assert_eq!(head.status(), 200, "{sent}");
        assert_eq!(app.requests.all().pop().unwrap().target(), seen.as_bytes());
    }
}

#[test]
fn any_method_reaches_the_app() {
    let (relay, app) = (Relay::open(), ok_app());
    let _listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "X-Custom!", "get"] {
        let (head, body) =
            exchange(&mut wire, format!("{method} /shop/m HTTP/1.1").as_bytes(), b"content-length: 0\r\n");
        assert_eq!((head.status(), body.as_slice()), (200, b"ok".as_slice()), "{method}");
        let line = app.requests.all().pop().unwrap().head.line;
        assert_eq!(String::from_utf8(line).unwrap(), format!("{method} /m HTTP/1.1"));
    }
}

#[test]
fn request_headers_arrive_as_sent() {
    let (relay, app) = (Relay::open(), ok_app());
    let _listener = Listener::start(&relay, &app);
    let headers = b"x-a: 1\r\nX-Other: o\r\nx-a: 2\r\nX-A:3\r\nx-bytes: \xff\xfe caf\xe9 \x80\r\nx-empty:\r\n\
        cookie: a=1\r\ncookie: b=2\r\nuser-agent: Razorpay-Webhook/v1\r\naccept-encoding: gzip\r\n\
        connection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: 5\r\nproxy-connection: x\r\n";
    exchange(&mut relay.connect(), b"GET /shop/h HTTP/1.1", headers);

    let head = app.request("/h").head;
    assert_eq!(head.values("x-a"), [b"1", b"2", b"3"]);
    assert_eq!(head.values("x-bytes"), [b"\xff\xfe caf\xe9 \x80"]);
    assert_eq!(head.values("x-empty"), [b""]);
    assert_eq!(head.values("cookie"), [b"a=1", b"b=2"]);
    assert_eq!(head.values("user-agent"), [b"Razorpay-Webhook/v1"]);
    assert_eq!(head.values("accept-encoding"), [b"gzip"]);
    assert_eq!(head.values("host"), [b"relay.example"]);
    assert_eq!(head.values("x-forwarded-for"), [b"127.0.0.1"]);
    assert_eq!(head.values("x-forwarded-proto"), [b"http"]);
    assert_eq!(head.values("x-forwarded-host"), [b"relay.example"]);
    for gone in ["x-hop", "keep-alive", "proxy-connection"] {
        assert!(head.values(gone).is_empty(), "{gone} is for one hop only");
    }
    let sent = ["x-a", "x-other", "x-bytes", "x-empty", "cookie", "user-agent", "accept-encoding", "host"];
    for (name, _) in &head.headers {
        let name = String::from_utf8_lossy(name).to_lowercase();
        let ours = name.starts_with("x-forwarded-") || name == "connection";
        assert!(ours || sent.contains(&name.as_str()), "{name} was never sent");
    }
}

#[test]
fn answer_headers_arrive_as_sent() {
    let (relay, app) = (
        Relay::open(),
        RawApp::answering(|_| {
            b"HTTP/1.1 299 Very Fine\r\nset-cookie: a=1\r\nx-bytes: \xff caf\xe9\r\nSet-Cookie: b=2\r\nserver: shop/1\r\n\
            date: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-encoding: gzip\r\nhookwire-error: forged\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x00"
                .to_vec()
        }),
    );
    let _listener = Listener::start(&relay, &app);
    let (head, body) = exchange(&mut relay.connect(), b"GET /shop/h HTTP/1.1", b"");
    assert_eq!(head.status(), 299);
    assert_eq!(head.values("set-cookie"), [b"a=1", b"b=2"]);
    assert_eq!(head.values("x-bytes"), [b"\xff caf\xe9"]);
    assert_eq!(head.values("server"), [b"shop/1"]);
    assert_eq!(head.values("date"), [b"Thu, 01 Jan 1970 00:00:00 GMT"]);
    assert_eq!(head.values("content-encoding"), [b"gzip"]);
    assert_eq!(head.values("hookwire-error"), [b""; 0], "only hookwire says what hookwire did");
    assert_eq!(body, b"\x1f\x8b\x00");
}

#[test]
fn answers_without_a_body_stay_without_one() {
    let (relay, app) = (
        Relay::open(),
        RawApp::answering(|request| match request.target() {
            b"/204" => b"HTTP/1.1 204 No Content\r\nx-n: 1\r\n\r\n".to_vec(),
            b"/304" => b"HTTP/1.1 304 Not Modified\r\netag: \"e\"\r\n\r\n".to_vec(),
            b"/head" => b"HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\n".to_vec(),
            _ => OK.to_vec(),
        }),
    );
    let _listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    // One connection for all: a byte too many or too few would show in the next answer.
    let (head, _) = exchange(&mut wire, b"GET /shop/204 HTTP/1.1", b"");
    assert_eq!((head.status(), head.value("x-n").as_deref()), (204, Some("1")));
    let (head, _) = exchange(&mut wire, b"GET /shop/304 HTTP/1.1", b"if-none-match: \"e\"\r\n");
    assert_eq!((head.status(), head.value("etag").as_deref()), (304, Some("\"e\"")));
    wire.send("HEAD /shop/head HTTP/1.1\r\nhost: h\r\n\r\n");
    let head = wire.head().unwrap().unwrap();
    assert_eq!((head.status(), head.value("content-length").as_deref()), (200, Some("12345")));
    let (head, body) = exchange(&mut wire, b"GET /shop/end HTTP/1.1", b"");
    assert_eq!((head.status(), body.as_slice()), (200, b"ok".as_slice()));
}

#[test]
fn trailers_pass_both_ways() {
    let (relay, app) = (
        Relay::open(),
        RawApp::answering(|_| {
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-check\r\n\r\n2\r\nok\r\n0\r\nx-check: right\r\n\r\n"
                .to_vec()
        }),
    );
    let _listener = Listener::start(&relay, &app);
    let mut wire = relay.connect();
    wire.send(
        "POST /shop/t HTTP/1.1\r\nhost: h\r\nte: trailers\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
        3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: five\r\n\r\n",
    );
    let head = wire.head().unwrap().unwrap();
    let mut body = wire.answer_body(&head);
    assert_eq!(body.all().unwrap(), b"ok");
    assert_eq!(body.trailers, [(b"x-check".to_vec(), b"right".to_vec())]);

    let request = app.request("/t");
    assert_eq!(request.body, b"abcde");
    assert_eq!(request.trailers, [(b"x-sum".to_vec(), b"five".to_vec())]);
}
