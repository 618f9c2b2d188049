//! The crate from the outside: published vectors, and what must hold for any bytes.

#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod case;
mod document;
mod made;
mod properties;
mod vectors;
mod verdicts;
