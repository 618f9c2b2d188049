//! What a running client tells whoever shows or keeps exchanges.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Exchange, Health};

/// One piece of news from a running client, in the order things happened.
#[derive(Clone, Debug)]
pub enum Update {
    /// The endpoint is open: webhooks can be sent from now on.
    Ready(Ready),
    /// The connection to the relay changed.
    Connection(Connection),
    /// An exchange came to its end.
    Exchange(Arc<Exchange>),
    /// So many exchanges were delivered, and left out here because the reader of updates fell behind.
    Skipped(u64),
    /// The store keeps up better or worse than before.
    Store(Health),
}

/// Where webhooks come in, and where they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The endpoint's public address: everything below it is forwarded.
    pub public_url: String,
    /// The exact address to paste into a provider's dashboard. Where the app has routes of its own it ends with `/`, and the route follows.
    pub webhook_url: String,
    /// The app that requests are forwarded to.
    pub target: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// The relay's address.
    pub relay: String,
    /// The address of the local API; none if it is off.
    pub api: Option<String>,
    /// The provider and the name of each secret that signatures are judged with; never the secret itself.
    pub secrets: Vec<(String, String)>,
    /// The paths that belong to other apps, and those apps.
    #[serde(default)]
    pub routes: Vec<(String, String)>,
    /// The `host` that the app sees: `keep` for the sender's, `rewrite` for its own, or this one.
    #[serde(default)]
    pub host_header: Option<String>,
}

/// The state that the connection to the relay came into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It is up.
    Connected {
        /// How long it had been down; none the first time.
        after: Option<Duration>,
    },
    /// It is down, and will be tried again.
    Reconnecting {
        /// What ended it, or the last try.
        reason: String,
        /// The wait until the next try.
        retry_in: Duration,
    },
    /// It is down for good.
    Closed {
        /// Why it will not be tried again.
        reason: String,
    },
}
