//! What is noted of an exchange on its way.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hookwire_capture::Origin;
use hookwire_protocol::head::RequestHead;
use hookwire_signatures::Verifier;
use hookwire_tunnel::ReceivedBody;
use http_body::Body;
use tokio::{sync::Notify, time::Instant};

use super::{Forwarder, Observed, Outcome};
use crate::{
    judge::{self, Passing},
    record::Passed,
};

/// One exchange, as the exchange itself and both of its bodies see it: one piece of memory for all of them.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) forwarder: Arc<Forwarder>,
    /// The request as it came, in memory of its own.
    pub(super) request: RequestHead,
    pub(super) begun: Instant,
    received_at: SystemTime,
    noted: Mutex<Noted>,
    /// The request's body is over, or somebody stopped reading it.
    changed: Notify,
}

/// What changes on the way.
#[derive(Debug)]
pub(super) struct Noted {
    /// The request's body. None once it was taken: what still passes is nobody's.
    pub(super) sent: Option<Passing>,
    /// The answer's.
    pub(super) returned: Option<Passing>,
    /// What the app did not read of the request's body.
    pub(super) rest: Option<ReceivedBody>,
    /// The request's body broke off.
    pub(super) broken: bool,
    /// When its last piece passed.
    pub(super) moved_at: Option<Instant>,
    /// When the request began to be written.
    forwarded: Option<Instant>,
    /// When the app's answer began.
    answered: Option<Instant>,
}

impl Noted {
    /// Whether all of the request's body was seen that ever will be.
    fn is_over(&self) -> bool {
        self.broken || self.sent.as_ref().is_none_or(|sent| sent.ended)
    }
}

impl Passage {
    /// An exchange that begins now.
    pub(super) fn begin(forwarder: Arc<Forwarder>, request: RequestHead) -> Arc<Self> {
        let noted = Noted {
            sent: Some(Passing::new(&forwarder.recorder)),
            returned: Some(Passing::new(&forwarder.recorder)),
            rest: None,
            broken: false,
            moved_at: None,
            forwarded: None,
            answered: None,
        };
        Arc::new(Self {
            forwarder,
            request,
            begun: Instant::now(),
            received_at: SystemTime::now(),
            noted: Mutex::new(noted),
            changed: Notify::new(),
        })
    }

    /// Never held while a body is polled or dropped: one may bring the other along.
    pub(super) fn noted(&self) -> MutexGuard<'_, Noted> {
        // Nothing of ours panics while it holds the lock.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the request begins to be written.
    pub(super) fn forward(&self) {
        self.noted().forwarded = Some(Instant::now());
    }

    /// Notes that the app's answer begins.
    pub(super) fn answer(&self) {
        self.noted().answered = Some(Instant::now());
    }

    /// Notes an answer whose body is here at once.
    pub(super) fn answer_whole(&self, body: &Bytes) {
        self.noted().returned = Some(Passing::whole(body, &self.forwarder.recorder));
    }

    /// Wakes who waits for the end of the request's body.
    pub(super) fn tell_change(&self) {
        self.changed.notify_one();
    }

    /// Starts to judge the request before all of its body is here.
    pub(super) fn verifier(&self) -> Verifier {
        let now = self.received_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        judge::start(&self.request, &self.forwarder.endpoint, &self.forwarder.app.secrets, now)
    }

    /// Whether all of the request's body was seen that ever will be.
    pub(super) fn is_over(&self) -> bool {
        self.noted().is_over()
    }

    /// Waits until a request's body is over, so that its signature can be judged. An app that answered early may go on reading it; what an
    /// app has left is read here. The answer is on its way already.
    pub(super) async fn over(self: &Arc<Self>, patience: Duration) {
        let over = async {
            loop {
                let rest = {
                    let mut noted = self.noted();
                    if noted.is_over() {
                        return;
                    }
                    noted.rest.take()
                };
                match rest {
                    Some(body) => return self.read(body).await,
                    None => self.changed.notified().await,
                }
            }
        };
        let _ = tokio::time::timeout(patience, over).await; // what has not come by then is not whole
    }

    /// Reads a body that nobody else will: all of it where its signature counts, else as much as is kept.
    async fn read(self: &Arc<Self>, body: ReceivedBody) {
        let counts = self.verifier().needs_body();
        let mut rest = pin!(Observed::new(body, Arc::clone(self)));
        while (counts || self.noted().sent.as_ref().is_some_and(Passing::wants_more))
            && let Some(Ok(_)) = std::future::poll_fn(|context| rest.as_mut().poll_frame(context)).await
        {}
    }

    /// What is left of it at its end, to be judged.
    pub(super) fn passed(&self, outcome: Outcome, duration: Duration) -> Passed {
        let recorder = &self.forwarder.recorder;
        let since_begun = |moment: Instant| moment - self.begun;
        let mut noted = self.noted();
        Passed {
            origin: Origin::Live,
            endpoint: Arc::clone(&self.forwarder.endpoint),
            request: self.request.clone(),
            request_body: noted.sent.take().unwrap_or_else(|| Passing::new(recorder)),
            response: outcome.response,
            response_body: noted.returned.take().unwrap_or_else(|| Passing::new(recorder)),
            error: outcome.error,
            received_at: self.received_at,
            forwarded: noted.forwarded.map(since_begun),
            first_byte: noted.answered.map(since_begun),
            late: outcome.late,
            held: false,
            duration,
            awaited: None,
        }
    }
}
