//! A child process with its output read as it comes, ended with the test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use super::Journal;

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Journal<String>,
    pub(crate) stderr: Journal<String>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} can't start: {error}"));
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, as a service manager or Ctrl-C in another terminal would.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        assert!(status.success(), "SIGTERM could not be sent");
    }

    /// Ends it without a chance to clean up, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        // It may have ended already: then there is nothing to kill.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Blocks until it has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.stdout.wait_for_end();
        self.stderr.wait_for_end();
        self.child.wait().unwrap()
    }

    /// The exit code of a process that ends by itself, and all it printed on standard error.
    pub(crate) fn failure(&mut self) -> (Option<i32>, String) {
        let code = self.wait().code();
        (code, self.stderr.all().join("\n"))
    }

    /// Everything that it printed.
    pub(crate) fn output(&self) -> String {
        [self.stdout.all(), self.stderr.all()].concat().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            show(&format!("process {} wrote to stderr: {:#?}", self.id(), self.stderr.all()));
        }
    }
}

/// Captured by the test runner, which shows it with the failure.
#[expect(clippy::print_stdout, reason = "this is how a test tells what led to its failure")]
fn show(text: &str) {
    println!("{text}");
}

fn lines(pipe: impl Read + Send + 'static) -> Journal<String> {
    let journal = Journal::new();
    let written = journal.clone();
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { break };
            written.push(String::from_utf8_lossy(&line).into_owned());
        }
        written.close();
    });
    journal
}
