//! Text, line by line.

use bytes::Bytes;

use crate::{
    line::Role,
    rendered::{Content, Pieces},
};

/// Text as it came; only tabs that indent a line become spaces.
pub(crate) struct Text {
    text: Bytes,
    /// Where each line begins.
    starts: Vec<u32>,
}

impl Text {
    pub(crate) fn new(text: Bytes) -> Self {
        let mut starts = Vec::new();
        if !text.is_empty() {
            starts.push(0);
            let behind = memchr::memchr_iter(b'\n', &text).map(|at| at + 1).filter(|&at| at < text.len());
            starts.extend(behind.map(|at| u32::try_from(at).unwrap_or(u32::MAX)));
        }
        Self { text, starts }
    }
}

impl Content for Text {
    fn lines(&self) -> usize {
        self.starts.len()
    }

    fn line<'a>(&'a self, index: usize, pieces: &mut Pieces<'a>) {
        let end = self.starts.get(index + 1).map_or(self.text.len(), |&next| next as usize);
        let line = &self.text[self.starts[index] as usize..end];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let tabs = line.iter().take(MAX_TABS).take_while(|&&byte| byte == b'\t').count();
        pieces.indent(tabs * TAB, 0);
        // A carriage return is a byte like any other, and often the one that broke a signature.
        let (text, end) = match line[tabs..].strip_suffix(b"\r") {
            Some(text) => (text, &b"\r"[..]),
            None => (&line[tabs..], &b""[..]),
        };
        pieces.push(Role::Plain, text);
        if !end.is_empty() {
            pieces.push(Role::Muted, end);
        }
    }
}

/// The columns that a tab at the beginning of a line takes.
const TAB: usize = 4;

/// No source is indented deeper, and more would push the text off the screen.
const MAX_TABS: usize = 12;
