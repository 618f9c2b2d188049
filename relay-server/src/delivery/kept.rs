//! A request's body that is kept in memory while it streams, as long as it may still have to be held.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// What a kept body costs beside its bytes: its head, and the read buffer that its first piece holds on to.
const EACH: u64 = 8 * 1024;

/// What a piece costs beside its bytes. Without it, a body sent byte by byte would cost fifty times what is counted.
const PIECE: u64 = 64;

/// The memory that all kept bodies share.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicU64,
    /// Of all bodies together, in bytes.
    all: u64,
    /// Of one body, in bytes.
    each: u64,
}

impl Budget {
    pub(crate) fn new(all: u64, each: u64) -> Self {
        Self { used: AtomicU64::new(0), all, each }
    }

    /// Takes some of it, if there is so much.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let taken = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.all;
        if !taken {
            self.give_back(bytes);
        }
        taken
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// A body that is kept while it passes. Where the budget does not suffice it passes all the same, and can't be held any more.
#[derive(Debug)]
pub(crate) struct Kept<B> {
    inner: B,
    budget: Arc<Budget>,
    /// What was read. Those before `next` were handed on.
    pieces: VecDeque<Bytes>,
    next: usize,
    /// Bytes of the body, kept or not.
    length: u64,
    /// Bytes of the budget that are ours.
    charged: u64,
    /// It was let go: what was handed on is forgotten.
    let_go: bool,
    /// Behind the last piece. Trailers are passed on, and not held: no provider is known to send any.
    trailers: Option<Box<HeaderMap>>,
    /// The end was read.
    ended: bool,
}

/// How much of a body is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Whole,
    /// It can't be held: it is too large, or too much is held already.
    TooLarge,
}

impl<B: Body<Data = Bytes> + Unpin> Kept<B> {
    pub(crate) fn new(inner: B, budget: Arc<Budget>) -> Self {
        // Announced to be larger than can be held, it only passes.
        let let_go = inner.size_hint().lower() > budget.each;
        Self {
            inner,
            budget,
            pieces: VecDeque::with_capacity(1), // in which nearly all bodies come
            next: 0,
            length: 0,
            charged: 0,
            let_go,
            trailers: None,
            ended: false,
        }
    }

    /// Reads on, whether or not anybody takes the pieces, until all of it is here or it is clear that it can't be.
    pub(crate) fn poll_whole(&mut self, context: &mut Context<'_>) -> Poll<Result<Extent, B::Error>> {
        while !self.let_go {
            if self.is_read() {
                return Poll::Ready(Ok(Extent::Whole));
            }
            ready!(self.poll_read(context))?;
        }
        Poll::Ready(Ok(Extent::TooLarge))
    }

    /// What is here of it. The memory is shared, and stays charged as long as this lives.
    pub(crate) fn pieces(&self) -> Vec<Bytes> {
        self.pieces.iter().cloned().collect()
    }

    /// It need not be held any more: passes on what comes, and forgets it.
    pub(crate) fn let_go(&mut self) {
        if !self.let_go {
            self.let_go = true;
            for _ in 0..std::mem::take(&mut self.next) {
                self.pieces.pop_front();
            }
            self.budget.give_back(std::mem::take(&mut self.charged));
        }
    }

    fn is_read(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    /// Reads one piece, the trailers or the end.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), B::Error>> {
        match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.keep(data),
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok().map(Box::new);
                    self.ended = true;
                }
            },
            Some(Err(error)) => return Poll::Ready(Err(error)),
            None => self.ended = true,
        }
        Poll::Ready(Ok(()))
    }

    fn keep(&mut self, data: Bytes) {
        self.length += data.len() as u64;
        if !self.let_go {
            let cost = data.len() as u64 + if self.pieces.is_empty() { EACH + PIECE } else { PIECE };
            if self.length <= self.budget.each && self.charged + cost <= 2 * self.budget.each && self.budget.take(cost)
            {
                self.charged += cost;
            } else {
                self.let_go();
            }
        }
        self.pieces.push_back(data);
    }
}

impl<B> Drop for Kept<B> {
    fn drop(&mut self) {
        self.budget.give_back(self.charged);
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Kept<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        loop {
            if self.let_go
                && let Some(piece) = self.pieces.pop_front()
            {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if let Some(piece) = self.pieces.get(self.next).cloned() {
                self.next += 1;
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if let Some(trailers) = self.trailers.take() {
                return Poll::Ready(Some(Ok(Frame::trailers(*trailers))));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(self.poll_read(context)) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.next == self.pieces.len() && self.trailers.is_none() && self.is_read()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default() // whoever sends it has the length from the head
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, task::Waker};

    use http_body_util::{BodyExt, Empty, Full, channel::Channel};

    use super::*;

    const EACH_BODY: u64 = 100 * 1024;

    type Sent = http_body_util::channel::Sender<Bytes, Infallible>;

    fn kept(all: u64) -> (Sent, Kept<Channel<Bytes, Infallible>>, Arc<Budget>) {
        let budget = Arc::new(Budget::new(all, EACH_BODY));
        let (sender, body) = Channel::new(64);
        (sender, Kept::new(body, Arc::clone(&budget)), budget)
    }

    fn whole(kept: &mut Kept<Channel<Bytes, Infallible>>) -> Poll<Result<Extent, Infallible>> {
        kept.poll_whole(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn what_passed_is_still_here_and_what_was_not_taken_is_read_on() {
        let (mut sender, mut kept, budget) = kept(1 << 20);
        sender.send_data("first ".into()).await.unwrap();
        assert_eq!(kept.frame().await.unwrap().unwrap().into_data().unwrap(), "first ");
        assert!(whole(&mut kept).is_pending(), "half a webhook can't be held");
        sender.send_data("second".into()).await.unwrap();
        drop(sender);
        assert_eq!(whole(&mut kept), Poll::Ready(Ok(Extent::Whole)));
        assert_eq!(kept.pieces().concat(), b"first second");
        // Whoever takes it on gets the rest, once.
        assert!(!kept.is_end_stream());
        assert_eq!((&mut kept).collect().await.unwrap().to_bytes(), "second");
        assert!(kept.is_end_stream());
        assert_eq!(budget.used(), 12 + EACH + 2 * PIECE);
        drop(kept);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_body_beyond_the_budget_passes_and_can_not_be_held() {
        for (all, size) in [(1 << 20, EACH_BODY + 1), (10 * 1024, 4 * 1024)] {
            let (mut sender, mut kept, budget) = kept(all);
            let half = Bytes::from(vec![7; size as usize / 2 + 1]);
            sender.send_data(half.clone()).await.unwrap();
            assert_eq!(kept.frame().await.unwrap().unwrap().into_data().unwrap().len(), half.len());
            for _ in 0..2 {
                sender.send_data(half.clone()).await.unwrap();
            }
            drop(sender);
            assert_eq!(whole(&mut kept), Poll::Ready(Ok(Extent::TooLarge)));
            assert_eq!(budget.used(), 0);
            assert_eq!(kept.collect().await.unwrap().to_bytes().len(), 2 * half.len());
        }
    }

    #[tokio::test]
    async fn what_is_announced_to_be_too_large_passes_and_takes_no_memory() {
        for (length, used) in [(EACH_BODY, EACH_BODY + EACH + PIECE), (EACH_BODY + 1, 0)] {
            let budget = Arc::new(Budget::new(1 << 20, EACH_BODY));
            let body = Full::new(Bytes::from(vec![7; length as usize]));
            let mut kept = Kept::new(body, Arc::clone(&budget));
            let passed = kept.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!((passed.len() as u64, budget.used()), (length, used));
        }
    }

    #[tokio::test]
    async fn a_body_sent_byte_by_byte_is_counted_for_what_it_costs() {
        let (mut sender, mut kept, budget) = kept(1 << 30);
        let mut sent = 0_u64;
        while whole(&mut kept).is_pending() {
            sender.send_data("x".into()).await.unwrap();
            sent += 1;
        }
        assert!((1_000..2 * EACH_BODY / PIECE + 2).contains(&sent), "{sent}");
        assert_eq!((kept.let_go, budget.used()), (true, 0));
    }

    #[tokio::test]
    async fn an_answered_body_is_let_go_and_passes_on() {
        let (mut sender, mut kept, budget) = kept(1 << 20);
        sender.send_data("answered".into()).await.unwrap();
        kept.frame().await.unwrap().unwrap();
        kept.let_go();
        assert_eq!((budget.used(), kept.pieces.len()), (0, 0));
        sender.send_data("more".into()).await.unwrap();
        drop(sender);
        assert_eq!(kept.collect().await.unwrap().to_bytes(), "more");
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn no_body_is_whole_at_once() {
        let budget = Arc::new(Budget::new(0, 0));
        let mut kept = Kept::new(Empty::<Bytes>::new(), budget);
        assert!(kept.is_end_stream());
        assert_eq!(kept.poll_whole(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(Extent::Whole)));
    }
}
