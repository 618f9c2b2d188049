//! `hookwire relay` on a port of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Output;

use super::{Home, Process, Wire, own_address};

#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// As the relay prints it: `http://127.1.2.3:<port>`.
    pub(crate) url: String,
    home: Home,
    arguments: Vec<String>,
}

impl Relay {
    /// A relay that takes sessions without a token.
    pub(crate) fn open() -> Self {
        Self::start(&Home::new(), &["--open"])
    }

    pub(crate) fn start(home: &Home, arguments: &[&str]) -> Self {
        // A certificate is for an address.
        let certified = arguments.contains(&"--tls-cert");
        let host = if certified { Ipv4Addr::LOCALHOST } else { own_address() };
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Self::listen(&format!("{host}:0"), home.clone(), arguments)
    }

    /// Another process on the same port with the same data, once this one is dead: with `HOOKWIRE_FAILPOINT` it dies there.
    pub(crate) fn restart(mut self, failpoint: Option<&str>) -> Self {
        self.process.kill();
        Self::listen_until(&self.address.to_string(), self.home.clone(), self.arguments.clone(), failpoint)
    }

    /// Where a relay with this home keeps what it must remember.
    pub(crate) fn data_directory(home: &Home) -> String {
        home.path().join("relay").display().to_string()
    }

    /// Kills it, and starts it again on the same port with the same data.
    pub(crate) fn kill_and_restart(self) -> Self {
        self.restart(None)
    }

    /// Runs an operator's command over this relay's data to its end.
    pub(crate) fn operator(&self, command: &str, arguments: &[&str]) -> Output {
        let mut operator = self.home.hookwire();
        operator.args([command, "--data-dir", &Self::data_directory(&self.home)]).args(arguments);
        operator.output().unwrap()
    }

    /// A new connection to its public side.
    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.address)
    }

    fn listen(address: &str, home: Home, arguments: Vec<String>) -> Self {
        Self::listen_until(address, home, arguments, None)
    }

    fn listen_until(address: &str, home: Home, arguments: Vec<String>, failpoint: Option<&str>) -> Self {
        let mut command = home.hookwire();
        if let Some(failpoint) = failpoint {
            command.env("HOOKWIRE_FAILPOINT", failpoint);
        }
        command.args(["relay", "--listen", address, "--data-dir", &Self::data_directory(&home)]).args(&arguments);
        let process = Process::start(&mut command);
        let url = process.stdout.wait_for("`listening on <url>`", 0, |line| {
            line.strip_prefix("listening on ").map(|url| url.trim_end_matches('/').to_owned())
        });
        let (_scheme, address) = url.split_once("://").unwrap();
        Self { address: address.parse().unwrap(), url, process, home, arguments }
    }
}
