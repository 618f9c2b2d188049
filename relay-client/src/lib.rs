//! The local side: dials the relay, forwards each webhook to the app, judges and captures it.
//!
//! [`Client::run`] keeps a session with the relay for as long as it is wanted. Each request that comes through it goes to the app over
//! `upstream`, and the answer goes back as it is; `forward` does that. What passed is handed to `record`, whose own thread judges the
//! signature beside the delivery and never makes it wait.
//!
//! [`Replayer`] sends stored requests to the app on the same way, with or without a relay.
//!
//! Secrets stay here: nothing that goes to the relay is made from one.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backoff;
mod canary;
mod client;
pub mod dial;
mod finished;
mod forward;
mod gaps;
mod judge;
mod record;
mod replay;
mod route;
pub mod tls;
pub mod upstream;
mod wakeup;

pub use client::{Client, ClientError, Config};
pub use finished::REMEMBERED;
pub use forward::{App, HostHeader};
pub use hookwire_protocol::hello::{Answer, WhenAway, Wishes};
pub use record::Watcher;
pub use replay::{Edit, Replay, ReplayError, Replayer};
pub use route::Route;
