//! Keeps a session with the relay, for as long as it is wanted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hookwire_capture::{Connection as State, Ready, Update};
use hookwire_protocol::{
    frame::Goaway,
    hello::{Hello, Refusal, Reply, Welcome},
    limits::VERSION,
    session::Side,
};
use hookwire_tunnel::{
    Closed, Connection, HandshakeError, ReadAhead, Tunnel, read_reply, send_hello, websocket_config,
};
use rustls_pki_types::CertificateDer;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    App,
    backoff::{Backoff, SETTLED},
    dial::{DialError, Dialer, RelayUrl, Socket, Token},
    forward::Forwarder,
    record::{self, Recorder, Watcher},
    tls::TrustError,
    upstream::Upstream,
    wakeup,
};

/// For exchanges to notice that their session is gone, and to be recorded.
const FAREWELL: Duration = Duration::from_secs(2);

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
            Self::Trust(_) | Self::Thread(_) | Self::Watcher(_) => None,
        }
    }
}

/// Why a session ended, or did not begin.
enum End {
    /// We were asked to stop, and nothing is in flight any more.
    Stopped,
    /// Dial again.
    Lost(String),
    /// Don't.
    Failed(ClientError),
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

/// What one run of a client carries along.
struct Run {
    client: Client,
    forwarder: Arc<Forwarder>,
    stop: CancellationToken,
    /// Counts the machine's wake-ups.
    wakeups: watch::Receiver<u64>,
    ready: bool,
    lost_at: Option<Instant>,
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
        let forwarder = Arc::new(Forwarder {
            app,
            endpoint: self.config.endpoint.as_str().into(),
            upstream: self.upstream.clone(),
            recorder: Arc::new(recorder),
        });
        let (count, wakeups) = watch::channel(0);
        let mut run = Run { client: self, forwarder, stop, wakeups, ready: false, lost_at: None };
        let end = tokio::select! {
            end = run.keep() => end,
            () = wakeup::watch(count) => Ok(()), // it never ends
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

impl Run {
    /// Session after session.
    async fn keep(&mut self) -> Result<(), ClientError> {
        let mut backoff = Backoff::default();
        let mut told = String::new();
        loop {
            let begun = Instant::now();
            let reason = match self.session().await {
                End::Stopped => return Ok(()),
                End::Failed(error) => return Err(error),
                End::Lost(reason) => reason,
            };
            if self.lost_at.is_none() {
                self.lost_at = Some(Instant::now());
                told.clear();
                if begun.elapsed() >= SETTLED {
                    backoff.reset();
                }
            }
            let wait = backoff.next(fastrand::f64());
            if told != reason {
                self.tell(Update::Connection(State::Reconnecting { reason: reason.clone(), retry_in: wait }));
                told = reason;
            }
            self.wakeups.mark_unchanged();
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
                Ok(()) = self.wakeups.changed() => backoff.reset(),
            }
        }
    }

    /// One session, from dialing to its end.
    async fn session(&mut self) -> End {
        let (stop, mut wakeups) = (self.stop.clone(), self.wakeups.clone());
        let opened = tokio::select! {
            () = stop.cancelled() => return End::Stopped,
            Ok(()) = wakeups.changed() => return End::Lost("this machine was asleep".into()),
            opened = self.open() => opened,
        };
        let (socket, welcome) = match opened {
            Ok(opened) => opened,
            Err(end) => return end,
        };
        let (connection, tunnel) = Connection::new(socket, Side::Client);
        self.connected(&welcome);
        self.serve(connection, tunnel).await
    }

    async fn open(&self) -> Result<(WebSocketStream<ReadAhead<Socket>>, Welcome), End> {
        let dialer = &self.client.dialer;
        let dialed = async {
            let socket = ReadAhead::new(dialer.connect().await?);
            dialer.upgrade(socket, websocket_config()).await
        };
        let mut socket = dialed.await.map_err(|error| {
            // Where a session was before, the relay is right and the way to it is not: a hotel's network that wants a password, say.
            let elsewhere = self.ready && !matches!(error, DialError::Unauthorized(_));
            if error.retryable() || elsewhere {
                let hint = error.hint().map_or_else(String::new, |hint| format!(" ({hint})"));
                return End::Lost(format!("{error}{hint}"));
            }
            match error {
                DialError::Unauthorized(_) if self.client.config.token.is_none() => End::Failed(ClientError::NoToken),
                error => End::Failed(error.into()),
            }
        })?;
        let hello = Hello {
            versions: vec![VERSION],
            features: Vec::new(),
            agent: concat!("hookwire/", env!("CARGO_PKG_VERSION")).into(),
            instance: self.client.instance.clone(),
            endpoint: self.client.config.endpoint.clone(),
        };
        let lost = |error: HandshakeError| End::Lost(error.to_string());
        send_hello(&mut socket, &hello).await.map_err(lost)?;
        match read_reply(&mut socket).await.map_err(lost)? {
            Reply::Welcome(welcome) => Ok((socket, welcome)),
            Reply::Refusal(refusal) if refusal.retry => Err(End::Lost(refusal.to_string())),
            Reply::Refusal(refusal) => Err(End::Failed(refusal.into())),
        }
    }

    fn connected(&mut self, welcome: &Welcome) {
        // Before the first session there was nothing to lose.
        let after = self.lost_at.take().filter(|_| self.ready).map(|lost| lost.elapsed());
        if !std::mem::replace(&mut self.ready, true) {
            let ready = self.client.ready(welcome);
            self.tell(Update::Ready(ready));
        }
        self.tell(Update::Connection(State::Connected { after }));
    }

    /// Forwards requests until the session ends, or until we are asked to stop and nothing is in flight any more.
    async fn serve(&mut self, connection: Connection<ReadAhead<Socket>>, tunnel: Tunnel) -> End {
        let exchanges = TaskTracker::new();
        let mut connection = Box::pin(connection.run());
        let mut deadline = None;
        let closed = loop {
            tokio::select! {
                closed = &mut connection => break Some(closed),
                Some(request) = tunnel.next() => {
                    exchanges.spawn(Arc::clone(&self.forwarder).exchange(request));
                }
                Ok(()) = self.wakeups.changed() => tunnel.probe(),
                () = self.stop.cancelled(), if deadline.is_none() => {
                    tunnel.go_away(Goaway::Stopping);
                    deadline = Some(tokio::time::Instant::now() + self.client.config.grace);
                }
                () = until(deadline) => break None,
            }
        };
        drop(connection);
        // What is left belongs to senders that can't be answered any more. Each learns it from its stream, ends, and is recorded.
        exchanges.close();
        let _ = tokio::time::timeout(FAREWELL, exchanges.wait()).await;
        match closed {
            _ if self.stop.is_cancelled() => End::Stopped,
            Some(Closed::Finished(Goaway::Replaced)) => {
                End::Failed(ClientError::Replaced(self.client.config.endpoint.clone()))
            }
            Some(Closed::Finished(Goaway::Revoked)) => End::Failed(ClientError::Revoked),
            Some(Closed::Finished(Goaway::Stopping)) => End::Lost("the relay is stopping".into()),
            Some(closed) => End::Lost(closed.to_string()),
            None => End::Stopped,
        }
    }

    fn tell(&self, update: Update) {
        self.forwarder.recorder.tell(update);
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

/// Waits until a moment, or for ever when there is none.
async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
