//! The gateway: posts webhooks from many connections, and writes down every answer.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    ledger::{self, Answered},
    wire::Connection,
};

/// How long a sender waits: gateways give up after 5 to 10 s.
const PATIENCE: Duration = Duration::from_secs(10);

/// A sender whose relay is away tries again this soon: many tries are what finds the gaps.
const AGAIN: Duration = Duration::from_millis(20);

/// How much is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) senders: usize,
    /// In all; a bound on the run.
    pub(crate) webhooks: u64,
    /// Between two webhooks of one sender.
    pub(crate) pause: Duration,
}

impl Load {
    pub(crate) const fn steady(senders: usize) -> Self {
        Self { senders, webhooks: 200_000, pause: Duration::from_millis(2) }
    }

    pub(crate) const fn burst(senders: usize, webhooks: u64) -> Self {
        Self { senders, webhooks, pause: Duration::ZERO }
    }
}

/// Senders at work.
#[derive(Debug)]
pub(crate) struct Senders {
    tasks: JoinSet<()>,
    stop: CancellationToken,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    address: String,
    path: String,
    next: AtomicU64,
    last: u64,
    load: Load,
    answers: Mutex<Vec<Answered>>,
}

impl Senders {
    /// Starts posting to `http://address/path`; ids count from `first`.
    pub(crate) fn start(address: &str, path: &str, first: u64, load: Load) -> Self {
        let shared = Arc::new(Shared {
            address: address.to_owned(),
            path: path.to_owned(),
            next: AtomicU64::new(first),
            last: first + load.webhooks,
            load,
            answers: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for _ in 0..load.senders {
            tasks.spawn(send(Arc::clone(&shared), stop.clone()));
        }
        Self { tasks, stop, shared }
    }

    /// Lets what is on its way finish, and gives the log.
    pub(crate) async fn stop(self) -> Vec<Answered> {
        self.stop.cancel();
        self.finish().await
    }

    /// Waits until all are sent, and gives the log.
    pub(crate) async fn finish(mut self) -> Vec<Answered> {
        while self.tasks.join_next().await.is_some() {}
        std::mem::take(&mut *self.shared.answers())
    }
}

impl Shared {
    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<Answered>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(shared: Arc<Shared>, stop: CancellationToken) {
    let mut kept = None;
    while !stop.is_cancelled() {
        let id = shared.next.fetch_add(1, Ordering::Relaxed);
        if id >= shared.last {
            return;
        }
        let posted = tokio::time::timeout(PATIENCE, post(&mut kept, &shared.address, &shared.path, id)).await;
        let status = posted.map_or(0, |posted| posted.unwrap_or(0));
        shared.answers().push(Answered { id, status });
        let pause = if status == 0 {
            kept = None;
            AGAIN
        } else {
            shared.load.pause
        };
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Posts one webhook over the kept connection, or a new one.
pub(crate) async fn post(kept: &mut Option<Connection>, address: &str, path: &str, id: u64) -> Result<u16> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(address, PATIENCE).await?,
    };
    let body = ledger::body(id);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{}: {id}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        ledger::ID,
        body.len()
    );
    let mut message = head.into_bytes();
    message.extend_from_slice(&body);
    connection.write(&message).await?;
    let answer = connection.message(false).await?.context("the relay closed instead of answering")?;
    if answer.header("connection") != Some("close") {
        *kept = Some(connection);
    }
    Ok(answer.status())
}
