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
use hookwire_tunnel::{PumpError, ReceivedBody, Reply, Request, body_length, http_version, is_hop_by_hop, lines};
use http::{HeaderValue, Response, header, response};
use http_body::{Body, Frame, SizeHint};
use hyper::ext::ReasonPhrase;

use crate::{
    judge::{self, KEPT_TO_EXPLAIN, Passing},
    record::{Passed, Recorder},
    route::{Route, choose},
    upstream::{Target, Upstream, UpstreamBody, UpstreamError},
};

/// The header that only hookwire sets. An app can't.
const ERROR: &str = "hookwire-error";

/// How long the rest of a body may take that the app did not read: it is on its way already, or its sender has gone.
const REST_WITHIN: Duration = Duration::from_secs(1);

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
        request_body.read_rest().await;
        self.recorder.record(Box::new(Passed {
            request: recorded,
            request_body: request_body.take(),
            response: outcome.response,
            response_body: response_body.take(),
            error: outcome.error,
            received_at,
            first_byte: outcome.first_byte,
            duration: begun.elapsed(),
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
        Ok(mut sending) => match (&mut sending).await {
            Ok(()) => None,
            Err(PumpError::Stopped(reset)) => Some(reset.0),
            Err(_) => Some(Code::AppDied), // dropping `sending` breaks the sender's answer, so that it does not look whole
        },
        Err(reset) => Some(reset.0),
    };
    Outcome { response: Some(head), error, first_byte }
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
    loop {
        let before = sent.length();
        match tokio::time::timeout(patience, answer.as_mut()).await {
            Ok(answered) => return answered.map_err(|error| error.code()),
            Err(_) if sent.length() == before => return Err(Code::AppTimeout),
            Err(_) => {}
        }
    }
}

/// Where both the body on its way and the exchange that owns it look.
#[derive(Clone, Debug, Default)]
struct Tee(Arc<Mutex<Teed>>);

#[derive(Debug, Default)]
struct Teed {
    passing: Passing,
    /// What the app did not read, with what is needed to judge it.
    rest: Option<(ReceivedBody, Watched)>,
}

impl Tee {
    fn lock(&self) -> MutexGuard<'_, Teed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn length(&self) -> u64 {
        self.lock().passing.length
    }

    fn take(&self) -> Passing {
        std::mem::take(&mut self.lock().passing)
    }

    /// Reads what an app that refused or answered early has left, so that its signature can be judged all the same. The answer is on its
    /// way already.
    async fn read_rest(&self) {
        let Some((body, watched)) = self.lock().rest.take() else { return };
        let rest = Observed { body: Some(body), tee: self.clone(), judged: Some(watched) };
        let mut rest = pin!(rest);
        let read = async {
            while self.length() <= KEPT_TO_EXPLAIN as u64
                && let Some(Ok(_)) = std::future::poll_fn(|context| rest.as_mut().poll_frame(context)).await
            {
            }
        };
        let _ = tokio::time::timeout(REST_WITHIN, read).await;
        rest.body = None; // not once more
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
        let passing = &mut self.tee.lock().passing;
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    match &self.judged {
                        Some(watched) => passing.judge_while_passing(data, || watched.start()),
                        None => passing.pass(data),
                    }
                }
                passing.ended |= is_end;
            }
            Poll::Ready(None) => passing.ended = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
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
        if let Some(body) = self.body.take() {
            let mut teed = self.tee.lock();
            if body.is_end_stream() {
                teed.passing.ended = true;
            } else if let Some(watched) = self.judged.take() {
                teed.rest = body.leave().map(|body| (body, watched));
            }
        }
    }
}
