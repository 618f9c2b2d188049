//! The tokens of JSON (RFC 8259) as they stand in the text: nothing is turned into a value.

use std::ops::Range;

/// A piece of JSON's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Open(Bracket),
    Close(Bracket),
    Comma,
    Colon,
    String,
    Number,
    Literal,
    /// A byte that no token begins with.
    Unknown,
}

/// What a container is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bracket {
    Object,
    Array,
}

/// Where a text stops being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The offset of the first byte that does not belong there; the text's length if more should have come.
    pub(crate) at: usize,
    /// What should have stood there, as after "expected".
    pub(crate) expected: &'static str,
}

/// Reads a text token by token.
pub(crate) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    /// Up to where the text is UTF-8 (RFC 8259 §8.1).
    utf8: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let utf8 = str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
        let at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { text, at, utf8 }
    }

    /// The next token and where it stands; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(Token, Range<usize>)>, Stop> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
        let start = self.at;
        let Some(&byte) = self.text.get(start) else { return Ok(None) };
        let (token, end) = match byte {
            b'{' => (Token::Open(Bracket::Object), start + 1),
            b'[' => (Token::Open(Bracket::Array), start + 1),
            b'}' => (Token::Close(Bracket::Object), start + 1),
            b']' => (Token::Close(Bracket::Array), start + 1),
            b',' => (Token::Comma, start + 1),
            b':' => (Token::Colon, start + 1),
            b'"' => (Token::String, self.string_end()?),
            b'-' | b'0'..=b'9' => (Token::Number, self.number_end()?),
            _ => self.literal(),
        };
        self.at = end;
        Ok(Some((token, start..end)))
    }

    fn literal(&self) -> (Token, usize) {
        let rest = &self.text[self.at..];
        let literal = [&b"true"[..], b"false", b"null"].into_iter().find(|literal| rest.starts_with(literal));
        literal.map_or((Token::Unknown, self.at + 1), |literal| (Token::Literal, self.at + literal.len()))
    }

    /// Where the string that begins here ends, behind its quote.
    fn string_end(&self) -> Result<usize, Stop> {
        let mut at = self.at + 1;
        let end = loop {
            match self.text.get(at) {
                None => break Err(Stop { at: self.text.len(), expected: "the `\"` that ends the string" }),
                Some(b'"') => break Ok(at + 1),
                Some(b'\\') => match self.escape_end(at + 1) {
                    Ok(end) => at = end,
                    Err(stop) => break Err(stop),
                },
                Some(..b' ') => break Err(Stop { at, expected: "no control character in a string" }),
                Some(_) => at += 1,
            }
        };
        let reached = end.unwrap_or_else(|stop| stop.at);
        if reached > self.utf8 { Err(Stop { at: self.utf8, expected: "UTF-8" }) } else { end }
    }

    /// Where the escape ends whose character after the backslash is here.
    fn escape_end(&self, at: usize) -> Result<usize, Stop> {
        match self.text.get(at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
            Some(b'u') => {
                let digits = self.text[at + 1..].iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
                if digits == 4 {
                    Ok(at + 5)
                } else {
                    Err(Stop { at: at + 1 + digits, expected: "four hexadecimal digits after `\\u`" })
                }
            }
            _ => Err(Stop { at, expected: "one of `\"\\/bfnrtu` after the backslash" }),
        }
    }

    fn number_end(&self) -> Result<usize, Stop> {
        let mut at = self.at + usize::from(self.text[self.at] == b'-');
        let leading_zero = self.text.get(at) == Some(&b'0');
        let whole = at;
        at = self.digits_end(at)?;
        if leading_zero && at > whole + 1 {
            return Err(Stop { at: whole + 1, expected: "no digit after a leading `0`" });
        }
        if self.text.get(at) == Some(&b'.') {
            at = self.digits_end(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.text.get(at) {
            at += 1;
            if let Some(b'+' | b'-') = self.text.get(at) {
                at += 1;
            }
            at = self.digits_end(at)?;
        }
        Ok(at)
    }

    fn digits_end(&self, at: usize) -> Result<usize, Stop> {
        match self.text[at.min(self.text.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 => Err(Stop { at, expected: "a digit" }),
            digits => Ok(at + digits),
        }
    }
}

/// Some senders write it, though RFC 8259 §8.1 forbids it; parsers that refuse it say so themselves.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
