//! The binary as a person or a script meets it: exit codes and texts.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Output, Stdio},
};

/// The binary in a home and a directory of its own, with nothing in its environment.
fn hookwire(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwire"));
    command.current_dir(folder).env_clear().env("HOME", folder).env("XDG_DATA_HOME", folder.join("data"));
    command.env("XDG_CONFIG_HOME", folder.join("config"));
    command
}

fn run(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    hookwire(folder.path()).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Exit code 2, this error, and a hint after a blank line.
fn assert_refused(output: &Output, error: &str, hint: &str) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.starts_with(&format!("error: {error}")), "{text}");
    assert!(text.contains(&format!("\n\nhint: {hint}")), "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
    assert!(output.stdout.is_empty());
}

#[test]
fn help_teaches_with_examples() {
    for command in
        [&["--help"][..], &["listen", "--help"], &["relay", "--help"], &["demo", "--help"], &["token", "--help"]]
    {
        let output = run(command);
        assert!(output.status.success());
        assert!(stdout(&output).contains("Examples:\n  hookwire "), "{command:?}");
    }
    assert!(stdout(&run(&["--version"])).starts_with("hookwire 0."));
}

#[test]
fn a_wrong_value_says_what_is_right() {
    for (arguments, text) in [
        (&["listen", "3000", "--timeout", "5"][..], "write a number with its unit"),
        (&["listen", "3000", "--threads", "0"], "write a whole number from 1 on"),
        (&["demo", "--count", "x"], "write a whole number from 1 on"),
        (&["listen", "3000", "--output", "table"], "use `tui`, `plain` or `json`"),
        (&["listen", "3000", "--answer", "me"], "use `app`, `relay` or `hybrid`"),
        (&["listen", "3000", "--when-away", "drop"], "use `hold` or `refuse`"),
        (&["listen", "3000", "--api", "127.0.0.1:4040"], "not in this version yet: use `off`"),
        (&["listen", "3000", "--route", "stripe=4000"], "must begin with `/`"),
        (&["listen", "3000", "--token", "hookwire_x"], "unexpected argument '--token'"),
        (&["relay", "--max-body", "1"], "write a number with its unit"),
        (&["demo", "--count", "0"], "write a whole number from 1 on"),
        (&["inspect"], "the inspector needs a terminal"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(text), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn an_open_relay_stays_on_this_machine() {
    assert_refused(
        &run(&["relay", "--open", "--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0"]),
        "`--open`",
        "listen on 127.0.0.1",
    );
}

#[test]
fn a_certificate_needs_its_key() {
    assert_refused(
        &run(&["relay", "--tls-cert", "cert.pem"]),
        "`--tls-cert` needs the certificate's key",
        "pass `--tls-key",
    );
}

#[test]
fn a_missing_secret_is_named() {
    let output = run(&["listen", "3000", "--relay", "127.0.0.1:1", "--secret", "stripe=env:STRIPE_WEBHOOK_SECRET"]);
    assert_refused(
        &output,
        "the environment variable `STRIPE_WEBHOOK_SECRET` is not set",
        "run `export STRIPE_WEBHOOK_SECRET=…`",
    );
}

#[test]
fn a_file_that_can_not_be_read_says_what_to_do() {
    let listen = &["listen", "3000", "--relay", "127.0.0.1:1"][..];
    for (arguments, error, hint) in [
        (
            [listen, &["--token-file", "none"]].concat(),
            "can't read the token file `none`",
            "check the path: it counts from",
        ),
        ([listen, &["--token-file", "."]].concat(), "can't read the token file `.`", "name a file"),
        ([listen, &["--env-file", "none"]].concat(), "can't read the env file `none`", "check the path"),
        (
            [listen, &["--secret", "stripe=file:none"]].concat(),
            "can't read the secret of `stripe` from `none`",
            "check the path",
        ),
        ([listen, &["--ca", "none"]].concat(), "the CA file `none` can't be read", "check the path given with `--ca`"),
        (vec!["verify", "stripe", "--body", "none"], "can't read the body from `none`", "check the path"),
        (
            vec!["relay", "--listen", "127.0.0.1:0", "--tls-cert", "none", "--tls-key", "none"],
            "can't read the TLS file `none`",
            "check the paths given with `--tls-cert` and `--tls-key`",
        ),
    ] {
        assert_refused(&run(&arguments), error, hint);
    }
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    let output = run(&["listen", "3000", "--relay", "127.0.0.1:1", "--secret", "stripe=whsec_hunter2"]);
    assert_refused(
        &output,
        "the secret of `stripe` must be named by its place",
        "arguments and settings are seen by others",
    );
    assert!(!stderr(&output).contains("hunter2"));
}

#[test]
fn a_broken_file_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hookwire.toml"), "[listen]\ntarget = 3000\ntime = 5\n").unwrap();
    let output = hookwire(folder.path()).arg("listen").output().unwrap();
    assert_refused(&output, "`hookwire.toml` line 3, column 1: unknown field `time`", "the keys are the long flags");
}

/// A cloned repository can bring a `hookwire.toml`, and that the address of whoever collects tokens.
#[test]
fn a_token_goes_to_no_relay_that_only_the_project_names() {
    const TOKEN: &str = "hookwire_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let relay = format!("http://{}", stranger.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("[listen]\ntarget = 3000\nrelay = \"{relay}\"\nstore = \"off\"\n");
    fs::write(folder.path().join("token"), TOKEN).unwrap();
    fs::write(folder.path().join("hookwire.toml"), &settings).unwrap();

    // Wherever the token comes from: a file that the project names may be any of the user's.
    let listen = || {
        let mut command = hookwire(folder.path());
        command.arg("listen");
        command
    };
    let with_variable = listen().env("HOOKWIRE_TOKEN", TOKEN).output().unwrap();
    let with_flag = listen().args(["--token-file", "token"]).output().unwrap();
    fs::write(folder.path().join("hookwire.toml"), format!("{settings}token-file = \"token\"\n")).unwrap();
    let with_file = listen().output().unwrap();
    for output in [with_variable, with_flag, with_file] {
        assert_refused(
            &output,
            &format!("only `hookwire.toml` names the relay `{relay}`"),
            &format!("if you trust it, pass `--relay {relay}`"),
        );
        assert!(!stderr(&output).contains(TOKEN));
    }
    assert_eq!(stranger.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);

    // The control: whoever names the relay as well has it called, and who has no token too.
    stranger.set_nonblocking(false).unwrap();
    let calls = |command: &mut Command| {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (mut stream, _) = stranger.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1);
            request.extend(byte);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        String::from_utf8(request).unwrap().contains(TOKEN)
    };
    assert!(calls(listen().args(["--relay", &relay])));
    assert!(calls(listen().env("HOOKWIRE_RELAY", &relay)));
    fs::create_dir_all(folder.path().join("config/hookwire")).unwrap();
    fs::write(folder.path().join("config/hookwire/config.toml"), format!("[listen]\nrelay = \"{relay}/\"\n")).unwrap();
    assert!(calls(&mut listen()));
    fs::write(folder.path().join("config/hookwire/config.toml"), "[listen]\nrelay = \"https://mine.example\"\n")
        .unwrap();
    assert_eq!(listen().output().unwrap().status.code(), Some(2));
    fs::write(folder.path().join("hookwire.toml"), &settings).unwrap();
    assert!(!calls(&mut listen()));
}

#[test]
fn a_settings_file_that_was_asked_for_must_exist() {
    let output = run(&["relay", "--config", "none.toml"]);
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (
            Some(2),
            "error: no file `none.toml`\n\nhint: check the path; `config.example.toml` shows what such a file holds\n"
        )
    );
}

#[test]
fn listen_needs_an_app() {
    assert_refused(&run(&["listen", "--relay", "127.0.0.1:1"]), "no app is named", "`hookwire listen 3000`");
}

#[test]
fn a_token_is_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let token = |arguments: &[&str]| hookwire(folder.path()).arg("token").args(arguments).output().unwrap();

    let printed = token(&["new", "--name", "laptop"]);
    assert!(printed.status.success());
    assert!(stdout(&printed).starts_with("hookwire_") && stdout(&printed).lines().count() == 1);
    assert!(!stderr(&printed).contains("hookwire_"));

    let written = token(&["new", "--name", "ci", "--out", "ci.token"]);
    assert!(written.status.success() && written.stdout.is_empty());
    let file = folder.path().join("ci.token");
    assert!(fs::read_to_string(&file).unwrap().starts_with("hookwire_"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_refused(
        &token(&["new", "--name", "more", "--out", "ci.token"]),
        "can't create `ci.token`",
        "choose another file",
    );

    let listed = stdout(&token(&["list"]));
    assert!(listed.contains("  laptop\n") && listed.contains("  ci\n") && !listed.contains("  more\n"), "{listed}");
    assert!(token(&["revoke", "laptop"]).status.success());
    let again = token(&["revoke", "laptop"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).starts_with("error: no token has the id or the name `laptop`"));
}

/// Graceful stop: exit code 0 on SIGTERM.
#[cfg(unix)]
#[test]
fn a_relay_says_where_it_listens_and_stops_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = hookwire(folder.path());
    let mut relay =
        command.args(["relay", "--open", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(relay.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let port = first.strip_prefix("listening on http://127.0.0.1:").unwrap();
    assert_ne!(port.parse::<u16>().unwrap(), 0);
    assert!(Command::new("kill").args(["-TERM", &relay.id().to_string()]).status().unwrap().success());
    assert_eq!(relay.wait().unwrap().code(), Some(0));
}

#[test]
fn the_demo_checks_itself() {
    let output = run(&["demo", "--count", "12", "--output", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = stdout(&output);
    let exchanges: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exchanges.iter().filter(|line| line["type"] == "exchange").count(), 12, "{lines}");
    assert_eq!(exchanges[0]["type"], "ready");
    assert!(stderr(&output).contains("12 webhooks, 12 as expected"));

    let plain = run(&["demo", "--count", "1"]);
    assert!(plain.status.success());
    assert!(stdout(&plain).ends_with("\n1 webhook, 1 as expected\n"), "{}", stdout(&plain));
}

/// Regression guard: a reader that went away (`| head -1`) has seen enough; that is no error and no panic.
#[test]
fn a_closed_pipe_ends_the_demo_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = hookwire(folder.path());
    let mut demo =
        command.args(["demo", "--output", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(demo.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"type\":\"ready\""), "{first}");
    let mut said = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((demo.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_name_given_twice_is_not_revoked_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let token = |arguments: &[&str]| hookwire(folder.path()).arg("token").args(arguments).output().unwrap();
    let listed = || stdout(&token(&["list"]));
    for name in ["anna", "anna", "ben"] {
        assert!(token(&["new", "--name", name]).status.success());
    }
    let refused = token(&["revoke", "anna"]);
    assert_eq!(refused.status.code(), Some(1));
    let id = listed().split_whitespace().next().unwrap().to_owned();
    assert!(stderr(&refused).starts_with("error: 2 tokens have the name `anna`\n\nhint: revoke each by its id: "));
    assert!(stderr(&refused).contains(&id));
    assert_eq!(listed().lines().count(), 3);
    for one in [id.as_str(), "anna", "ben"] {
        assert!(token(&["revoke", one]).status.success(), "{one}");
    }
    assert_eq!(listed(), "");
}

#[test]
fn a_damaged_file_is_told_from_one_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tokens.json"), "[{").unwrap();
    let output = hookwire(folder.path()).args(["token", "--data-dir", ".", "list"]).output().unwrap();
    assert_refused(&output, "`./tokens.json` is damaged: ", "put a good copy in its place");
    let output = hookwire(folder.path()).args(["endpoint", "--data-dir", "new", "parked", "shop"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: there is no endpoint `shop`"), "{}", stderr(&output));
}
