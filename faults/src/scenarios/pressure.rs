//! Too little of something: descriptors, time, readers, room.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Outcome, Setting};
use crate::{
    ledger::Delivered,
    neighbour::Neighbour,
    process::is_there,
    sender::{Load, Senders},
    wire::Connection,
    world::{Odd, World},
};

/// Where Debian and others keep the library that fakes a process's clock.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

pub(super) async fn descriptors(setting: Setting) -> Result<Outcome> {
    if !is_there("prlimit") {
        return Ok(Outcome::Skipped("prlimit is not installed".into()));
    }
    let mut world = World::new(&setting.binary, "hybrid")?;
    world.start_app().await?;
    let odd = Odd { wrapper: ["prlimit", "--nofile=64"].map(str::to_owned).to_vec(), ..Odd::default() };
    world.start_relay(&odd).await?;
    world.start_client().await?;
    let mut idle = Vec::new();
    for _ in 0..200 {
        // What the relay can't accept waits in the kernel's queue, or is refused there.
        if let Ok(connection) = Connection::open(&world.relay_address, Duration::from_millis(200)).await {
            idle.push(connection);
        }
    }
    let opened = idle.len();
    drop(idle);
    let begun = Instant::now();
    world.routed().await?;
    let back = begun.elapsed();
    ensure!(back < Duration::from_secs(3), "it took {back:?} until a request came through again");
    let answers = Senders::start(&world.relay_address, &World::hook(), 0, Load::burst(4, 400)).finish().await;
    let balance = world.balance(&answers).await?;
    ensure!(balance.accepted == 400, "not all were accepted afterwards: {balance}");
    Ok(Outcome::Held(vec![format!("{opened} connections at 64 descriptors · back after {back:?} · {balance}")]))
}

pub(super) async fn clock(setting: Setting) -> Result<Outcome> {
    if !std::path::Path::new(FAKETIME).exists() {
        return Ok(Outcome::Skipped("libfaketime is not installed (Debian: `faketime`)".into()));
    }
    let mut world = World::new(&setting.binary, "relay")?;
    let mut answers = Vec::new();
    let mut lines = Vec::new();
    for (round, shift) in ["+0", "+2d", "-1h", "+30d"].into_iter().enumerate() {
        world.start_app().await?;
        let environment = [("LD_PRELOAD", FAKETIME), ("FAKETIME", shift), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        world.start_relay(&Odd { environment, ..Odd::default() }).await?;
        // Half of them while nobody is there, so that they are there at the next jump.
        world.start_client().await?;
        let first = round as u64 * 10_000;
        answers.extend(Senders::start(&world.relay_address, &World::hook(), first, Load::burst(4, 500)).finish().await);
        world.kill_client()?;
        let load = Load::burst(4, 500);
        answers.extend(Senders::start(&world.relay_address, &World::hook(), first + 5_000, load).finish().await);
        world.kill_relay()?;
        world.kill_app()?;
        lines.push(format!("clock at {shift}"));
    }
    world.start_app().await?;
    world.start_relay(&Odd::default()).await?;
    world.start_client().await?;
    let balance = world.balance(&answers).await?;
    ensure!(balance.accepted == 4_000, "not all were accepted: {balance}");
    Ok(Outcome::Held(vec![format!("{} · {balance}", lines.join(", "))]))
}

/// Webhooks of another endpoint that are timed, before and meanwhile.
const MEASURED: usize = 500;

/// A client that takes its place and reads nothing must cost the others nothing.
pub(super) async fn deaf(setting: Setting) -> Result<Outcome> {
    let mut world = World::new(&setting.binary, "hybrid")?;
    world.start().await?;
    let neighbour = Neighbour::new(&world, &setting.binary).await?;
    let calm = neighbour.waits(MEASURED).await?;
    let before = world.relay.as_ref().map_or(Ok(0), crate::process::Process::resident_kib)?;
    // The session's own process is stopped: its socket stays open, and nobody reads.
    if let Some(client) = &world.client {
        client.signal("STOP")?;
    }
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load::burst(32, 2_000));
    // It takes longer than the deadline: some are held by then.
    let (beside, ()) = tokio::join!(neighbour.waits(MEASURED), tokio::time::sleep(Duration::from_secs(6)));
    let beside = beside?;
    let during = world.relay.as_ref().map_or(Ok(0), crate::process::Process::resident_kib)?;
    if let Some(client) = &world.client {
        client.signal("CONT")?;
    }
    let answers = senders.finish().await;
    let grown = during.saturating_sub(before);
    let balance = world.balance(&answers).await?;
    ensure!(balance.held > 0, "nothing was held although nobody read: {balance}");
    ensure!(grown < 16 * 1024, "the relay grew by {grown} KiB");
    beside.check(calm)?;
    Ok(Outcome::Held(vec![format!("relay grew by {grown} KiB · another endpoint {beside}, {calm} before · {balance}")]))
}

/// The longest that a million may take.
const DRAINED: Duration = Duration::from_mins(30);

pub(super) async fn backlog(setting: Setting) -> Result<Outcome> {
    let webhooks = u64::from(setting.rounds(20_000, 1_000_000));
    let mut world = World::new(&setting.binary, "hybrid")?;
    world.start().await?;
    let neighbour = Neighbour::new(&world, &setting.binary).await?;
    let calm = neighbour.waits(MEASURED).await?;
    world.kill_client()?;
    let begun = Instant::now();
    let answers = Senders::start(&world.relay_address, &World::hook(), 0, Load::burst(64, webhooks)).finish().await;
    let filling = begun.elapsed().as_secs_f64();
    let held = answers.iter().filter(|answer| answer.status == 202).count();
    ensure!(held as u64 == webhooks, "only {held} of {webhooks} were held");
    world.spawn_client()?;
    let begun = Instant::now();
    let beside = neighbour.waits(MEASURED).await?;
    let mut peak = 0;
    loop {
        peak = peak.max(world.relay.as_ref().map_or(Ok(0), crate::process::Process::resident_kib)?);
        // A line a webhook: its length tells how far it is without reading it all.
        let lines =
            std::fs::metadata(world.journal()).map_or(0, |journal| journal.len()) / "1 whole held\n".len() as u64;
        if lines >= webhooks || begun.elapsed() > DRAINED {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let balance = world.balance(&answers).await?;
    let draining = begun.elapsed().as_secs_f64();
    let delivered = Delivered::read(&world.journal())?;
    let parallel = displaced(&delivered.held);
    ensure!(peak < 200 * 1024, "the relay's memory came to {peak} KiB");
    beside.check(calm)?;
    Ok(Outcome::Held(vec![format!(
        "{webhooks} taken at {:.0}/s, drained at {:.0}/s, relay's peak {} MiB, out of order by {parallel} at most · \
         another endpoint meanwhile {beside}, {calm} before · {balance}",
        webhooks as f64 / filling,
        webhooks as f64 / draining,
        peak / 1024
    )]))
}

/// How far a webhook was at most from its place in the order in which ids were counted: 64 senders and 8 in flight allow for some.
fn displaced(held: &[u64]) -> u64 {
    held.iter().enumerate().map(|(place, id)| id.abs_diff(place as u64)).max().unwrap_or(0)
}
