//! What a running client tells whoever shows or keeps exchanges.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

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
    /// What the relay holds for the endpoint changed, or a part of it was delivered.
    Backlog(Backlog),
    /// The endpoint was without a session for a while, and what came meanwhile has been dealt with.
    Gap(Gap),
    /// A sign that the way is open, or that it is not.
    Proof(Proof),
}

/// Webhooks that the relay answered for and the app has not taken yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Those that wait: for their turn, for the app, or for their next try.
    pub held: u64,
    /// Those that are tried no more: they wait for a person.
    pub parked: u64,
    /// How long the delivery of those that are due will take from here; none while nothing is being delivered, and at its beginning.
    pub left: Option<Duration>,
}

/// What became of the webhooks that came while the endpoint had no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the session before ended.
    pub from: SystemTime,
    /// When this one began.
    pub to: SystemTime,
    /// Those that the relay held.
    pub held: u64,
    /// Those of them that the app has taken by now. The others are tried again.
    pub delivered: u64,
    /// Those that the relay answered with 503: nobody has them, unless their senders try again.
    pub lost: u64,
}

/// A sign of life, or of its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The relay answered a ping after this time.
    RoundTrip(Duration),
    /// A request of our own went to the endpoint's public URL, and came here through the relay.
    Verified {
        /// When.
        at: SystemTime,
        /// How long it took, there and back.
        took: Duration,
    },
    /// It did not come.
    Unverified {
        /// What came instead, or what stood in the way.
        reason: String,
    },
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
