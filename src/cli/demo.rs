//! `hookwire demo`: its flags.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
};

use clap::Args;

use super::{choice::Output, quantity::count};

const EXAMPLES: &str = "\
Examples:
  hookwire demo                                     one webhook every two seconds, until Ctrl-C
  hookwire demo --count 20                          20 at once; exit code 0 only if each came out as expected
  hookwire demo --count 20 --output json            the same, for a script";

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// Send this many webhooks without pause, check each one and end; without it they come until Ctrl-C
    #[arg(long, value_name = "N", value_parser = count::<NonZeroU32>)]
    pub(crate) count: Option<NonZeroU32>,

    /// Where the demo's relay listens, on this machine
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    pub(crate) listen: SocketAddr,

    /// `tui` (the whole screen), `plain` or `json` (one object a line) [default: `tui` on a terminal and without `--count`, else `plain`]
    #[arg(long, value_name = "FORM")]
    pub(crate) output: Option<Output>,
}
