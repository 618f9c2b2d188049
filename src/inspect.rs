//! `hookwire inspect`, and the screen of a listener.

mod actions;
mod test_event;

use std::{
    io::{self, IsTerminal},
    path::Path,
    sync::Arc,
};

use hookwire_capture::{Update, Writer};
use hookwire_inspector::tui::{Feed, Inspector, Settings};
use hookwire_relay_client::{App, Watcher};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{inspect::InspectArgs, listen::ListenSettings},
    failure::{Failure, chain},
    logs::Logs,
    replay, store,
};
use actions::Doing;

pub(crate) use actions::edit;

/// Shows a store until the user quits or `stop` is cancelled.
pub(crate) async fn run(arguments: InspectArgs, logs: &Logs, stop: CancellationToken) -> Result<(), Failure> {
    if !has_terminal() {
        return Err(Failure::usage("the inspector needs a terminal")
            .hint("`hookwire requests list` prints the same rows".to_owned()));
    }
    let path = store::path(arguments.store)?;
    // Opened for reading first: a store that is not there must not be made.
    drop(store::reader(&path)?);
    let store = store::beside(&path)?;
    let flags = ListenSettings {
        target: arguments.to,
        secret: arguments.secret,
        env_file: arguments.env_file,
        ..ListenSettings::default()
    };
    let reader = path.clone();
    // The listener may have changed its app meanwhile: whoever replays asks.
    let app = move || {
        let ready = store::reader(&reader)?.ready().map_err(|error| store::failure(&error))?;
        replay::app_of(flags.clone(), ready)
    };
    let end = show(&path, Feed::default(), store.writer(), app, logs, stop).await;
    store::close(store).await;
    end
}

/// Runs the inspector on a thread of its own: it takes the terminal, and gives it back.
pub(crate) async fn show(
    store: &Path,
    feed: Feed,
    writer: Writer,
    app: impl Fn() -> Result<App, Failure> + Send + Sync + 'static,
    logs: &Logs,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let doing = Doing { runtime: Handle::current(), store: store.to_owned(), writer, app: Box::new(app) };
    let inspector = Inspector {
        store: store.to_owned(),
        feed,
        actions: Arc::new(doing),
        log: logs.ring(),
        settings: Settings::from_environment(),
    };
    let aside = logs.aside();
    let shown = tokio::task::spawn_blocking(move || inspector.run(&stop)).await;
    drop(aside);
    match shown {
        Ok(end) => end.map_err(|error| Failure::usage(chain(&error))),
        Err(error) => Err(Failure::not_so(format!("the inspector broke: {error}"))),
    }
}

/// Whether there is a terminal to take.
pub(crate) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Tells the screen what happens to the client; exchanges it reads from the store.
pub(crate) struct Telling<F> {
    feed: Feed,
    seen: F,
}

impl<F: FnMut(&Update) + Send + 'static> Telling<F> {
    /// Tells `feed`, and calls `seen` after each piece of news.
    pub(crate) fn new(feed: Feed, seen: F) -> Self {
        Self { feed, seen }
    }
}

impl<F: FnMut(&Update) + Send + 'static> Watcher for Telling<F> {
    fn update(&mut self, update: Update) -> io::Result<()> {
        self.feed.update(&update);
        (self.seen)(&update);
        Ok(())
    }

    fn rest(&mut self) -> io::Result<()> {
        Ok(())
    }
}
