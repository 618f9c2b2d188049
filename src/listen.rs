//! `hookwire listen`: brings webhooks to an app, over a relay elsewhere or one inside this process.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use hookwire_capture::{Store, Update};
use hookwire_inspector::tui::Feed;
use hookwire_relay_client::{
    App, Client, ClientError, Config, HostHeader, Route, Watcher, Wishes,
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
    inspect::{self, Telling},
    logs::Logs,
    project,
    screen::{Aside, Form, Screen},
    secrets::{self, Environment},
    store::{self, Keeping},
};

/// How long the app may take to begin its answer. Below the relay's 75 s, so that the error told is that of the side that knows more.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// How long exchanges in flight may take to finish after a stop: gateways themselves give up after 5 to 10 s.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How much of a body is kept. Gateways send at most 512 KiB, uploads and answers may be of any size, and a history of 10,000 must not fill a disk.
pub(crate) const MAX_CAPTURE_BODY: usize = 2 * 1024 * 1024;

/// Signatures may cover the host: it is the sender's unless the app insists on its own.
const HOST: Host = Host::Keep;

/// Listens until `stop` is cancelled, or until the relay refuses in a way that trying again can't mend.
pub(crate) async fn run(arguments: ListenArgs, logs: &Logs, stop: CancellationToken) -> Result<(), Failure> {
    let flags = arguments.settings;
    let files = config::load(None)?.listen;
    let token = secrets::token(flags.token_file.as_deref(), files.token_file.as_deref())?;
    if let (None, Some(relay), Some(_)) = (&flags.relay, &files.relay, &token)
        && !config::user_names(relay)?
    {
        return Err(unconfirmed(relay));
    }
    let mut settings = flags.over(files);
    let store = store::of_listener(&settings)?;
    let output = output(settings.output, store.is_some())?;
    let (url, embedded) = if let Some(url) = settings.relay.take() {
        (url, None)
    } else {
        let relay = EmbeddedRelay::on_a_free_port().await?;
        (relay.url(), Some(relay))
    };
    let mut config = configuration(settings, url, token)?;
    config.taken = store.as_ref().map(|store| store::taken(store, &config.endpoint)).unwrap_or_default();
    let client = bring(config, store.as_ref(), output, |_| {}, logs, stop.clone());
    let end = match embedded {
        None => client.await,
        Some(relay) => tokio::try_join!(relay.run(stop), client).map(|((), ())| ()),
    };
    if let Some(store) = store {
        store::close(store).await;
    }
    end
}

/// A repository that was cloned may bring a settings file, and that the address of whoever wants tokens.
fn unconfirmed(relay: &RelayUrl) -> Failure {
    let file = config::PROJECT_FILE;
    let own = config::user_file().map_or_else(String::new, |path| {
        format!(", or for good write `relay = \"{relay}\"` below `[listen]` in `{}`", path.display())
    });
    Failure::usage(format!(
        "only `{file}` names the relay `{relay}`; your token goes to no relay that you did not name yourself"
    ))
    .hint(format!("if you trust it, pass `--relay {relay}` or set `HOOKWIRE_RELAY`{own}"))
}

/// How exchanges are shown: on the whole screen where there is one, and a store to show.
pub(crate) fn output(asked: Option<Output>, stored: bool) -> Result<Output, Failure> {
    match asked {
        Some(Output::Tui) if !inspect::has_terminal() => Err(Failure::usage("`--output tui` needs a terminal")
            .hint("`--output plain` prints lines, `--output json` objects".to_owned())),
        Some(Output::Tui) if !stored => Err(Failure::usage("`--output tui` shows a store, and there is none")
            .hint("leave `--store off` away, or name a file that can be written".to_owned())),
        Some(output) => Ok(output),
        None if stored && inspect::has_terminal() => Ok(Output::Tui),
        None => Ok(Output::Plain),
    }
}

/// Runs a client to its end, keeps what it brings in the store if there is one, and shows it. `seen` is called with each piece of news.
pub(crate) async fn bring(
    config: Config,
    store: Option<&Store>,
    output: Output,
    seen: impl FnMut(&Update) + Send + 'static,
    logs: &Logs,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let app = config.app.clone();
    let client = Client::new(config).map_err(|error| failure(&error))?;
    let Some(store) = store else {
        return listen(client, Screen::new(Form::new(output), seen), stop).await;
    };
    let writer = store.writer();
    if output != Output::Tui {
        let screen = Aside::new(Form::new(output), io::stdout(), seen, stop.clone());
        let screen = screen.map_err(|error| failure(&error.into()))?;
        return listen(client, Keeping::new(writer, screen), stop).await;
    }
    let feed = Feed::default();
    let watcher = Keeping::new(writer, Telling::new(feed.clone(), seen));
    let app = move || Ok(app.clone());
    // Whichever ends first ends the other: the user quits, or the relay refuses us.
    let screen = async {
        let end = inspect::show(store.path(), feed, store.writer(), app, logs, stop.clone()).await;
        stop.cancel();
        end
    };
    let client = async {
        let end = listen(client, watcher, stop.clone()).await;
        stop.cancel();
        end
    };
    let (screen, client) = tokio::join!(screen, client);
    client.and(screen)
}

/// Runs a client to its end. A reader of standard output that went away (`| head`) is no failure: it has seen enough.
async fn listen(client: Client, watcher: impl Watcher, stop: CancellationToken) -> Result<(), Failure> {
    match client.run(watcher, stop).await {
        Err(ClientError::Watcher(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(ClientError::Watcher(error)) => Err(Failure::not_so(format!("can't write to standard output: {error}"))),
        end => end.map_err(|error| failure(&error)),
    }
}

/// A client's error, as this process ends with it.
pub(crate) fn failure(error: &ClientError) -> Failure {
    let failure = match error {
        // Nothing was asked wrongly: what was asked for did not hold.
        ClientError::Dead(_) => Failure::not_so(chain(error)),
        _ => Failure::usage(chain(error)),
    };
    failure.hint(error.hint())
}

fn configuration(settings: ListenSettings, relay: RelayUrl, token: Option<Token>) -> Result<Config, Failure> {
    let endpoint = settings.endpoint.clone().unwrap_or_else(project::endpoint);
    let wishes = Wishes {
        answer: settings.answer.map(Into::into),
        deadline_ms: settings.deadline.map(|time| u32::try_from(time.0.as_millis()).unwrap_or(u32::MAX)),
        when_away: settings.when_away.map(Into::into),
        ordered: settings.ordered,
    };
    let exit_on_dead = settings.exit_on_dead.map(|time| time.0);
    let app = app(settings)?;
    let taken = Vec::new();
    Ok(Config { relay, token, relay_ca: app.ca.clone(), endpoint, app, grace: GRACE, wishes, exit_on_dead, taken })
}

/// The app, and how its traffic is treated.
pub(crate) fn app(settings: ListenSettings) -> Result<App, Failure> {
    let target = settings.target.ok_or_else(|| {
        Failure::usage("no app is named to bring webhooks to")
            .hint("`hookwire listen 3000` is for the app on port 3000".to_owned())
    })?;
    let cap = settings.max_capture_body.map_or(MAX_CAPTURE_BODY, |size| usize::try_from(size.0).unwrap_or(usize::MAX));
    Ok(App {
        target,
        routes: settings.route.into_iter().map(Route::from).collect(),
        host_header: match settings.host_header.unwrap_or(HOST) {
            Host::Keep => HostHeader::Keep,
            Host::Rewrite => HostHeader::Rewrite,
            Host::Fixed(host) => HostHeader::Fixed(host),
        },
        secrets: Environment::read(settings.env_file.as_deref())?.secrets(&settings.secret)?.into(),
        insecure: settings.insecure,
        ca: settings
            .ca
            .map(load_ca)
            .transpose()
            .map_err(|error| Failure::usage(chain(&error)).hint(error.hint().to_owned()))?,
        timeout: settings.timeout.map_or(TIMEOUT, |time| time.0),
        max_capture_body: cap,
    })
}

/// What `config.example.toml` shows as being in force.
#[cfg(test)]
pub(crate) fn defaults() -> ListenSettings {
    use crate::cli::{
        choice::{Answer, Api, WhenAway},
        quantity::{Size, Time},
    };

    let retention = hookwire_capture::Retention::default();
    ListenSettings {
        answer: Some(Answer::Hybrid),
        deadline: Some(Time(hookwire_relay_server::DEADLINE)),
        when_away: Some(WhenAway::Hold),
        api: Some(Api::Off),
        host_header: Some(HOST),
        timeout: Some(Time(TIMEOUT)),
        keep: Some(retention.exchanges),
        keep_size: Some(Size(retention.bytes)),
        max_capture_body: Some(Size(MAX_CAPTURE_BODY as u64)),
        ..ListenSettings::default()
    }
}
