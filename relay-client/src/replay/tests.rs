//! Replays to an app that is a raw socket: what it reads is compared byte for byte.

use std::sync::mpsc;

use hookwire_capture::{AnsweredBy, CapturedBody, Update};
use hookwire_protocol::{code::Code, head::HttpVersion};
use hookwire_signatures::{Event, Provider, Secret, Secrets, Status};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::HostHeader;

/// The vector of razorpay-node's own tests.
const BODY: &[u8] = br#"{"a":1,"b":2,"c":{"d":3}}"#;
const SIGNATURE: &[u8] = b"2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc";

struct Told(mpsc::SyncSender<Update>);

impl Watcher for Told {
    fn update(&mut self, update: Update) -> io::Result<()> {
        self.0.send(update).map_err(io::Error::other)
    }

    fn rest(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn replayer(target: &str) -> (Replayer, mpsc::Receiver<Update>) {
    let mut secrets = Secrets::default();
    secrets.add(Provider::Razorpay, Secret::new("env:OTHER", "another one"));
    secrets.add(Provider::Razorpay, Secret::new("env:RAZORPAY", "123456"));
    let app = App {
        target: target.parse().unwrap(),
        routes: Vec::new(),
        host_header: HostHeader::Keep,
        secrets: secrets.into(),
        insecure: false,
        ca: None,
        timeout: Duration::from_secs(30),
        max_capture_body: 1024,
    };
    let (tell, told) = mpsc::sync_channel(8);
    (Replayer::new(app, Told(tell)).unwrap(), told)
}

fn verdict(status: Status) -> Verdict {
    Verdict {
        status,
        scheme: Some("razorpay.webhook"),
        secret: Some("env:RAZORPAY".into()),
        cause: None,
        age_seconds: None,
        tolerance_seconds: None,
    }
}

/// A webhook as a store has it.
fn stored() -> Exchange {
    let lines: [(&[u8], &[u8]); 6] = [
        (b"host", b"relay.test"),
        (b"x-razorpay-signature", SIGNATURE),
        (b"x-twice", b"1"),
        (b"x-twice", b"\xff"),
        (b"content-length", b"25"),
        (b"hookwire-replay", b"of something else"),
    ];
    Exchange {
        id: Uuid::from_u128(7),
        origin: Origin::Live,
        endpoint: "shop".into(),
        received_at: SystemTime::UNIX_EPOCH,
        request: RequestHead {
            id: [7; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: BodyLength::Sized(BODY.len() as u64),
            method: Bytes::from_static(b"POST"),
            target: Bytes::from_static(b"/hook?x=<1>"),
            headers: lines.into_iter().collect(),
        },
        request_body: CapturedBody { bytes: Bytes::from_static(BODY), length: BODY.len() as u64, sha256: None },
        response: None,
        response_body: CapturedBody::default(),
        answered_by: AnsweredBy::Client,
        error: Some(Code::AppRefused),
        late: false,
        forwarded: None,
        first_byte: None,
        duration: Duration::ZERO,
        verdict: verdict(Status::Valid),
        evidence: None,
        event: Event::default(),
    }
}

/// Sends what is stored, edited, to an app that answers so; returns what the app read, up to `end`, and the exchange.
async fn sent(edit: Edit, resign: bool, answer: &[u8], end: &str) -> (String, Arc<Exchange>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (replayer, told) = replayer(&listener.local_addr().unwrap().to_string());
    let app = async {
        let mut socket: TcpStream = listener.accept().await.unwrap().0;
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            assert!(socket.read_buf(&mut read).await.unwrap() > 0, "{}", read.escape_ascii());
        }
        socket.write_all(answer).await.unwrap();
        drop(socket);
        read.escape_ascii().to_string().replace("\\r\\n", "\n").replace("\\\"", "\"")
    };
    let replay = Replay::edited(&stored(), edit).unwrap();
    let replay = if resign { replayer.resign(replay).unwrap() } else { replay };
    let never = CancellationToken::new();
    let (exchange, read) = tokio::join!(replayer.replay(replay, &never), app);
    let exchange = exchange.unwrap();
    let Ok(Update::Exchange(seen)) = told.recv() else { panic!("the watcher was not told") };
    assert!(Arc::ptr_eq(&seen, &exchange));
    replayer.close().await.unwrap();
    (read, exchange)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_replay_is_the_request_byte_for_byte_and_says_what_it_repeats() {
    let (read, exchange) = sent(Edit::default(), false, OK, "}}").await;
    assert_eq!(
        read,
        "POST /hook?x=<1> HTTP/1.1\nhost: relay.test\nx-razorpay-signature: \
         2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc\nx-twice: 1\nx-twice: \\xff\ncontent-length: 25\n\
         hookwire-replay: 00000000-0000-0000-0000-000000000007\n\n{\"a\":1,\"b\":2,\"c\":{\"d\":3}}"
    );
    assert_eq!((exchange.origin, exchange.status()), (Origin::Replay { of: Uuid::from_u128(7) }, 200));
    assert_eq!((exchange.answered_by, exchange.error), (AnsweredBy::App, None));
    assert_eq!((exchange.response_body.bytes.as_ref(), exchange.endpoint.as_ref()), (&b"ok"[..], "shop"));
    assert_eq!((exchange.verdict.status, exchange.verdict.secret.as_deref()), (Status::Valid, Some("env:RAZORPAY")));
    assert_eq!(exchange.request_body.bytes, BODY);
    assert!(exchange.request.headers.value("hookwire-replay").is_none());
    assert!(exchange.forwarded <= exchange.first_byte && exchange.forwarded.is_some());
    assert_ne!(exchange.id, Uuid::from_u128(7));
    // What is stored of it can be sent again.
    assert!(Replay::of(&exchange).is_ok());
}

#[tokio::test]
async fn an_edited_replay_is_judged_anew_and_can_be_signed_again() {
    let edit = || Edit {
        method: Some("PUT".into()),
        target: Some("/other".into()),
        set_headers: vec![("X-Twice".into(), "3".into()), ("Transfer-Encoding".into(), "chunked".into())],
        body: Some("{}".into()),
        ..Edit::default()
    };
    let (read, exchange) = sent(edit(), false, OK, "{}").await;
    assert!(read.starts_with("PUT /other HTTP/1.1\nhost: relay.test\n"), "{read}");
    assert!(read.contains("\nx-twice: 3\ncontent-length: 2\n") && !read.contains("transfer-encoding"), "{read}");
    assert_eq!(exchange.verdict.status, Status::Invalid);

    let (read, exchange) = sent(edit(), true, OK, "{}").await;
    assert_eq!((exchange.verdict.status, exchange.verdict.secret.as_deref()), (Status::Valid, Some("env:RAZORPAY")));
    assert_eq!(read.matches("x-razorpay-signature").count(), 1, "{read}");
}

#[tokio::test]
async fn what_is_no_request_is_not_sent() {
    let edited = |edit: Edit| Replay::edited(&stored(), edit).unwrap_err().to_string();
    assert!(edited(Edit { method: Some("P OST".into()), ..Edit::default() }).contains("method is not a token"));
    assert!(edited(Edit { target: Some("hook".into()), ..Edit::default() }).contains("target"));
    assert!(edited(Edit { target: Some("/a b".into()), ..Edit::default() }).contains("target"));
    let header = |name: &'static str, value: &'static str| Edit {
        set_headers: vec![(name.into(), value.into())],
        ..Edit::default()
    };
    assert!(edited(header("a b", "1")).contains("header name"));
    assert!(edited(header("a", "1\r\nb: 2")).contains("header value"));
    assert!(edited(Edit { target: Some(vec![b'/'; 70_000].into()), ..Edit::default() }).contains("64 KiB"));
}

#[tokio::test]
async fn a_body_that_is_not_all_there_is_not_sent_but_can_be_replaced() {
    let mut cut = stored();
    cut.request_body.length += 1;
    assert!(matches!(Replay::of(&cut), Err(ReplayError::NotKept { kept: 25, length: 26 })));
    let mut broken = stored();
    broken.request.body = BodyLength::Sized(100);
    assert!(matches!(Replay::of(&broken), Err(ReplayError::NotWhole)));
    assert!(Replay::edited(&cut, Edit { body: Some("{}".into()), ..Edit::default() }).is_ok());
}

#[tokio::test]
async fn a_body_of_unknown_length_stays_one() {
    let mut chunked = stored();
    chunked.request.body = BodyLength::Unknown;
    let lines = chunked.request.headers.iter().filter(|(name, _)| *name != b"content-length");
    chunked.request.headers = lines.collect();
    let replay = Replay::of(&chunked).unwrap();
    assert_eq!((replay.head.body, replay.body.as_ref()), (BodyLength::Unknown, BODY));
    let replay = Replay::edited(&chunked, Edit { body: Some(Bytes::new()), ..Edit::default() }).unwrap();
    assert_eq!((replay.head.body, replay.head.headers.value("content-length")), (BodyLength::Unknown, None));
}

#[tokio::test]
async fn an_app_that_is_away_is_recorded_as_such() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (replayer, _told) = replayer(&address.to_string());
    let exchange = replayer.replay(Replay::of(&stored()).unwrap(), &CancellationToken::new()).await.unwrap();
    assert_eq!((exchange.error, exchange.status(), exchange.forwarded), (Some(Code::AppRefused), 502, None));
    assert_eq!((exchange.answered_by, exchange.verdict.status), (AnsweredBy::Client, Status::Valid));
}

#[tokio::test]
async fn a_replay_that_is_given_up_leaves_the_app_and_a_record() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (replayer, _told) = replayer(&listener.local_addr().unwrap().to_string());
    let stop = CancellationToken::new();
    let app = async {
        let mut socket = listener.accept().await.unwrap().0;
        let mut read = vec![0; 16];
        socket.read_exact(&mut read).await.unwrap();
        stop.cancel();
        while socket.read(&mut read).await.is_ok_and(|count| count > 0) {}
    };
    let (exchange, ()) = tokio::join!(replayer.replay(Replay::of(&stored()).unwrap(), &stop), app);
    let exchange = exchange.unwrap();
    assert_eq!((exchange.error, exchange.response.is_none()), (Some(Code::SenderGone), true));
    assert!(exchange.forwarded.is_some());
}

#[tokio::test]
async fn an_answer_that_breaks_off_says_so() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nok";
    let (_, exchange) = sent(Edit::default(), false, answer, "}}").await;
    assert_eq!((exchange.error, exchange.response_body.bytes.as_ref()), (Some(Code::AppDied), &b"ok"[..]));
}

#[test]
fn without_scheme_or_secret_nothing_is_signed() {
    let mut unsigned = stored();
    unsigned.verdict.scheme = None;
    let sign = |exchange: &Exchange, secrets: &Secrets| {
        resign::resign(Replay::of(exchange).unwrap(), secrets, SystemTime::UNIX_EPOCH).unwrap_err()
    };
    assert!(matches!(sign(&unsigned, &Secrets::default()), ReplayError::NoScheme));
    assert!(matches!(sign(&stored(), &Secrets::default()), ReplayError::NoSecret("razorpay")));
}
