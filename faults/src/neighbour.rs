//! A second endpoint on the same relay, with a client and an app of its own. What happens to the first must not be felt here.

use std::{
    fmt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    process::{Process, accepting},
    sender,
    world::{World, free_address},
};

const ENDPOINT: &str = "neighbour";

/// Between two webhooks: seldom enough that it is no load itself.
const PAUSE: Duration = Duration::from_millis(5);

/// What is felt at all. Below it, it is the machine that has fewer cores than there are busy processes.
const FELT: Duration = Duration::from_millis(50);

/// A second endpoint's client and app, killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Neighbour {
    address: String,
    _client: Process,
    _app: Process,
}

/// How long webhooks waited for their answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    count: usize,
    p99: Duration,
}

impl Neighbour {
    /// Moves in, and waits until a webhook comes through.
    pub(crate) async fn new(world: &World, binary: &Path) -> Result<Self> {
        let app_address = free_address()?;
        let mut app = Command::new(std::env::current_exe()?);
        app.args(["app", "--address", &app_address, "--journal"]).arg(world.path("neighbour.journal"));
        let app = Process::start("app", &mut app, &world.path("neighbour.app.log"))?;
        accepting(&app_address).await?;
        let mut client = Command::new(binary);
        client
            .args(["listen", &format!("http://{app_address}"), "--endpoint", ENDPOINT, "--output", "json"])
            .args(["--relay", &format!("http://{}", world.relay_address), "--store"])
            .arg(world.path("neighbour.db"))
            .env("HOME", world.path("."))
            .env("RUST_LOG", "warn");
        let client = Process::start("client", &mut client, &world.path("neighbour.log"))?;
        let neighbour = Self { address: world.relay_address.clone(), _client: client, _app: app };
        world.routed_to(ENDPOINT).await?;
        Ok(neighbour)
    }

    /// Posts so many webhooks, one after the other. All must be the app's to answer.
    pub(crate) async fn waits(&self, count: usize) -> Result<Waits> {
        let (mut kept, mut waits) = (None, Vec::with_capacity(count));
        for id in 0..count as u64 {
            let begun = Instant::now();
            let status = sender::post(&mut kept, &self.address, &format!("/{ENDPOINT}/hook"), id).await?;
            ensure!(status == 200, "the neighbour's webhook was answered with {status}");
            waits.push(begun.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
        waits.sort_unstable();
        let p99 = waits.get(count * 99 / 100).copied().unwrap_or_default();
        Ok(Waits { count, p99 })
    }
}

impl Waits {
    /// That these are not twice as long as those `before`.
    pub(crate) fn check(self, before: Self) -> Result<()> {
        ensure!(
            self.p99 < FELT.max(2 * before.p99),
            "the neighbour's webhooks waited {:?} (p99), and {:?} before",
            self.p99,
            before.p99
        );
        Ok(())
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms (p99 of {})", self.p99.as_secs_f64() * 1e3, self.count)
    }
}
