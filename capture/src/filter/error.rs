//! Why a text is no filter.

use std::fmt;

/// How far a wrong word may be from a right one that it is taken for, in edits.
const TYPO: usize = 2;

/// From so many letters on a word may be the beginning of a longer one: a single letter is more often something else, such as a drive.
const BEGINNING: usize = 2;

/// So many letters of a beginning may have one typo among them: what is left out already says less.
const LETTERS_PER_TYPO: usize = 4;

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

/// The known word that was probably meant: written with a typo, or the only one of which it is the beginning.
pub(super) fn closest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let wrong = wrong.to_ascii_lowercase();
    let distance = |word: &&str| strsim::damerau_levenshtein(&wrong, word);
    let closest = known.clone().into_iter().min_by_key(distance)?;
    // A word of which half is wrong was not a typo.
    if distance(&closest) <= TYPO.min(wrong.chars().count() / 2) {
        return Some(closest);
    }
    let begun = |word: &&str| {
        let start = word.get(..wrong.len()).filter(|start| start.len() >= BEGINNING);
        start.is_some_and(|start| strsim::damerau_levenshtein(&wrong, start) <= start.len() / LETTERS_PER_TYPO)
    };
    let mut begun = known.into_iter().filter(begun);
    begun.next().filter(|_| begun.next().is_none())
}
