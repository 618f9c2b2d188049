//! The network swallows everything: no reset, no error, silence.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{Outcome, Setting};
use crate::{
    process::run,
    sender::{Load, Senders},
    world::World,
};

/// Addresses in a namespace of our own.
const OUR_END: &str = "10.213.7.1";
const THEIR_END: &str = "10.213.7.2";

/// A dead peer is noticed within 25 s; a probe that was under way then waits for its deadline.
const NOTICED: Duration = Duration::from_secs(32);

/// An answer that did not wait for a deadline.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Ids of probes, far from those of the load.
const PROBES: u64 = 10_000_000;

/// A namespace with one cable to it, gone when it is dropped.
struct Namespace {
    name: String,
    cable: String,
}

impl Namespace {
    fn make() -> Result<Self> {
        let number = fastrand::u32(1000..9999);
        let made = Self { name: format!("hookwire-{number}"), cable: format!("hw{number}") };
        let far = format!("{}b", made.cable);
        run("ip", &["netns", "add", &made.name])?;
        run("ip", &["link", "add", &made.cable, "type", "veth", "peer", "name", &far, "netns", &made.name])?;
        run("ip", &["addr", "add", &format!("{OUR_END}/30"), "dev", &made.cable])?;
        run("ip", &["link", "set", &made.cable, "up"])?;
        for words in [
            ["addr", "add", &format!("{THEIR_END}/30"), "dev", &far].as_slice(),
            &["link", "set", &far, "up"],
            &["link", "set", "lo", "up"],
        ] {
            run("ip", &[&["-n", made.name.as_str()], words].concat())?;
        }
        Ok(made)
    }

    /// Nothing passes any more, and nobody is told: what is sent to the other end goes to an address that nobody has.
    fn swallow(&self, swallows: bool) -> Result<()> {
        let far = format!("{}b", self.cable);
        let action = if swallows { "replace" } else { "del" };
        let nobody = "02:00:00:00:00:01";
        let ours: &[&str] = if swallows {
            &["neigh", action, THEIR_END, "lladdr", nobody, "dev", &self.cable, "nud", "permanent"]
        } else {
            &["neigh", action, THEIR_END, "dev", &self.cable]
        };
        let theirs: &[&str] = if swallows {
            &["neigh", action, OUR_END, "lladdr", nobody, "dev", &far, "nud", "permanent"]
        } else {
            &["neigh", action, OUR_END, "dev", &far]
        };
        run("ip", ours)?;
        run("ip", &[&["-n", self.name.as_str()], theirs].concat())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
        let _ = Command::new("ip").args(["link", "del", &self.cable]).output();
    }
}

pub(super) async fn partition(setting: Setting) -> Result<Outcome> {
    let namespace = match Namespace::make() {
        Ok(namespace) => namespace,
        Err(reason) => return Ok(Outcome::Skipped(format!("no network namespaces here: {reason:#}"))),
    };
    // The relay is on our side of the cable; client and app are on the other.
    let mut world = World::new(&setting.binary, "hybrid")?;
    let port = world.relay_address.rsplit(':').next().unwrap_or_default().to_owned();
    world.relay_address = format!("{OUR_END}:{port}");
    world.token = Some(world.new_token()?);
    world.elsewhere = ["ip", "netns", "exec", &namespace.name].map(str::to_owned).to_vec();
    world.start().await?;
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load::steady(4));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (mut noticed, mut probes, mut next) = (Vec::new(), Vec::new(), PROBES);
    for _ in 0..setting.rounds(1, 3) {
        namespace.swallow(true)?;
        let begun = Instant::now();
        // While the relay believes in the session each webhook waits for its deadline; then it is held at once.
        let seen = loop {
            let asked = Instant::now();
            let probe = Senders::start(&world.relay_address, &World::hook(), next, Load::burst(1, 1));
            next += 1;
            probes.extend(probe.finish().await);
            if asked.elapsed() < AT_ONCE {
                break begun.elapsed();
            }
            ensure!(begun.elapsed() < NOTICED, "the relay did not notice within {NOTICED:?}");
        };
        noticed.push(seen);
        tokio::time::sleep(Duration::from_secs(5)).await;
        namespace.swallow(false)?;
        world.routed().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut answers = senders.stop().await;
    answers.extend(probes);
    let balance = world.balance(&answers).await?;
    ensure!(balance.held > 0, "nothing was held, so nothing was proved: {balance}");
    Ok(Outcome::Held(vec![format!("silence noticed after {noticed:?} · {balance}")]))
}
