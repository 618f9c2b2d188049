//! Deadlines of a connection, on one timer.

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// How long a sender may keep the relay waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadTimeouts {
    /// For the first byte of a connection: who connects has something to say.
    pub(crate) first_byte: Duration,
    /// For a whole head, from its first byte: it fits into a few packets, and slowly dripping heads are an attack (slowloris).
    pub(crate) head: Duration,
    /// Between an answer and the next request: gateways keep connections open for about a minute.
    pub(crate) idle: Duration,
    /// For the next byte of a body: a network that is stuck for longer does not recover.
    pub(crate) body: Duration,
    /// For a sender to take the next byte of its answer, for the same reason.
    pub(crate) write: Duration,
}

impl Default for ReadTimeouts {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
        }
    }
}

/// One timer for all deadlines of a connection. It may ring early, never late; moving a deadline on, as every request does, leaves the
/// runtime's timers alone.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Waits for something, as long as `period`.
    pub(crate) async fn limit<F: Future>(&mut self, period: Duration, future: F) -> io::Result<F::Output> {
        let deadline = Instant::now() + period;
        let mut future = pin!(future);
        std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll(context, deadline).map(|()| Err(io::ErrorKind::TimedOut.into())),
        })
        .await
    }

    /// Ready once `deadline` has passed; until then the task is woken at it, at the latest.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }

    /// Wakes the task now and then, at least every `period`. Never ready.
    pub(super) fn poll_tick(&mut self, context: &mut Context<'_>, period: Duration) {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + period)));
        while sleep.as_mut().poll(context).is_ready() {
            sleep.as_mut().reset(Instant::now() + period);
        }
    }
}
