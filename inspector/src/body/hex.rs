//! Bytes as numbers, beside what they would be as ASCII.

use bytes::Bytes;

use crate::{
    line::Role,
    rendered::{Content, Pieces},
};

/// A hex dump as `xxd` and `hexdump -C` lay it out.
pub(crate) struct Hex {
    bytes: Bytes,
    per_line: usize,
}

impl Hex {
    /// With as many bytes on a line as `width` columns have room for: 16, 8 or 4.
    pub(crate) fn new(bytes: Bytes, width: usize) -> Self {
        let per_line = [16, 8].into_iter().find(|&bytes| columns(bytes) <= width).unwrap_or(4);
        Self { bytes, per_line }
    }
}

impl Content for Hex {
    fn lines(&self) -> usize {
        self.bytes.len().div_ceil(self.per_line)
    }

    fn line<'a>(&'a self, index: usize, pieces: &mut Pieces<'a>) {
        let start = index * self.per_line;
        let row = &self.bytes[start..self.bytes.len().min(start + self.per_line)];
        let mut hex = Vec::with_capacity(columns(self.per_line));
        for at in 0..self.per_line {
            if at % GROUP == 0 && at > 0 {
                hex.push(b' ');
            }
            match row.get(at) {
                Some(byte) => hex.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0x0F)], b' ']),
                None => hex.extend(*b"   "),
            }
        }
        hex.push(b' ');
        let ascii: Vec<u8> = row.iter().map(|&byte| if matches!(byte, b' '..=b'~') { byte } else { b'.' }).collect();
        pieces.push(Role::Muted, format!("{start:08x}  ").into_bytes());
        pieces.push(Role::Plain, hex);
        pieces.push(Role::String, ascii);
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A wider gap after so many bytes.
const GROUP: usize = 8;

/// Offset and gap, three columns for each byte and one for each group but the first, a gap, one column for each byte.
const fn columns(bytes: usize) -> usize {
    10 + 3 * bytes + (bytes.div_ceil(GROUP) - 1) + 1 + bytes
}
