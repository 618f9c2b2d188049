//! `hookwire inspect`: its flags.

use std::path::PathBuf;

use clap::Args;
use hookwire_relay_client::upstream::Target;

const EXAMPLES: &str = "\
Examples:
  hookwire inspect                                  what this directory's listener brings, or brought
  hookwire inspect --store shop.db --to 4000        another store, with replays to another app
  hookwire inspect --env-file .env                  so that replays can be signed anew

`?` shows the keys, `q` ends it.";

/// Arguments of `inspect`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InspectArgs {
    /// The store [default: that of this directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,

    /// Another app for replays than the one that the listener had
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: Option<Target>,

    /// A signing secret: `stripe=env:STRIPE_WEBHOOK_SECRET` or `razorpay=file:secret.txt`; repeatable
    #[arg(long, value_name = "PROVIDER=env:VAR|file:PATH")]
    pub(crate) secret: Vec<String>,

    /// A `.env` file: secrets under their usual names (`RAZORPAY_WEBHOOK_SECRET`, …) are picked up from it
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
}
