//! Work that changes something or takes long: each piece on a thread of its own.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::SyncSender,
    thread::Scope,
};

use tokio_util::sync::CancellationToken;

use super::{Inspector, export::export};
use crate::tui::{
    actions::{ActionError, Done, Job},
    message::{Message, Work},
};

/// Where work is done.
pub(super) struct Workshop<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    inspector: &'env Inspector,
    sender: SyncSender<Message>,
    ended: CancellationToken,
    /// What goes on, and how far it was when that was last told.
    jobs: HashMap<u64, (Job, (u64, u64))>,
}

impl<'scope, 'env> Workshop<'scope, 'env> {
    /// Work is done on threads of `scope`, and cancelled with `ended`.
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        inspector: &'env Inspector,
        sender: SyncSender<Message>,
        ended: CancellationToken,
    ) -> Self {
        Self { scope, inspector, sender, ended, jobs: HashMap::new() }
    }

    /// Begins work. The model sees to it that there is never much of it at once.
    pub(super) fn begin(&mut self, number: u64, base: &str, work: Work) {
        let job = Job::new(self.ended.child_token());
        self.jobs.insert(number, (job.clone(), (0, 0)));
        let (inspector, sender, base) = (self.inspector, self.sender.clone(), base.to_owned());
        self.scope.spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| run(inspector, &base, work, &job)));
            let broken = |_| Err(ActionError::new("it broke", "`:log` says where; please report it"));
            // Without a loop there is nobody left to tell.
            let _ = sender.send(Message::Ended { job: number, outcome: outcome.unwrap_or_else(broken) });
        });
    }

    /// Cancels work.
    pub(super) fn cancel(&self, number: u64) {
        if let Some((job, _)) = self.jobs.get(&number) {
            job.cancelled().cancel();
        }
    }

    /// Forgets work that has ended.
    pub(super) fn ended(&mut self, number: u64) {
        self.jobs.remove(&number);
    }

    /// What has gone further since the last call.
    pub(super) fn progress(&mut self) -> Vec<Message> {
        let mut news = Vec::new();
        for (&job, (work, told)) in &mut self.jobs {
            let now = work.progress();
            if now != *told {
                *told = now;
                news.push(Message::Progress { job, done: now.0, total: now.1 });
            }
        }
        news
    }
}

fn run(inspector: &Inspector, base: &str, work: Work, job: &Job) -> Result<Done, ActionError> {
    let actions = &inspector.actions;
    match work {
        Work::Replay(replay) => actions.replay(replay, job),
        Work::SendTest => actions.send_test(job),
        Work::Note(id, text) => actions.note(id, text),
        Work::Delete(ids) => actions.delete(ids),
        Work::Export { kind, what, path } => export(&inspector.store, kind, base, &what, &path, job),
    }
}
