//! Logs: to standard error, since standard output belongs to what was asked for; to a ring while the screen is taken.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use hookwire_inspector::tui::LogRing;
use tracing::Level;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Where lines go; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    ring: LogRing,
    to_ring: Arc<AtomicBool>,
}

impl Logs {
    /// Sends what is logged to the ring, until the guard is dropped: the screen is taken.
    pub(crate) fn aside(&self) -> Aside {
        self.to_ring.store(true, Ordering::Release);
        Aside(self.clone())
    }

    /// The lines for the screen.
    pub(crate) fn ring(&self) -> LogRing {
        self.ring.clone()
    }
}

/// See [`Logs::aside`].
pub(crate) struct Aside(Logs);

impl Drop for Aside {
    fn drop(&mut self) {
        self.0.to_ring.store(false, Ordering::Release);
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Box<dyn Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        if self.to_ring.load(Ordering::Acquire) { Box::new(self.ring.clone()) } else { Box::new(io::stderr()) }
    }
}

/// Starts logging from `level` on, unless `RUST_LOG` says otherwise.
pub(crate) fn start(level: Level) -> Logs {
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    let logs = Logs::default();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(logs.clone()).with_target(false).init();
    logs
}
