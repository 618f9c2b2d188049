//! The checks, in the order in which they run: what is cheap and often wrong comes first.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::setup;

/// Runs the checks until one fails, and says at the end how long each took.
///
/// # Errors
///
/// The first check that fails, with the command that repeats it alone.
pub(crate) fn run(root: &Path, quick: bool) -> Result<()> {
    let checks = if quick { quick_checks(root) } else { all_checks(root) };
    let mut took = Vec::new();
    for check in &checks {
        println!("\n=== {} ===", check.name);
        let start = Instant::now();
        let outcome = check.run();
        took.push((check.name, start.elapsed()));
        if let Err(error) = outcome {
            summarise(&took, Some(check.name));
            return Err(error);
        }
    }
    summarise(&took, None);
    Ok(())
}

/// Builds what users run, and breaks it under load in the ways that were asked for.
pub(crate) fn faults(root: &Path, arguments: &[&str]) -> Result<()> {
    setup::faults(root)?;
    Check::cargo("release binary", root, RELEASE).run()?;
    let status = Command::new("cargo")
        .args(FAULTS)
        .args(arguments)
        .current_dir(root)
        .env("HOOKWIRE_BIN", release_binary(root))
        .status()
        .context("`cargo` can't start")?;
    if !status.success() {
        bail!("something that was accepted was lost, or a scenario could not run");
    }
    // The store alone, where all was asked for: more kills, power cuts and broken disks in less time.
    let is_all = arguments.iter().all(|argument| *argument == "--seed" || argument.parse::<u64>().is_ok());
    if is_all { Check::cargo("faults of the inbox", root, INBOX_FAULTS).run() } else { Ok(()) }
}

/// The tests of the inbox that need root and tools; where something is missing they say so.
const INBOX_FAULTS: &[&str] = &[
    "test",
    "--package",
    "hookwire-relay-server",
    "--test",
    "inbox_faults",
    "--",
    "--ignored",
    "--nocapture",
    "--test-threads",
    "1",
];

/// Builds the binary that users run.
const RELEASE: &[&str] = &["build", "--release", "--package", "hookwire"];

/// Runs the fault tests; their own flags follow.
const FAULTS: &[&str] = &["run", "--quiet", "--package", "hookwire-faults", "--"];

/// One check: what must be there first, and the command that decides.
struct Check {
    name: &'static str,
    prepare: fn(&Path) -> Result<()>,
    program: &'static str,
    arguments: &'static [&'static str],
    variable: Option<(&'static str, String)>,
    directory: PathBuf,
}

impl Check {
    /// A check by cargo in `root` that needs nothing prepared.
    fn cargo(name: &'static str, root: &Path, arguments: &'static [&'static str]) -> Self {
        Self { name, prepare: |_| Ok(()), program: "cargo", arguments, variable: None, directory: root.to_owned() }
    }

    fn after(self, prepare: fn(&Path) -> Result<()>) -> Self {
        Self { prepare, ..self }
    }

    fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { variable: Some((name, value.into())), ..self }
    }

    fn run(&self) -> Result<()> {
        (self.prepare)(&self.directory).with_context(|| format!("`{}` can't start", self.name))?;
        let mut command = Command::new(self.program);
        command.args(self.arguments).current_dir(&self.directory);
        if let Some((name, value)) = &self.variable {
            command.env(name, value);
        }
        let status = command.status().with_context(|| format!("`{}` can't start", self.program))?;
        if !status.success() {
            bail!(
                "`{}` failed\n\nhint: to run just this again, in {}:\n    {self}",
                self.name,
                self.directory.display()
            );
        }
        Ok(())
    }
}

/// The command as one would type it.
impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((name, value)) = &self.variable {
            write!(f, "{name}='{value}' ")?;
        }
        write!(f, "{} {}", self.program, self.arguments.join(" "))
    }
}

fn all_checks(root: &Path) -> Vec<Check> {
    let binary = release_binary(root).display().to_string();
    vec![
        format_check(root),
        lints(root),
        Check::cargo("docs", root, &["doc", "--workspace", "--no-deps"]).with("RUSTDOCFLAGS", "-D warnings"),
        Check::cargo("dependencies", root, &["deny", "check", "bans", "licenses", "sources"]).after(setup::cargo_deny),
        Check::cargo("release binary", root, RELEASE),
        // The end-to-end tests run the binary that users run, not a debug build of it.
        Check::cargo("tests", root, &["test", "--workspace"]).after(setup::end_to_end).with("HOOKWIRE_BIN", binary),
        Check::cargo("faults", root, &["run", "--quiet", "--package", "hookwire-faults", "--", "--quick"])
            .after(setup::faults)
            .with("HOOKWIRE_BIN", release_binary(root).display().to_string()),
        Check {
            program: "node",
            arguments: &["--test"],
            ..Check::cargo("example app", &setup::shop_directory(root), &[])
        },
    ]
}

fn quick_checks(root: &Path) -> Vec<Check> {
    let tests = Check::cargo("tests but end to end", root, &["test", "--workspace", "--exclude", "hookwire-e2e"]);
    vec![format_check(root), lints(root), tests]
}

fn format_check(root: &Path) -> Check {
    Check::cargo("format", root, &["fmt", "--all", "--check"])
}

fn lints(root: &Path) -> Check {
    Check::cargo("lints", root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn release_binary(root: &Path) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    target.join("release").join(format!("hookwire{}", env::consts::EXE_SUFFIX))
}

fn summarise(took: &[(&str, Duration)], failed: Option<&str>) {
    println!("\n=== summary ===");
    for (name, time) in took {
        let outcome = if failed == Some(*name) { "FAILED" } else { "ok" };
        println!("{name:<22} {outcome:<6} {:>6.1} s", time.as_secs_f64());
    }
}
