//! What the tests start, and how they watch it.

mod binary;
mod certificates;
mod journal;
mod listener;
mod pattern;
mod process;
mod raw_app;
mod relay;
mod shop;
mod wire;

use std::time::{Duration, Instant};

pub(crate) use binary::{Home, root};
pub(crate) use certificates::Authority;
pub(crate) use journal::Journal;
pub(crate) use listener::Listener;
pub(crate) use pattern::Pattern;
pub(crate) use process::Process;
pub(crate) use raw_app::{RawApp, own_address, unused_address};
pub(crate) use relay::Relay;
pub(crate) use shop::{SECRETS, Shop, send};
pub(crate) use wire::{Head, Wire};

/// How long anything may take before a test gives up on it. Far beyond what a loaded machine with two cores needs; a test that
/// waits this long has found a hang.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The endpoint that tests use when one is enough.
pub(crate) const ENDPOINT: &str = "shop";

/// Asks again and again, in a way that takes its time (a new process), until the answer is right.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "the deadline passed without {what}");
    }
}
