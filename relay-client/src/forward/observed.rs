//! Bodies are looked at while they pass.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hookwire_tunnel::ReceivedBody;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::passage::{Noted, Passage};
use crate::upstream::UpstreamBody;

/// A body that is looked at while it passes.
#[derive(Debug)]
pub(super) struct Observed<B: Side> {
    /// Taken by the end of its life only.
    body: Option<B>,
    passage: Arc<Passage>,
}

impl<B: Side> Observed<B> {
    /// Looks at `body`, which is one of the two of `passage`.
    pub(super) fn new(body: B, passage: Arc<Passage>) -> Self {
        Self { body: Some(body), passage }
    }

    /// The body itself, as long as it is here.
    pub(super) fn body_mut(&mut self) -> Option<&mut B> {
        self.body.as_mut()
    }
}

/// Which of an exchange's bodies it is.
pub(super) trait Side: Body<Data = Bytes> + Unpin + Sized {
    /// Notes a piece, and how much is known to follow it.
    fn pass(passage: &Passage, noted: &mut Noted, piece: &Bytes, behind: Option<u64>);

    /// Notes the end, of a `whole` body or of one that broke off.
    fn end(noted: &mut Noted, whole: bool);

    /// Notes that nobody reads the rest of it.
    fn leave(self, passage: &Passage);
}

/// The request's. Its signature is judged as it passes where it is too long to be judged later.
impl Side for ReceivedBody {
    fn pass(passage: &Passage, noted: &mut Noted, piece: &Bytes, behind: Option<u64>) {
        noted.moved_at = Some(Instant::now());
        if let Some(passing) = &mut noted.sent {
            passing.expect(behind);
            passing.judge_while_passing(piece, &passage.forwarder.recorder, || passage.verifier());
        }
    }

    fn end(noted: &mut Noted, whole: bool) {
        noted.broken |= !whole;
        if let Some(passing) = &mut noted.sent {
            passing.ended |= whole;
        }
    }

    fn leave(self, passage: &Passage) {
        {
            let mut noted = passage.noted();
            if self.is_end_stream() {
                Self::end(&mut noted, true);
            } else if !noted.broken {
                noted.rest = Some(self);
            }
        }
        passage.tell_change();
    }
}

/// The answer's.
impl Side for UpstreamBody {
    fn pass(passage: &Passage, noted: &mut Noted, piece: &Bytes, behind: Option<u64>) {
        if let Some(passing) = &mut noted.returned {
            passing.expect(behind);
            passing.pass(piece, &passage.forwarder.recorder);
        }
    }

    fn end(noted: &mut Noted, whole: bool) {
        if let Some(passing) = &mut noted.returned {
            passing.ended |= whole;
        }
    }

    fn leave(self, passage: &Passage) {
        if self.is_end_stream() {
            Self::end(&mut passage.noted(), true);
        }
    }
}

impl<B: Side> Body for Observed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Self { body: Some(body), passage } = &mut *self else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let (behind, is_end) = (body.size_hint().exact(), body.is_end_stream());
                let noted = &mut *passage.noted();
                if let Some(piece) = frame.data_ref() {
                    B::pass(passage, noted, piece, behind);
                }
                if is_end {
                    B::end(noted, true);
                }
            }
            Poll::Ready(ended) => B::end(&mut passage.noted(), ended.is_none()),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Side> Drop for Observed<B> {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            body.leave(&self.passage);
        }
    }
}
