//! All that the inspector knows. It changes in `update` and nowhere else.

pub(super) mod ask;
pub(super) mod detail;
pub(super) mod layout;
pub(super) mod list;
pub(super) mod page;
pub(super) mod prompt;
pub(super) mod sheet;
pub(super) mod status;

use std::time::SystemTime;

use hookwire_capture::{Filter, Origin};
use jiff::tz::TimeZone;
use uuid::Uuid;

pub(super) use self::page::{Content, Page};
use self::{
    detail::Detail,
    list::{Entry, List},
    prompt::{History, Prompt},
};
use super::{
    actions::EditedRequest,
    feed::Live,
    keymap::Context,
    message::{Counts, Effect},
};
use crate::{detail::Section, theme::Palette};

/// What a model begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The present time.
    pub now: SystemTime,
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// How roles look.
    pub palette: Palette,
}

/// The state of the inspector.
#[derive(Debug)]
pub struct Model {
    /// Columns and rows of the terminal.
    pub(super) size: (u16, u16),
    /// The present time, as last told.
    pub(super) now: SystemTime,
    pub(super) zone: TimeZone,
    pub(super) palette: Palette,
    pub(super) list: List,
    pub(super) detail: Option<Detail>,
    /// The part that the next detail opens with.
    pub(super) section: Section,
    /// The pane that gets the keys.
    pub(super) pane: Pane,
    /// The focused pane has the screen for itself.
    pub(super) zoomed: bool,
    /// What lies over the panes, the last on top. At most one of each kind.
    pub(super) layers: Vec<Layer>,
    pub(super) live: Live,
    pub(super) counts: Counts,
    /// What the last key or the last work has to say.
    pub(super) notice: Option<Notice>,
    pub(super) jobs: Vec<Running>,
    /// The number of the next job.
    pub(super) next_job: u64,
    /// What lies in the editor.
    pub(super) editing: Option<Editing>,
    pub(super) filters: History,
    pub(super) searches: History,
    pub(super) commands: History,
    /// When the rows of a list that is held were last looked at again.
    pub(super) refreshed: SystemTime,
}

/// A part of the screen that keys go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pane {
    /// The list.
    List,
    /// The detail.
    Detail,
}

/// What lies over the panes.
#[derive(Debug)]
pub(crate) enum Layer {
    /// A page of text.
    Page(Page),
    /// The menu of what to copy.
    Copy,
    /// The menu of what to export.
    Export(Scope),
    /// The question whether to delete these.
    Delete(Vec<Entry>),
    /// A line that is typed.
    Prompt(Box<Prompt>),
    /// What to do with an edited request.
    Edited(Box<Editing>, EditedRequest),
    /// Why an edited request can't be read.
    Mistake(Box<Editing>, String),
}

/// Which exchanges are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The selected one.
    This,
    /// The marked ones.
    Marked,
    /// All that the filter lets through.
    Shown,
}

/// A request in the editor.
#[derive(Clone, Debug)]
pub(crate) struct Editing {
    /// The exchange that it comes from.
    pub(crate) of: Uuid,
    /// The text as it stands.
    pub(crate) text: String,
    /// The text as it was stored.
    pub(crate) original: String,
}

/// Something to say in the status line.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// How it went.
    pub(crate) kind: Kind,
    /// What is said, as it comes: it is sanitised where it is drawn.
    pub(crate) text: String,
    /// Since when.
    pub(crate) since: SystemTime,
}

/// How something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As it should.
    Good,
    /// It did not.
    Bad,
    /// Nothing happened, and this is why.
    Hint,
}

/// Work that goes on.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    /// Its number.
    pub(crate) job: u64,
    /// What it is, in a word or two.
    pub(crate) title: String,
    /// How much is done, of how much; of 0 while that is not known.
    pub(crate) progress: (u64, u64),
    /// It was told to end.
    pub(crate) cancelled: bool,
}

impl Model {
    /// A model that knows nothing yet, and what it wants to know.
    pub fn new(setup: Setup) -> (Self, Vec<Effect>) {
        let (list, ask) = List::new();
        let filter = list.filter.clone();
        let mut model = Self {
            size: setup.size,
            now: setup.now,
            zone: setup.zone,
            palette: setup.palette,
            list,
            detail: None,
            section: Section::Overview,
            pane: Pane::List,
            zoomed: false,
            layers: Vec::new(),
            live: Live::default(),
            counts: Counts::default(),
            notice: None,
            jobs: Vec::new(),
            next_job: 0,
            editing: None,
            filters: History::default(),
            searches: History::default(),
            commands: History::default(),
            refreshed: setup.now,
        };
        // What the window then lacks is asked for when the first rows are there.
        let rows = model.list_height();
        let _ = model.list.resize(rows);
        let effects =
            vec![Effect::Page { generation: 0, filter: filter.clone(), ask }, Effect::Count { generation: 0, filter }];
        (model, effects)
    }

    /// The present time, as last told.
    pub(super) fn now(&self) -> SystemTime {
        self.now
    }

    /// Where keys go.
    pub fn context(&self) -> Context {
        match (self.layers.last(), self.pane) {
            (Some(Layer::Page(_)), _) => Context::Page,
            (Some(Layer::Copy), _) => Context::Copy,
            (Some(Layer::Export(_)), _) => Context::Export,
            (Some(Layer::Delete(_)), _) => Context::Question,
            (Some(Layer::Prompt(_)), _) => Context::Prompt,
            (Some(Layer::Edited(..)), _) => Context::Edited,
            (Some(Layer::Mistake(..)), _) => Context::Mistake,
            (None, Pane::Detail) if self.detail.is_some() => Context::Detail,
            (None, _) => Context::List,
        }
    }

    /// The exchange that keys are about: the open one where the detail has them, else the selected one.
    pub(super) fn subject(&self) -> Option<Entry> {
        match (&self.detail, self.pane) {
            (Some(detail), Pane::Detail) => Some(detail.entry),
            _ => self.list.selected().map(Entry::of),
        }
    }

    /// The marked exchanges, oldest first.
    pub(super) fn marked(&self) -> Vec<Entry> {
        self.list.marked.iter().copied().collect()
    }

    /// The public address to paste into a dashboard, if it is known.
    pub(super) fn webhook_url(&self) -> Option<&str> {
        self.live.ready.as_ref().map(|ready| ready.webhook_url.as_str())
    }

    /// What an exchange repeats, if it is a replay.
    pub(super) fn original_of(&self, entry: Entry) -> Option<Uuid> {
        let selected = self.list.selected().filter(|row| row.row == entry.row).map(|row| row.origin);
        let opened = self.detail.as_ref().filter(|detail| detail.entry == entry).map(|detail| detail.summary.origin);
        match opened.or(selected) {
            Some(Origin::Replay { of }) => Some(of),
            _ => None,
        }
    }

    /// The filter, and its number.
    pub fn filter(&self) -> (u64, &Filter) {
        (self.list.generation, &self.list.filter)
    }

    /// How many exchanges the filter lets through, if they were counted since it was set.
    pub(super) fn shown(&self) -> Option<u64> {
        self.counts.shown.filter(|(generation, _)| *generation == self.list.generation).map(|(_, shown)| shown)
    }

    /// What exported requests are sent to: the app.
    pub(super) fn base(&self) -> &str {
        self.live.ready.as_ref().map_or("http://localhost:3000", |ready| ready.target.as_str())
    }

    pub(super) fn say(&mut self, kind: Kind, text: impl Into<String>) {
        self.notice = Some(Notice { kind, text: text.into(), since: self.now });
    }

    /// How many rows of the list are seen.
    pub(super) fn list_height(&self) -> usize {
        self.areas().list.map_or(1, |area| usize::from(area.height))
    }
}
