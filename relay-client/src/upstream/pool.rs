//! Connections to one app, kept between requests.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{self, Builder, SendRequest},
    },
};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{target::Origin, wire::Wire};
use crate::dial::Socket;

/// A request's body as the pool's connections take it.
pub(super) type RequestBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Idle connections kept to one app. A gateway's burst runs into the low hundreds; beyond it connecting anew costs less than a
/// default limit of 1,024 file descriptors.
const IDLE_CONNECTIONS: usize = 256;

/// How long a connection is kept without a request. Node and uvicorn close theirs after 5 s: to be first means that no webhook
/// is written into a connection that the app is closing at this moment.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// How long an app may go on reading a request that it has answered. Most close; an app that neither reads nor closes must not hold a
/// webhook's memory for ever.
const READS_ON: Duration = Duration::from_mins(2);

/// Largest head of an answer, in bytes. Apps and proxies that bound theirs do so at 8 to 32 KiB.
const ANSWER_HEAD: usize = 64 * 1024;

/// Bytes that hyper reads at once, and gathers before it writes. As large as a head may be, as a head has to fit into it;
/// hyper grows to it only while reads fill what it has.
const BUFFER: usize = ANSWER_HEAD;

/// One connection to the app. Dropping it closes the socket, whatever is going on there.
///
/// hyper's side of it is driven by whoever uses it, not by a task of its own: a request is on the socket before its owner waits for the
/// first time, and no webhook is handed from task to task and back. It also means that nothing happens on an idle one until it is
/// looked at.
#[derive(Debug)]
pub(super) struct Connection {
    requests: SendRequest<RequestBody>,
    /// None once it has ended.
    driver: Option<Box<http1::Connection<TokioIo<Wire<Socket>>, RequestBody>>>,
}

impl Connection {
    /// Speaks HTTP/1.1 over `wire`.
    pub(super) async fn new(wire: Wire<Socket>) -> hyper::Result<Self> {
        let (requests, driver) =
            Builder::new().max_buf_size(BUFFER).max_header_size(ANSWER_HEAD).handshake(TokioIo::new(wire)).await?;
        Ok(Self { requests, driver: Some(Box::new(driver)) })
    }

    /// Sends a request.
    pub(super) fn send(mut self, request: Request<RequestBody>) -> Asked {
        let answer = Box::pin(self.requests.try_send_request(request));
        Asked { connection: self, answer }
    }

    /// Moves bytes both ways, as far as they go now. What ends the connection is told to the request on it; with none, it is nobody's.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if self.driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(cx).is_ready()) {
            self.driver = None;
        }
    }

    /// Whether it can take a request now. Most often hyper knows it since the last byte of the answer.
    fn is_ready(&mut self) -> bool {
        if self.requests.is_ready() {
            return true;
        }
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.requests.is_ready()
    }

    /// Waits until it can take a request again.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.drive(cx);
        self.requests.poll_ready(cx)
    }
}

/// The head of an answer; or why there is none, with the request if no byte of it was written.
type Answered = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>;

/// A request on its connection, and its answer still to come. Dropping it closes the socket.
pub(super) struct Asked {
    connection: Connection,
    answer: Pin<Box<dyn Future<Output = Answered> + Send>>,
}

impl Asked {
    /// Moves the request on, and looks for the head of its answer.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answered> {
        self.connection.drive(cx);
        self.answer.as_mut().poll(cx)
    }

    /// What the answer's body comes on.
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }
}

/// The idle connections to one app, and the address it was last reached at.
#[derive(Debug)]
pub(super) struct Pool {
    origin: Origin,
    state: Mutex<State>,
    tasks: TaskTracker,
    closed: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    /// Oldest first; the youngest is taken, so that a lull lets the others go.
    idle: Vec<(Instant, Connection)>,
    /// Whether a task runs that drops what was idle for too long.
    swept: bool,
    address: Option<SocketAddr>,
}

impl Pool {
    /// What it connects to.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// An empty pool whose tasks belong to `tasks`, and which keeps nothing once `closed` is cancelled.
    pub(super) fn new(origin: Origin, tasks: TaskTracker, closed: CancellationToken) -> Self {
        Self { origin, state: Mutex::default(), tasks, closed }
    }

    /// The connection that was used last, if it was lately. Whether the app has closed it meanwhile is seen when a request is sent on it,
    /// before any of it is written.
    pub(super) fn take(&self) -> Option<Connection> {
        let (since, connection) = self.lock().idle.pop()?;
        (since.elapsed() < IDLE_LIMIT).then_some(connection)
    }

    /// Keeps a connection whose answer was read to its end, as soon as its request is written to the end as well.
    pub(super) fn give_back(self: &Arc<Self>, mut connection: Connection) {
        if connection.is_ready() {
            self.keep(connection);
        } else if connection.driver.is_some() {
            // The answer was early: the app goes on reading the request's body, and hyper goes on writing it.
            let pool = Arc::clone(self);
            self.tasks.spawn(async move {
                let ready = std::future::poll_fn(|cx| connection.poll_ready(cx));
                let ready = tokio::select! {
                    ready = timeout(READS_ON, ready) => ready,
                    () = pool.closed.cancelled() => return,
                };
                if let Ok(Ok(())) = ready {
                    pool.keep(connection);
                }
            });
        }
    }

    /// Where the app was reached last.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.lock().address
    }

    /// Remembers where the app was reached.
    pub(super) fn set_address(&self, address: SocketAddr) {
        self.lock().address = Some(address);
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.lock().idle.len()
    }

    /// Closes all idle connections.
    pub(super) fn clear(&self) {
        self.lock().idle.clear();
    }

    fn keep(self: &Arc<Self>, connection: Connection) {
        let mut state = self.lock();
        if self.closed.is_cancelled() || state.idle.len() >= IDLE_CONNECTIONS {
            return;
        }
        state.idle.push((Instant::now(), connection));
        if !state.swept {
            state.swept = true;
            let sweep = sweep(Arc::downgrade(self), self.closed.clone());
            self.tasks.spawn(sweep);
        }
    }

    /// Drops what is too old; whether anything is left.
    fn sweep(&self) -> bool {
        let mut state = self.lock();
        let young = state.idle.partition_point(|(since, _)| since.elapsed() >= IDLE_LIMIT);
        state.idle.drain(..young);
        state.swept = !state.idle.is_empty();
        state.swept
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of ours can panic while it holds the lock, and a stack of connections has no broken state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sweeps as long as something is idle: a connection is closed between one and one and a quarter of [`IDLE_LIMIT`].
async fn sweep(pool: Weak<Pool>, closed: CancellationToken) {
    loop {
        tokio::select! {
            () = sleep(IDLE_LIMIT / 4) => {}
            () = closed.cancelled() => return,
        }
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}
