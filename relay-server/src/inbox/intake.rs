//! The bounded queue between those who ask and the one thread that writes.
//!
//! Putting in never waits: what does not fit is refused. Taking out takes everything that is there, up to what one transaction should
//! hold. When the writer fails, everybody in the queue and everybody who comes is told so until it is well again.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Expired, InboxError, InboxHealth, InboxState, Settled, Webhook};

/// Webhooks that may wait: eight full transactions, a quarter of a second's work of the measured 18,400 to 41,500 a second.
const APPENDS: usize = 4096;

/// How many of them may be one endpoint's. A flood at one leaves half to the others, who wait four transactions at most.
const APPENDS_OF_ONE: usize = APPENDS / 2;

/// Bytes of webhooks that may wait: five of the largest. Their memory is the ingress's, which bounds it too; this bounds the wait.
const BYTES: u64 = 128 * 1024 * 1024;

/// Everything that may wait. What settles has room beyond webhooks, since it is what makes room: 32 bytes each.
const COMMANDS: usize = 16 * APPENDS;

/// Commands in one transaction: the size at which the store was measured. More would only lengthen the wait of the first.
const TRANSACTION_COMMANDS: usize = 512;

/// Bytes in one transaction, unless a single webhook is larger: what the log holds between two checkpoints.
const TRANSACTION_BYTES: u64 = 32 * 1024 * 1024;

/// What the writer is asked for, and whom to tell.
#[derive(Debug)]
pub(super) enum Command {
    Append(Webhook, Answer<()>),
    Settle(Uuid, Settled, Answer<bool>),
    Release(Uuid, SystemTime, Answer<bool>),
    Expire(SystemTime, Answer<Vec<Expired>>),
    /// Whatever a test wants to happen in a transaction.
    #[cfg(test)]
    Deed(Deed),
}

/// See [`Command::Deed`].
#[cfg(test)]
pub(super) struct Deed(pub(super) Box<dyn Fn(&rusqlite::Connection) + Send>);

#[cfg(test)]
impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deed")
    }
}

/// Where an answer goes. Dropped unanswered, it tells that the writer failed.
pub(super) type Answer<T> = oneshot::Sender<Result<T, InboxError>>;

impl Command {
    fn size(&self) -> u64 {
        if let Self::Append(webhook, _) = self { webhook.size() } else { 0 }
    }

    /// Whether nobody waits for it any more, so that nobody will say 2xx. A settling counts even if nobody waits.
    fn is_moot(&self) -> bool {
        matches!(self, Self::Append(_, answer) if answer.is_closed())
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Intake {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Command>,
    appends: usize,
    bytes: u64,
    of_endpoint: HashMap<Arc<str>, usize>,
    phase: Phase,
    /// Whether the writer waits for work. Waking it is a system call, which under load nobody needs.
    asleep: bool,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Ready,
    Full,
    Failing(Arc<str>),
    Closed,
}

/// What [`Intake::take`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Something to do.
    Work,
    /// Nothing for as long as was said.
    Idle,
    /// Nothing, and nothing will come.
    Closed,
}

impl Intake {
    /// Puts a command in.
    pub(super) fn push(&self, command: Command) -> Result<(), InboxError> {
        let mut state = self.state();
        state.admit(&command)?;
        state.queue.push_back(command);
        let asleep = state.asleep;
        drop(state);
        if asleep {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Moves what one transaction should hold to `batch`, which is empty. Waits for something to come, at most for `patience` if it is given.
    pub(super) fn take(&self, batch: &mut Vec<Command>, patience: Option<Duration>) -> Taken {
        let mut state = self.state();
        loop {
            let mut bytes = 0;
            while let Some(next) = state.queue.front() {
                bytes += next.size();
                if batch.len() == TRANSACTION_COMMANDS || (bytes > TRANSACTION_BYTES && !batch.is_empty()) {
                    break;
                }
                if let Some(command) = state.pop().filter(|command| !command.is_moot()) {
                    batch.push(command);
                }
            }
            if !batch.is_empty() {
                return Taken::Work;
            }
            if matches!(state.phase, Phase::Closed) {
                return Taken::Closed;
            }
            state.asleep = true;
            let mut timed_out = false;
            match patience {
                None => state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let woken = self.work.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
                    (state, timed_out) = (woken.0, woken.1.timed_out());
                }
            }
            state.asleep = false;
            if timed_out && state.queue.is_empty() && !matches!(state.phase, Phase::Closed) {
                return Taken::Idle;
            }
        }
    }

    /// Waits until `pause` is over. Whether the queue was closed meanwhile.
    pub(super) fn closed_within(&self, pause: Duration) -> bool {
        let open = |state: &mut State| !matches!(state.phase, Phase::Closed);
        let (state, _) =
            self.work.wait_timeout_while(self.state(), pause, open).unwrap_or_else(PoisonError::into_inner);
        matches!(state.phase, Phase::Closed)
    }

    /// From now on everybody is told `reason`, also who waits in the queue.
    pub(super) fn fail(&self, reason: &str) {
        let mut state = self.state();
        if !matches!(state.phase, Phase::Closed) {
            state.phase = Phase::Failing(reason.into());
        }
        let unanswered = state.forget();
        drop(state); // whoever is woken by the next line may look at it
        drop(unanswered);
    }

    /// The writer is well. `full` if its disk is not.
    pub(super) fn heal(&self, full: bool) {
        let mut state = self.state();
        if !matches!(state.phase, Phase::Closed) {
            state.phase = if full { Phase::Full } else { Phase::Ready };
        }
    }

    /// Nothing more comes in. What is in is still written.
    pub(super) fn close(&self) {
        self.state().phase = Phase::Closed;
        self.work.notify_one();
    }

    /// What to tell somebody who got no answer.
    pub(super) fn unanswered(&self) -> InboxError {
        match &self.state().phase {
            Phase::Failing(reason) => InboxError::Failing(Arc::clone(reason)),
            Phase::Closed => InboxError::Closed,
            Phase::Ready | Phase::Full => InboxError::Failing("its writer failed and was started anew".into()),
        }
    }

    pub(super) fn health(&self) -> InboxHealth {
        let state = self.state();
        let phase = match &state.phase {
            Phase::Ready => InboxState::Ready,
            Phase::Full => InboxState::Full,
            Phase::Failing(reason) => InboxState::Failing(Arc::clone(reason)),
            Phase::Closed => InboxState::Closed,
        };
        InboxHealth { state: phase, queued: state.appends, queued_bytes: state.bytes }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No panic can happen between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a command may come in; if so, it is counted.
    fn admit(&mut self, command: &Command) -> Result<(), InboxError> {
        match &self.phase {
            Phase::Failing(reason) => return Err(InboxError::Failing(Arc::clone(reason))),
            Phase::Closed => return Err(InboxError::Closed),
            Phase::Ready | Phase::Full => {}
        }
        if self.queue.len() >= COMMANDS {
            return Err(InboxError::Busy);
        }
        if let Command::Append(webhook, _) = command {
            let size = webhook.size();
            if self.appends >= APPENDS || (self.bytes + size > BYTES && self.appends > 0) {
                return Err(InboxError::Busy);
            }
            let of_one = self.of_endpoint.entry(Arc::clone(&webhook.endpoint)).or_default();
            if *of_one >= APPENDS_OF_ONE {
                return Err(InboxError::Busy);
            }
            *of_one += 1;
            self.appends += 1;
            self.bytes += size;
        }
        Ok(())
    }

    fn pop(&mut self) -> Option<Command> {
        let command = self.queue.pop_front()?;
        if let Command::Append(webhook, _) = &command {
            self.appends -= 1;
            self.bytes -= webhook.size();
            if let Some(of_one) = self.of_endpoint.get_mut(&webhook.endpoint) {
                *of_one -= 1;
                if *of_one == 0 {
                    self.of_endpoint.remove(&webhook.endpoint);
                }
            }
        }
        Some(command)
    }

    fn forget(&mut self) -> VecDeque<Command> {
        (self.appends, self.bytes) = (0, 0);
        self.of_endpoint.clear();
        std::mem::take(&mut self.queue)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{super::contract, *};

    fn append(endpoint: &str, length: usize) -> (Command, oneshot::Receiver<Result<(), InboxError>>) {
        let (answer, answered) = oneshot::channel();
        (Command::Append(contract::webhook(endpoint, 1, vec![vec![0; length].into()]), answer), answered)
    }

    fn settle() -> Command {
        Command::Settle(Uuid::now_v7(), Settled::Delivered, oneshot::channel().0)
    }

    #[test]
    fn one_endpoint_gets_half_of_the_places_and_settling_still_has_some() {
        let intake = Intake::default();
        let mut waiting = Vec::new();
        let mut fill = |endpoint: &str| loop {
            let (command, answered) = append(endpoint, 1);
            match intake.push(command) {
                Ok(()) => waiting.push(answered),
                Err(error) => break assert_eq!(error, InboxError::Busy),
            }
        };
        fill("flood");
        assert_eq!(intake.health().queued, APPENDS_OF_ONE);
        fill("other");
        assert_eq!(intake.health().queued, APPENDS);
        for _ in APPENDS..COMMANDS {
            intake.push(settle()).unwrap();
        }
        assert_eq!(intake.push(settle()), Err(InboxError::Busy));

        let mut batch = Vec::new();
        assert_eq!(intake.take(&mut batch, None), Taken::Work);
        assert_eq!(batch.len(), TRANSACTION_COMMANDS);
        intake.push(append("flood", 1).0).unwrap();
    }

    #[test]
    fn bytes_are_bounded_in_the_queue_and_in_a_transaction_but_one_always_fits() {
        let intake = Intake::default();
        let large = Bytes::from(vec![0; 25 * 1024 * 1024]);
        let mut waiting = Vec::new();
        let taken = (0..10).filter(|_| {
            let (answer, answered) = oneshot::channel();
            waiting.push(answered);
            intake.push(Command::Append(contract::webhook("large", 1, vec![large.clone()]), answer)).is_ok()
        });
        assert_eq!(taken.count(), 5);
        let mut batch = Vec::new();
        intake.take(&mut batch, None);
        assert_eq!(batch.len(), 1);

        let giant = vec![large; 6];
        let intake = Intake::default();
        let (answer, _answered) = oneshot::channel();
        intake.push(Command::Append(contract::webhook("giant", 1, giant), answer)).unwrap();
        batch.clear();
        assert_eq!(intake.take(&mut batch, None), Taken::Work);
        assert_eq!(intake.health().queued_bytes, 0);
    }

    #[test]
    fn what_nobody_waits_for_is_left_out_but_settling_is_not() {
        let intake = Intake::default();
        let (moot, _) = append("moot", 1);
        intake.push(moot).unwrap();
        intake.push(settle()).unwrap();
        let mut batch = Vec::new();
        intake.take(&mut batch, None);
        assert!(matches!(batch[..], [Command::Settle(..)]));
    }

    #[test]
    fn a_failure_answers_everybody_until_it_is_healed() {
        let intake = Intake::default();
        let (command, mut answered) = append("a", 1);
        intake.push(command).unwrap();
        intake.fail("the disk is on fire");
        assert!(answered.try_recv().is_err(), "it was dropped");
        let failing = InboxError::Failing("the disk is on fire".into());
        assert_eq!((intake.unanswered(), intake.push(append("a", 1).0)), (failing.clone(), Err(failing)));
        intake.heal(false);
        let (command, _answered) = append("a", 1);
        intake.push(command).unwrap();
        assert_eq!(intake.health().queued, 1);
    }

    #[test]
    fn closing_lets_out_what_is_in() {
        let intake = Intake::default();
        intake.push(settle()).unwrap();
        intake.close();
        assert_eq!(intake.push(settle()), Err(InboxError::Closed));
        let mut batch = Vec::new();
        assert_eq!(intake.take(&mut batch, None), Taken::Work);
        batch.clear();
        assert_eq!(intake.take(&mut batch, None), Taken::Closed);
        assert!(intake.closed_within(Duration::MAX));
    }
}
