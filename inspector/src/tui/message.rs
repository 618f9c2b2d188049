//! What happens to the model, and what it wants done.

use std::{path::PathBuf, sync::Arc, time::SystemTime};

use crossterm::event::{KeyEvent, MouseEvent};
use hookwire_capture::{Exchange, Filter, From, Summary};
use uuid::Uuid;

use super::{
    actions::{ActionError, Done, Replay},
    feed::Live,
    model::{ask::Ask, list::Entry},
};
use crate::export;

/// One thing that happened.
#[derive(Debug)]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// It is this late.
    Tick(SystemTime),
    /// The client's state is this now.
    Live(Box<Live>),
    /// The store has changed.
    Changed,
    /// What the store holds.
    Counted(Counts),
    /// The rows that were asked for.
    Page {
        /// For which filter.
        generation: u64,
        /// What was asked.
        ask: Ask,
        /// The rows, newest first; or why there are none.
        rows: Result<Vec<Summary>, String>,
    },
    /// The next exchange that the search in the list leads to, if there is one.
    Found {
        /// For which filter.
        generation: u64,
        /// The row; none if nothing was found that way.
        row: Result<Option<Summary>, String>,
    },
    /// An exchange that was asked for.
    Loaded {
        /// Which.
        entry: Entry,
        /// What it is for.
        then: Purpose,
        /// The exchange; none if it is no longer there.
        exchange: Result<Option<Arc<Exchange>>, String>,
    },
    /// Two exchanges that were asked for.
    Pair(Result<Option<Pair>, String>),
    /// The editor was closed.
    Edited(Result<String, String>),
    /// Work that was begun says how far it is: done, of how many.
    Progress {
        /// Which work.
        job: u64,
        /// Done so far.
        done: u64,
        /// Of how many.
        total: u64,
    },
    /// Work that was begun came to its end.
    Ended {
        /// Which work.
        job: u64,
        /// How.
        outcome: Result<Done, ActionError>,
    },
    /// The lines of the log.
    Log(Vec<Vec<u8>>),
}

/// Two exchanges to be compared, the older one first.
pub type Pair = (Arc<Exchange>, Arc<Exchange>);

/// How many exchanges there are, and how the latest went.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// All in the store.
    pub total: u64,
    /// Those with a wrong signature.
    pub invalid: u64,
    /// Those that the filter lets through, and the filter's generation.
    pub shown: Option<(u64, u64)>,
    /// The latest of all.
    pub latest: Option<Summary>,
}

/// What an exchange is loaded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be looked at.
    Look,
    /// To be copied, in this form.
    Copy(Form),
    /// To be edited.
    Edit,
}

/// In which form an exchange is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A curl command.
    Curl,
    /// The request as it was sent.
    Raw,
    /// The request's body.
    Body,
    /// The response's body.
    ResponseBody,
}

/// One of two exchanges to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one in this row.
    Row(u64),
    /// The newest of this id.
    Id(Uuid),
}

/// What the shell around the model must do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Read rows.
    Page {
        /// For which filter.
        generation: u64,
        /// The filter.
        filter: Filter,
        /// Which rows.
        ask: Ask,
    },
    /// Count what this filter lets through, now and whenever the store changes.
    Count {
        /// The filter's generation.
        generation: u64,
        /// The filter.
        filter: Filter,
    },
    /// Find the next row from somewhere.
    Find {
        /// For which filter.
        generation: u64,
        /// The filter and what is searched for.
        filter: Filter,
        /// From where, and in which direction.
        from: From,
    },
    /// Read one exchange.
    Load {
        /// Which.
        entry: Entry,
        /// What for.
        then: Purpose,
    },
    /// Read two exchanges.
    LoadPair(Which, Which),
    /// Put this on the clipboard.
    Clipboard(Vec<u8>),
    /// Let the developer edit this text.
    Editor(String),
    /// Begin work.
    Work {
        /// Its number.
        job: u64,
        /// What it is.
        work: Work,
    },
    /// Cancel work.
    Cancel(u64),
    /// Read the log.
    Log,
    /// Draw every cell anew.
    Redraw,
    /// End.
    Quit,
}

/// Work that changes something or takes long.
#[derive(Clone, Debug)]
pub enum Work {
    /// Send requests again.
    Replay(Replay),
    /// Send a test event.
    SendTest,
    /// Write a note.
    Note(Uuid, Option<String>),
    /// Delete exchanges.
    Delete(Vec<Uuid>),
    /// Write exchanges to a file.
    Export {
        /// In which format.
        kind: export::Kind,
        /// Which.
        what: Selection,
        /// Where.
        path: PathBuf,
    },
}

/// Which exchanges.
#[derive(Clone, Debug)]
pub enum Selection {
    /// These, in this order.
    These(Vec<Entry>),
    /// All that the filter lets through, oldest first.
    Shown(Filter),
}
