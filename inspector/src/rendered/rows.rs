//! Lines broken into rows, and rows made of lines.

use std::{iter::Peekable, ops::Range};

use super::{
    MATCH_LIMIT,
    content::{Content, Piece, Pieces},
};
use crate::{
    line::{Line, Role, Span},
    sanitize::{Unit, units},
};

/// Where a row begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) line: u32,
    /// How many bytes of the line's pieces stand in rows above.
    at: u32,
}

/// Something that the search found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    line: u32,
    start: u32,
    end: u32,
    pub(super) row: u32,
}

/// Breaks every line of `content` into rows, and finds `needle` in the lines.
pub(super) fn layout(content: &dyn Content, width: usize, needle: &[u8]) -> (Vec<Row>, Vec<Match>) {
    let mut rows = Vec::with_capacity(content.lines());
    let mut matches = Vec::new();
    let mut pieces = Pieces::default();
    for line in 0..content.lines() {
        pieces.clear();
        content.line(line, &mut pieces);
        let first = rows.len();
        let mut at = Some(0);
        while let Some(start) = at {
            rows.push(Row { line: index(line), at: index(start) });
            at = row_end(&pieces.pieces, start, room(&pieces, width, start));
        }
        if !needle.is_empty() && matches.len() < MATCH_LIMIT {
            find(&pieces.pieces, needle, |range| {
                let above = rows[first..].partition_point(|row| row.at as usize <= range.start);
                matches.push(Match {
                    line: index(line),
                    start: index(range.start),
                    end: index(range.end),
                    row: index(first + above - 1),
                });
            });
        }
    }
    matches.truncate(MATCH_LIMIT);
    (rows, matches)
}

/// The row that `rows` begins with, as spans.
pub(super) fn row(content: &dyn Content, rows: &[Row], width: usize, matches: &[Match]) -> Line {
    let Row { line, at } = rows[0];
    let mut pieces = Pieces::default();
    content.line(line as usize, &mut pieces);
    let start = at as usize;
    let end = rows.get(1).filter(|next| next.line == line).map_or(usize::MAX, |next| next.at as usize);
    let own = matches.partition_point(|found| found.line < line);
    let matches = matches[own..].iter().take_while(|found| found.line == line);
    let mut marks = matches.map(|found| found.start as usize..found.end as usize).peekable();

    let mut spans = Line::new();
    if start > 0 && hang(&pieces, width) > 0 {
        spans.push(Span::new(Role::Plain, " ".repeat(hang(&pieces, width))));
    }
    let mut base = 0;
    for Piece { bytes, role } in &pieces.pieces {
        let piece = base..base + bytes.len();
        let seen = piece.start.max(start)..piece.end.min(end);
        if !seen.is_empty() {
            mark(&bytes[seen.start - base..seen.end - base], seen.start, *role, &mut marks, &mut spans);
        }
        base = piece.end;
    }
    spans
}

/// Writes `bytes` as spans, those that a search found apart. `at` is where they begin in their line.
fn mark(
    bytes: &[u8],
    at: usize,
    role: Role,
    marks: &mut Peekable<impl Iterator<Item = Range<usize>>>,
    spans: &mut Line,
) {
    let (mut from, mut from_role) = (0, role);
    for letter in letters(bytes) {
        while marks.next_if(|mark| mark.end <= at + letter.start).is_some() {}
        let found = marks.peek().is_some_and(|mark| mark.start < at + letter.end);
        let letter_role = if found { Role::Match } else { role };
        if letter_role != from_role && letter.start > from {
            spans.push(Span::new(from_role, &bytes[from..letter.start]));
            from = letter.start;
        }
        from_role = letter_role;
    }
    spans.push(Span::new(from_role, &bytes[from..]));
}

/// Where the letters of `bytes` are, each with the marks that stand on it: apart from it they would become escapes, and
/// the row wider than it was laid out.
fn letters(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut units = units(bytes).peekable();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        at += units.next()?.bytes();
        while let Some(mark) = units.next_if(|unit| unit.columns() == 0) {
            at += mark.bytes();
        }
        Some(start..at)
    })
}

/// Lengths here are those of bodies in memory, which [`crate::body`] cuts far below 4 GiB.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The columns for the row that begins at `start`.
fn room(pieces: &Pieces<'_>, width: usize, start: usize) -> usize {
    if start == 0 { width } else { width - hang(pieces, width) }
}

/// Half of a narrow screen is not given to indentation.
fn hang(pieces: &Pieces<'_>, width: usize) -> usize {
    pieces.hang.min(width / 2)
}

/// Where the row that begins at `start` ends; none if the line ends in it. Rows end after a space where there is one in
/// their second half.
fn row_end(pieces: &[Piece<'_>], start: usize, room: usize) -> Option<usize> {
    let mut row = Filling { room, column: 0, after_space: None };
    let mut base = 0;
    for piece in pieces {
        let end = base + piece.bytes.len();
        if end > start {
            let from = start.max(base);
            if let Some(at) = row.fill(&piece.bytes[from - base..], from) {
                return Some(row.after_space.unwrap_or(at));
            }
        }
        base = end;
    }
    None
}

/// A row that is being filled.
struct Filling {
    room: usize,
    /// The columns that are taken.
    column: usize,
    /// The place behind the last space of the row's second half.
    after_space: Option<usize>,
}

impl Filling {
    /// Takes as much of `bytes` as there is room for; says where that ends unless it is all. `at` is where they begin.
    fn fill(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        // What is far beyond the row is not read: a line may have a million bytes.
        let left = self.room - self.column.min(self.room);
        let ascii = &bytes[..bytes.len().min(left)];
        if ascii.iter().all(|byte| matches!(byte, b' '..=b'~'))
            && (bytes.len() <= left || bytes[left].is_ascii_graphic())
        {
            return self.fill_ascii(ascii, at, bytes.len() > left);
        }
        let mut window = left * USUAL_BYTES_PER_COLUMN + USUAL_BYTES_PER_COLUMN;
        loop {
            let mut trial = Self { ..*self };
            let whole = window >= bytes.len();
            let end = trial.fill_units(&bytes[..window.min(bytes.len())], at);
            if whole || end.is_some() {
                *self = trial;
                return end;
            }
            // Letters with many marks; or the window ends within a letter, which then must not count as damaged.
            window *= 2;
        }
    }

    /// As [`fill`](Self::fill), for bytes of one column each; `more` tells whether others follow that have no room.
    fn fill_ascii(&mut self, bytes: &[u8], at: usize, more: bool) -> Option<usize> {
        let space = memchr::memrchr(b' ', bytes).filter(|space| self.column + space + 1 > self.room / 2);
        self.after_space = space.map(|space| at + space + 1).or(self.after_space);
        self.column += bytes.len();
        (more && self.column > 0).then_some(at + bytes.len())
    }

    fn fill_units(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        for unit in units(bytes) {
            if self.column + unit.columns() > self.room && self.column > 0 {
                return Some(at);
            }
            self.column += unit.columns();
            at += unit.bytes();
            if matches!(unit, Unit::Visible(' ')) && self.column > self.room / 2 {
                self.after_space = Some(at);
            }
        }
        None
    }
}

/// Letters take up to four bytes and one column or two.
const USUAL_BYTES_PER_COLUMN: usize = 4;

/// Whether the needle is anywhere in a line, as a search finds it.
pub(crate) fn contains(pieces: &Pieces<'_>, needle: &[u8]) -> bool {
    let mut found = false;
    find(&pieces.pieces, needle, |_| found = true);
    found
}

/// Calls `found` with every place of `needle` in the line, letters of ASCII in either case.
fn find(pieces: &[Piece<'_>], needle: &[u8], mut found: impl FnMut(Range<usize>)) {
    let joined;
    let line: &[u8] = match pieces {
        [one] => &one.bytes,
        many => {
            joined = many.iter().map(|piece| &*piece.bytes).collect::<Vec<_>>().concat();
            &joined
        }
    };
    let [lower, upper] = [needle[0].to_ascii_lowercase(), needle[0].to_ascii_uppercase()];
    let mut at = 0;
    while let Some(offset) = line.get(at..).and_then(|rest| memchr::memchr2(lower, upper, rest)) {
        let start = at + offset;
        let end = start + needle.len();
        if line.get(start..end).is_some_and(|text| text.eq_ignore_ascii_case(needle)) {
            found(start..end);
            at = end;
        } else {
            at = start + 1;
        }
    }
}
