//! Why a text is no filter.

use std::fmt;

/// How far a wrong word may be from a right one that it is taken for, in edits.
const TYPO: usize = 2;

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Where, in characters from 1; one behind the last where something is missing.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// What to write instead, where that can be told.
    pub hint: Option<String>,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (column {})", self.message, self.column)
    }
}

impl std::error::Error for FilterError {}

/// The known word that was probably meant.
pub(super) fn closest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_ascii_lowercase();
    let distance = |word: &&str| strsim::damerau_levenshtein(&wrong, word);
    let closest = known.into_iter().min_by_key(distance)?;
    // A word of which half is wrong was not a typo.
    (distance(&closest) <= TYPO.min(wrong.chars().count() / 2)).then_some(closest)
}
