//! One request that is here already: to the app, and its answer to nobody.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hookwire_protocol::{code::Code, head::BodyLength};
use hookwire_tunnel::request_parts;
use http::{HeaderName, HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Forwarder, Observed, Outcome, Passage, answered, ask, response_head};
use crate::{judge::Passing, record::Passed, replay::Replay, upstream::UpstreamBody};

/// Tells the app that it sees a request again: the id of the exchange that is repeated.
const REPLAY: HeaderName = HeaderName::from_static("hookwire-replay");

impl Forwarder {
    /// Takes a stored request to the app, on the way that live ones go. Ends early when it is no longer wanted.
    pub(crate) async fn repeat(self: &Arc<Self>, replay: Replay, stop: &CancellationToken) -> Passed {
        let passage = Passage::begin(Arc::clone(self), replay.head.clone());
        let outcome = tokio::select! {
            biased; // an answer that is ready counts
            outcome = take_again(&replay, &passage) => outcome,
            () = stop.cancelled() => Outcome { response: None, error: Some(Code::SenderGone), late: false },
        };
        Passed {
            origin: replay.origin(),
            endpoint: replay.endpoint,
            request_body: Passing::whole(&replay.body, &self.recorder),
            ..passage.passed(outcome, passage.begun.elapsed())
        }
    }
}

async fn take_again(replay: &Replay, passage: &Arc<Passage>) -> Outcome {
    let mut parts = request_parts(&replay.head);
    if let Ok(id) = HeaderValue::try_from(replay.of.hyphenated().to_string()) {
        parts.headers.insert(REPLAY, id);
    }
    let sized = replay.head.body != BodyLength::Unknown;
    let body = Whole { data: Some(replay.body.clone()).filter(|body| !body.is_empty()), sized };
    match answered(pin!(ask(passage, parts, body)), passage).await {
        Ok(response) => read(response, passage).await,
        Err(code) => Outcome { response: None, error: Some(code), late: false },
    }
}

/// Reads an answer to its end, as long as something of it comes at least as often as an app may take to begin one.
async fn read(response: Response<UpstreamBody>, passage: &Arc<Passage>) -> Outcome {
    let (parts, body) = response.into_parts();
    let head = response_head(&parts, body.is_end_stream());
    let mut body = pin!(Observed::new(body, Arc::clone(passage)));
    let error = loop {
        let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context));
        match timeout(passage.forwarder.app.timeout, frame).await {
            Ok(Some(Ok(_))) => {}
            Ok(None) => break None,
            Ok(Some(Err(_))) => break Some(Code::AppDied),
            Err(_) => break Some(Code::AppTimeout),
        }
    };
    Outcome { response: Some(head), error, late: false }
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
