//! One request: from the tunnel to the app, and its answer back.

mod observed;

use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_protocol::{
    code::Code,
    head::{BodyLength, HeaderLines, HttpVersion, ResponseHead},
};
use hookwire_signatures::Secrets;
use hookwire_tunnel::{
    PumpError, Reply, Request, SentBody, body_length, http_version, is_hop_by_hop, lines, named_by_connection,
};
use http::{HeaderValue, Response, header, response};
use http_body::Body;
use hyper::ext::ReasonPhrase;
use tokio::time::Instant;

use crate::{
    record::{Passed, Recorder},
    route::{Route, choose},
    upstream::{Target, Upstream, UpstreamBody, UpstreamError},
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
        let gone = request.reply.stopped();
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
        let body = Observed::new(body, sent.clone(), Some(watched));
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
            HostHeader::Fixed(host) => Some(host.clone()),
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
    let body = Observed::new(body, returned.clone(), None);
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
        && let Some(body) = sending.body_mut().body_mut()
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
    use std::convert::Infallible;

    use super::*;

    // A request with a body was given twice its time: the body's own arrival counted as a sign of life at the very end.
    #[tokio::test(start_paused = true)]
    async fn patience_counts_from_the_last_sign_of_life() {
        let (patience, begun) = (Duration::from_secs(10), Instant::now());
        let sent = Tee::default();
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
