//! The thread that writes: drain, commit, answer; and when that fails, close, reopen, check.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{SendError, SyncSender},
    },
    time::Duration,
};

use super::{
    Settings,
    disk::Folder,
    intake::{Command, Intake, Taken},
    read::Readers,
    schema::StoreError,
    store::Store,
};

/// How long nothing has to come in before the writer tidies up.
const IDLE: Duration = Duration::from_millis(500);

/// The pause before a failed store is opened again; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(250);

/// A disk that was full or unplugged is found again within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// The pause after damage was found. It does not heal by itself, but the memory or the cable through which it was read may; and reading all
/// of a large database costs seconds.
const DAMAGED_PAUSE: Duration = Duration::from_mins(10);

/// Empty pages in the file that are kept for the next webhooks. Above it they go back to the disk.
const SPARE_BYTES: u64 = 32 * 1024 * 1024;

/// How much goes back at a time: some ten milliseconds in which nothing is written.
const SHRINK_BYTES: u64 = 8 * 1024 * 1024;

/// What the writer shares with those who ask.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) intake: Intake,
    readers: Mutex<Option<Readers>>,
}

impl Shared {
    /// The readers, if the store is well.
    pub(super) fn readers(&self) -> MutexGuard<'_, Option<Readers>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_readers(&self, database: &Path) -> Result<(), StoreError> {
        let opened = Readers::open(database)?;
        *self.readers() = Some(opened);
        Ok(())
    }

    /// Returns when they are closed. Nobody waits for the lock meanwhile.
    fn close_readers(&self) {
        let readers = self.readers().take();
        drop(readers);
    }
}

/// The writing thread's own, but for the store: whoever works with that drops it on any failure.
#[derive(Debug)]
pub(super) struct Writer {
    folder: Folder,
    settings: Settings,
    shared: Arc<Shared>,
    unclean: bool,
    /// What is being written. Kept here so that a panic, too, lets go of it only when everybody can learn why.
    batch: Vec<Command>,
    /// The last place that was given to a webhook, which outlives a store that failed.
    last: i64,
}

impl Writer {
    /// A writer that has opened nothing yet but its folder.
    pub(super) fn new(path: &Path, settings: Settings, shared: Arc<Shared>) -> Result<Self, StoreError> {
        let folder = Folder::open(path, settings.low_water)?;
        let unclean =
            folder.enter().or_else(|error| if folder.free_ballast() { folder.enter() } else { Err(error) })?;
        if unclean {
            tracing::warn!("the inbox was not closed properly the last time: it is checked");
        }
        shared.intake.fail("it was not closed properly, and is being checked");
        Ok(Self { folder, settings, shared, unclean, batch: Vec::new(), last: 0 })
    }

    /// Whether the last stop was none, so that opening it takes a check.
    pub(super) fn is_unclean(&self) -> bool {
        self.unclean
    }

    /// Opens the store, and writes until the intake is closed and empty. Whoever waits for `opened` is told how that went, and an error is
    /// the end then; when nobody waits any more, it is tried again like after any failure.
    pub(super) fn run(mut self, opened: &SyncSender<Result<(), StoreError>>) {
        let first = match self.enter() {
            Ok(store) => {
                let _ = opened.send(Ok(())); // nobody may wait any more, which is as well
                Some(store)
            }
            Err(error) => match opened.send(Err(error)) {
                Ok(()) => return,
                Err(SendError(nobody)) => {
                    let reason = nobody.map_or_else(|error| self.explain(&error), |()| String::new());
                    self.fail(&reason);
                    self.recover()
                }
            },
        };
        let Some(mut store) = first else { return };
        loop {
            let reason = match catch_unwind(AssertUnwindSafe(|| self.serve(store))) {
                Ok(Ok(store)) => return self.leave(store),
                Ok(Err(error)) => self.explain(&error),
                Err(_) => "its writer panicked".to_owned(),
            };
            self.fail(&reason);
            match self.recover() {
                Some(recovered) => store = recovered,
                None => return,
            }
        }
    }

    /// Gives the store back when there is nothing more to do.
    fn serve(&mut self, mut store: Store) -> Result<Store, StoreError> {
        let mut untidy = true;
        loop {
            match self.shared.intake.take(&mut self.batch, untidy.then_some(IDLE)) {
                Taken::Work => {
                    self.write(&mut store)?;
                    untidy = true;
                }
                Taken::Idle => untidy = self.tidy(&store)?,
                Taken::Closed => return Ok(store),
            }
        }
    }

    /// One transaction.
    fn write(&mut self, store: &mut Store) -> Result<(), StoreError> {
        let outcomes = store.write(&self.batch, room(&self.folder, store)?)?;
        self.last = store.last();
        let full = store.is_full();
        self.shared.intake.heal(full);
        for (command, outcome) in self.batch.drain(..).zip(outcomes) {
            command.answer(outcome);
        }
        if full && store.spare()? > 0 {
            store.shrink(SHRINK_BYTES)?;
        }
        Ok(())
    }

    /// A step of what has time until nobody waits. Whether there is more.
    fn tidy(&mut self, store: &Store) -> Result<bool, StoreError> {
        if store.spare()? > SPARE_BYTES {
            store.shrink(SHRINK_BYTES)?;
            return Ok(true);
        }
        let emptied = store.empty_log()?;
        if let Err(error) = self.folder.lay_ballast() {
            tracing::warn!(%error, "the inbox's ballast can't be laid");
            self.folder.free_ballast();
        }
        let full = room(&self.folder, store)? == 0;
        self.shared.intake.heal(full);
        Ok(full || !emptied)
    }

    /// Tells everybody, and closes what reads.
    fn fail(&mut self, reason: &str) {
        tracing::error!(%reason, "the inbox failed: nothing is acknowledged until it was opened again and checked");
        self.shared.intake.fail(reason);
        self.batch.clear();
        self.shared.close_readers();
    }

    /// Opens the store again, unless the intake is closed before that succeeds.
    fn recover(&mut self) -> Option<Store> {
        let mut pause = PAUSE;
        loop {
            if self.shared.intake.closed_within(pause) {
                return None;
            }
            pause = LONGEST_PAUSE.min(2 * pause);
            let reason = match catch_unwind(AssertUnwindSafe(|| self.start(true))) {
                Ok(Ok(store)) => {
                    tracing::info!("the inbox was opened again, checked, and found whole");
                    return Some(store);
                }
                Ok(Err(error)) => {
                    if matches!(error, StoreError::Damaged(_)) {
                        pause = DAMAGED_PAUSE;
                    }
                    self.explain(&error)
                }
                Err(_) => "opening it panicked".to_owned(),
            };
            self.fail(&reason);
        }
    }

    /// The first start of a process.
    fn enter(&mut self) -> Result<Store, StoreError> {
        let first = self.start(self.unclean);
        // Opening takes some space, for the log has to be gone through.
        let again = first.as_ref().is_err_and(|error| error.is_full() && self.folder.free_ballast());
        if again { self.start(self.unclean) } else { first }
    }

    fn start(&mut self, check: bool) -> Result<Store, StoreError> {
        let store = Store::open(&self.folder, &self.settings, check, self.last)?;
        self.last = store.last();
        self.shared.open_readers(&self.folder.database())?;
        self.shared.intake.heal(room(&self.folder, &store)? == 0);
        Ok(store)
    }

    /// What an error says, once what can be done about it was done.
    fn explain(&self, error: &StoreError) -> String {
        if error.is_full() && self.folder.free_ballast() {
            tracing::warn!("the inbox's disk is full: the ballast was given back");
        }
        error.to_string()
    }

    /// Closes everything as it should be: the last connection empties the log and removes it.
    fn leave(self, store: Store) {
        self.shared.close_readers();
        if let Err(error) = store.close().and_then(|()| Ok(self.folder.leave()?)) {
            tracing::warn!(%error, "the inbox was not closed properly: it is checked at the next start");
        }
    }
}

/// What may still come in: the disk's room, and what is empty in the file. Once the disk is down to its mark, the latter is not enough,
/// since everything goes through the log first.
fn room(folder: &Folder, store: &Store) -> Result<u64, StoreError> {
    match folder.room() {
        0 => Ok(0),
        room => Ok(room.saturating_add(store.spare()?)),
    }
}
