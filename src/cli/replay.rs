//! `hookwire replay`: its flags.

use std::path::PathBuf;

use clap::Args;
use hookwire_relay_client::upstream::Target;

use super::{choice::Host, quantity::Time};

const EXAMPLES: &str = "\
Examples:
  hookwire replay latest                            the last webhook once more, byte for byte
  hookwire replay 4f2a91c8 91c8d03e                 two, one after the other
  hookwire replay latest --body @changed.json --resign --env-file .env
  hookwire replay latest --edit                     change it in your editor first
  hookwire replay latest --to 4000                  to another app

No relay and no listener are needed. The app sees the header `hookwire-replay` with the original's id.
Exit codes: 0 the app answered, whatever its status; 1 it could not be reached, or its answer broke off; 2 usage or configuration.";

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// The exchanges, in order: `latest`, or ids or the beginnings or ends of them
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,

    /// Another app than the one that the listener had
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: Option<Target>,

    /// Change it in `$VISUAL` or `$EDITOR` first; only one at a time
    #[arg(long)]
    pub(crate) edit: bool,

    /// Another method
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,

    /// Another path, with its query
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// A header in place of those of its name, or beside the others; repeatable
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) set_header: Vec<String>,

    /// Another body: a text, `@FILE`, or `@-` for standard input
    #[arg(long, value_name = "TEXT|@FILE")]
    pub(crate) body: Option<String>,

    /// Sign it anew, with your secret and the present time
    #[arg(long)]
    pub(crate) resign: bool,

    /// A signing secret: `stripe=env:STRIPE_WEBHOOK_SECRET` or `razorpay=file:secret.txt`; repeatable
    #[arg(long, value_name = "PROVIDER=env:VAR|file:PATH")]
    pub(crate) secret: Vec<String>,

    /// A `.env` file: secrets under their usual names (`RAZORPAY_WEBHOOK_SECRET`, …) are picked up from it
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// The `host` header for the app, if not as the listener had it: `keep` the sender's, `rewrite` to the target's, or this one
    #[arg(long, value_name = "keep|rewrite|HOST")]
    pub(crate) host_header: Option<Host>,

    /// Accept any certificate from the app
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Trust only the authorities in this PEM file
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// How long the app may take to begin its answer [default: 60s]
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<Time>,

    /// The store [default: that of this directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,

    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}
