//! Hashing of stream numbers.

use std::hash::Hasher;

/// Stream numbers count up, so spreading their bits is all the hashing they need. The peer can't choose them to collide:
/// the relay makes them, and a client gains nothing by slowing itself down.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StreamHasher(u64);

impl Hasher for StreamHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // The multiplier of Fibonacci hashing: 2^64 divided by the golden ratio.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
