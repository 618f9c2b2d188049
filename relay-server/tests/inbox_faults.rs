//! What may happen to a machine while webhooks are acknowledged, and the ledger that says whether one was lost.
//!
//! The ignored tests need root and tools (loop devices, tmpfs, strace); `cargo xtask faults` runs them:
//! `cargo test -p hookwire-relay-server --test inbox_faults -- --ignored --nocapture --test-threads 1`.
//! Where something is missing they say `SKIPPED` and why.
#![cfg(unix)]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "each test tells what it counted, and fails where it must"
)]

#[path = "../examples/inbox_load.rs"]
mod inbox_load;
#[path = "inbox_faults/machine.rs"]
mod machine;

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
};

use inbox_load::{Found, check};
use machine::{Mount, power_cut, skip};

/// Carries the load's command line to [`child`], a word a line.
const LOAD: &str = "HOOKWIRE_INBOX_LOAD";

/// SIGABRT and SIGKILL, as the kernel reports them.
const ABORTED: i32 = 6;
const KILLED: i32 = 9;

/// The process that the tests kill: this very test binary.
#[test]
#[ignore = "no test: the load that the others start"]
fn child() -> ExitCode {
    println!(); // ends the line that the test harness began
    match env::var(LOAD) {
        Ok(line) => inbox_load::run(&line.lines().collect::<Vec<_>>()),
        Err(_) => ExitCode::SUCCESS,
    }
}

/// A running load, killed when dropped.
struct Load {
    process: Child,
    /// The load itself, which may be the child of a wrapper.
    id: String,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Load {
    /// Starts it; `wrapper` is what runs it, if something does.
    fn start(wrapper: &[&str], folder: &Path, ledger: &Path, options: &[&str], fault: Option<&str>) -> Self {
        let line = [&["write", folder.to_str().unwrap(), ledger.to_str().unwrap()], options].concat().join("\n");
        let exe = env::current_exe().unwrap();
        let mut words = wrapper.iter().map(OsStr::new).chain([exe.as_os_str()]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(["child", "--exact", "--ignored", "--nocapture", "--test-threads", "1"]);
        command.env(LOAD, line).stdin(Stdio::null()).stdout(Stdio::piped());
        if let Some(fault) = fault {
            command.env("HOOKWIRE_FAILPOINT", fault);
        }
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut load = Self { process, id: String::new(), lines };
        let said = load.until("process ").unwrap();
        said.split_once(' ').unwrap().1.clone_into(&mut load.id);
        load
    }

    /// Reads on until a line that begins so. `None` if there is none before it ends.
    fn until(&mut self, beginning: &str) -> Option<String> {
        self.lines.by_ref().map_while(Result::ok).find(|line| line.starts_with(beginning))
    }

    /// Reads on until so many hundreds more are acknowledged.
    fn hundreds(&mut self, count: u32) {
        for _ in 0..count {
            self.until("acknowledged").expect("the load goes on until it is killed");
        }
    }

    fn signal(&self, name: &str) {
        machine::signal(&self.id, name);
    }

    fn kill(mut self) {
        self.signal("KILL");
        assert_eq!(self.process.wait().unwrap().signal(), Some(KILLED));
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.process.kill(); // a wrapper's child ends when nobody reads its lines any more
            let _ = self.process.wait();
        }
    }
}

/// Nothing lost, nothing damaged, and something to speak of.
fn assert_whole(what: &str, found: &Found) {
    println!("{what}: {found}");
    assert!(found.acknowledged > 100 && found.lost == 0 && found.damaged == 0, "{what}: {found:?}");
}

#[test]
fn killed_at_any_time_it_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, ledger) = (folder.path().join("inbox"), folder.path().join("ledger"));
    let seed: u64 = env::var("HOOKWIRE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(5);
    let rounds: u64 = env::var("HOOKWIRE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(6);
    println!("seed {seed} (HOOKWIRE_SEED), {rounds} rounds (HOOKWIRE_ROUNDS)");
    for round in 0..rounds {
        let mut load = Load::start(&[], &inbox, &ledger, &[], None);
        // What the seed leaves to chance, the scheduler adds.
        load.hundreds(1 + (seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round * 7) >> 3) as u32 % 5);
        load.kill();
    }
    assert_whole("killed at random", &check(&inbox, &ledger).unwrap());
}

#[test]
fn dead_at_any_point_of_a_transaction_it_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, ledger) = (folder.path().join("inbox"), folder.path().join("ledger"));
    for point in ["before-insert", "before-commit", "after-commit"] {
        for nth in [7, 23] {
            let mut load = Load::start(&[], &inbox, &ledger, &[], Some(&format!("{point}:{nth}")));
            assert_eq!(load.until("no such line"), None);
            assert_eq!(load.process.wait().unwrap().signal(), Some(ABORTED), "{point}");
        }
        assert_whole(point, &check(&inbox, &ledger).unwrap());
    }
}

/// The judge must be able to find a loss.
#[test]
fn the_ledger_finds_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, ledger) = (folder.path().join("inbox"), folder.path().join("ledger"));
    let mut load = Load::start(&[], &inbox, &ledger, &[], None);
    load.hundreds(2);
    load.kill();
    let mut text = fs::read_to_string(&ledger).unwrap();
    text.truncate(text.rfind('\n').unwrap() + 1);
    text.push_str("+01980000-0000-7000-8000-000000000000\n");
    fs::write(&ledger, text).unwrap();
    assert_eq!(check(&inbox, &ledger).unwrap().lost, 1);
}

#[test]
#[ignore = "needs root and loop devices: `cargo xtask faults` runs it"]
fn a_power_cut_loses_nothing_and_would_without_syncing() {
    if skip(&["mkfs.ext4", "mount", "umount", "cp"]) {
        return;
    }
    // One writer has a transaction of its own for each webhook.
    for (writers, hundreds) in [("1", 20), ("64", 120)] {
        let options = ["--writers", writers];
        let found = power_cut(hundreds, |folder, ledger| Load::start(&[], folder, ledger, &options, None));
        assert_whole(&format!("power cut, {writers} writers"), &found);
    }
    let options = ["--writers", "64", "--not-synced"];
    let control = power_cut(120, |folder, ledger| Load::start(&[], folder, ledger, &options, None));
    println!("power cut, the control without syncing: {control}");
    assert!(control.lost > 0, "the cut cuts nothing: {control:?}");
}

#[test]
#[ignore = "needs root and tmpfs: `cargo xtask faults` runs it"]
fn a_full_disk_is_refused_politely_and_survived() {
    if skip(&["mount", "umount"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Mount::tmpfs(&folder.path().join("disk"), "64M");
    let (inbox, ledger) = (disk.path().join("inbox"), folder.path().join("ledger"));
    let filler = disk.path().join("filler");
    let mut load = Load::start(&[], &inbox, &ledger, &[], None);
    load.hundreds(5);
    // Somebody else takes all that is left, to the last byte.
    machine::fill(&filler);
    let refused = load.until("refused").unwrap();
    println!("full: {refused}");
    assert!(refused.contains("full"), "{refused}");
    load.kill();

    // Killed and started on a full disk: it opens, and takes nothing.
    let mut load = Load::start(&[], &inbox, &ledger, &[], None);
    let refused = load.until("refused").expect("it starts on a full disk");
    println!("started while full: {refused}");
    assert!(refused.contains("low-water"), "{refused}");
    fs::remove_file(&filler).unwrap();
    load.until("taken again").expect("it takes webhooks again without a restart");
    load.hundreds(2);
    load.kill();
    assert_whole("disk full", &check(&inbox, &ledger).unwrap());

    // Filled by its own webhooks, it stops before the disk does.
    let mut load = Load::start(&[], &inbox, &ledger, &[], None);
    let refused = load.until("refused").unwrap();
    println!("filled by webhooks: {refused}, {} bytes free", disk.free());
    assert!(refused.contains("low-water") || refused.contains("as many bytes"), "{refused}");
    assert!(disk.free() > 1_000_000);
    load.kill();
    assert_whole("filled by webhooks", &check(&inbox, &ledger).unwrap());
}

#[test]
#[ignore = "needs strace: `cargo xtask faults` runs it"]
fn an_error_of_the_disk_is_never_acknowledged_over() {
    if skip(&["strace"]) {
        return;
    }
    // Counted by thread: past what opening takes, so that it happens to the writer.
    for (calls, error, nth) in [("fsync,fdatasync", "EIO", 40), ("pwrite64", "EIO", 400), ("pwrite64", "ENOSPC", 600)] {
        let folder = tempfile::tempdir().unwrap();
        let (inbox, ledger) = (folder.path().join("inbox"), folder.path().join("ledger"));
        let inject = format!("inject={calls}:error={error}:when={nth}..{}", nth + 1);
        let trace = folder.path().join("trace");
        let strace =
            ["strace", "-f", "-qq", "-o", trace.to_str().unwrap(), "-e", &format!("trace={calls}"), "-e", &inject];
        let mut load = Load::start(&strace, &inbox, &ledger, &[], None);
        println!("{calls} {error}: {}", load.until("refused").unwrap());
        load.until("taken again").expect("it was opened again and checked");
        load.hundreds(5);
        load.kill();
        assert_whole(&format!("{calls} {error}"), &check(&inbox, &ledger).unwrap());
    }
}
