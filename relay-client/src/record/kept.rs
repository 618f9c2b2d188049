//! The beginning of a body, kept while it passes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;

/// Bytes of all bodies together that are kept before the store has them: a burst of 64 of the size that gateways send at most (512 KiB), or
/// 20,000 usual ones. Beyond it bodies are cut short, and nothing waits.
const HELD: usize = 32 * 1024 * 1024;

/// A piece of at least this size is shared rather than copied. The message that it came in is then kept alive with it, and holds at
/// most eight times as much.
pub(super) const SHARED: usize = 16 * 1024;

/// What may be kept of one body, and of all of them.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// Bytes of one body.
    cap: usize,
    /// Bytes of all bodies, as kept now.
    held: AtomicUsize,
}

impl Allowance {
    /// With at most `cap` bytes of each body.
    pub(crate) fn new(cap: usize) -> Arc<Self> {
        Arc::new(Self { cap, held: AtomicUsize::new(0) })
    }

    /// Grants as much as is left.
    fn take(&self, wanted: usize) -> usize {
        let before = self.held.fetch_add(wanted, Ordering::Relaxed);
        let granted = wanted.min(HELD.saturating_sub(before));
        self.held.fetch_sub(wanted - granted, Ordering::Relaxed);
        granted
    }
}

/// The beginning of a body. What it holds counts against the allowance for as long as it lives.
#[derive(Debug)]
pub(crate) struct Kept {
    allowance: Arc<Allowance>,
    /// Large pieces, and what was copied before each; in order.
    pieces: Vec<Bytes>,
    /// Small pieces behind them, one after the other.
    copied: Vec<u8>,
    length: usize,
    /// There was no room for a piece: what follows would leave a hole.
    full: bool,
}

impl Kept {
    /// Nothing yet.
    pub(crate) fn new(allowance: Arc<Allowance>) -> Self {
        Self { allowance, pieces: Vec::new(), copied: Vec::new(), length: 0, full: false }
    }

    /// Keeps a piece, or as much of it as there is room for; whether that is all of it.
    pub(crate) fn push(&mut self, piece: &Bytes) -> bool {
        if self.full {
            return piece.is_empty();
        }
        let wanted = piece.len().min(self.allowance.cap - self.length);
        let granted = self.allowance.take(wanted);
        self.full = granted < piece.len();
        self.length += granted;
        if granted >= SHARED {
            if !self.copied.is_empty() {
                self.pieces.push(std::mem::take(&mut self.copied).into());
            }
            self.pieces.push(piece.slice(..granted));
        } else {
            self.copied.extend_from_slice(&piece[..granted]);
        }
        !self.full
    }

    /// How many bytes are kept.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Whether it was the cap for one body that ended it, rather than a lack of memory.
    pub(crate) fn reached_cap(&self) -> bool {
        self.length == self.allowance.cap
    }

    /// All of it, piece by piece.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(AsRef::as_ref).chain([self.copied.as_slice()])
    }

    /// The same, in memory that can be handed on.
    pub(crate) fn shared_pieces(&self) -> impl Iterator<Item = Bytes> {
        self.pieces.iter().cloned().chain([Bytes::copy_from_slice(&self.copied)])
    }

    /// All of it in one piece, which no longer counts as held.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        let copied = std::mem::take(&mut self.copied);
        match (self.pieces.as_mut_slice(), copied.is_empty()) {
            ([], _) => copied.into(),
            ([only], true) => std::mem::take(only),
            (pieces, _) => {
                pieces.iter().map(AsRef::as_ref).chain([copied.as_slice()]).collect::<Vec<_>>().concat().into()
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.allowance.held.fetch_sub(self.length, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cap: usize, pieces: &[&[u8]]) -> (Kept, Vec<bool>) {
        let mut kept = Kept::new(Allowance::new(cap));
        let whole = pieces.iter().map(|piece| kept.push(&Bytes::copy_from_slice(piece))).collect();
        (kept, whole)
    }

    #[test]
    fn small_and_large_pieces_keep_their_order() {
        let large = vec![b'x'; SHARED];
        let pieces: [&[u8]; 5] = [b"a", b"b", &large, b"c", &large];
        let (kept, whole) = kept(1 << 20, &pieces);
        assert_eq!(whole, [true; 5]);
        assert_eq!(kept.pieces().collect::<Vec<_>>().concat(), pieces.concat());
        assert_eq!(kept.into_bytes(), pieces.concat());
    }

    #[test]
    fn one_piece_is_not_copied() {
        let piece = Bytes::from(vec![7; SHARED]);
        let mut kept = Kept::new(Allowance::new(SHARED));
        assert!(kept.push(&piece));
        assert_eq!(kept.into_bytes().as_ptr(), piece.as_ptr());
    }

    #[test]
    fn the_cap_ends_it_without_a_hole() {
        let (kept, whole) = kept(4, &[b"abc", b"defg", b"h", b""]);
        assert_eq!((whole.as_slice(), kept.len(), kept.reached_cap()), (&[true, false, false, true][..], 4, true));
        assert_eq!(kept.into_bytes(), "abcd");
        let (exact, whole) = self::kept(3, &[b"abc", b"", b"d"]);
        assert_eq!((whole.as_slice(), exact.len()), (&[true, true, false][..], 3));
    }

    #[test]
    fn all_bodies_together_are_bounded_and_give_back_what_they_held() {
        let allowance = Allowance::new(usize::MAX);
        let mut first = Kept::new(Arc::clone(&allowance));
        assert!(first.push(&vec![0; HELD - 10].into()));
        let mut second = Kept::new(Arc::clone(&allowance));
        assert!(!second.push(&vec![0; 20].into()));
        assert_eq!((second.len(), second.reached_cap()), (10, false));
        assert_eq!(allowance.held.load(Ordering::Relaxed), HELD);
        drop(first);
        // It has a hole already: no more of it is kept, although there is room again.
        assert!(!second.push(&vec![0; 20].into()));
        assert_eq!(second.into_bytes().len(), 10);
        assert_eq!(allowance.held.load(Ordering::Relaxed), 0);
    }
}
