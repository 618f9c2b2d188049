//! What the writer knows by heart: how much each endpoint holds, what may still come in, and where the next webhook goes.
//!
//! Accounts are written in the transaction that changes them, so that counting and refusing never has to read a backlog.

use std::{collections::HashMap, mem, sync::Arc, time::SystemTime};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    FullReason, Quota, Settings,
    retention::RetentionClock,
    times::{from_millis, to_millis},
};

/// What a webhook takes of the disk beside its own bytes: its row, three entries of indexes, its share of half-empty pages.
const ROW_BYTES: u64 = 512;

/// How often a webhook is on the disk before the log is emptied: in the log and in the database.
const COPIES: u64 = 2;

/// The accounts of all endpoints.
#[derive(Debug)]
pub(super) struct Books {
    settings: Settings,
    accounts: HashMap<i64, Account>,
    rows: HashMap<Arc<str>, i64>,
    /// The accounts that the transaction under way has changed.
    changed: Vec<i64>,
    sequence: i64,
    /// Bytes of all endpoints.
    total: u64,
    /// Bytes that the disk has to spare for the transaction that is under way.
    room: u64,
    /// Whether that was too little for somebody.
    full: bool,
    clock: Option<RetentionClock>,
    /// Whether nothing was too old when somebody last looked, at the clock as it stands.
    all_young: bool,
}

#[derive(Debug)]
struct Account {
    name: Arc<str>,
    pending: u64,
    parked: u64,
    bytes: u64,
    lost: u64,
    changed: bool,
}

/// A webhook as an account sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) endpoint: i64,
    pub(super) size: u64,
    pub(super) pending: bool,
}

impl Books {
    /// Reads the accounts. New webhooks come behind `behind`, and behind every other.
    pub(super) fn read(on: &Connection, settings: &Settings, behind: i64) -> rusqlite::Result<Self> {
        let mut accounts = HashMap::new();
        let mut select = on.prepare("SELECT row, name, pending, parked, bytes, lost FROM endpoint")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let account = Account {
                name: row.get::<_, String>(1)?.into(),
                pending: row.get(2)?,
                parked: row.get(3)?,
                bytes: row.get(4)?,
                lost: row.get(5)?,
                changed: false,
            };
            accounts.insert(row.get(0)?, account);
        }
        let last: Option<i64> = on.query_row("SELECT max(sequence) FROM webhook", [], |row| row.get(0))?;
        let clock = on.query_row("SELECT shows, stepped_at FROM clock", [], |row| {
            Ok(RetentionClock { shows: from_millis(row.get(0)?), stepped_at: from_millis(row.get(1)?) })
        });
        Ok(Self {
            settings: settings.clone(),
            rows: accounts.iter().map(|(row, account)| (Arc::clone(&account.name), *row)).collect(),
            total: accounts.values().map(|account| account.bytes).sum(),
            accounts,
            changed: Vec::new(),
            sequence: last.unwrap_or(0).max(behind),
            room: 0,
            full: false,
            clock: clock.optional()?,
            all_young: false,
        })
    }

    /// Begins a transaction, for which the disk has `room` bytes.
    pub(super) fn begin(&mut self, room: u64) {
        (self.room, self.full) = (room, false);
    }

    /// Whether a webhook of `size` bytes may come in.
    pub(super) fn admit(&mut self, endpoint: &str, size: u64) -> Result<(), FullReason> {
        let cost = COPIES * (size + ROW_BYTES);
        if cost > self.room {
            self.full = true;
            return Err(FullReason::Disk);
        }
        let Quota { webhooks, bytes } = self.settings.quota;
        let account = self.rows.get(endpoint).and_then(|row| self.accounts.get(row));
        let (held, held_bytes) = account.map_or((0, 0), |account| (account.pending + account.parked, account.bytes));
        if held >= webhooks {
            return Err(FullReason::Webhooks);
        }
        // Half of the disk at most: one endpoint's flood must not be the end of all others.
        let fair = u64::midpoint(self.total, self.room / COPIES);
        if held_bytes + size > bytes.min(fair) {
            return Err(FullReason::Bytes);
        }
        Ok(())
    }

    /// Whether somebody was refused for lack of room in this transaction, or would be for a small webhook.
    pub(super) fn is_full(&self) -> bool {
        self.full || self.room < COPIES * ROW_BYTES
    }

    /// The row of an endpoint's account, which is opened if need be.
    pub(super) fn row_of(&mut self, on: &Transaction<'_>, endpoint: &Arc<str>) -> rusqlite::Result<i64> {
        if let Some(row) = self.rows.get(endpoint) {
            return Ok(*row);
        }
        on.execute("INSERT INTO endpoint (name, pending, parked, bytes, lost) VALUES (?1, 0, 0, 0, 0)", [&**endpoint])?;
        let row = on.last_insert_rowid();
        let name = Arc::clone(endpoint);
        self.accounts.insert(row, Account { name, pending: 0, parked: 0, bytes: 0, lost: 0, changed: false });
        self.rows.insert(Arc::clone(endpoint), row);
        Ok(row)
    }

    /// A place that no webhook had before.
    pub(super) fn next_sequence(&mut self) -> i64 {
        self.sequence += 1;
        self.sequence
    }

    /// The last place that was given.
    pub(super) fn last_sequence(&self) -> i64 {
        self.sequence
    }

    /// Bytes that all endpoints hold.
    #[cfg(test)]
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn added(&mut self, endpoint: i64, size: u64) {
        self.total += size;
        self.room = self.room.saturating_sub(COPIES * (size + ROW_BYTES));
        self.change(endpoint, |account| {
            account.pending += 1;
            account.bytes += size;
        });
    }

    pub(super) fn removed(&mut self, held: Held) {
        self.total = self.total.saturating_sub(held.size);
        self.change(held.endpoint, |account| {
            let of = if held.pending { &mut account.pending } else { &mut account.parked };
            *of = of.saturating_sub(1);
            account.bytes = account.bytes.saturating_sub(held.size);
        });
    }

    pub(super) fn parked(&mut self, endpoint: i64) {
        self.change(endpoint, |account| {
            account.pending = account.pending.saturating_sub(1);
            account.parked += 1;
        });
    }

    pub(super) fn released(&mut self, endpoint: i64) {
        self.change(endpoint, |account| {
            account.parked = account.parked.saturating_sub(1);
            account.pending += 1;
        });
    }

    pub(super) fn lost(&mut self, endpoint: i64) {
        self.change(endpoint, |account| account.lost += 1);
    }

    /// The endpoints that hold something, by row and name.
    pub(super) fn holding(&self) -> Vec<(i64, Arc<str>)> {
        let holding = self.accounts.iter().filter(|(_, account)| account.pending + account.parked > 0);
        holding.map(|(row, account)| (*row, Arc::clone(&account.name))).collect()
    }

    /// Lets the retention clock look at the system's. What it shows, unless nothing can be too old by it.
    pub(super) fn look_at_clock(
        &mut self,
        on: &Transaction<'_>,
        now: SystemTime,
    ) -> rusqlite::Result<Option<SystemTime>> {
        let clock = self.clock.unwrap_or_else(|| RetentionClock::new(now)).step(now);
        if self.clock == Some(clock) && self.all_young {
            return Ok(None);
        }
        if self.clock != Some(clock) {
            on.execute(
                "INSERT OR REPLACE INTO clock (one, shows, stepped_at) VALUES (1, ?1, ?2)",
                [to_millis(clock.shows), to_millis(clock.stepped_at)],
            )?;
            self.clock = Some(clock);
        }
        Ok(Some(clock.shows))
    }

    /// Remembers whether something was too old.
    pub(super) fn looked(&mut self, all_young: bool) {
        self.all_young = all_young;
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Writes the accounts that have changed.
    pub(super) fn write(&mut self, on: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut update =
            on.prepare_cached("UPDATE endpoint SET pending = ?2, parked = ?3, bytes = ?4, lost = ?5 WHERE row = ?1")?;
        for row in self.changed.drain(..) {
            if let Some(account) = self.accounts.get_mut(&row) {
                update.execute(params![row, account.pending, account.parked, account.bytes, account.lost])?;
                account.changed = false;
            }
        }
        Ok(())
    }

    fn change(&mut self, endpoint: i64, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts.get_mut(&endpoint) {
            change(account);
            if !mem::replace(&mut account.changed, true) {
                self.changed.push(endpoint);
            }
        }
    }
}
