//! The thread that reads keys.

use std::{
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    time::Duration,
};

use crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};
use tokio_util::sync::CancellationToken;

use crate::tui::message::Message;

/// How long it waits for a key before it looks whether it should end or rest. Keys themselves come at once.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Keeps the thread from reading keys that are meant for the editor.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// It is to rest.
    closed: bool,
    /// It rests, or has ended.
    resting: bool,
}

impl Gate {
    /// Runs something while no key is read.
    pub(super) fn closed<T>(&self, during: impl FnOnce() -> T) -> T {
        self.lock().closed = true;
        drop(self.wait_while(|state| !state.resting));
        let outcome = during();
        self.lock().closed = false;
        self.changed.notify_all();
        outcome
    }

    fn rest_while_closed(&self) {
        let mut state = self.lock();
        if state.closed {
            state.resting = true;
            self.changed.notify_all();
            drop(state);
            self.wait_while(|state| state.closed).resting = false;
        } else {
            state.resting = false;
        }
    }

    /// There will be no more keys.
    fn end(&self) {
        self.lock().resting = true;
        self.changed.notify_all();
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.lock(), |state| condition(state)).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where keys come from.
pub trait Input: Send {
    /// What comes next, if it comes within `wait`.
    fn next(&mut self, wait: Duration) -> io::Result<Option<Message>>;
}

/// Hands keys on until the inspector ends, or the terminal is gone.
pub(super) fn serve(mut input: impl Input, gate: &Gate, sender: &SyncSender<Message>, ended: &CancellationToken) {
    while !ended.is_cancelled() {
        gate.rest_while_closed();
        match input.next(LOOK_UP) {
            Ok(None) => {}
            Ok(Some(message)) => {
                if sender.send(message).is_err() {
                    break;
                }
            }
            Err(error) => {
                // A terminal that hung up gives no keys any more, so nobody could quit.
                tracing::error!("no more keys: {error}");
                ended.cancel();
            }
        }
    }
    gate.end();
}

/// The terminal's keyboard and mouse.
#[derive(Debug)]
pub(super) struct Keyboard;

impl Input for Keyboard {
    fn next(&mut self, wait: Duration) -> io::Result<Option<Message>> {
        if !event::poll(wait)? {
            return Ok(None);
        }
        Ok(match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => Some(Message::Key(key)),
            Event::Mouse(mouse) => match mouse.kind {
                MouseEventKind::ScrollDown | MouseEventKind::ScrollUp | MouseEventKind::Down(MouseButton::Left) => {
                    Some(Message::Mouse(mouse))
                }
                _ => None,
            },
            Event::Paste(text) => Some(Message::Paste(text)),
            Event::Resize(width, height) => Some(Message::Resize(width, height)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_closed_gate_waits_for_the_reader_to_rest_and_one_that_ended_rests_for_good() {
        let gate = Gate::default();
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                // It stays closed until this rests.
                while !gate.lock().closed {
                    thread::yield_now();
                }
                gate.rest_while_closed();
                gate.end();
            });
            assert!(gate.closed(|| gate.lock().resting));
            reader.join().unwrap();
        });
        assert_eq!(gate.closed(|| 7), 7);
    }
}
