//! How quickly the inspector answers keys while exchanges pour in.
//!
//! ```text
//! cargo bench -p hookwire-inspector --bench flood -- 60        # measures for 60 s
//! cargo bench -p hookwire-inspector --bench flood -- watch 5   # shows 5 a second on this terminal, `q` ends
//! ```
//!
//! It measures and tests nothing. A key's answer is the time from its being read to the end of the drawing that shows it.

use std::{
    collections::VecDeque,
    env, fs,
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use crossterm::event::{KeyCode, KeyEvent};
use hookwire_capture::{
    AnsweredBy, CapturedBody, Connection, Exchange, Filter, From, Health, Origin, Reader, Ready, Retention, Store,
    Writer,
};
use hookwire_inspector::{
    Palette,
    tui::{
        ActionError, Actions, Ask, Done, Entry, Feed, Input, Inspector, Job, Key, LogRing, Message, Model, Purpose,
        Replay, Settings, Setup, Surface, update, view,
    },
};
use hookwire_protocol::head::{BodyLength, HeaderLines, HttpVersion, RequestHead, ResponseHead};
use hookwire_signatures::{Event, Provider, Status, Verdict};
use jiff::tz::TimeZone;
use ratatui::{Terminal, backend::CrosstermBackend, layout::Rect};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Exchanges a second.
const RATE: u64 = 5_000;

/// How often exchanges are handed over.
const TURN: Duration = Duration::from_millis(10);

/// Between two keys.
const KEYS: Duration = Duration::from_millis(40);

/// Keys that are pressed, over and over.
const PRESSED: &[&str] = &[
    "j", "j", "k", "pgdn", "pgdn", "pgup", "g", "G", "k", "k", "g", "j", "enter", "4", "j", "j", "enter", "2", "tab",
    "j", "j", "esc", "esc", "m", "m", "M", "f", "p", "a", "y", "esc", "?", "pgdn", "esc", "g",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = env::args().nth(1).unwrap_or_default();
    let rate = env::args().nth(2).and_then(|rate| rate.parse().ok()).unwrap_or(RATE);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("store.db");
    let retention = Retention { exchanges: 1_000_000, bytes: 8 << 30 };
    let store = Store::open(&path, retention)?;
    store.writer().ready(&ready());
    let feed = Feed::default();
    feed.tell(|live| {
        live.connection = Some(Connection::Connected { after: None });
        live.round_trip = Some(Duration::from_millis(23));
    });
    let stop = CancellationToken::new();
    let settings = Settings::from_environment();
    let inspector =
        Inspector { store: path, feed, actions: Arc::new(Nothing(store.writer())), log: LogRing::default(), settings };
    store.writer().flush()?;
    let sent = AtomicU64::new(0);
    let writer = store.writer();
    thread::scope(|scope| {
        let _guard = stop.clone().drop_guard();
        scope.spawn(|| pour(rate, &writer, &sent, &stop));
        if argument == "watch" {
            let ended = inspector.run(&stop);
            stop.cancel();
            return ended.map_err(Into::into);
        }
        big_body(folder.path())?;
        let seconds = argument.parse().unwrap_or(10);
        let before = memory();
        let keys = Keyboard { shared: Arc::default(), next: 0, ends: Instant::now() + Duration::from_secs(seconds) };
        let pressed = keys.shared.clone();
        let frame = Frame { terminal: terminal()?, pressed: pressed.clone() };
        inspector.run_on(frame, keys, &stop)?;
        stop.cancel();
        report(&pressed, &store.writer(), sent.load(Ordering::Relaxed), seconds, before)?;
        Ok(())
    })
}

/// What it takes to open an exchange with a body of 1 MiB on one line, and to move in it: update and drawing together.
fn big_body(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(&folder.join("big.db"), Retention::default())?;
    let mut big = exchange(1);
    let line = format!("[{}0]", "{\"id\":\"pay_29QQoUBi66xm2f\",\"amount\":50000},".repeat(26_000));
    big.request_body = CapturedBody { length: line.len() as u64, bytes: line.into(), sha256: None };
    store.writer().keep(Arc::new(big));
    store.writer().flush()?;
    let row = Reader::open(store.path())?.page(&Filter::all(), From::Newest, 1, SystemTime::now())?.remove(0);
    let exchange = Arc::new(Reader::open(store.path())?.exchange_at(row.row)?.ok_or("it was stored")?);

    let setup = Setup { size: (160, 50), now: SystemTime::now(), zone: TimeZone::UTC, palette: Palette::Dark };
    let (mut model, _) = Model::new(setup);
    let mut terminal = terminal()?;
    let entry = Entry::of(&row);
    let rows = Ok(vec![row]);
    update(&mut model, Message::Page { generation: 0, ask: Ask::Anew(From::Newest), rows });
    let mut out = io::stdout();
    let press = |name: &str| Message::Key(Key::parse(name).map_or(KeyCode::Null.into(), Key::event));
    update(&mut model, press("4"));
    let loaded = Message::Loaded { entry, then: Purpose::Look, exchange: Ok(Some(exchange)) };
    for (what, message) in
        [("opened", loaded), ("end", press("G")), ("up", press("k")), ("folded", press("-")), ("unfolded", press("+"))]
    {
        let begun = Instant::now();
        update(&mut model, message);
        terminal.draw(|frame| view(&model, frame))?;
        writeln!(out, "1 MiB on one line, {what}: {:?}", begun.elapsed())?;
    }
    Ok(())
}

/// Hands exchanges over at the rate, until it is stopped.
fn pour(rate: u64, writer: &Writer, sent: &AtomicU64, stop: &CancellationToken) {
    let begun = Instant::now();
    let mut count = 0_u64;
    while !stop.is_cancelled() {
        let due = begun.elapsed().as_micros() as u64 * rate / 1_000_000;
        for number in count..due {
            writer.keep(Arc::new(exchange(number)));
        }
        count = due;
        sent.store(count, Ordering::Relaxed);
        thread::sleep(TURN);
    }
}

/// When keys were read, and how long their answers took.
#[derive(Default)]
struct Pressed {
    waiting: VecDeque<Instant>,
    answers: Vec<Duration>,
}

type Shared = Arc<Mutex<Pressed>>;

struct Keyboard {
    shared: Shared,
    next: usize,
    ends: Instant,
}

impl Input for Keyboard {
    fn next(&mut self, _: Duration) -> io::Result<Option<Message>> {
        thread::sleep(KEYS);
        let name = if Instant::now() >= self.ends { "ctrl-c" } else { PRESSED[self.next % PRESSED.len()] };
        self.next += 1;
        let key = Key::parse(name).map(Key::event);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.waiting.push_back(Instant::now());
        Ok(key.map(|event: KeyEvent| Message::Key(event)))
    }
}

/// A terminal that takes everything at once.
struct Frame {
    terminal: Terminal<CrosstermBackend<io::Sink>>,
    pressed: Shared,
}

fn terminal() -> io::Result<Terminal<CrosstermBackend<io::Sink>>> {
    let viewport = ratatui::Viewport::Fixed(Rect::new(0, 0, 160, 50));
    Terminal::with_options(CrosstermBackend::new(io::sink()), ratatui::TerminalOptions { viewport })
}

impl Surface for Frame {
    fn size(&self) -> io::Result<(u16, u16)> {
        Ok((160, 50))
    }

    fn draw(&mut self, model: &Model) -> io::Result<()> {
        // Keys that were read before the drawing began are in it; one that is just on its way is in the next.
        let begun = Instant::now();
        self.terminal.draw(|frame| view(model, frame))?;
        let mut pressed = self.pressed.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(read) = pressed.waiting.pop_front_if(|read| *read < begun) {
            pressed.answers.push(read.elapsed());
        }
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn take(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn report(pressed: &Shared, writer: &Writer, sent: u64, seconds: u64, before: u64) -> io::Result<()> {
    let mut answers = std::mem::take(&mut pressed.lock().unwrap_or_else(PoisonError::into_inner).answers);
    answers.sort();
    let at = |percent: usize| answers.get(answers.len() * percent / 100).copied().unwrap_or_default();
    let health = writer.health();
    let mut out = io::stdout();
    writeln!(out, "{sent} exchanges in {seconds} s, {} keys", answers.len())?;
    writeln!(
        out,
        "answer: p50 {:?}  p99 {:?}  worst {:?}",
        at(50),
        at(99),
        answers.last().copied().unwrap_or_default()
    )?;
    writeln!(out, "left out: {} bodies, {} exchanges", health.bodies_skipped, health.exchanges_skipped)?;
    writeln!(out, "memory: {} MiB before, {} MiB now", before >> 20, memory() >> 20)
}

/// Resident bytes of this process, where the system tells (Linux: proc(5), `statm`, in pages of 4 KiB).
fn memory() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}

struct Nothing(Writer);

impl Actions for Nothing {
    fn replay(&self, _: Replay, _: &Job) -> Result<Done, ActionError> {
        Ok(Done::default())
    }

    fn send_test(&self, _: &Job) -> Result<Done, ActionError> {
        Ok(Done::default())
    }

    fn note(&self, id: Uuid, text: Option<String>) -> Result<Done, ActionError> {
        self.0.note(id, text);
        Ok(Done::default())
    }

    fn delete(&self, ids: Vec<Uuid>) -> Result<Done, ActionError> {
        self.0.delete(ids);
        Ok(Done::default())
    }

    fn health(&self) -> Health {
        self.0.health()
    }
}

fn ready() -> Ready {
    Ready {
        public_url: "https://relay.example.com/shop".into(),
        webhook_url: "https://relay.example.com/shop/verification".into(),
        target: "http://localhost:3000".into(),
        endpoint: "shop".into(),
        relay: "https://relay.example.com".into(),
        api: None,
        secrets: Vec::new(),
        routes: Vec::new(),
        host_header: None,
    }
}

/// A webhook of 1.6 kB.
fn exchange(number: u64) -> Exchange {
    let body = format!(
        r#"{{"entity":"event","event":"payment.captured","payload":{{"payment":{{"entity":{{"id":"pay_{number:014}","amount":50000,"currency":"INR","notes":"{}"}}}}}},"created_at":1783995240}}"#,
        "n".repeat(1_440)
    );
    let mut lines = HeaderLines::with_capacity(128);
    lines.push(b"content-type", b"application/json");
    lines.push(b"x-razorpay-signature", b"2d8e4a1f0c9b7e6d2d8e4a1f0c9b7e6d2d8e4a1f0c9b7e6d2d8e4a1f0c9b7e6d");
    let received_at = SystemTime::now();
    let status = if number.is_multiple_of(50) { Status::Invalid } else { Status::Valid };
    Exchange {
        id: Uuid::now_v7(),
        origin: Origin::Live,
        endpoint: "shop".into(),
        received_at,
        request: RequestHead {
            id: [0; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: BodyLength::Sized(body.len() as u64),
            method: Bytes::from_static(b"POST"),
            target: Bytes::from_static(b"/verification"),
            headers: lines.finish(),
        },
        request_body: CapturedBody { length: body.len() as u64, bytes: body.into(), sha256: None },
        response: Some(ResponseHead {
            status: 200,
            version: HttpVersion::Http11,
            error: None,
            body: BodyLength::Sized(2),
            reason: None,
            headers: HeaderLines::with_capacity(0).finish(),
        }),
        response_body: CapturedBody { bytes: Bytes::from_static(b"{}"), length: 2, sha256: None },
        answered_by: AnsweredBy::App,
        error: None,
        late: false,
        forwarded: Some(Duration::from_micros(300)),
        first_byte: Some(Duration::from_millis(2)),
        duration: Duration::from_millis(3),
        verdict: Verdict {
            status,
            scheme: Some("razorpay.webhook"),
            secret: None,
            cause: None,
            age_seconds: None,
            tolerance_seconds: None,
        },
        evidence: None,
        event: Event {
            provider: Some(Provider::Razorpay),
            name: Some("payment.captured".into()),
            id: Some(format!("evt_{number}")),
        },
    }
}
