//! A relay inside this process: on this machine alone, without tokens, and nothing of it remembered.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
};

use hookwire_relay_client::dial::RelayUrl;
use hookwire_relay_server::{Config, Relay, RelayError};
use tokio_util::sync::CancellationToken;

use crate::{failure::Failure, relay::failure};

/// Where it listens if it can: the address that the documentation shows.
const FIRST_PORT: u16 = 8080;

/// Ports to try from there on. Somebody with twenty relays open wants to be told rather than get one more.
const PORTS: u16 = 20;

/// A relay that has its port, and serves once it is [run](Self::run).
pub(crate) struct EmbeddedRelay {
    url: RelayUrl,
    relay: Relay,
}

impl EmbeddedRelay {
    /// Takes the first free port from 8080 on.
    pub(crate) async fn on_a_free_port() -> Result<Self, Failure> {
        let last = FIRST_PORT + PORTS - 1;
        for port in FIRST_PORT..last {
            match open_relay(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
                Err(RelayError::Listen { source, .. }) if source.kind() == ErrorKind::AddrInUse => {}
                bound => return Self::with(bound),
            }
        }
        Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, last))).await
    }

    /// Takes this address, which must be one of this machine's own.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, Failure> {
        Self::with(open_relay(address).await)
    }

    /// Where a client in this process dials it.
    pub(crate) fn url(&self) -> RelayUrl {
        self.url.clone()
    }

    /// Serves until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Failure> {
        self.relay.run(stop).await.map_err(|error| failure(&error))
    }

    fn with(bound: Result<Relay, RelayError>) -> Result<Self, Failure> {
        let relay = bound.map_err(|error| failure(&error))?;
        let url = relay.urls().first().and_then(|url| url.parse().ok());
        let url = url.ok_or_else(|| Failure::usage("the relay in this process has no address"))?;
        Ok(Self { url, relay })
    }
}

async fn open_relay(address: SocketAddr) -> Result<Relay, RelayError> {
    let mut config = Config::default();
    config.open = true;
    config.listen = vec![address];
    Relay::bind(config).await
}
