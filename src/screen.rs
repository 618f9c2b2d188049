//! Standard output, while a listener runs: shows each update as it comes.

mod aside;

use std::{
    env,
    io::{self, BufWriter, IsTerminal, Stdout, Write},
    time::SystemTime,
};

use hookwire_capture::{Connection, Update};
use hookwire_inspector::{Plain, Theme, json};
use hookwire_relay_client::Watcher;
use jiff::tz::TimeZone;

use crate::{cli::choice::Output, failure::coloured};

pub(crate) use aside::Aside;

/// Bytes collected before they are written, about a hundred lines: under load a line costs a fraction of a system call.
const BUFFER: usize = 32 * 1024;

/// Columns of a terminal that neither `COLUMNS` nor the system knows: what most are opened with by those who watch logs.
const WIDTH: usize = 120;

/// Columns where there is no terminal: reasons stay on their exchange's line, so that `grep` finds both.
const WIDE: usize = 200;

/// Fewer columns than this hold no line.
const NARROWEST: usize = 40;

/// How updates become bytes.
pub(crate) enum Form {
    Plain(Box<Plain>),
    Json,
}

impl Form {
    /// The form that was asked for, fitted to standard output.
    pub(crate) fn new(output: Output) -> Self {
        match output {
            Output::Json => Self::Json,
            Output::Plain | Output::Tui => Self::Plain(Box::new(Plain::new(theme(), width(), TimeZone::system()))),
        }
    }

    /// Writes one piece of news.
    pub(crate) fn write(&mut self, update: &Update, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Plain(_) if is_told_again(update) => Ok(()),
            Self::Plain(plain) => plain.render(update, SystemTime::now(), out),
            Self::Json => json::write_line(update, out),
        }
    }
}

/// Whether the same terminal is about to show it with its hint: a client that is refused is this process's end, and its error.
fn is_told_again(update: &Update) -> bool {
    let closed = matches!(update, Update::Connection(Connection::Closed { .. }));
    closed && io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Standard output as the client's watcher, where nothing is kept: a reader that stands still delays the recorder alone, whose own queue
/// protects delivery. Beside a store it is an [`Aside`].
pub(crate) struct Screen<F> {
    form: Form,
    out: BufWriter<Stdout>,
    seen: F,
}

impl<F: FnMut(&Update) + Send + 'static> Screen<F> {
    /// Shows updates in `form`, and calls `seen` after each.
    pub(crate) fn new(form: Form, seen: F) -> Self {
        Self { form, out: BufWriter::with_capacity(BUFFER, io::stdout()), seen }
    }
}

impl<F: FnMut(&Update) + Send + 'static> Watcher for Screen<F> {
    fn update(&mut self, update: Update) -> io::Result<()> {
        self.form.write(&update, &mut self.out)?;
        (self.seen)(&update);
        Ok(())
    }

    /// A person sees a line at once, and a burst is written together.
    fn rest(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Colours, where standard output may have them.
pub(crate) fn theme() -> Theme {
    if coloured(&io::stdout()) { Theme::COLOUR } else { Theme::PLAIN }
}

/// The columns of standard output.
pub(crate) fn width() -> usize {
    let said = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let unknown = if io::stdout().is_terminal() { WIDTH } else { WIDE };
    said.or_else(measured).unwrap_or(unknown).max(NARROWEST)
}
