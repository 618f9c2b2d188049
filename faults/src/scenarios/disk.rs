//! The disk is full, or broken.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Outcome, Setting};
use crate::{
    ledger::Answered,
    mount::Mount,
    process::is_there,
    sender::{Load, Senders},
    world::{Odd, World},
};

/// A disk that a few seconds of webhooks fill.
const SMALL: &str = "size=24m";
/// The same, with room again.
const LARGER: &str = "size=512m";

/// A store that failed is closed, opened and checked.
const BACK: Duration = Duration::from_secs(20);

/// Ids of probes, far from those of the load.
const PROBES: u64 = 10_000_000;

pub(super) async fn full(setting: Setting) -> Result<Outcome> {
    let mut world = World::new(&setting.binary, "relay")?;
    let mount = world.path("m").display().to_string();
    let mount = match Mount::new(&["-t", "tmpfs", "-o", SMALL, "tmpfs"], &mount) {
        Ok(mount) => mount,
        Err(reason) => return Ok(Outcome::Skipped(format!("tmpfs can't be mounted here: {reason:#}"))),
    };
    world.data = world.path("m").join("relay");
    world.start().await?;
    world.kill_client()?; // what is taken in stays
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load::burst(16, 60_000));
    let filled = senders.finish().await;
    let refused = filled.iter().filter(|answer| answer.status == 503).count();
    let others = filled.iter().filter(|answer| !matches!(answer.status, 202 | 503)).count();
    ensure!(refused > 0, "the disk never filled");
    ensure!(others == 0, "{others} answers beside 202 and 503 with a full disk");
    mount.remount(LARGER)?;
    let mut answers = filled;
    let back = taken_again(&world, &mut answers, Instant::now()).await?;
    world.start_client().await?;
    let balance = world.balance(&answers).await?;
    world.kill_relay()?;
    world.intact()?;
    Ok(Outcome::Held(vec![format!("{refused} refused while full · took webhooks again after {back:?} · {balance}")]))
}

/// How long it takes until webhooks are taken again, without a restart.
async fn taken_again(world: &World, answers: &mut Vec<Answered>, begun: Instant) -> Result<Duration> {
    let mut next = PROBES;
    loop {
        let sent = Senders::start(&world.relay_address, &World::hook(), next, Load::burst(1, 1)).finish().await;
        next += 1;
        let taken = sent.iter().any(|answer| answer.status == 202);
        answers.extend(sent);
        if taken {
            return Ok(begun.elapsed());
        }
        ensure!(begun.elapsed() < BACK, "no webhook was taken {BACK:?} after the disk was well again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(super) async fn errors(setting: Setting) -> Result<Outcome> {
    if !is_there("strace") {
        return Ok(Outcome::Skipped("strace is not installed".into()));
    }
    let mut world = World::new(&setting.binary, "relay")?;
    world.start().await?;
    world.kill_client()?;
    world.kill_relay()?;
    // The 50th sync and a few behind it fail, as with a disk that loses its cable for a moment.
    let inject = "inject=fdatasync,fsync:error=EIO:when=50..55";
    let trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", inject];
    let odd = Odd { wrapper: trace.map(str::to_owned).to_vec(), ..Odd::default() };
    if let Err(reason) = world.start_relay(&odd).await {
        return Ok(Outcome::Skipped(format!("strace can't trace here: {reason:#}")));
    }
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load { webhooks: 4_000, ..Load::steady(8) });
    let answers = senders.finish().await;
    let refused = answers.iter().filter(|answer| answer.status == 503).count();
    ensure!(refused > 0, "no sync failed");
    let begun = Instant::now();
    let mut answers = answers;
    let back = taken_again(&world, &mut answers, begun).await?;
    // Nothing is left of what only the page cache had: the relay is killed and started without faults.
    world.kill_relay()?;
    world.start_relay(&Odd::default()).await?;
    world.start_client().await?;
    let balance = world.balance(&answers).await?;
    world.kill_relay()?;
    world.intact()?;
    Ok(Outcome::Held(vec![format!("{refused} refused · took webhooks again after {back:?} · {balance}")]))
}
