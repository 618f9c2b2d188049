//! Captured exchanges: what was asked, what was answered, and what the signature said.
//!
//! [`Exchange`] is one request with its response, timings and verdict; [`Update`] is what a running client tells whoever
//! shows or keeps them. Both are plain data. It deliberately has no clock, no thread and no async runtime of its own, and
//! it renders nothing: the faces of an exchange live in `hookwire-inspector`.
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
pub use exchange::{AnsweredBy, CapturedBody, Exchange, Origin};
pub use filter::{Beside, Filter, FilterError, Word};
pub use reader::{FindError, From, Interrupt, Reader};
pub use store::{Health, Retention, Store, StoreError, Writer};
pub use summary::Summary;
pub use update::{Backlog, Connection, Gap, Proof, Ready, Update};
