//! `hookwire requests export`.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, IsTerminal, Write},
    path::Path,
    time::SystemTime,
};

use hookwire_capture::{Exchange, From, Reader};
use hookwire_inspector::{
    export::{Export, Kind},
    sanitize,
};
use uuid::Uuid;

use super::{PAGE, find, list::unwritten};
use crate::{cli::requests::ExportArgs, failure::Failure, store};

/// Writes exchanges one after the other, oldest first; one of them is in memory at a time.
pub(super) fn run(reader: &Reader, arguments: &ExportArgs) -> Result<(), Failure> {
    let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == arguments.form);
    let kind = kind.ok_or_else(|| Failure::usage(format!("no form is called `{}`", arguments.form)))?;
    let ids = chosen(reader, arguments)?;
    // Where the listener sent them: a shell command is for the app, not for the relay.
    let ready = reader.ready().map_err(|error| store::failure(&error))?;
    let base = ready.map(|ready| ready.target).unwrap_or_default();
    match &arguments.output {
        Some(path) => {
            let file = file(path)?;
            let unwritable = |error| Failure::not_so(format!("can't write `{}`: {error}", path.display()));
            write(reader, &ids, kind, &base, BufWriter::new(file))?.map_err(unwritable)
        }
        None if io::stdout().is_terminal() => {
            write(reader, &ids, kind, &base, Visible { out: BufWriter::new(io::stdout().lock()), line: Vec::new() })?
                .or_else(|error| unwritten(&error))
        }
        None => {
            write(reader, &ids, kind, &base, BufWriter::new(io::stdout().lock()))?.or_else(|error| unwritten(&error))
        }
    }
}

/// The exchanges that are meant: those named, in their order; else what passes the filter, oldest first.
fn chosen(reader: &Reader, arguments: &ExportArgs) -> Result<Vec<Uuid>, Failure> {
    if !arguments.ids.is_empty() {
        return arguments.ids.iter().map(|text| find(reader, text)).collect();
    }
    let filter = arguments.choice.filter()?;
    let (mut from, mut ids, now) = (From::Newest, Vec::new(), SystemTime::now());
    let most = arguments.limit.unwrap_or(usize::MAX);
    while ids.len() < most {
        let page =
            reader.page(&filter, from, PAGE.min(most - ids.len()), now).map_err(|error| store::failure(&error))?;
        let Some(last) = page.last() else { break };
        from = From::Before(last.row);
        ids.extend(page.iter().map(|summary| summary.id));
    }
    ids.reverse();
    Ok(ids)
}

/// A failure to read is told at once, one to write by the caller, who knows what is written to.
fn write(reader: &Reader, ids: &[Uuid], kind: Kind, base: &str, out: impl Write) -> Result<io::Result<()>, Failure> {
    let mut export = match Export::start(kind, base, out) {
        Ok(export) => export,
        Err(error) => return Ok(Err(error)),
    };
    for id in ids {
        // One that was deleted meanwhile is no more.
        let exchange: Option<Exchange> = reader.exchange(*id).map_err(|error| store::failure(&error))?;
        if let Some(Err(error)) = exchange.map(|exchange| export.write(&exchange)) {
            return Ok(Err(error));
        }
    }
    Ok(export.finish().and_then(|mut out| out.flush()))
}

/// A file for its owner alone: what is in it may hold customers' data.
fn file(path: &Path) -> Result<std::fs::File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Failure::usage(format!("can't write `{}`: {error}", path.display())))
}

/// A terminal: what it could obey is escaped. Whoever wants the bytes sends them to a file.
struct Visible<W> {
    out: W,
    /// The line so far: a character may come in two pieces.
    line: Vec<u8>,
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.pop_if(|byte| *byte == b'\n').is_some() {
                self.flush()?;
                self.out.write_all(b"\n")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(sanitize(&self.line).as_bytes())?;
        self.line.clear();
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_whole_characters_and_nothing_it_could_obey() {
        let mut visible = Visible { out: Vec::new(), line: Vec::new() };
        for piece in [&b"a\xe2\x82"[..], b"\xac\x1b[2J\nb", b"\xff"] {
            visible.write_all(piece).unwrap();
        }
        visible.flush().unwrap();
        assert_eq!(String::from_utf8(visible.out).unwrap(), "a€\\u{1b}[2J\nb\\xff".replace("\\u{1b}", "\\x1b"));
    }
}
