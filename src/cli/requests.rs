//! `hookwire requests`: its commands and flags.

use std::path::PathBuf;

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use hookwire_inspector::{detail::Section, export::Kind};

const EXAMPLES: &str = "\
Examples:
  hookwire requests list                                        what came last
  hookwire requests list --filter 'verdict:invalid age:<1h'     and was signed wrong
  hookwire requests show latest                                 all there is to say about it
  hookwire requests show 4f2a91c8 --part body                   one part; ids may be cut to their first or last digits
  hookwire requests export latest --as curl | sh                the same request once more, from a shell
  hookwire requests export --filter 'event:payment.*' --as har -o payments.har";

/// Arguments of `requests`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RequestsArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: RequestsCommand,

    /// The store [default: that of this directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) store: Option<PathBuf>,
}

/// What can be done with captured requests.
#[derive(Debug, Subcommand)]
pub(crate) enum RequestsCommand {
    /// List the latest, newest first
    List(ListArgs),
    /// Show one: what happened, its signature, headers, body and answer
    Show(ShowArgs),
    /// Write them for a shell, for other programs or for tests
    Export(ExportArgs),
}

/// Arguments of `requests list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Which exchanges are meant.
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,

    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `requests show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The exchange: `latest`, or its id or the beginning or end of it
    #[arg(value_name = "ID", default_value = "latest")]
    pub(crate) id: String,

    /// Only this part; repeatable
    #[arg(long, value_name = "PART", value_parser = PossibleValuesParser::new(Section::ALL.iter().map(|section| section.title())))]
    pub(crate) part: Vec<String>,

    /// All of it as one JSON object
    #[arg(long, conflicts_with = "part")]
    pub(crate) json: bool,
}

/// Arguments of `requests export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The exchanges: `latest`, or ids or the beginnings or ends of them
    #[arg(value_name = "ID", conflicts_with = "filter", required_unless_present = "filter")]
    pub(crate) ids: Vec<String>,

    /// Which exchanges are meant.
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,

    /// How many at most, with `--filter`: the latest
    #[arg(long, value_name = "N", requires = "filter")]
    pub(crate) limit: Option<usize>,

    /// The form: a shell command, the request as HTTP, its body alone, HAR 1.2, JSON, or a fixture for tests
    #[arg(long = "as", value_name = "FORM", default_value = "json", value_parser = PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str())))]
    pub(crate) form: String,

    /// Write to this file; by default to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Which exchanges are meant.
#[derive(Debug, Args)]
pub(crate) struct ChoiceArgs {
    /// Only those that pass: `status:5xx method:POST path:/stripe verdict:invalid event:payment.* body:"pay_29Q" age:<10m`
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
}
