//! Keeps a session with the relay, for as long as it is wanted.

mod run;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use hookwire_capture::{Connection as State, Ready, Update};
use hookwire_protocol::hello::{Refusal, Welcome, Wishes};
use rustls_pki_types::CertificateDer;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    App,
    canary::Canary,
    dial::{DialError, Dialer, RelayUrl, Token},
    finished::Finished,
    forward::Forwarder,
    gaps::Gaps,
    record::{self, Recorder, Watcher},
    tls::TrustError,
    upstream::Upstream,
    wakeup,
};
use run::Run;

/// Everything a client needs to know.
#[derive(Debug)]
pub struct Config {
    /// The relay.
    pub relay: RelayUrl,
    /// What it knows us by; an open relay needs none.
    pub token: Option<Token>,
    /// Certificates to trust for the relay, instead of the system's.
    pub relay_ca: Option<Vec<CertificateDer<'static>>>,
    /// The endpoint's name.
    pub endpoint: String,
    /// The app.
    pub app: App,
    /// How long exchanges in flight may take to finish after a stop.
    pub grace: Duration,
    /// How the relay should answer, as far as it can hold webhooks.
    pub wishes: Wishes,
    /// End when the relay was out of reach for this long, or our own public URL did not lead here any more.
    pub exit_on_dead: Option<Duration>,
    /// Deliveries that the app took from an earlier process, with its statuses, the oldest first: should they come again, it does not have them
    /// again. The last [`REMEMBERED`](crate::REMEMBERED) are of use.
    pub taken: Vec<(Uuid, u16)>,
}

/// Why a client ends although nobody asked it to: nothing that trying again could mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A certificate file or the system's trust can't be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The thread for captured exchanges can't be started.
    #[error("can't start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// Nobody can be told any more what happens: the output is gone.
    #[error("can't write out what happens: {0}")]
    Watcher(#[source] std::io::Error),
    /// The relay can't be reached, for a reason that stays.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The relay does not take us.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The relay wants a token.
    #[error("the relay wants a token, and none was given")]
    NoToken,
    /// Another client took the endpoint over.
    #[error("another `hookwire listen` took over endpoint `{0}`")]
    Replaced(String),
    /// The token was revoked.
    #[error("the relay's operator revoked this token")]
    Revoked,
    /// There was no way to or from the relay for as long as that is borne.
    #[error("no webhook could have arrived for {} s", .0.as_secs_f64())]
    Dead(Duration),
}

impl ClientError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Dial(error) => error.hint(),
            Self::Refused(refusal) => refusal.hint.clone(),
            Self::NoToken => Some(
                "its operator makes one with `hookwire token new`: pass it with `--token-file`, or as `HOOKWIRE_TOKEN`"
                    .into(),
            ),
            Self::Replaced(_) => Some("stop the other one, or give this one its own name with `--endpoint`".into()),
            Self::Revoked => Some("ask for a new one: `hookwire token new` on the relay".into()),
            Self::Dead(_) => {
                Some("`--exit-on-dead` asked to end then; the lines before say what was in the way".into())
            }
            Self::Trust(_) | Self::Thread(_) | Self::Watcher(_) => None,
        }
    }
}

/// A client that is ready to run.
#[derive(Debug)]
pub struct Client {
    config: Config,
    dialer: Dialer,
    upstream: Upstream,
    /// Tells our reconnects from a second client.
    instance: String,
}

impl Client {
    /// Checks what can be checked before dialing.
    pub fn new(config: Config) -> Result<Self, ClientError> {
        let dialer = Dialer::new(config.relay.clone(), config.token.clone(), config.relay_ca.as_deref())?;
        let instance = format!("{:016x}", fastrand::u64(..));
        Ok(Self { dialer, upstream: config.app.upstream()?, config, instance })
    }

    /// Listens until `stop`, dialing again for ever. What happens is told to `watcher`, which may be slow: delivery does not wait for it.
    pub async fn run(self, watcher: impl Watcher, stop: CancellationToken) -> Result<(), ClientError> {
        let app = self.config.app.clone();
        let (recorder, thread) =
            Recorder::start(app.max_capture_body, Arc::clone(&app.secrets), watcher, stop.clone())?;
        let canary = Arc::new(Canary::default());
        let finished = Arc::new(Finished::knowing(&self.config.taken));
        let forwarder = Arc::new(Forwarder {
            app,
            endpoint: self.config.endpoint.as_str().into(),
            upstream: self.upstream.clone(),
            recorder,
            canary: Arc::clone(&canary),
            finished: Arc::clone(&finished),
            holds: AtomicBool::new(false),
        });
        let (count, wakeups) = watch::channel(0);
        let (alive, life) = watch::channel(false);
        let patience = self.config.exit_on_dead;
        let mut run = Run {
            client: self,
            forwarder,
            canary,
            finished,
            exchanges: TaskTracker::new(),
            gaps: Gaps::default(),
            stop,
            wakeups,
            alive,
            ready: false,
            lost_at: None,
        };
        let end = tokio::select! {
            end = run.keep() => end,
            () = wakeup::watch(count) => Ok(()), // it never ends
            dead = dead(patience, life) => Err(dead),
        };
        if let Err(error) = &end {
            run.tell(Update::Connection(State::Closed { reason: error.to_string() }));
        }
        let grace = run.client.config.grace;
        let _ = tokio::time::timeout(grace, run.client.upstream.close()).await;
        drop(run); // and with it the recorder: its thread ends when it has handed on what it holds
        end.and(record::join(thread, grace).await)
    }
}

impl Client {
    fn ready(&self, welcome: &Welcome) -> Ready {
        let (config, app) = (&self.config, &self.config.app);
        let public_url = welcome.public_url.clone().unwrap_or_else(|| format!("{}/{}", config.relay, welcome.endpoint));
        // A target with a path is the whole route; else the app's own routes follow.
        let webhook_url = if app.target.base().is_empty() { format!("{public_url}/") } else { public_url.clone() };
        Ready {
            public_url,
            webhook_url,
            target: app.target.to_string(),
            endpoint: welcome.endpoint.clone(),
            relay: config.relay.to_string(),
            api: None,
            secrets: app
                .secrets
                .iter()
                .map(|(provider, secret)| (provider.name().to_owned(), secret.name().to_owned()))
                .collect(),
            routes: app.routes.iter().map(|route| (route.prefix.clone(), route.target.to_string())).collect(),
            host_header: Some(app.host_header.to_string()),
        }
    }
}

/// Ready once there was no life for that long. Without a limit, never.
async fn dead(patience: Option<Duration>, mut life: watch::Receiver<bool>) -> ClientError {
    let Some(patience) = patience else { return std::future::pending().await };
    loop {
        // The sender lives as long as the run, and is gone with it: then nobody waits here.
        let _ = life.wait_for(|alive| !alive).await;
        tokio::select! {
            () = tokio::time::sleep(patience) => return ClientError::Dead(patience),
            Ok(_) = life.wait_for(|alive| *alive) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_dead_for_too_long_ends_and_who_comes_back_does_not() {
        let patience = Duration::from_mins(1);
        let begun = tokio::time::Instant::now();
        let (alive, life) = watch::channel(false);
        let story = async {
            for up in [true, false, true, false] {
                tokio::time::sleep(Duration::from_secs(50)).await;
                alive.send_replace(up);
            }
            std::future::pending::<std::convert::Infallible>().await
        };
        tokio::select! {
            end = dead(Some(patience), life) => assert!(matches!(end, ClientError::Dead(_))),
            never = story => match never {},
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(260));
    }
}
