//! The chunked coding (RFC 9112 §7.1), read byte by byte and without tolerance.

/// Chunk extensions that one body may have, in bytes. Nobody here reads them; hyper stops at 16 KiB, and the refusal should be ours.
const EXTENSIONS: usize = 15 * 1024;

/// Trailers that one body may have, in bytes, for the same reason.
const TRAILERS: usize = 15 * 1024;

/// Digits of a chunk size: what 64 bits hold.
const DIGITS: u8 = 16;

/// What is wrong with a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChunkError {
    /// No hexadecimal number, too long a one, or something behind it.
    #[error("a chunk size is not a hexadecimal number of up to 16 digits")]
    Size,
    /// More extensions than anybody needs, or control characters in them.
    #[error("a chunk extension is too long or has control characters")]
    Extension,
    /// Not CRLF where it must be.
    #[error("a chunk or line does not end with CRLF")]
    LineEnd,
    /// Too many, too long, or no header lines.
    #[error("the trailers are too long or malformed")]
    Trailer,
}

/// How far a chunked body has been read.
#[derive(Debug)]
pub(super) struct Chunks {
    place: Place,
    extensions: usize,
    trailers: usize,
    /// Trailer lines that may still come.
    lines: usize,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Place {
    Size {
        digits: u8,
        size: u64,
    },
    Extension {
        size: u64,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// A trailer line, or the end.
    Line,
    Name,
    Value,
    ValueLf,
    EndLf,
}

/// What [`Chunks::advance`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All bytes belong to the body, and more will come.
    All,
    /// The body ended after so many bytes.
    End(usize),
    /// So many bytes were in order.
    Broken(usize, ChunkError),
}

impl Chunks {
    /// A body of which nothing was read, with at most so many trailer lines.
    pub(super) fn new(lines: usize) -> Self {
        Self { place: Place::Size { digits: 0, size: 0 }, extensions: 0, trailers: 0, lines }
    }

    /// Reads on.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Progress {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if let Place::Data { left } = self.place {
                let here = left.min((bytes.len() - at) as u64);
                // At most the length of a slice.
                at += here as usize;
                self.place = if left == here { Place::DataCr } else { Place::Data { left: left - here } };
                continue;
            }
            match self.step(*byte) {
                Ok(Some(place)) => self.place = place,
                Ok(None) => return Progress::End(at + 1),
                Err(error) => return Progress::Broken(at, error),
            }
            at += 1;
        }
        Progress::All
    }

    /// One byte outside the data. `None` is the end of the body.
    fn step(&mut self, byte: u8) -> Result<Option<Place>, ChunkError> {
        Ok(Some(match (self.place, byte) {
            (Place::Size { digits, size }, byte) => return in_size(digits, size, byte).map(Some),
            (Place::Extension { size }, b'\r') => Place::SizeLf { size },
            (Place::Extension { .. }, byte) => {
                self.extensions += 1;
                if self.extensions > EXTENSIONS || !is_text(byte) {
                    return Err(ChunkError::Extension);
                }
                self.place
            }
            (Place::SizeLf { size: 0 }, b'\n') => Place::Line,
            (Place::SizeLf { size }, b'\n') => Place::Data { left: size },
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataLf, b'\n') => Place::Size { digits: 0, size: 0 },
            (Place::EndLf, b'\n') => return Ok(None),
            (Place::Line | Place::Name | Place::Value | Place::ValueLf, byte) => {
                return self.in_trailer(byte).map(Some);
            }
            _ => return Err(ChunkError::LineEnd),
        }))
    }

    fn in_trailer(&mut self, byte: u8) -> Result<Place, ChunkError> {
        self.trailers += 1;
        if self.trailers > TRAILERS {
            return Err(ChunkError::Trailer);
        }
        match (self.place, byte) {
            (Place::Line, b'\r') => Ok(Place::EndLf),
            (Place::Line, byte) if is_token(byte) => {
                self.lines = self.lines.checked_sub(1).ok_or(ChunkError::Trailer)?;
                Ok(Place::Name)
            }
            (Place::Name, byte) if is_token(byte) => Ok(Place::Name),
            (Place::Name, b':') => Ok(Place::Value),
            (Place::Value, b'\r') => Ok(Place::ValueLf),
            (Place::Value, byte) if is_text(byte) => Ok(Place::Value),
            (Place::ValueLf, b'\n') => Ok(Place::Line),
            (Place::ValueLf, _) => Err(ChunkError::LineEnd),
            _ => Err(ChunkError::Trailer),
        }
    }
}

/// Blanks behind the size, which RFC 9112 §7.1.1 calls bad and asks to bear with, are refused: parsers disagree on them, and no client
/// in use sends any.
fn in_size(digits: u8, size: u64, byte: u8) -> Result<Place, ChunkError> {
    match (byte, char::from(byte).to_digit(16)) {
        (_, Some(digit)) if digits < DIGITS => {
            Ok(Place::Size { digits: digits + 1, size: size << 4 | u64::from(digit) })
        }
        (b';', _) if digits > 0 => Ok(Place::Extension { size }),
        (b'\r', _) if digits > 0 => Ok(Place::SizeLf { size }),
        _ => Err(ChunkError::Size),
    }
}

/// What may stand in a line: anything but control characters, and the tabulator.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
