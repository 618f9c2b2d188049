//! Standard output beside a store: a terminal that stands still keeps nothing from the store.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use hookwire_capture::Update;
use hookwire_relay_client::Watcher;
use tokio_util::sync::CancellationToken;

use super::{BUFFER, Form};

/// Bytes of lines that may wait to be written: some two thousand. Nobody reads more than some screens of them afterwards.
const WAITING: usize = 1 << 20;

/// Renders updates, and hands the lines to a thread that writes them. What they were made from is let go at once. Exchanges that
/// find too many lines waiting are counted and left out.
pub(crate) struct Aside<F> {
    form: Form,
    seen: F,
    /// Lines that are not handed over yet.
    lines: Vec<u8>,
    /// No more can wait.
    full: bool,
    /// Exchanges that were left out since the last word about them.
    skipped: u64,
    desk: Arc<Desk>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Nothing more will come.
    closed: bool,
    /// The thread has ended.
    gone: bool,
}

impl<F: FnMut(&Update) + Send + 'static> Aside<F> {
    /// Shows updates on `out` in `form`, and calls `seen` after each. When `out` fails the thread cancels `stop`, and the error comes
    /// back from the next call.
    pub(crate) fn new(
        form: Form,
        out: impl Write + Send + 'static,
        seen: F,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let desk = Arc::new(Desk::default());
        let theirs = Arc::clone(&desk);
        let thread = thread::Builder::new().name("screen".into()).spawn(move || {
            let _end = End { desk: Arc::clone(&theirs), stop };
            theirs.work(out)
        })?;
        Ok(Self { form, seen, lines: Vec::new(), full: false, skipped: 0, desk, thread: Some(thread) })
    }

    /// Hands the lines over, if there is room for them, or at the end.
    fn hand_over(&mut self, closed: bool) -> io::Result<()> {
        let mut waiting = self.desk.lock();
        if waiting.gone {
            drop(waiting);
            return self.join();
        }
        waiting.closed = closed;
        self.full = waiting.lines.len() + self.lines.len() > WAITING && !closed;
        if waiting.lines.is_empty() {
            // The thread's own, written and empty.
            mem::swap(&mut waiting.lines, &mut self.lines);
        } else if !self.full {
            waiting.lines.append(&mut self.lines);
        }
        drop(waiting);
        self.desk.changed.notify_one();
        Ok(())
    }

    /// Says what was left out.
    fn tell_skipped(&mut self) -> io::Result<()> {
        match mem::take(&mut self.skipped) {
            0 => Ok(()),
            skipped => self.show(&Update::Skipped(skipped)),
        }
    }

    fn show(&mut self, update: &Update) -> io::Result<()> {
        self.form.write(update, &mut self.lines)?;
        (self.seen)(update);
        Ok(())
    }

    fn join(&mut self) -> io::Result<()> {
        let ended = self.thread.take().map_or(Ok(Ok(())), JoinHandle::join);
        ended.unwrap_or_else(|_panic| Err(io::Error::other("the screen's thread panicked")))
    }
}

impl<F: FnMut(&Update) + Send + 'static> Watcher for Aside<F> {
    fn update(&mut self, update: Update) -> io::Result<()> {
        // There is little of the rest, and it says what is going on.
        if self.full && matches!(update, Update::Exchange(_)) {
            self.skipped += 1;
            return Ok(());
        }
        self.tell_skipped()?;
        self.show(&update)?;
        if self.lines.len() >= BUFFER { self.hand_over(false) } else { Ok(()) }
    }

    fn rest(&mut self) -> io::Result<()> {
        self.hand_over(false)?;
        if self.full || self.skipped == 0 {
            return Ok(());
        }
        self.tell_skipped()?;
        self.hand_over(false)
    }

    fn has_more(&self) -> bool {
        self.skipped > 0 || !self.lines.is_empty()
    }

    fn end(&mut self) -> io::Result<()> {
        self.tell_skipped()?;
        self.hand_over(true)?;
        self.join()
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing of ours panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: writes until nothing more comes, or writing fails.
    fn work(&self, mut out: impl Write) -> io::Result<()> {
        let mut lines = Vec::new();
        loop {
            let idle = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.closed;
            let mut waiting = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
            mem::swap(&mut waiting.lines, &mut lines);
            drop(waiting);
            if lines.is_empty() {
                return Ok(());
            }
            out.write_all(&lines)?;
            out.flush()?;
            lines.clear();
        }
    }
}

/// The thread's end, also by a panic.
struct End {
    desk: Arc<Desk>,
    stop: CancellationToken,
}

impl Drop for End {
    fn drop(&mut self) {
        self.desk.lock().gone = true;
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use hookwire_capture::Exchange;
    use hookwire_protocol::head::{BodyLength, Headers, HttpVersion, RequestHead};

    use super::*;

    /// Waits for leave before each write, and passes what is written to the test.
    struct Gate {
        leave: Receiver<()>,
        written: SyncSender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.leave.recv().map_err(io::Error::other)?;
            self.written.send(bytes.to_vec()).map_err(|error| io::Error::other(error.to_string()))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    type Shown = Aside<fn(&Update)>;

    fn aside() -> (Shown, SyncSender<()>, Receiver<Vec<u8>>, CancellationToken) {
        let (leave, wait) = sync_channel(16);
        let (written, lines) = sync_channel(16);
        let stop = CancellationToken::new();
        let seen: fn(&Update) = |_| {};
        let aside = Aside::new(Form::Json, Gate { leave: wait, written }, seen, stop.clone()).unwrap();
        (aside, leave, lines, stop)
    }

    fn exchange() -> Update {
        let request = RequestHead {
            id: [7; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: BodyLength::Empty,
            method: "POST".into(),
            target: "/hook".into(),
            headers: Headers::default(),
        };
        Update::Exchange(Arc::new(Exchange::of(request)))
    }

    /// What was written, line by line.
    fn lines(written: &Receiver<Vec<u8>>) -> Vec<serde_json::Value> {
        let bytes: Vec<u8> = written.iter().flatten().collect();
        bytes.split_inclusive(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    #[test]
    fn whoever_tells_does_not_wait_what_is_left_out_is_counted_and_the_last_is_shown() {
        const TOLD: u64 = 20_000;

        let (mut aside, leave, written, _stop) = aside();
        for number in 0..TOLD {
            aside.update(exchange()).unwrap();
            if number % 100 == 0 {
                aside.rest().unwrap();
            }
        }
        assert!(aside.has_more());
        aside.update(Update::Skipped(0)).unwrap(); // no exchange is left out for ever, and other news is never
        assert!(aside.lines.len() + aside.desk.lock().lines.len() <= 3 * WAITING);
        (0..16).for_each(|_| leave.send(()).unwrap());
        aside.end().unwrap();
        drop(aside);
        let lines = lines(&written);
        let shown = lines.iter().filter(|line| line["type"] == "exchange").count() as u64;
        let skipped: u64 = lines.iter().filter_map(|line| line["count"].as_u64()).sum();
        assert_eq!(shown + skipped, TOLD);
        assert!(shown > 1_000 && skipped > 1_000, "{shown} {skipped}");
    }

    #[test]
    fn what_was_left_out_is_told_as_soon_as_there_is_room() {
        let (mut aside, leave, written, _stop) = aside();
        while !aside.full {
            aside.update(exchange()).unwrap();
        }
        aside.update(exchange()).unwrap();
        assert_eq!(aside.skipped, 1);
        // The thread takes what waited; nothing happens, and the recorder asks again.
        leave.send(()).unwrap();
        written.recv().unwrap();
        while aside.has_more() {
            let _ = leave.try_send(());
            let _ = written.try_recv();
            aside.rest().unwrap();
        }
        assert_eq!((aside.skipped, aside.full), (0, false));
    }

    #[test]
    fn a_screen_that_fails_stops_the_client_and_says_why() {
        let (mut aside, leave, _written, stop) = aside();
        drop(leave);
        aside.update(Update::Skipped(1)).unwrap();
        assert!(aside.rest().and_then(|()| aside.end()).is_err());
        assert!(stop.is_cancelled());
    }
}
