//! The list: a window of summaries around what is seen, and where one stands in it.

use std::collections::{BTreeSet, VecDeque};

use hookwire_capture::{Filter, From, Summary};
use uuid::Uuid;

use super::ask::{Ask, PAGE};

/// Rows kept at most. The far end of a longer window is forgotten: it can be asked for again.
const WINDOW: usize = 3 * PAGE;

/// When so few rows are left between what is seen and the window's end, more are asked for.
const MARGIN: usize = PAGE / 2;

/// The list of exchanges that a filter lets through, newest first.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all combinations occur")]
pub(crate) struct List {
    /// What is shown.
    pub(crate) filter: Filter,
    /// The filter as it was typed; empty for all.
    pub(crate) filter_text: String,
    /// Rises with each filter, so that answers to an older one are known.
    pub(crate) generation: u64,
    /// A part of the list without gaps, newest first: by falling `row`.
    rows: VecDeque<Summary>,
    /// There may be rows above the window.
    newer: bool,
    /// There may be rows below the window.
    older: bool,
    /// What the store was asked for and has not answered.
    asked: Option<Ask>,
    /// The store changed since it was asked.
    changed: bool,
    /// Whether the first answer to this filter is there.
    pub(crate) loaded: bool,
    /// The row one stands on.
    selected: Option<u64>,
    /// The first row that is seen.
    top: Option<u64>,
    /// Whether the newest row is always the selected one.
    pub(crate) following: bool,
    /// The marked exchanges.
    pub(crate) marked: BTreeSet<Entry>,
    /// How many rows are seen at once.
    height: usize,
}

/// An exchange in the store; in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its place in the store, which no other has.
    pub row: u64,
    /// Its id, which a webhook that is delivered again has again.
    pub id: Uuid,
}

impl Entry {
    /// The exchange of a row.
    pub const fn of(row: &Summary) -> Self {
        Self { row: row.row, id: row.id }
    }
}

impl List {
    /// A list that knows nothing yet, and asks for the newest rows.
    pub(crate) fn new() -> (Self, Ask) {
        let ask = Ask::Anew(From::Newest);
        let list = Self {
            filter: Filter::all(),
            filter_text: String::new(),
            generation: 0,
            rows: VecDeque::new(),
            newer: false,
            older: false,
            asked: Some(ask),
            changed: false,
            loaded: false,
            selected: None,
            top: None,
            following: true,
            marked: BTreeSet::new(),
            height: 1,
        };
        (list, ask)
    }

    /// The rows on the screen, newest first.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &Summary> {
        self.rows.iter().skip(self.top_index()).take(self.height)
    }

    /// The row one stands on.
    pub(crate) fn selected(&self) -> Option<&Summary> {
        self.rows.get(self.index_of(self.selected?)?)
    }

    /// Whether a row is the one that one stands on.
    pub(crate) fn is_selected(&self, row: &Summary) -> bool {
        self.selected == Some(row.row)
    }

    /// Whether there is no row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether there may be rows above those that are seen.
    pub(crate) fn has_newer(&self) -> bool {
        self.newer || self.top_index() > 0
    }

    /// Where one stands among the seen rows, from 0.
    pub(crate) fn position(&self) -> usize {
        self.selected_index().saturating_sub(self.top_index())
    }

    /// Another filter: everything is asked for anew, and followed.
    pub(crate) fn show(&mut self, filter: Filter, text: String) -> Ask {
        self.filter = filter;
        self.filter_text = text;
        self.generation += 1;
        self.loaded = false;
        self.changed = false;
        self.follow()
    }

    /// Follows the newest from now on.
    pub(crate) fn follow(&mut self) -> Ask {
        self.following = true;
        self.ask_anew(From::Newest)
    }

    /// Goes to the oldest row.
    pub(crate) fn oldest(&mut self) -> Option<Ask> {
        self.following = false;
        if self.older {
            return Some(self.ask_anew(From::After(0)));
        }
        self.selected = self.rows.back().map(|row| row.row);
        self.scroll();
        None
    }

    /// Goes to a row, which may be anywhere in the list.
    pub(crate) fn go_to(&mut self, row: u64) -> Option<Ask> {
        self.following = false;
        self.selected = Some(row);
        if let Some(index) = self.index_of(row) {
            if !(self.top_index()..self.top_index() + self.height).contains(&index) {
                // A third of the screen above it: what came right before and after is of interest too.
                self.top = self.rows.get(index.saturating_sub(self.height / 3)).map(|row| row.row);
            }
            self.scroll();
            return self.margins();
        }
        // A little above it, so that it does not stand at the very top; what is above that is asked for next.
        Some(self.ask_anew(From::Before(row + 1)))
    }

    /// Moves by so many rows, down if positive.
    pub(crate) fn step(&mut self, by: isize) -> Option<Ask> {
        self.following = false;
        let last = self.rows.len().checked_sub(1)?;
        let index = self.selected_index().saturating_add_signed(by).min(last);
        self.selected = Some(self.rows[index].row);
        self.scroll();
        self.margins()
    }

    /// Scrolls by so many rows, and takes the selection along at the edges.
    pub(crate) fn roll(&mut self, by: isize) -> Option<Ask> {
        self.following = false;
        let last = self.rows.len().checked_sub(1)?;
        let lowest = self.rows.len().saturating_sub(self.height);
        let top = self.top_index().saturating_add_signed(by).min(lowest);
        let bottom = (top + self.height.saturating_sub(1)).min(last);
        let index = self.selected_index().clamp(top, bottom);
        self.top = Some(self.rows[top].row);
        self.selected = Some(self.rows[index].row);
        self.margins()
    }

    /// Stands on the row that is seen at a place, from 0; false if there is none.
    pub(crate) fn pick(&mut self, place: usize) -> bool {
        let Some(row) = self.rows.get(self.top_index() + place).filter(|_| place < self.height) else { return false };
        self.selected = Some(row.row);
        self.following = false;
        true
    }

    /// Stays where it is while others arrive.
    pub(crate) fn hold(&mut self) {
        self.following = false;
    }

    /// Marks the selected exchange or takes its mark away; false if none is selected.
    pub(crate) fn toggle_mark(&mut self) -> bool {
        let Some(row) = self.selected() else { return false };
        let entry = Entry::of(row);
        if !self.marked.remove(&entry) {
            self.marked.insert(entry);
        }
        true
    }

    /// Whether a row is marked.
    pub(crate) fn is_marked(&self, row: &Summary) -> bool {
        self.marked.contains(&Entry::of(row))
    }

    /// Another number of rows is seen.
    pub(crate) fn resize(&mut self, height: usize) -> Option<Ask> {
        if self.height == height {
            return None;
        }
        self.height = height.max(1);
        self.scroll();
        self.margins()
    }

    /// The store has changed: a followed list wants the newest rows. One that is held keeps its rows, and looks at the
    /// same ones again when `refresh` says that it is time to.
    pub(crate) fn changed(&mut self, refresh: bool) -> Option<Ask> {
        if self.asked.is_some() {
            self.changed = true;
            return None;
        }
        if self.following || self.rows.is_empty() {
            return Some(self.ask_anew(From::Newest));
        }
        self.newer = true;
        let again = refresh.then(|| self.rows.front().map(|first| Ask::Again(first.row, self.rows.len()))).flatten();
        self.asked = again;
        again.or_else(|| self.margins())
    }

    /// Takes the store's answer in. Says what to ask for next.
    pub(crate) fn answered(&mut self, ask: Ask, page: Vec<Summary>) -> Option<Ask> {
        if self.asked != Some(ask) {
            // A later question is on its way: its answer is the one that counts.
            return None;
        }
        self.asked = None;
        self.loaded = true;
        let full = page.len() >= ask.from().1;
        match ask {
            Ask::Anew(from) => {
                self.newer = !matches!(from, From::Newest) && (full || !matches!(from, From::After(_)));
                self.older = full && !matches!(from, From::After(_));
                self.rows = page.into();
                if matches!(from, From::After(_)) {
                    self.selected = self.rows.back().map(|row| row.row);
                }
            }
            Ask::Newer(_) => {
                self.newer = full;
                page.into_iter().rev().for_each(|row| self.rows.push_front(row));
                self.older |= self.rows.len() > WINDOW;
                self.rows.truncate(WINDOW);
            }
            Ask::Older(_) => {
                self.older = full;
                self.rows.extend(page);
                self.newer |= self.rows.len() > WINDOW;
                self.rows.drain(..self.rows.len().saturating_sub(WINDOW));
            }
            Ask::Again(..) => {
                self.older |= full;
                self.rows = page.into();
            }
        }
        self.scroll();
        if std::mem::take(&mut self.changed) { self.changed(false) } else { self.margins() }
    }

    /// The store could not answer: what is here stays, and the next change asks again.
    pub(crate) fn failed(&mut self, ask: Ask) {
        if self.asked == Some(ask) {
            self.asked = None;
        }
    }

    fn ask_anew(&mut self, from: From) -> Ask {
        let ask = Ask::Anew(from);
        self.asked = Some(ask);
        ask
    }

    /// What is to be asked for, so that scrolling never meets the window's end before the list's.
    fn margins(&mut self) -> Option<Ask> {
        if self.asked.is_some() || self.following {
            return None;
        }
        let top = self.top_index();
        let below = self.rows.len().saturating_sub(top + self.height);
        let ask = if self.newer && top < MARGIN.min(self.height) {
            self.rows.front().map(|row| Ask::Newer(row.row))
        } else if self.older && below < MARGIN {
            self.rows.back().map(|row| Ask::Older(row.row))
        } else {
            None
        };
        self.asked = ask;
        ask
    }

    /// Brings the selected row onto the screen, and onto a row that exists.
    fn scroll(&mut self) {
        if self.following {
            self.selected = self.rows.front().map(|row| row.row);
            self.top = self.selected;
            return;
        }
        let index = self.selected_index();
        self.selected = self.rows.get(index).map(|row| row.row);
        let lowest = self.rows.len().saturating_sub(self.height);
        let top = self.top_index().clamp((index + 1).saturating_sub(self.height), index).min(lowest);
        self.top = self.rows.get(top).map(|row| row.row);
    }

    fn selected_index(&self) -> usize {
        self.selected.map_or(0, |row| self.nearest(row))
    }

    fn top_index(&self) -> usize {
        self.top.map_or(0, |row| self.nearest(row))
    }

    /// The place of a row in the window, or of the one that took its place when it went.
    fn nearest(&self, row: u64) -> usize {
        self.rows.partition_point(|it| it.row > row).min(self.rows.len().saturating_sub(1))
    }

    fn index_of(&self, row: u64) -> Option<usize> {
        let index = self.rows.partition_point(|it| it.row > row);
        self.rows.get(index).filter(|it| it.row == row).map(|_| index)
    }
}
