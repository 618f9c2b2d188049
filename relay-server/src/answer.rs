//! What senders get: the app's answer, or the relay's own.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hookwire_protocol::{code::Code, head::ResponseHead, session::Reset};
use hookwire_tunnel::{ReceivedBody, response_parts};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::ext::ReasonPhrase;
use tokio::time::{Sleep, sleep};

use crate::{guard::Answering, limits, listen::Busy};

/// The header that only hookwire sets: the stable code of what went wrong.
pub(crate) const ERROR: HeaderName = HeaderName::from_static("hookwire-error");

/// The header that names a held webhook, to its sender and to the app.
const DELIVERY_ID: HeaderName = HeaderName::from_static("hookwire-delivery-id");

/// The body of an answer, and what has to live as long as it.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    content: Content,
    held: Option<Held>,
}

/// Dropped with the body, after its last byte: lets a connection know that its request is answered.
#[derive(Debug)]
#[expect(dead_code, reason = "held for their drop")]
pub(crate) enum Held {
    /// The guard's deadlines for the sender stand still meanwhile.
    Http1(Answering),
    /// The connection is not idle meanwhile.
    Http2(Busy),
}

#[derive(Debug)]
enum Content {
    /// The app's, through the tunnel, with the timer that runs while it is silent.
    App(ReceivedBody, Option<Pin<Box<Sleep>>>),
    /// The relay's own.
    Own(Full<Bytes>),
}

impl AnswerBody {
    fn new(content: Content) -> Self {
        Self { content, held: None }
    }

    /// A body without a byte.
    pub(crate) fn empty() -> Self {
        Self::new(Content::Own(Full::default()))
    }

    /// Keeps something until the body is gone.
    pub(crate) fn hold(&mut self, held: Held) {
        self.held = Some(held);
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Reset;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Reset>>> {
        match &mut self.get_mut().content {
            Content::App(body, silence) => {
                if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
                    *silence = None;
                    return Poll::Ready(frame);
                }
                let timer = silence.get_or_insert_with(|| Box::pin(sleep(limits::ANSWER_SILENCE)));
                timer.as_mut().poll(context).map(|()| Some(Err(Reset(Code::AppTimeout))))
            }
            Content::Own(body) => Pin::new(body).poll_frame(context).map_err(|never: Infallible| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::App(body, _) => body.is_end_stream(),
            Content::Own(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::App(body, _) => body.size_hint(),
            Content::Own(body) => body.size_hint(),
        }
    }
}

/// The relay's own answer for one row of the table.
pub(crate) fn refuse(code: Code) -> Response<AnswerBody> {
    let mut response = json(StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_GATEWAY), code.json());
    mark(response.headers_mut(), code);
    if code == Code::BadToken {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The relay has the webhook, and the app will get it.
pub(crate) mod accepted {
    use super::{AnswerBody, DELIVERY_ID, HeaderValue, Response, StatusCode, json};
    use uuid::Uuid;

    /// "The request has been accepted for processing, but the processing has not been completed" (RFC 9110 §15.3.3).
    pub(crate) const STATUS: StatusCode = StatusCode::ACCEPTED;

    /// Only for what the inbox has synced.
    pub(crate) fn response(id: Uuid) -> Response<AnswerBody> {
        let id = id.to_string();
        let mut response = json(STATUS, format!(r#"{{"held":"{id}"}}"#));
        if let Ok(value) = HeaderValue::try_from(id) {
            response.headers_mut().insert(DELIVERY_ID, value);
        }
        response
    }
}

/// The relay's own answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: String) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::new(Content::Own(Full::new(Bytes::from(body)))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The app's answer, or the client's when the app has none.
pub(crate) fn pass_on(head: &ResponseHead, body: ReceivedBody) -> Response<AnswerBody> {
    let mut parts = response_parts(head);
    // The app can never pretend to be us.
    parts.headers.remove(ERROR);
    if let Some(code) = head.error {
        mark(&mut parts.headers, code);
    }
    if let Some(reason) = head.reason.as_ref().and_then(|reason| ReasonPhrase::try_from(reason.clone()).ok()) {
        parts.extensions.insert(reason);
    }
    Response::from_parts(parts, AnswerBody::new(Content::App(body, None)))
}

fn mark(headers: &mut http::HeaderMap, code: Code) {
    headers.insert(ERROR, HeaderValue::from_static(code.as_str()));
    if let Some(seconds) = code.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}
