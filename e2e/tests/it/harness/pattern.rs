//! Bytes that follow from their position: a body of any size can be checked as it streams by, without holding it.

/// Where in the endless pattern we are.
#[derive(Debug, Default)]
pub(crate) struct Pattern {
    position: u64,
}

impl Pattern {
    /// The next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        let start = self.position;
        self.position += length as u64;
        let mut bytes: Vec<u8> = Vec::with_capacity(length + 16);
        for index in start / 8..=self.position / 8 {
            bytes.extend_from_slice(&mix(index).to_le_bytes());
        }
        bytes.drain(..(start % 8) as usize);
        bytes.truncate(length);
        bytes
    }

    /// Goes on by `bytes`, which must be what comes next.
    pub(crate) fn check(&mut self, bytes: &[u8]) {
        let start = self.position;
        assert!(self.take(bytes.len()) == bytes, "the body differs within {} bytes of {start}", bytes.len());
    }

    /// How many bytes were taken or checked.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}

/// The output function of SplitMix64 (Steele, Lea, Flood 2014): no two words of the pattern look alike.
fn mix(index: u64) -> u64 {
    let mut word = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[test]
fn the_pattern_is_the_same_however_it_is_cut() {
    let whole = Pattern::default().take(1000);
    let mut cut = Pattern::default();
    let pieces: Vec<u8> = [0, 1, 7, 8, 9, 500, 475].into_iter().flat_map(|length| cut.take(length)).collect();
    assert!(whole == pieces);
}
