//! The other process: this test binary again, told by the environment what to do.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Lines, stdin},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
};

use hookwire_capture::{Retention, Store};

use crate::fixture;

const TASK: &str = "HOOKWIRE_TEST_TASK";
const PATH: &str = "HOOKWIRE_TEST_PATH";

/// A process with a task.
pub struct Other {
    child: Child,
    pub input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    pub fn start(task: &str, path: &Path) -> Self {
        Self::run(Command::new(env::current_exe().unwrap()), task, path)
    }

    /// Begins with another program, which must run the arguments that it is given at last.
    pub fn run(mut command: Command, task: &str, path: &Path) -> Self {
        command.args(["--exact", "child::child", "--nocapture", "--quiet"]);
        command.env(TASK, task).env(PATH, path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input: child.stdin.take().unwrap(), child, lines }
    }

    /// What it says next; the test harness around it says other things. None: it has ended.
    pub fn says(&mut self) -> Option<String> {
        self.lines.find_map(|line| line.unwrap().strip_prefix("child: ").map(str::to_owned))
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn say(what: impl std::fmt::Display) {
    // The harness may have left a line open.
    println!("\nchild: {what}");
}

/// Does nothing, unless it is the other process of another test.
#[test]
fn child() {
    let (Ok(task), Some(path)) = (env::var(TASK), env::var_os(PATH)) else { return };
    let path = Path::new(&path);
    match task.as_str() {
        "write for ever" => write_for_ever(path),
        "write when told" => write_when_told(path),
        "fill the disk" => fill_the_disk(path),
        _ => panic!("no task `{task}`"),
    }
}

/// Says how many exchanges are committed, while it goes on.
fn write_for_ever(path: &Path) {
    let store = Store::open(path, Retention::default()).unwrap();
    let writer = store.writer();
    for number in 0.. {
        writer.keep(fixture::shared(number));
        if number % 100 == 99 {
            writer.flush().unwrap();
            say(number + 1);
        }
    }
}

/// Writes an exchange for each line of input.
fn write_when_told(path: &Path) {
    let store = Store::open(path, Retention::default()).unwrap();
    say("open");
    for (number, _) in (0..).zip(stdin().lines()) {
        store.writer().keep(fixture::shared(number));
        store.writer().flush().unwrap();
        say("written");
    }
}

/// On a small disk of its own: fills it, goes on, makes room, and says how each went.
fn fill_the_disk(path: &Path) {
    let ballast = path.with_file_name("ballast");
    fs::write(&ballast, vec![1; 84 << 20]).unwrap();
    let store = Store::open(path, Retention::default()).unwrap();
    let writer = store.writer();
    let mut number = 0;
    let mut write = || {
        (0..500).for_each(|at| writer.keep(fixture::shared(number + at)));
        number += 500;
        writer.flush()
    };
    let error = loop {
        if let Err(error) = write() {
            break error;
        }
    };
    say(error);
    say(writer.health().trouble.unwrap());
    // Much more than the queue takes, and less than the disk will have room for: nothing of it may wait.
    let exchange = fixture::shared(0);
    (0..50_000).for_each(|_| writer.keep(Arc::clone(&exchange)));
    let health = writer.health();
    say(health.bodies_skipped > 0 && health.exchanges_skipped > 0);
    fs::remove_file(ballast).unwrap();
    while writer.flush().is_err() {}
    say(writer.health().trouble.is_none());
    store.close().unwrap();
    say("closed");
}
