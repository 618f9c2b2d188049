//! The inbox of one machine.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use rusqlite::Connection;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    Counts, Cursor, Eventually, Expired, Inbox, InboxError, InboxHealth, Parked, Pending, Settings, Settled, Webhook,
    intake::{Answer, Command},
    read,
    store::LARGEST_BODY,
    writer::{Shared, Writer},
};
use crate::RelayError;

/// How long anybody waits for an answer. GitHub gives up after 10 s, nearly all others earlier: then nobody is there to be told.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long opening waits for a check. A database of 1.5 GB took 2 s to be read; a relay should be back within two, whatever it holds.
const CHECKED_WITHIN: Duration = Duration::from_millis(1500);

/// An inbox in a SQLite database, with a thread that writes and two that read.
///
/// Its answers come from threads, within a deadline of tokio's clock: under a paused clock the deadline passes at once.
#[derive(Debug)]
pub struct SqliteInbox {
    shared: Arc<Shared>,
    max_body: u64,
    writer: Option<JoinHandle<()>>,
}

impl SqliteInbox {
    /// Opens the inbox in `folder`, which is its own, and makes it if it is missing. Blocks for a moment. After an unclean stop all of it is
    /// read; where that takes longer, it goes on behind, and until it is done the inbox says that it is failing.
    ///
    /// # Errors
    ///
    /// The folder or the database can't be used, or is damaged.
    pub fn open(folder: &Path, settings: Settings) -> Result<Self, RelayError> {
        Self::open_within(CHECKED_WITHIN, folder, settings)
    }

    fn open_within(patience: Duration, folder: &Path, settings: Settings) -> Result<Self, RelayError> {
        let failed =
            |reason: &dyn fmt::Display| RelayError::Data { path: folder.to_owned(), reason: reason.to_string() };
        let shared = Arc::new(Shared::default());
        let max_body = settings.max_body.min(LARGEST_BODY);
        let writer = Writer::new(folder, settings, Arc::clone(&shared)).map_err(|error| failed(&error))?;
        let patience = if writer.is_unclean() { patience } else { Duration::MAX };
        // Without a place in it: what is said when nobody listens any more comes back to who said it.
        let (opened, is_open) = sync_channel(0);
        let thread = thread::Builder::new().name("inbox-write".to_owned()).spawn(move || writer.run(&opened));
        let inbox = Self { shared, max_body, writer: Some(thread.map_err(|error| failed(&error))?) };
        match is_open.recv_timeout(patience) {
            Ok(Ok(())) => Ok(inbox),
            Ok(Err(error)) => Err(failed(&error)),
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!("checking the inbox takes a while: nothing is held until it is done");
                Ok(inbox)
            }
            Err(RecvTimeoutError::Disconnected) => Err(failed(&"opening it panicked")),
        }
    }

    /// Hands a command to the writer, and waits for its answer.
    fn command<T: Send + 'static>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Eventually<T> {
        let (answer, answered) = oneshot::channel();
        match self.shared.intake.push(command(answer)) {
            Ok(()) => self.wait(answered),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    /// Hands a question to the readers, and waits for their answer.
    fn question<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Eventually<T> {
        let (answer, answered) = oneshot::channel();
        let asked = match &*self.shared.readers() {
            None => Err(self.shared.intake.unanswered()),
            Some(readers) => readers.ask(move |connection| {
                let result = question(connection).map_err(|error| InboxError::Failing(error.to_string().into()));
                drop(answer.send(result)); // whoever asked may have gone
            }),
        };
        match asked {
            Ok(()) => self.wait(answered),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn wait<T: Send + 'static>(&self, answered: oneshot::Receiver<Result<T, InboxError>>) -> Eventually<T> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            match tokio::time::timeout(ANSWER_WITHIN, answered).await {
                Ok(Ok(result)) => result,
                Ok(Err(_dropped)) => Err(shared.intake.unanswered()),
                Err(_too_late) => Err(InboxError::Busy),
            }
        })
    }
}

/// Writes what has come in, and closes the database.
impl Drop for SqliteInbox {
    fn drop(&mut self) {
        self.shared.intake.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the inbox's writer ended in a panic");
        }
    }
}

impl Inbox for SqliteInbox {
    fn append(&self, webhook: Webhook) -> Eventually<()> {
        if webhook.body_len() > self.max_body {
            return Box::pin(std::future::ready(Err(InboxError::TooLarge { limit: self.max_body })));
        }
        self.command(|answer| Command::Append(webhook, answer))
    }

    fn due(&self, endpoint: &str, after: Cursor, now: SystemTime, limit: usize) -> Eventually<Vec<Pending>> {
        let endpoint = endpoint.to_owned();
        self.question(move |connection| read::due(connection, &endpoint, after, now, limit))
    }

    fn body(&self, id: Uuid) -> Eventually<Option<Bytes>> {
        self.question(move |connection| read::body(connection, id))
    }

    fn settle(&self, id: Uuid, outcome: Settled) -> Eventually<bool> {
        self.command(|answer| Command::Settle(id, outcome, answer))
    }

    fn next_due(&self, endpoint: &str) -> Eventually<Option<SystemTime>> {
        let endpoint = endpoint.to_owned();
        self.question(move |connection| read::next_due(connection, &endpoint))
    }

    fn counts(&self, endpoint: &str) -> Eventually<Counts> {
        let endpoint = endpoint.to_owned();
        self.question(move |connection| read::counts(connection, &endpoint))
    }

    fn endpoints(&self) -> Eventually<Vec<Arc<str>>> {
        self.question(read::endpoints)
    }

    fn parked(&self, endpoint: &str, after: Cursor, limit: usize) -> Eventually<Vec<Parked>> {
        let endpoint = endpoint.to_owned();
        self.question(move |connection| read::parked(connection, &endpoint, after, limit))
    }

    fn release(&self, id: Uuid, due_at: SystemTime) -> Eventually<bool> {
        self.command(|answer| Command::Release(id, due_at, answer))
    }

    fn expire(&self, now: SystemTime) -> Eventually<Vec<Expired>> {
        self.command(|answer| Command::Expire(now, answer))
    }

    fn health(&self) -> InboxHealth {
        self.shared.intake.health()
    }
}

#[cfg(test)]
mod tests;
