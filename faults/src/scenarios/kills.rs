//! Processes that die, by SIGKILL at random times, at named points, or because they are asked to.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Outcome, Setting};
use crate::{
    ledger::Answered,
    sender::{Load, Senders},
    world::{Odd, World},
};

/// A relay must be back this soon after a kill, its database checked.
const BACK: Duration = Duration::from_secs(2);

/// The points at which the relay can be told to die, in the order of a webhook's life.
const POINTS: &[&str] =
    &["before-insert", "before-commit", "after-commit", "after-202", "after-push", "after-app-answer"];

/// Between two faults.
fn a_while(random: &mut fastrand::Rng) -> Duration {
    Duration::from_millis(random.u64(50..400))
}

pub(super) async fn relay(mut setting: Setting) -> Result<Outcome> {
    let mut world = World::new(&setting.binary, "hybrid")?;
    world.start().await?;
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load::steady(16));
    let rounds = setting.rounds(8, 50);
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        tokio::time::sleep(a_while(&mut setting.random)).await;
        world.kill_relay()?;
        slowest = slowest.max(world.start_relay(&Odd::default()).await?);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let answers = senders.stop().await;
    let balance = world.balance(&answers).await?;
    world.kill_relay()?;
    world.intact()?;
    ensure!(slowest < BACK, "a restart took {slowest:?}");
    Ok(Outcome::Held(vec![format!("{rounds} kills · slowest restart {slowest:?} · {balance}")]))
}

pub(super) async fn points(mut setting: Setting) -> Result<Outcome> {
    let mut lines = Vec::new();
    for point in POINTS {
        let mut world = World::new(&setting.binary, "relay")?;
        world.start().await?;
        let mut answers: Vec<Answered> = Vec::new();
        let rounds = setting.rounds(2, 20);
        for round in 0..rounds {
            world.kill_relay()?;
            let armed = format!("{point}:{}", setting.random.u32(1..=40));
            let odd = Odd { environment: vec![("HOOKWIRE_FAILPOINT".into(), armed.clone())], ..Odd::default() };
            // What the client has had meanwhile is settled at once, and that may be what it dies of.
            world.spawn_relay(&odd)?;
            let load = Load { webhooks: 20_000, ..Load::steady(8) };
            let senders = Senders::start(&world.relay_address, &World::hook(), u64::from(round) * 20_000, load);
            let died = died(&mut world, Duration::from_secs(20)).await?;
            world.start_relay(&Odd::default()).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
            answers.extend(senders.stop().await);
            ensure!(died, "the relay never came to `{armed}`");
        }
        let balance = world.balance(&answers).await?;
        // What may come twice is what was in flight when the relay died.
        ensure!(balance.duplicates <= u64::from(rounds) * 16, "too many duplicates at `{point}`: {balance}");
        lines.push(format!("{point:<18} {rounds} kills · {balance}"));
    }
    Ok(Outcome::Held(lines))
}

async fn died(world: &mut World, patience: Duration) -> Result<bool> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < patience {
        if let Some(relay) = &mut world.relay
            && relay.ended()?
        {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(false)
}

pub(super) async fn client(mut setting: Setting) -> Result<Outcome> {
    let mut world = World::new(&setting.binary, "hybrid")?;
    world.start().await?;
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load::steady(16));
    let rounds = setting.rounds(8, 50);
    for _ in 0..rounds {
        tokio::time::sleep(a_while(&mut setting.random)).await;
        world.kill_client()?;
        tokio::time::sleep(a_while(&mut setting.random)).await;
        world.spawn_client()?;
    }
    world.routed().await?;
    let answers = senders.stop().await;
    let balance = world.balance(&answers).await?;
    ensure!(balance.held > 0, "nothing was held, so nothing was proved: {balance}");
    Ok(Outcome::Held(vec![format!("{rounds} kills · {balance}")]))
}

pub(super) async fn app(mut setting: Setting) -> Result<Outcome> {
    let mut world = World::new(&setting.binary, "hybrid")?;
    world.app_flags = vec!["--fails".into(), "50".into()];
    world.start().await?;
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load::steady(16));
    let rounds = setting.rounds(8, 50);
    for _ in 0..rounds {
        tokio::time::sleep(a_while(&mut setting.random)).await;
        world.kill_app()?;
        tokio::time::sleep(a_while(&mut setting.random)).await;
        world.start_app().await?;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let answers = senders.stop().await;
    let balance = world.balance(&answers).await?;
    ensure!(balance.held > 0, "nothing was held, so nothing was proved: {balance}");
    Ok(Outcome::Held(vec![format!("{rounds} kills · {balance}")]))
}

pub(super) async fn stop(mut setting: Setting) -> Result<Outcome> {
    let mut world = World::new(&setting.binary, "hybrid")?;
    world.app_flags = vec!["--thinks".into(), "20".into()];
    world.start().await?;
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load::steady(16));
    let rounds = setting.rounds(3, 10);
    for _ in 0..rounds {
        tokio::time::sleep(a_while(&mut setting.random)).await;
        if let Some(mut relay) = world.relay.take() {
            relay.signal("TERM")?;
            let code = relay.end(Duration::from_secs(15)).await?;
            ensure!(code == Some(0), "the relay ended with {code:?}");
        }
        world.start_relay(&Odd::default()).await?;
        tokio::time::sleep(a_while(&mut setting.random)).await;
        if let Some(mut client) = world.client.take() {
            client.signal("TERM")?;
            let code = client.end(Duration::from_secs(15)).await?;
            ensure!(code == Some(0), "the client ended with {code:?}");
        }
        world.start_client().await?;
    }
    let answers = senders.stop().await;
    let balance = world.balance(&answers).await?;
    Ok(Outcome::Held(vec![format!("{rounds} stops of each · {balance}")]))
}
