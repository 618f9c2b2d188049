//! What a drain does next. No I/O and no clock: times are arguments.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant, SystemTime},
};

use uuid::Uuid;

use super::schedule;
use crate::inbox::{Cursor, LONGEST_WAIT, ParkReason, Pending, Settled};

/// Held webhooks with the app at once. Development servers have one thread or a few workers: eight keep them busy over a round trip of
/// 100 ms without burying them.
pub(super) const AT_ONCE: usize = 8;

/// With so many live webhooks in flight the app is busy: held ones, which nobody waits for, go one at a time.
const DENSE: usize = 32;

/// How long the endpoint rests after the app took no connection; twice as long each further time.
const REST: Duration = Duration::from_secs(1);

/// The longest rest. A live webhook that gets through ends it early.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The app answered 2xx.
    Took,
    /// It answered something else (then with its status), or not, or not to the end.
    Failed(Option<u16>),
    /// It takes no connection: that says nothing about this webhook.
    Absent,
    /// The session ended, or takes no more.
    Lost,
    /// It is in the inbox no more.
    Gone,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// Fetch the pending webhooks behind this place.
    Fetch(Cursor),
    /// Send this one.
    Deliver(Pending),
    /// Wait for a delivery to end, for news, or until then.
    Wait(Option<Instant>),
    /// Everything that was due was tried: wait for news, or for the next one that is due.
    Idle,
    /// The session takes no more, and nothing is under way.
    End,
}

/// The state of one session's drain.
#[derive(Debug)]
pub(super) struct Drain {
    ordered: bool,
    /// Fetched, in order of arrival.
    queue: VecDeque<Pending>,
    /// With the app.
    in_flight: Vec<Pending>,
    /// Answered, and the inbox does not know it yet.
    settling: HashSet<Uuid>,
    /// Where the scan of the inbox is.
    cursor: Cursor,
    /// The scan has not come to its end.
    scanning: bool,
    rest: Option<Rest>,
    ending: bool,
}

/// The app takes no connections.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    length: Duration,
}

impl Drain {
    pub(super) fn new(ordered: bool) -> Self {
        Self {
            ordered,
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            settling: HashSet::new(),
            cursor: Cursor::START,
            scanning: true,
            rest: None,
            ending: false,
        }
    }

    /// What to do now, with so many `live` webhooks in flight.
    pub(super) fn next(&mut self, now: Instant, wall: SystemTime, live: usize) -> Step {
        if self.ending {
            return if self.in_flight.is_empty() && self.settling.is_empty() { Step::End } else { Step::Wait(None) };
        }
        if let Some(rest) = self.rest.filter(|rest| now < rest.until) {
            return Step::Wait(Some(rest.until));
        }
        let alone = self.ordered || self.rest.is_some() || live >= DENSE;
        if self.in_flight.len() >= if alone { 1 } else { AT_ONCE } {
            return Step::Wait(None);
        }
        // The next in order may be what the inbox has not heard of yet.
        if self.ordered && !self.settling.is_empty() {
            return Step::Wait(None);
        }
        if let Some(first) = self.queue.front() {
            if let Ok(early) = first.due_at.duration_since(wall)
                && !early.is_zero()
                && early <= LONGEST_WAIT
            // what is put off for longer was put off by a clock that was wrong
            {
                return Step::Wait(Some(now + early)); // only `ordered` fetches what is not due
            }
            if let Some(first) = self.queue.pop_front() {
                self.in_flight.push(first.clone());
                return Step::Deliver(first);
            }
        }
        if self.scanning {
            return Step::Fetch(self.cursor);
        }
        if self.in_flight.is_empty() && self.settling.is_empty() { Step::Idle } else { Step::Wait(None) }
    }

    /// Takes in what was fetched; an empty page is the end. `free` says whether nobody else is in charge of one.
    pub(super) fn fetched(&mut self, page: Vec<Pending>, free: impl Fn(Uuid) -> bool) {
        let Some(last) = page.last() else {
            self.scanning = false;
            return;
        };
        self.cursor = last.cursor;
        for pending in page {
            let known = self.settling.contains(&pending.id) || self.in_flight.iter().any(|one| one.id == pending.id);
            if known || !free(pending.id) {
                if self.ordered {
                    // What stands behind it has to wait for it.
                    self.scanning = false;
                    return;
                }
                continue;
            }
            self.queue.push_back(pending);
        }
    }

    /// Looks at the inbox from its beginning.
    pub(super) fn look_again(&mut self) {
        self.queue.clear();
        self.cursor = Cursor::START;
        self.scanning = true;
    }

    /// A delivery has ended. What the inbox has to be told, if anything; then [`Self::settled`] follows.
    pub(super) fn finished(
        &mut self,
        id: Uuid,
        finish: Finish,
        now: Instant,
        wall: SystemTime,
        chance: f64,
    ) -> Option<Settled> {
        let index = self.in_flight.iter().position(|one| one.id == id)?;
        let pending = self.in_flight.swap_remove(index);
        let settled = match finish {
            Finish::Took => Settled::Delivered,
            Finish::Failed(status) => failed(&pending, status, wall, chance),
            Finish::Absent => {
                self.put_back(pending);
                self.begin_rest(now);
                return None;
            }
            Finish::Lost => {
                self.ending = true;
                return None;
            }
            Finish::Gone => return None,
        };
        self.rest = None; // the app is there
        self.settling.insert(id);
        Some(settled)
    }

    /// One need not go out, and the inbox is being told so.
    pub(super) fn settles(&mut self, id: Uuid) {
        self.settling.insert(id);
    }

    /// When one that is with the app was received.
    pub(super) fn received_at(&self, id: Uuid) -> Option<SystemTime> {
        self.in_flight.iter().find(|one| one.id == id).map(|one| one.received_at)
    }

    /// The inbox knows what became of one.
    pub(super) fn settled(&mut self, id: Uuid) {
        self.settling.remove(&id);
        if self.ordered {
            self.look_again(); // one that failed is the first again
        }
    }

    /// The app is there again.
    pub(super) fn end_rest(&mut self) {
        self.rest = None;
    }

    /// Whether it waits for the app to take connections.
    pub(super) fn is_resting(&self) -> bool {
        self.rest.is_some()
    }

    fn begin_rest(&mut self, now: Instant) {
        let length = match self.rest {
            // Others that were in flight with the first one say nothing new.
            Some(rest) if now < rest.until => return,
            Some(rest) => (2 * rest.length).min(LONGEST_REST),
            None => REST,
        };
        self.rest = Some(Rest { until: now + length, length });
    }

    /// It keeps its place.
    fn put_back(&mut self, pending: Pending) {
        let place = self.queue.partition_point(|queued| queued.cursor < pending.cursor);
        self.queue.insert(place, pending);
    }
}

/// What becomes of a webhook that was tried once more in vain.
pub(super) fn failed(pending: &Pending, status: Option<u16>, wall: SystemTime, chance: f64) -> Settled {
    let attempt = pending.attempt + 1;
    match schedule::wait(attempt, chance) {
        Some(wait) => Settled::Retry { at: wall + wait, attempt, status },
        None => Settled::Parked { reason: ParkReason::Attempts, at: wall, attempt, status },
    }
}

#[cfg(test)]
mod tests;
