//! Keys in, screens out.

use std::{sync::Arc, time::Duration};

use crossterm::event::KeyCode;
use hookwire_capture::{Beside, Filter, From, Summary};
use hookwire_inspector::{
    Palette,
    tui::{Counts, Effect, Entry, Key, Live, Message, Model, Setup, Which, update, view},
};
use hookwire_signatures::Status;
use jiff::tz::TimeZone;
use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::{CrosstermBackend, TestBackend},
    buffer::Buffer,
    layout::Rect,
    style::Style,
};

use crate::fixture::{self, Stored};

/// A model, a store in memory that answers it at once, and a list of what else it wanted.
pub(crate) struct Script {
    model: Model,
    rows: Vec<(u64, Stored)>,
    /// Effects that are not answered here.
    wanted: Vec<Effect>,
    /// Pages wait until they are asked for.
    pub(crate) slow: bool,
    waiting: Vec<Message>,
}

impl Script {
    /// Exchanges, oldest first, in a store that a running client writes.
    pub(crate) fn new(rows: Vec<Stored>) -> Self {
        Self::looking(rows, Palette::Dark, fixture::live())
    }

    pub(crate) fn looking(rows: Vec<Stored>, palette: Palette, live: Live) -> Self {
        let setup = Setup { size: (100, 30), now: fixture::night(), zone: TimeZone::UTC, palette };
        let (model, effects) = Model::new(setup);
        let rows = rows.into_iter().enumerate().map(|(index, row)| (index as u64 + 1, row)).collect();
        let mut script = Self { model, rows, wanted: Vec::new(), slow: false, waiting: Vec::new() };
        script.run(effects);
        script.tell(Message::Live(Box::new(live)));
        script.count();
        script
    }

    /// Presses keys, named as in the keymap and parted by spaces; `"text"` is typed.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys.trim_start();
        while !rest.is_empty() {
            if let Some(text) = rest.strip_prefix('"') {
                let (typed, after) = text.split_once('"').unwrap();
                for c in typed.chars() {
                    self.tell(Message::Key(KeyCode::Char(c).into()));
                }
                rest = after.trim_start();
            } else {
                let (key, after) = rest.split_once(' ').unwrap_or((rest, ""));
                self.tell(Message::Key(Key::parse(key).unwrap_or_else(|| panic!("no key: {key}")).event()));
                rest = after.trim_start();
            }
        }
        self
    }

    /// Gives the model a message, and answers what it then wants.
    pub(crate) fn tell(&mut self, message: Message) -> &mut Self {
        let effects = update(&mut self.model, message);
        self.run(effects);
        self
    }

    pub(crate) fn pass(&mut self, time: Duration) -> &mut Self {
        self.tell(Message::Tick(fixture::night() + time))
    }

    /// More exchanges arrive.
    pub(crate) fn arrive(&mut self, rows: impl IntoIterator<Item = Stored>) -> &mut Self {
        let next = self.rows.last().map_or(1, |(row, _)| row + 1);
        self.rows.extend(rows.into_iter().enumerate().map(|(index, row)| (next + index as u64, row)));
        self.count();
        self.tell(Message::Changed)
    }

    /// Answers what waited.
    pub(crate) fn answer(&mut self) -> &mut Self {
        for message in std::mem::take(&mut self.waiting) {
            self.tell(message);
        }
        self
    }

    /// How many questions to the store wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Which exchange was asked for last, by a question that waits.
    pub(crate) fn asked(&self) -> Entry {
        let asked = |message: &Message| match message {
            Message::Loaded { entry, .. } => Some(*entry),
            _ => None,
        };
        self.waiting.iter().rev().find_map(asked).unwrap()
    }

    /// A row goes from the store.
    pub(crate) fn forget(&mut self, row: u64) {
        self.rows.retain(|(it, _)| *it != row);
    }

    /// What the model wanted done since the last call, without what the store answered.
    pub(crate) fn wanted(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.wanted)
    }

    /// The screen as text.
    pub(crate) fn screen(&mut self, width: u16, height: u16) -> String {
        let buffer = self.draw(width, height);
        let row = |y| {
            // A wide character has the cell after it too, which holds a space.
            let mut covered = 0;
            let cells = (0..width).filter_map(|x| {
                let symbol = buffer[(x, y)].symbol();
                let seen = x >= covered;
                covered = covered.max(x + unicode_width::UnicodeWidthStr::width(symbol) as u16);
                seen.then_some(symbol)
            });
            cells.collect::<String>()
        };
        let mut text = String::new();
        for y in 0..height {
            text.push_str(row(y).trim_end());
            text.push('\n');
        }
        text
    }

    /// The style of the first cell of a text on the screen.
    pub(crate) fn style(&mut self, width: u16, height: u16, text: &str) -> Style {
        let buffer = self.draw(width, height);
        for y in 0..height {
            for x in 0..width {
                let here: String = (x..width).map(|x| buffer[(x, y)].symbol()).collect();
                if here.starts_with(text) {
                    return buffer[(x, y)].style();
                }
            }
        }
        panic!("`{text}` is not on the screen:\n{}", self.screen(width, height));
    }

    /// What a terminal is sent to show the screen.
    pub(crate) fn stream(&mut self, width: u16, height: u16) -> Vec<u8> {
        self.tell(Message::Resize(width, height));
        let mut bytes = Vec::new();
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let backend = CrosstermBackend::new(&mut bytes);
        let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        terminal.draw(|frame| view(&self.model, frame)).unwrap();
        drop(terminal);
        bytes
    }

    pub(crate) fn draw(&mut self, width: u16, height: u16) -> Buffer {
        self.tell(Message::Resize(width, height));
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view(&self.model, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    fn run(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Some(answer) = self.answered(&effect) else {
                if !matches!(effect, Effect::Count { .. } | Effect::Redraw) {
                    self.wanted.push(effect);
                }
                continue;
            };
            if self.slow {
                self.waiting.push(answer);
            } else {
                self.tell(answer);
            }
        }
    }

    fn answered(&self, effect: &Effect) -> Option<Message> {
        Some(match effect {
            Effect::Page { generation, filter, ask } => {
                let (from, limit) = ask.from();
                let rows = Ok(self.page(filter, from, limit));
                Message::Page { generation: *generation, ask: *ask, rows }
            }
            Effect::Find { generation, filter, from } => {
                let row = Ok(self.page(filter, *from, 1).pop());
                Message::Found { generation: *generation, row }
            }
            Effect::Load { entry, then } => {
                let found = self.rows.iter().find(|(row, _)| *row == entry.row);
                Message::Loaded { entry: *entry, then: *then, exchange: Ok(found.map(|(_, it)| fixture::shared(it))) }
            }
            Effect::LoadPair(old, new) => Message::Pair(Ok(self.which(*old).zip(self.which(*new)))),
            _ => return None,
        })
    }

    fn which(&self, which: Which) -> Option<Arc<hookwire_capture::Exchange>> {
        let found = self.rows.iter().rev().find(|(row, it)| match which {
            Which::Row(wanted) => *row == wanted,
            Which::Id(id) => it.exchange.id == id,
        });
        found.map(|(_, it)| fixture::shared(it))
    }

    fn page(&self, filter: &Filter, from: From, limit: usize) -> Vec<Summary> {
        let matching = self.rows.iter().filter(|(_, it)| Self::passes(filter, it));
        let mut rows: Vec<_> = match from {
            From::Newest => matching.rev().take(limit).collect(),
            From::Before(row) => matching.rev().filter(|(it, _)| *it < row).take(limit).collect(),
            From::After(row) => matching.filter(|(it, _)| *it > row).take(limit).collect(),
        };
        rows.sort_by_key(|(row, _)| std::cmp::Reverse(*row));
        rows.into_iter().map(|(row, it)| it.summary(*row)).collect()
    }

    fn passes(filter: &Filter, stored: &Stored) -> bool {
        let beside = Beside { repeats: stored.repeats, note: stored.note.as_deref() };
        filter.matches(&stored.exchange, beside, fixture::night())
    }

    /// Counts as the store's thread does.
    pub(crate) fn count(&mut self) {
        let invalid = self.rows.iter().filter(|(_, it)| it.exchange.verdict.status == Status::Invalid).count() as u64;
        let (generation, filter) = self.model.filter();
        let shown = self.rows.iter().filter(|(_, it)| Self::passes(filter, it)).count() as u64;
        let counts = Counts {
            total: self.rows.len() as u64,
            invalid,
            shown: Some((generation, shown)),
            latest: self.rows.last().map(|(row, it)| it.summary(*row)),
        };
        self.tell(Message::Counted(counts));
    }
}
