//! Characters to tokens.

use super::FilterError;

/// A token and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// In characters from 1.
    pub(super) column: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    /// Anything between white space and parentheses, with its quotes taken away. Never empty, unless it was `""`.
    Word(Vec<Letter>),
    /// Behind the last one.
    End,
}

/// A character of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) symbol: char,
    /// It stood in quotes: it means itself.
    pub(super) quoted: bool,
    pub(super) column: usize,
}

impl Letter {
    /// Whether it is this character, outside quotes.
    pub(super) fn is(self, special: char) -> bool {
        !self.quoted && self.symbol == special
    }
}

/// The tokens of a text, the end included.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let column = at + 1;
        let kind = match letter {
            '(' => Kind::Open,
            ')' => Kind::Close,
            _ if letter.is_whitespace() => {
                at += 1;
                continue;
            }
            _ => {
                let (word, end) = word(&letters, at)?;
                tokens.push(Token { column, kind: Kind::Word(word) });
                at = end;
                continue;
            }
        };
        tokens.push(Token { column, kind });
        at += 1;
    }
    tokens.push(Token { column: letters.len() + 1, kind: Kind::End });
    Ok(tokens)
}

/// The word that begins at `start`, and where it ends.
fn word(letters: &[char], start: usize) -> Result<(Vec<Letter>, usize), FilterError> {
    let mut word = Vec::new();
    let mut opened = None;
    let mut at = start;
    while let Some(&letter) = letters.get(at) {
        let column = at + 1;
        let quoted = opened.is_some();
        match letter {
            '"' => opened = if quoted { None } else { Some(column) },
            '\\' if quoted && matches!(letters.get(at + 1), Some('"' | '\\')) => {
                at += 1;
                word.push(Letter { symbol: letters[at], quoted, column });
            }
            '(' | ')' if !quoted => break,
            _ if !quoted && letter.is_whitespace() => break,
            _ => word.push(Letter { symbol: letter, quoted, column }),
        }
        at += 1;
    }
    match opened {
        None => Ok((word, at)),
        Some(column) => Err(FilterError {
            column,
            message: "this quote is not closed".to_owned(),
            hint: Some("end the text with `\"`; a quote inside it is written `\\\"`".to_owned()),
        }),
    }
}
