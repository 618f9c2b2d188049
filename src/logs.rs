//! Logs: to standard error, since standard output belongs to what was asked for.

use std::io;

use tracing::Level;
use tracing_subscriber::EnvFilter;

/// Starts logging from `level` on, unless `RUST_LOG` says otherwise.
pub(crate) fn start(level: Level) {
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false).init();
}
