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

/// Fills `bits` with the sieve of the texts. False: there is too much text for one, and the row must be looked at itself.
pub(crate) fn fill(bits: &mut Vec<u8>, texts: &[&[u8]]) -> bool {
    let length: usize = texts.iter().map(|text| text.len()).sum();
    bits.clear();
    if length > LONGEST_TEXT {
        return false;
    }
    // A bit per byte of text: JSON repeats its words, so about four in ten are set.
    let count = length.next_power_of_two().max(FEWEST_BITS);
    bits.resize(count / 8, 0);
    let shift = shift_for(bits.len());
    for text in texts {
        for hash in trigrams(text) {
            let place = hash >> shift;
            bits[place as usize / 8] |= 1 << (place % 8);
        }
    }
    true
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
        // Three bytes are left of four: the oldest is shifted away.
        latest = (latest << 8) | u32::from(byte.to_ascii_lowercase());
        (latest << 8).wrapping_mul(MIXER)
    });
    hashes.skip(TRIGRAM - 1)
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
            let mut bits = Vec::new();
            prop_assert!(fill(&mut bits, &[&text, b"other"]));
            let from = if text.is_empty() { 0 } else { from.index(text.len()) };
            let part = &text[from..text.len().min(from + length)];
            let shouted = part.to_ascii_uppercase();
            prop_assert!(passes(&bits, &trigrams(&shouted).collect::<Vec<_>>()));
        }
    }

    #[test]
    fn what_is_not_there_mostly_stays_behind() {
        let body = include_bytes!("../../examples/shop/events/payment.captured.json");
        let mut bits = Vec::new();
        assert!(fill(&mut bits, &[body]));
        let ids = (0..1000_u32).map(|number| format!("pay_{:x}", number.wrapping_mul(MIXER)));
        let passed = ids.filter(|id| passes(&bits, &hashes(id))).count();
        assert!(passed < 20, "{passed} of 1,000 ids passed");
    }

    #[test]
    fn a_long_text_and_a_foreign_sieve_hide_nothing() {
        let mut bits = Vec::new();
        assert!(!fill(&mut bits, &[&vec![b'x'; LONGEST_TEXT + 1]]));
        assert!(bits.is_empty());
        assert!(passes(&bits, &hashes("pay_29Q")) && passes(&[0; 65], &hashes("pay_29Q")));
    }
}
