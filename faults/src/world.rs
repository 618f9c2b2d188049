//! A relay, a client and an app of one run, each a process that can be killed and started again.

use std::{
    collections::HashSet,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rusqlite::OpenFlags;
use tempfile::TempDir;

use crate::{
    ledger::{self, Answered, Balance},
    process::{Process, accepting},
    wire::Connection,
};

/// The endpoint that everything is sent to.
pub(crate) const ENDPOINT: &str = "faults";

/// How long a client may take to take its place again: it waits at most 5 s between two tries.
const READY: Duration = Duration::from_secs(20);

/// Everything of one run.
#[derive(Debug)]
pub(crate) struct World {
    folder: TempDir,
    binary: PathBuf,
    pub(crate) relay_address: String,
    pub(crate) app_address: String,
    /// Where the relay keeps its data.
    pub(crate) data: PathBuf,
    /// Flags of `listen` beside the usual ones.
    pub(crate) listen: Vec<String>,
    /// Flags of the app.
    pub(crate) app_flags: Vec<String>,
    /// What client and app are run by: `ip netns exec …`.
    pub(crate) elsewhere: Vec<String>,
    /// The relay asks for it; without one it is open.
    pub(crate) token: Option<String>,
    pub(crate) relay: Option<Process>,
    pub(crate) client: Option<Process>,
    pub(crate) app: Option<Process>,
}

/// How a relay is started beside the usual.
#[derive(Clone, Debug, Default)]
pub(crate) struct Odd {
    /// What the command is run by: `strace -f …`.
    pub(crate) wrapper: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) flags: Vec<String>,
}

impl World {
    /// Nothing runs yet. `answer` is the endpoint's policy.
    pub(crate) fn new(binary: &Path, answer: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("relay");
        Ok(Self {
            binary: binary.to_owned(),
            relay_address: free_address()?,
            app_address: free_address()?,
            data,
            listen: vec!["--answer".into(), answer.into()],
            app_flags: Vec::new(),
            elsewhere: Vec::new(),
            token: None,
            relay: None,
            client: None,
            app: None,
            folder,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the app wrote down.
    pub(crate) fn journal(&self) -> PathBuf {
        self.path("journal")
    }

    /// The path of the endpoint's webhooks.
    pub(crate) fn hook() -> String {
        format!("/{ENDPOINT}/hook")
    }

    /// All three, ready.
    pub(crate) async fn start(&mut self) -> Result<()> {
        self.start_app().await?;
        self.start_relay(&Odd::default()).await?;
        self.start_client().await
    }

    /// The relay; how long it took until it accepted connections.
    pub(crate) async fn start_relay(&mut self, odd: &Odd) -> Result<Duration> {
        self.spawn_relay(odd)?;
        accepting(&self.relay_address).await.with_context(|| self.tail("relay.log"))
    }

    /// The relay, without waiting: one that is to die may do so before anybody has seen it.
    pub(crate) fn spawn_relay(&mut self, odd: &Odd) -> Result<()> {
        let mut words: Vec<String> = odd.wrapper.clone();
        words.push(self.binary.display().to_string());
        words.extend(["relay", "--listen", &self.relay_address, "--data-dir"].map(str::to_owned));
        words.push(self.data.display().to_string());
        if self.token.is_none() {
            words.push("--open".to_owned());
        }
        words.extend(odd.flags.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env("RUST_LOG", "warn").envs(odd.environment.iter().cloned());
        self.relay = Some(Process::start("relay", &mut command, &self.path("relay.log"))?);
        Ok(())
    }

    /// The client, until the relay routes to it.
    pub(crate) async fn start_client(&mut self) -> Result<()> {
        self.spawn_client()?;
        self.routed().await
    }

    /// The client, without waiting.
    pub(crate) fn spawn_client(&mut self) -> Result<()> {
        let mut command = self.command(&self.binary);
        if let Some(token) = &self.token {
            command.env("HOOKWIRE_TOKEN", token);
        }
        command
            .args(["listen", &format!("http://{}", self.app_address), "--endpoint", ENDPOINT, "--output", "json"])
            .args(["--relay", &format!("http://{}", self.relay_address)])
            .arg("--store")
            .arg(self.path("client.db"))
            .args(&self.listen)
            .env("HOME", self.folder.path())
            .env("RUST_LOG", "warn");
        self.client = Some(Process::start("client", &mut command, &self.path("client.log"))?);
        Ok(())
    }

    /// Waits until a request comes through to the app.
    pub(crate) async fn routed(&self) -> Result<()> {
        self.routed_to(ENDPOINT).await
    }

    /// The same, for any endpoint.
    pub(crate) async fn routed_to(&self, endpoint: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            if self.get(endpoint).await.is_ok_and(|status| status == 200) {
                return Ok(());
            }
            if begun.elapsed() > READY {
                bail!(
                    "no way to the app after {READY:?}\nrelay: {}\nclient: {}",
                    self.tail("relay.log"),
                    self.tail("client.log")
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A request that is never held: the app's own answer, or an error of ours.
    async fn get(&self, endpoint: &str) -> Result<u16> {
        let mut connection = Connection::open(&self.relay_address, Duration::from_secs(1)).await?;
        let head = format!("GET /{endpoint}/ready HTTP/1.1\r\nhost: {}\r\n\r\n", self.relay_address);
        connection.write(head.as_bytes()).await?;
        let answer = tokio::time::timeout(Duration::from_secs(5), connection.message(false)).await??;
        Ok(answer.context("closed")?.status())
    }

    pub(crate) async fn start_app(&mut self) -> Result<()> {
        let mut command = self.command(&std::env::current_exe()?);
        command.args(["app", "--address", &self.app_address, "--journal"]).arg(self.journal()).args(&self.app_flags);
        self.app = Some(Process::start("app", &mut command, &self.path("app.log"))?);
        // Elsewhere it can't be seen from here: the client will find it.
        if self.elsewhere.is_empty() { accepting(&self.app_address).await.map(drop) } else { Ok(()) }
    }

    /// A token that the relay takes.
    pub(crate) fn new_token(&self) -> Result<String> {
        let output = Command::new(&self.binary)
            .args(["token", "new", "--name", "faults", "--data-dir"])
            .arg(&self.data)
            .env("HOME", self.folder.path())
            .output()?;
        ensure!(output.status.success(), "no token: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// A command for where client and app run.
    fn command(&self, program: &Path) -> Command {
        match self.elsewhere.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        }
    }

    pub(crate) fn kill_relay(&mut self) -> Result<()> {
        self.relay.take().map_or(Ok(()), |mut relay| relay.kill())
    }

    pub(crate) fn kill_client(&mut self) -> Result<()> {
        self.client.take().map_or(Ok(()), |mut client| client.kill())
    }

    pub(crate) fn kill_app(&mut self) -> Result<()> {
        self.app.take().map_or(Ok(()), |mut app| app.kill())
    }

    /// Waits for what was held, and gives the checked balance.
    pub(crate) async fn balance(&self, answers: &[Answered]) -> Result<Balance> {
        let mut balance = Balance::settled(answers, &self.journal()).await?;
        if !balance.lost.is_empty() {
            balance = balance.except(&self.tried_thrice()?);
        }
        balance.check().with_context(|| format!("relay: {}", self.tail("relay.log")))?;
        Ok(balance)
    }

    /// What the relay holds for a try that is minutes away: the fourth comes five minutes after the third. Anything else that is held must
    /// arrive.
    fn tried_thrice(&self) -> Result<HashSet<u64>> {
        let mut held = HashSet::new();
        for file in databases(&self.data)? {
            let database = rusqlite::Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let mut rows = database.prepare("SELECT body FROM webhook WHERE attempt >= 3 AND body IS NOT NULL")?;
            for body in rows.query_map([], |row| row.get::<_, Vec<u8>>(0))? {
                held.extend(ledger::id_of(&body?));
            }
        }
        Ok(held)
    }

    /// Asks every database below the relay's folder whether it is whole. The relay must not run.
    pub(crate) fn intact(&self) -> Result<()> {
        let found = databases(&self.data)?;
        ensure!(!found.is_empty(), "the relay keeps no database in {}", self.data.display());
        for file in found {
            let database = rusqlite::Connection::open(&file)?;
            let answer: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
            ensure!(answer == "ok", "{}: {answer}", file.display());
        }
        Ok(())
    }

    /// The end of a process's log, for messages.
    pub(crate) fn tail(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n  ")
    }
}

/// An address of loopback that is free now.
pub(crate) fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn databases(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(databases(&path)?);
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0")) {
            found.push(path);
        }
    }
    Ok(found)
}
