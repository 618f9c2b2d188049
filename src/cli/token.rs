//! `hookwire token`: its commands and flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hookwire token new --name laptop --out laptop.token        then: hookwire listen 3000 --relay … --token-file laptop.token
  hookwire token list
  hookwire token revoke laptop";

/// Arguments of `token`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TokenArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: TokenCommand,

    /// The relay's data folder [default: `hookwire/relay` in your data folder, or `data-dir` of `[relay]` in the file]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,

    /// Read settings from this file, and from no other
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it once: the relay keeps only its hash
    New {
        /// Whose token it is, to find it again
        #[arg(long, value_name = "NAME")]
        name: String,

        /// Write the token to this new file, readable by you alone, instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List the tokens by id and name
    List,
    /// Take a token's right away
    Revoke {
        /// The token's id or name
        #[arg(value_name = "ID|NAME")]
        token: String,
    },
}
