//! Webhooks, a client and an inbox in memory, under a clock that stands still until everybody waits.

use std::{collections::HashSet, convert::Infallible, time::Duration};

use bytes::Bytes;
use hookwire_protocol::{
    head::{BodyLength, Headers, HttpVersion},
    session::Side,
};
use hookwire_tunnel::{Connection, Request, websocket_config};
use http::StatusCode;
use http_body_util::{BodyExt, Full, channel::Channel, combinators::UnsyncBoxBody};
use tokio::{io::duplex, task::JoinSet, time::Instant};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use super::*;
use crate::{
    inbox::{FullReason, Settings, memory::MemoryInbox},
    policy,
};

const HYBRID: Policy = Policy { who: Who::Hybrid, deadline: policy::DEADLINE, hold: true, ordered: false };

thread_local! {
    /// When a test's own time began, by both clocks.
    static BEGUN: (Instant, SystemTime) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_784_000_000));
}

fn wall() -> SystemTime {
    BEGUN.with(|(instant, wall)| *wall + instant.elapsed())
}

/// A relay's delivery for one endpoint.
struct Play {
    delivery: Arc<Delivery>,
    inbox: Arc<MemoryInbox>,
    desk: Arc<Desk>,
    policy: Policy,
    tasks: JoinSet<()>,
    sent: u128,
}

impl Play {
    fn new(policy: Policy) -> Self {
        let inbox = Arc::new(MemoryInbox::new(Settings::default()));
        let blame = |_: &BodyError| Code::BodyIncomplete;
        let mut delivery = Delivery::new(inbox.clone(), TaskTracker::new(), Duration::from_secs(75), blame);
        delivery.wall = wall;
        Self { delivery: Arc::new(delivery), inbox, desk: Desk::new("shop"), policy, tasks: JoinSet::new(), sent: 0 }
    }

    /// A client that is connected, and its drain.
    async fn connect(&mut self) -> (Tunnel, Tunnel) {
        let (relay, client) = self.session().await;
        let desk = Arc::clone(&self.desk);
        let drainer =
            Drainer::new(Arc::clone(&self.delivery), desk, relay.clone(), self.policy.ordered, HashSet::new());
        self.tasks.spawn(drainer.run());
        (relay, client)
    }

    async fn session(&mut self) -> (Tunnel, Tunnel) {
        let (near, far) = duplex(64 * 1024);
        let near = WebSocketStream::from_raw_socket(near, Role::Server, Some(websocket_config())).await;
        let far = WebSocketStream::from_raw_socket(far, Role::Client, Some(websocket_config())).await;
        let (relay_end, relay) = Connection::new(near, Side::Relay);
        let (client_end, client) = Connection::new(far, Side::Client);
        self.tasks.spawn(async move { drop(relay_end.run().await) });
        self.tasks.spawn(async move { drop(client_end.run().await) });
        (relay, client)
    }

    /// A webhook of its own with this body.
    fn send_body<B>(&mut self, tunnel: Option<&Tunnel>, body: B) -> impl Future<Output = Response<AnswerBody>> + use<B>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        self.sent += 1;
        let head = RequestHead {
            id: Uuid::from_u128(self.sent).into_bytes(),
            received_at: wall().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros() as u64,
            version: HttpVersion::Http11,
            body: BodyLength::Unknown,
            method: Bytes::from_static(b"POST"),
            target: Bytes::from(format!("/{}", self.sent)),
            headers: Headers::default(),
        };
        let route = Route { desk: Arc::clone(&self.desk), tunnel: tunnel.cloned(), policy: self.policy };
        let delivery = Arc::clone(&self.delivery);
        async move { delivery.take(route, head, body).await }
    }

    fn send(&mut self, tunnel: Option<&Tunnel>) -> impl Future<Output = Response<AnswerBody>> + use<> {
        self.send_body(tunnel, whole("paid"))
    }

    async fn pending(&self) -> u64 {
        self.inbox.counts("shop").await.unwrap().pending
    }
}

fn whole(body: &'static str) -> UnsyncBoxBody<Bytes, BodyError> {
    Full::new(Bytes::from_static(body.as_bytes())).map_err(|never: Infallible| match never {}).boxed_unsync()
}

fn answer(status: u16, error: Option<Code>) -> ResponseHead {
    ResponseHead {
        status,
        version: HttpVersion::Http11,
        error,
        body: BodyLength::Empty,
        reason: None,
        headers: Headers::default(),
    }
}

fn reply(request: Request, status: u16) {
    request.reply.send_whole(&answer(status, None), Bytes::new()).unwrap();
}

/// Takes requests in order and answers them: what came, as `target attempt`.
async fn serve(client: &Tunnel, count: usize, status: impl Fn(usize) -> u16) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let request = client.next().await.unwrap();
        let attempt = request.head.headers.value("hookwire-attempt").unwrap_or(b"live");
        seen.push(format!("{} {}", request.head.target.escape_ascii(), attempt.escape_ascii()));
        reply(request, status(seen.len()));
    }
    seen
}

async fn code(response: Response<AnswerBody>) -> (StatusCode, String) {
    let status = response.status();
    let code = response.headers().get("hookwire-error").map_or("", |code| code.to_str().unwrap()).to_owned();
    response.into_body().collect().await.unwrap();
    (status, code)
}

#[tokio::test(start_paused = true)]
async fn an_app_in_time_answers_and_the_inbox_hears_nothing() {
    let mut play = Play::new(HYBRID);
    play.inbox.fail(Some(InboxError::Busy)); // whoever asked it would be found out
    let (relay, client) = play.connect().await;
    for status in [200, 500] {
        let sent = play.send(Some(&relay));
        let served = async { reply(client.next().await.unwrap(), status) };
        let (response, ()) = tokio::join!(sent, served);
        assert_eq!(response.status(), status);
    }
    assert_eq!(play.delivery.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_late_app_is_called_once_and_the_sender_has_202_at_the_deadline() {
    for (status, pending) in [(200, 0), (500, 1)] {
        let mut play = Play::new(HYBRID);
        let (relay, client) = play.connect().await;
        let begun = Instant::now();
        let sent = play.send(Some(&relay));
        let served = async {
            let request = client.next().await.unwrap();
            let lateness = request.reply.lateness();
            tokio::time::sleep(Duration::from_secs(6)).await;
            assert_eq!(lateness.answered(), Some(202));
            reply(request, status);
        };
        let answered = async { (sent.await, begun.elapsed()) };
        let ((response, after), ()) = tokio::join!(answered, served);
        assert_eq!((response.status(), after.as_millis()), (StatusCode::ACCEPTED, 4_500));
        assert!(response.headers().contains_key("hookwire-delivery-id"));
        // Long enough for a drain that would bring it a second time, and too short for the retry of what failed.
        let again = tokio::time::timeout(Duration::from_secs(3), client.next()).await;
        assert!(again.is_err(), "{again:?}");
        assert_eq!(play.pending().await, pending);
        if pending > 0 {
            assert_eq!(serve(&client, 1, |_| 200).await, ["/1 2"], "the late one was its first attempt");
        }
        play.delivery.tasks.close();
        play.delivery.tasks.wait().await;
        assert_eq!(play.delivery.budget.used(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_client_webhooks_are_held_and_come_in_order_later() {
    let mut play = Play::new(HYBRID);
    for _ in 0..20 {
        let sent = play.send(None);
        assert_eq!(sent.await.status(), StatusCode::ACCEPTED);
    }
    let (_relay, client) = play.connect().await;
    let seen = serve(&client, 20, |_| 204).await;
    assert_eq!(seen, (1..=20).map(|number| format!("/{number} 1")).collect::<Vec<_>>());
    let idle = client.notice().await;
    assert_eq!((idle.held, idle.delivered, idle.delivering), (0, 20, false));
    assert_eq!(play.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn who_refuses_to_hold_refuses() {
    let mut play = Play::new(Policy { hold: false, ..HYBRID });
    let sent = play.send(None);
    assert_eq!(code(sent.await).await, (StatusCode::SERVICE_UNAVAILABLE, "no-session".into()));
    assert_eq!((play.pending().await, play.desk.take_refused()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_takes_no_connection_is_waited_for() {
    let mut play = Play::new(HYBRID);
    let (relay, client) = play.connect().await;
    let refuse = |request: Request| {
        request.reply.send_whole(&answer(502, Some(Code::AppRefused)), Bytes::new()).unwrap();
    };
    let sent = play.send(Some(&relay));
    let (response, ()) = tokio::join!(sent, async { refuse(client.next().await.unwrap()) });
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    // The drain tries at once, and rests for 1 s and then 2 s.
    refuse(client.next().await.unwrap());
    let begun = Instant::now();
    refuse(client.next().await.unwrap());
    assert_eq!(begun.elapsed().as_secs(), 1);
    // The app is back: a live webhook finds out, and the held one follows at once, with its first attempt.
    let sent = play.send(Some(&relay));
    let (response, seen) = tokio::join!(sent, serve(&client, 2, |_| 200));
    assert_eq!((response.status(), seen), (StatusCode::OK, vec!["/2 live".to_owned(), "/1 1".to_owned()]));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_breaks_before_the_answer_holds() {
    let mut play = Play::new(HYBRID);
    let (relay, client) = play.session().await;
    let sent = play.send(Some(&relay));
    let lost = async {
        let request = client.next().await.unwrap();
        play.tasks.abort_all();
        request
    };
    let (response, _request) = tokio::join!(sent, lost);
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let (_relay, client) = play.connect().await;
    assert_eq!(serve(&client, 1, |_| 200).await, ["/1 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_answers_first_has_written_first() {
    let mut play = Play::new(Policy { who: Who::Relay, ..HYBRID });
    let (relay, client) = play.connect().await;
    let begun = Instant::now();
    let sent = play.send(Some(&relay));
    assert_eq!((sent.await.status(), begun.elapsed()), (StatusCode::ACCEPTED, Duration::ZERO));
    assert_eq!(play.pending().await, 1);
    assert_eq!(serve(&client, 1, |_| 200).await, ["/1 1"]);
}

#[tokio::test(start_paused = true)]
async fn no_2xx_without_the_inbox() {
    for (error, expected) in [
        (InboxError::Full(FullReason::Disk), "inbox-full"),
        (InboxError::Busy, "inbox-full"),
        (InboxError::Failing("EIO".into()), "inbox-failing"),
    ] {
        for who in [Who::Hybrid, Who::Relay] {
            let mut play = Play::new(Policy { who, ..HYBRID });
            play.inbox.fail(Some(error.clone()));
            let sent = play.send(None);
            assert_eq!(code(sent.await).await, (StatusCode::SERVICE_UNAVAILABLE, expected.into()));
        }
    }
    // A late webhook that can't be written down has the app's own answer, late as it is.
    let mut play = Play::new(HYBRID);
    play.inbox.fail(Some(InboxError::Busy));
    let (relay, client) = play.session().await;
    let sent = play.send(Some(&relay));
    let served = async {
        let request = client.next().await.unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(request.reply.lateness().answered(), None);
        reply(request, 201);
    };
    let (response, ()) = tokio::join!(sent, served);
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test(start_paused = true)]
async fn half_a_webhook_is_never_accepted() {
    let mut play = Play::new(HYBRID);
    let (mut sender, body) = Channel::<Bytes, BodyError>::new(4);
    sender.send_data("half".into()).await.unwrap();
    let sent = play.send_body(None, body);
    let broken = async {
        tokio::time::sleep(Duration::from_secs(9)).await;
        sender.abort("the sender went away".into());
    };
    let (response, ()) = tokio::join!(sent, broken);
    assert_eq!(code(response).await, (StatusCode::BAD_REQUEST, "body-incomplete".into()));
    assert_eq!(play.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_sender_is_waited_for_and_its_body_is_read_though_the_app_does_not() {
    let mut play = Play::new(HYBRID);
    let (relay, client) = play.session().await;
    let (mut sender, body) = Channel::<Bytes, BodyError>::new(4);
    let piece = Bytes::from(vec![7; 256 * 1024]);
    let begun = Instant::now();
    let sent = play.send_body(Some(&relay), body);
    let slow = async {
        // Far more than the stream's window: the app takes none of it.
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            sender.send_data(piece.clone()).await.unwrap();
        }
        drop(sender);
    };
    let (response, (), request) = tokio::join!(sent, slow, client.next());
    assert_eq!((response.status(), begun.elapsed().as_secs()), (StatusCode::ACCEPTED, 8));
    let mut request = request.unwrap();
    let body = (&mut request.body).collect().await.unwrap().to_bytes();
    assert_eq!(body.len(), 8 * piece.len(), "the app has all of it all the same");
    let id = Uuid::from_bytes(request.head.id);
    assert_eq!(play.inbox.body(id).await.unwrap().unwrap(), body);
    reply(request, 200);
    play.delivery.tasks.close();
    play.delivery.tasks.wait().await;
    assert_eq!(play.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_to_be_held_is_passed_on_or_refused() {
    let mut play = Play::new(HYBRID);
    let budget = Arc::new(Budget::new(1024, 1024));
    Arc::get_mut(&mut play.delivery).unwrap().budget = budget;
    let large = || Full::new(Bytes::from(vec![7; 4096])).map_err(|never: Infallible| match never {}).boxed_unsync();
    let sent = play.send_body(None, large());
    assert_eq!(code(sent.await).await, (StatusCode::SERVICE_UNAVAILABLE, "no-session".into()));
    for who in [Who::Hybrid, Who::Relay] {
        play.policy.who = who;
        let (relay, client) = play.session().await;
        let sent = play.send_body(Some(&relay), large());
        let served = async {
            let request = client.next().await.unwrap();
            tokio::time::sleep(Duration::from_secs(6)).await;
            reply(request, 200);
        };
        let (response, ()) = tokio::join!(sent, served);
        assert_eq!(response.status(), StatusCode::OK, "{who:?}");
    }
    assert_eq!(play.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn in_order_means_one_at_a_time_and_nobody_overtakes() {
    let mut play = Play::new(Policy { ordered: true, ..HYBRID });
    for _ in 0..2 {
        let sent = play.send(None);
        assert_eq!(sent.await.status(), StatusCode::ACCEPTED);
    }
    let (relay, client) = play.connect().await;
    // A live one queues up behind them, also while the first one fails.
    let sent = play.send(Some(&relay));
    assert_eq!(sent.await.status(), StatusCode::ACCEPTED);
    let begun = Instant::now();
    let seen = serve(&client, 4, |number| if number == 1 { 500 } else { 200 }).await;
    assert_eq!(seen, ["/1 1", "/1 2", "/2 1", "/3 1"]);
    assert!((4..=6).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    while client.notice().await.delivering {}
    // Nothing is held: live ones go out, one at a time.
    let (one, two) = (play.send(Some(&relay)), play.send(Some(&relay)));
    let served = async {
        let first = client.next().await.unwrap();
        let second = tokio::time::timeout(Duration::from_secs(1), client.next()).await;
        assert!(second.is_err(), "{second:?}");
        reply(first, 200);
        serve(&client, 1, |_| 200).await
    };
    let (one, two, seen) = tokio::join!(one, two, served);
    assert_eq!((one.status(), two.status()), (StatusCode::OK, StatusCode::OK));
    assert_eq!(seen, ["/5 live"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_client_has_finished_is_not_sent_again() {
    let mut play = Play::new(HYBRID);
    for _ in 0..3 {
        let sent = play.send(None);
        sent.await;
    }
    let (relay, client) = play.session().await;
    let finished = [Uuid::from_u128(2)].into();
    let desk = Arc::clone(&play.desk);
    play.tasks.spawn(Drainer::new(Arc::clone(&play.delivery), desk, relay, false, finished).run());
    assert_eq!(serve(&client, 2, |_| 200).await, ["/1 1", "/3 1"]);
    assert_eq!(client.notice().await.delivered, 3);
    assert_eq!(play.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn failures_follow_the_schedule() {
    let mut play = Play::new(HYBRID);
    let sent = play.send(None);
    sent.await;
    let (_relay, client) = play.connect().await;
    let mut waits = Vec::new();
    let mut last = Instant::now();
    for status in [500, 404, 302, 200] {
        serve(&client, 1, |_| status).await;
        waits.push(last.elapsed().as_secs_f64());
        last = Instant::now();
    }
    for (waited, expected) in waits.iter().zip([0.0, 5.0, 30.0, 300.0]) {
        assert!((expected * 0.8..=expected * 1.2 + 0.1).contains(waited), "{waits:?}");
    }
    while client.notice().await.held > 0 {}
    assert_eq!(play.pending().await, 0);
}
