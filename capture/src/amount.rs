//! The money that an event is about.

mod currency;
mod extract;

use std::fmt;

pub use currency::Currency;
pub(crate) use extract::amount;

/// A sum of money in the smallest unit of its currency (ISO 4217).
///
/// Displayed with its decimals: `₹500.00`, `¥500`, `KWD 1.234`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// How many of the currency's smallest units: paise, cents, yen.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.currency.decimals();
        let unit = 10_u64.pow(decimals);
        let minor = self.minor.unsigned_abs();
        if self.minor < 0 {
            f.write_str("-")?;
        }
        match self.currency.symbol() {
            Some(symbol) => f.write_str(symbol)?,
            None => write!(f, "{} ", self.currency)?,
        }
        write!(f, "{}", minor / unit)?;
        if decimals == 0 { Ok(()) } else { write!(f, ".{:0width$}", minor % unit, width = decimals as usize) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_with_the_decimals_of_its_currency() {
        let cases = [
            (50_000, "INR", "₹500.00"),
            (1_200, "usd", "$12.00"),
            (500, "JPY", "¥500"),
            (1_234, "KWD", "KWD 1.234"),
            (7, "EUR", "€0.07"),
            (-7, "CHF", "-CHF 0.07"),
            (12_345, "CLF", "CLF 1.2345"),
            (i64::MIN, "GBP", "-£92233720368547758.08"),
        ];
        for (minor, code, text) in cases {
            assert_eq!(Amount { minor, currency: Currency::of(code).unwrap() }.to_string(), text);
        }
    }
}
