//! What the checks need beside cargo: made where it can be, named where it can't.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

/// The version that is installed where there is none. Any that is there already is taken as it is.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// Below it, the `stripe` package of the example app does not start.
const NODE_MAJOR_VERSION: u32 = 20;

/// Where the example app lies.
pub(crate) fn shop_directory(root: &Path) -> PathBuf {
    root.join("examples").join("shop")
}

/// Makes sure that `cargo deny` can run. Building it takes some minutes, once per machine.
pub(crate) fn cargo_deny(root: &Path) -> Result<()> {
    if answers("cargo", &["deny", "--version"]) {
        return Ok(());
    }
    run("cargo", &["install", "cargo-deny", "--locked", "--version", CARGO_DENY_VERSION], root)
}

/// Makes sure that what runs on Node can: the example app, and the providers' packages that judge beside us.
pub(crate) fn packages(root: &Path) -> Result<()> {
    node(root)?;
    for directory in [shop_directory(root), root.join("e2e").join("oracles")] {
        install(&directory)?;
    }
    Ok(())
}

/// Installs the npm packages that a folder's lock file asks for.
fn install(directory: &Path) -> Result<()> {
    // npm writes this file last: when it is newer than the lock file, what the lock file asks for is there.
    let installed = modified(&directory.join("node_modules").join(".package-lock.json"));
    let locked = modified(&directory.join("package-lock.json"));
    if installed.is_some() && installed >= locked {
        return Ok(());
    }
    run("npm", &["ci", "--no-audit", "--no-fund"], directory)
}

fn node(root: &Path) -> Result<()> {
    if !(answers("node", &["--version"]) && answers("npm", &["--version"])) {
        if !is_root() || !answers("apt-get", &["--version"]) {
            bail!(
                "node and npm are missing\n\nhint: install Node.js {NODE_MAJOR_VERSION} or newer, then run this again"
            );
        }
        run("apt-get", &["update"], root)?;
        run("apt-get", &["install", "--yes", "nodejs", "npm"], root)?;
    }
    let version = text("node", &["--version"])?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_VERSION) {
        bail!("node {version} is too old\n\nhint: install Node.js {NODE_MAJOR_VERSION} or newer, then run this again");
    }
    Ok(())
}

fn is_root() -> bool {
    text("id", &["-u"]).is_ok_and(|id| id == "0")
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

/// Whether the program is there and works at all.
fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What the program prints, without the line end.
fn text(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| format!("`{program}` can't start"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run(program: &str, arguments: &[&str], directory: &Path) -> Result<()> {
    println!("{program} {}", arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).env("DEBIAN_FRONTEND", "noninteractive");
    let status = command.status().with_context(|| format!("`{program}` can't start"))?;
    if !status.success() {
        bail!("`{program} {}` failed", arguments.join(" "));
    }
    Ok(())
}
