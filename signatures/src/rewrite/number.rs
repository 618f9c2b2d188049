//! Numbers as other programs print them after they read them.

use std::io::Write as _;

/// Who prints the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// As it was spelled: nobody made a number of it.
    Kept,
    /// ECMAScript `Number::toString` (ECMA-262 §6.1.6.1.20); an infinite one becomes `null`.
    JavaScript,
    /// Go's `encoding/json` into `any`: a float64, printed as ECMAScript does, but with a negative zero.
    Go,
    /// Python's `json`: integers of any length, floats by `repr`.
    Python,
    /// PHP with `serialize_precision = -1`, the default since 7.1: integers of 64 bits, floats without `.0`.
    Php,
    /// Ruby's `json`: integers of any length, floats by `to_s`.
    Ruby,
    /// Java's Jackson: integers of any length, `Double.toString` (JDK 19 and later).
    Java,
    /// PostgreSQL's `numeric`, which `jsonb` keeps: every digit, without an exponent.
    Postgres,
}

impl Numbers {
    /// Whether the program takes `NaN` and `Infinity` and writes them again.
    pub(crate) fn reads_not_finite(self) -> bool {
        matches!(self, Self::Kept | Self::Python)
    }
}

/// Appends `token` as it comes out; `None` if the program refuses it.
pub(crate) fn write(token: &str, numbers: Numbers, out: &mut Vec<u8>) -> Option<()> {
    let integer = !token.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    match numbers {
        Numbers::Kept => out.extend_from_slice(token.as_bytes()),
        Numbers::Python | Numbers::Ruby | Numbers::Java if integer => whole(token, numbers, out)?,
        Numbers::Php if integer && token != "-0" && token.parse::<i64>().is_ok() => {
            out.extend_from_slice(token.as_bytes());
        }
        Numbers::Postgres => numeric(token, out)?,
        _ => double(token.parse().ok()?, numbers, out)?,
    }
    Some(())
}

/// Programs with integers of any length.
fn whole(token: &str, numbers: Numbers, out: &mut Vec<u8>) -> Option<()> {
    /// CPython refuses to read a longer integer (`sys.int_info.default_max_str_digits`).
    const PYTHON_DIGITS: usize = 4_300;

    if numbers == Numbers::Python && token.trim_start_matches('-').len() > PYTHON_DIGITS {
        return None;
    }
    out.extend_from_slice(if token == "-0" { b"0" } else { token.as_bytes() });
    Some(())
}

/// The shortest decimal digits that stand for a double: `0.d₁d₂… × 10^point`.
struct Digits {
    text: [u8; Self::LONGEST],
    count: usize,
    point: i32,
}

impl Digits {
    /// 17 digits tell any two doubles apart; the rest is for the full stop and the exponent while they are read.
    const LONGEST: usize = 32;

    fn of(magnitude: f64) -> Option<Self> {
        let mut text = [0; Self::LONGEST];
        let mut free = &mut text[..];
        write!(free, "{magnitude:e}").ok()?;
        let length = Self::LONGEST - free.len();
        let split = text[..length].iter().position(|byte| *byte == b'e')?;
        let exponent: i32 = std::str::from_utf8(&text[split + 1..length]).ok()?.parse().ok()?;
        let count = if split > 1 {
            text.copy_within(2..split, 1);
            split - 1
        } else {
            1
        };
        Some(Self { text, count, point: exponent + 1 })
    }

    fn digits(&self) -> &[u8] {
        &self.text[..self.count]
    }

    /// Without an exponent; `zero` is what stands behind an integer.
    fn fixed(&self, zero: &[u8], out: &mut Vec<u8>) {
        let digits = self.digits();
        let zeros = |out: &mut Vec<u8>, count: usize| out.resize(out.len() + count, b'0');
        match usize::try_from(self.point) {
            Ok(point) if point >= digits.len() => {
                out.extend_from_slice(digits);
                zeros(out, point - digits.len());
                out.extend_from_slice(zero);
            }
            Ok(point) if point > 0 => {
                out.extend_from_slice(&digits[..point]);
                out.push(b'.');
                out.extend_from_slice(&digits[point..]);
            }
            _ => {
                out.extend_from_slice(b"0.");
                zeros(out, self.point.unsigned_abs() as usize);
                out.extend_from_slice(digits);
            }
        }
    }

    /// One digit, the others behind a full stop, and an exponent.
    fn scientific(&self, form: &Scientific, out: &mut Vec<u8>) {
        let (first, rest) = self.digits().split_at(1);
        out.extend_from_slice(first);
        if rest.is_empty() {
            out.extend_from_slice(form.zero);
        } else {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        let exponent = self.point - 1;
        out.extend_from_slice(if exponent < 0 { form.minus } else { form.plus });
        let exponent = exponent.unsigned_abs();
        let width = form.exponent_digits;
        // Writing to a vector can't fail.
        let _ = write!(out, "{exponent:0width$}");
    }
}

/// How a program writes an exponent.
struct Scientific {
    /// What stands behind a single digit.
    zero: &'static [u8],
    plus: &'static [u8],
    minus: &'static [u8],
    /// The fewest digits of the exponent.
    exponent_digits: usize,
}

const SHORT: Scientific = Scientific { zero: b"", plus: b"e+", minus: b"e-", exponent_digits: 1 };

/// Programs whose number is a double.
fn double(value: f64, numbers: Numbers, out: &mut Vec<u8>) -> Option<()> {
    let negative = value.is_sign_negative();
    if value.is_infinite() {
        let word: &[u8] = match numbers {
            Numbers::JavaScript => b"null",
            Numbers::Python if negative => b"-Infinity",
            Numbers::Python => b"Infinity",
            _ => return None,
        };
        out.extend_from_slice(word);
        return Some(());
    }
    if negative && !(value == 0.0 && numbers == Numbers::JavaScript) {
        out.push(b'-');
    }
    let digits = Digits::of(value.abs())?;
    // Of zero, the exponent says nothing.
    let point = if value == 0.0 { 1 } else { digits.point };
    // Where the number is written without an exponent, what stands behind an integer, and the exponent's form.
    let (fixed, zero, form) = match numbers {
        Numbers::Python => (-3..=16, &b".0"[..], Scientific { exponent_digits: 2, ..SHORT }),
        Numbers::Ruby => (-3..=16, &b".0"[..], Scientific { zero: b".0", exponent_digits: 2, ..SHORT }),
        Numbers::Php => (-3..=17, &b""[..], Scientific { zero: b".0", ..SHORT }),
        Numbers::Java => (-2..=7, &b".0"[..], Scientific { zero: b".0", plus: b"E", minus: b"E-", ..SHORT }),
        _ => (-5..=21, &b""[..], SHORT),
    };
    if fixed.contains(&point) {
        digits.fixed(zero, out);
    } else {
        digits.scientific(&form, out);
    }
    Some(())
}

/// Every digit as spelled, the exponent carried out.
fn numeric(token: &str, out: &mut Vec<u8>) -> Option<()> {
    /// Longer than any number that a webhook carries, and short enough to write out.
    const EXPONENT_LIMIT: i64 = 1_000;

    let (sign, rest) = token.strip_prefix('-').map_or(("", token), |rest| ("-", rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    if exponent.abs() > EXPONENT_LIMIT {
        return None;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let scale = i64::try_from(fraction.len()).ok()? - exponent;
    // There is no negative zero.
    if digits.iter().any(|digit| *digit != b'0') {
        out.extend_from_slice(sign.as_bytes());
    }
    let digit = |index: i64| usize::try_from(index).ok().and_then(|index| digits.get(index)).copied().unwrap_or(b'0');
    let first = (0..point).find(|index| digit(*index) != b'0').unwrap_or_else(|| (point - 1).max(0));
    if point <= 0 {
        out.push(b'0');
    } else {
        out.extend((first..point).map(digit));
    }
    if scale > 0 {
        out.push(b'.');
        out.extend((point..point + scale).map(digit));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(token: &str, numbers: Numbers) -> Option<String> {
        let mut out = Vec::new();
        write(token, numbers, &mut out)?;
        Some(String::from_utf8(out).unwrap())
    }

    /// What node 20 and CPython 3 print; the others from their sources (see [`Numbers`]).
    #[test]
    fn as_other_programs_print_them() {
        #[rustfmt::skip]
        let expected = [
            // token, JavaScript, Python, PHP, Ruby, Java, PostgreSQL
            ("0", "0", "0", "0", "0", "0", "0"),
            ("-0", "0", "0", "-0", "0", "0", "0"),
            ("-0.0", "0", "-0.0", "-0", "-0.0", "-0.0", "0.0"),
            ("170.00", "170", "170.0", "170", "170.0", "170.0", "170.00"),
            ("1.50", "1.5", "1.5", "1.5", "1.5", "1.5", "1.50"),
            ("1e3", "1000", "1000.0", "1000", "1000.0", "1000.0", "1000"),
            ("1E-2", "0.01", "0.01", "0.01", "0.01", "0.01", "0.01"),
            ("1.5e1", "15", "15.0", "15", "15.0", "15.0", "15"),
            ("0.0001", "0.0001", "0.0001", "0.0001", "0.0001", "1.0E-4", "0.0001"),
            ("0.00001", "0.00001", "1e-05", "1.0e-5", "1.0e-05", "1.0E-5", "0.00001"),
            ("0.000001", "0.000001", "1e-06", "1.0e-6", "1.0e-06", "1.0E-6", "0.000001"),
            ("1.25e-7", "1.25e-7", "1.25e-07", "1.25e-7", "1.25e-07", "1.25E-7", "0.000000125"),
            ("10000000.0", "10000000", "10000000.0", "10000000", "10000000.0", "1.0E7", "10000000.0"),
            ("1e15", "1000000000000000", "1000000000000000.0", "1000000000000000", "1000000000000000.0", "1.0E15",
                "1000000000000000"),
            ("1e16", "10000000000000000", "1e+16", "10000000000000000", "1.0e+16", "1.0E16", "10000000000000000"),
            ("1e17", "100000000000000000", "1e+17", "1.0e+17", "1.0e+17", "1.0E17", "100000000000000000"),
            ("1e21", "1e+21", "1e+21", "1.0e+21", "1.0e+21", "1.0E21", "1000000000000000000000"),
            ("9007199254740993", "9007199254740992", "9007199254740993", "9007199254740993", "9007199254740993",
                "9007199254740993", "9007199254740993"),
            ("12345678901234567890", "12345678901234567000", "12345678901234567890", "1.2345678901234567e+19",
                "12345678901234567890", "12345678901234567890", "12345678901234567890"),
            ("-123.456e-1", "-12.3456", "-12.3456", "-12.3456", "-12.3456", "-12.3456", "-12.3456"),
            ("5e-324", "5e-324", "5e-324", "5.0e-324", "5.0e-324", "5.0E-324", &format!("0.{}5", "0".repeat(323))),
        ];
        for (token, javascript, python, php, ruby, java, postgres) in expected {
            for (numbers, expected) in [
                (Numbers::JavaScript, javascript),
                (Numbers::Python, python),
                (Numbers::Php, php),
                (Numbers::Ruby, ruby),
                (Numbers::Java, java),
                (Numbers::Postgres, postgres),
            ] {
                assert_eq!(printed(token, numbers).as_deref(), Some(expected), "{token} {numbers:?}");
            }
        }
        assert_eq!(printed("-0", Numbers::Go).as_deref(), Some("-0"));
        assert_eq!(printed("1e999", Numbers::JavaScript).as_deref(), Some("null"));
        assert_eq!(printed("-1e999", Numbers::Python).as_deref(), Some("-Infinity"));
    }

    #[test]
    fn what_a_program_refuses() {
        for numbers in [Numbers::Go, Numbers::Php, Numbers::Ruby, Numbers::Java] {
            assert_eq!(printed("1e999", numbers), None, "{numbers:?}");
        }
        assert_eq!(printed(&"1".repeat(4_301), Numbers::Python), None);
        assert_eq!(printed("1e99999", Numbers::Postgres), None);
    }
}
