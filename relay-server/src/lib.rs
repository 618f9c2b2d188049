//! The public side: takes webhooks and streams them to the session that owns the endpoint.
//!
//! [`Relay::bind`] checks everything that can be wrong before anything is served; [`Relay::run`] serves until it is told to stop, and
//! then lets what is in flight finish. In reading order: `listen` (accept, TLS, limits), `guard` (what is HTTP and what is an attack),
//! `ingress` (which endpoint), `delivery` (who answers, what is held), `inbox` (where), `connect` (how a client takes its place), `endpoints` and `tokens` (what belongs to whom).
//!
//! It never sees a signing secret: nothing here depends on the crates that know what one is.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod calm;
mod config;
mod connect;
mod data;
mod delivery;
mod endpoints;
pub mod errand;
mod error;
mod fault;
mod guard;
#[doc(hidden)] // public for its benchmark and its fault tests, which run as programs of their own
pub mod inbox;
mod ingress;
mod limits;
mod listen;
mod policy;
mod stream;
mod tls;
pub mod tokens;

use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use delivery::{BodyError, Delivery, upkeep};
use endpoints::Endpoints;
use inbox::SqliteInbox;
use ingress::Ingress;
use policy::Bounds;
use tokens::Tokens;

pub use config::{Config, TlsFiles};
pub use error::RelayError;
#[doc(hidden)]
pub use guard::fuzz_guard;
pub use policy::DEADLINE;

/// The inbox's own folder in the data folder.
const INBOX: &str = "inbox";

/// A relay that has its sockets, and serves once it is [run](Self::run).
#[derive(Debug)]
pub struct Relay {
    config: Config,
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    tls: Option<Arc<rustls::ServerConfig>>,
    endpoints: Endpoints,
    tokens: Option<Tokens>,
    inbox: Option<SqliteInbox>,
    /// Held as long as the data folder is ours.
    _lock: Option<std::fs::File>,
}

impl Relay {
    /// Reads certificates and data, and binds every listener. Nothing is accepted yet.
    #[expect(clippy::unused_async, reason = "sockets are registered with the runtime: it must be called inside one")]
    pub async fn bind(config: Config) -> Result<Self, RelayError> {
        if let Some(url) = &config.public_url {
            check_public_url(url)?;
        }
        if config.open
            && let Some(address) = config.listen.iter().find(|address| !address.ip().is_loopback())
        {
            return Err(RelayError::OpenToOthers(*address));
        }
        let tls = config.tls.as_ref().map(tls::load).transpose()?;
        let lock = config.data_dir.as_deref().map(data::lock).transpose()?;
        config.data_dir.as_deref().map(errand::clear);
        let inbox = match (&config.data_dir, config.inbox()) {
            (Some(folder), Some(settings)) => Some(SqliteInbox::open(&folder.join(INBOX), settings)?),
            _ => None,
        };
        let bounds = Bounds { inbox: inbox.is_some(), max_deadline: config.max_deadline };
        let endpoints = Endpoints::open(config.data_dir.as_deref(), bounds)?;
        let tokens = match &config.data_dir {
            Some(folder) if !config.open => Some(Tokens::open(folder)?),
            _ => None,
        };
        let listeners = config.listen.iter().map(|address| listen::bind(*address)).collect::<Result<Vec<_>, _>>()?;
        let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        Ok(Self { config, listeners, addresses, tls, endpoints, tokens, inbox, _lock: lock })
    }

    /// Where it listens, with the real ports.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The same as URLs.
    pub fn urls(&self) -> Vec<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.addresses.iter().map(|address| format!("{scheme}://{address}")).collect()
    }

    /// Serves until `stop`, then takes nothing new, tells the sessions, and returns when what was in flight is done or the grace is over.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RelayError> {
        let abort = CancellationToken::new();
        let tasks = TaskTracker::new();
        let blame = |error: &BodyError| ingress::code_of(error.as_ref());
        let patience = self.config.answer_timeout;
        let delivery = self.inbox.map(|inbox| Arc::new(Delivery::new(Arc::new(inbox), tasks.clone(), patience, blame)));
        let ingress = Arc::new(Ingress {
            open: self.config.open,
            public_url: self.config.public_url.clone(),
            max_body: self.config.max_body,
            answer_timeout: patience,
            delivery: delivery.clone(),
            endpoints: self.endpoints,
            tokens: self.tokens,
            tasks: tasks.clone(),
            stop: stop.clone(),
            abort: abort.clone(),
        });
        if let Some(delivery) = delivery {
            tasks.spawn(upkeep(Arc::clone(&ingress), Arc::clone(delivery.inbox()), stop.clone()));
        }
        if let Some(folder) = &self.config.data_dir {
            tasks.spawn(errand::attend(Arc::clone(&ingress), folder.clone(), stop.clone()));
        }
        let server = Arc::new(listen::Server {
            tls: self.tls,
            ingress,
            tasks: tasks.clone(),
            stop: stop.clone(),
            abort: abort.clone(),
            permits: Arc::new(Semaphore::new(limits::CONNECTIONS)),
        });
        for listener in self.listeners {
            tasks.spawn(Arc::clone(&server).accept(listener));
        }
        stop.cancelled().await;
        tasks.close();
        if tokio::time::timeout(self.config.grace, tasks.wait()).await.is_err() {
            tracing::warn!(grace = ?self.config.grace, unfinished = tasks.len(), "grace is over: what is still in flight is cut off");
            abort.cancel();
            tasks.wait().await;
        }
        Ok(())
    }
}

/// `http(s)://host[:port]` and nothing behind it.
fn check_public_url(url: &str) -> Result<(), RelayError> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let good = host.is_some_and(|host| {
        host.parse::<http::uri::Authority>().is_ok_and(|authority| !authority.host().is_empty() && !host.contains('@'))
    });
    if good { Ok(()) } else { Err(RelayError::PublicUrl(url.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_open_relay_is_for_loopback_alone() {
        let config = Config { open: true, listen: vec![([0, 0, 0, 0], 0).into()], ..Config::default() };
        let error = Relay::bind(config).await.unwrap_err();
        assert!(matches!(error, RelayError::OpenToOthers(_)) && error.hint().is_some());
    }

    #[test]
    fn a_public_url_has_no_path() {
        for good in ["https://relay.example.com", "http://127.0.0.1:8080", "http://[::1]:8080"] {
            assert!(check_public_url(good).is_ok(), "{good}");
        }
        for bad in
            ["relay.example.com", "https://relay.example.com/x", "https://", "ftp://x", "https://u@x", "https://x y"]
        {
            assert!(check_public_url(bad).is_err(), "{bad}");
        }
    }
}
