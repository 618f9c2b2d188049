//! The Express app of `examples/shop` and its sender.

use std::process::Command;

use serde_json::Value;

use super::Process;
use super::binary::root;

/// The signing secrets that shop and sender share. Razorpay's is the one of its published example.
pub(crate) const SECRETS: [(&str, &str); 3] =
    [("RAZORPAY_WEBHOOK_SECRET", "123456"), ("STRIPE_WEBHOOK_SECRET", "whsec_shop"), ("GITHUB_WEBHOOK_SECRET", "shop")];

#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) process: Process,
    pub(crate) port: u16,
}

impl Shop {
    /// Starts it on this port; 0 takes any.
    pub(crate) fn start(port: u16) -> Self {
        let process = Process::start(node("server.js").env("PORT", port.to_string()));
        let port = process.stdout.wait_for("`listening on <port>`", 0, |line| {
            line.strip_prefix("listening on ").map(|port| port.parse().unwrap())
        });
        Self { process, port }
    }
}

/// Runs the sender against a base URL to its end; gives its lines.
pub(crate) fn send(base: &str, more: impl FnOnce(&mut Command)) -> Vec<Value> {
    let mut command = node("send.mjs");
    more(command.arg(base));
    let mut sender = Process::start(&mut command);
    let status = sender.wait();
    assert!(status.success(), "the sender failed: {}", sender.output());
    sender.stdout.all().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn node(script: &str) -> Command {
    let directory = root().join("examples").join("shop");
    assert!(directory.join("node_modules").is_dir(), "run `cargo xtask test`, or `npm ci` in {}", directory.display());
    let mut command = Command::new("node");
    command.arg(script).current_dir(directory).envs(SECRETS);
    command
}
