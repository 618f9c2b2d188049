//! A watcher on a thread of its own: a terminal that stands still keeps nothing from the store.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use hookwire_capture::{Exchange, Update};
use hookwire_relay_client::Watcher;
use tokio_util::sync::CancellationToken;

/// Updates that may wait to be shown. Nobody reads more than some screens of them afterwards.
const WAITING: usize = 4096;

/// Bytes that the exchanges among them may hold.
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Hands updates to a watcher on another thread. What finds its queue full is counted and left out.
pub(crate) struct Aside {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    updates: Vec<Update>,
    bytes: usize,
    /// Nothing more will come.
    closed: bool,
    /// The thread has ended.
    gone: bool,
}

impl Aside {
    /// Starts the thread. When `watcher` fails it cancels `stop`, and the error comes back from the next call.
    pub(crate) fn new(watcher: impl Watcher, stop: CancellationToken) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let theirs = Arc::clone(&queue);
        let thread = thread::Builder::new().name("screen".into()).spawn(move || {
            let _end = End { queue: Arc::clone(&theirs), stop };
            theirs.work(watcher)
        })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    fn join(&mut self) -> io::Result<()> {
        let ended = self.thread.take().map_or(Ok(Ok(())), JoinHandle::join);
        ended.unwrap_or_else(|_panic| Err(io::Error::other("the screen's thread panicked")))
    }
}

impl Watcher for Aside {
    fn update(&mut self, update: Update) -> io::Result<()> {
        let mut waiting = self.queue.lock();
        if waiting.gone {
            drop(waiting);
            return self.join();
        }
        waiting.push(update);
        Ok(())
    }

    fn rest(&mut self) -> io::Result<()> {
        self.queue.changed.notify_one();
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
        self.join()
    }
}

impl Waiting {
    fn push(&mut self, update: Update) {
        let bytes = match &update {
            Update::Exchange(exchange) => held(exchange),
            // There is little of the rest, and it says what is going on.
            _ => return self.updates.push(update),
        };
        if self.updates.len() < WAITING && self.bytes + bytes <= WAITING_BYTES {
            self.bytes += bytes;
            self.updates.push(update);
        } else if let Some(Update::Skipped(count)) = self.updates.last_mut() {
            *count += 1;
        } else {
            self.updates.push(Update::Skipped(1));
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing of ours panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: shows until nothing more comes, or showing fails.
    fn work(&self, mut watcher: impl Watcher) -> io::Result<()> {
        loop {
            let idle = |waiting: &mut Waiting| waiting.updates.is_empty() && !waiting.closed;
            let mut waiting = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
            let updates = std::mem::take(&mut waiting.updates);
            waiting.bytes = 0;
            drop(waiting);
            if updates.is_empty() {
                return watcher.end();
            }
            for update in updates {
                watcher.update(update)?;
            }
            watcher.rest()?;
        }
    }
}

/// What an exchange keeps in memory, roughly.
fn held(exchange: &Exchange) -> usize {
    exchange.request.headers.encoded().len() + exchange.request_body.bytes.len() + exchange.response_body.bytes.len()
}

/// The thread's end, also by a panic.
struct End {
    queue: Arc<Queue>,
    stop: CancellationToken,
}

impl Drop for End {
    fn drop(&mut self) {
        self.queue.lock().gone = true;
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use hookwire_capture::Connection;

    use super::*;

    /// Waits for leave before each update, and passes it to the test.
    struct Gate {
        leave: Receiver<()>,
        seen: SyncSender<Update>,
    }

    impl Watcher for Gate {
        fn update(&mut self, update: Update) -> io::Result<()> {
            self.leave.recv().map_err(io::Error::other)?;
            self.seen.send(update).map_err(|error| io::Error::other(error.to_string()))
        }

        fn rest(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn aside() -> (Aside, SyncSender<()>, Receiver<Update>, CancellationToken) {
        let (leave, wait) = sync_channel(16);
        let (seen, updates) = sync_channel(16);
        let stop = CancellationToken::new();
        (Aside::new(Gate { leave: wait, seen }, stop.clone()).unwrap(), leave, updates, stop)
    }

    #[test]
    fn whoever_tells_does_not_wait_and_the_last_is_shown() {
        let (mut aside, leave, updates, _stop) = aside();
        for _ in 0..3 {
            aside.update(Update::Connection(Connection::Connected { after: None })).unwrap();
            aside.rest().unwrap();
        }
        (0..3).for_each(|_| leave.send(()).unwrap());
        aside.end().unwrap();
        assert_eq!(updates.iter().take(3).count(), 3);
    }

    #[test]
    fn a_screen_that_fails_stops_the_client_and_says_why() {
        let (mut aside, leave, _updates, stop) = aside();
        drop(leave);
        aside.update(Update::Skipped(1)).unwrap();
        aside.rest().unwrap();
        assert!(aside.end().is_err());
        assert!(stop.is_cancelled());
    }
}
