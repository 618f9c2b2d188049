//! `hookwire listen` with its JSON lines read as they come.

use std::fmt::Display;
use std::process::Command;

use serde_json::Value;

use super::{ENDPOINT, Home, Process, Relay};

#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) process: Process,
    /// The first line: `{"type":"ready",…}`.
    pub(crate) ready: Value,
    /// Where its store is, too.
    pub(crate) home: Home,
}

impl Listener {
    /// Listens on [`ENDPOINT`] of a relay on this machine, and waits until it is ready.
    pub(crate) fn start(relay: &Relay, target: impl Display) -> Self {
        Self::start_with(&relay.url, target, |_| {})
    }

    /// The same with `--answer app`: the relay holds nothing, and senders get the app's own answers or errors.
    pub(crate) fn answering_for_itself(relay: &Relay, target: impl Display) -> Self {
        Self::start_with(&relay.url, target, |command| {
            command.args(["--answer", "app"]);
        })
    }

    /// The same with more arguments or variables.
    pub(crate) fn start_with(relay: &str, target: impl Display, more: impl FnOnce(&mut Command)) -> Self {
        Self::start_in(&Home::new(), relay, target, more)
    }

    /// The same in a home that may hold the store of an earlier one.
    pub(crate) fn start_in(home: &Home, relay: &str, target: impl Display, more: impl FnOnce(&mut Command)) -> Self {
        let process = Self::launch(home, relay, ENDPOINT, target, more);
        let ready = process.stdout.wait_for("the ready line", 0, |line| of_type(line, "ready"));
        Self { process, ready, home: home.clone() }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.process.terminate();
        assert!(self.process.wait().success(), "{}", self.process.output());
    }

    /// The bare process, for one that may never be ready.
    pub(crate) fn launch(
        home: &Home,
        relay: &str,
        endpoint: &str,
        target: impl Display,
        more: impl FnOnce(&mut Command),
    ) -> Process {
        let mut command = home.hookwire();
        command.args(["listen", &target.to_string(), "--relay", relay, "--endpoint", endpoint]);
        command.args(["--output", "json", "--api", "off"]);
        more(&mut command);
        Process::start(&mut command)
    }

    /// Blocks until an exchange is reported that satisfies the condition.
    pub(crate) fn exchange(&self, what: &str, mut found: impl FnMut(&Value) -> bool) -> Value {
        self.process.stdout.wait_for(what, 0, |line| of_type(line, "exchange").filter(&mut found))
    }

    /// Blocks until the exchange with this path is reported.
    pub(crate) fn exchange_at(&self, path: &str) -> Value {
        self.exchange(&format!("an exchange at {path}"), |exchange| exchange["path"] == path)
    }

    /// Blocks until a line of this type is told.
    pub(crate) fn line(&self, kind: &str) -> Value {
        self.process.stdout.wait_for(&format!("a line of type {kind}"), 0, |line| of_type(line, kind))
    }

    /// Blocks until its connection is in this state, told at or behind line `from`.
    pub(crate) fn connection(&self, state: &str, from: usize) {
        let what = format!("the connection being {state}");
        self.process.stdout.wait_for(&what, from, |line| {
            of_type(line, "connection").filter(|connection| connection["state"] == state)
        });
    }
}

/// The line, when it is an object of this type. Every line of `--output json` must be an object.
fn of_type(line: &str, kind: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"));
    (value["type"] == kind).then_some(value)
}
