//! What is asked of the store for the list.

use hookwire_capture::From;

/// Rows asked for at a time: more than the tallest usual screen has, and read in a few milliseconds.
pub(crate) const PAGE: usize = 200;

/// What is asked of the store for the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A new window that begins or ends here.
    Anew(From),
    /// The rows above the window.
    Newer(u64),
    /// The rows below the window.
    Older(u64),
    /// The same rows once more, for notes and deletions: from this row on, so many.
    Again(u64, usize),
}

impl Ask {
    /// Where the store's answer begins, and how many rows it has at most.
    pub const fn from(self) -> (From, usize) {
        match self {
            Self::Anew(from) => (from, PAGE),
            Self::Newer(row) => (From::After(row), PAGE),
            Self::Older(row) => (From::Before(row), PAGE),
            Self::Again(row, limit) => (From::Before(row + 1), limit),
        }
    }
}
