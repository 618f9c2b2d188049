//! The whole inspector over a real store, on a screen in memory.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use hookwire_capture::{Retention, Store};
use hookwire_inspector::{
    Palette,
    tui::{
        ActionError, Actions, Done, Feed, Input, Inspector, InspectorError, Job, Key, LogRing, Message, Model, Replay,
        Settings, Surface, view,
    },
};
use jiff::tz::TimeZone;
use ratatui::{Terminal, backend::TestBackend};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{self, payment};

/// How long a screen may take to come before the test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Hands each screen over as text.
struct Memory {
    terminal: Terminal<TestBackend>,
    screens: SyncSender<String>,
    written: Arc<Mutex<Vec<String>>>,
}

impl Surface for Memory {
    fn size(&self) -> io::Result<(u16, u16)> {
        Ok((100, 30))
    }

    fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.terminal.draw(|frame| view(model, frame)).unwrap();
        // Nobody looks after the last one.
        let _ = self.screens.send(self.terminal.backend().to_string());
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, sequence: &str) -> io::Result<()> {
        self.written.lock().unwrap().push(sequence.to_owned());
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        self.written.lock().unwrap().push("left".to_owned());
        Ok(())
    }

    fn take(&mut self) -> io::Result<()> {
        self.written.lock().unwrap().push("taken".to_owned());
        Ok(())
    }
}

struct Keys(Receiver<Message>);

impl Input for Keys {
    fn next(&mut self, wait: Duration) -> io::Result<Option<Message>> {
        match self.0.recv_timeout(wait) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the terminal hung up")),
        }
    }
}

/// Writes down what it is asked to do.
struct Recorder {
    store: Store,
    asked: Mutex<Vec<String>>,
}

impl Actions for Recorder {
    fn replay(&self, replay: Replay, job: &Job) -> Result<Done, ActionError> {
        self.asked.lock().unwrap().push(format!("replay {}", replay.ids.len()));
        assert!(!job.cancelled().is_cancelled());
        if replay.resign {
            // As slow as an app that never answers: only a cancelled job ends.
            while !job.cancelled().is_cancelled() {
                job.step(1, 2);
                thread::yield_now();
            }
            return Err(ActionError { message: "cancelled".into(), hint: None });
        }
        assert!(replay.edited.is_none(), "it panics here when something was edited");
        Ok(Done { text: "200 in 12 ms".into(), made: Vec::new() })
    }

    fn send_test(&self, _: &Job) -> Result<Done, ActionError> {
        self.store.writer().keep(Arc::new(payment(99).with(|it| it.event.name = Some("test.event".into())).exchange));
        Ok(Done::default())
    }

    fn note(&self, id: Uuid, text: Option<String>) -> Result<Done, ActionError> {
        self.store.writer().note(id, text);
        Ok(Done::default())
    }

    fn delete(&self, ids: Vec<Uuid>) -> Result<Done, ActionError> {
        self.store.writer().delete(ids);
        Ok(Done::default())
    }
}

/// An inspector that runs, and ends when this goes.
struct Running {
    keys: Option<SyncSender<Message>>,
    screens: Receiver<String>,
    written: Arc<Mutex<Vec<String>>>,
    recorder: Arc<Recorder>,
    thread: Option<thread::JoinHandle<Result<(), InspectorError>>>,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

impl Running {
    fn over(rows: impl IntoIterator<Item = fixture::Stored>) -> Self {
        Self::with_editor(rows, "no-editor")
    }

    fn with_editor(rows: impl IntoIterator<Item = fixture::Stored>, editor: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = Store::open(&path, Retention::default()).unwrap();
        store.writer().ready(&fixture::live().ready.unwrap());
        for row in rows {
            store.writer().keep(Arc::new(row.exchange));
        }
        store.writer().flush().unwrap();
        let recorder = Arc::new(Recorder { store, asked: Mutex::default() });
        let settings = Settings {
            palette: Palette::Dark,
            zone: TimeZone::UTC,
            mouse: false,
            editor: editor.into(),
            in_tmux: false,
        };
        let (feed, log) = (Feed::default(), LogRing::default());
        let inspector = Inspector { store: path, feed, actions: recorder.clone(), log, settings };
        let (keys, input) = sync_channel(64);
        let (sender, screens) = sync_channel(1_024);
        let written = Arc::<Mutex<Vec<String>>>::default();
        let terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
        let stop = CancellationToken::new();
        let (token, memory) = (stop.clone(), Memory { terminal, screens: sender, written: written.clone() });
        let thread = thread::spawn(move || inspector.run_on(memory, Keys(input), &token));
        Self { keys: Some(keys), screens, written, recorder, thread: Some(thread), stop, folder }
    }

    fn press(&self, keys: &str) -> &Self {
        for key in keys.split(' ') {
            let event = Key::parse(key).unwrap().event();
            self.keys.as_ref().unwrap().send(Message::Key(event)).unwrap();
        }
        self
    }

    /// Waits for a screen with a text.
    #[track_caller]
    fn until(&self, text: &str) -> String {
        let mut last = String::new();
        loop {
            match self.screens.recv_timeout(PATIENCE) {
                Ok(screen) if screen.contains(text) => return screen,
                Ok(screen) => last = screen,
                Err(error) => panic!("`{text}` never came ({error}); the last screen was\n{last}"),
            }
        }
    }

    fn end(mut self) -> Result<(), InspectorError> {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // The queue of screens may be full.
            while !thread.is_finished() {
                let _ = self.screens.recv_timeout(Duration::from_millis(10));
            }
        }
    }
}

#[test]
fn rows_come_from_the_store_and_new_ones_appear_by_themselves() {
    let running = Running::over(fixture::shop());
    let screen = running.until("11 kept");
    assert!(screen.contains("https://relay.example.com/shop/verification"), "{screen}");
    running.press("t");
    let screen = running.until("test.event");
    assert!(screen.contains("▸ 02:25:40"), "{screen}");
    running.until("12 kept");
    running.press("q");
    running.end().unwrap();
}

#[test]
fn a_filter_is_answered_by_the_store_and_an_exchange_opens() {
    let running = Running::over(
        (0..500).map(|number| payment(number).with(|it| it.request.target = format!("/path/{number}").into())),
    );
    running.until("500 kept");
    running.press("f p a t h : / p a t h / 4 2");
    running.until("1 of 500");
    running.press("enter enter 4");
    running.until("pay_29QQoUBi66xm2f");
    running.press("esc esc");
    running.until("500 kept");
}

#[test]
fn work_is_done_beside_and_can_be_cancelled() {
    let running = Running::over([payment(1)]);
    running.until("payment.captured");
    running.press("r");
    running.until("replay: 200 in 12 ms");
    running.press("s");
    running.until("signed replay: 1 of 2 …");
    running.press("c");
    running.until("signed replay: cancelled");
    assert_eq!(running.recorder.asked.lock().unwrap()[..], ["replay 1", "replay 1"]);
    running.press("n s e e enter");
    running.until("note: done");
    running.press("enter");
    running.until("note         see");
}

#[test]
fn an_end_does_not_wait_for_work_that_can_be_cancelled() {
    let running = Running::over([payment(1)]);
    running.until("payment.captured");
    running.press("s");
    running.until("signed replay");
    running.press("q");
    running.end().unwrap();
}

#[test]
fn what_is_deleted_goes_from_the_list() {
    let running = Running::over((1..4).map(payment));
    running.until("3 kept");
    running.press("j D y");
    let screen = running.until("2 kept");
    assert!(!screen.contains("02:14:21"), "{screen}");
}

#[test]
fn exports_are_written_once_and_only_for_their_owner() {
    let running = Running::over((1..4).map(payment));
    running.until("3 kept");
    let path = running.folder.path().join("all.har");
    let path = path.to_str().unwrap();
    let keys: Vec<_> = path.chars().map(String::from).collect();
    running.press(&format!("x tab h ctrl-u {} enter", keys.join(" ")));
    running.until("3 written");
    let har = std::fs::read_to_string(path).unwrap();
    assert_eq!(har.matches("pay_29QQoUBi66xm2f").count(), 3);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    running.press(&format!("x tab j ctrl-u {} enter", keys.join(" ")));
    running.until("name another file");
    assert_eq!(std::fs::read_to_string(path).unwrap(), har);
}

#[test]
fn copying_goes_past_the_drawing() {
    let running = Running::over([payment(1)]);
    running.until("1 kept");
    running.press("u");
    running.until("copied https://relay.example.com/shop/verification");
    assert_eq!(running.written.lock().unwrap().len(), 1);
    assert!(running.written.lock().unwrap()[0].starts_with("\x1b]52;c;"));
}

#[cfg(unix)]
#[test]
fn the_screen_is_lent_to_the_editor_and_a_panic_of_an_action_ends_only_that() {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), "sed -i 's/50000/70000/' \"$1\"").unwrap();
    let running = Running::with_editor([payment(1)], &format!("sh {}", script.path().display()));
    running.until("payment.captured");
    running.press("e");
    running.until("edited");
    assert_eq!(running.written.lock().unwrap()[..], ["left", "taken"]);
    running.press("enter");
    running.until("edited replay: it broke");
    running.press("r");
    running.until("replay: 200 in 12 ms");
}

#[test]
fn a_terminal_that_hangs_up_and_a_stop_end_it() {
    let mut running = Running::over([payment(1)]);
    running.until("payment.captured");
    running.keys = None;
    running.end().unwrap();

    let running = Running::over([payment(1)]);
    running.until("payment.captured");
    running.stop.cancel();
    running.end().unwrap();
}

#[test]
fn a_store_that_is_not_there_is_said_before_anything_is_drawn() {
    let inspector = Inspector {
        store: PathBuf::from("no/such/store.db"),
        feed: Feed::default(),
        actions: Running::over([]).recorder.clone(),
        log: LogRing::default(),
        settings: Settings::from_environment(),
    };
    let error = inspector.run(&CancellationToken::new()).unwrap_err();
    assert_eq!(error.to_string(), "there is no store at `no/such/store.db`");
}
