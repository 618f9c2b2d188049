//! What is done to the processes. Names in brackets are those of the project's list of fault tests.

mod disk;
mod kills;
mod network;
mod power;
mod pressure;

use std::{future::Future, path::PathBuf, pin::Pin};

use anyhow::Result;

/// How much of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// A few rounds: all scenarios together take three minutes.
    Quick,
    /// As often as the list says.
    Full,
}

/// What a scenario is given.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) binary: PathBuf,
    pub(crate) random: fastrand::Rng,
    pub(crate) scale: Scale,
}

impl Setting {
    /// So many rounds.
    pub(crate) const fn rounds(&self, quick: u32, full: u32) -> u32 {
        match self.scale {
            Scale::Quick => quick,
            Scale::Full => full,
        }
    }
}

/// How a scenario ended, when it did not fail.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With the figures to print.
    Held(Vec<String>),
    /// This machine does not allow it; said aloud.
    Skipped(String),
}

type Run = fn(Setting) -> Pin<Box<dyn Future<Output = Result<Outcome>>>>;

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: Run,
}

macro_rules! scenarios {
    ($($name:literal, $about:literal, $run:path;)+) => {
        /// All of them, the quick ones first.
        pub(crate) const SCENARIOS: &[Scenario] =
            &[$(Scenario { name: $name, about: $about, run: |setting| Box::pin($run(setting)) },)+];
    };
}

scenarios! {
    "relay-kill", "kill -9 of the relay at random times under load [F1]", kills::relay;
    "relay-points", "kill -9 of the relay at every named point [F2]", kills::points;
    "client-kill", "kill -9 of the client at random times under load [F3]", kills::client;
    "app-kill", "kill -9 of the app at random times under load, and an app that fails [F3]", kills::app;
    "stop", "SIGTERM of the relay and of the client under load [F23]", kills::stop;
    "power", "a power cut, and the control without sync that must lose [F4]", power::cut;
    "disk-full", "a full disk under load, freed later [F5]", disk::full;
    "disk-errors", "EIO from fsync under load [F6]", disk::errors;
    "descriptors", "no file descriptors left [F7]", pressure::descriptors;
    "clock", "the relay's clock two days ahead, and an hour back [F8]", pressure::clock;
    "partition", "client and relay can't hear each other, without a word [F9]", network::partition;
    "deaf-client", "a client that never reads, and a slow app [F11]", pressure::deaf;
    "backlog", "a long backlog, drained in bounded memory [F13]", pressure::backlog;
}
