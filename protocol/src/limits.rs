//! Every number of the wire, with its reason.

/// The protocol version this crate speaks.
pub const VERSION: u16 = 1;

/// The WebSocket subprotocol (RFC 6455 §1.9), so that a proxy or a person can tell what the socket carries.
pub const SUBPROTOCOL: &str = "hookwire.v1";

/// Where a client opens its session on the relay. Endpoint names can't start with `_`, so it collides with none.
pub const CONNECT_PATH: &str = "/_hookwire/connect";

/// Bytes of a frame's header: kind, stream, length.
pub const FRAME_HEADER: usize = 9;

/// Largest payload of a frame. Heads are bounded to 32 KiB on the way in and 64 KiB on the way back; data is cut to this, so that one
/// big body gives way to others after 64 KiB.
pub const FRAME_PAYLOAD: usize = 64 * 1024;

/// A message is closed for more frames once it holds this much: enough to share one system call among dozens of
/// webhooks, small enough that the peer starts on it early.
pub const MESSAGE_FULL: usize = 64 * 1024;

/// Largest message: one that was almost full, and one more frame.
pub const MESSAGE: usize = MESSAGE_FULL + FRAME_HEADER + FRAME_PAYLOAD;

/// Encoded bytes that may wait for the socket before body data has to wait too. Two messages: one being written, one being filled.
/// Heads, ends and windows are let through: their number is bounded by the streams.
pub const SEND_BUFFER: usize = 2 * MESSAGE_FULL;

/// Encoded bytes that may wait for the socket before new streams have to wait too: the heads of 2,048 webhooks of 2 KiB each. Without it, senders that
/// come and go would fill memory while the peer stands still.
pub const HEAD_BUFFER: usize = 64 * MESSAGE_FULL;

/// Credit for each direction of a stream. 512 KiB keeps 40 Mbit/s busy at 100 ms of round trip, and is what one stuck app can
/// pile up.
pub const STREAM_WINDOW: u32 = 512 * 1024;

/// Credit for a whole direction of the session: what all stuck streams together can pile up before others have to wait (32 of them).
pub const SESSION_WINDOW: u32 = 16 * 1024 * 1024;

/// Exchanges in flight on one session. A gateway's burst of retries is some hundreds; each idle stream costs about half a KiB.
pub const STREAMS: usize = 2048;

/// A session that was silent for this long is asked with a ping. Below the 30 s and 60 s that NATs and proxies keep idle connections.
pub const PING_AFTER: std::time::Duration = std::time::Duration::from_secs(10);

/// A session that was silent for this long is dead: its ping had 15 s for an answer, which outlasts a burst of lost packets.
pub const DEAD_AFTER: std::time::Duration = std::time::Duration::from_secs(25);

/// After a laptop's sleep the peer gets this long to answer a ping before the session counts as dead: a round trip around the world takes 0.3 s.
pub const PROBE: std::time::Duration = std::time::Duration::from_secs(2);
