//! Currencies, and how many decimals each has.

use std::fmt;

/// A currency's code: three letters (ISO 4217).
///
/// Codes that are not in the standard count too, with two decimals: an amount in one of them is still worth showing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

/// The currencies with other than two decimals (ISO 4217, list one of 2024-06-25).
const DECIMALS: &[(&str, u32)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// Signs that everybody reads as one currency. The dollar and the yen sign stand for the currency that bears them alone.
const SYMBOLS: &[(&str, &str)] =
    &[("EUR", "€"), ("GBP", "£"), ("INR", "₹"), ("JPY", "¥"), ("KRW", "₩"), ("USD", "$"), ("VND", "₫")];

impl Currency {
    /// The currency of this code, in upper or lower case; none if the text is not three ASCII letters.
    pub fn of(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    /// The code, in upper case.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made of ASCII letters only")
    }

    /// How many decimals its amounts are written with.
    pub fn decimals(&self) -> u32 {
        look_up(DECIMALS, self.code()).unwrap_or(2)
    }

    /// The sign that stands before amounts; none if the code does.
    pub fn symbol(&self) -> Option<&'static str> {
        look_up(SYMBOLS, self.code())
    }
}

fn look_up<T: Copy>(table: &[(&str, T)], code: &str) -> Option<T> {
    table.iter().find(|(key, _)| *key == code).map(|(_, value)| *value)
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_letters_are_a_code() {
        assert_eq!(Currency::of("inr").unwrap().code(), "INR");
        for text in ["", "IN", "INRX", "I\u{20b9}", "1NR", "\u{1b}[m"] {
            assert_eq!(Currency::of(text), None, "{text:?}");
        }
    }
}
