//! One request: from the tunnel to the app, and its answer back.

mod observed;
mod repeat;

use std::{
    fmt,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_capture::Origin;
use hookwire_protocol::{
    code::Code,
    head::{BodyLength, HeaderLines, HttpVersion, RequestHead, ResponseHead},
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
use observed::{Observed, Tee, Watched};

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
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) canary: Arc<Canary>,
    pub(crate) finished: Arc<Finished>,
    /// The relay holds what an app takes no connection for. Agreed anew with each session.
    pub(crate) holds: AtomicBool,
}

/// What is noted of a request on its way.
#[derive(Debug)]
struct Passage {
    begun: Instant,
    received_at: SystemTime,
    sent: Tee,
    returned: Tee,
    /// When the app's answer began.
    answered: Option<Instant>,
}

impl Passage {
    fn begin(recorder: &Arc<Recorder>) -> Self {
        let tee = || Tee::new(Arc::clone(recorder));
        Self { begun: Instant::now(), received_at: SystemTime::now(), sent: tee(), returned: tee(), answered: None }
    }

    fn since_begun(&self, moment: Option<Instant>) -> Option<Duration> {
        moment.map(|moment| moment - self.begun)
    }
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
        match self.finished.begin(request.head.id) {
            Some(Begun::First(under_way)) => drop(tasks.spawn(Arc::clone(self).exchange(request, under_way))),
            Some(Begun::Before(status)) => answer_again(status, request.reply),
            None => drop(tasks.spawn(Box::pin(Arc::clone(self).exchange_after(request)))),
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
        let mut passage = Passage::begin(&self.recorder);
        let watched = Arc::new(Watched {
            head: request.head.detached(),
            endpoint: Arc::clone(&self.endpoint),
            secrets: Arc::clone(&self.app.secrets),
            received_at: passage.received_at,
        });
        let Request { head, body, reply } = request;
        let gone = reply.stopped();
        let body = Observed::new(body, passage.sent.clone(), Some(Arc::clone(&watched)));
        let answer = self.ask(&head, request_parts(&head), body, &passage);
        drop(head);
        async move {
            let outcome = {
                let mut delivery = pin!(self.deliver(answer, reply, &mut passage));
                tokio::select! {
                    biased; // an answer that is ready counts, even when its sender has just left
                    outcome = delivery.as_mut() => outcome,
                    reset = gone => match reset.0 {
                        // The relay may bring it again: what the app says to it now is worth knowing.
                        Code::SessionLost => Outcome { error: Some(reset.0), ..delivery.await },
                        code => Outcome { response: None, error: Some(code), late: false },
                    },
                }
            };
            if let Some(response) = outcome.response.as_ref().filter(|response| response.error.is_none()) {
                under_way.answered(response.status);
            }
            drop(under_way);
            let duration = passage.begun.elapsed();
            if !passage.sent.is_over() {
                Box::pin(passage.sent.over(self.app.timeout)).await;
            }
            self.record(&watched, &passage, outcome, duration);
        }
    }

    fn record(&self, watched: &Watched, passage: &Passage, outcome: Outcome, duration: Duration) {
        let held = self.is_held(&watched.head.method, outcome.error);
        self.recorder.record(Box::new(Passed {
            origin: Origin::Live,
            endpoint: Arc::clone(&self.endpoint),
            request: watched.head.clone(),
            request_body: passage.sent.take(),
            response: outcome.response,
            response_body: passage.returned.take(),
            error: outcome.error,
            received_at: passage.received_at,
            forwarded: passage.since_begun(passage.sent.forwarded()),
            first_byte: passage.since_begun(passage.answered),
            late: outcome.late,
            held,
            duration,
            awaited: None,
        }));
    }

    /// Whether the sender of a request that ended so has the relay's 202, and the app gets it later.
    fn is_held(&self, method: &[u8], error: Option<Code>) -> bool {
        let never_reached = matches!(error, Some(Code::AppRefused | Code::AppUnreachable));
        never_reached && self.holds.load(Ordering::Relaxed) && !matches!(method, b"GET" | b"HEAD" | b"OPTIONS")
    }

    /// The app's answer, or ours in its place, to the sender.
    async fn deliver(
        &self,
        answer: impl Future<Output = Result<Response<UpstreamBody>, Code>>,
        reply: Reply,
        passage: &mut Passage,
    ) -> Outcome {
        let answer = answer.await;
        passage.answered = answer.is_ok().then(Instant::now);
        match answer {
            Ok(response) => pass_back(response, reply, passage).await,
            Err(code) => stand_in(code, reply, passage),
        }
    }

    /// Asks the app, and waits for the head of its answer.
    fn ask<B>(
        &self,
        head: &RequestHead,
        mut parts: request::Parts,
        body: B,
        passage: &Passage,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, Code>> + Send + use<B>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let target = choose(&self.app.routes, &self.app.target, head.path());
        self.set_host(&mut parts, target);
        let (timeout, sent, writing) = (self.app.timeout, passage.sent.clone(), passage.sent.clone());
        let answer = target.join(&head.target).map(|raw| {
            let request = http::Request::from_parts(parts, body);
            self.upstream.send(target, request, raw, move || writing.forward())
        });
        async move {
            let mut answer = pin!(answer.map_err(|error| error.code())?);
            within(timeout, &sent, answer.as_mut()).await
        }
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

/// The app's answer, back through the tunnel to its end.
fn pass_back(
    response: Response<UpstreamBody>,
    reply: Reply,
    passage: &Passage,
) -> impl Future<Output = Outcome> + Send + use<> {
    let (lateness, stopped) = (reply.lateness(), reply.stopped());
    let mut late = lateness.answered().is_some();
    let (parts, body) = response.into_parts();
    let head = response_head(&parts, body.is_end_stream());
    let mut sending = reply.send(&head, Observed::new(body, passage.returned.clone(), None));
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
    passage.returned.pass_whole(&body);
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
async fn within<T, F>(patience: Duration, sent: &Tee, mut answer: Pin<&mut F>) -> Result<T, Code>
where
    F: Future<Output = Result<T, UpstreamError>>,
{
    let begun = Instant::now();
    loop {
        let deadline = sent.moved_at().unwrap_or(begun) + patience;
        if let Ok(answered) = tokio::time::timeout_at(deadline, answer.as_mut()).await {
            return answered.map_err(|error| error.code());
        }
        if sent.moved_at().unwrap_or(begun) + patience <= Instant::now() {
            return Err(Code::AppTimeout);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, io};

    use hookwire_capture::Update;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::Watcher;

    struct Nobody;

    impl Watcher for Nobody {
        fn update(&mut self, _: Update) -> io::Result<()> {
            Ok(())
        }

        fn rest(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    // A request with a body was given twice its time: the body's own arrival counted as a sign of life at the very end.
    #[tokio::test(start_paused = true)]
    async fn patience_counts_from_the_last_sign_of_life() {
        let (recorder, _thread) = Recorder::start(0, Arc::default(), Nobody, CancellationToken::new()).unwrap();
        let recorder = Arc::new(recorder);
        let (patience, begun) = (Duration::from_secs(10), Instant::now());
        let sent = Tee::new(recorder);
        let silent = pin!(std::future::pending::<Result<Infallible, UpstreamError>>());
        let later = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            sent.touch();
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            answer = within(patience, &sent, silent) => assert_eq!(answer.unwrap_err(), Code::AppTimeout),
            never = later => match never {},
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(14));
    }
}
