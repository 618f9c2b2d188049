//! Requests to the developer's app, over connections that are kept.
//!
//! What goes out is what came in: hyper writes the head and the body, and where it can't carry a request target unchanged the
//! target is written past it. There is no proxy, no redirect, no decompression and no time limit on an answer: whoever waits
//! for one sets it, and ends the exchange by dropping the future or the body.
//!
//! # When a request is sent twice
//! Never, if the app can have seen any of it. RFC 9112 §9.3.1 lets a client repeat a request on its own only when it is
//! idempotent or when it knows that the first one was not processed. A webhook is not idempotent, so we repeat in one case only: the
//! connection was a kept one, the app had closed it, and hyper hands the request back because no byte of it was written. Then it
//! goes out once more, on a new connection. If a byte may have gone out the error is [`UpstreamError::Died`].

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode, Version,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    dial::{
        Socket,
        tcp::{self, TcpError},
    },
    tls::{self, TrustError},
};

mod body;
mod error;
mod pool;
mod target;
mod wire;

pub use crate::dial::AddressError;
pub use body::UpstreamBody;
pub use error::UpstreamError;
pub use target::{Scheme, Target};

use body::Lease;
use pool::{Asked, Connection, Pool, RequestBody};
use target::Origin;
use wire::{RequestTarget, Wire};

/// Default of [`UpstreamConfig::connect_timeout`]. An app on this machine takes a connection within a millisecond, one behind a VPN within a
/// second; gateways give up on the whole webhook after 5 s or more.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How to reach apps.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Take any certificate of an `https` target.
    pub insecure: bool,
    /// Trust these certificates alone for `https` targets, instead of the system's.
    pub ca: Option<Vec<CertificateDer<'static>>>,
    /// Bound on resolving, connecting and the TLS handshake together.
    pub connect_timeout: Duration,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self { insecure: false, ca: None, connect_timeout: CONNECT_TIMEOUT }
    }
}

/// Sends requests to apps. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Upstream {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: UpstreamConfig,
    /// Made for the first `https` target: the system's certificates cost milliseconds and a MiB, and most apps need none.
    tls: OnceLock<Arc<ClientConfig>>,
    /// One for each app that was ever sent to: as many as there are routes and places to replay to.
    pools: Mutex<Vec<Arc<Pool>>>,
    tasks: TaskTracker,
    closed: CancellationToken,
}

impl Upstream {
    /// Ready to send, with no connection yet.
    ///
    /// # Errors
    /// When a certificate of `config.ca` is malformed.
    pub fn new(config: UpstreamConfig) -> Result<Self, TrustError> {
        let shared = Shared {
            config,
            tls: OnceLock::new(),
            pools: Mutex::default(),
            tasks: TaskTracker::new(),
            closed: CancellationToken::new(),
        };
        if shared.config.ca.is_some() {
            shared.tls()?;
        }
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Sends `request` to `target` and waits for the head of the answer.
    ///
    /// `raw_target` stands on the request line as it is (see [`Target::join`]); the URI and version of `request` do not matter.
    /// Headers go out as they are, and `host` is among them or missing. hyper adds the framing where it is missing, and sends
    /// trailers only if they are listed in a `trailer` header (RFC 9110 §6.6.2). Interim answers (1xx) are not passed on.
    /// The reason phrase of the answer is in its extensions ([`hyper::ext::ReasonPhrase`]) unless it is the usual one.
    /// `writing` is called when the request has its connection and begins to be written; once more if that turns out to be closed.
    ///
    /// Dropping the future, or the body of the answer before its end, closes the connection to the app.
    ///
    /// Not an `async fn`: its future would hold every argument twice, and all requests would carry that along.
    pub fn send<B, W>(
        &self,
        target: &Target,
        request: Request<B>,
        raw_target: Bytes,
        mut writing: W,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, UpstreamError>> + Send + use<B, W>
    where
        W: FnMut() + Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let shared = Arc::clone(&self.shared);
        let pool = shared.pool(target.origin());
        let first = begin(&pool, request, raw_target, &mut writing);
        async move {
            let (request, raw) = match first {
                First::Kept(mut asked) => match std::future::poll_fn(|cx| asked.poll(cx)).await {
                    Ok(response) => return finish(response, Lease { connection: asked.into_connection(), pool }),
                    Err(mut failure) => match failure.take_message() {
                        Some(unsent) => (Box::new(unsent), None),
                        None => return Err(UpstreamError::of_exchange(failure.into_error())),
                    },
                },
                First::New(request, raw) => (request, raw),
                First::Impossible(error) => return Err(error),
            };
            // Boxed: it is rare, and its many states would be moved along with every request.
            Box::pin(shared.send_anew(pool, *request, raw, writing)).await
        }
    }

    /// Closes what is idle, and keeps nothing any more. An exchange in flight has its connection to its end; what is waited for here is bodies that an
    /// app goes on reading after its answer. The caller bounds the wait.
    pub async fn close(&self) {
        self.shared.closed.cancel();
        self.shared.pools().iter().for_each(|pool| pool.clear());
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    fn pools(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Pool>>> {
        // Nothing of ours panics while it holds the lock.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self, origin: &Origin) -> Arc<Pool> {
        let mut pools = self.pools();
        if let Some(pool) = pools.iter().find(|pool| pool.origin() == origin) {
            return Arc::clone(pool);
        }
        let pool = Arc::new(Pool::new(origin.clone(), self.tasks.clone(), self.closed.clone()));
        pools.push(Arc::clone(&pool));
        pool
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, TrustError> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let UpstreamConfig { ca, insecure, .. } = &self.config;
        let config = tls::client_config(ca.as_deref(), *insecure, &[tls::HTTP_1_1])?;
        Ok(Arc::clone(self.tls.get_or_init(|| config)))
    }

    /// Sends a request on a new connection.
    async fn send_anew(
        &self,
        pool: Arc<Pool>,
        request: Request<RequestBody>,
        raw_target: Option<Bytes>,
        mut writing: impl FnMut(),
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        let connection = self.connect(&pool, raw_target).await?;
        writing();
        let mut asked = connection.send(request);
        let response = std::future::poll_fn(|cx| asked.poll(cx)).await;
        let response = response.map_err(|failure| UpstreamError::of_exchange(failure.into_error()))?;
        finish(response, Lease { connection: asked.into_connection(), pool })
    }

    /// A new connection, whose first request gets `raw_target` on its line.
    async fn connect(&self, pool: &Pool, raw_target: Option<Bytes>) -> Result<Connection, UpstreamError> {
        let unreachable = |source| UpstreamError::Unreachable { address: pool.origin().authority(), source };
        let socket = timeout(self.config.connect_timeout, self.socket(pool))
            .await
            .map_err(|_elapsed| unreachable(io::ErrorKind::TimedOut.into()))??;
        Connection::new(Wire::new(socket, raw_target)).await.map_err(UpstreamError::Died)
    }

    async fn socket(&self, pool: &Pool) -> Result<Socket, UpstreamError> {
        let origin = pool.origin();
        let address = || origin.authority();
        let (stream, reached) =
            tcp::connect(&origin.host, origin.port, pool.address()).await.map_err(|error| match error {
                TcpError::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    UpstreamError::Refused { address: address() }
                }
                TcpError::Connect(source) | TcpError::Resolve(source) => {
                    UpstreamError::Unreachable { address: address(), source }
                }
            })?;
        pool.set_address(reached);
        match origin.scheme {
            Scheme::Http => Ok(Socket::Plain(stream)),
            Scheme::Https => Socket::secure(stream, &origin.host, self.tls()?)
                .await
                .map_err(|problem| UpstreamError::Tls { address: address(), problem }),
        }
    }
}

/// How a request begins.
enum First {
    /// On a kept connection. The app may have closed it meanwhile.
    Kept(Asked),
    /// On a new one, with a target that hyper can't write.
    New(Box<Request<RequestBody>>, Option<Bytes>),
    /// Not at all.
    Impossible(UpstreamError),
}

/// Begins to write a request, if there is a connection for it.
fn begin<B>(pool: &Pool, request: Request<B>, raw_target: Bytes, writing: &mut impl FnMut()) -> First
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (uri, raw) = match RequestTarget::new(raw_target) {
        Ok(target) => target.split(),
        Err(error) => return First::Impossible(error),
    };
    let mut request = framed(request);
    *request.uri_mut() = uri;
    // A target that hyper can't write needs a connection made for it.
    match raw.is_none().then(|| pool.take()).flatten() {
        Some(connection) => {
            writing();
            First::Kept(connection.send(request))
        }
        None => First::New(Box::new(request), raw),
    }
}

/// The request as HTTP/1.1, its body as the pool's connections take it.
fn framed<B>(request: Request<B>) -> Request<RequestBody>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut request = request.map(|body| body.map_err(Into::into).boxed_unsync());
    *request.version_mut() = Version::HTTP_11;
    let body = request.body();
    let unframed = !body.is_end_stream() && body.size_hint().exact().is_none();
    let headers = request.headers_mut();
    // hyper would leave out the body of a `GET` or `HEAD` whose length it does not know.
    if unframed && !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    request
}

fn finish(response: Response<Incoming>, lease: Lease) -> Result<Response<UpstreamBody>, UpstreamError> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let reason = "it switches protocols, which nobody asked for";
        return Err(UpstreamError::BadAnswer(reason.into()));
    }
    Ok(response.map(|incoming| UpstreamBody::new(incoming, lease)))
}

#[cfg(test)]
mod tests;
