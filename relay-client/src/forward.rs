//! One request: from the tunnel to the app, and its answer back.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hookwire_protocol::{
    code::Code,
    head::{BodyLength, HeaderLines, Headers, HttpVersion, RequestHead, ResponseHead},
};
use hookwire_signatures::{Secrets, Verifier};
use hookwire_tunnel::{
    PumpError, ReceivedBody, Reply, Request, SentBody, body_length, http_version, is_hop_by_hop, lines,
};
use http::{HeaderValue, Response, header, response};
use http_body::{Body, Frame, SizeHint};
use hyper::ext::ReasonPhrase;
use tokio::sync::Notify;

use crate::{
    judge::{self, Passing},
    record::{Passed, Recorder},
    route::{Route, choose},
    upstream::{Target, Upstream, UpstreamBody, UpstreamError},
};

/// The header that only hookwire sets. An app can't.
const ERROR: &str = "hookwire-error";

/// What the app sees as `host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostHeader {
    /// The one that the sender used: signatures may cover it.
    Keep,
    /// The app's own address, for apps that refuse others.
    Rewrite,
    /// This one. Anything that can not stand in a header changes nothing.
    Fixed(String),
}

/// What every request needs on its way.
#[derive(Debug)]
pub(crate) struct Forwarder {
    pub(crate) target: Target,
    pub(crate) routes: Vec<Route>,
    pub(crate) host: HostHeader,
    pub(crate) timeout: Duration,
    pub(crate) upstream: Upstream,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) recorder: Recorder,
}

/// How an exchange ended.
struct Outcome {
    response: Option<ResponseHead>,
    error: Option<Code>,
    first_byte: Option<Duration>,
}

impl Forwarder {
    /// Takes a request to the app, and its answer back. Ends early when the sender goes away.
    pub(crate) async fn exchange(self: Arc<Self>, request: Request) {
        let (begun, received_at) = (Instant::now(), SystemTime::now());
        let recorded = request.head.detached();
        let watched = Watched { head: recorded.clone(), secrets: Arc::clone(&self.secrets), received_at };
        let request_body = Tee::default();
        let response_body = Tee::default();
        let gone = request.reply.watch();
        let outcome = tokio::select! {
            biased; // an answer that is ready counts, even when its sender has just left
            outcome = self.deliver(request, watched, begun, &request_body, &response_body) => outcome,
            reset = gone => Outcome { response: None, error: Some(reset.0), first_byte: None },
        };
        let duration = begun.elapsed();
        request_body.over(self.timeout).await;
        self.recorder.record(Box::new(Passed {
            request: recorded,
            request_body: request_body.take(),
            response: outcome.response,
            response_body: response_body.take(),
            error: outcome.error,
            received_at,
            first_byte: outcome.first_byte,
            duration,
        }));
    }

    async fn deliver(&self, request: Request, watched: Watched, begun: Instant, sent: &Tee, returned: &Tee) -> Outcome {
        let mut parts = request.parts();
        let Request { head, body, reply } = request;
        let target = choose(&self.routes, &self.target, head.path());
        self.set_host(&mut parts, target);
        let body = Observed { body: Some(body), tee: sent.clone(), judged: Some(watched) };
        let answer = match target.join(&head.target) {
            Ok(raw) => {
                let answer = pin!(self.upstream.send(target, http::Request::from_parts(parts, body), raw));
                within(self.timeout, sent, answer).await
            }
            Err(error) => Err(error.code()),
        };
        match answer {
            Ok(response) => pass_back(response, reply, begun, returned).await,
            Err(code) => stand_in(code, reply),
        }
    }

    fn set_host(&self, parts: &mut http::request::Parts, target: &Target) {
        let host = match &self.host {
            HostHeader::Keep => return,
            HostHeader::Rewrite => HeaderValue::try_from(target.authority()).ok(),
            HostHeader::Fixed(host) => HeaderValue::try_from(host.as_str()).ok(),
        };
        if let Some(host) = host {
            parts.headers.insert(header::HOST, host);
        }
    }
}

/// The app's answer, back through the tunnel to its end.
async fn pass_back(response: Response<UpstreamBody>, reply: Reply, begun: Instant, returned: &Tee) -> Outcome {
    let first_byte = Some(begun.elapsed());
    let (parts, body) = response.into_parts();
    let head = response_head(&parts, body.is_end_stream());
    let body = Observed { body: Some(body), tee: returned.clone(), judged: None };
    let error = match reply.send(&head, body) {
        Ok(mut sending) => match std::future::poll_fn(|context| poll_back(&mut sending, context)).await {
            Ok(()) => None,
            Err(PumpError::Stopped(reset)) => Some(reset.0),
            Err(_) => Some(Code::AppDied), // dropping `sending` breaks the sender's answer, so that it does not look whole
        },
        Err(reset) => Some(reset.0),
    };
    Outcome { response: Some(head), error, first_byte }
}

/// Goes on sending the answer. While that waits for the sender, the request may still flow to the app: both share one connection.
fn poll_back(
    sending: &mut SentBody<Observed<UpstreamBody>>,
    context: &mut Context<'_>,
) -> Poll<Result<(), PumpError<UpstreamError>>> {
    let polled = sending.poll_send(context);
    if polled.is_pending()
        && let Some(body) = &mut sending.body_mut().body
    {
        body.drive(context);
    }
    polled
}

/// Our own answer, where the app has none.
fn stand_in(code: Code, reply: Reply) -> Outcome {
    let body = Bytes::from(code.json());
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
    let _ = reply.send_whole(&head, body); // a sender that left meanwhile needs no answer
    Outcome { response: Some(head), error: Some(code), first_byte: None }
}

fn response_head(parts: &response::Parts, is_empty: bool) -> ResponseHead {
    let named: Vec<&str> =
        parts.headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok()).collect();
    let is_named = |name: &header::HeaderName| {
        named.iter().flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(name.as_str()))
    };
    let headers: Headers =
        lines(&parts.headers, 0, |name| !is_hop_by_hop(name) && name.as_str() != ERROR && !is_named(name)).finish();
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
        if let Ok(answered) = tokio::time::timeout_at(deadline.into(), answer.as_mut()).await {
            return answered.map_err(|error| error.code());
        }
        if sent.moved_at().unwrap_or(begun) + patience <= Instant::now() {
            return Err(Code::AppTimeout);
        }
    }
}

/// Where both the body on its way and the exchange that owns it look.
#[derive(Clone, Debug, Default)]
struct Tee(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    teed: Mutex<Teed>,
    /// The body is over, or somebody stopped reading it.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Teed {
    passing: Passing,
    /// What the app did not read, with what is needed to judge it.
    rest: Option<(ReceivedBody, Watched)>,
    /// It broke off.
    broken: bool,
    /// When its last piece passed.
    moved_at: Option<Instant>,
}

impl Tee {
    fn lock(&self) -> MutexGuard<'_, Teed> {
        self.0.teed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved_at(&self) -> Option<Instant> {
        self.lock().moved_at
    }

    fn take(&self) -> Passing {
        std::mem::take(&mut self.lock().passing)
    }

    /// Waits until a request's body is over, so that its signature can be judged. An app that answered early may go on reading it; what an
    /// app has left is read here. The answer is on its way already.
    async fn over(&self, patience: Duration) {
        let read = async {
            loop {
                let rest = {
                    let mut teed = self.lock();
                    if teed.passing.ended || teed.broken {
                        return;
                    }
                    teed.rest.take()
                };
                match rest {
                    Some((body, watched)) => self.read(body, watched).await,
                    None => self.0.changed.notified().await,
                }
            }
        };
        let _ = tokio::time::timeout(patience, read).await; // what has not come by then is not whole
    }

    async fn read(&self, body: ReceivedBody, watched: Watched) {
        let mut rest = pin!(Observed { body: Some(body), tee: self.clone(), judged: Some(watched) });
        while let Some(Ok(_)) = std::future::poll_fn(|context| rest.as_mut().poll_frame(context)).await {}
    }
}

/// What is needed to judge a body that is too long to keep.
#[derive(Debug)]
struct Watched {
    head: RequestHead,
    secrets: Arc<Secrets>,
    received_at: SystemTime,
}

impl Watched {
    fn start(&self) -> Verifier {
        let now = self.received_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        judge::start(&self.head, &self.secrets, now)
    }
}

/// A body that is looked at while it passes.
#[derive(Debug)]
struct Observed<B: Leftover> {
    /// Taken by the end of its life only.
    body: Option<B>,
    tee: Tee,
    judged: Option<Watched>,
}

/// What becomes of a body that nobody read to its end.
trait Leftover: Body<Data = Bytes> + Unpin + Sized {
    /// The body itself, if the rest of it is of use.
    fn leave(self) -> Option<ReceivedBody>;
}

impl Leftover for ReceivedBody {
    fn leave(self) -> Option<ReceivedBody> {
        Some(self)
    }
}

impl Leftover for UpstreamBody {
    fn leave(self) -> Option<ReceivedBody> {
        None
    }
}

impl<B: Leftover> Body for Observed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *body).poll_frame(context);
        let is_end = body.is_end_stream();
        let teed = &mut *self.tee.lock();
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    teed.moved_at = Some(Instant::now());
                    match &self.judged {
                        Some(watched) => teed.passing.judge_while_passing(data, || watched.start()),
                        None => teed.passing.pass(data),
                    }
                }
                teed.passing.ended |= is_end;
            }
            Poll::Ready(None) => teed.passing.ended = true,
            Poll::Ready(Some(Err(_))) => teed.broken = true,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Leftover> Drop for Observed<B> {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        {
            let mut teed = self.tee.lock();
            if body.is_end_stream() {
                teed.passing.ended = true;
            } else if !teed.broken
                && let Some(watched) = self.judged.take()
            {
                teed.rest = body.leave().map(|body| (body, watched));
            }
        }
        self.tee.0.changed.notify_one();
    }
}
