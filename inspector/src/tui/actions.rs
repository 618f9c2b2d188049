//! What the inspector can have done, and by whom: the seam to the running client and the store's writer.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use hookwire_capture::Health;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Does what changes something. Each call comes on a thread of its own and may take its time; long ones say how far they
/// are and stop when they are told to.
pub trait Actions: Send + Sync {
    /// Sends stored requests to the app again, one after the other.
    fn replay(&self, replay: Replay, job: &Job) -> Result<Done, ActionError>;

    /// Makes a signed test event and sends it the way a webhook comes.
    fn send_test(&self, job: &Job) -> Result<Done, ActionError>;

    /// Writes a note to an exchange, or removes it.
    fn note(&self, id: Uuid, text: Option<String>) -> Result<Done, ActionError>;

    /// Deletes exchanges.
    fn delete(&self, ids: Vec<Uuid>) -> Result<Done, ActionError>;

    /// How well the store's writer keeps up, where this process has one. Asked many times a second on the thread that
    /// draws, so it must not wait for anything.
    fn health(&self) -> Health {
        Health::default()
    }
}

/// Stored requests to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Their ids, in the order in which they are sent.
    pub ids: Vec<Uuid>,
    /// What is sent instead of the request as it was stored; only with a single id.
    pub edited: Option<EditedRequest>,
    /// Whether each is signed anew, with the developer's secret and the present time.
    pub resign: bool,
}

/// A request as it was written in the editor.
#[derive(Clone, PartialEq, Eq)]
pub struct EditedRequest {
    /// The method, a token.
    pub method: String,
    /// Path and query below the endpoint.
    pub target: Bytes,
    /// All header lines, in order.
    pub headers: Vec<(String, Bytes)>,
    /// The body.
    pub body: Bytes,
}

impl fmt::Debug for EditedRequest {
    // Headers and bodies hold customers' data and credentials: their number and size are enough to debug with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EditedRequest")
            .field("method", &self.method)
            .field("headers", &self.headers.len())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What came of it, when it worked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// What is said about it in the status line: `200 in 12 ms`.
    pub text: String,
    /// The exchanges that it made, oldest first.
    pub made: Vec<Uuid>,
}

/// Why it did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ActionError {
    /// What is wrong, in lower case, without a period.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ActionError {
    /// With a hint of what to do.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

/// Long work, as whoever does it sees it.
#[derive(Clone, Debug, Default)]
pub struct Job {
    cancel: CancellationToken,
    steps: Arc<Steps>,
}

#[derive(Debug, Default)]
struct Steps {
    done: AtomicU64,
    total: AtomicU64,
}

impl Job {
    /// Work that ends early when `cancel` is cancelled.
    pub fn new(cancel: CancellationToken) -> Self {
        Self { cancel, steps: Arc::default() }
    }

    /// Cancelled when the work is no longer wanted: by a key, or because the inspector ends, which waits for it.
    pub const fn cancelled(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Says how far it is.
    pub fn step(&self, done: u64, total: u64) {
        self.steps.done.store(done, Ordering::Relaxed);
        self.steps.total.store(total, Ordering::Relaxed);
    }

    /// How far it is: done, of how many; of 0 if it has not said.
    pub fn progress(&self) -> (u64, u64) {
        (self.steps.done.load(Ordering::Relaxed), self.steps.total.load(Ordering::Relaxed))
    }
}
