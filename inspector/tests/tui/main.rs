//! The full screen, without a terminal: scripts of keys, and the screens that they give.
#![allow(clippy::unwrap_used, reason = "tests")]

mod anything;
mod detail;
mod doing;
mod finding;
mod fixture;
mod keys;
mod list;
mod looks;
mod running;
mod script;
