//! Load for the inbox's fault tests, and their judge: a process of its own, so that it can be killed, stopped and starved.
//!
//! ```text
//! inbox_load write <folder> <ledger> [--writers <n>] [--not-synced]
//! inbox_load check <folder> <ledger>
//! ```
//!
//! `write` appends webhooks for ever from so many tasks, and delivers one in four. An id is written to the ledger when it was acknowledged
//! (`+`), and before it is settled (`-`). The ledger lies elsewhere than the inbox. The first line on standard output is `process <id>`; others follow every hundred
//! acknowledgements (`acknowledged <n>`), and every change from taking to refusing and back (`refused <why>`, `taken again`).
//!
//! `check` opens what is left and looks for every id that must be there, and for every byte of it. It fails if one is lost.
#![expect(clippy::print_stdout, reason = "it talks to the tests that run it")]

use std::{
    collections::HashSet,
    env,
    error::Error,
    fmt,
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
    process::{self, ExitCode},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_relay_server::inbox::{Cursor, Inbox, InboxState, Settings, Settled, SqliteInbox, Webhook};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Endpoints among which the webhooks are spread, so that none of them fills its share of a small disk.
const ENDPOINTS: u8 = 4;

/// One in so many webhooks is delivered at once.
const DELIVERED: u8 = 4;

/// A refused writer comes back after this time, and so does who waits for the inbox to be checked.
const PAUSE: Duration = Duration::from_millis(20);

/// What [`check`] found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) acknowledged: usize,
    pub(crate) settled: usize,
    pub(crate) kept: usize,
    pub(crate) lost: usize,
    pub(crate) damaged: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, settled, kept, lost, damaged } = self;
        write!(f, "{acknowledged} acknowledged, {settled} settled, {kept} kept, {lost} lost, {damaged} damaged")
    }
}

#[allow(dead_code, reason = "the fault tests take this file as a module, and have a main of their own")]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Does what the command line says.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let done = match arguments {
        ["write", folder, ledger, options @ ..] => {
            let writers = options.iter().skip_while(|option| **option != "--writers").nth(1);
            let writers = writers.and_then(|writers| writers.parse().ok()).unwrap_or(64);
            write(Path::new(folder), Path::new(ledger), writers, !options.contains(&"--not-synced")).map(|()| true)
        }
        ["check", folder, ledger] => check(Path::new(folder), Path::new(ledger)).map(|found| {
            println!("{found}");
            found.lost + found.damaged == 0
        }),
        _ => Err("usage: inbox_load write|check <folder> <ledger>".into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Looks for everything that must be there.
pub(crate) fn check(folder: &Path, ledger: &Path) -> Result<Found, Box<dyn Error>> {
    let text = fs::read_to_string(ledger)?;
    // The last line may be half written: its id was not told to anybody.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let ids = |sign| whole.lines().filter_map(move |line| Uuid::parse_str(line.strip_prefix(sign)?).ok());
    let acknowledged: HashSet<Uuid> = ids('+').collect();
    let settled: HashSet<Uuid> = ids('-').collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let inbox = SqliteInbox::open(folder, Settings::default())?;
    runtime.block_on(async {
        while let InboxState::Failing(_) = inbox.health().state {
            tokio::time::sleep(PAUSE).await; // it was not closed properly, and is large
        }
        let mut kept = HashSet::new();
        let mut damaged = 0;
        for endpoint in inbox.endpoints().await? {
            let (mut cursor, mut held) = (Cursor::START, 0);
            loop {
                let page = inbox.due(&endpoint, cursor, SystemTime::now() + Duration::from_hours(24), 500).await?;
                let Some(last) = page.last() else { break };
                cursor = last.cursor;
                for pending in page {
                    held += 1;
                    let body = match pending.body {
                        Some(body) => Some(body),
                        None => inbox.body(pending.id).await?,
                    };
                    damaged += usize::from(body != Some(body_of(pending.id)) || pending.head != head_of(pending.id));
                    kept.insert(pending.id);
                }
            }
            damaged += usize::from(inbox.counts(&endpoint).await?.pending != held);
        }
        let lost = acknowledged.difference(&settled).filter(|id| !kept.contains(*id)).count();
        Ok(Found { acknowledged: acknowledged.len(), settled: settled.len(), kept: kept.len(), lost, damaged })
    })
}

fn write(folder: &Path, ledger: &Path, writers: u32, synced: bool) -> Result<(), Box<dyn Error>> {
    println!("process {}", process::id());
    let mut settings = Settings::default();
    settings.synced = synced;
    let inbox = SqliteInbox::open(folder, settings)?;
    let load = Load {
        inbox,
        ledger: Mutex::new(OpenOptions::new().create(true).append(true).open(ledger)?),
        acknowledged: AtomicU64::new(0),
        refused: AtomicBool::new(false),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let load = std::sync::Arc::new(load);
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..writers {
            let load = std::sync::Arc::clone(&load);
            tasks.spawn(async move {
                loop {
                    load.append_one().await;
                }
            });
        }
        tasks.join_all().await;
    });
    Ok(())
}

struct Load {
    inbox: SqliteInbox,
    ledger: Mutex<File>,
    acknowledged: AtomicU64,
    refused: AtomicBool,
}

impl Load {
    async fn append_one(&self) {
        let id = Uuid::now_v7();
        let now = SystemTime::now();
        let webhook = Webhook {
            id,
            endpoint: format!("endpoint-{}", id.as_bytes()[15] % ENDPOINTS).into(),
            received_at: now,
            due_at: now,
            head: head_of(id),
            body: vec![body_of(id)],
            attempt: 0,
        };
        match self.inbox.append(webhook).await {
            Ok(()) => {
                self.note('+', id);
                let acknowledged = self.acknowledged.fetch_add(1, Ordering::Relaxed) + 1;
                if self.refused.swap(false, Ordering::Relaxed) {
                    println!("taken again");
                }
                if acknowledged.is_multiple_of(100) {
                    println!("acknowledged {acknowledged}");
                }
            }
            Err(error) => {
                if !self.refused.swap(true, Ordering::Relaxed) {
                    println!("refused {error}");
                }
                return tokio::time::sleep(PAUSE).await;
            }
        }
        if id.as_bytes()[14].is_multiple_of(DELIVERED) {
            self.note('-', id);
            let _ = self.inbox.settle(id, Settled::Delivered).await; // it may be there or not from here on
        }
    }

    /// Written at once, to the kernel at least: what kills this process does not reach it there.
    fn note(&self, sign: char, id: Uuid) {
        let line = format!("{sign}{id}\n");
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = ledger.write_all(line.as_bytes()) {
            println!("error: the ledger can't be written: {error}");
        }
    }
}

/// The body that belongs to an id: most are small, some come in pieces.
fn body_of(id: Uuid) -> Bytes {
    let bytes = id.as_bytes();
    let length = match bytes[13] {
        0 => 300_000,
        1..=8 => 20_000,
        _ => 200 + usize::from(bytes[12]) * 16,
    };
    bytes.iter().copied().cycle().take(length).collect()
}

fn head_of(id: Uuid) -> Bytes {
    format!("POST /{id}").into()
}
