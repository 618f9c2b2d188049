//! What a relay needs to know.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::inbox::Settings;

/// Configuration of a relay. [`Default`] is a relay for tokens on `127.0.0.1:8080` that remembers nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Sessions need no token. Only on loopback.
    pub open: bool,
    /// The address under which senders reach this relay, without a path: `https://relay.example.com`.
    pub public_url: Option<String>,
    /// Where tokens and endpoints are kept. `None` keeps nothing beyond the process.
    pub data_dir: Option<PathBuf>,
    /// Serve HTTPS and WSS with these.
    pub tls: Option<TlsFiles>,
    /// How long exchanges in flight may take to finish after a stop.
    pub grace: Duration,
    /// The largest request body, in bytes.
    pub max_body: u64,
    /// How long an exchange may stand still before its answer begins.
    pub answer_timeout: Duration,
    /// What one endpoint may have held in the data folder, in bytes. With 0, or without a data folder, nothing is held.
    pub max_held: u64,
    /// How long a held webhook is tried to be delivered before it is parked.
    pub retention: Duration,
    /// The longest that a client may ask the relay to wait for the app before it answers itself.
    pub max_deadline: Duration,
}

/// PEM files of a certificate chain and its private key.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, leaf first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Config {
    /// What the inbox is to be like, if there is to be one.
    pub(crate) fn inbox(&self) -> Option<Settings> {
        (self.max_held > 0 && self.data_dir.is_some()).then(|| {
            let mut settings = Settings::default();
            settings.quota.bytes = self.max_held;
            settings.retention = self.retention;
            settings
        })
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            open: false,
            public_url: None,
            data_dir: None,
            tls: None,
            grace: Duration::from_secs(10),
            max_body: 1 << 30,
            // The client gives up on the app after 60 s; the relay only steps in when the client does not.
            answer_timeout: Duration::from_secs(75),
            max_held: Settings::default().quota.bytes,
            retention: Settings::default().retention,
            // The most patient gateways whose patience is known give 30 s (GitHub Enterprise Server).
            max_deadline: Duration::from_secs(30),
        }
    }
}
