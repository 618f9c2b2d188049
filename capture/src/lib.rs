//! Captured exchanges: what was asked, what was answered, and what the signature said.
//!
//! [`Exchange`] is one request with its response, timings and verdict; [`Update`] is what a running client tells whoever
//! shows or keeps them. A [`Store`] keeps exchanges in a file: its [`Writer`] takes them without ever waiting for the disk,
//! and a [`Reader`], in this process or another, lists and searches them with a [`Filter`].
//!
//! It deliberately has no async runtime, and the one thread that it starts belongs to a [`Store`]. It renders nothing: the
//! faces of an exchange live in `hookwire-inspector`.
//!
//! ```
//! # use std::{sync::Arc, time::SystemTime};
//! # use hookwire_capture::{Exchange, Filter, From, Reader, Retention, Store};
//! # fn example(path: &std::path::Path, exchange: Exchange) -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::open(path, Retention::default())?;
//! store.writer().keep(Arc::new(exchange));
//! store.writer().flush()?;
//! let reader = Reader::open(path)?;
//! let failed = reader.page(&Filter::parse("verdict:invalid status:4xx")?, From::Newest, 50, SystemTime::now())?;
//! # Ok(()) }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod amount;
mod columns;
mod exchange;
mod filter;
mod pattern;
mod reader;
mod sieve;
mod store;
mod summary;
#[cfg(test)]
mod test_exchange;
mod update;

pub use amount::{Amount, Currency};
pub use exchange::{AnsweredBy, CapturedBody, Evidence, Exchange, Origin};
pub use filter::{Beside, Filter, FilterError, Word};
pub use reader::{FindError, From, Interrupt, Reader};
pub use store::{Health, Retention, Store, StoreError, Writer};
pub use summary::Summary;
pub use update::{Backlog, Connection, Gap, Proof, Ready, Update};
