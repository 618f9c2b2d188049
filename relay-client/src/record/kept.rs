//! The beginning of a body, kept while it passes.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

/// Bytes of all bodies together that are kept, wherever they are: on their way, before the recorder, or waiting to be written. A client
/// without them takes 12 to 24 MiB, and is to stay below 32. That is a burst of 8 of the size that gateways send at most (512 KiB), or
/// half a second of 5,000 usual ones. Beyond it bodies are cut short, and nothing waits.
const HELD: usize = 4 * 1024 * 1024;

/// Memory of at least this size is used again. It is let go by another thread than took it, and the allocator takes fresh pages for each
/// and gives the old ones back a second later: at 500 bodies of 1 MB a second that made 50 MiB out of six.
const USED_AGAIN: usize = 32 * 1024;

/// Memory taken for a body that announces more, before more of it is there; then [`MORE`] times as much each time. Whoever announces much and
/// sends little takes little from others.
const AT_FIRST: usize = 64 * 1024;

/// How much a body's memory grows by: what is there is copied each time, which for a body of 1 MiB makes 320 KiB. By two it was 960.
const MORE: usize = 4;

/// What may be kept of one body, and of all of them.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// Bytes of one body.
    cap: usize,
    /// Memory of all bodies that are kept now, in bytes.
    held: AtomicUsize,
    /// Memory to use again: with what is held, never more than may be.
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Allowance {
    /// With at most `cap` bytes of each body.
    pub(crate) fn new(cap: usize) -> Arc<Self> {
        Arc::new(Self { cap, held: AtomicUsize::new(0), spare: Mutex::default() })
    }

    /// Grants as much as is left.
    fn take(&self, wanted: usize) -> usize {
        let before = self.held.fetch_add(wanted, Ordering::Relaxed);
        let granted = wanted.min(HELD.saturating_sub(before));
        self.held.fetch_sub(wanted - granted, Ordering::Relaxed);
        granted
    }

    /// Memory for so many bytes.
    fn memory(&self, bytes: usize) -> Vec<u8> {
        if bytes >= USED_AGAIN {
            let mut spare = self.spare();
            // Much larger memory would be held for little.
            if let Some(fits) = spare.iter().position(|memory| (bytes..=bytes + bytes / 4).contains(&memory.capacity()))
            {
                return spare.swap_remove(fits);
            }
        }
        Vec::with_capacity(bytes)
    }

    /// Takes back memory, and so much of what was granted.
    fn give_back(&self, mut memory: Vec<u8>, granted: usize) {
        let held = self.held.fetch_sub(granted, Ordering::Relaxed) - granted;
        if memory.capacity() < USED_AGAIN {
            return;
        }
        memory.clear();
        let mut spare = self.spare();
        spare.push(memory);
        // The oldest go: other bodies come now.
        while held + spare.iter().map(Vec::capacity).sum::<usize>() > HELD {
            spare.remove(0);
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        // Nothing of ours panics while it holds the lock.
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory that counts against the allowance for as long as it lives.
#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    /// What its memory counts.
    granted: usize,
    allowance: Arc<Allowance>,
}

impl Held {
    fn nothing(allowance: Arc<Allowance>) -> Self {
        Self { bytes: Vec::new(), granted: 0, allowance }
    }

    /// Makes room for `wanted` bytes, of which there is as much as is granted. So many are known to follow.
    fn make_room(&mut self, wanted: usize, behind: u64) {
        let Self { bytes, granted, allowance } = self;
        let needed = bytes.len() + wanted;
        if needed <= *granted {
            return;
        }
        let announced = needed.saturating_add(usize::try_from(behind).unwrap_or(usize::MAX)).min(allowance.cap);
        let size = announced.min((*granted * MORE).max(AT_FIRST)).max(needed);
        let more = allowance.take(size - *granted);
        if more > 0 {
            let mut memory = allowance.memory(*granted + more);
            memory.extend_from_slice(bytes);
            allowance.give_back(mem::replace(bytes, memory), 0);
            *granted += more;
        }
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.allowance.give_back(mem::take(&mut self.bytes), self.granted);
    }
}

/// The beginning of a body, in one piece of memory. It is copied out of the messages that it comes in: a share of one would keep all of
/// it alive, and others' bodies with it.
#[derive(Debug)]
pub(crate) struct Kept {
    held: Held,
    /// All of it, once it is complete and somebody else needs it too.
    shared: Bytes,
    /// There was no room for a piece: what follows would leave a hole.
    full: bool,
}

impl Kept {
    /// Nothing yet.
    pub(crate) fn new(allowance: Arc<Allowance>) -> Self {
        Self { held: Held::nothing(allowance), shared: Bytes::new(), full: false }
    }

    /// Keeps a piece, or as much of it as there is room for; whether that is all of it. So many bytes are known to follow.
    pub(crate) fn push(&mut self, piece: &Bytes, behind: u64) -> bool {
        if self.full {
            return piece.is_empty();
        }
        let wanted = piece.len().min(self.held.allowance.cap - self.held.bytes.len());
        self.held.make_room(wanted, behind);
        let fits = wanted.min(self.held.granted - self.held.bytes.len());
        self.full = fits < piece.len();
        self.held.bytes.extend_from_slice(&piece[..fits]);
        !self.full
    }

    /// How many bytes are kept.
    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether it was the cap for one body that ended it, rather than a lack of memory.
    pub(crate) fn reached_cap(&self) -> bool {
        self.len() == self.held.allowance.cap
    }

    /// All of it.
    pub(crate) fn as_slice(&self) -> &[u8] {
        if self.shared.is_empty() { &self.held.bytes } else { &self.shared }
    }

    /// All of it, for somebody else too. Nothing more is kept.
    pub(crate) fn share(&mut self) -> Bytes {
        self.full = true;
        if self.shared.is_empty() {
            let empty = Held::nothing(Arc::clone(&self.held.allowance));
            self.shared = into_bytes(mem::replace(&mut self.held, empty));
        }
        self.shared.clone()
    }

    /// All of it. It counts as held for as long as anybody has it.
    pub(crate) fn into_bytes(self) -> Bytes {
        if self.shared.is_empty() { into_bytes(self.held) } else { self.shared }
    }
}

fn into_bytes(held: Held) -> Bytes {
    if held.bytes.is_empty() { Bytes::new() } else { Bytes::from_owner(held) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cap: usize, pieces: &[&[u8]]) -> (Kept, Vec<bool>) {
        let mut kept = Kept::new(Allowance::new(cap));
        let whole = pieces.iter().map(|piece| kept.push(&Bytes::copy_from_slice(piece), 0)).collect();
        (kept, whole)
    }

    #[test]
    fn pieces_are_joined_in_memory_of_the_right_size() {
        let mut kept = Kept::new(Allowance::new(100));
        assert!(kept.push(&Bytes::from_static(b"ab"), 4));
        assert_eq!(kept.held.bytes.capacity(), 6);
        assert!(kept.push(&Bytes::from_static(b"cdef"), 0));
        assert_eq!((kept.held.bytes.capacity(), kept.as_slice()), (6, &b"abcdef"[..]));
        // Who says a length takes no more than the cap, and need not keep to it.
        let mut liar = Kept::new(Allowance::new(100));
        assert!(liar.push(&Bytes::from_static(b"a"), u64::MAX));
        assert_eq!(liar.held.bytes.capacity(), 100);
        assert!(liar.push(&Bytes::from(vec![b'x'; 99]), 0));
        assert!(!liar.push(&Bytes::from_static(b"b"), 0));
        assert_eq!(liar.into_bytes().len(), 100);
    }

    // A queue of bodies that were cut held memory of their announced sizes, and counted as what was in it.
    #[test]
    fn what_is_announced_is_taken_as_it_comes_and_counts_as_the_memory_that_it_takes() {
        let allowance = Allowance::new(usize::MAX);
        let held = || allowance.held.load(Ordering::Relaxed);
        let mut kept = Kept::new(Arc::clone(&allowance));
        let piece = Bytes::from(vec![7; AT_FIRST / 2]);
        let mut behind = 1 << 20;
        for expected in [1, 1, MORE, MORE, MORE, MORE, MORE, MORE, MORE * MORE] {
            let expected = expected * AT_FIRST;
            behind -= piece.len() as u64;
            assert!(kept.push(&piece, behind));
            assert_eq!((held(), kept.held.bytes.capacity()), (expected, expected));
        }
        drop(kept);
        assert_eq!(held(), 0);
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
    fn what_is_shared_is_complete_and_counts_once_and_until_the_last_has_let_it_go() {
        let (mut kept, _) = kept(4, &[b"abc", b"defg"]);
        let allowance = Arc::clone(&kept.held.allowance);
        let held = || allowance.held.load(Ordering::Relaxed);
        let (first, second) = (kept.share(), kept.share());
        assert_eq!((&first, &second, kept.as_slice(), kept.reached_cap()), (&first, &first, &b"abcd"[..], true));
        assert!(!kept.push(&Bytes::from_static(b"x"), 0));
        let own = kept.into_bytes();
        drop((first, second));
        assert_eq!((own.as_ref(), held()), (&b"abcd"[..], 4));
        drop(own);
        assert_eq!(held(), 0);
    }

    #[test]
    fn the_memory_of_large_bodies_is_used_again_and_of_no_more_than_may_be_held() {
        let allowance = Allowance::new(usize::MAX);
        let spare = || allowance.spare().iter().map(Vec::capacity).collect::<Vec<_>>();
        let large = |bytes: usize| {
            let mut kept = Kept::new(Arc::clone(&allowance));
            assert!(kept.push(&vec![7; bytes].into(), 0));
            kept.into_bytes()
        };
        let first = large(USED_AGAIN);
        let address = first.as_ptr();
        drop(first);
        assert_eq!(spare(), [USED_AGAIN]);
        drop(large(USED_AGAIN - 1));
        assert_eq!(spare(), [USED_AGAIN], "what is small is the allocator's");
        let again = large(USED_AGAIN);
        assert_eq!((again.as_ptr(), again.len(), spare().len()), (address, USED_AGAIN, 0));
        drop(again);
        drop([large(HELD / 2), large(HELD / 2)]);
        assert_eq!(spare(), [HELD / 2; 2], "the oldest went");
        drop(large(HELD / 8));
        assert_eq!(spare(), [HELD / 2, HELD / 8], "much larger memory is not taken for less");
        let held = large(HELD / 2 + 1);
        drop(large(HELD / 8));
        assert_eq!(spare(), [HELD / 8], "nothing is spare that would be too much");
        drop(held);
    }

    #[test]
    fn all_bodies_together_are_bounded_and_give_back_what_they_held() {
        let allowance = Allowance::new(usize::MAX);
        let mut first = Kept::new(Arc::clone(&allowance));
        assert!(first.push(&vec![0; HELD - 10].into(), 0));
        let mut second = Kept::new(Arc::clone(&allowance));
        assert!(!second.push(&vec![0; 20].into(), 0));
        assert_eq!((second.len(), second.reached_cap()), (10, false));
        assert_eq!(allowance.held.load(Ordering::Relaxed), HELD);
        let waits = first.into_bytes();
        assert_eq!(allowance.held.load(Ordering::Relaxed), HELD, "what waits to be written still counts");
        drop(waits);
        // It has a hole already: no more of it is kept, although there is room again.
        assert!(!second.push(&vec![0; 20].into(), 0));
        assert_eq!(second.into_bytes().len(), 10);
        assert_eq!(allowance.held.load(Ordering::Relaxed), 0);
    }
}
