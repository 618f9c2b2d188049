//! `hookwire`: the command line, configuration and wiring. Everything it does is done by the crates beside it.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics is a test that fails"))]

mod cli;
mod config;
mod demo;
mod embedded;
mod endpoint;
mod failure;
mod folders;
mod inspect;
mod listen;
mod logs;
mod project;
mod relay;
mod replay;
mod requests;
mod route;
mod screen;
mod secrets;
mod short_id;
mod signature;
mod stop;
mod store;
mod token;

use std::{io, num::NonZeroUsize, process::ExitCode};

use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::{cli::Cli, failure::Failure, logs::Logs};

/// The event loop makes an exchange's memory and the recorder's thread gives it back: glibc has them wait for each other's lock (15 % of the
/// client's time at 25,000 webhooks a second), mimalloc does not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| cli::with_hint(error).exit());
    let logs = logs::start(cli.log_level());
    run(cli, &logs).unwrap_or_else(|failure| failure.report())
}

fn run(cli: Cli, logs: &Logs) -> Result<ExitCode, Failure> {
    let runtime =
        runtime(cli.threads()).map_err(|error| Failure::usage(format!("the runtime can't start: {error}")))?;
    let stop = CancellationToken::new();
    let end = runtime.block_on(async {
        tokio::select! {
            // In this order: whoever reads that a relay listens may stop it at once, and must find that signals are heard.
            biased;
            () = stop::asked_twice(&stop) => Ok(ExitCode::from(stop::INTERRUPTED)),
            end = cli.run(logs, stop.clone()) => end.map(|()| ExitCode::SUCCESS),
        }
    });
    // Name look-ups may still run on threads of their own: nobody waits for them any more.
    runtime.shutdown_background();
    end
}

/// One event loop on this thread unless more are asked for. On one or two cores that was measured to be faster: a webhook is
/// handed from task to task within microseconds, and with more threads each step costs a wake-up of another one.
fn runtime(threads: Option<NonZeroUsize>) -> io::Result<Runtime> {
    match threads {
        None => Builder::new_current_thread().enable_all().build(),
        Some(threads) => Builder::new_multi_thread().worker_threads(threads.get()).enable_all().build(),
    }
}
