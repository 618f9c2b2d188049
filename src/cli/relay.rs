//! `hookwire relay`: its flags, which are also the keys of `[relay]` in the file.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf};

use clap::Args;
use serde::Deserialize;

use super::quantity::{Size, Time, count};
use crate::config::{parsed, parsed_all};

const EXAMPLES: &str = "\
Examples:
  hookwire relay --open                             for this machine alone, no tokens
  hookwire token new --name laptop                  prints the token that a listener needs
  hookwire relay --listen 0.0.0.0:443 --public-url https://hooks.example.com --tls-cert cert.pem --tls-key key.pem
  hookwire relay --public-url https://hooks.example.com       behind a proxy that does TLS

Payment gateways deliver to ports 80 and 443 only. Logs go to standard error; `RUST_LOG=debug` shows more.";

/// Arguments of `relay`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RelayArgs {
    /// What the file can say as well.
    #[command(flatten)]
    pub(crate) settings: RelaySettings,

    /// Read settings from this file, and from no other
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Threads of the runtime; without it one event loop on the main thread, which is fastest on few cores
    #[arg(long, value_name = "N", value_parser = count::<NonZeroUsize>)]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// One layer of settings. A field that is not given leaves the word to the layer below.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RelaySettings {
    /// Where to listen; repeatable, port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    #[serde(deserialize_with = "parsed_all")]
    pub(crate) listen: Vec<SocketAddr>,

    /// How the world reaches this relay: `https://hooks.example.com`
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// Where tokens, endpoints and held webhooks are kept [default: `hookwire/relay` in your data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// The certificate chain for HTTPS, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Let listeners in without a token; refused unless only this machine can connect
    #[arg(long)]
    pub(crate) open: bool,

    /// The largest webhook body [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) max_body: Option<Size>,

    /// How long an answer may take before the sender gets a 504 [default: 75s]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) timeout: Option<Time>,

    /// What one endpoint may have held, while nobody can take it [default: 4GiB]; `0B` holds nothing
    #[arg(long, value_name = "SIZE")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) max_held: Option<Size>,

    /// How long a held webhook is tried before it is parked, for you to decide: `hookwire endpoint parked` [default: 7d]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) retention: Option<Time>,

    /// The longest `--deadline` that a listener may ask for [default: 30s]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) max_deadline: Option<Time>,

    /// How long exchanges in flight may take to finish after a stop [default: 10s]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) grace: Option<Time>,
}

impl RelaySettings {
    /// These settings where they are given, else those below. A list replaces the list below.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            listen: if self.listen.is_empty() { below.listen } else { self.listen },
            public_url: self.public_url.or(below.public_url),
            data_dir: self.data_dir.or(below.data_dir),
            tls_cert: self.tls_cert.or(below.tls_cert),
            tls_key: self.tls_key.or(below.tls_key),
            open: self.open || below.open,
            max_body: self.max_body.or(below.max_body),
            timeout: self.timeout.or(below.timeout),
            max_held: self.max_held.or(below.max_held),
            retention: self.retention.or(below.retention),
            max_deadline: self.max_deadline.or(below.max_deadline),
            grace: self.grace.or(below.grace),
        }
    }
}
