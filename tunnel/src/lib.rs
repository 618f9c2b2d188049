//! The WebSocket shell around [`hookwire_protocol`]: one task per socket drives a [`Session`](hookwire_protocol::session::Session);
//! everybody else holds handles.
//!
//! - [`Connection`] is the task: it moves messages between the WebSocket and the session until either side ends it.
//! - [`Tunnel`] is the handle: the relay [`send`](Tunnel::send)s requests through it, the client takes them from [`Tunnel::next`] and
//!   answers each with its [`Reply`].
//! - Bodies are [`http_body::Body`]s. Reading one gives its sender credit, so a slow reader slows only its own sender.
//!
//! The session sits behind a mutex that is never held across an await: a handler writes its frames straight into the next message, which costs
//! less than a hop through a channel, and the driver finds many of them when its turn comes. That is what packs dozens of webhooks
//! into one system call.
//!
//! It dials nothing, listens on nothing and knows no endpoints.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod body;
mod connection;
mod convert;
mod hello;
mod names;
mod pump;
mod read_ahead;
mod sending;
mod tunnel;

pub use body::ReceivedBody;
pub use connection::{Closed, Connection, websocket_config};
pub use convert::{
    body_length, http_version, is_hop_by_hop, lines, named_by_connection, request_parts, response_parts, trailers,
};
pub use hello::{HandshakeError, read_hello, read_reply, send_hello, send_reply};
pub use pump::{PumpError, SentBody};
pub use read_ahead::ReadAhead;
pub use sending::{Opened, Sending};
pub use tunnel::{Exchange, Lateness, Reply, Request, Tunnel};
