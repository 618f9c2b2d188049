//! Every number of the relay, with its reason.

use std::time::Duration;

/// Connections at once, of senders and sessions together. Each costs a file descriptor and some KiB; servers commonly allow 65,536 descriptors.
pub(crate) const CONNECTIONS: usize = 16_384;

/// Pause after a failed accept. Without one, a lack of descriptors turns into a loop that burns a core and fills the log.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that the kernel may queue between two accepts: a gateway's burst.
pub(crate) const BACKLOG: u32 = 4096;

/// For the TLS handshake: several round trips around the world, and a slow laptop.
pub(crate) const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// For the first byte of a connection.
pub(crate) const FIRST_BYTE: Duration = Duration::from_secs(10);

/// What one read of a sender's connection takes at most, and so what one connection can hold.
pub(crate) const READ_BUFFER: usize = 64 * 1024;

/// HTTP/2 streams at once on one connection: gateways send a handful.
pub(crate) const HTTP2_STREAMS: u32 = 64;

/// HTTP/2 header lists: the same bound as for HTTP/1.1.
pub(crate) const HTTP2_HEADERS: u32 = 32 * 1024;

/// HTTP/2 credit of one stream, and of a connection. Memory that a stuck app can pile up on the relay.
pub(crate) const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;
/// See [`HTTP2_STREAM_WINDOW`].
pub(crate) const HTTP2_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Streams that a peer may open and reset before they were looked at (rapid reset, CVE-2023-44487).
pub(crate) const HTTP2_PENDING_RESETS: usize = 20;

/// An HTTP/2 connection without a stream for this long is closed; and how often a silent one is asked for a sign of life.
pub(crate) const HTTP2_IDLE: Duration = Duration::from_mins(1);

/// What the relay still reads of a body after it has refused the request, so that the answer is not lost to a TCP reset.
pub(crate) const DRAIN_BYTES: u64 = 1024 * 1024;

/// How long it does so.
pub(crate) const DRAIN_FOR: Duration = Duration::from_secs(5);

/// An answer that sends nothing for this long is given up. Event streams send a comment now and then to stay alive; an hour of silence is none.
pub(crate) const ANSWER_SILENCE: Duration = Duration::from_hours(1);

/// Endpoints that one relay keeps. A bound against a runaway script, not a quota.
pub(crate) const ENDPOINTS: usize = 100_000;

/// How often the token file is looked at for revoked tokens.
pub(crate) const TOKEN_CHECK: Duration = Duration::from_secs(2);

/// How long a session may take to finish what is in flight once its token is revoked.
pub(crate) const REVOKED_WITHIN: Duration = Duration::from_secs(5);

/// For the closing frame to a client that was refused: it has had its answer.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// The largest body that is kept in memory because it may have to be held, in bytes: GitHub's webhooks reach 25 MB
/// (docs.github.com, "Webhook events and payloads").
pub(crate) const KEPT_EACH: u64 = 25 * 1024 * 1024;

/// All of them together: ten of the largest, or a hundred thousand of the usual 2 KB while an app stands still.
pub(crate) const KEPT_IN_ALL: u64 = 256 * 1024 * 1024;

/// Held bodies above this are read back from the inbox a few at a time.
pub(crate) const LARGE: u64 = 1024 * 1024;

/// How many: a hundred MiB at most, for all sessions that drain at once.
pub(crate) const LARGE_AT_ONCE: usize = 4;
