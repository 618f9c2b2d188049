//! A request on its way to the client, and its answer still to come.

use std::{
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hookwire_protocol::{code::Code, head::ResponseHead, session::Reset};
use http_body::Body;
use tokio::time::{Instant, sleep};

use crate::{
    ReceivedBody,
    pump::{PumpError, SendingHalf, SentBody},
    tunnel::Exchange,
};

/// A stream whose request has a head, and no body yet. Dropped, the exchange is cancelled.
#[derive(Debug)]
pub struct Opened {
    pub(crate) half: SendingHalf,
    pub(crate) answer: ReceivedBody,
}

impl Opened {
    /// Gives it its body.
    pub fn with_body<B: Body<Data = Bytes> + Unpin>(self, body: B) -> Sending<B> {
        Sending { request: SentBody::new(self.half, body), answer: self.answer, flowing: true }
    }
}

/// A request on its way, and its answer still to come. It moves only while it is polled. Dropped, the exchange is cancelled down to the app.
#[derive(Debug)]
pub struct Sending<B> {
    request: SentBody<B>,
    answer: ReceivedBody,
    /// The request's body has not come to its end.
    flowing: bool,
}

impl<B: Body<Data = Bytes> + Unpin> Sending<B> {
    /// Moves the request on, and looks for the head of its answer. `blame` names what went wrong with the request's own body.
    pub fn poll_head(
        &mut self,
        context: &mut Context<'_>,
        blame: impl Fn(&B::Error) -> Code,
    ) -> Poll<Result<ResponseHead, Reset>> {
        self.flowing = match self.request.poll_send(context) {
            Poll::Ready(Err(PumpError::Body(error))) => return Poll::Ready(Err(Reset(blame(&error)))),
            Poll::Ready(Ok(()) | Err(PumpError::Stopped(_))) => false, // a client that stopped reading may still answer
            Poll::Pending => true,
        };
        self.answer.poll_head(context)
    }

    /// Waits for the head of the answer, as long as something moves at least every `patience`. It may be dropped and called again.
    pub async fn head(&mut self, patience: Duration, blame: impl Fn(&B::Error) -> Code) -> Result<ResponseHead, Reset> {
        let mut timer = pin!(sleep(patience));
        let (mut moved, mut moved_at) = (self.request.sent(), Instant::now());
        std::future::poll_fn(|context| {
            let polled = self.poll_head(context, &blame);
            if polled.is_ready() {
                return polled;
            }
            if self.request.sent() != moved {
                (moved, moved_at) = (self.request.sent(), Instant::now());
            }
            while timer.as_mut().poll(context).is_ready() {
                if moved_at + patience <= Instant::now() {
                    return Poll::Ready(Err(Reset(Code::AppTimeout)));
                }
                timer.as_mut().reset(moved_at + patience);
            }
            Poll::Pending
        })
        .await
    }

    /// The request's body.
    pub fn body_mut(&mut self) -> &mut B {
        self.request.body_mut()
    }

    /// Lets the client know that the sender has had this answer.
    pub fn answer_instead(&self, status: u16) {
        self.answer.answer_instead(status);
    }

    /// Gives the exchange up, and says why. What was read of the request's body is with whoever made it.
    pub fn give_up(mut self, code: Code) -> B {
        self.answer.set_reason(code);
        self.request.abort(code)
    }

    /// The answer, once its head is there. A request that still flows goes on by itself, as long as it moves at least every `patience`.
    pub fn into_exchange(self, head: ResponseHead, patience: Duration) -> Exchange
    where
        B: Send + 'static,
        B::Error: Send,
    {
        let Self { request, mut answer, flowing } = self;
        answer.set_length(head.body);
        if flowing {
            answer.shared().stragglers.spawn(straggle(request, patience));
        }
        Exchange { head, body: answer }
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
