//! The handle on a session: how the relay sends requests, and how the client takes and answers them.

use std::{
    error::Error,
    fmt,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use hookwire_protocol::{
    code::Code,
    frame::Goaway,
    head::{BodyLength, RequestHead, ResponseHead},
    session::{Reset, Session, Side},
};
use http_body::Body;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use crate::{
    ReceivedBody,
    convert::request_parts,
    pump::{PumpError, SendingHalf, SentBody},
};

/// The session, shared between its driver and everybody who owns a stream.
#[derive(Debug)]
pub(crate) struct Shared {
    session: Mutex<Session>,
}

impl Shared {
    pub(crate) fn new(side: Side) -> Self {
        Self { session: Mutex::new(Session::new(side, Instant::now())) }
    }

    /// Never held across an await. A panic while it was held can't leave the session half-changed in a way that matters more than losing it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle on one session. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tunnel {
    shared: Arc<Shared>,
    /// Request bodies that go on flowing after their answer has begun. The session is not finished before they are, and its loss ends them.
    stragglers: TaskTracker,
}

/// An answer on its way back.
#[derive(Debug)]
pub struct Exchange {
    /// The answer's head.
    pub head: ResponseHead,
    /// The answer's body.
    pub body: ReceivedBody,
}

/// A request on the client's side, with the right to answer it.
#[derive(Debug)]
pub struct Request {
    /// Its head.
    pub head: RequestHead,
    /// Its body.
    pub body: ReceivedBody,
    /// Answers it.
    pub reply: Reply,
}

/// The right to answer one request. Dropped without an answer, the relay learns that there will be none.
#[derive(Debug)]
pub struct Reply {
    half: SendingHalf,
}

impl Tunnel {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, stragglers: TaskTracker::new() }
    }

    /// Relay: sends a request and waits for the head of its answer, as long as something moves at least every `patience`. `blame` names what
    /// went wrong with the request's own body.
    ///
    /// The client hears of every failure under the same code. Dropping the future, or the body of the answer, cancels the exchange down to the app.
    pub async fn send<B>(
        &self,
        head: &RequestHead,
        body: B,
        patience: Duration,
        blame: impl Fn(&B::Error) -> Code,
    ) -> Result<Exchange, Reset>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Send,
    {
        let id = self.shared.lock().open(head)?;
        let half = SendingHalf::new(Arc::clone(&self.shared), id, Code::SenderGone);
        let mut answer = ReceivedBody::new(Arc::clone(&self.shared), id, BodyLength::Unknown, Code::SenderGone);
        let mut request = SentBody::new(half, body);
        let mut timer = pin!(sleep(patience));
        let (mut moved, mut moved_at) = (0, tokio::time::Instant::now());
        let outcome = std::future::poll_fn(|context| {
            let flowing = match request.poll_send(context) {
                Poll::Ready(Err(PumpError::Body(error))) => return Poll::Ready(Err(Reset(blame(&error)))),
                Poll::Ready(Ok(()) | Err(PumpError::Stopped(_))) => false, // a client that stopped reading may still answer
                Poll::Pending => true,
            };
            if request.sent() != moved {
                (moved, moved_at) = (request.sent(), tokio::time::Instant::now());
            }
            if let Poll::Ready(head) = self.shared.lock().poll_response(id, context) {
                return Poll::Ready(head.map(|head| (head, flowing)));
            }
            while timer.as_mut().poll(context).is_ready() {
                if moved_at + patience <= tokio::time::Instant::now() {
                    return Poll::Ready(Err(Reset(Code::AppTimeout)));
                }
                timer.as_mut().reset(moved_at + patience);
            }
            Poll::Pending
        })
        .await;
        match outcome {
            Ok((head, flowing)) => {
                answer.set_length(head.body);
                if flowing {
                    self.stragglers.spawn(straggle(request, patience));
                }
                Ok(Exchange { head, body: answer })
            }
            Err(Reset(code)) => {
                answer.set_reason(code);
                request.abort(code);
                Err(Reset(code))
            }
        }
    }

    /// Client: the next request. `None` once the connection is gone.
    pub async fn next(&self) -> Option<Request> {
        let (id, head) = std::future::poll_fn(|context| self.shared.lock().poll_accept(context)).await?;
        Some(Request {
            body: ReceivedBody::new(Arc::clone(&self.shared), id, head.body, Code::AppDied),
            reply: Reply { half: SendingHalf::new(Arc::clone(&self.shared), id, Code::SessionLost) },
            head,
        })
    }

    /// Takes no new streams, and ends the connection when those in flight are done.
    pub fn go_away(&self, reason: Goaway) {
        self.shared.lock().go_away(reason);
    }

    /// Asks the peer for a sign of life now.
    pub fn probe(&self) {
        self.shared.lock().probe(Instant::now());
    }

    /// Exchanges in flight.
    pub fn in_flight(&self) -> usize {
        self.shared.lock().in_flight()
    }
}

/// The rest of a request body whose answer came early: it goes on to the app, as long as it moves.
async fn straggle<B: Body<Data = Bytes> + Unpin>(mut request: SentBody<B>, patience: Duration) {
    loop {
        let before = request.sent();
        let done =
            tokio::time::timeout(patience, std::future::poll_fn(|context| request.poll_send(context))).await.is_ok();
        if done || request.sent() == before {
            return;
        }
    }
}

impl Request {
    /// The request to give to hyper, without target and body.
    pub fn parts(&self) -> http::request::Parts {
        request_parts(&self.head)
    }
}

impl Reply {
    /// Sends the head of the answer, and takes its body. The returned future sends the body.
    pub fn send<B: Body<Data = Bytes> + Unpin>(self, head: &ResponseHead, body: B) -> Result<SentBody<B>, Reset> {
        self.half.shared().lock().respond(self.half.id(), head)?;
        let mut half = self.half;
        half.reason = Code::AppDied;
        Ok(SentBody::new(half, body))
    }

    /// Sends a whole answer at once.
    pub fn send_whole(self, head: &ResponseHead, body: Bytes) -> Result<(), Reset> {
        let whole = Whole(Some(body).filter(|body| !body.is_empty()));
        let mut sent = self.send(head, whole)?;
        // Our own answers are far smaller than any window: one poll sends all of it.
        let _ = sent.poll_send(&mut Context::from_waker(std::task::Waker::noop()));
        Ok(())
    }

    /// Ready once the sender no longer wants an answer, also after the answer has begun. Only one of these is woken.
    pub fn stopped(&self) -> impl Future<Output = Reset> + Send + use<> {
        let (shared, id) = (Arc::clone(self.half.shared()), self.half.id());
        std::future::poll_fn(move |context| shared.lock().poll_stopped(id, context))
    }
}

/// A body of one piece.
#[derive(Debug)]
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|data| Ok(http_body::Frame::data(data))))
    }
}

impl<E: fmt::Display> fmt::Display for PumpError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(reset) => reset.fmt(f),
            Self::Body(error) => write!(f, "body: {error}"),
        }
    }
}

impl<E: Error> Error for PumpError<E> {}
