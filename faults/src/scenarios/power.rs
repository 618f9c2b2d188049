//! The power goes: what the device was told is all that is left.

use std::{path::Path, time::Duration};

use anyhow::{Result, ensure};

use super::{Outcome, Setting};
use crate::{
    ledger::Balance,
    mount::Mount,
    process::{is_there, run},
    sender::{Load, Senders},
    world::{Odd, World},
};

/// The device, sparse.
const DEVICE: &str = "1500M";

pub(super) async fn cut(setting: Setting) -> Result<Outcome> {
    if let Err(reason) = mountable() {
        return Ok(Outcome::Skipped(format!("loop devices can't be mounted here: {reason:#}")));
    }
    let mut lines = Vec::new();
    for round in 0..setting.rounds(1, 3) {
        let synced = once(&setting.binary, true).await?;
        synced.check()?;
        lines.push(format!("round {round}, synced:   {synced}"));
    }
    if !is_there("strace") {
        return Ok(Outcome::Skipped(format!("strace is not installed, so there is no control ({})", lines.join("; "))));
    }
    let control = once(&setting.binary, false).await?;
    lines.push(format!("control, not synced: {control}"));
    ensure!(
        !control.lost.is_empty(),
        "the control without sync lost nothing: this test proves nothing here ({control})"
    );
    Ok(Outcome::Held(lines))
}

/// Sends to a relay whose data lie on a device of their own, cuts the power, and starts it again on what the device had.
async fn once(binary: &Path, synced: bool) -> Result<Balance> {
    let mut world = World::new(binary, "relay")?;
    let (device, copy, mount) = (world.path("a.img"), world.path("b.img"), world.path("m"));
    let [device, copy, mount] = [device, copy, mount].map(|path| path.display().to_string());
    let mounted = formatted(&device, DEVICE, &mount)?;
    world.data = Path::new(&mount).join("relay");
    // The control's syncs do nothing and say that all is well, as some disks do.
    let lying = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync,fsync",
        "-e",
        "inject=fdatasync,fsync:retval=0",
    ];
    let wrapper = if synced { Vec::new() } else { lying.map(str::to_owned).to_vec() };
    let odd = Odd { wrapper, ..Odd::default() };
    world.start_app().await?;
    world.start_relay(&odd).await?;
    world.start_client().await?;
    // From here on nobody takes what the inbox has: all of it must be on the device.
    world.kill_client()?;
    let senders = Senders::start(&world.relay_address, &World::hook(), 0, Load::burst(16, 200_000));
    tokio::time::sleep(Duration::from_secs(3)).await;
    if let Some(relay) = &world.relay {
        relay.signal("STOP")?;
    }
    run("cp", &["--sparse=always", &device, &copy])?;
    world.kill_relay()?;
    let answers = senders.stop().await;
    drop(mounted);
    let _mounted = Mount::new(&["-o", "loop", &copy], &mount)?;
    world.start_relay(&Odd::default()).await?;
    world.start_client().await?;
    let balance = Balance::settled(&answers, &world.journal()).await?;
    world.kill_client()?;
    world.kill_relay()?;
    world.intact()?;
    Ok(balance)
}

/// A new file system on a device of its own.
fn formatted(device: &str, size: &str, folder: &str) -> Result<Mount> {
    run("truncate", &["-s", size, device])?;
    run("mkfs.ext4", &["-qF", device])?;
    Mount::new(&["-o", "loop", device], folder)
}

fn mountable() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let [device, mount] = ["a.img", "m"].map(|name| folder.path().join(name).display().to_string());
    formatted(&device, "16M", &mount).map(drop)
}
