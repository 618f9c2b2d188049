//! Sends what was held, as long as a session lasts.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_protocol::{hello::Backlog, session::Reset};
use hookwire_tunnel::Tunnel;
use http_body_util::Full;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{
    Delivery,
    desk::Desk,
    drain::{AT_ONCE, Drain, Finish, Step},
    follow::{chance, swallow},
    held,
};
use crate::{
    fault,
    inbox::{InboxError, Pending, Settled},
    limits,
};

/// Webhooks fetched at once: enough to keep eight at work, little enough to hold in memory.
const PAGE: usize = 64;

/// How often the client hears how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Before an inbox that failed is asked again.
const FAILED: Duration = Duration::from_secs(1);

/// The longest sleep: a clock that was set is noticed within a minute.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// What is due already, and still not to be had, is looked for again after this.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);

/// Beyond every due time: three hundred years.
const FAR: Duration = Duration::from_hours(300 * 365 * 24);

/// Drains the inbox of one endpoint into one session.
#[derive(Debug)]
pub(crate) struct Drainer {
    post: Arc<Post>,
    drain: Drain,
    ordered: bool,
    news: watch::Receiver<()>,
    /// There was news since the last look.
    dirty: bool,
    work: JoinSet<Done>,
    /// Deliveries that the client had finished before this session.
    finished: HashSet<Uuid>,
    progress: Progress,
}

/// What every delivery needs.
#[derive(Debug)]
struct Post {
    delivery: Arc<Delivery>,
    desk: Arc<Desk>,
    tunnel: Tunnel,
    ordered: bool,
}

/// What a task of the drain's has done.
#[derive(Clone, Copy, Debug)]
enum Done {
    Delivered(Uuid, Finish),
    Settled(Uuid),
}

/// How far it is.
#[derive(Debug)]
struct Progress {
    begun: SystemTime,
    /// Of those that were there when the session began.
    delivered: u64,
    /// Since when it has been delivering without a pause, and how many it has delivered since.
    busy: Option<(Instant, u64)>,
    next: Instant,
    told: Option<Backlog>,
}

impl Drainer {
    /// For a session that begins now, with a client that has `finished` these.
    pub(crate) fn new(
        delivery: Arc<Delivery>,
        desk: Arc<Desk>,
        tunnel: Tunnel,
        ordered: bool,
        finished: HashSet<Uuid>,
    ) -> Self {
        desk.set_resting(false);
        let progress = Progress {
            begun: (delivery.wall)(),
            delivered: 0,
            busy: None,
            next: Instant::now() + TELL_EVERY,
            told: None,
        };
        Self {
            drain: Drain::new(ordered),
            news: desk.news(),
            dirty: false,
            work: JoinSet::new(),
            post: Arc::new(Post { delivery, desk, tunnel, ordered }),
            ordered,
            finished,
            progress,
        }
    }

    /// Delivers until the session takes no more.
    pub(crate) async fn run(mut self) {
        self.post.desk.begin_to_look();
        loop {
            let live = self.post.tunnel.in_flight().saturating_sub(self.work.len());
            match self.drain.next(Instant::now().into_std(), self.wall(), live) {
                Step::Fetch(after) => self.fetch(after).await,
                Step::Deliver(pending) => {
                    self.progress.busy.get_or_insert((Instant::now(), 0));
                    let post = Arc::clone(&self.post);
                    self.work.spawn(async move { Done::Delivered(pending.id, post.deliver(&pending).await) });
                }
                Step::Wait(until) => {
                    if self.drain.is_resting() && self.progress.next <= Instant::now() {
                        self.tell(false).await;
                    }
                    self.wait(until.map(Instant::from_std)).await;
                }
                Step::Idle if std::mem::take(&mut self.dirty) => self.look_again(),
                Step::Idle => self.idle().await,
                Step::End => return,
            }
        }
    }

    fn wall(&self) -> SystemTime {
        (self.post.delivery.wall)()
    }

    fn look_again(&mut self) {
        self.post.desk.begin_to_look();
        self.drain.look_again();
    }

    async fn fetch(&mut self, after: crate::inbox::Cursor) {
        let by = if self.ordered { self.wall() + FAR } else { self.wall() };
        let desk = &self.post.desk;
        match self.post.delivery.inbox.due(desk.name(), after, by, PAGE).await {
            Ok(page) => {
                if !page.is_empty() {
                    desk.found_backlog();
                }
                // The app has these: the session before did not live to hear it.
                for known in page.iter().filter(|pending| self.finished.remove(&pending.id)) {
                    self.drain.settles(known.id);
                    self.progress.count(known.received_at);
                    settle(&mut self.work, &self.post, known.id, Settled::Delivered);
                }
                self.drain.fetched(page, |id| !desk.is_in_hand(id));
            }
            Err(error) => {
                tracing::warn!(endpoint = %desk.name(), %error, "the inbox can't be read");
                desk.found_backlog();
                self.wait(Some(Instant::now() + FAILED)).await;
            }
        }
    }

    /// Waits for something to happen, until then at the latest.
    async fn wait(&mut self, until: Option<Instant>) {
        let telling = self.progress.busy.is_some() && !self.drain.is_resting();
        tokio::select! {
            Some(done) = self.work.join_next() => match done {
                Ok(done) => self.done(done),
                Err(died) => tracing::error!(%died, "a delivery died"), // its webhook waits for the next session
            },
            Ok(()) = self.news.changed() => {
                self.dirty = true;
                if !self.post.desk.is_resting() {
                    self.drain.end_rest();
                }
                if self.ordered && self.work.is_empty() {
                    self.look_again();
                }
            }
            () = sleep_until(self.progress.next), if telling => self.tell(true).await,
            () = until_then(until) => {}
        }
    }

    fn done(&mut self, done: Done) {
        let (id, finish) = match done {
            Done::Settled(id) => return self.drain.settled(id),
            Done::Delivered(id, finish) => (id, finish),
        };
        if let Some(received_at) = self.drain.received_at(id)
            && finish == Finish::Took
        {
            self.progress.count(received_at);
        }
        let was_resting = self.drain.is_resting();
        if let Some(settled) = self.drain.finished(id, finish, Instant::now().into_std(), self.wall(), chance()) {
            settle(&mut self.work, &self.post, id, settled);
        }
        if self.drain.is_resting() != was_resting {
            self.post.desk.set_resting(self.drain.is_resting());
            self.progress.next = Instant::now(); // the client hears of it at once
        }
    }

    /// Everything that was due was tried.
    async fn idle(&mut self) {
        self.tell(false).await;
        let next = self.post.delivery.inbox.next_due(self.post.desk.name()).await;
        let sleep = match next {
            Ok(None) => return self.wait(None).await,
            Ok(Some(due)) => due.duration_since(self.wall()).unwrap_or_default(),
            Err(_) => FAILED,
        };
        self.post.desk.found_backlog();
        self.wait(Some(Instant::now() + sleep.clamp(SHORTEST_SLEEP, LONGEST_SLEEP))).await;
        self.dirty = true;
    }

    /// Tells the client how far it is, if that is news.
    async fn tell(&mut self, delivering: bool) {
        self.progress.next = Instant::now() + TELL_EVERY;
        let Ok(counts) = self.post.delivery.inbox.counts(self.post.desk.name()).await else { return };
        let held = counts.pending.saturating_sub(self.post.desk.in_hand());
        let left_ms = self.progress.left(held).filter(|_| delivering);
        if !delivering {
            self.progress.busy = None;
        }
        let backlog = Backlog {
            held,
            parked: counts.parked,
            delivered: self.progress.delivered,
            delivering,
            left_ms,
            ..Backlog::default()
        };
        if self.progress.told != Some(backlog) {
            self.progress.told = Some(backlog);
            self.post.tunnel.notify(&backlog);
        }
    }
}

/// Lets the inbox know what became of a webhook.
fn settle(work: &mut JoinSet<Done>, post: &Arc<Post>, id: Uuid, settled: Settled) {
    let post = Arc::clone(post);
    work.spawn(async move {
        if let Err(error) = post.delivery.inbox.settle(id, settled).await {
            tracing::warn!(%id, %error, "the inbox did not hear what became of a webhook");
            tokio::time::sleep(FAILED).await; // it is still pending there, and would come again at once
        }
        fault::point("after-settle");
        Done::Settled(id)
    });
}

impl Progress {
    fn count(&mut self, received_at: SystemTime) {
        self.delivered += u64::from(received_at <= self.begun);
        if let Some((_, delivered)) = &mut self.busy {
            *delivered += 1;
        }
    }

    /// How long so many will take at the speed so far, in milliseconds.
    fn left(&self, held: u64) -> Option<u64> {
        let (since, delivered) = self.busy?;
        let each = since.elapsed().as_secs_f64() / delivered as f64;
        let left = Duration::try_from_secs_f64(each * held as f64).ok()?; // none delivered, none known
        u64::try_from(left.as_millis()).ok()
    }
}

impl Post {
    /// Brings one held webhook to the app.
    async fn deliver(&self, pending: &Pending) -> Finish {
        let _turn = if self.ordered { self.desk.turn().await } else { None };
        let large = pending.body.is_none() && pending.size > limits::LARGE;
        let _permit = if large { self.delivery.large.acquire().await.ok() } else { None };
        let body = match self.body(pending).await {
            Ok(Some(body)) => body,
            Ok(None) => return Finish::Gone,
            Err(error) => {
                tracing::warn!(id = %pending.id, %error, "a held webhook can't be read");
                return Finish::Absent; // the inbox is, in truth: it is asked again after a rest
            }
        };
        let head = match held::marked(pending) {
            Ok(head) => head,
            Err(error) => {
                tracing::error!(id = %pending.id, %error, "a held webhook has no head that can be read");
                return Finish::Failed(None);
            }
        };
        fault::point("after-202");
        let mut sending = match self.tunnel.open(&head) {
            Ok(opened) => opened.with_body(Full::new(body)),
            Err(Reset(code)) => return held::finish_without(code),
        };
        fault::point("after-push");
        match sending.head(self.delivery.patience, |never| match *never {}).await {
            Ok(answer) => {
                fault::point("after-app-answer");
                let finish = held::finish(&answer);
                swallow(sending.into_exchange(answer, self.delivery.patience).body).await;
                finish
            }
            Err(Reset(code)) => {
                sending.give_up(code);
                held::finish_without(code)
            }
        }
    }

    async fn body(&self, pending: &Pending) -> Result<Option<Bytes>, InboxError> {
        match &pending.body {
            Some(body) => Ok(Some(body.clone())),
            None => self.delivery.inbox.body(pending.id).await,
        }
    }
}

async fn until_then(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// The tasks at once: deliveries, and those whose end the inbox is being told.
const _: () = assert!(AT_ONCE < PAGE);
