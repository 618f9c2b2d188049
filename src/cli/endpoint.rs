//! `hookwire endpoint`: its commands and flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hookwire endpoint list
  hookwire endpoint parked shop                     what could not be delivered in time
  hookwire endpoint deliver shop 4fb02a91           try it again; an id's last eight characters will do
  hookwire endpoint drop shop --all
  hookwire endpoint rm shop";

/// Arguments of `endpoint`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EndpointArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: EndpointCommand,

    /// Print the answer as one line of JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The relay's data folder [default: `hookwire/relay` in your data folder, or `data-dir` of `[relay]` in the file]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,

    /// Read settings from this file, and from no other
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
}

/// What can be done with endpoints.
#[derive(Debug, Subcommand)]
pub(crate) enum EndpointCommand {
    /// List the endpoints, with what is held and parked for each
    List,
    /// Forget an endpoint: its name is free for anybody from then on
    Rm {
        /// The endpoint's name
        #[arg(value_name = "NAME")]
        endpoint: String,

        /// Drop what is held for it
        #[arg(long)]
        force: bool,
    },
    /// List webhooks that are tried no more: their retention is over, or their attempts
    Parked {
        /// The endpoint's name
        #[arg(value_name = "NAME")]
        endpoint: String,
    },
    /// Try parked webhooks again
    Deliver(ChoiceArgs),
    /// Throw parked webhooks away, undelivered
    Drop(ChoiceArgs),
}

/// Some parked webhooks.
#[derive(Debug, Args)]
pub(crate) struct ChoiceArgs {
    /// The endpoint's name
    #[arg(value_name = "NAME")]
    pub(crate) endpoint: String,

    /// The webhooks' ids: whole, or their first or last characters, four at least
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,

    /// All that are parked
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}
