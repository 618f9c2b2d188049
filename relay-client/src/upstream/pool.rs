//! Connections to one app, kept between requests.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::wire::Wire;
use crate::dial::Socket;

/// A request's body as the pool's connections take it.
pub(super) type RequestBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Idle connections kept to one app. A gateway's burst runs into the low hundreds; beyond it connecting anew costs less than a
/// default limit of 1,024 file descriptors.
const IDLE_CONNECTIONS: usize = 256;

/// How long a connection is kept without a request. Node and uvicorn close theirs after 5 s: to be first means that no webhook
/// is written into a connection that the app is closing at this moment.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// Largest head of an answer, in bytes. Apps and proxies that bound theirs do so at 8 to 32 KiB.
const ANSWER_HEAD: usize = 64 * 1024;

/// Bytes that hyper reads at once, and gathers before it writes. As large as a head may be, as a head has to fit into it;
/// hyper grows to it only while reads fill what it has.
const BUFFER: usize = ANSWER_HEAD;

/// One connection to the app. Dropping it closes the socket, whatever is going on there.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) requests: SendRequest<RequestBody>,
    /// Never sent on: its end ends the task that drives the socket.
    _alive: oneshot::Sender<Infallible>,
}

impl Connection {
    /// Speaks HTTP/1.1 over `wire`, driven by a task of `tasks`.
    pub(super) async fn new(wire: Wire<Socket>, tasks: &TaskTracker) -> hyper::Result<Self> {
        let (requests, connection) =
            Builder::new().max_buf_size(BUFFER).max_header_size(ANSWER_HEAD).handshake(TokioIo::new(wire)).await?;
        let (alive, dropped) = oneshot::channel();
        tasks.spawn(async move {
            // An error of the connection is told to the request on it; with no request on it, it is nobody's.
            tokio::select! {
                _ = connection => {}
                _ = dropped => {}
            }
        });
        Ok(Self { requests, _alive: alive })
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.requests.poll_ready(cx)
    }
}

/// The idle connections to one app, and the address it was last reached at.
#[derive(Debug)]
pub(super) struct Pool {
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
    /// An empty pool whose tasks belong to `tasks`, and which keeps nothing once `closed` is cancelled.
    pub(super) fn new(tasks: TaskTracker, closed: CancellationToken) -> Self {
        Self { state: Mutex::default(), tasks, closed }
    }

    /// The connection that was used last, if there is one that can be used again.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut state = self.lock();
        while let Some((since, connection)) = state.idle.pop() {
            if since.elapsed() < IDLE_LIMIT && connection.requests.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose answer was read to its end, as soon as its request is written to the end as well.
    pub(super) fn give_back(self: &Arc<Self>, mut connection: Connection) {
        if connection.requests.is_ready() {
            self.keep(connection);
        } else if !connection.requests.is_closed() {
            // The answer was early: the app goes on reading the request's body, and hyper goes on writing it.
            let pool = Arc::clone(self);
            self.tasks.spawn(async move {
                if std::future::poll_fn(|cx| connection.poll_ready(cx)).await.is_ok() {
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
