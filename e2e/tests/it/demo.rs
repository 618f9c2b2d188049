//! The README's first command.

use serde_json::Value;

use crate::harness::{Home, Process};

/// Runs `hookwire demo --count 20` to its end, which must be a good one; gives its lines.
fn demo(more: &[&str]) -> Vec<String> {
    let home = Home::new();
    let mut demo = Process::start(home.hookwire().args(["demo", "--count", "20"]).args(more));
    let status = demo.wait();
    assert_eq!(status.code(), Some(0), "{}", demo.output());
    demo.stdout.all()
}

#[test]
fn the_demo_shows_its_webhooks_and_ends() {
    let lines = demo(&[]);
    let exchanges = lines.iter().filter(|line| line.contains(" POST "));
    assert_eq!(exchanges.count(), 20, "{lines:#?}");
}

#[test]
fn the_demo_has_a_good_webhook_and_each_kind_of_broken_one() {
    let lines: Vec<Value> =
        demo(&["--output", "json"]).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let exchanges: Vec<&Value> = lines.iter().filter(|line| line["type"] == "exchange").collect();
    assert_eq!(exchanges.len(), 20, "{lines:#?}");
    for status in ["valid", "invalid", "stale"] {
        assert!(
            exchanges.iter().any(|exchange| exchange["verdict"]["status"] == status),
            "none is {status}: {lines:#?}"
        );
    }
}
