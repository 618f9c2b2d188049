//! The body of the fuzz target, also run as a property test.

use bytes::BytesMut;
use tokio::io::ReadBuf;

use super::{
    framing::{Framing, Stage},
    head::HeadLimits,
    notes::{Note, Notes},
};

/// Small enough that short inputs cross them.
const LIMITS: HeadLimits = HeadLimits { target: 64, head: 512, headers: 8 };

/// Feeds bytes to the guard's parser, once as a whole and once in pieces as long as the first byte says, and panics if that makes a
/// difference or if more is held back than a head.
pub fn fuzz_guard(data: &[u8]) {
    if let Some((piece, stream)) = data.split_first() {
        let whole = Outcome::of(stream, stream.len().max(1), LIMITS);
        let split = Outcome::of(stream, usize::from(*piece).max(1), LIMITS);
        assert!(whole == split, "{whole:?} became {split:?}");
    }
}

/// What became of a stream of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// What went on.
    pub(super) bytes: BytesMut,
    pub(super) notes: Vec<Note>,
    pub(super) messages: u64,
    pub(super) stage: Stage,
}

impl Outcome {
    /// Reads `stream` in pieces of a size, as if every upgrade was answered at once.
    pub(super) fn of(stream: &[u8], piece: usize, limits: HeadLimits) -> Self {
        Self::of_pieces(stream.chunks(piece), limits)
    }

    pub(super) fn of_pieces<'b>(pieces: impl Iterator<Item = &'b [u8]>, limits: HeadLimits) -> Self {
        let notes = Notes::default();
        let mut framing = Framing::new(limits, notes.clone());
        let mut bytes = BytesMut::new();
        for piece in pieces {
            let pass = framing.read(piece);
            bytes.extend_from_slice(&piece[..pass]);
            framing.stay_all(&mut bytes);
            assert!(framing.held() <= limits.head + piece.len(), "{} bytes are held", framing.held());
        }
        framing.end();
        framing.stay_all(&mut bytes);
        let messages = framing.messages();
        let notes = (0..messages).filter_map(|ordinal| notes.take(ordinal)).collect();
        Self { bytes, notes, messages, stage: framing.stage() }
    }
}

impl Framing {
    /// Collects what is ready, past any number of upgrades.
    fn stay_all(&mut self, bytes: &mut BytesMut) {
        loop {
            let mut space = [0; 100];
            let mut buffer = ReadBuf::new(&mut space);
            while self.deliver(&mut buffer) {
                bytes.extend_from_slice(buffer.filled());
                buffer.clear();
            }
            if self.stage() != Stage::Upgrade {
                return;
            }
            self.stay();
        }
    }
}
