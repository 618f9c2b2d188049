//! The real binary against real senders and real apps; see the crate's documentation.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod apps;
mod cancellation;
mod capture;
mod demo;
mod failures;
mod fidelity;
mod harness;
mod held;
mod inspect;
mod oracles;
mod replay;
mod requests;
mod restarts;
mod secrecy;
mod shutdown;
mod signed;
mod smuggling;
mod streaming;
mod tls;
mod tokens;
mod verdicts;
