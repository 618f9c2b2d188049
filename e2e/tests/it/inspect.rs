//! The inspector on a real terminal: rows appear, a replay happens, the terminal is given back.

use std::process::Command;
use std::time::Instant;

use crate::harness::{DEADLINE, Home, Listener, RawApp, Relay, unused_address};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Stands on the screen once the program has ended, with its exit code and the terminal's mode: `icanon` again.
const ENDED: &str = "echo \"ended $?\"; stty -a | tr ';' '\\n' | grep -o ' -*icanon'; exec cat";

/// A terminal of its own, on a tmux server of its own.
struct Terminal {
    socket: String,
    /// Where the socket lies.
    _home: Home,
}

impl Terminal {
    /// Runs `hookwire` in a terminal of 110×30.
    fn run(home: &Home, arguments: &[&str]) -> Self {
        let terminal = Self { socket: home.path().join("tmux").display().to_string(), _home: home.clone() };
        let hookwire = home.hookwire();
        let program = hookwire.get_program().to_str().unwrap();
        let script = format!("{program} {}; {ENDED}", arguments.join(" "));
        let mut command =
            terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "110", "-y", "30", "sh", "-c", &script]);
        command
            .current_dir(home.path())
            .env("HOME", home.path())
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8");
        let output = command.env_remove("TMUX").output().unwrap_or_else(|error| panic!("tmux can't start: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        terminal
    }

    fn keys(&self, keys: &[&str]) {
        assert!(self.tmux(&[&["send-keys"], keys].concat()).status().unwrap().success());
    }

    fn screen(&self) -> String {
        let output = self.tmux(&["capture-pane", "-p"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Looks at the screen until it is as it should be.
    fn shows(&self, what: &str, shown: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let screen = self.screen();
            if shown(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "the deadline passed without {what}; the screen was\n{screen}");
        }
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-u", "-S", &self.socket]).args(arguments);
        command
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended with its last session.
        let _ = self.tmux(&["kill-server"]).output();
    }
}

fn is_given_back(screen: &str) -> bool {
    screen.contains("ended 0") && screen.contains(" icanon") && !screen.contains("-icanon")
}

#[test]
fn a_listener_shows_rows_replays_and_gives_the_terminal_back() {
    let (relay, app, home) = (Relay::open(), RawApp::answering(|_| OK.to_vec()), Home::new());
    let terminal = Terminal::run(&home, &["listen", &app.to_string(), "--relay", &relay.url, "--endpoint", "shop"]);
    terminal.shows("the connection", |screen| screen.contains("●"));
    relay.connect().send("POST /shop/first HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nhi").answer();
    terminal.shows("the webhook", |screen| screen.contains("/first") && screen.contains("live"));
    let from = app.requests.len();
    terminal.keys(&["r"]);
    let replayed = app.requests.wait_for("the replay", from, |request| Some(request.clone()));
    assert_eq!((replayed.target(), replayed.body.as_slice()), (&b"/first"[..], &b"hi"[..]));
    assert!(replayed.head.value("hookwire-replay").is_some());
    terminal
        .shows("the replay", |screen| screen.lines().any(|line| line.contains("/first") && line.contains("replay")));
    terminal.keys(&["q"]);
    terminal.shows("the terminal given back", is_given_back);
    assert_eq!(home.run(&["requests", "list", "--json"]).lines().len(), 2);
}

#[test]
fn a_finished_listeners_store_is_inspected_and_sigterm_gives_the_terminal_back() {
    let (relay, app) = (Relay::open(), RawApp::answering(|_| OK.to_vec()));
    let mut listener = Listener::start(&relay, &app);
    relay.connect().send("POST /shop/kept HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n").answer();
    listener.stop();
    let terminal = Terminal::run(&listener.home, &["inspect"]);
    terminal.shows("the webhook", |screen| screen.contains("/kept"));
    let pane = terminal.tmux(&["display-message", "-p", "#{pane_pid}"]).output().unwrap();
    let shell = String::from_utf8_lossy(&pane.stdout).trim().to_owned();
    assert!(Command::new("pkill").args(["-TERM", "-P", &shell]).status().unwrap().success());
    terminal.shows("the terminal given back", is_given_back);
}

#[test]
fn a_relay_that_refuses_is_told_after_the_screen_is_gone() {
    let relay = Relay::start(&Home::new(), &[]);
    let terminal = Terminal::run(&Home::new(), &["listen", &unused_address().to_string(), "--relay", &relay.url]);
    let screen = terminal.shows("the end", |screen| screen.contains("ended 2"));
    assert!(screen.contains("error: the relay wants a token"), "{screen}");
}

#[test]
fn without_a_terminal_it_says_so() {
    let printed = Home::new().run(&["inspect"]);
    assert_eq!(printed.code, Some(2));
    assert!(printed.stderr.starts_with("error: the inspector needs a terminal"), "{}", printed.stderr);
}
