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

    /// What tmux knows of the terminal.
    fn asked(&self, format: &str) -> String {
        let output = self.tmux(&["display-message", "-p", format]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// What was put on the clipboard, if anything was.
    fn clipboard(&self) -> Option<Vec<u8>> {
        let output = self.tmux(&["show-buffer"]).output().unwrap();
        output.status.success().then_some(output.stdout)
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !holds() {
            assert!(Instant::now() < deadline, "the deadline passed without {what}; the screen was\n{}", self.screen());
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

/// What a sender or an app may put where bytes go: titles, colours, the clipboard, questions to the terminal, 8-bit controls, overwriting,
/// bidi marks, invisible characters and bytes that are no text.
const HOSTILE: &[u8] = b"\x1b]0;PWNED\x07\x1b]2;PWNED\x1b\\\x1b]52;c;UFdORUQ=\x07\x1b[31mred\x1b[2J\x1b[6n\x1bP+q\x1b\\\x9b31m\x9d0;PWNED\x9c\
    over\rwrite\x08\x08\x0e\xe2\x80\xaeexe\xe2\x80\x8b\xef\xbb\xbf\xc2\x9b1m\xff\xfe\xe6\x94\xaf e\xcc\x81";

/// Of these bytes, those that a header's value may have (RFC 9110 section 5.5): no control but 8-bit ones.
fn header_value() -> Vec<u8> {
    HOSTILE.iter().copied().filter(|byte| *byte >= 0x20 && *byte != 0x7f).collect()
}

#[test]
fn hostile_bytes_leave_the_terminal_as_it_was() {
    let answer = [&b"HTTP/1.1 200 OK\r\nx-evil: "[..], &header_value(), b"\r\ncontent-length: "].concat();
    let answer = [&answer[..], HOSTILE.len().to_string().as_bytes(), b"\r\n\r\n", HOSTILE].concat();
    let (relay, app, home) = (Relay::open(), RawApp::answering(move |_| answer.clone()), Home::new());
    let terminal = Terminal::run(&home, &["listen", &app.to_string(), "--relay", &relay.url, "--endpoint", "shop"]);
    assert!(terminal.tmux(&["set-option", "-s", "set-clipboard", "on"]).status().unwrap().success());
    terminal.shows("the connection", |screen| screen.contains("●"));
    let title = terminal.asked("#{pane_title}");

    let head = format!(
        "POST /shop/evil HTTP/1.1\r\nhost: h\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nx-evil: ",
        HOSTILE.len()
    );
    let request = [head.as_bytes(), &header_value(), b"\r\n\r\n", HOSTILE].concat();
    relay.connect().send(request).answer();
    terminal.shows("the webhook", |screen| screen.contains("/evil"));
    terminal.keys(&["Enter"]);
    terminal.shows("its detail", |screen| screen.contains("timeline"));
    for (tab, shown) in [("3", "x-evil"), ("4", "PWNED"), ("5", "x-evil"), ("6", "/evil")] {
        terminal.keys(&[tab]);
        terminal.shows("a tab", |screen| screen.contains(shown));
    }
    let screen = terminal.screen();
    let is_hidden = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{200b}' | '\u{feff}');
    assert!(!screen.contains(is_hidden), "{screen:?}");
    assert_eq!((terminal.asked("#{pane_title}"), terminal.clipboard()), (title.clone(), None));
    terminal.keys(&["Escape"]);
    // On a slow machine both keys would be read at once, and `ESC q` is what Alt-q sends.
    terminal.shows("the list alone", |screen| !screen.contains("overview  signature"));
    terminal.keys(&["q"]);
    terminal.shows("the terminal given back", is_given_back);
    assert_eq!(terminal.asked("#{pane_title}"), title);

    // The control: the same bytes do all of that to a terminal that is not protected.
    let file = home.path().join("evil");
    std::fs::write(&file, HOSTILE).unwrap();
    assert!(
        terminal
            .tmux(&["respawn-pane", "-k", &format!("cat {}; exec cat", file.display())])
            .status()
            .unwrap()
            .success()
    );
    terminal.until("the harm", || terminal.asked("#{pane_title}") == "PWNED" && terminal.clipboard().is_some());
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
