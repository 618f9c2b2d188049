//! The body of an app's answer.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::{
    UpstreamError,
    pool::{Connection, Pool},
};

/// The body of an app's answer, as it arrives.
///
/// An app that dies in the middle is an `Err` frame, never an end. Dropping the body before its end closes the connection.
#[derive(Debug)]
pub struct UpstreamBody {
    incoming: Incoming,
    /// What it arrives on, until its end.
    lease: Option<Lease>,
}

/// A connection, and where it goes when its answer was read.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) connection: Connection,
    pub(super) pool: Arc<Pool>,
}

impl UpstreamBody {
    pub(super) fn new(incoming: Incoming, lease: Lease) -> Self {
        let mut body = Self { incoming, lease: Some(lease) };
        body.release_at_end();
        body
    }

    /// Moves bytes of the request to the app, and of the answer into hyper's buffer, while nobody reads the answer.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(lease) = &mut self.lease {
            lease.connection.drive(cx);
        }
    }

    fn release_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(Lease { connection, pool }) = self.lease.take() {
            pool.give_back(connection);
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let this = self.get_mut();
        let mut frame = Pin::new(&mut this.incoming).poll_frame(cx);
        if frame.is_pending()
            && let Some(lease) = &mut this.lease
        {
            lease.connection.drive(cx);
            frame = Pin::new(&mut this.incoming).poll_frame(cx);
        }
        Poll::Ready(match ready!(frame) {
            Some(Ok(frame)) => {
                this.release_at_end();
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                this.lease = None;
                Some(Err(UpstreamError::Died(error)))
            }
            None => {
                this.release();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
