//! The command line: what can be asked, and how `--help` teaches it. No logic.

pub(crate) mod choice;
pub(crate) mod demo;
pub(crate) mod endpoint;
pub(crate) mod inspect;
pub(crate) mod listen;
pub(crate) mod quantity;
pub(crate) mod relay;
pub(crate) mod replay;
pub(crate) mod requests;
pub(crate) mod signature;
pub(crate) mod token;

use std::{error::Error, num::NonZeroUsize};

use clap::{
    Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use hookwire_relay_client::dial::AddressError;
use tokio_util::sync::CancellationToken;
use tracing::Level;

use crate::{failure::Failure, logs::Logs};

const EXAMPLES: &str = "\
Examples:
  hookwire demo                                     see all of it, with nothing else installed
  hookwire listen 3000                              a relay and a listener on this machine
  hookwire listen 3000 --relay https://hooks.example.com --endpoint shop --token-file ~/.hookwire-token
  hookwire requests list --filter verdict:invalid   what came and was signed wrong; `show` and `export` say more
  hookwire replay latest                            the last webhook once more
  hookwire verify razorpay --body body.json --signature 55d3… --secret env:RAZORPAY_WEBHOOK_SECRET
  hookwire relay --listen 0.0.0.0:443 --public-url https://hooks.example.com --tls-cert cert.pem --tls-key key.pem

Exit codes: 0 it worked; 1 what was asked did not hold; 2 usage or configuration.
Settings may also stand in `hookwire.toml` here, or in `~/.config/hookwire/config.toml`.";

/// A public URL for webhooks, brought byte for byte to your app, with every signature judged and explained.
#[derive(Debug, Parser)]
#[command(name = "hookwire", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring webhooks to an app on this machine, and show each one with its verdict
    Listen(Box<listen::ListenArgs>),
    /// Run the public side: takes webhooks and passes them to the listeners
    Relay(Box<relay::RelayArgs>),
    /// Watch signed webhooks arrive, good ones and broken ones: relay, listener and a small shop in one process
    Demo(demo::DemoArgs),
    /// Look at the webhooks of a running or finished listener, on the whole screen
    Inspect(inspect::InspectArgs),
    /// List, show and export the webhooks that came
    Requests(requests::RequestsArgs),
    /// Send webhooks that came to the app again, as they were or changed
    Replay(Box<replay::ReplayArgs>),
    /// Make, list and revoke the tokens that let listeners in (run it where the relay runs)
    Token(token::TokenArgs),
    /// Check a signature by hand: is it right, and if not, why?
    Verify(Box<signature::VerifyArgs>),
    /// Sign a body as a provider would
    Sign(Box<signature::SignArgs>),
    /// List endpoints, and decide about webhooks that could not be delivered (run it where the relay runs)
    Endpoint(endpoint::EndpointArgs),
}

impl Cli {
    /// Threads of the runtime; None for one event loop on the main thread.
    pub(crate) fn threads(&self) -> Option<NonZeroUsize> {
        match &self.command {
            Command::Listen(arguments) => arguments.threads,
            Command::Relay(arguments) => arguments.threads,
            _ => None,
        }
    }

    /// What is logged unless `RUST_LOG` says otherwise. A relay tells its life; beside a listener's lines only what needs a look.
    pub(crate) fn log_level(&self) -> Level {
        match self.command {
            Command::Relay(_) => Level::INFO,
            _ => Level::WARN,
        }
    }

    /// Does what was asked, until it is done or `stop` is cancelled.
    pub(crate) async fn run(self, logs: &Logs, stop: CancellationToken) -> Result<(), Failure> {
        match self.command {
            Command::Listen(arguments) => crate::listen::run(*arguments, logs, stop).await,
            Command::Relay(arguments) => crate::relay::run(*arguments, stop).await,
            Command::Demo(arguments) => Box::pin(crate::demo::run(arguments, logs, stop)).await,
            Command::Inspect(arguments) => Box::pin(crate::inspect::run(arguments, logs, stop)).await,
            Command::Requests(arguments) => crate::requests::run(arguments),
            Command::Replay(arguments) => Box::pin(crate::replay::run(*arguments, stop)).await,
            Command::Token(arguments) => crate::token::run(arguments),
            Command::Verify(arguments) => crate::signature::verify(*arguments),
            Command::Sign(arguments) => crate::signature::sign(*arguments),
            Command::Endpoint(arguments) => crate::endpoint::run(arguments).await,
        }
    }
}

/// Adds what to type instead of an address that can't be used: clap itself shows only what is wrong with it.
pub(crate) fn with_hint(mut error: clap::Error) -> clap::Error {
    let address = error.source().and_then(|source| source.downcast_ref::<AddressError>());
    if let Some(hint) = address.map(AddressError::hint) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// DESIGN: no flag without a word of help.
    #[test]
    fn every_argument_is_documented() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
    #[test]
    fn an_address_that_is_wrong_comes_with_what_to_type() {
        let said = |arguments: &[&str]| with_hint(Cli::try_parse_from(arguments).unwrap_err()).to_string();
        let relay = said(&["hookwire", "listen", "3000", "--relay", "http//h"]);
        assert!(relay.contains("has no `://` behind its scheme\n\n  tip: write `http://…` or `https://…`"), "{relay}");
        assert!(said(&["hookwire", "listen", "my app"]).contains("\n\n  tip: write a name"));
        assert!(!said(&["hookwire", "listen", "--relai"]).contains("tip: write"));
    }
}
