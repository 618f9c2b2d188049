//! One exchange, opened.

use std::sync::Arc;

use hookwire_capture::{Exchange, Summary};
use jiff::tz::TimeZone;

use super::{list::Entry, sheet::Sheet};
use crate::{
    body::{Options, View},
    detail::{self, Context, Section},
    rendered::Folds,
};

/// The opened exchange: which part of it is seen, and where one stands in it.
#[derive(Debug)]
pub(crate) struct Detail {
    /// Which exchange.
    pub(crate) entry: Entry,
    /// What the list knows of it.
    pub(crate) summary: Summary,
    /// What the store said.
    pub(crate) state: State,
    /// The part that is seen.
    pub(crate) section: Section,
    /// The face of bodies.
    pub(crate) view: View,
    /// What is folded away.
    pub(crate) folds: Folds,
    /// What is searched for; empty for nothing.
    pub(crate) search: String,
    /// The part that is seen, laid out; none before the exchange is there.
    pub(crate) sheet: Option<Sheet>,
    /// The columns that it is laid out for.
    width: usize,
}

/// Whether the exchange is there.
#[derive(Debug)]
pub(crate) enum State {
    /// It was asked for.
    Waiting,
    /// It is no longer in the store.
    Gone,
    /// The store could not be read.
    Failed(String),
    /// It is there.
    There(Arc<Exchange>),
}

impl Detail {
    /// An exchange that was asked for.
    pub(crate) fn new(row: Summary, section: Section) -> Self {
        Self {
            entry: Entry::of(&row),
            summary: row,
            state: State::Waiting,
            section,
            view: View::default(),
            folds: Folds::default(),
            search: String::new(),
            sheet: None,
            width: 0,
        }
    }

    /// Another exchange takes the place of this one; what is seen of it stays the same part.
    pub(crate) fn turn_to(&mut self, row: Summary) {
        *self = Self { view: self.view, search: std::mem::take(&mut self.search), ..Self::new(row, self.section) };
    }

    /// Shows another part, from its beginning.
    pub(crate) fn show(&mut self, section: Section) {
        if self.section != section {
            self.section = section;
            self.folds = Folds::default();
            self.sheet = None;
        }
    }

    /// Lays the part that is seen out for a width, if it is not already.
    pub(crate) fn fit(&mut self, width: usize, zone: &TimeZone) {
        if self.sheet.is_none() || self.width != width {
            self.lay_out(width, zone);
        }
    }

    /// Lays the part that is seen out anew, after something about it changed.
    pub(crate) fn lay_out(&mut self, width: usize, zone: &TimeZone) {
        let State::There(exchange) = &self.state else { return };
        let summary = &self.summary;
        let context = Context {
            zone: zone.clone(),
            note: summary.note.clone(),
            amount: summary.amount.as_ref().map(ToString::to_string),
            repeats: summary.repeats,
        };
        let options = Options { width, folds: &self.folds, search: &self.search, view: self.view };
        let rendered = detail::render(exchange, self.section, &context, &options);
        self.width = width;
        self.sheet = Some(match &self.sheet {
            Some(sheet) => sheet.relaid(rendered),
            None => Sheet::new(rendered),
        });
    }

    /// The next part in the order of the tabs, or the one before.
    pub(crate) fn beside(&self, forward: bool) -> Section {
        let count = Section::ALL.len();
        let index = Section::ALL.iter().position(|&section| section == self.section).unwrap_or(0);
        Section::ALL[(index + if forward { 1 } else { count - 1 }) % count]
    }
}
