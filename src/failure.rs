//! Why a command did not do what it was asked, and how that is told: `error: …`, a blank line, `hint: …`.

use std::{
    fmt::{self, Display},
    io::{self, ErrorKind, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

/// What was asked did not hold: a webhook came out otherwise, a token does not exist.
const NOT_SO: u8 = 1;

/// The command line, the configuration or a refusal that only the user can mend.
const USAGE: u8 = 2;

/// The end of a command that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    exit: u8,
}

impl Failure {
    /// Usage or configuration: exit code 2.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self { message: message.to_string(), hint: None, exit: USAGE }
    }

    /// A file that was named can't be read: exit code 2. `what` is what should be in it.
    pub(crate) fn unreadable(what: &str, path: &Path, error: &io::Error) -> Self {
        let shown = path.display();
        let hint = match error.kind() {
            ErrorKind::NotFound if path.is_relative() => {
                "check the path: it counts from the directory where hookwire starts".to_owned()
            }
            ErrorKind::NotFound => "check the path: there is no such file".to_owned(),
            ErrorKind::PermissionDenied => {
                format!("let this user read it: `ls -l {shown}` shows whose it is, and who may")
            }
            ErrorKind::IsADirectory => "name a file: this is a folder".to_owned(),
            ErrorKind::InvalidData => "it has to be text in UTF-8: `file` tells what it is".to_owned(),
            _ => "name a file that can be read".to_owned(),
        };
        Self::usage(format!("can't read {what} `{shown}`: {error}")).hint(hint)
    }

    /// What was asked did not hold: exit code 1.
    pub(crate) fn not_so(message: impl Display) -> Self {
        Self { message: message.to_string(), hint: None, exit: NOT_SO }
    }

    /// What was asked did not hold, and all is said already: exit code 1.
    pub(crate) fn silent() -> Self {
        Self { message: String::new(), hint: None, exit: NOT_SO }
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// What happened, and what to do next: for a screen of its own.
    pub(crate) fn into_parts(self) -> (String, Option<String>) {
        (self.message, self.hint)
    }

    /// Writes it to standard error, red only on a terminal that may be coloured.
    pub(crate) fn report(&self) -> ExitCode {
        if self.message.is_empty() {
            return ExitCode::from(self.exit);
        }
        let stderr = io::stderr();
        let (red, cyan, plain) = if coloured(&stderr) { ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m") } else { ("", "", "") };
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!("\n{cyan}hint:{plain} {hint}\n"));
        let text = format!("{red}error:{plain} {}\n{hint}", self.message);
        // Nobody is left to be told when standard error is closed.
        stderr.lock().write_all(text.as_bytes()).ok();
        ExitCode::from(self.exit)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

/// Whether colour may be written there: a terminal that is not `dumb`, without `NO_COLOR` (<https://no-color.org>: set and not empty).
pub(crate) fn coloured(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    stream.is_terminal() && !refused && !dumb
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors repeat their cause in their own words.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_can_not_be_read_says_what_to_do_next() {
        let folder = tempfile::tempdir().unwrap();
        let latin = folder.path().join("latin");
        std::fs::write(&latin, b"\xe9").unwrap();
        for (path, hint) in [
            (Path::new("none.pem"), "it counts from the directory where hookwire starts"),
            (&folder.path().join("none.pem"), "there is no such file"),
            (folder.path(), "this is a folder"),
            (&latin, "text in UTF-8"),
        ] {
            let error = std::fs::read_to_string(path).unwrap_err();
            let failure = Failure::unreadable("the token file", path, &error).to_string();
            assert!(failure.starts_with(&format!("can't read the token file `{}`: ", path.display())), "{failure}");
            assert!(failure.contains(hint), "{failure}");
        }
        let denied = io::Error::from(ErrorKind::PermissionDenied);
        let failure = Failure::unreadable("the token file", Path::new("/t"), &denied).to_string();
        assert!(failure.contains("`ls -l /t`"), "{failure}");
    }
}
