//! The loop that owns model and terminal.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant, SystemTime},
};

use tokio_util::sync::CancellationToken;

use super::{
    Inspector, InspectorError,
    counting::Counter,
    editor,
    input::Gate,
    reading::{Desk, Request},
    screen::Surface,
    work::Workshop,
};
use crate::{
    export::clipboard,
    tui::{
        feed::Live,
        message::{Effect, Message},
        model::Model,
        update::update,
    },
};

/// Between two drawings at least, unless a key was pressed: about 30 a second.
const FRAME: Duration = Duration::from_millis(33);

/// How often it looks at the clock, the feed and whether it is to end.
const TICK: Duration = Duration::from_millis(100);

/// Messages taken in before the screen is drawn at the latest.
const BATCH: usize = 64;

/// All that the loop needs.
pub(super) struct Loop<'a, 'scope, 'env, S> {
    pub(super) model: Model,
    pub(super) screen: S,
    pub(super) receiver: Receiver<Message>,
    pub(super) desk: &'a Desk,
    pub(super) counter: &'a Counter,
    pub(super) gate: &'a Gate,
    pub(super) workshop: Workshop<'scope, 'env>,
    pub(super) inspector: &'a Inspector,
    pub(super) ended: &'a CancellationToken,
    /// What was last told of the client.
    pub(super) live: Live,
    /// Since when there is something to be drawn.
    pub(super) pace: Pace,
}

/// When to draw.
#[derive(Debug)]
pub(super) struct Pace {
    drawn: Instant,
    /// Something has changed since.
    due: bool,
    /// And a key is behind it.
    urgent: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { drawn: Instant::now(), due: true, urgent: true }
    }
}

impl Pace {
    /// How long until there is something to do.
    fn wait(&self) -> Duration {
        match (self.due, self.urgent) {
            (true, true) => Duration::ZERO,
            (true, false) => FRAME.saturating_sub(self.drawn.elapsed()).min(TICK),
            (false, _) => TICK,
        }
    }
}

impl<S: Surface> Loop<'_, '_, '_, S> {
    /// Runs until it ends.
    pub(super) fn run(&mut self, effects: Vec<Effect>) -> Result<(), InspectorError> {
        self.perform(effects)?;
        while !self.ended.is_cancelled() {
            self.tick()?;
            if self.pace.due && self.pace.wait().is_zero() {
                self.screen.draw(&self.model)?;
                self.pace = Pace { drawn: Instant::now(), due: false, urgent: false };
            }
            match self.receiver.recv_timeout(self.pace.wait()) {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            for _ in 1..BATCH {
                match self.receiver.try_recv() {
                    Ok(message) => self.take(message)?,
                    Err(_) => break,
                }
            }
        }
        Ok(())
    }

    /// What no message tells: the time, the client's state, the progress of work.
    fn tick(&mut self) -> Result<(), InspectorError> {
        let now = SystemTime::now();
        // What is shown of the time are seconds.
        self.pace.due |= seconds(now) != seconds(self.model.now());
        self.update(Message::Tick(now))?;
        let live = Live { health: self.inspector.actions.health(), ..self.inspector.feed.latest() };
        if live != self.live {
            self.live = live.clone();
            self.pace.due = true;
            self.update(Message::Live(Box::new(live)))?;
        }
        for message in self.workshop.progress() {
            self.pace.due = true;
            self.update(message)?;
        }
        Ok(())
    }

    fn take(&mut self, message: Message) -> Result<(), InspectorError> {
        match &message {
            Message::Key(_) | Message::Mouse(_) | Message::Paste(_) | Message::Resize(..) => self.pace.urgent = true,
            Message::Ended { job, .. } => self.workshop.ended(*job),
            _ => {}
        }
        // A change that is not followed shows nothing; what it leads to does.
        self.pace.due |= !matches!(message, Message::Changed);
        self.update(message)
    }

    fn update(&mut self, message: Message) -> Result<(), InspectorError> {
        let effects = update(&mut self.model, message);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Result<(), InspectorError> {
        for effect in effects {
            match effect {
                Effect::Page { generation, filter, ask } => self.desk.ask(Request::Page { generation, filter, ask }),
                Effect::Find { generation, filter, from } => self.desk.ask(Request::Find { generation, filter, from }),
                Effect::Load { entry, then } => self.desk.ask(Request::Load { entry, then }),
                Effect::LoadPair(old, new) => self.desk.ask(Request::Pair(old, new)),
                Effect::Count { generation, filter } => self.counter.watch(generation, filter),
                Effect::Clipboard(bytes) => self.copy(&bytes)?,
                Effect::Editor(text) => self.edit(&text)?,
                Effect::Work { job, work } => {
                    let base = self.model.base().to_owned();
                    self.workshop.begin(job, &base, work);
                }
                Effect::Cancel(job) => self.workshop.cancel(job),
                Effect::Log => self.update(Message::Log(self.inspector.log.lines()))?,
                Effect::Redraw => {
                    self.screen.forget()?;
                    self.pace = Pace::default();
                }
                Effect::Quit => self.ended.cancel(),
            }
        }
        Ok(())
    }

    /// tmux takes the sequence itself if its `set-clipboard` is `on`, and hands a wrapped one on if its
    /// `allow-passthrough` is: which of them is set is not to be known from here, so it gets both.
    fn copy(&mut self, bytes: &[u8]) -> Result<(), InspectorError> {
        let ways: &[bool] = if self.inspector.settings.in_tmux { &[false, true] } else { &[false] };
        for &wrapped in ways {
            // One that is too long was refused by `update`, which knows how to say it.
            if let Ok(sequence) = clipboard(bytes, wrapped) {
                self.screen.write(&sequence)?;
            }
        }
        Ok(())
    }

    fn edit(&mut self, text: &str) -> Result<(), InspectorError> {
        let (gate, editor, ended) = (self.gate, &self.inspector.settings.editor, self.ended);
        self.screen.leave()?;
        let edited = gate.closed(|| editor::edit(editor, text, ended));
        self.screen.take()?;
        // It may have changed while nobody looked.
        let (width, height) = self.screen.size()?;
        self.update(Message::Resize(width, height))?;
        self.update(Message::Edited(edited))
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
