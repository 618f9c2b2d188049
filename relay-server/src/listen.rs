//! Accepts connections and serves HTTP on them.

use std::{
    cell::Cell,
    convert::Infallible,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use socket2::{Domain, Socket, Type};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFuture},
    task::TaskTracker,
};

use crate::{
    RelayError,
    answer::{AnswerBody, Held},
    calm::Caller,
    guard::{Alarm, Guard, HeadLimits, ReadTimeouts},
    ingress::{Ingress, Sender},
    limits,
    stream::{Prefixed, Stream},
};

/// How an HTTP/2 connection starts (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The first read of a plain connection: a usual webhook, head and body.
const FIRST_READ: usize = 4 * 1024;

/// Opens a listening socket.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, RelayError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        #[cfg(unix)]
        socket.set_reuse_address(true)?; // a restart must not wait for old connections to fade
        socket.set_tcp_nodelay(true)?;
        socket.bind(&address.into())?;
        socket.listen(limits::BACKLOG.cast_signed())?;
        TcpListener::from_std(socket.into())
    };
    open().map_err(|source| RelayError::Listen { address, source })
}

/// Serves connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) ingress: Arc<Ingress>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// The grace of a stop is over.
    pub(crate) abort: CancellationToken,
    /// One for each connection, whichever listener it came to.
    pub(crate) permits: Arc<Semaphore>,
}

impl Server {
    /// Accepts until the relay stops. Over the bound of connections, new ones wait in the kernel.
    pub(crate) async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut stop = pin!(self.stop.cancelled());
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.as_mut() => return,
                accepted = next(&listener, &self.permits) => accepted,
            };
            if let Some((socket, peer, permit)) = accepted {
                // Boxed: on its way into a task and out of it again, a future is copied eight times.
                self.tasks.spawn(Box::pin(Arc::clone(&self).serve(socket, peer, permit)));
            }
        }
    }

    async fn serve(self: Arc<Self>, socket: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        // Linux has it from the listening socket. It fails only on a socket that is gone already.
        #[cfg(not(target_os = "linux"))]
        let _ = socket.set_nodelay(true);
        let sender = Sender {
            address: peer.ip().to_canonical().to_string(),
            secure: self.tls.is_some(),
            _permit: Arc::new(permit),
        };
        let mut stop = pin!(self.stop.cancelled());
        let mut alarm = Alarm::default();
        let opened = tokio::select! {
            biased;
            opened = self.open(socket, &mut alarm) => opened,
            () = stop.as_mut() => return, // nobody has asked for anything yet
        };
        let ended = match opened {
            Ok(Opened::Http1(stream, prefix)) => self.serve_http1(stream, prefix, sender, alarm, stop).await,
            // Boxed, as TLS is: what most connections don't need would be carried along by all.
            Ok(Opened::Http2(stream)) => Box::pin(self.serve_http2(stream, sender)).await,
            Err(error) => {
                tracing::debug!(%peer, %error, "connection ended before its first request");
                return;
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "connection ended early");
        }
    }

    /// Finds out what is spoken on a new connection.
    async fn open(&self, mut socket: TcpStream, alarm: &mut Alarm) -> io::Result<Opened> {
        if let Some(tls) = &self.tls {
            let handshake = Box::pin(TlsAcceptor::from(Arc::clone(tls)).accept(socket));
            let stream = alarm.limit(limits::TLS_HANDSHAKE, handshake).await??;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = Stream::Tls(Box::new(stream));
            return Ok(if is_http2 {
                Opened::Http2(Prefixed::new(stream, Bytes::new()))
            } else {
                Opened::Http1(stream, Bytes::new())
            });
        }
        let prefix = alarm.limit(limits::FIRST_BYTE, sniff(&mut socket)).await??.freeze();
        let stream = Stream::Plain(socket);
        Ok(if prefix.starts_with(HTTP2_PREFACE) {
            Opened::Http2(Prefixed::new(stream, prefix))
        } else {
            Opened::Http1(stream, prefix)
        })
    }

    async fn serve_http1(
        &self,
        stream: Stream,
        prefix: Bytes,
        sender: Sender,
        alarm: Alarm,
        mut stop: Pin<&mut WaitForCancellationFuture<'_>>,
    ) -> hyper::Result<()> {
        let (guard, notes) = Guard::new(stream, prefix, HeadLimits::default(), ReadTimeouts::default(), alarm);
        let ordinal = Cell::new(0);
        let service = service_fn(move |request: Request<Incoming>| {
            let note = notes.take(ordinal.replace(ordinal.get() + 1));
            let answering = notes.answering();
            self.ingress.handle(request, &sender, note).map(|mut response| {
                response.body_mut().hold(Held::Http1(answering));
                Ok::<Response<AnswerBody>, Infallible>(response)
            })
        });
        let connection = http1::Builder::new()
            .header_read_timeout(None) // the guard keeps time
            .max_buf_size(limits::READ_BUFFER)
            .auto_date_header(false) // answers go back as the app made them
            .serve_connection(TokioIo::new(guard), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let mut caller = Caller::default();
        tokio::select! {
            biased;
            ended = poll_fn(|context| caller.poll(connection.as_mut(), context)) => return ended,
            () = stop.as_mut() => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            ended = connection => ended,
            () = self.abort.cancelled() => Ok(()),
        }
    }

    async fn serve_http2(&self, stream: Prefixed<Stream>, sender: Sender) -> hyper::Result<()> {
        let busy = Busy::default();
        let service = service_fn(|request: Request<Incoming>| {
            let busy = busy.clone();
            self.ingress.handle(request, &sender, None).map(|mut response| {
                response.body_mut().hold(Held::Http2(busy));
                Ok::<Response<AnswerBody>, Infallible>(response)
            })
        });
        let connection = http2::Builder::new(Tracked(self.tasks.clone()))
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits::HTTP2_STREAMS)
            .max_header_list_size(limits::HTTP2_HEADERS)
            .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW)
            .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW)
            .max_pending_accept_reset_streams(limits::HTTP2_PENDING_RESETS)
            .keep_alive_interval(limits::HTTP2_IDLE)
            .auto_date_header(false)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut idle = tokio::time::interval_at(Instant::now() + limits::HTTP2_IDLE, limits::HTTP2_IDLE);
        let mut closing = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => return ended,
                () = self.abort.cancelled(), if closing => return Ok(()),
                () = self.stop.cancelled(), if !closing => closing = true,
                _ = idle.tick(), if !closing => closing = busy.rested(),
            }
            if closing {
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The next connection, once there is room for one. `None` after a failed accept, and a pause.
async fn next(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?; // never closed
    match listener.accept().await {
        Ok((socket, peer)) => Some((socket, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "can't accept a connection");
            tokio::time::sleep(limits::ACCEPT_PAUSE).await;
            None
        }
    }
}

/// A connection, once it is clear what is spoken on it.
enum Opened {
    /// With the bytes that were read to find out.
    Http1(Stream, Bytes),
    Http2(Prefixed<Stream>),
}

/// Reads until it is clear whether HTTP/1 or HTTP/2 is spoken.
async fn sniff(socket: &mut TcpStream) -> io::Result<BytesMut> {
    let mut prefix = BytesMut::with_capacity(FIRST_READ);
    while prefix.len() < HTTP2_PREFACE.len() && HTTP2_PREFACE.starts_with(&prefix) {
        if socket.read_buf(&mut prefix).await? == 0 {
            break;
        }
    }
    Ok(prefix)
}

/// Shared by all requests of a connection while they are answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Busy(Arc<AtomicBool>);

impl Busy {
    /// Whether no request was being answered at any time since the last call.
    fn rested(&self) -> bool {
        // The connection itself holds one.
        !self.0.swap(false, Ordering::Relaxed) && Arc::strong_count(&self.0) == 1
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs hyper's tasks for HTTP/2 streams where the relay can wait for them.
#[derive(Clone, Debug)]
struct Tracked(TaskTracker);

impl<F> hyper::rt::Executor<F> for Tracked
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
