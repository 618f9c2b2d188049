//! The handle on a session: how the relay sends requests, and how the client takes and answers them.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use hookwire_protocol::{
    code::Code,
    frame::{Goaway, StreamId},
    head::{BodyLength, RequestHead, ResponseHead},
    hello::Backlog,
    session::{Reset, Session, Side},
};
use http_body::Body;
use tokio_util::task::TaskTracker;

use crate::{
    ReceivedBody,
    pump::{PumpError, SendingHalf, SentBody},
    sending::Opened,
};

/// The session, shared between its driver and everybody who owns a stream.
#[derive(Debug)]
pub(crate) struct Shared {
    session: Mutex<Session>,
    /// Request bodies that go on flowing after their answer has begun. The session is not finished before they are, and its loss ends them.
    pub(crate) stragglers: TaskTracker,
}

impl Shared {
    pub(crate) fn new(side: Side) -> Self {
        Self { session: Mutex::new(Session::new(side, now())), stragglers: TaskTracker::new() }
    }

    /// Never held across an await. A panic while it was held can't leave the session half-changed in a way that matters more than losing it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time by tokio's clock, which timers go by, and which tests can stop.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A handle on one session. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tunnel {
    shared: Arc<Shared>,
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
        Self { shared }
    }

    /// Relay: opens a stream with a request's head. Nothing was sent if it fails.
    pub fn open(&self, head: &RequestHead) -> Result<Opened, Reset> {
        let id = self.shared.lock().open(head)?;
        let half = SendingHalf::new(Arc::clone(&self.shared), id, Code::SenderGone);
        let answer = ReceivedBody::new(Arc::clone(&self.shared), id, BodyLength::Unknown, Code::SenderGone);
        Ok(Opened { half, answer })
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
        let mut sending = self.open(head)?.with_body(body);
        match sending.head(patience, blame).await {
            Ok(head) => Ok(sending.into_exchange(head, patience)),
            Err(Reset(code)) => {
                sending.give_up(code);
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
        self.shared.lock().probe(now());
    }

    /// Asks the peer for a sign of life without hurry: [`round_trip`](Self::round_trip) has it afterwards.
    pub fn measure(&self) {
        self.shared.lock().measure(now());
    }

    /// The last round trip that was measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.shared.lock().round_trip()
    }

    /// Relay: tells the client what is held for it.
    pub fn notify(&self, backlog: &Backlog) {
        self.shared.lock().notify(backlog.encoded());
    }

    /// Client: what the relay holds, as last told. Never, once the connection is gone; a notice that is none is passed over.
    pub async fn notice(&self) -> Backlog {
        loop {
            match std::future::poll_fn(|context| self.shared.lock().poll_notice(context)).await {
                Some(json) => {
                    if let Some(backlog) = Backlog::decode(&json) {
                        return backlog;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Exchanges in flight.
    pub fn in_flight(&self) -> usize {
        self.shared.lock().in_flight()
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

    /// Tells whether the app is late, also when this was given away. It forgets once the exchange is over.
    pub fn lateness(&self) -> Lateness {
        Lateness { shared: Arc::clone(self.half.shared()), id: self.half.id() }
    }

    /// Ready once the sender no longer wants an answer, also after the answer has begun. Only one of these is woken.
    pub fn stopped(&self) -> impl Future<Output = Reset> + Send + use<> {
        let (shared, id) = (Arc::clone(self.half.shared()), self.half.id());
        std::future::poll_fn(move |context| shared.lock().poll_stopped(id, context))
    }
}

/// Whether the relay has answered a request's sender in the app's place.
#[derive(Debug)]
pub struct Lateness {
    shared: Arc<Shared>,
    id: StreamId,
}

impl Lateness {
    /// The status that the sender got, if it was not the app's.
    pub fn answered(&self) -> Option<u16> {
        self.shared.lock().answered(self.id)
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
