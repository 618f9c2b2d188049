//! Two connections over a pipe in memory: a relay's and a client's.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use bytes::Bytes;
use hookwire_protocol::{
    code::Code,
    frame::Goaway,
    head::{BodyLength, Headers, HttpVersion, RequestHead, ResponseHead},
    hello::Backlog,
    session::{Reset, Side},
};
use hookwire_tunnel::{Closed, Connection, Exchange, Request, Tunnel, websocket_config};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full, StreamBody, channel::Channel};
use tokio::{io::duplex, task::JoinHandle};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

const PATIENCE: Duration = Duration::from_secs(10);

struct Pair {
    relay: Tunnel,
    client: Tunnel,
    relay_end: JoinHandle<Closed>,
    client_end: JoinHandle<Closed>,
}

async fn pair() -> Pair {
    let (near, far) = duplex(64 * 1024);
    let near = WebSocketStream::from_raw_socket(near, Role::Server, Some(websocket_config())).await;
    let far = WebSocketStream::from_raw_socket(far, Role::Client, Some(websocket_config())).await;
    let (relay_connection, relay) = Connection::new(near, Side::Relay);
    let (client_connection, client) = Connection::new(far, Side::Client);
    let relay_end = spawn(relay_connection.run());
    let client_end = spawn(client_connection.run());
    Pair { relay, client, relay_end, client_end }
}

#[expect(clippy::disallowed_methods, reason = "the test holds the handle and ends with it")]
fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}

fn request(body: BodyLength) -> RequestHead {
    RequestHead {
        id: [1; 16],
        received_at: 7,
        version: HttpVersion::Http11,
        body,
        method: Bytes::from_static(b"POST"),
        target: Bytes::from_static(b"/hook?x=%2F"),
        headers: [(&b"x-odd"[..], &b"\xff"[..])].into_iter().collect(),
    }
}

fn answer(body: BodyLength) -> ResponseHead {
    ResponseHead {
        status: 200,
        version: HttpVersion::Http11,
        error: None,
        body,
        reason: None,
        headers: Headers::default(),
    }
}

/// Sends, while `serve` plays the client.
async fn exchange<B, F>(
    pair: &Pair,
    head: RequestHead,
    body: B,
    serve: impl FnOnce(Request) -> F,
) -> Result<Exchange, Reset>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Send,
    F: Future<Output = ()> + Send + 'static,
{
    let sent = pair.relay.send(&head, body, PATIENCE, |_| Code::BodyIncomplete);
    let served = async {
        let served = spawn(serve(pair.client.next().await.unwrap()));
        drop(served); // it goes on by itself
    };
    tokio::join!(sent, served).0
}

#[tokio::test]
async fn a_big_body_passes_both_ways_unchanged() {
    let pair = pair().await;
    let body: Bytes = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>().into();
    let length = BodyLength::Sized(body.len() as u64);
    let exchange = exchange(&pair, request(length), Full::new(body.clone()), |request| async move {
        assert_eq!(request.head.headers.value("x-odd"), Some(&b"\xff"[..]));
        assert_eq!(&request.head.target[..], b"/hook?x=%2F");
        let head = answer(request.head.body);
        request.reply.send(&head, request.body).unwrap().await.unwrap();
    });
    let Exchange { head, body: echoed } = exchange.await.unwrap();
    assert_eq!((head.status, head.body), (200, length));
    assert_eq!(echoed.collect().await.unwrap().to_bytes(), body);
    assert_eq!(pair.relay.in_flight(), 0);
}

#[tokio::test]
async fn an_answer_comes_while_the_request_still_flows() {
    let pair = pair().await;
    let (mut sender, body) = Channel::<Bytes, Reset>::new(1);
    sender.send_data(Bytes::from_static(b"first")).await.unwrap();
    let exchange = exchange(&pair, request(BodyLength::Unknown), body, |mut request| async move {
        let first = request.body.frame().await.unwrap().unwrap().into_data().unwrap();
        let sending = request.reply.send(&answer(BodyLength::Sized(5)), Full::new(first)).unwrap();
        sending.await.unwrap();
        assert_eq!(request.body.collect().await.unwrap().to_bytes(), "second");
    });
    let answered = exchange.await.unwrap();
    assert_eq!(answered.body.collect().await.unwrap().to_bytes(), "first");
    sender.send_data(Bytes::from_static(b"second")).await.unwrap();
    drop(sender);
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_looks_whole() {
    for length in [BodyLength::Unknown, BodyLength::Sized(10)] {
        let pair = pair().await;
        let exchange = exchange(&pair, request(BodyLength::Empty), Empty::new(), move |request| async move {
            let (mut app, body) = Channel::<Bytes, Reset>::new(1);
            let sending = request.reply.send(&answer(length), body).unwrap();
            app.send_data(Bytes::from_static(b"half")).await.unwrap();
            app.abort(Reset(Code::AppDied));
            assert!(sending.await.is_err());
        });
        let mut body = exchange.await.unwrap().body;
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
        assert_eq!(body.frame().await.unwrap().unwrap_err(), Reset(Code::AppDied));
        assert!(!body.is_end_stream());
    }
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_an_error() {
    let pair = pair().await;
    let exchange = exchange(
        &pair,
        request(BodyLength::Sized(10)),
        Full::new(Bytes::from_static(b"short")),
        |request| async move {
            let error = request.body.collect().await.unwrap_err();
            assert_eq!(error, Reset(Code::BodyIncomplete));
            request.reply.send_whole(&answer(BodyLength::Empty), Bytes::new()).unwrap();
        },
    );
    assert_eq!(exchange.await.unwrap().head.status, 200);
}

#[tokio::test]
async fn a_sender_that_goes_away_ends_the_exchange_at_the_client() {
    let pair = pair().await;
    let head = request(BodyLength::Empty);
    let sent = pair.relay.send(&head, Empty::<Bytes>::new(), PATIENCE, |never| match *never {});
    let request = tokio::select! {
        _ = sent => panic!("nobody answers"),
        request = pair.client.next() => request.unwrap(),
    };
    assert_eq!(request.reply.stopped().await, Reset(Code::SenderGone));
}

#[tokio::test]
async fn a_body_that_breaks_has_one_code_on_both_sides() {
    let pair = pair().await;
    let broken =
        StreamBody::new(futures_util::stream::iter([Err::<http_body::Frame<Bytes>, _>(Reset(Code::Internal))]));
    let head = request(BodyLength::Unknown);
    let sent = pair.relay.send(&head, broken, PATIENCE, |_| Code::BodyTooLarge);
    assert_eq!(sent.await.unwrap_err(), Reset(Code::BodyTooLarge));
    let request = pair.client.next().await.unwrap();
    assert_eq!(request.body.collect().await.unwrap_err(), Reset(Code::BodyTooLarge));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_says_nothing_is_given_up() {
    let pair = pair().await;
    let head = request(BodyLength::Empty);
    let sent = pair.relay.send(&head, Empty::<Bytes>::new(), PATIENCE, |never| match *never {});
    let (sent, request) = tokio::join!(sent, pair.client.next());
    assert_eq!(sent.unwrap_err(), Reset(Code::AppTimeout));
    assert_eq!(request.unwrap().reply.stopped().await, Reset(Code::AppTimeout));
}

#[tokio::test]
async fn a_goaway_lets_what_is_in_flight_finish() {
    let pair = pair().await;
    let head = request(BodyLength::Empty);
    let sent = pair.relay.send(&head, Empty::<Bytes>::new(), PATIENCE, |never| match *never {});
    let relay = pair.relay.clone();
    let served = async {
        let request = pair.client.next().await.unwrap();
        relay.go_away(Goaway::Stopping);
        request.reply.send_whole(&answer(BodyLength::Sized(2)), Bytes::from_static(b"ok")).unwrap();
    };
    let (exchange, ()) = tokio::join!(sent, served);
    assert_eq!(exchange.unwrap().body.collect().await.unwrap().to_bytes(), "ok");
    assert!(matches!(pair.relay_end.await.unwrap(), Closed::Finished(_)));
    assert!(matches!(pair.client_end.await.unwrap(), Closed::Finished(Goaway::Stopping)));
    let refused = pair.relay.send(&head, Empty::<Bytes>::new(), PATIENCE, |never| match *never {});
    assert_eq!(refused.await.unwrap_err(), Reset(Code::SessionLost));
}

#[tokio::test]
async fn a_lost_socket_ends_every_exchange() {
    let pair = pair().await;
    let head = request(BodyLength::Empty);
    let sent = pair.relay.send(&head, Empty::<Bytes>::new(), PATIENCE, |never| match *never {});
    let lost = async {
        let request = pair.client.next().await.unwrap();
        pair.client_end.abort();
        request
    };
    let (sent, _request) = tokio::join!(sent, lost);
    assert_eq!(sent.unwrap_err(), Reset(Code::SessionLost));
    assert!(matches!(pair.relay_end.await.unwrap(), Closed::Lost(_)));
}

/// A relay that has answered for the app lets the exchange go on, and the client knows that it is late.
#[tokio::test]
async fn a_late_answer_still_arrives() {
    let pair = pair().await;
    let body = Full::new(Bytes::from_static(b"paid"));
    let mut sending = pair.relay.open(&request(BodyLength::Sized(4))).unwrap().with_body(body);
    let never = |never: &std::convert::Infallible| match *never {};
    let request = tokio::select! {
        head = sending.head(PATIENCE, never) => panic!("nobody answers: {head:?}"),
        request = pair.client.next() => request.unwrap(),
    };
    let lateness = request.reply.lateness();
    assert_eq!(lateness.answered(), None);
    sending.answer_instead(202);
    // The link keeps the order: what comes behind it has it in front.
    pair.relay.notify(&Backlog { held: 1, ..Backlog::default() });
    assert_eq!(pair.client.notice().await.held, 1);
    assert_eq!(lateness.answered(), Some(202));
    request.reply.send_whole(&answer(BodyLength::Sized(2)), Bytes::from_static(b"ok")).unwrap();
    let head = sending.head(PATIENCE, never).await.unwrap();
    let exchange = sending.into_exchange(head, PATIENCE);
    assert_eq!(exchange.body.collect().await.unwrap().to_bytes(), "ok");
}

#[tokio::test]
async fn a_request_that_is_given_up_gives_its_body_back() {
    let pair = pair().await;
    let body = Full::new(Bytes::from_static(b"paid"));
    let mut sending = pair.relay.open(&request(BodyLength::Sized(4))).unwrap().with_body(body);
    let request = tokio::select! {
        head = sending.head(PATIENCE, |never| match *never {}) => panic!("nobody answers: {head:?}"),
        request = pair.client.next() => request.unwrap(),
    };
    let _body: Full<Bytes> = sending.give_up(Code::Stopping);
    assert_eq!(request.reply.stopped().await, Reset(Code::Stopping));
    assert_eq!(pair.relay.in_flight(), 0);
}
