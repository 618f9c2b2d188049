//! Stored requests, sent to the app again.

mod edit;
mod resign;

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_capture::{Exchange, Origin};
use hookwire_protocol::head::{BodyLength, HeadError, Headers, RequestHead};
use hookwire_signatures::{SignError, Verdict};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    App, ClientError, Watcher,
    forward::Forwarder,
    record::{self, Recorder},
};

pub use edit::Edit;

/// Replays at the same time. Whoever has more sends them one after the other, which keeps their order.
const IN_FLIGHT: usize = 8;

/// How long connections and the watcher may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// What begins the names of headers that only hookwire sets.
const OURS: &[u8] = b"hookwire-";

/// A stored request, ready to be sent again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The exchange that is repeated.
    pub(crate) of: Uuid,
    pub(crate) endpoint: Arc<str>,
    pub(crate) head: RequestHead,
    pub(crate) body: Bytes,
    /// What was found of the original's signature.
    verdict: Verdict,
}

/// Why a request can't be sent again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Capture cut the body.
    #[error("its body was not kept whole: {kept} of {length} bytes")]
    NotKept {
        /// Bytes there are.
        kept: usize,
        /// Bytes there were.
        length: u64,
    },
    /// The sender went away in the middle of the body.
    #[error("its body never arrived whole")]
    NotWhole,
    /// An edit made something that is no request.
    #[error("that is no request: {0}")]
    Edit(#[from] HeadError),
    /// Method, target or a header line are longer than 64 KiB.
    #[error("that is no request: its head has a field of more than 64 KiB")]
    TooLong,
    /// Nothing tells how it should be signed.
    #[error("it carries no signature of a provider that is known, so it can't be signed anew")]
    NoScheme,
    /// The provider is known, its secret is not.
    #[error("no secret of `{0}` is known, so it can't be signed anew")]
    NoSecret(&'static str),
    /// The scheme, or the secret that is there, makes no signature.
    #[error("it can't be signed anew: {0}")]
    NotSigned(#[source] SignError),
    /// Nobody can be told any more what happens.
    #[error("the replay could not be recorded")]
    NotRecorded,
}

impl ReplayError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotKept { .. } => Some("`--max-capture-body` of `hookwire listen` says how much of a body is kept; `--body @FILE` sends another".into()),
            Self::NotWhole => Some("`--body @FILE` sends another".into()),
            Self::Edit(_) | Self::TooLong => Some("a method is a word, a path begins with `/`, a header is `name: value`".into()),
            Self::NoSecret(provider) => Some(format!("`--secret {provider}=env:<VARIABLE>`, or `--env-file .env`, names it")),
            Self::NoScheme | Self::NotSigned(_) | Self::NotRecorded => None,
        }
    }
}

impl Replay {
    /// The request of an exchange, byte for byte.
    ///
    /// # Errors
    /// When not all of its body is there.
    pub fn of(exchange: &Exchange) -> Result<Self, ReplayError> {
        let replay = Self::without_body(exchange);
        let body = &exchange.request_body;
        if body.truncated() {
            return Err(ReplayError::NotKept { kept: body.bytes.len(), length: body.length });
        }
        match exchange.request.body {
            BodyLength::Sized(length) if length != body.length => Err(ReplayError::NotWhole),
            _ => Ok(Self { body: body.bytes.clone(), ..replay }),
        }
    }

    /// The request of an exchange with another body, and edited otherwise.
    ///
    /// # Errors
    /// When the edit makes no request of it, or leaves a body that is not all there.
    pub fn edited(exchange: &Exchange, edit: Edit) -> Result<Self, ReplayError> {
        let replay = if edit.body.is_some() { Self::without_body(exchange) } else { Self::of(exchange)? };
        edit.of(replay)
    }

    fn without_body(exchange: &Exchange) -> Self {
        let kept = exchange.request.headers.iter().filter(|(name, _)| !name.starts_with(OURS));
        let headers: Headers = kept.collect();
        Self {
            of: exchange.id,
            endpoint: Arc::clone(&exchange.endpoint),
            head: RequestHead { headers, ..exchange.request.clone() },
            body: Bytes::new(),
            verdict: exchange.verdict.clone(),
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::Replay { of: self.of }
    }
}

/// Sends stored requests to the app, on the way that live ones go: the same connections, routes and rules, and the same judgement of what
/// passed. It needs neither relay nor listener.
#[derive(Debug)]
pub struct Replayer {
    forwarder: Arc<Forwarder>,
    in_flight: Semaphore,
    recorder: JoinHandle<io::Result<()>>,
}

impl Replayer {
    /// Ready to send to `app`. What comes of each replay is told to `watcher`, on a thread of its own.
    pub fn new(app: App, watcher: impl Watcher) -> Result<Self, ClientError> {
        let upstream = app.upstream()?;
        let cap = app.max_capture_body;
        let (recorder, thread) = Recorder::start(cap, Arc::clone(&app.secrets), watcher, CancellationToken::new())?;
        let forwarder = Arc::new(Forwarder {
            app,
            endpoint: "".into(),
            upstream,
            recorder,
            canary: Arc::default(),
            finished: Arc::default(),
            holds: AtomicBool::new(false),
        });
        Ok(Self { forwarder, in_flight: Semaphore::new(IN_FLIGHT), recorder: thread })
    }

    /// Signs a request anew, with the secret that fitted before, or else the first of its provider, and the present time.
    pub fn resign(&self, replay: Replay) -> Result<Replay, ReplayError> {
        resign::resign(replay, &self.forwarder.app.secrets, SystemTime::now())
    }

    /// Sends one, waits for the answer, and returns the exchange as it was judged and told to the watcher. Without an answer the exchange says
    /// why. When `stop` is cancelled the request is given up, and recorded as such.
    ///
    /// # Errors
    /// [`ReplayError::NotRecorded`] when the watcher has failed.
    pub async fn replay(&self, mut replay: Replay, stop: &CancellationToken) -> Result<Arc<Exchange>, ReplayError> {
        let _slot = self.in_flight.acquire().await;
        replay.head.id = Uuid::now_v7().into_bytes();
        let (awaited, exchange) = oneshot::channel();
        let passed = self.forwarder.repeat(replay, stop).await;
        self.forwarder.recorder.record(Box::new(record::Passed { awaited: Some(awaited), ..passed }));
        exchange.await.map_err(|_dropped| ReplayError::NotRecorded)
    }

    /// Waits until everything was told, and closes the connections.
    pub async fn close(self) -> Result<(), ClientError> {
        let Self { forwarder, recorder, .. } = self;
        let _ = tokio::time::timeout(GRACE, forwarder.upstream.close()).await;
        drop(forwarder);
        record::join(recorder, GRACE).await
    }
}

#[cfg(test)]
mod tests;
