//! The store of this directory: where it is, opening it, and what the listener hands over to it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use hookwire_capture::{Health, Reader, Retention, Store, StoreError, Update, Writer};
use hookwire_relay_client::{REMEMBERED, Watcher};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    cli::{choice::Keep, listen::ListenSettings},
    config,
    failure::Failure,
    listen::GRACE,
    project,
};

/// Between two words about what was left out: under overload it changes all the time, and nobody reads faster.
const WORD: Duration = Duration::from_secs(1);

/// Opens the store that a listener writes. One that was asked for must work; the usual one may be missed, for delivery matters more.
pub(crate) fn of_listener(settings: &ListenSettings) -> Result<Option<Store>, Failure> {
    let retention = retention(settings);
    match &settings.store {
        Some(Keep::Off) => Ok(None),
        Some(Keep::File(path)) => Store::open(path, retention).map(Some).map_err(|error| failure(&error)),
        None => Ok(usual(retention)
            .inspect_err(|error| tracing::warn!("webhooks are delivered and shown, but not kept: {error}"))
            .ok()),
    }
}

/// Opens a store beside the listener that may be writing it: to replay, to note, to delete. Nothing is thrown out for its age, since how much is
/// kept is the listener's business.
pub(crate) fn beside(path: &Path) -> Result<Store, Failure> {
    let everything = Retention { exchanges: u64::MAX, bytes: u64::MAX };
    Store::open(path, everything).map_err(|error| failure(&error))
}

/// What the app has taken from earlier listeners, for the next one. Without it a webhook may come twice, which is no reason not to listen.
pub(crate) fn taken(store: &Store, endpoint: &str) -> Vec<(Uuid, u16)> {
    let taken = Reader::open(store.path()).and_then(|reader| reader.taken(endpoint, REMEMBERED));
    taken
        .inspect_err(|error| tracing::warn!("what your app has had already can't be read, and may come again: {error}"))
        .unwrap_or_default()
}

/// Opens a store to read it.
pub(crate) fn reader(path: &Path) -> Result<Reader, Failure> {
    Reader::open(path).map_err(|error| failure(&error))
}

/// The store that is meant: the one named, else the one in the settings file, else this directory's.
pub(crate) fn path(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return Ok(path);
    }
    match config::load(None)?.listen.store {
        Some(Keep::File(path)) => Ok(path),
        Some(Keep::Off) => Err(Failure::usage("the settings say `store = \"off\"`, so nothing is kept")
            .hint("name a store with `--store`".to_owned())),
        None => project::store().map_err(|error| {
            Failure::usage(format!("this directory's store can't be found: {error}"))
                .hint("name a store with `--store`".to_owned())
        }),
    }
}

/// Commits what is still to be written, as long as that takes no longer than everything else at the end.
pub(crate) async fn close(store: Store) {
    let closed = tokio::task::spawn_blocking(move || store.close());
    match timeout(GRACE, closed).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!("the last webhooks were delivered, but not kept: {error}"),
        Ok(Err(_)) | Err(_) => {
            tracing::warn!("the last webhooks were delivered, but perhaps not kept: the store stands still");
        }
    }
}

/// Why the store can't be used, as this process ends with it.
pub(crate) fn failure(error: &StoreError) -> Failure {
    Failure::usage(error).hint(error.hint().map(str::to_owned))
}

fn usual(retention: Retention) -> Result<Store, Box<dyn std::error::Error>> {
    Ok(Store::open(&project::store()?, retention)?)
}

fn retention(settings: &ListenSettings) -> Retention {
    let usual = Retention::default();
    Retention {
        exchanges: settings.keep.unwrap_or(usual.exchanges),
        bytes: settings.keep_size.map_or(usual.bytes, |size| size.0),
    }
}

/// After the last exchange, how long the store may take to notice that it can't be written: a disk that stands still is one after 3 s.
const AFTERMATH: Duration = Duration::from_secs(10);

/// Hands what happens to the store, and then on to whoever shows it.
pub(crate) struct Keeping<W> {
    writer: Writer,
    next: W,
    /// What was last said about the store.
    told: Health,
    told_at: Option<Instant>,
    /// An exchange was handed over since it rested.
    kept: bool,
    /// When it rested after that.
    kept_at: Option<Instant>,
}

impl<W> Keeping<W> {
    /// Hands everything to `writer`, and to `next`.
    pub(crate) fn new(writer: Writer, next: W) -> Self {
        Self { writer, next, told: Health::default(), told_at: None, kept: false, kept_at: None }
    }

    /// What has to be said about the store now.
    fn news(&mut self) -> Option<Health> {
        let health = self.writer.health();
        let lately = self.told_at.is_some_and(|told| told.elapsed() < WORD);
        if health == self.told || (lately && health.trouble == self.told.trouble) {
            return None;
        }
        self.told_at = Some(Instant::now());
        self.told = health.clone();
        Some(health)
    }
}

impl<W: Watcher> Watcher for Keeping<W> {
    fn update(&mut self, update: Update) -> io::Result<()> {
        match &update {
            Update::Exchange(exchange) => {
                self.writer.keep(Arc::clone(exchange));
                self.kept = true;
            }
            Update::Ready(ready) => self.writer.ready(ready),
            _ => {} // news of the moment
        }
        self.next.update(update)
    }

    fn rest(&mut self) -> io::Result<()> {
        // The clock is read once for all that came together.
        if std::mem::take(&mut self.kept) {
            self.kept_at = Some(Instant::now());
        }
        if let Some(health) = self.news() {
            self.next.update(Update::Store(health))?;
        }
        self.next.rest()
    }

    fn has_more(&self) -> bool {
        let lately = self.kept_at.is_some_and(|kept| kept.elapsed() < AFTERMATH);
        lately || self.told.trouble.is_some() || self.next.has_more()
    }

    fn end(&mut self) -> io::Result<()> {
        self.next.end()
    }
}
