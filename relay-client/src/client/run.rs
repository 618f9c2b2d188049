//! Session after session, and what is told of them.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;
use hookwire_capture::{Connection as State, Proof, Update};
use hookwire_protocol::{
    frame::Goaway,
    hello::{Answer, DELIVERY, Hello, Reply, Welcome, WhenAway},
    limits::VERSION,
    session::Side,
};
use hookwire_tunnel::{
    Closed, Connection, HandshakeError, ReadAhead, Tunnel, read_reply, send_hello, websocket_config,
};
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Client, ClientError};
use crate::{
    backoff::{Backoff, SETTLED},
    canary::{Aviary, Canary},
    dial::{DialError, Socket},
    finished::Finished,
    forward::Forwarder,
    gaps::Gaps,
    tls::TrustError,
};

/// For exchanges to notice that their session is gone, and to be recorded.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a session ended, or did not begin.
enum End {
    /// We were asked to stop, and nothing is in flight any more.
    Stopped,
    /// Dial again.
    Lost(String),
    /// Don't.
    Failed(ClientError),
}

/// What one run of a client carries along.
pub(super) struct Run {
    pub(super) client: Client,
    pub(super) forwarder: Arc<Forwarder>,
    pub(super) canary: Arc<Canary>,
    pub(super) finished: Arc<Finished>,
    /// Those of sessions that are gone, too: the app may still be working on what the relay will bring again.
    pub(super) exchanges: TaskTracker,
    pub(super) gaps: Gaps,
    pub(super) stop: CancellationToken,
    /// Counts the machine's wake-ups.
    pub(super) wakeups: watch::Receiver<u64>,
    /// Whether a webhook would arrive, as far as is known.
    pub(super) alive: watch::Sender<bool>,
    pub(super) ready: bool,
    /// When the last session ended, by both clocks, until another begins.
    pub(super) lost_at: Option<(Instant, SystemTime)>,
}

impl Run {
    /// Session after session.
    pub(super) async fn keep(&mut self) -> Result<(), ClientError> {
        let mut backoff = Backoff::default();
        let mut told = String::new();
        loop {
            let begun = Instant::now();
            let reason = match self.session().await {
                End::Stopped => return Ok(()),
                End::Failed(error) => return Err(error),
                End::Lost(reason) => reason,
            };
            self.alive.send_replace(false);
            if self.lost_at.is_none() {
                self.lost_at = Some((Instant::now(), SystemTime::now()));
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
        let aviary = match self.connected(&welcome) {
            Ok(aviary) => aviary,
            Err(error) => return End::Failed(error.into()),
        };
        self.serve(connection, tunnel, aviary).await
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
            features: vec![DELIVERY.to_owned()],
            agent: concat!("hookwire/", env!("CARGO_PKG_VERSION")).into(),
            instance: self.client.instance.clone(),
            endpoint: self.client.config.endpoint.clone(),
            wishes: Some(self.client.config.wishes),
            finished: self.finished.ids(),
        };
        let lost = |error: HandshakeError| End::Lost(error.to_string());
        send_hello(&mut socket, &hello).await.map_err(lost)?;
        match read_reply(&mut socket).await.map_err(lost)? {
            Reply::Welcome(welcome) => Ok((socket, welcome)),
            Reply::Refusal(refusal) if refusal.retry => Err(End::Lost(refusal.to_string())),
            Reply::Refusal(refusal) => Err(End::Failed(refusal.into())),
        }
    }

    /// A session has begun. Gives what tries the way to it; none if its public URL can't be asked by us.
    fn connected(&mut self, welcome: &Welcome) -> Result<Option<Aviary>, TrustError> {
        let ready = self.client.ready(welcome);
        let public_url = ready.public_url.clone();
        // Before the first session there was nothing to lose.
        let lost_at = self.lost_at.take().filter(|_| self.ready);
        if !std::mem::replace(&mut self.ready, true) {
            self.tell(Update::Ready(ready));
            self.warn_of_other_answers(welcome);
        }
        let holds = welcome.agreed.is_some_and(|agreed| agreed.when_away == WhenAway::Hold);
        self.forwarder.holds.store(holds, Ordering::Relaxed);
        self.alive.send_replace(true);
        self.tell(Update::Connection(State::Connected { after: lost_at.map(|(lost, _)| lost.elapsed()) }));
        let lost_at = lost_at.map(|(_, wall)| wall);
        for update in self.gaps.connected(welcome.backlog.as_ref(), lost_at, SystemTime::now()) {
            self.tell(update);
        }
        let ca = self.client.config.relay_ca.clone();
        public_url.parse().ok().map(|target| Aviary::new(Arc::clone(&self.canary), target, ca)).transpose()
    }

    /// Says what will be otherwise than was asked for.
    fn warn_of_other_answers(&self, welcome: &Welcome) {
        let wishes = self.client.config.wishes;
        let asked =
            wishes.answer.is_some_and(|answer| answer != Answer::App) || wishes.when_away == Some(WhenAway::Hold);
        match welcome.agreed {
            Some(agreed) if wishes.answer.is_none_or(|answer| answer == agreed.answer) => {
                let agreed_ms = agreed.deadline_ms;
                if let Some(wished) = wishes.deadline_ms.filter(|wished| *wished != agreed_ms) {
                    tracing::warn!(wished_ms = wished, agreed_ms, "the relay bounds the deadline");
                }
            }
            _ if asked => tracing::warn!("this relay keeps nothing: senders get the app's own answers, or errors"),
            _ => {}
        }
    }

    /// Forwards requests until the session ends, or until we are asked to stop and nothing is in flight any more.
    async fn serve(
        &mut self,
        connection: Connection<ReadAhead<Socket>>,
        tunnel: Tunnel,
        aviary: Option<Aviary>,
    ) -> End {
        let mut connection = Box::pin(connection.run());
        let mut proof = Box::pin(prove(aviary, tunnel.clone(), Arc::clone(&self.forwarder), self.alive.clone()));
        let mut deadline = None;
        let closed = loop {
            tokio::select! {
                closed = &mut connection => break Some(closed),
                Some(request) = tunnel.next() => {
                    self.forwarder.take(request, &self.exchanges);
                    // Those that came in the same message: all the rest of this loop is looked at between two turns.
                    while let Some(Some(request)) = tunnel.next().now_or_never() {
                        self.forwarder.take(request, &self.exchanges);
                    }
                }
                backlog = tunnel.notice() => {
                    for update in self.gaps.notice(&backlog) {
                        self.tell(update);
                    }
                }
                Ok(()) = self.wakeups.changed() => tunnel.probe(),
                never = &mut proof => match never {},
                () = self.stop.cancelled(), if deadline.is_none() => {
                    tunnel.go_away(Goaway::Stopping);
                    deadline = Some(tokio::time::Instant::now() + self.client.config.grace);
                }
                () = until(deadline) => break None,
            }
        };
        drop(connection);
        if self.stop.is_cancelled() {
            // What is left belongs to senders that can't be answered any more. Each learns it from its stream, ends, and is recorded.
            self.exchanges.close();
            let _ = tokio::time::timeout(FAREWELL, self.exchanges.wait()).await;
        }
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

    pub(super) fn tell(&self, update: Update) {
        self.forwarder.recorder.tell(update);
    }
}

/// Tries the way to this session for as long as it lives.
async fn prove(
    aviary: Option<Aviary>,
    tunnel: Tunnel,
    forwarder: Arc<Forwarder>,
    alive: watch::Sender<bool>,
) -> Infallible {
    let Some(aviary) = aviary else { return std::future::pending().await };
    let mut verified = false;
    let tell = |proof: Proof| {
        match &proof {
            Proof::Verified { .. } => verified = true,
            // From here the public URL may never have been in reach. If it was, something has broken.
            Proof::Unverified { .. } if !verified => {}
            Proof::Unverified { .. } => drop(alive.send_replace(false)),
            Proof::RoundTrip(_) => {}
        }
        if matches!(proof, Proof::Verified { .. }) {
            alive.send_replace(true);
        }
        forwarder.recorder.tell(Update::Proof(proof));
    };
    aviary.keep(&tunnel, tell).await
}

/// Waits until a moment, or for ever when there is none.
async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
