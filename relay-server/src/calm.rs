//! Keeps a connection from being woken for nothing.
//!
//! Whoever takes a piece of an HTTP/1 body out of hyper wakes the connection that it came over, since there is room for the next piece.
//! Of nearly every webhook the first piece is all there is, and the task that takes it is the connection's own: each webhook would have
//! its whole connection polled once more. So a connection gets a waker whose calls [`CalmBody`] holds back until it knows whether
//! anything is left to be read.

use std::{
    cell::Cell,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

thread_local! {
    // hyper calls the waker from within the taking, so this concerns nobody else's calls.
    /// Whether a piece is being taken on this thread.
    static TAKING: Cell<bool> = const { Cell::new(false) };
    /// The connection that was called meanwhile.
    static CALLED: Cell<Option<Arc<Calm>>> = const { Cell::new(None) };
}

/// Wakes a connection's task, unless it is called because a piece is being taken.
#[derive(Debug)]
struct Calm(Waker);

impl Wake for Calm {
    fn wake(self: Arc<Self>) {
        if TAKING.get() {
            CALLED.set(Some(self));
        } else {
            self.0.wake_by_ref();
        }
    }
}

/// Polls one connection, with a waker of its own.
#[derive(Debug, Default)]
pub(crate) struct Caller(Option<(Arc<Calm>, Waker)>);

impl Caller {
    pub(crate) fn poll<F: Future>(&mut self, connection: Pin<&mut F>, context: &Context<'_>) -> Poll<F::Output> {
        let known = self.0.take().filter(|(calm, _)| calm.0.will_wake(context.waker()));
        let (_, waker) = self.0.insert(known.unwrap_or_else(|| {
            let calm = Arc::new(Calm(context.waker().clone()));
            (Arc::clone(&calm), calm.into())
        }));
        connection.poll(&mut Context::from_waker(waker))
    }
}

/// A request's body that has its connection woken only if something is left to be read.
#[derive(Debug)]
pub(crate) struct CalmBody(Incoming);

impl CalmBody {
    pub(crate) fn new(body: Incoming) -> Self {
        Self(body)
    }
}

impl Body for CalmBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let taking = Taking::begin();
        let frame = Pin::new(&mut self.0).poll_frame(context);
        drop(taking);
        if let Some(connection) = CALLED.take()
            && !self.0.is_end_stream()
        {
            connection.wake();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// While it lives, a piece is being taken.
struct Taking;

impl Taking {
    fn begin() -> Self {
        TAKING.set(true);
        Self
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        TAKING.set(false);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        future::{pending, poll_fn},
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use http::{Request, Response};
    use http_body_util::{BodyExt, Full};
    use hyper::{server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const HEAD: &str = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ";

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often a connection calls its task while the whole body of a request, which came in one piece, is taken.
    async fn calls(calm: bool) -> usize {
        let (mut sender, socket) = duplex(1024);
        sender.write_all(format!("{HEAD}3\r\n\r\nabc").as_bytes()).await.unwrap();
        let service = service_fn(async |request: Request<Incoming>| {
            let body = request.into_body();
            let all = if calm { CalmBody::new(body).collect().await } else { body.collect().await };
            assert_eq!(all.unwrap().to_bytes(), "abc");
            pending::<Result<Response<Full<Bytes>>, Infallible>>().await
        });
        let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        let calls = Arc::new(Calls::default());
        let waker = Arc::clone(&calls).into();
        assert!(Caller::default().poll(connection.as_mut(), &Context::from_waker(&waker)).is_pending());
        calls.0.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn a_body_that_is_all_there_has_nobody_woken() {
        assert_eq!(calls(true).await, 0);
        assert_eq!(calls(false).await, 1, "hyper calls for nothing no more: this module can go");
    }

    #[tokio::test]
    async fn a_body_in_many_pieces_comes_to_its_end() {
        const LENGTH: usize = 100_000;
        let (mut sender, socket) = duplex(1000);
        let service = service_fn(async |request: Request<Incoming>| {
            let all = CalmBody::new(request.into_body()).collect().await.unwrap();
            Ok::<_, Infallible>(Response::new(Full::new(all.to_bytes())))
        });
        let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        let mut caller = Caller::default();
        let asking = async {
            let body = vec![b'x'; LENGTH];
            sender.write_all(&[format!("{HEAD}{LENGTH}\r\n\r\n").as_bytes(), &body].concat()).await.unwrap();
            let mut answer = Vec::new();
            sender.read_to_end(&mut answer).await.unwrap();
            assert!(answer.ends_with(&body));
        };
        let (served, ()) = tokio::join!(poll_fn(|context| caller.poll(connection.as_mut(), context)), asking);
        served.unwrap();
    }
}
