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

/// Makes sure that the end-to-end tests find what they run beside hookwire: the example app, the check of HAR files, the
/// providers' packages that judge beside us, curl and a terminal.
pub(crate) fn end_to_end(root: &Path) -> Result<()> {
    shop(root)?;
    for (program, version) in [("curl", "--version"), ("tmux", "-V"), ("pkill", "--version")] {
        if !answers(program, &[version]) {
            install(root, program, &["curl", "procps", "tmux"])?;
        }
    }
    packages(&root.join("e2e").join("har"))?;
    packages(&root.join("e2e").join("oracles"))
}

/// Makes sure, where that is possible, that the fault tests find what they break things with. What is missing they say themselves, aloud.
#[expect(clippy::unnecessary_wraps, reason = "one of several preparations")]
pub(crate) fn faults(root: &Path) -> Result<()> {
    let tools =
        [("strace", "-V"), ("faketime", "--version"), ("mkfs.ext4", "-V"), ("ip", "-V"), ("prlimit", "--version")];
    if tools.iter().any(|(program, version)| !answers(program, &[version])) {
        let packages = &["e2fsprogs", "faketime", "iproute2", "strace", "util-linux"];
        if let Err(error) = install(root, "a tool of the fault tests", packages) {
            println!("{error:#}");
        }
    }
    Ok(())
}

/// Makes sure that the example app can start: Node is there, and so are the app's packages.
fn shop(root: &Path) -> Result<()> {
    node(root)?;
    packages(&shop_directory(root))
}

/// Makes sure that the packages of a folder's lock file are there.
fn packages(directory: &Path) -> Result<()> {
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
        install(root, "node with npm", &["nodejs", "npm"])?;
    }
    let version = text("node", &["--version"])?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_VERSION) {
        bail!("node {version} is too old\n\nhint: install Node.js {NODE_MAJOR_VERSION} or newer, then run this again");
    }
    Ok(())
}

/// Installs packages, where that can be done.
fn install(root: &Path, missing: &str, packages: &[&str]) -> Result<()> {
    if !is_root() || !answers("apt-get", &["--version"]) {
        bail!("{missing} is missing\n\nhint: install it, then run this again");
    }
    run("apt-get", &["update"], root)?;
    run("apt-get", &[&["install", "--yes"], packages].concat(), root)
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
