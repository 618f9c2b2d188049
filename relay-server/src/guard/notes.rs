//! What the guard tells the service about requests, past hyper.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use hookwire_protocol::code::Code;

/// The notes of one connection. Cheap to clone; the guard writes them, the service takes them.
///
/// They travel beside the bytes, never in them, so that nothing a sender sends can look like one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Shared>);

/// What is unusual about one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// Which request of the connection, counted from 0.
    pub(crate) ordinal: u64,
    /// What is unusual about it.
    pub(crate) kind: NoteKind,
}

/// What is unusual about a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoteKind {
    /// It was refused. What hyper shows in its place is a stand-in; answer with this code.
    Refused(Code),
    /// Its path and query, byte for byte; `http::Uri` can't hold them and shows `/`, or the host alone.
    Target(Bytes),
}

#[derive(Debug, Default)]
struct Shared {
    /// How many notes wait, so that a usual request takes no lock.
    waiting: AtomicUsize,
    queue: Mutex<VecDeque<Note>>,
    /// How many [`Answering`] live.
    answering: AtomicUsize,
}

impl Notes {
    /// What there is to say about a request. The service counts its requests from 0 and asks once for each, in order.
    pub(crate) fn take(&self, ordinal: u64) -> Option<Note> {
        if self.0.waiting.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut queue = self.lock();
        if queue.front()?.ordinal != ordinal {
            return None;
        }
        self.0.waiting.fetch_sub(1, Ordering::Release);
        queue.pop_front()
    }

    /// Keeps the sender's deadlines from running while a request is answered. Make one as soon as the request is there, and keep it in
    /// the answer's body: hyper drops that after the last byte.
    pub(crate) fn answering(&self) -> Answering {
        self.0.answering.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// Whether somebody holds an [`Answering`].
    pub(super) fn is_answering(&self) -> bool {
        self.0.answering.load(Ordering::Relaxed) > 0
    }

    pub(super) fn push(&self, ordinal: u64, kind: NoteKind) {
        self.lock().push_back(Note { ordinal, kind });
        self.0.waiting.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Note>> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request is being answered for as long as this lives. Made by [`Notes::answering`].
#[derive(Debug)]
pub(crate) struct Answering(Notes);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}
