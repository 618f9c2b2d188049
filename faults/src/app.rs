//! The app: writes down every id it is given, before it answers.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    ledger,
    wire::{Connection, Message},
};

/// How the app behaves.
#[derive(Clone, Debug, Args)]
pub(crate) struct AppArguments {
    /// Where it listens
    #[arg(long)]
    address: String,
    /// Where ids are written, one a line
    #[arg(long)]
    journal: PathBuf,
    /// How long it thinks, in milliseconds
    #[arg(long, default_value_t = 0)]
    thinks: u64,
    /// Of so many requests one is answered 500; 0 for none
    #[arg(long, default_value_t = 0)]
    fails: u64,
}

struct App {
    arguments: AppArguments,
    journal: Mutex<File>,
    served: AtomicU64,
}

/// Serves until it is killed.
pub(crate) async fn run(arguments: AppArguments) -> Result<()> {
    let journal = OpenOptions::new().append(true).create(true).open(&arguments.journal)?;
    let listener = TcpListener::bind(&arguments.address).await?;
    let app = Arc::new(App { arguments, journal: Mutex::new(journal), served: AtomicU64::new(0) });
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(serve(Arc::clone(&app), Connection::new(stream)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(app: Arc<App>, mut connection: Connection) {
    while let Ok(Some(request)) = connection.message(true).await {
        if app.arguments.thinks > 0 {
            tokio::time::sleep(Duration::from_millis(app.arguments.thinks)).await;
        }
        let served = app.served.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = app.arguments.fails > 0 && served.is_multiple_of(app.arguments.fails);
        if !fails && app.note(&request).is_err() {
            return;
        }
        let status = if fails { "500 Internal Server Error" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok");
        if connection.write(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

impl App {
    /// One write per id, so that a kill leaves whole lines.
    fn note(&self, request: &Message) -> std::io::Result<()> {
        let Some(id) = request.header(ledger::ID) else { return Ok(()) };
        let whole = if id.parse().is_ok_and(|id| request.body == ledger::body(id)) { "whole" } else { "BROKEN" };
        let held = if request.header("hookwire-held-since").is_some() { "held" } else { "live" };
        let line = format!("{id} {whole} {held}\n");
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
    }
}
