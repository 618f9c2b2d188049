//! Which texts can't hold what is searched for, told without reading them.
//!
//! A sieve is one bit set per trigram: three bytes in a row, letters in lower case. A text that holds `pay_29Q` has the
//! trigrams `pay`, `ay_`, `y_2` and so on, so a row whose sieve lacks one of them needs no look at its bodies. Of 100,000
//! webhooks of 1.6 kB a search then reads some 25 MB instead of 200.

/// Bits of the smallest sieve: a request with a few headers.
const FEWEST_BITS: usize = 512;

/// Text from which no sieve is made, in bytes: it would hold nearly every trigram, and take longer than writing the row.
const LONGEST_TEXT: usize = 128 << 10;

/// How long the pieces are that a sieve knows.
pub(crate) const TRIGRAM: usize = 3;

/// An odd number with its bits well mixed: 2³² divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4).
const MIXER: u32 = 0x9E37_79B9;

/// Makes sieves, one after the other in the same memory.
#[derive(Debug, Default)]
pub(crate) struct Maker {
    bits: Vec<u8>,
    /// A byte for each of the bits: setting one waits for no other, which is twice as fast as setting bits.
    flags: Vec<u8>,
    lower: Vec<u8>,
}

impl Maker {
    /// The sieve of the texts. None: there is too much text for one, and the row must be looked at itself.
    pub(crate) fn of(&mut self, texts: &[&[u8]]) -> Option<&[u8]> {
        let length: usize = texts.iter().map(|text| text.len()).sum();
        if length > LONGEST_TEXT {
            return None;
        }
        // A bit per byte of text: JSON repeats its words, so about four in ten are set.
        let count = length.next_power_of_two().max(FEWEST_BITS);
        self.flags.clear();
        self.flags.resize(count, 0);
        for text in texts {
            self.mark(text);
        }
        self.bits.clear();
        let (eights, _) = self.flags.as_chunks();
        self.bits.extend(eights.iter().map(|flags| packed(*flags)));
        Some(&self.bits)
    }

    fn mark(&mut self, text: &[u8]) {
        let shift = shift_for(self.flags.len() / 8);
        let last = self.flags.len() - 1;
        self.lower.clear();
        self.lower.extend(text.iter().map(u8::to_ascii_lowercase));
        // Each trigram is read as four bytes, of which the last does not count.
        self.lower.push(0);
        for four in self.lower.array_windows() {
            let trigram = u32::from_be_bytes(*four) >> 8;
            // The length is a power of two, so that the mask changes nothing but what the compiler knows.
            self.flags[(hash(trigram) >> shift) as usize & last] = 1;
        }
    }
}

/// Whether all of these hashes of trigrams are in the sieve: whether the text may hold what they came from.
pub(crate) fn passes(bits: &[u8], hashes: &[u32]) -> bool {
    if !bits.len().is_power_of_two() || bits.len() < FEWEST_BITS / 8 {
        // Not one of ours: only a look at the text itself can tell.
        return true;
    }
    let shift = shift_for(bits.len());
    hashes.iter().all(|hash| {
        let place = hash >> shift;
        bits[place as usize / 8] & (1 << (place % 8)) != 0
    })
}

/// The hashes of the trigrams of a text.
pub(crate) fn trigrams(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut latest = 0_u32;
    let hashes = text.iter().map(move |byte| {
        latest = (latest << 8) | u32::from(byte.to_ascii_lowercase());
        hash(latest)
    });
    hashes.skip(TRIGRAM - 1)
}

/// Eight flags as the bits of a byte, the first as its lowest: the product moves each to a place of its own in the highest byte.
fn packed(flags: [u8; 8]) -> u8 {
    (u64::from_le_bytes(flags).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// The hash of three bytes; a fourth one, before them, is shifted away.
fn hash(trigram: u32) -> u32 {
    (trigram << 8).wrapping_mul(MIXER)
}

/// The high bits of a product are its best mixed ones: as many are kept as name one of the bits in `bytes` bytes.
fn shift_for(bytes: usize) -> u32 {
    u32::BITS - (bytes * 8).trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hashes(text: &str) -> Vec<u32> {
        trigrams(text.as_bytes()).collect()
    }

    proptest! {
        #[test]
        fn what_is_there_passes(text: Vec<u8>, from: prop::sample::Index, length in 0_usize..20) {
            let mut maker = Maker::default();
            maker.of(&[b"what was there before leaves nothing"]);
            let bits = maker.of(&[&text, b"other"]).unwrap();
            let from = if text.is_empty() { 0 } else { from.index(text.len()) };
            let part = &text[from..text.len().min(from + length)];
            let shouted = part.to_ascii_uppercase();
            prop_assert!(passes(bits, &trigrams(&shouted).collect::<Vec<_>>()));
        }
    }

    // Stores of earlier versions hold sieves: the same bits must mean the same trigrams for ever.
    #[test]
    fn exactly_the_trigrams_of_the_texts_are_set() {
        let texts: [&[u8]; 5] = [b"Payment.Captured", b"", b"ab", b"xyz", &[0xff, 0, b'Z', 0x80, b'['].repeat(200)];
        let mut maker = Maker::default();
        let bits = maker.of(&texts).unwrap();
        let mut expected = vec![0_u8; 1024 / 8];
        for text in texts {
            for three in text.windows(TRIGRAM) {
                let number = three.iter().fold(0, |number, byte| number << 8 | u32::from(byte.to_ascii_lowercase()));
                let place = ((number << 8).wrapping_mul(MIXER) >> (u32::BITS - 10)) as usize;
                expected[place / 8] |= 1 << (place % 8);
            }
        }
        assert_eq!(bits, expected);
    }

    #[test]
    fn what_is_not_there_mostly_stays_behind() {
        let body = include_bytes!("../../examples/shop/events/payment.captured.json");
        let mut maker = Maker::default();
        let bits = maker.of(&[body]).unwrap();
        let ids = (0..1000_u32).map(|number| format!("pay_{:x}", number.wrapping_mul(MIXER)));
        let passed = ids.filter(|id| passes(bits, &hashes(id))).count();
        assert!(passed < 20, "{passed} of 1,000 ids passed");
    }

    #[test]
    fn a_long_text_and_a_foreign_sieve_hide_nothing() {
        assert_eq!(Maker::default().of(&[&vec![b'x'; LONGEST_TEXT + 1]]), None);
        assert!(passes(&[], &hashes("pay_29Q")) && passes(&[0; 65], &hashes("pay_29Q")));
    }
}
