//! Bodies are looked at while they pass.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hookwire_protocol::head::RequestHead;
use hookwire_signatures::{Secrets, Verifier};
use hookwire_tunnel::ReceivedBody;
use http_body::{Body, Frame, SizeHint};
use tokio::{sync::Notify, time::Instant};

use crate::{
    judge::{self, Passing},
    record::Recorder,
    upstream::UpstreamBody,
};

/// Where both the body on its way and the exchange that owns it look.
#[derive(Clone, Debug)]
pub(super) struct Tee(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    recorder: Arc<Recorder>,
    teed: Mutex<Teed>,
    /// The body is over, or somebody stopped reading it.
    changed: Notify,
}

#[derive(Debug)]
struct Teed {
    passing: Passing,
    /// It was taken: what still passes is nobody's.
    taken: bool,
    /// What the app did not read, with what is needed to judge it.
    rest: Option<(ReceivedBody, Arc<Watched>)>,
    /// It broke off.
    broken: bool,
    /// When its last piece passed.
    moved_at: Option<Instant>,
    /// When it began to be written.
    forwarded: Option<Instant>,
}

impl Tee {
    /// For one body, of which `recorder` says how much is kept.
    pub(super) fn new(recorder: Arc<Recorder>) -> Self {
        let passing = Passing::new(&recorder);
        let teed = Teed { passing, taken: false, rest: None, broken: false, moved_at: None, forwarded: None };
        Self(Arc::new(Shared { recorder, teed: Mutex::new(teed), changed: Notify::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Teed> {
        self.0.teed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When its last piece passed.
    pub(super) fn moved_at(&self) -> Option<Instant> {
        self.lock().moved_at
    }

    /// Notes that it begins to be written.
    pub(super) fn forward(&self) {
        self.lock().forwarded = Some(Instant::now());
    }

    /// When it began to be written.
    pub(super) fn forwarded(&self) -> Option<Instant> {
        self.lock().forwarded
    }

    /// As if a piece had passed.
    #[cfg(test)]
    pub(super) fn touch(&self) {
        self.lock().moved_at = Some(Instant::now());
    }

    /// Notes a body that is here at once.
    pub(super) fn pass_whole(&self, body: &Bytes) {
        let passing = &mut self.lock().passing;
        passing.pass(body, &self.0.recorder);
        passing.ended = true;
    }

    /// What was seen of it.
    pub(super) fn take(&self) -> Passing {
        let mut teed = self.lock();
        teed.taken = true;
        std::mem::replace(&mut teed.passing, Passing::new(&self.0.recorder))
    }

    /// Whether all of it was seen that ever will be.
    pub(super) fn is_over(&self) -> bool {
        let teed = self.lock();
        teed.passing.ended || teed.broken
    }

    /// Waits until a request's body is over, so that its signature can be judged. An app that answered early may go on reading it; what an
    /// app has left is read here. The answer is on its way already.
    pub(super) async fn over(&self, patience: Duration) {
        let over = async {
            loop {
                let rest = {
                    let mut teed = self.lock();
                    if teed.passing.ended || teed.broken {
                        return;
                    }
                    teed.rest.take()
                };
                match rest {
                    Some((body, watched)) => return self.read(body, watched).await,
                    None => self.0.changed.notified().await,
                }
            }
        };
        let _ = tokio::time::timeout(patience, over).await; // what has not come by then is not whole
    }

    /// Reads a body that nobody else will: all of it where its signature counts, else as much as is kept.
    async fn read(&self, body: ReceivedBody, watched: Arc<Watched>) {
        let counts = watched.start().needs_body();
        let mut rest = pin!(Observed::new(body, self.clone(), Some(watched)));
        while (counts || self.lock().passing.wants_more())
            && let Some(Ok(_)) = std::future::poll_fn(|context| rest.as_mut().poll_frame(context)).await
        {}
    }
}

/// A request as it came, and what is needed to judge it.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) head: RequestHead,
    pub(super) endpoint: Arc<str>,
    pub(super) secrets: Arc<Secrets>,
    pub(super) received_at: SystemTime,
}

impl Watched {
    fn start(&self) -> Verifier {
        let now = self.received_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        judge::start(&self.head, &self.endpoint, &self.secrets, now)
    }
}

/// A body that is looked at while it passes.
#[derive(Debug)]
pub(super) struct Observed<B: Leftover> {
    /// Taken by the end of its life only.
    body: Option<B>,
    tee: Tee,
    judged: Option<Arc<Watched>>,
}

impl<B: Leftover> Observed<B> {
    /// Looks at `body` for `tee`; with `judged`, its signature is judged as it passes where it is too long to be judged later.
    pub(super) fn new(body: B, tee: Tee, judged: Option<Arc<Watched>>) -> Self {
        Self { body: Some(body), tee, judged }
    }

    /// The body itself, as long as it is here.
    pub(super) fn body_mut(&mut self) -> Option<&mut B> {
        self.body.as_mut()
    }
}

/// What becomes of a body that nobody read to its end.
pub(super) trait Leftover: Body<Data = Bytes> + Unpin + Sized {
    /// The body itself, if the rest of it is of use.
    fn leave(self) -> Option<ReceivedBody>;
}

impl Leftover for ReceivedBody {
    fn leave(self) -> Option<ReceivedBody> {
        Some(self)
    }
}

impl Leftover for UpstreamBody {
    fn leave(self) -> Option<ReceivedBody> {
        None
    }
}

impl<B: Leftover> Body for Observed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *body).poll_frame(context);
        let (is_end, behind) = (body.is_end_stream(), body.size_hint().exact());
        let recorder = &self.tee.0.recorder;
        let teed = &mut *self.tee.lock();
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    teed.moved_at = Some(Instant::now());
                    teed.passing.expect(behind);
                    match &self.judged {
                        _ if teed.taken => {}
                        Some(watched) => teed.passing.judge_while_passing(data, recorder, || watched.start()),
                        None => teed.passing.pass(data, recorder),
                    }
                }
                teed.passing.ended |= is_end;
            }
            Poll::Ready(None) => teed.passing.ended = true,
            Poll::Ready(Some(Err(_))) => teed.broken = true,
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

impl<B: Leftover> Drop for Observed<B> {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        {
            let mut teed = self.tee.lock();
            if body.is_end_stream() {
                teed.passing.ended = true;
            } else if !teed.broken
                && let Some(watched) = self.judged.take()
            {
                teed.rest = body.leave().map(|body| (body, watched));
            }
        }
        self.tee.0.changed.notify_one();
    }
}
