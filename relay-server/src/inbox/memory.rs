//! An inbox that forgets everything with its process: for tests of what stands on top of one. It answers at once, so it also works under
//! a paused clock, where a real store's thread would look like eternity.

use std::{
    collections::{BTreeMap, BTreeSet},
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::{
    Counts, Cursor, Eventually, Expired, ExpiredTo, FullReason, Inbox, InboxError, InboxHealth, InboxState,
    LONGEST_WAIT, ParkReason, Parked, Pending, Settings, Settled, Webhook, retention::RetentionClock,
};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct MemoryInbox {
    settings: Settings,
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    table: BTreeMap<i64, Row>,
    last: i64,
    lost: BTreeMap<Arc<str>, u64>,
    clock: Option<RetentionClock>,
    failing: Option<InboxError>,
}

#[derive(Debug)]
struct Row {
    webhook: Webhook,
    state: State,
    /// When it came into its state.
    since: SystemTime,
    status: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Parked(ParkReason),
}

impl MemoryInbox {
    /// An empty one.
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, rows: Mutex::default() }
    }

    /// From now on every append fails with `error`, or none does.
    pub(crate) fn fail(&self, error: Option<InboxError>) {
        self.rows().failing = error;
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, webhook: Webhook) -> Result<(), InboxError> {
        let mut rows = self.rows();
        if let Some(error) = &rows.failing {
            return Err(error.clone());
        }
        if webhook.body_len() > self.settings.max_body {
            return Err(InboxError::TooLarge { limit: self.settings.max_body });
        }
        if rows.find(webhook.id).is_some() {
            return Err(InboxError::Duplicate(webhook.id));
        }
        let counts = rows.counts(&webhook.endpoint);
        if counts.pending + counts.parked >= self.settings.quota.webhooks {
            return Err(InboxError::Full(FullReason::Webhooks));
        }
        if counts.bytes + webhook.size() > self.settings.quota.bytes {
            return Err(InboxError::Full(FullReason::Bytes));
        }
        rows.last += 1;
        let (sequence, since) = (rows.last, webhook.received_at);
        rows.table.insert(sequence, Row { webhook, state: State::Pending, since, status: None });
        Ok(())
    }
}

impl Rows {
    fn find(&mut self, id: Uuid) -> Option<(i64, &mut Row)> {
        self.table.iter_mut().find(|(_, row)| row.webhook.id == id).map(|(sequence, row)| (*sequence, row))
    }

    fn of<'a>(&'a self, endpoint: &'a str) -> impl Iterator<Item = (i64, &'a Row)> + 'a {
        self.table
            .iter()
            .filter(move |(_, row)| &*row.webhook.endpoint == endpoint)
            .map(|(sequence, row)| (*sequence, row))
    }

    fn counts(&self, endpoint: &str) -> Counts {
        let mut counts = Counts { lost: self.lost.get(endpoint).copied().unwrap_or(0), ..Counts::default() };
        for (_, row) in self.of(endpoint) {
            counts.bytes += row.webhook.size();
            if row.state == State::Pending {
                counts.pending += 1;
                counts.oldest = counts.oldest.or(Some(row.webhook.received_at));
            } else {
                counts.parked += 1;
            }
        }
        counts
    }

    fn settle(&mut self, id: Uuid, outcome: Settled) -> bool {
        let Some((sequence, row)) = self.find(id) else { return false };
        match outcome {
            Settled::Delivered | Settled::Dropped => {
                self.table.remove(&sequence);
            }
            Settled::Retry { at, attempt, status } if row.state == State::Pending => {
                (row.webhook.due_at, row.webhook.attempt, row.status) = (at, attempt, status);
            }
            Settled::Parked { reason, at, attempt, status } if row.state == State::Pending => {
                (row.state, row.since) = (State::Parked(reason), at);
                (row.webhook.attempt, row.status) = (attempt, status);
            }
            Settled::Retry { .. } | Settled::Parked { .. } => {}
        }
        true
    }

    fn expire(&mut self, settings: &Settings, now: SystemTime) -> Vec<Expired> {
        let clock = self.clock.unwrap_or_else(|| RetentionClock::new(now)).step(now);
        self.clock = Some(clock);
        let too_old = |row: &Row, time| clock.shows.duration_since(row.since).is_ok_and(|age| age >= time);
        let mut expired = Vec::new();
        let mut gone = BTreeSet::new();
        for (sequence, row) in &mut self.table {
            let to = match row.state {
                State::Pending if too_old(row, settings.retention) => {
                    (row.state, row.since) = (State::Parked(ParkReason::Retention), clock.shows);
                    ExpiredTo::Parked
                }
                State::Parked(_) if too_old(row, settings.parked_retention) => {
                    gone.insert(*sequence);
                    *self.lost.entry(Arc::clone(&row.webhook.endpoint)).or_default() += 1;
                    ExpiredTo::Dropped
                }
                _ => continue,
            };
            let Webhook { id, endpoint, received_at, .. } = row.webhook.clone();
            expired.push(Expired { id, endpoint, received_at, to });
        }
        self.table.retain(|sequence, _| !gone.contains(sequence));
        expired
    }
}

fn now<T: Send + 'static>(result: Result<T, InboxError>) -> Eventually<T> {
    Box::pin(future::ready(result))
}

fn joined(pieces: &[Bytes]) -> Bytes {
    let mut whole = BytesMut::new();
    for piece in pieces {
        whole.extend_from_slice(piece);
    }
    whole.freeze()
}

impl Inbox for MemoryInbox {
    fn append(&self, webhook: Webhook) -> Eventually<()> {
        now(self.add(webhook))
    }

    fn due(&self, endpoint: &str, after: Cursor, by: SystemTime, limit: usize) -> Eventually<Vec<Pending>> {
        let rows = self.rows();
        let is_due = |due_at| due_at <= by || due_at > by + LONGEST_WAIT;
        let due = rows
            .of(endpoint)
            .filter(|(sequence, row)| *sequence > after.0 && row.state == State::Pending && is_due(row.webhook.due_at));
        let page = due.take(limit).map(|(sequence, Row { webhook, status, .. })| Pending {
            cursor: Cursor(sequence),
            id: webhook.id,
            received_at: webhook.received_at,
            due_at: webhook.due_at,
            attempt: webhook.attempt,
            status: *status,
            size: webhook.size(),
            head: webhook.head.clone(),
            body: (webhook.body_len() <= super::webhook::INLINE_BODY).then(|| joined(&webhook.body)),
        });
        now(Ok(page.collect()))
    }

    fn body(&self, id: Uuid) -> Eventually<Option<Bytes>> {
        now(Ok(self.rows().find(id).map(|(_, row)| joined(&row.webhook.body))))
    }

    fn settle(&self, id: Uuid, outcome: Settled) -> Eventually<bool> {
        now(Ok(self.rows().settle(id, outcome)))
    }

    fn next_due(&self, endpoint: &str) -> Eventually<Option<SystemTime>> {
        let rows = self.rows();
        let pending = rows.of(endpoint).filter(|(_, row)| row.state == State::Pending);
        now(Ok(pending.map(|(_, row)| row.webhook.due_at).min()))
    }

    fn counts(&self, endpoint: &str) -> Eventually<Counts> {
        now(Ok(self.rows().counts(endpoint)))
    }

    fn endpoints(&self) -> Eventually<Vec<Arc<str>>> {
        let names: BTreeSet<_> = self.rows().table.values().map(|row| Arc::clone(&row.webhook.endpoint)).collect();
        now(Ok(names.into_iter().collect()))
    }

    fn parked(&self, endpoint: &str, after: Cursor, limit: usize) -> Eventually<Vec<Parked>> {
        let rows = self.rows();
        let parked = rows.of(endpoint).filter_map(|(sequence, row)| match row.state {
            State::Parked(reason) if sequence > after.0 => Some(Parked {
                cursor: Cursor(sequence),
                id: row.webhook.id,
                received_at: row.webhook.received_at,
                parked_at: row.since,
                reason,
                attempt: row.webhook.attempt,
                status: row.status,
                size: row.webhook.size(),
                head: row.webhook.head.clone(),
            }),
            _ => None,
        });
        now(Ok(parked.take(limit).collect()))
    }

    fn release(&self, id: Uuid, due_at: SystemTime) -> Eventually<bool> {
        let mut rows = self.rows();
        let parked = rows.find(id).filter(|(_, row)| row.state != State::Pending);
        let released = parked.map(|(_, row)| {
            (row.state, row.since) = (State::Pending, due_at);
            row.webhook.due_at = due_at;
        });
        now(Ok(released.is_some()))
    }

    fn expire(&self, by: SystemTime) -> Eventually<Vec<Expired>> {
        now(Ok(self.rows().expire(&self.settings, by)))
    }

    fn health(&self) -> InboxHealth {
        let state = match &self.rows().failing {
            None => InboxState::Ready,
            Some(InboxError::Full(FullReason::Disk)) => InboxState::Full,
            Some(error) => InboxState::Failing(error.to_string().into()),
        };
        InboxHealth { state, queued: 0, queued_bytes: 0 }
    }
}

#[tokio::test]
async fn the_contract_is_fulfilled() {
    super::contract::fulfilled(MemoryInbox::new).await;
}

#[tokio::test]
async fn it_fails_as_it_is_told() {
    let inbox = MemoryInbox::new(Settings::default());
    let webhook = super::contract::webhook("shop", 1, Vec::new());
    inbox.fail(Some(InboxError::Busy));
    assert_eq!(inbox.append(webhook.clone()).await, Err(InboxError::Busy));
    inbox.fail(None);
    assert_eq!(inbox.append(webhook).await, Ok(()));
}
