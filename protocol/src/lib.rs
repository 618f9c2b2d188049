//! The wire between relay and client: frames, heads, hello, flow control. Sans-IO.
//!
//! It contains no networking code, spawns nothing and reads no clock: time is an argument. The shell that moves its bytes
//! is the `hookwire-tunnel` crate. `docs/protocol.md` in the repository is the normative text; its examples are tests here.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod code;
pub mod frame;
#[doc(hidden)]
pub mod fuzz;
pub mod head;
pub mod hello;
pub mod limits;
pub mod session;
