//! The shell around the model: terminal, clock, threads, store and editor.
//!
//! One loop owns the model and the terminal. Beside it run a thread that reads keys, one that reads the store, one that
//! counts, and one for each piece of work; they all end with the loop, which waits for them.

mod counting;
mod editor;
mod export;
mod input;
mod looper;
mod reading;
mod screen;
mod work;

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    path::PathBuf,
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::SystemTime,
};

use hookwire_capture::{Exchange, Reader, StoreError};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

pub use self::{input::Input, screen::Surface};

use self::{
    counting::Counter,
    input::{Gate, Keyboard},
    looper::{Loop, Pace},
    reading::Desk,
    screen::Screen,
    work::Workshop,
};
use super::{
    actions::{Actions, EditedRequest},
    feed::{Feed, Live},
    log::LogRing,
    message::Message,
    model::{Model, Setup},
    request_text,
};
use crate::theme::Palette;

/// Messages that may wait for the loop. Their senders then wait: a key is never lost, and the store is read no faster
/// than its rows are shown.
const QUEUE: usize = 256;

/// The inspector over a store, on the terminal of this process.
pub struct Inspector {
    /// The store's file.
    pub store: PathBuf,
    /// News of the client that runs in this process; nothing is told if there is none.
    pub feed: Feed,
    /// Who does what changes something.
    pub actions: Arc<dyn Actions>,
    /// What is logged while the terminal is taken.
    pub log: LogRing,
    /// How it looks and behaves.
    pub settings: Settings,
}

/// How the inspector looks and behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How roles look.
    pub palette: Palette,
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// Whether wheel and clicks come here. The terminal's own selection then needs shift.
    pub mouse: bool,
    /// The editor's program with its arguments, parted by spaces.
    pub editor: OsString,
    /// Whether the terminal is tmux, through which the clipboard is reached in its own way.
    pub in_tmux: bool,
}

impl Settings {
    /// What the environment asks for: `NO_COLOR`, `COLORFGBG`, `VISUAL` or `EDITOR`, `TMUX`, and the system's zone.
    pub fn from_environment() -> Self {
        let (no_color, background) = (env::var_os("NO_COLOR"), env::var_os("COLORFGBG"));
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            palette: Palette::for_terminal(no_color.as_deref(), background.as_deref()),
            zone: TimeZone::system(),
            mouse: true,
            editor: set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| OsString::from(EDITOR)),
            in_tmux: set("TMUX").is_some(),
        }
    }
}

/// Lets a request be changed in `editor`, away from the screen.
///
/// # Errors
/// In words: why the editor failed, or what in its text is no request.
pub fn edit_request(editor: &OsStr, exchange: &Exchange, stop: &CancellationToken) -> Result<EditedRequest, String> {
    let original = request_text::write(exchange);
    let text = editor::edit(editor, &original, stop)?;
    request_text::read(&text, &original).map_err(|mistake| mistake.to_string())
}

/// The editor where none is named.
const EDITOR: &str = if cfg!(windows) { "notepad" } else { "vi" };

/// Why the inspector can't run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectorError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
}

impl Inspector {
    /// Runs until the user quits or `stop` is cancelled. It takes the calling thread and the whole terminal, and gives
    /// both back as they were, also after a panic.
    pub fn run(self, stop: &CancellationToken) -> Result<(), InspectorError> {
        // Before the terminal is taken, so that what is wrong with the store is said on a terminal as it was.
        let readers = self.readers()?;
        let screen = Screen::open(self.settings.mouse)?;
        self.serve(readers, screen, Keyboard, stop)
    }

    /// The same, on anything that can be drawn on.
    pub fn run_on(
        self,
        surface: impl Surface,
        input: impl Input,
        stop: &CancellationToken,
    ) -> Result<(), InspectorError> {
        let readers = self.readers()?;
        self.serve(readers, surface, input, stop)
    }

    /// One to read rows with, and one to count with.
    fn readers(&self) -> Result<[Reader; 2], StoreError> {
        let reader = Reader::open(&self.store)?;
        if let Some(ready) = reader.ready()? {
            self.feed.tell(|live| _ = live.ready.get_or_insert(ready));
        }
        Ok([reader, Reader::open(&self.store)?])
    }

    fn serve(
        &self,
        [reader, counting]: [Reader; 2],
        surface: impl Surface,
        input: impl Input,
        stop: &CancellationToken,
    ) -> Result<(), InspectorError> {
        let (model, effects) = Model::new(Setup {
            size: surface.size()?,
            now: SystemTime::now(),
            zone: self.settings.zone.clone(),
            palette: self.settings.palette,
        });
        let ended = stop.child_token();
        let (sender, receiver) = sync_channel::<Message>(QUEUE);
        let (desk, counter, gate) = (Desk::new(&reader), Counter::new(&counting), Gate::default());
        thread::scope(|scope| {
            // Whatever ends the loop, the threads are told.
            let _guard = ended.clone().drop_guard();
            let _desk = reading::CloseOnDrop(&desk);
            let _counter = counting::CloseOnDrop(&counter);
            let (desk, counter, gate, ended) = (&desk, &counter, &gate, &ended);
            let (keys, pages, counts) = (sender.clone(), sender.clone(), sender.clone());
            scope.spawn(move || input::serve(input, gate, &keys, ended));
            scope.spawn(move || reading::serve(reader, desk, &pages));
            scope.spawn(move || counting::serve(counting, counter, &counts));
            let mut looper = Loop {
                model,
                screen: surface,
                receiver,
                desk,
                counter,
                gate,
                workshop: Workshop::new(scope, self, sender, ended.clone()),
                inspector: self,
                ended,
                live: Live::default(),
                pace: Pace::default(),
            };
            looper.run(effects)
        })
    }
}
