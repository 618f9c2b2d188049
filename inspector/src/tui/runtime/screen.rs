//! The terminal: taken, drawn on, given back.

use std::{
    io::{self, BufWriter, Stdout, Write},
    panic,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute, queue,
    terminal::{self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen},
};
use ratatui::{Terminal, backend::CrosstermBackend};

use crate::tui::{model::Model, view::view};

/// Bytes of a frame that are collected before they are written: a full screen with its colours is about 20 KiB, and
/// written at once it does not flicker.
const FRAME: usize = 64 * 1024;

type Out = BufWriter<Stdout>;

/// What the inspector is seen on.
pub trait Surface {
    /// Columns and rows.
    fn size(&self) -> io::Result<(u16, u16)>;

    /// Draws the model, as [`view`] does.
    fn draw(&mut self, model: &Model) -> io::Result<()>;

    /// Forgets what is on it, so that the next drawing writes every cell.
    fn forget(&mut self) -> io::Result<()>;

    /// Writes past the drawing, for the clipboard.
    fn write(&mut self, sequence: &str) -> io::Result<()>;

    /// Leaves it to somebody else, for as long as an editor runs.
    fn leave(&mut self) -> io::Result<()>;

    /// Takes it back.
    fn take(&mut self) -> io::Result<()>;
}

/// The whole terminal, as long as this lives.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Out>>,
    mouse: bool,
    /// Whether the terminal is taken; shared with the panic hook.
    taken: Arc<AtomicBool>,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn open(mouse: bool) -> io::Result<Self> {
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME, io::stdout()));
        let mut screen = Self { terminal: Terminal::new(backend)?, mouse, taken: Arc::default() };
        screen.restore_on_panic();
        screen.take()?;
        Ok(screen)
    }

    /// Clears it, and has the next drawing write every cell. `Terminal::clear` would ask where the cursor is first: a terminal that does not
    /// answer costs two seconds and then the inspector.
    fn wipe(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// A panic of this thread is said on a terminal as it was before. One of another thread ends that thread only: the
    /// terminal stays taken, and the message goes to the log.
    fn restore_on_panic(&self) {
        let taken = self.taken.clone();
        let here = thread::current().id();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !taken.load(Ordering::Acquire) {
                before(panic);
            } else if thread::current().id() == here {
                taken.store(false, Ordering::Release);
                restore();
                before(panic);
            } else {
                tracing::error!("{panic}");
            }
        }));
    }
}

impl Surface for Screen {
    fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    fn draw(&mut self, model: &Model) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| view(model, frame))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    fn forget(&mut self) -> io::Result<()> {
        self.wipe()
    }

    fn write(&mut self, sequence: &str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(sequence.as_bytes())?;
        Write::flush(out)
    }

    fn leave(&mut self) -> io::Result<()> {
        if self.taken.swap(false, Ordering::AcqRel) {
            Write::flush(self.terminal.backend_mut())?;
            restore();
        }
        Ok(())
    }

    fn take(&mut self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        self.taken.store(true, Ordering::Release);
        let out = self.terminal.backend_mut();
        execute!(out, EnterAlternateScreen, EnableBracketedPaste)?;
        if self.mouse {
            execute!(out, EnableMouseCapture)?;
        }
        self.wipe()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // What fails here has no terminal to say it on; what is left of it is brought back all the same.
        if self.leave().is_err() {
            restore();
        }
    }
}

/// Brings the terminal back to how programs expect it.
fn restore() {
    let mut out = io::stdout();
    let _ = execute!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = terminal::disable_raw_mode();
}
