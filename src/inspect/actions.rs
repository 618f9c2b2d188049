//! What the inspector can have done.

use std::{path::PathBuf, sync::Arc};

use hookwire_capture::{Exchange, Health, Reader, Writer};
use hookwire_inspector::{
    Short,
    tui::{ActionError, Actions, Done, EditedRequest, Job, Replay},
};
use hookwire_relay_client::{App, Edit, Replayer};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::test_event;
use crate::{
    failure::Failure,
    listen,
    replay::{Silent, note_resigned, prepare},
    store::{self, Keeping},
};

/// Does things with the app and the store. Each call comes on a thread of its own, and waits for the runtime.
pub(super) struct Doing {
    pub(super) runtime: Handle,
    pub(super) store: PathBuf,
    pub(super) writer: Writer,
    /// The app, as it is now.
    pub(super) app: Box<dyn Fn() -> Result<App, Failure> + Send + Sync>,
}

impl Actions for Doing {
    fn replay(&self, replay: Replay, job: &Job) -> Result<Done, ActionError> {
        self.replays(replay, job).map_err(told)
    }

    fn send_test(&self, job: &Job) -> Result<Done, ActionError> {
        let app = (self.app)().map_err(told)?;
        let ready =
            self.reader().and_then(|reader| reader.ready().map_err(|error| store::failure(&error))).map_err(told)?;
        let text = self.runtime.block_on(test_event::send(&app, ready, job.cancelled())).map_err(told)?;
        Ok(Done { text, made: Vec::new() })
    }

    fn note(&self, id: Uuid, text: Option<String>) -> Result<Done, ActionError> {
        let done = if text.is_some() { "kept" } else { "gone" };
        self.writer.note(id, text);
        self.written(done.to_owned(), Vec::new()).map_err(told)
    }

    fn delete(&self, ids: Vec<Uuid>) -> Result<Done, ActionError> {
        let count = ids.len();
        self.writer.delete(ids);
        self.written(format!("{count} gone"), Vec::new()).map_err(told)
    }

    fn health(&self) -> Health {
        self.writer.health()
    }
}

impl Doing {
    fn reader(&self) -> Result<Reader, Failure> {
        store::reader(&self.store)
    }

    /// Done, once the store has it.
    fn written(&self, text: String, made: Vec<Uuid>) -> Result<Done, Failure> {
        self.writer.flush().map_err(|error| store::failure(&error))?;
        Ok(Done { text, made })
    }

    fn replays(&self, Replay { ids, edited, resign }: Replay, job: &Job) -> Result<Done, Failure> {
        let reader = self.reader()?;
        // The runtime's own tasks drive the connections, so the replayer has to be made within it.
        let _within = self.runtime.enter();
        let keeping = Keeping::new(self.writer.clone(), Silent);
        let replayer = Replayer::new((self.app)()?, keeping).map_err(|error| listen::failure(&error))?;
        let sent = self.in_order(&replayer, &reader, &ids, &edited.map(edit).unwrap_or_default(), resign, job);
        self.runtime.block_on(replayer.close()).map_err(|error| listen::failure(&error))?;
        let sent = sent?;
        let text = match sent.as_slice() {
            // The one that was under way is kept too, as the app's answer to it never came.
            sent if job.cancelled().is_cancelled() => format!("cancelled after {} of {}", sent.len(), ids.len()),
            [one] => outcome(one),
            [.., last] => format!("{} sent, the last: {}", sent.len(), outcome(last)),
            [] => "nothing was sent".to_owned(),
        };
        self.written(text, sent.iter().map(|exchange| exchange.id).collect())
    }

    fn in_order(
        &self,
        replayer: &Replayer,
        reader: &Reader,
        ids: &[Uuid],
        edit: &Edit,
        resign: bool,
        job: &Job,
    ) -> Result<Vec<Arc<Exchange>>, Failure> {
        let mut sent = Vec::new();
        for (done, id) in ids.iter().enumerate() {
            if job.cancelled().is_cancelled() {
                break;
            }
            job.step(done as u64, ids.len() as u64);
            let original = reader.exchange(*id).map_err(|error| store::failure(&error))?;
            let original = original.ok_or_else(|| Failure::not_so("the exchange was deleted meanwhile"))?;
            let replay = prepare(replayer, &original, edit.clone(), resign)?;
            let replayed = self.runtime.block_on(replayer.replay(replay, job.cancelled()));
            let replayed = replayed.map_err(|error| crate::replay::failure(&error))?;
            if resign {
                note_resigned(&self.writer, &original, &replayed);
            }
            sent.push(replayed);
        }
        Ok(sent)
    }
}

/// What came of a replay, in a few words.
fn outcome(exchange: &Exchange) -> String {
    match exchange.error {
        Some(code) => format!("{code}: {}", code.message()),
        None => format!("{} in {}, signature {}", exchange.status(), Short(exchange.duration), exchange.verdict.status),
    }
}

/// A request as it came out of the editor, all of it.
pub(crate) fn edit(EditedRequest { method, target, headers, body }: EditedRequest) -> Edit {
    Edit {
        method: Some(method.into()),
        target: Some(target),
        headers: Some(headers.into_iter().map(|(name, value)| (name.into(), value)).collect()),
        set_headers: Vec::new(),
        body: Some(body),
    }
}

fn told(failure: Failure) -> ActionError {
    let (message, hint) = failure.into_parts();
    ActionError { message, hint }
}
