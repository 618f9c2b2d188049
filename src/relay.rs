//! `hookwire relay`: the public side as a process.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use hookwire_relay_server::{Config, Relay, RelayError, TlsFiles, tokens::Tokens};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::relay::{RelayArgs, RelaySettings},
    config,
    failure::{Failure, chain},
    folders,
};

/// The relay's own folder in the user's data folder.
const FOLDER: &str = "relay";

/// Runs a relay until `stop` is cancelled and what was in flight has ended.
pub(crate) async fn run(arguments: RelayArgs, stop: CancellationToken) -> Result<(), Failure> {
    let settings = arguments.settings.over(config::load(arguments.config.as_deref())?.relay);
    let config = configuration(settings)?;
    let nobody = !config.open && config.data_dir.as_deref().is_some_and(no_tokens);
    let relay = Relay::bind(config).await.map_err(|error| failure(&error))?;
    announce(&relay);
    if nobody {
        tracing::warn!("no tokens yet, so no listener can connect: make one with `hookwire token new --name <NAME>`");
    }
    relay.run(stop).await.map_err(|error| failure(&error))
}

/// A relay's error, as this process ends with it.
pub(crate) fn failure(error: &RelayError) -> Failure {
    Failure::usage(chain(error)).hint(error.hint())
}

/// The folder that was given, or the usual one.
pub(crate) fn data_folder(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    given.or_else(|| folders::data().map(|folder| folder.join(FOLDER))).ok_or_else(|| {
        Failure::usage("there is no home to keep the relay's data in").hint("pass `--data-dir <DIR>`".to_owned())
    })
}

fn configuration(settings: RelaySettings) -> Result<Config, Failure> {
    let mut config = Config::default();
    config.open = settings.open;
    config.public_url = settings.public_url;
    if !settings.listen.is_empty() {
        config.listen = settings.listen;
    }
    config.data_dir = Some(data_folder(settings.data_dir)?);
    config.tls = match (settings.tls_cert, settings.tls_key) {
        (None, None) => None,
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (Some(_), None) => {
            return Err(
                Failure::usage("`--tls-cert` needs the certificate's key").hint("pass `--tls-key <FILE>`".to_owned())
            );
        }
        (None, Some(_)) => {
            return Err(Failure::usage("`--tls-key` needs its certificate").hint("pass `--tls-cert <FILE>`".to_owned()));
        }
    };
    config.max_body = settings.max_body.map_or(config.max_body, |size| size.0);
    config.answer_timeout = settings.timeout.map_or(config.answer_timeout, |time| time.0);
    config.grace = settings.grace.map_or(config.grace, |time| time.0);
    config.max_held = settings.max_held.map_or(config.max_held, |size| size.0);
    config.retention = settings.retention.map_or(config.retention, |time| time.0);
    config.max_deadline = settings.max_deadline.map_or(config.max_deadline, |time| time.0);
    Ok(config)
}

/// A folder that can't be read is told by the relay itself.
fn no_tokens(folder: &Path) -> bool {
    Tokens::open(folder).and_then(|tokens| tokens.list()).is_ok_and(|records| records.is_empty())
}

/// The first lines on standard output, one for each address: scripts that took port 0 read them. That nobody does is no failure.
fn announce(relay: &Relay) {
    let mut out = io::stdout().lock();
    for url in relay.urls() {
        writeln!(out, "listening on {url}").ok();
    }
    out.flush().ok();
}

/// What `config.example.toml` shows as being in force.
#[cfg(test)]
pub(crate) fn defaults() -> RelaySettings {
    use crate::cli::quantity::{Size, Time};

    let config = Config::default();
    RelaySettings {
        listen: config.listen,
        max_body: Some(Size(config.max_body)),
        timeout: Some(Time(config.answer_timeout)),
        grace: Some(Time(config.grace)),
        max_held: Some(Size(config.max_held)),
        retention: Some(Time(config.retention)),
        max_deadline: Some(Time(config.max_deadline)),
        ..RelaySettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_and_its_key_come_together() {
        let settings = RelaySettings {
            tls_key: Some("key.pem".into()),
            data_dir: Some("data".into()),
            ..RelaySettings::default()
        };
        assert!(configuration(settings).unwrap_err().to_string().contains("`--tls-cert <FILE>`"));
    }
}
