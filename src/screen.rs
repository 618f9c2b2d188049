//! Standard output, while a listener runs: one thread owns it and shows each update as it comes.

use std::{
    env,
    io::{self, BufWriter, ErrorKind, Stdout, Write},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::SystemTime,
};

use hookwire_capture::Update;
use hookwire_inspector::{Plain, Theme, json};
use jiff::tz::TimeZone;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::choice::Output,
    failure::{Failure, coloured},
};

/// Updates that may wait for the screen: a burst of a thousand webhooks. Behind it they are counted as skipped.
const WAITING: usize = 1024;

/// Bytes collected before they are written, about a hundred lines: under load a line costs a fraction of a system call.
const BUFFER: usize = 32 * 1024;

/// Columns when `COLUMNS` does not say: what most terminals are opened with by those who watch logs.
const WIDTH: usize = 120;

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
            Output::Plain => {
                let theme = if coloured(&io::stdout()) { Theme::COLOUR } else { Theme::PLAIN };
                Self::Plain(Box::new(Plain::new(theme, width(), TimeZone::system())))
            }
        }
    }

    fn write(&mut self, update: &Update, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.render(update, SystemTime::now(), out),
            Self::Json => json::write_line(update, out),
        }
    }
}

/// The thread that shows updates.
pub(crate) struct Screen {
    end: oneshot::Receiver<io::Result<()>>,
}

impl Screen {
    /// Starts the thread. It ends when every sender is gone, or when nobody reads standard output any more: then it cancels `stop`.
    /// `seen` is called after each update was written.
    pub(crate) fn start(
        form: Form,
        stop: CancellationToken,
        seen: impl FnMut(&Update) + Send + 'static,
    ) -> Result<(SyncSender<Update>, Self), Failure> {
        let (updates, waiting) = sync_channel(WAITING);
        let (ended, end) = oneshot::channel();
        let show = move || {
            // Held for the thread's life: nobody else writes to standard output while a listener runs.
            let result = show(&waiting, form, BufWriter::with_capacity(BUFFER, io::stdout()), seen);
            if result.is_err() {
                stop.cancel();
            }
            ended.send(result).ok();
        };
        thread::Builder::new()
            .name("screen".into())
            .spawn(show)
            .map_err(|error| Failure::usage(format!("the thread for standard output can't start: {error}")))?;
        Ok((updates, Self { end }))
    }

    /// Waits until everything is written. A reader that went away (`| head`) is no failure: it has seen enough.
    pub(crate) async fn end(self) -> Result<(), Failure> {
        match self.end.await {
            Ok(Err(error)) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::not_so(format!("can't write to standard output: {error}")))
            }
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::not_so("the thread for standard output ended early")),
        }
    }
}

/// Writes each update; flushes whenever none waits, so that a person sees it at once and a burst is written together.
fn show(
    waiting: &Receiver<Update>,
    mut form: Form,
    mut out: BufWriter<Stdout>,
    mut seen: impl FnMut(&Update),
) -> io::Result<()> {
    while let Ok(update) = waiting.recv() {
        form.write(&update, &mut out)?;
        seen(&update);
        while let Ok(update) = waiting.try_recv() {
            form.write(&update, &mut out)?;
            seen(&update);
        }
        out.flush()?;
    }
    Ok(())
}

fn width() -> usize {
    env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .map_or(WIDTH, |columns: usize| columns.max(NARROWEST))
}
