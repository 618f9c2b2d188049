//! The guard between a sender and hyper.

use std::{
    cell::Cell,
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{Instant, Sleep, sleep, timeout},
};

use crate::guard::{Alarm, Guard, HeadLimits, NoteKind, ReadTimeouts, notes::Answering};

const GOOD: &str = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
const CHUNKED: &str = "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
const BAD: &str = "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc";

/// Serves what comes over `socket`: the answer says the path, the body, and what the notes say.
async fn serve(socket: DuplexStream, prefix: &'static str) -> Result<(), hyper::Error> {
    let (guard, notes) = Guard::new(
        socket,
        Bytes::from_static(prefix.as_bytes()),
        HeadLimits::default(),
        ReadTimeouts::default(),
        Alarm::default(),
    );
    let ordinal = Cell::new(0);
    let service = service_fn(|request: Request<Incoming>| {
        let note = notes.take(ordinal.replace(ordinal.get() + 1)).map(|note| note.kind);
        let notes = notes.clone();
        async move {
            let _answering = notes.answering();
            Ok::<_, Infallible>(answer(request, note).await)
        }
    });
    http1::Builder::new().serve_connection(TokioIo::new(guard), service).await
}

async fn answer(request: Request<Incoming>, note: Option<NoteKind>) -> Response<Full<Bytes>> {
    let target = match note {
        Some(NoteKind::Refused(code)) => {
            let response = Response::builder().status(code.status()).header("hookwire-error", code.as_str());
            return response.body(Full::default()).unwrap();
        }
        Some(NoteKind::Target(target)) => target,
        None => Bytes::copy_from_slice(request.uri().path_and_query().unwrap().as_str().as_bytes()),
    };
    if target.starts_with(b"/slow") {
        sleep(Duration::from_hours(1)).await;
    }
    match request.into_body().collect().await {
        Ok(body) => Response::new(Full::new([&target[..], b" ", &body.to_bytes(), b"|"].concat().into())),
        Err(error) => {
            let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<io::Error>());
            let body = cause.map_or_else(|| error.to_string(), |cause| format!("{:?}: {cause}|", cause.kind()));
            let mut response = Response::new(Full::new(body.into()));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    }
}

/// What a sender gets for sending `request` in one go and waiting for the end.
async fn ask(request: &[u8]) -> String {
    let (mut sender, socket) = duplex(64 * 1024);
    sender.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let (served, read) = tokio::join!(serve(socket, ""), sender.read_to_end(&mut answer));
    let _ = served; // whether hyper minds how the connection ended is not the point
    read.unwrap();
    String::from_utf8(answer).unwrap()
}

fn in_order(answer: &str, parts: &[&str]) {
    let mut rest = answer;
    for part in parts {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("no `{part}` in its place in {answer}")).1;
    }
}

#[tokio::test(start_paused = true)]
async fn good_requests_are_answered_in_order() {
    let answer = ask([GOOD, CHUNKED, GOOD].concat().as_bytes()).await;
    in_order(&answer, &["200 OK", "/a abc|", "200 OK", "/b abc|", "200 OK", "/a abc|"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_keeps_its_place_and_ends_the_connection() {
    let answer = ask([GOOD, CHUNKED, BAD, GOOD].concat().as_bytes()).await;
    in_order(
        &answer,
        &["/a abc|", "/b abc|", "400 Bad Request", "hookwire-error: ambiguous-length", "connection: close"],
    );
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_ours_where_hyper_has_its_own() {
    let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(9000));
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(33_000));
    for (request, code) in
        [(&long[..], "414"), (&large, "431"), ("GET / HTTP/1.1\r\n\r\n", "400"), ("\x16\x03\x01", "400")]
    {
        let answer = ask(request.as_bytes()).await;
        in_order(&answer, &[code, "hookwire-error: "]);
    }
}

#[tokio::test(start_paused = true)]
async fn any_target_reaches_the_service() {
    let answer = ask(b"GET /<a>?`# HTTP/1.1\r\nHost: a\r\n\r\nGET /b?c HTTP/1.1\r\nHost: a\r\n\r\n").await;
    in_order(&answer, &["/<a>?`# |", "/b?c |"]);
}

#[tokio::test(start_paused = true)]
async fn broken_chunks_break_the_body() {
    let answer = ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n").await;
    in_order(&answer, &["400", "InvalidData: a chunk size is not a hexadecimal number"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_counts() {
    let (mut sender, socket) = duplex(64 * 1024);
    sender.write_all(&GOOD.as_bytes()[10..]).await.unwrap();
    let mut answer = String::new();
    let (served, read) = tokio::join!(serve(socket, &GOOD[..10]), sender.read_to_string(&mut answer));
    served.unwrap();
    read.unwrap();
    in_order(&answer, &["/a abc|"]);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_is_not_taken_stays_http() {
    let upgrade = "GET /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let answer = ask([upgrade, GOOD, upgrade, BAD].concat().as_bytes()).await;
    in_order(&answer, &["/u |", "/a abc|", "/u |", "hookwire-error: ambiguous-length"]);
}

/// Reading no more must not lose the answer: the sender is still writing when it comes.
#[tokio::test(start_paused = true)]
async fn a_refusal_reaches_a_sender_that_is_still_sending() {
    let (mut sender, socket) = duplex(1024);
    let request = [BAD.as_bytes(), &vec![b'x'; 100_000]].concat();
    let (mut reader, mut writer) = tokio::io::split(&mut sender);
    let send = async {
        writer.write_all(&request).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut answer = String::new();
    let (served, (), read) = tokio::join!(serve(socket, ""), send, reader.read_to_string(&mut answer));
    served.unwrap();
    read.unwrap();
    in_order(&answer, &["hookwire-error: ambiguous-length"]);
}

/// How long a connection lasts on which this is sent and nothing else, and what came back.
async fn lasts(request: &str) -> (Duration, String) {
    let (mut sender, socket) = duplex(64 * 1024);
    sender.write_all(request.as_bytes()).await.unwrap();
    let start = Instant::now();
    let mut answer = String::new();
    let (_, read) = tokio::join!(serve(socket, ""), sender.read_to_string(&mut answer));
    read.unwrap();
    (start.elapsed(), answer)
}

fn about(seconds: u64, (took, answer): (Duration, String)) -> String {
    let wanted = Duration::from_secs(seconds);
    assert!(took >= wanted && took < wanted + Duration::from_secs(6), "took {took:?}, not {wanted:?}");
    answer
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection() {
    assert_eq!(about(10, lasts("").await), "");
    assert_eq!(about(10, lasts("GET / HTTP/1.1\r\nHost:").await), "");
    in_order(&about(60, lasts(GOOD).await), &["/a abc|"]);
    in_order(&about(30, lasts(&GOOD[..GOOD.len() - 1]).await), &["400", "TimedOut"]);
    in_order(&about(10, lasts(&[GOOD, "G"].concat()).await), &["/a abc|"]);
}

#[tokio::test(start_paused = true)]
async fn a_dripping_head_ends_in_time() {
    let (mut sender, socket) = duplex(64 * 1024);
    let start = Instant::now();
    let drip = async {
        while sender.write_all(b"X").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    };
    let (served, ()) = tokio::join!(serve(socket, "GET / HTTP/1.1\r\nHost: a\r\n"), drip);
    let _ = served;
    assert!(start.elapsed() < Duration::from_secs(13), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn nobody_hurries_a_sender_that_waits_for_us() {
    let (mut sender, socket) = duplex(64 * 1024);
    sender.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HT").await.unwrap();
    let mut answer = String::new();
    let start = Instant::now();
    let (_, read) = tokio::join!(serve(socket, ""), sender.read_to_string(&mut answer));
    read.unwrap();
    in_order(&answer, &["/slow |"]);
    let took = start.elapsed().as_secs();
    assert!((3610..3700).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_leaves_ends_the_exchange() {
    let (mut sender, socket) = duplex(64 * 1024);
    sender.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    drop(sender);
    assert!(timeout(Duration::from_secs(1), serve(socket, "")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_is_given_up() {
    let (mut sender, socket) = duplex(64);
    let (mut guard, _) =
        Guard::new(socket, Bytes::new(), HeadLimits::default(), ReadTimeouts::default(), Alarm::default());
    let start = Instant::now();
    let error = guard.write_all(&[0; 1000]).await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed().as_secs()), (io::ErrorKind::TimedOut, 30));
    sender.read_exact(&mut [0; 64]).await.unwrap();
    assert!(guard.write(&[0; 10]).await.is_ok());
}

/// An event stream: a word, a long pause, and the end.
struct Paused(bool, Pin<Box<Sleep>>, #[expect(dead_code, reason = "it is there to be dropped")] Answering);

impl Body for Paused {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !std::mem::replace(&mut self.0, true) {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"word")))));
        }
        self.1.as_mut().poll(context).map(|()| None)
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_pause_for_long() {
    let (mut sender, socket) = duplex(64 * 1024);
    let (guard, notes) =
        Guard::new(socket, Bytes::new(), HeadLimits::default(), ReadTimeouts::default(), Alarm::default());
    let service = service_fn(|_: Request<Incoming>| {
        let body = Paused(false, Box::pin(sleep(Duration::from_hours(1))), notes.answering());
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    sender.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let start = Instant::now();
    let mut answer = String::new();
    let served = http1::Builder::new().serve_connection(TokioIo::new(guard), service);
    let (served, read) = tokio::join!(served, sender.read_to_string(&mut answer));
    served.unwrap();
    read.unwrap();
    in_order(&answer, &["word", "\r\n0\r\n"]);
    let took = start.elapsed().as_secs();
    assert!((3660..3720).contains(&took), "{took}");
}

/// A note is written beside the bytes; the stand-in itself says nothing to the service.
#[tokio::test(start_paused = true)]
async fn a_stand_in_can_not_be_forged() {
    let answer = ask(b"GET / HTTP/1.1\r\nhost: invalid\r\nconnection: close\r\n\r\n").await;
    in_order(&answer, &["200 OK", "/ |"]);
}
