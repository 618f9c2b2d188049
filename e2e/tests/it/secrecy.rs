//! What is secret stays secret: not among the arguments, not in any output, not in any log, not on the relay's disk.

use std::fs;
use std::path::Path;

use crate::harness::{ENDPOINT, Home, Listener, Process, Relay, Shop, send};

/// Found anywhere it does not belong, it gives the leak away.
const CANARY: &str = "canary-5d0f1c3e";

#[test]
fn secrets_and_tokens_show_up_nowhere() {
    // Every log line there is, on both sides.
    let home = Home::logging("trace");
    let data = Relay::data_directory(&home);
    let mut made = Process::start(home.hookwire().args(["token", "new", "--data-dir", &data, "--name", "alice"]));
    assert!(made.wait().success(), "{}", made.output());
    let token = made.stdout.all().remove(0);

    let relay = Relay::start(&home, &[]);
    let shop = Shop::start(0);
    let listener = Listener::start_with(&relay.url, shop.port, |command| {
        command.env("HOOKWIRE_TOKEN", &token).env("STRIPE_SECRET", CANARY).env("RUST_LOG", "trace");
        command.args(["--secret", "stripe=env:STRIPE_SECRET", "--secret"]);
        command.arg(format!("razorpay=file:{}", home.file("razorpay", &format!("{CANARY}-file\n")).display()));
    });
    send(&format!("{}/{ENDPOINT}", relay.url), |command| {
        command.args(["--random", "1"]);
    });
    listener.exchange("the last case", |exchange| exchange["event_id"] == "github-wrong-secret");

    for process in [&relay.process, &listener.process] {
        for secret in [CANARY, &token] {
            assert!(!process.output().contains(secret), "a secret was printed: {}", process.output());
            assert!(!arguments(process).contains(secret), "a secret is among the arguments");
        }
    }
    for file in files(Path::new(&data)) {
        let bytes = fs::read(&file).unwrap();
        let leaked = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!leaked, "{} holds the token itself", file.display());
    }
}

#[test]
fn a_secret_as_an_argument_is_refused_without_repeating_it() {
    let secret = format!("razorpay={CANARY}");
    let mut listener = Listener::launch(&Home::new(), "http://127.0.0.1:1", ENDPOINT, 3000, |command| {
        command.args(["--secret", &secret]);
    });
    let (code, errors) = listener.failure();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("env:") && errors.contains("file:"), "{errors}");
    assert!(!listener.output().contains(CANARY), "{errors}");
}

/// The arguments as anyone on the machine can read them.
fn arguments(process: &Process) -> String {
    let bytes = fs::read(format!("/proc/{}/cmdline", process.id())).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
