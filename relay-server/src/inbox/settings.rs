//! What an operator can set about the inbox.

use std::time::Duration;

/// Limits of an inbox. [`Default`] fits a small server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// What one endpoint may hold.
    pub quota: Quota,
    /// The largest body that is held, in bytes.
    pub max_body: u64,
    /// How long webhooks are pending before they are parked.
    pub retention: Duration,
    /// How long parked webhooks are kept before they are dropped.
    pub parked_retention: Duration,
    /// Free bytes on the disk below which nothing is taken. `None` is 5 % of the file system or 256 MiB, whichever is less.
    pub low_water: Option<u64>,
    /// Whether a webhook is synced before it is acknowledged. Only the power-cut test's control says no.
    #[doc(hidden)]
    pub synced: bool,
}

/// What one endpoint may hold, pending and parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Webhooks.
    pub webhooks: u64,
    /// Bytes of heads and bodies.
    pub bytes: u64,
}

/// GitHub's webhooks are the largest we know: "Payloads are capped at 25 MB"
/// (docs.github.com, "Webhook events and payloads").
const MAX_BODY: u64 = 25 * 1024 * 1024;

/// Two million: a week without an app at three webhooks a second.
const QUOTA_WEBHOOKS: u64 = 2_000_000;

/// What two million webhooks of 2 KB, the usual size, come to.
const QUOTA_BYTES: u64 = 4 * 1024 * 1024 * 1024;

const DAY: Duration = Duration::from_hours(24);

impl Default for Settings {
    fn default() -> Self {
        Self {
            quota: Quota { webhooks: QUOTA_WEBHOOKS, bytes: QUOTA_BYTES },
            max_body: MAX_BODY,
            // Longer than any gateway retries (Stripe: three days), so that a held webhook outlives what a retried one would have.
            retention: 7 * DAY,
            // A month: somebody comes back from holidays before what could not be delivered is gone.
            parked_retention: 30 * DAY,
            low_water: None,
            synced: true,
        }
    }
}
