//! The binary under test and the home it runs in.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tempfile::TempDir;

/// An empty home directory: no configuration, no memory of an earlier run. Clones are the same directory.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    directory: Arc<TempDir>,
    log: Option<&'static str>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: Arc::new(tempfile::tempdir().unwrap()), log: None }
    }

    /// A home whose programs log at this level.
    pub(crate) fn logging(level: &'static str) -> Self {
        Self { log: Some(level), ..Self::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into this home and says where it is.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// `hookwire` with nothing of the environment but the search path.
    pub(crate) fn hookwire(&self) -> Command {
        let mut command = Command::new(binary());
        command.env_clear().current_dir(self.path()).env("HOME", self.path());
        if let Some(path) = env::var_os("PATH") {
            command.env("PATH", path);
        }
        if let Some(level) = self.log {
            command.env("RUST_LOG", level);
        }
        command
    }
}

/// What a command that ended by itself printed.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Home {
    /// Runs `hookwire` with these arguments to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Printed {
        self.run_with(arguments, |_| {})
    }

    /// The same with more arguments or variables.
    pub(crate) fn run_with(&self, arguments: &[&str], more: impl FnOnce(&mut Command)) -> Printed {
        let mut command = self.hookwire();
        more(command.args(arguments).stdin(Stdio::null()));
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Printed { code: output.status.code(), stdout: output.stdout, stderr }
    }
}

impl Printed {
    /// Its lines of JSON, having worked.
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.json()
    }

    /// Its lines of JSON, whether it worked or not.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What it wrote to standard output.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// `HOOKWIRE_BIN` (relative to the root), or a debug build made now.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| env::var_os("HOOKWIRE_BIN").map_or_else(build, |path| root().join(path)))
}

fn build() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--package", "hookwire"]).current_dir(root());
    assert!(command.status().unwrap().success(), "`{command:?}` failed");
    // Cargo gives tests a scratch directory directly below the target directory.
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("debug").join("hookwire")
}
