//! One request that is here already: to the app, and its answer to nobody.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use bytes::Bytes;
use hookwire_protocol::{code::Code, head::BodyLength};
use hookwire_tunnel::request_parts;
use http::{HeaderName, HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Forwarder, Observed, Outcome, Passage, response_head};
use crate::{judge::Passing, record::Passed, replay::Replay, upstream::UpstreamBody};

/// Tells the app that it sees a request again: the id of the exchange that is repeated.
const REPLAY: HeaderName = HeaderName::from_static("hookwire-replay");

impl Forwarder {
    /// Takes a stored request to the app, on the way that live ones go. Ends early when it is no longer wanted.
    pub(crate) async fn repeat(&self, replay: Replay, stop: &CancellationToken) -> Passed {
        let mut passage = Passage::begin(&self.recorder);
        let outcome = tokio::select! {
            biased; // an answer that is ready counts
            outcome = self.take_again(&replay, &mut passage) => outcome,
            () = stop.cancelled() => Outcome { response: None, error: Some(Code::SenderGone), late: false },
        };
        Passed {
            origin: replay.origin(),
            endpoint: replay.endpoint,
            request: replay.head,
            request_body: Passing::whole(&replay.body, &self.recorder),
            response: outcome.response,
            response_body: passage.returned.take(),
            error: outcome.error,
            received_at: passage.received_at,
            forwarded: passage.since_begun(passage.sent.forwarded()),
            first_byte: passage.since_begun(passage.answered),
            late: false,
            held: false,
            duration: passage.begun.elapsed(),
            awaited: None,
        }
    }

    async fn take_again(&self, replay: &Replay, passage: &mut Passage) -> Outcome {
        let mut parts = request_parts(&replay.head);
        if let Ok(id) = HeaderValue::try_from(replay.of.hyphenated().to_string()) {
            parts.headers.insert(REPLAY, id);
        }
        let sized = replay.head.body != BodyLength::Unknown;
        let body = Whole { data: Some(replay.body.clone()).filter(|body| !body.is_empty()), sized };
        let answer = self.ask(&replay.head, parts, body, passage).await;
        passage.answered = answer.is_ok().then(Instant::now);
        match answer {
            Ok(response) => self.read(response, passage).await,
            Err(code) => Outcome { response: None, error: Some(code), late: false },
        }
    }

    /// Reads an answer to its end, as long as something of it comes at least every `timeout`.
    async fn read(&self, response: Response<UpstreamBody>, passage: &Passage) -> Outcome {
        let (parts, body) = response.into_parts();
        let head = response_head(&parts, body.is_end_stream());
        let mut body = pin!(Observed::new(body, passage.returned.clone(), None));
        let error = loop {
            let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context));
            match timeout(self.app.timeout, frame).await {
                Ok(Some(Ok(_))) => {}
                Ok(None) => break None,
                Ok(Some(Err(_))) => break Some(Code::AppDied),
                Err(_) => break Some(Code::AppTimeout),
            }
        };
        Outcome { response: Some(head), error, late: false }
    }
}

/// A body of one piece, whose length is told where the first sender told it.
#[derive(Debug)]
struct Whole {
    data: Option<Bytes>,
    sized: bool,
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.sized
    }

    fn size_hint(&self) -> SizeHint {
        match &self.data {
            Some(data) if self.sized => SizeHint::with_exact(data.len() as u64),
            None if self.sized => SizeHint::with_exact(0),
            _ => SizeHint::new(),
        }
    }
}
