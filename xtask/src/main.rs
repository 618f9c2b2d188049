//! Project tasks. `cargo xtask test` is all a fresh clone needs: it sets up what is missing, then runs every check.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this binary's whole purpose is to talk to a terminal")]

mod checks;
mod setup;

use std::env;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask test [--quick]
       cargo xtask faults [--quick] [--seed N] [NAME…]

  test      set up what is missing, then run every check in the order CI does
  --quick   only what needs neither a release build nor packages: format, lints, unit and property tests

  faults    kill, cut off, fill and freeze a release build under load, and count what was lost; `--list` names the scenarios
  --quick   a few rounds of each, as CI runs them
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let end = match arguments[..] {
        ["test"] => checks::run(root(), false),
        ["test", "--quick"] => checks::run(root(), true),
        ["faults", ref rest @ ..] => checks::faults(root(), rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root: this package lies directly below it.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}
