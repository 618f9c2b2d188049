//! `docs/protocol.md` is normative: every example and table in it holds for the code.
#![expect(clippy::unwrap_used, reason = "where a test says what can't fail")]

use std::{
    collections::BTreeSet,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use hookwire_protocol::{
    code::Code,
    frame::{Frame, Goaway, Scope},
    head::{BodyLength, Headers, HttpVersion, RequestHead, ResponseHead},
    hello::{Backlog, DELIVERY, FINISHED, Hello, Refusal, Reply, Welcome},
    limits,
    session::{Chunk, Session, Side},
};
use serde::{Serialize, de::DeserializeOwned};

const DOCUMENT: &str = include_str!("../../docs/protocol.md");

/// The fenced blocks: their language, name and text.
fn blocks() -> Vec<(&'static str, &'static str, String)> {
    let mut blocks = Vec::new();
    let mut lines = DOCUMENT.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let (language, name) = info.split_once(' ').unwrap_or((info, ""));
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language, name, text.join("\n")));
        }
    }
    blocks
}

fn block(language: &str, name: &str) -> String {
    let found = blocks().into_iter().find(|block| (block.0, block.1) == (language, name));
    found.unwrap_or_else(|| panic!("no block `{language} {name}`")).2
}

/// The bytes of a `hex` block. `#` begins a comment.
fn hex(name: &str) -> Bytes {
    let text = block("hex", name);
    let digits: String = text.lines().filter_map(|line| line.split('#').next()).collect();
    let digits: Vec<_> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    pairs.collect()
}

/// The rows of the table below this heading whose first column has this title, without the title rows.
fn table(heading: &str, first: &str) -> Vec<Vec<&'static str>> {
    let section = DOCUMENT.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`")).1;
    let rows = section.lines().skip_while(|line| !line.starts_with(&format!("| {first} |")));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// `8192` as `8,192`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn frames(mut message: Bytes) -> Vec<Frame> {
    std::iter::from_fn(|| Frame::take(&mut message).unwrap()).collect()
}

fn encoded(frame: &Frame) -> BytesMut {
    let mut out = BytesMut::new();
    frame.encode(&mut out);
    out
}

#[test]
fn every_example_is_checked_here() {
    let named: BTreeSet<_> = blocks().into_iter().map(|(language, name, _)| format!("{language} {name}")).collect();
    let checked = [
        "hex answer",
        "hex frames",
        "hex refused",
        "hex request",
        "http connect",
        "json error",
        "json hello",
        "json notice",
        "json refusal",
        "json welcome",
        "text ",
    ];
    assert_eq!(named, checked.map(String::from).into());
}

#[test]
fn hex_examples_read_and_write_back() {
    for (language, name, _) in blocks() {
        if language == "hex" {
            let message = hex(name);
            let written: Vec<u8> = frames(message.clone()).iter().flat_map(encoded).collect();
            assert_eq!(written, message, "{name}");
        }
    }
    let expected = [
        Frame::Ping(1),
        Frame::Pong(1),
        Frame::Window(0, 4 << 20),
        Frame::Window(7, 256 << 10),
        Frame::Reset(7, Scope::Stop, Code::SenderGone),
        Frame::Goaway(Goaway::Stopping),
        Frame::Answered(7, 202),
    ];
    assert_eq!(frames(hex("frames")), expected);
    assert_eq!(frames(hex("refused")), [Frame::Reset(1, Scope::Both, Code::AppRefused)]);
}

#[test]
fn json_examples_read_and_write_back() {
    fn check<T: Serialize + DeserializeOwned>(name: &str) -> T {
        let text = block("json", name);
        let value: T = serde_json::from_str(&text).unwrap();
        let (written, read) =
            (serde_json::to_value(&value).unwrap(), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        assert_eq!(written, read, "{name}");
        value
    }
    let hello: Hello = check("hello");
    assert_eq!(hello.agree(), Ok(limits::VERSION));
    let welcome: Welcome = check("welcome");
    assert_eq!((welcome.version, welcome.endpoint), (limits::VERSION, hello.endpoint.clone()));
    assert_eq!((&hello.features, &welcome.features), (&vec![DELIVERY.into()], &vec![DELIVERY.into()]));
    let (wishes, agreed) = (hello.wishes.unwrap(), welcome.agreed.unwrap());
    assert_eq!((wishes.answer, wishes.when_away), (Some(agreed.answer), Some(agreed.when_away)));
    let _: Backlog = check("notice");
    assert!(DOCUMENT.contains(&format!("the last {FINISHED} at most")));
    let refusal: Refusal = check("refusal");
    assert_eq!(Hello { versions: vec![2], ..hello }.agree(), Err(refusal));

    let error: serde_json::Value = serde_json::from_str(&block("json", "error")).unwrap();
    let ours: serde_json::Value = serde_json::from_str(&Code::AppRefused.json()).unwrap();
    assert_eq!(error, ours);
}

#[test]
fn the_handshake_names_the_path_and_the_subprotocol() {
    let request = block("http", "connect");
    assert!(request.starts_with(&format!("GET {} HTTP/1.1\n", limits::CONNECT_PATH)));
    assert!(request.contains(&format!("\nSec-WebSocket-Protocol: {}\n", limits::SUBPROTOCOL)));
    assert_eq!(limits::SUBPROTOCOL, format!("hookwire.v{}", limits::VERSION));
    assert!(DOCUMENT.starts_with(&format!("# The hookwire protocol, version {}\n", limits::VERSION)));
    for row in table("## Opening a session", "answer") {
        if let [status, code, _] = row[..]
            && !code.is_empty()
        {
            let code = Code::from_name(code.trim_matches('`')).unwrap();
            assert_eq!(status, code.status().to_string());
        }
    }
}

/// The sessions themselves make and take the example, byte for byte.
#[test]
fn the_exchange_happens_as_written() {
    let now = Instant::now();
    let mut context = Context::from_waker(Waker::noop());
    let (mut relay, mut client) = (Session::new(Side::Relay, now), Session::new(Side::Client, now));
    let line = |lines: &[(&str, &str)]| lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request = RequestHead {
        id: *b"\x01\x99\xc0\xde\xc0\xde\x70\0\x80\0\0\0\0\0\0\x2a",
        received_at: 1_760_000_000_000_000,
        version: HttpVersion::Http11,
        body: BodyLength::Sized(28),
        method: Bytes::from_static(b"POST"),
        target: Bytes::from_static(b"/verification?x=1"),
        headers: line(&[("host", "relay.example.com"), ("content-type", "application/json"), ("content-length", "28")]),
    };
    let answer = ResponseHead {
        status: 200,
        version: HttpVersion::Http11,
        error: None,
        body: BodyLength::Unknown,
        reason: None,
        headers: line(&[("content-type", "text/plain")]),
    };
    let trailers: Headers = line(&[("x-sum", "2")]);

    let id = relay.open(&request).unwrap();
    let mut body = Bytes::from_static(br#"{"event":"payment.captured"}"#);
    assert!(relay.poll_send(id, &mut context, &mut body).is_ready());
    relay.send_end(id, &Headers::default());
    assert_eq!(relay.poll_transmit(&mut context), Poll::Ready(hex("request")));

    client.handle_message(hex("request"), now).unwrap();
    assert_eq!(client.poll_accept(&mut context), Poll::Ready(Some((id, request))));
    client.respond(id, &answer).unwrap();
    assert!(client.poll_send(id, &mut context, &mut Bytes::from_static(b"ok")).is_ready());
    client.send_end(id, &trailers);
    assert_eq!(client.poll_transmit(&mut context), Poll::Ready(hex("answer")));

    relay.handle_message(hex("answer"), now).unwrap();
    assert_eq!(relay.poll_response(id, &mut context), Poll::Ready(Ok(answer)));
    let body = Chunk::Data(Bytes::from_static(b"ok"));
    assert_eq!(relay.poll_receive(id, &mut context), Poll::Ready(Some(Ok(body))));
    assert_eq!(relay.poll_receive(id, &mut context), Poll::Ready(Some(Ok(Chunk::Trailers(trailers)))));
    assert_eq!(relay.poll_receive(id, &mut context), Poll::Ready(None));
}

#[test]
fn the_table_of_kinds_holds() {
    let frames = [
        ("hello", Frame::Hello(Bytes::new())),
        ("welcome", Frame::Welcome(Bytes::new())),
        ("refusal", Frame::Refusal(Bytes::new())),
        ("head", Frame::Head(1, Bytes::new())),
        ("data", Frame::Data(1, Bytes::new())),
        ("end", Frame::End(1, Bytes::new())),
        ("reset", Frame::Reset(1, Scope::Stop, Code::Internal)),
        ("window", Frame::Window(1, 1)),
        ("ping", Frame::Ping(1)),
        ("pong", Frame::Pong(1)),
        ("goaway", Frame::Goaway(Goaway::Other)),
        ("answered", Frame::Answered(1, 202)),
        ("notice", Frame::Notice(Bytes::new())),
    ];
    let rows = table("### Kinds", "kind");
    assert_eq!(rows.len(), frames.len());
    for (row, (name, frame)) in rows.iter().zip(frames) {
        assert_eq!(row[..2], [encoded(&frame)[0].to_string(), name.to_owned()]);
    }
}

#[test]
fn the_tables_of_scopes_and_reasons_hold() {
    /// The last byte but `behind` of a frame, as the table has it.
    fn tag(frame: &Frame, behind: usize) -> String {
        let bytes = encoded(frame);
        bytes[bytes.len() - 1 - behind].to_string()
    }
    let scopes = [("stop", Scope::Stop), ("abort", Scope::Abort), ("both", Scope::Both)];
    let rows = table("### Resets", "scope");
    assert_eq!(rows.len(), scopes.len());
    for (row, (name, scope)) in rows.iter().zip(scopes) {
        assert_eq!(row[..2], [tag(&Frame::Reset(1, scope, Code::Internal), 1), name.to_owned()]);
    }
    let reasons = [
        ("other", Goaway::Other),
        ("stopping", Goaway::Stopping),
        ("replaced", Goaway::Replaced),
        ("revoked", Goaway::Revoked),
        ("protocol", Goaway::Protocol),
    ];
    let rows = table("## A session's life", "reason");
    assert_eq!(rows.len(), reasons.len());
    for (row, (name, reason)) in rows.iter().zip(reasons) {
        assert_eq!(row[..2], [tag(&Frame::Goaway(reason), 0), name.to_owned()]);
    }
}

#[test]
fn the_table_of_refusals_holds() {
    let codes =
        [Refusal::VERSION, Refusal::ENDPOINT_TAKEN, Refusal::ENDPOINT_NAME, Refusal::STOPPING, Refusal::UNAVAILABLE];
    let rows = table("### Hello, welcome, refusal", "code");
    assert_eq!(rows.iter().map(|row| row[0].trim_matches('`')).collect::<Vec<_>>(), codes);
}

#[test]
fn the_table_of_codes_holds() {
    let rows = table("### Codes", "number");
    assert_eq!(rows.len(), Code::ALL.len());
    for (row, code) in rows.iter().zip(Code::ALL) {
        let expected =
            [code.wire().to_string(), format!("`{code}`"), code.status().to_string(), code.fault().as_str().to_owned()];
        assert_eq!(row[..], expected);
        assert_eq!(code.retry_after(), (code.status() == 503).then_some(5));
    }
    assert!(DOCUMENT.contains("Codes with status 503 come with `retry-after: 5`."));
}

#[test]
fn the_table_of_limits_holds() {
    let bytes = |number: usize| format!("{} bytes", grouped(number));
    let seconds = |time: Duration| format!("{} s", time.as_secs());
    let limits = [
        ("FRAME_HEADER", bytes(limits::FRAME_HEADER)),
        ("FRAME_PAYLOAD", bytes(limits::FRAME_PAYLOAD)),
        ("MESSAGE_FULL", bytes(limits::MESSAGE_FULL)),
        ("MESSAGE", bytes(limits::MESSAGE)),
        ("SEND_BUFFER", bytes(limits::SEND_BUFFER)),
        ("HEAD_BUFFER", bytes(limits::HEAD_BUFFER)),
        ("STREAM_WINDOW", bytes(limits::STREAM_WINDOW as usize)),
        ("SESSION_WINDOW", bytes(limits::SESSION_WINDOW as usize)),
        ("STREAMS", grouped(limits::STREAMS)),
        ("PING_AFTER", seconds(limits::PING_AFTER)),
        ("DEAD_AFTER", seconds(limits::DEAD_AFTER)),
        ("PROBE", seconds(limits::PROBE)),
    ];
    let rows = table("## Limits", "name");
    assert_eq!(rows.len(), limits.len());
    for (row, (name, value)) in rows.iter().zip(&limits) {
        assert_eq!(row[..2], [format!("`{name}`"), value.clone()]);
    }
    // Where the prose says them again.
    let windows = format!("a window of {}, and", bytes(limits::STREAM_WINDOW as usize));
    assert!(DOCUMENT.contains(&windows), "{windows}");
    assert!(DOCUMENT.contains(&format!("At most {} are open at a time", grouped(limits::STREAMS))));
}

#[test]
fn links_lead_to_headings() {
    let slug = |heading: &str| {
        let kept = heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-')
            .collect::<String>();
        kept.replace(' ', "-")
    };
    let headings: BTreeSet<_> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with("##"))
        .map(|line| slug(line.trim_start_matches('#').trim()))
        .collect();
    for link in DOCUMENT.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(headings.contains(link), "{link}: {headings:?}");
    }
}

/// The replies of the document are those that a message carries.
#[test]
fn a_refusal_travels_as_one_frame() {
    let refusal: Refusal = serde_json::from_str(&block("json", "refusal")).unwrap();
    let message = Reply::Refusal(refusal.clone()).message().unwrap();
    assert_eq!(frames(message.clone()).len(), 1);
    assert_eq!(Reply::parse(message).unwrap(), Reply::Refusal(refusal));
}
