//! Kills, cuts, fills and freezes hookwire's real processes while webhooks come in, and counts what was lost.
//!
//! The oracle knows nothing of hookwire: the sender writes down every answer, the app every id it was given, and [`ledger`] compares the two.
//! What was accepted with a 2xx must have reached the app once everything runs again: no scenario lasts long enough for a webhook to be parked.
//!
//! Times here are real: faults happen to processes, not to a clock that can be held.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for engineers: what it prints is its result")]

mod app;
mod ledger;
mod mount;
mod neighbour;
mod process;
mod scenarios;
mod sender;
mod wire;
mod world;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::scenarios::{Outcome, SCENARIOS, Scale};

/// Fault tests of a hookwire binary.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,

    /// The scenarios to run, by name; all of them if none is named
    names: Vec<String>,

    /// The binary under test
    #[arg(long, env = "HOOKWIRE_BIN", default_value = "target/release/hookwire")]
    binary: PathBuf,

    /// The seed of every random choice; a run prints its own
    #[arg(long)]
    seed: Option<u64>,

    /// The three-minute mix for CI: fewer rounds of each
    #[arg(long)]
    quick: bool,

    /// Only say what there is
    #[arg(long)]
    list: bool,
}

/// The app runs as a process of its own, so that it can be killed.
#[derive(Debug, Subcommand)]
enum Role {
    /// Answers webhooks and writes down their ids
    #[command(hide = true)]
    App(app::AppArguments),
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match arguments.role {
        Some(Role::App(app)) => runtime.block_on(app::run(app)).map(|()| true),
        None => runtime.block_on(all(&arguments)),
    }
}

async fn all(arguments: &Arguments) -> Result<bool> {
    if arguments.list {
        for scenario in SCENARIOS {
            println!("{:<18} {}", scenario.name, scenario.about);
        }
        return Ok(true);
    }
    if let Some(unknown) = arguments.names.iter().find(|name| SCENARIOS.iter().all(|known| known.name != **name)) {
        anyhow::bail!("there is no scenario `{unknown}`\n\nhint: `--list` names them all");
    }
    let binary = arguments
        .binary
        .canonicalize()
        .with_context(|| format!("no binary at {}; build it first", arguments.binary.display()))?;
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..=u64::from(u32::MAX)));
    println!("seed {seed}");
    let scale = if arguments.quick { Scale::Quick } else { Scale::Full };
    let mut failed = Vec::new();
    for scenario in
        SCENARIOS.iter().filter(|one| arguments.names.is_empty() || arguments.names.iter().any(|name| name == one.name))
    {
        println!("\n=== {}: {} ===", scenario.name, scenario.about);
        let begun = Instant::now();
        let setting = scenarios::Setting { binary: binary.clone(), random: fastrand::Rng::with_seed(seed), scale };
        let outcome = (scenario.run)(setting).await;
        let took = begun.elapsed().as_secs_f64();
        match outcome {
            Ok(Outcome::Held(lines)) => {
                for line in &lines {
                    println!("{line}");
                }
                println!("{:<18} ok     {took:>6.1} s", scenario.name);
            }
            Ok(Outcome::Skipped(reason)) => println!("{:<18} SKIPPED: {reason}", scenario.name),
            Err(error) => {
                println!("{:<18} FAILED {took:>6.1} s: {error:#}", scenario.name);
                failed.push(scenario.name);
            }
        }
    }
    if failed.is_empty() {
        println!("\nfaults: nothing that was accepted was lost (seed {seed})");
    } else {
        println!("\nfaults: FAILED: {} (seed {seed})", failed.join(", "));
    }
    Ok(failed.is_empty())
}
