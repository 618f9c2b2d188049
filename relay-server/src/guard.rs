//! A strict gate between the socket and hyper: what is not HTTP/1.1 in exactly one reading never gets to the parser behind it.
//!
//! hyper drops `content-length` beside `transfer-encoding`, joins equal lengths, takes two hosts and bare line feeds, and answers what
//! it refuses without a word. Here such a request is replaced by a harmless stand-in, so that hyper keeps the order of answers, and a
//! [`Note`] beside the bytes tells the service what to answer. Everything else goes through untouched and in place.
//!
//! The guard also keeps time, because it alone knows what is being read.

mod alarm;
mod chunked;
mod framing;
mod fuzz;
mod head;
mod notes;
mod target;
#[cfg(test)]
mod tests;

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use framing::{Framing, Stage};

use crate::limits;

pub(crate) use alarm::{Alarm, ReadTimeouts};
pub use fuzz::fuzz_guard;
pub(crate) use head::HeadLimits;
pub(crate) use notes::{Answering, Note, NoteKind, Notes};

/// What is read at once of input that nobody will see.
const DISCARD: usize = 8 * 1024;

/// A socket of which only well-formed HTTP/1 can be read.
///
/// After a refusal it reads on without looking, up to [`limits::DRAIN_BYTES`], and never reports an end: hyper takes an end for the
/// sender's departure and would drop the answer. `connection: close` in the stand-in ends the connection.
#[derive(Debug)]
pub(crate) struct Guard<S> {
    inner: S,
    /// What was read of the socket before.
    prefix: Bytes,
    framing: Framing,
    notes: Notes,
    timeouts: ReadTimeouts,
    alarm: Alarm,
    /// What the sender keeps us waiting for, and since when.
    waiting: Option<(Wait, Instant)>,
    /// Since when it takes nothing.
    stalled: Option<Instant>,
    /// Messages that had begun when something was last written.
    answered: u64,
    /// Bytes that were read without looking.
    discarded: u64,
    /// Time was up: the connection counts as closed.
    expired: bool,
    /// Our side is closed.
    shut: bool,
}

/// What a sender can keep us waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    FirstByte,
    Head,
    Idle,
    Body,
    /// The end, after our side was closed.
    Close,
}

impl<S> Guard<S> {
    /// Guards a socket of which `prefix` was read already. `alarm` is the connection's.
    pub(crate) fn new(
        inner: S,
        prefix: Bytes,
        limits: HeadLimits,
        timeouts: ReadTimeouts,
        alarm: Alarm,
    ) -> (Self, Notes) {
        let notes = Notes::default();
        let guard = Self {
            inner,
            prefix,
            framing: Framing::new(limits, notes.clone()),
            notes: notes.clone(),
            timeouts,
            alarm,
            waiting: None,
            stalled: None,
            answered: 0,
            discarded: 0,
            expired: false,
            shut: false,
        };
        (guard, notes)
    }

    /// The socket, to speak something else on it after 101. Bytes that were sent before the 101 are gone: nobody may send any
    /// (RFC 6455 §4.1).
    pub(crate) fn into_inner(self) -> S {
        self.inner
    }

    /// Whether the sender waits for us rather than we for the sender.
    fn owes_answer(&self) -> bool {
        self.answered < self.framing.messages() || self.notes.is_answering()
    }

    /// What the sender keeps us waiting for, if anything.
    fn awaited(&self) -> Option<Wait> {
        match self.framing.stage() {
            Stage::Body => Some(Wait::Body),
            Stage::Between | Stage::Head if self.owes_answer() => None,
            Stage::Head => Some(Wait::Head),
            Stage::Between if self.framing.messages() == 0 => Some(Wait::FirstByte),
            Stage::Between => Some(Wait::Idle),
            Stage::Upgrade | Stage::Refused | Stage::Broken(_) => None,
        }
    }

    /// Waits for the sender, as long as it is allowed.
    fn poll_patience(&mut self, context: &mut Context<'_>, wait: Option<Wait>) -> Poll<()> {
        let Some(wait) = wait else {
            // The task may not be woken when the last byte of an answer leaves: it looks again whether the sender's time has begun.
            self.alarm.poll_tick(context, self.timeouts.idle);
            self.waiting = None;
            return Poll::Pending;
        };
        let since = match self.waiting {
            Some((before, since)) if before == wait => since,
            _ => Instant::now(),
        };
        self.waiting = Some((wait, since));
        let patience = match wait {
            Wait::FirstByte => self.timeouts.first_byte,
            Wait::Head => self.timeouts.head,
            Wait::Idle => self.timeouts.idle,
            Wait::Body => self.timeouts.body,
            Wait::Close => limits::DRAIN_FOR,
        };
        self.alarm.poll(context, since + patience)
    }

    /// Bounds how long the sender may take nothing.
    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let since = *self.stalled.get_or_insert_with(Instant::now);
        ready!(self.alarm.poll(context, since + self.timeouts.write));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the sender does not read its answer")))
    }

    /// The same for bytes of an answer: when some went out, the wait for the sender starts anew.
    fn watch_bytes(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.answered = self.framing.messages();
            self.waiting = None;
            if self.framing.stage() == Stage::Upgrade {
                context.waker().wake_by_ref(); // what was held back may go on
            }
        }
        self.watch(context, written)
    }
}

impl<S: AsyncRead + Unpin> Guard<S> {
    /// Reads into `buffer`, first what was read before.
    fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.inner).poll_read(context, buffer);
        }
        let length = self.prefix.len().min(buffer.remaining());
        buffer.put_slice(&self.prefix[..length]);
        self.prefix.advance(length);
        Poll::Ready(Ok(()))
    }

    /// Reads without looking, until the sender is done or too much has come.
    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.discarded < limits::DRAIN_BYTES {
            let mut space = [const { MaybeUninit::uninit() }; DISCARD];
            let mut buffer = ReadBuf::uninit(&mut space);
            let result = ready!(Pin::new(&mut self.inner).poll_read(context, &mut buffer));
            if result.is_err() || buffer.filled().is_empty() {
                break;
            }
            self.discarded += buffer.filled().len() as u64;
        }
        Poll::Ready(())
    }

    /// Waits for more, or for too long.
    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = self.awaited();
        ready!(self.poll_patience(context, wait));
        if wait == Some(Wait::Body) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the request body stopped arriving")));
        }
        self.expired = true;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.expired || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if this.framing.deliver(buffer) {
                this.waiting = None;
                return Poll::Ready(Ok(()));
            }
            match this.framing.stage() {
                Stage::Refused => {
                    let _ = this.poll_discard(context);
                    return Poll::Pending; // the answer wakes the task
                }
                Stage::Broken(error) => return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error))),
                Stage::Upgrade if !this.owes_answer() => {
                    this.framing.stay();
                    continue;
                }
                Stage::Upgrade if this.framing.held() > 0 => return this.poll_wait(context),
                _ => {}
            }
            let before = buffer.filled().len();
            match this.poll_fill(context, buffer) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return this.poll_wait(context),
            }
            if buffer.filled().len() == before {
                this.framing.end();
                this.framing.deliver(buffer); // else it is the end
                return Poll::Ready(Ok(()));
            }
            let pass = this.framing.read(&buffer.filled()[before..]);
            buffer.set_filled(before + pass);
            if pass > 0 {
                this.waiting = None;
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(context, data);
        this.watch_bytes(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(context, data);
        this.watch_bytes(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(context);
        this.watch(context, flushed)
    }

    /// Closes our side. In the middle of a message it then waits a moment for the sender to see the answer: closing a socket that still
    /// has input resets the connection, and a reset discards what was not read yet (RFC 9112 §9.6).
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.shut {
            let shut = Pin::new(&mut this.inner).poll_shutdown(context);
            ready!(this.watch(context, shut))?;
            this.shut = true;
        }
        let clean = this.expired || matches!(this.framing.stage(), Stage::Between | Stage::Upgrade);
        if !clean && this.poll_discard(context).is_pending() {
            return this.poll_patience(context, Some(Wait::Close)).map(Ok);
        }
        Poll::Ready(Ok(()))
    }
}
