//! The developer's editor, on a file of its own.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    process::{Child, Command, ExitStatus},
    thread,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

/// The longest text that is read back: twice the cap of a captured body, which as base64 is a third longer.
const LONGEST: u64 = 8 * 1024 * 1024;

/// How often it is looked whether the editor or the whole program ended.
const LOOK_UP: Duration = Duration::from_millis(20);

/// Lets `text` be edited, and gives back what is then in the file.
pub(super) fn edit(editor: &OsStr, text: &str, ended: &CancellationToken) -> Result<String, String> {
    // The file is for its owner only (0600) and goes when this ends.
    let mut file = tempfile::Builder::new()
        .prefix("hookwire-")
        .suffix(".http")
        .tempfile()
        .map_err(|error| format!("no file to edit could be made: {error}"))?;
    file.write_all(text.as_bytes()).map_err(|error| format!("the file to edit could not be written: {error}"))?;
    let path = file.into_temp_path();
    let status = run(editor, path.as_os_str(), ended)?;
    if !status.success() {
        return Err(format!("the editor ended with {status}: nothing is sent"));
    }
    read(path.as_os_str()).map_err(|error| format!("the edited file could not be read: {error}"))
}

fn read(path: &OsStr) -> io::Result<String> {
    if fs::metadata(path)?.len() > LONGEST {
        return Err(io::Error::other("it is too long"));
    }
    fs::read_to_string(path)
}

fn run(editor: &OsStr, path: &OsStr, ended: &CancellationToken) -> Result<ExitStatus, String> {
    let words = editor.to_string_lossy();
    let mut words = words.split_whitespace();
    let program = words.next().ok_or("no editor is named: set `EDITOR`")?;
    let child = Command::new(program).args(words).arg(path).spawn();
    let mut child =
        child.map_err(|error| format!("the editor `{program}` could not be started: {error}; set `EDITOR`"))?;
    wait(&mut child, ended).map_err(|error| format!("the editor could not be waited for: {error}"))
}

fn wait(child: &mut Child, ended: &CancellationToken) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if ended.is_cancelled() {
            child.kill()?;
            return child.wait();
        }
        thread::sleep(LOOK_UP);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// An editor that runs a script on the file, given as its last argument.
    fn edited(script: &str) -> Result<String, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(script.as_bytes()).unwrap();
        let editor = format!("sh {}", file.path().display());
        edit(OsStr::new(&editor), "POST /\n\nold", &CancellationToken::new())
    }

    #[test]
    fn what_the_editor_leaves_is_read_and_nobody_else_may_read_it() {
        assert_eq!(edited("printf 'POST /new\\n\\n' > $1"), Ok("POST /new\n\n".to_owned()));
        assert_eq!(edited("stat -c %a $1 > $1.mode; mv $1.mode $1").unwrap().trim(), "600");
    }

    #[test]
    fn an_editor_that_fails_or_is_not_there_says_so() {
        assert!(edited("exit 3").unwrap_err().contains("exit status: 3"));
        let missing = edit(OsStr::new("no-such-editor -w"), "", &CancellationToken::new());
        assert!(missing.unwrap_err().starts_with("the editor `no-such-editor` could not be started"));
        assert_eq!(
            edit(OsStr::new(" "), "", &CancellationToken::new()).unwrap_err(),
            "no editor is named: set `EDITOR`"
        );
    }

    #[test]
    fn an_editor_does_not_outlive_the_program() {
        let ended = CancellationToken::new();
        ended.cancel();
        // It stops itself, and never goes on.
        let mut script = tempfile::NamedTempFile::new().unwrap();
        script.write_all(b"kill -STOP $$").unwrap();
        let editor = format!("sh {}", script.path().display());
        assert!(edit(OsStr::new(&editor), "", &ended).unwrap_err().contains("signal: 9"));
    }
}
