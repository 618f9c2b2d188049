//! The faces as a reader of them sees them: updates in, text out.
#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod body;
mod compare;
mod delivery;
mod detail;
mod export;
mod fixture;
mod json;
mod list;
mod plain;
