//! One request: from the tunnel to the app, and its answer back.

mod observed;
mod passage;
mod repeat;

use std::{
    fmt, future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::Either;
use hookwire_protocol::{
    code::Code,
    head::{BodyLength, HeaderLines, HttpVersion, ResponseHead},
    session::Reset,
};
use hookwire_signatures::Secrets;
use hookwire_tunnel::{
    PumpError, Reply, Request, SentBody, body_length, http_version, is_hop_by_hop, lines, named_by_connection,
    request_parts,
};
use http::{HeaderValue, Response, header, request, response};
use http_body::Body;
use hyper::ext::ReasonPhrase;
use rustls_pki_types::CertificateDer;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::{
    canary::Canary,
    finished::{Begun, Finished, UnderWay, answer_again},
    record::{Passed, Recorder},
    route::{Route, choose},
    tls::TrustError,
    upstream::{Target, Upstream, UpstreamBody, UpstreamConfig, UpstreamError},
};
use observed::Observed;
use passage::Passage;

/// The header that only hookwire sets. An app can't.
const ERROR: &str = "hookwire-error";

/// What the app sees as `host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostHeader {
    /// The one that the sender used: signatures may cover it.
    Keep,
    /// The app's own address, for apps that refuse others.
    Rewrite,
    /// This one.
    Fixed(HeaderValue),
}

/// As on the command line.
impl fmt::Display for HostHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("keep"),
            Self::Rewrite => f.write_str("rewrite"),
            Self::Fixed(host) => f.write_str(&String::from_utf8_lossy(host.as_bytes())),
        }
    }
}

/// The app, and how its traffic is treated.
#[derive(Clone, Debug)]
pub struct App {
    /// Where it is.
    pub target: Target,
    /// Paths that belong to other apps.
    pub routes: Vec<Route>,
    /// What it sees as `host`.
    pub host_header: HostHeader,
    /// What signatures are judged with.
    pub secrets: Arc<Secrets>,
    /// Take any certificate of an `https` app.
    pub insecure: bool,
    /// Certificates to trust for an `https` app, instead of the system's.
    pub ca: Option<Vec<CertificateDer<'static>>>,
    /// How long it may take to begin its answer.
    pub timeout: Duration,
    /// How many bytes of each body are kept. Of longer ones the beginning is, with the length and the hash of all of it.
    pub max_capture_body: usize,
}

impl App {
    /// Connections to it.
    pub(crate) fn upstream(&self) -> Result<Upstream, TrustError> {
        Upstream::new(UpstreamConfig { insecure: self.insecure, ca: self.ca.clone(), ..UpstreamConfig::default() })
    }
}

/// What every request needs on its way.
#[derive(Debug)]
pub(crate) struct Forwarder {
    pub(crate) app: App,
    /// The public name that requests come in under.
    pub(crate) endpoint: Arc<str>,
    pub(crate) upstream: Upstream,
    pub(crate) recorder: Recorder,
    pub(crate) canary: Arc<Canary>,
    pub(crate) finished: Arc<Finished>,
    /// The relay holds what an app takes no connection for. Agreed anew with each session.
    pub(crate) holds: AtomicBool,
}

/// How an exchange ended.
struct Outcome {
    response: Option<ResponseHead>,
    error: Option<Code>,
    /// The relay had answered the sender when it came.
    late: bool,
}

impl Forwarder {
    /// Begins an exchange, as one of `tasks`, unless it is over at once.
    pub(crate) fn take(self: &Arc<Self>, request: Request, tasks: &TaskTracker) {
        let Some(request) = self.canary.answer(request) else { return };
        let forwarder = Arc::clone(self);
        // Boxed: tokio moves what it is given about, and this is large.
        match self.finished.begin(request.head.id) {
            Some(Begun::First(under_way)) => drop(tasks.spawn(Box::pin(forwarder.exchange(request, under_way)))),
            Some(Begun::Before(status)) => answer_again(status, request.reply),
            None => drop(tasks.spawn(Box::pin(forwarder.exchange_after(request)))),
        }
    }

    /// An exchange whose delivery is under way already.
    async fn exchange_after(self: Arc<Self>, request: Request) {
        let begun = tokio::select! {
            biased;
            begun = self.finished.begin_after(request.head.id) => begun,
            _ = request.reply.stopped() => return,
        };
        match begun {
            Begun::First(under_way) => self.exchange(request, under_way).await,
            Begun::Before(status) => answer_again(status, request.reply),
        }
    }

    /// Takes a request to the app, and its answer back. Ends early when the sender goes away.
    ///
    /// Not an `async fn`, as what it calls: each would hold its arguments twice, and the future is moved and touched for every webhook.
    fn exchange(self: Arc<Self>, request: Request, mut under_way: UnderWay) -> impl Future<Output = ()> + Send {
        let Request { head, body, reply } = request;
        let passage = Passage::begin(self, head.detached());
        drop(head);
        let gone = reply.stopped();
        let body = Observed::new(body, Arc::clone(&passage));
        let answer = ask(&passage, request_parts(&passage.request), body);
        async move {
            let outcome = {
                let answer = pin!(answer); // what is left of it goes with this block: a sender that has gone cancels what the app does
                unless_gone(gone, pin!(deliver(answer, reply, &passage))).await
            };
            if let Some(response) = outcome.response.as_ref().filter(|response| response.error.is_none()) {
                under_way.answered(response.status);
            }
            drop(under_way);
            let duration = passage.begun.elapsed();
            let forwarder = &passage.forwarder;
            if !passage.is_over() {
                Box::pin(passage.over(forwarder.app.timeout)).await;
            }
            let held = forwarder.is_held(&passage.request.method, outcome.error);
            forwarder.recorder.record(Box::new(Passed { held, ..passage.passed(outcome, duration) }));
        }
    }

    /// Whether the sender of a request that ended so has the relay's 202, and the app gets it later.
    fn is_held(&self, method: &[u8], error: Option<Code>) -> bool {
        let never_reached = matches!(error, Some(Code::AppRefused | Code::AppUnreachable));
        never_reached && self.holds.load(Ordering::Relaxed) && !matches!(method, b"GET" | b"HEAD" | b"OPTIONS")
    }

    fn set_host(&self, parts: &mut request::Parts, target: &Target) {
        let host = match &self.app.host_header {
            HostHeader::Keep => return,
            HostHeader::Rewrite => HeaderValue::try_from(target.authority()).ok(),
            HostHeader::Fixed(host) => Some(host.clone()),
        };
        if let Some(host) = host {
            parts.headers.insert(header::HOST, host);
        }
    }
}

/// Begins to ask the app.
fn ask<B>(
    passage: &Arc<Passage>,
    mut parts: request::Parts,
    body: B,
) -> impl Future<Output = Result<Response<UpstreamBody>, UpstreamError>> + Send + use<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (forwarder, head) = (&passage.forwarder, &passage.request);
    let target = choose(&forwarder.app.routes, &forwarder.app.target, head.path());
    forwarder.set_host(&mut parts, target);
    match target.join(&head.target) {
        Ok(raw) => {
            let (request, passage) = (http::Request::from_parts(parts, body), Arc::clone(passage));
            Either::Left(forwarder.upstream.send(target, request, raw, move || passage.forward()))
        }
        Err(error) => Either::Right(future::ready(Err(error))),
    }
}

/// Waits for the head of the app's answer.
///
/// Takes what it waits for by reference, as [`deliver`]: each would hold it twice, and the whole is moved and touched for every webhook.
async fn answered<F>(answer: Pin<&mut F>, passage: &Passage) -> Result<Response<UpstreamBody>, Code>
where
    F: Future<Output = Result<Response<UpstreamBody>, UpstreamError>>,
{
    let patience = passage.forwarder.app.timeout;
    let answer = within(patience, passage.begun, || passage.noted().moved_at, answer).await?;
    passage.answer();
    Ok(answer)
}

/// How `delivery` ends, unless the sender is gone before. An answer that is ready counts, even when its sender has just left.
async fn unless_gone(
    mut gone: impl Future<Output = Reset> + Unpin,
    mut delivery: Pin<&mut impl Future<Output = Outcome>>,
) -> Outcome {
    let mut lost = None;
    let outcome = future::poll_fn(|context| {
        let delivered = delivery.as_mut().poll(context);
        if delivered.is_pending()
            && lost.is_none()
            && let Poll::Ready(Reset(code)) = Pin::new(&mut gone).poll(context)
        {
            // With its session gone the relay may bring it again: what the app says to it now is worth knowing.
            lost = Some(code);
            if code != Code::SessionLost {
                return Poll::Ready(Outcome { response: None, error: None, late: false });
            }
        }
        delivered
    });
    let outcome = outcome.await;
    Outcome { error: lost.or(outcome.error), ..outcome }
}

/// The app's answer, or ours in its place, to the sender.
async fn deliver<F>(answer: Pin<&mut F>, reply: Reply, passage: &Arc<Passage>) -> Outcome
where
    F: Future<Output = Result<Response<UpstreamBody>, UpstreamError>>,
{
    let passing = match answered(answer, passage).await {
        Ok(response) => pass_back(response, reply, passage),
        Err(code) => return stand_in(code, reply, passage),
    };
    passing.await
}

/// The app's answer, back through the tunnel to its end.
fn pass_back(
    response: Response<UpstreamBody>,
    reply: Reply,
    passage: &Arc<Passage>,
) -> impl Future<Output = Outcome> + Send + use<> {
    let (lateness, stopped) = (reply.lateness(), reply.stopped());
    let mut late = lateness.answered().is_some();
    let (parts, body) = response.into_parts();
    let head = response_head(&parts, body.is_end_stream());
    let mut sending = reply.send(&head, Observed::new(body, Arc::clone(passage)));
    async move {
        let error = match &mut sending {
            Ok(sending) => {
                let sent = tokio::select! {
                    biased;
                    sent = std::future::poll_fn(|context| poll_back(sending, context)) => sent,
                    reset = stopped => Err(PumpError::Stopped(reset)), // an answer that stands still would not notice
                };
                late |= lateness.answered().is_some(); // the word of it may have crossed the answer
                match sent {
                    Ok(()) => None,
                    Err(PumpError::Stopped(reset)) => Some(reset.0),
                    Err(_) => Some(Code::AppDied), // dropping `sending` breaks the sender's answer, so that it does not look whole
                }
            }
            Err(reset) => Some(reset.0),
        };
        Outcome { response: Some(head), error, late }
    }
}

/// Goes on sending the answer. While that waits for the sender, the request may still flow to the app: both share one connection.
fn poll_back(
    sending: &mut SentBody<Observed<UpstreamBody>>,
    context: &mut Context<'_>,
) -> Poll<Result<(), PumpError<UpstreamError>>> {
    let polled = sending.poll_send(context);
    if polled.is_pending()
        && let Some(body) = sending.body_mut().body_mut()
    {
        body.drive(context);
    }
    polled
}

/// Our own answer, where the app has none.
fn stand_in(code: Code, reply: Reply, passage: &Passage) -> Outcome {
    let body = Bytes::from(code.json());
    passage.answer_whole(&body);
    let mut list = HeaderLines::with_capacity(96);
    list.push(b"content-type", b"application/json");
    list.push(b"content-length", body.len().to_string().as_bytes());
    let head = ResponseHead {
        status: code.status(),
        version: HttpVersion::Http11,
        error: Some(code),
        body: BodyLength::Sized(body.len() as u64),
        reason: None,
        headers: list.finish(),
    };
    let late = reply.lateness().answered().is_some();
    let _ = reply.send_whole(&head, body); // a sender that left meanwhile needs no answer
    Outcome { response: Some(head), error: Some(code), late }
}

fn response_head(parts: &response::Parts, is_empty: bool) -> ResponseHead {
    let named = named_by_connection(&parts.headers);
    let headers =
        lines(&parts.headers, 0, |name| !is_hop_by_hop(name) && name.as_str() != ERROR && !named.contains(name))
            .finish();
    ResponseHead {
        status: parts.status.as_u16(),
        version: http_version(parts.version),
        error: None,
        body: body_length(&parts.headers, is_empty),
        reason: parts.extensions.get::<ReasonPhrase>().map(|reason| Bytes::copy_from_slice(reason.as_bytes())),
        headers,
    }
}

/// Waits for the head of the answer, as long as something of the request moves at least every `patience`.
async fn within<T, F>(
    patience: Duration,
    begun: Instant,
    moved_at: impl Fn() -> Option<Instant>,
    mut answer: Pin<&mut F>,
) -> Result<T, Code>
where
    F: Future<Output = Result<T, UpstreamError>>,
{
    let mut deadline = begun + patience;
    loop {
        if let Ok(answered) = tokio::time::timeout_at(deadline, answer.as_mut()).await {
            return answered.map_err(|error| error.code());
        }
        let moved = moved_at().unwrap_or(begun) + patience;
        if moved <= deadline {
            return Err(Code::AppTimeout);
        }
        deadline = moved;
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible};

    use super::*;

    #[tokio::test]
    async fn an_answer_that_is_ready_counts_and_a_lost_session_waits_for_one() {
        let outcome = |error| Outcome { response: None, error, late: true };
        let gone = |code| future::ready(Reset(code));
        let later = || async {
            tokio::task::yield_now().await;
            outcome(None)
        };
        let ready = pin!(future::ready(outcome(Some(Code::AppDied))));
        assert_eq!(unless_gone(gone(Code::SenderGone), ready).await.error, Some(Code::AppDied));
        let ended = unless_gone(gone(Code::SenderGone), pin!(later())).await;
        assert_eq!((ended.error, ended.late), (Some(Code::SenderGone), false));
        let ended = unless_gone(gone(Code::SessionLost), pin!(later())).await;
        assert_eq!((ended.error, ended.late), (Some(Code::SessionLost), true));
    }

    // A request with a body was given twice its time: the body's own arrival counted as a sign of life at the very end.
    #[tokio::test(start_paused = true)]
    async fn patience_counts_from_the_last_sign_of_life() {
        let (patience, begun) = (Duration::from_secs(10), Instant::now());
        let moved_at = Cell::new(None);
        let silent = pin!(std::future::pending::<Result<Infallible, UpstreamError>>());
        let later = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            moved_at.set(Some(Instant::now()));
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            answer = within(patience, begun, || moved_at.get(), silent) => assert_eq!(answer.unwrap_err(), Code::AppTimeout),
            never = later => match never {},
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(14));
    }
}
