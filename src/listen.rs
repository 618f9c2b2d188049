//! `hookwire listen`: brings webhooks to an app, over a relay elsewhere or one inside this process.

use std::{io::ErrorKind, time::Duration};

use hookwire_relay_client::{
    Client, ClientError, Config, HostHeader, Route, Watcher,
    dial::{RelayUrl, Token},
    tls::load_ca,
};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{
        choice::{Host, Output},
        listen::{ListenArgs, ListenSettings},
    },
    config,
    embedded::EmbeddedRelay,
    failure::{Failure, chain},
    project,
    screen::{Form, Screen},
    secrets::{self, Environment},
};

/// How long the app may take to begin its answer. Below the relay's 75 s, so that the error told is that of the side that knows more.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// How long exchanges in flight may take to finish after a stop: gateways themselves give up after 5 to 10 s.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The form of lines until a full screen takes its place on terminals.
const OUTPUT: Output = Output::Plain;

/// Signatures may cover the host: it is the sender's unless the app insists on its own.
const HOST: Host = Host::Keep;

/// Listens until `stop` is cancelled, or until the relay refuses in a way that trying again can't mend.
pub(crate) async fn run(arguments: ListenArgs, stop: CancellationToken) -> Result<(), Failure> {
    let flags = arguments.settings;
    let files = config::load(None)?.listen;
    let token = secrets::token(flags.token_file.as_deref(), files.token_file.as_deref())?;
    let mut settings = flags.over(files);
    let form = Form::new(settings.output.unwrap_or(OUTPUT));
    let (url, embedded) = if let Some(url) = settings.relay.take() {
        (url, None)
    } else {
        let relay = EmbeddedRelay::on_a_free_port().await?;
        (relay.url(), Some(relay))
    };
    let client = Client::new(configuration(settings, url, token)?).map_err(|error| failure(&error))?;
    let client = listen(client, Screen::new(form, |_| {}), stop.clone());
    match embedded {
        None => client.await,
        Some(relay) => tokio::try_join!(relay.run(stop), client).map(|((), ())| ()),
    }
}

/// Runs a client to its end. A reader of standard output that went away (`| head`) is no failure: it has seen enough.
pub(crate) async fn listen(client: Client, watcher: impl Watcher, stop: CancellationToken) -> Result<(), Failure> {
    match client.run(watcher, stop).await {
        Err(ClientError::Watcher(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(ClientError::Watcher(error)) => Err(Failure::not_so(format!("can't write to standard output: {error}"))),
        end => end.map_err(|error| failure(&error)),
    }
}

/// A client's error, as this process ends with it.
pub(crate) fn failure(error: &ClientError) -> Failure {
    Failure::usage(chain(error)).hint(error.hint())
}

fn configuration(settings: ListenSettings, relay: RelayUrl, token: Option<Token>) -> Result<Config, Failure> {
    let target = settings.target.ok_or_else(|| {
        Failure::usage("no app is named to bring webhooks to")
            .hint("`hookwire listen 3000` is for the app on port 3000".to_owned())
    })?;
    if settings.store.is_some() {
        tracing::warn!("`--store` has no effect yet: exchanges are shown and not kept");
    }
    let ca = settings.ca.map(load_ca).transpose().map_err(|error| Failure::usage(chain(&error)))?;
    Ok(Config {
        relay,
        token,
        relay_ca: ca.clone(),
        endpoint: settings.endpoint.unwrap_or_else(project::endpoint),
        target,
        routes: settings.route.into_iter().map(Route::from).collect(),
        host_header: match settings.host_header.unwrap_or(HOST) {
            Host::Keep => HostHeader::Keep,
            Host::Rewrite => HostHeader::Rewrite,
            Host::Fixed(host) => HostHeader::Fixed(host),
        },
        secrets: Environment::read(settings.env_file.as_deref())?.secrets(&settings.secret)?,
        insecure: settings.insecure,
        upstream_ca: ca,
        timeout: settings.timeout.map_or(TIMEOUT, |time| time.0),
        grace: GRACE,
    })
}

/// What `config.example.toml` shows as being in force.
#[cfg(test)]
pub(crate) fn defaults() -> ListenSettings {
    use crate::cli::{
        choice::{Answer, Api},
        quantity::Time,
    };

    ListenSettings {
        answer: Some(Answer::App),
        output: Some(OUTPUT),
        api: Some(Api::Off),
        host_header: Some(HOST),
        timeout: Some(Time(TIMEOUT)),
        ..ListenSettings::default()
    }
}
