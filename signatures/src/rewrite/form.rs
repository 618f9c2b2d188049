//! Form bodies (`application/x-www-form-urlencoded`) as programs build them again after they read them.

use std::borrow::Cow;

use crate::caution::Language;

/// One way of writing a form. Facts of each program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FormDialect {
    pub(crate) name: &'static str,
    pub(crate) language: Language,
    /// What is written as it is, beside ASCII letters and digits.
    pub(crate) unreserved: &'static [u8],
    /// What a space becomes.
    pub(crate) space: &'static [u8],
    /// Keys in ascending order of their bytes, equal ones as they came.
    pub(crate) sorted: bool,
    /// Whether of equal keys only the last one stays.
    pub(crate) last_only: bool,
    /// Whether fields without a value stay.
    pub(crate) keeps_empty: bool,
}

/// WHATWG URL §5.2: `new URLSearchParams(body).toString()`; Ruby's `URI.encode_www_form` and Java's `URLEncoder` agree.
const JAVASCRIPT: FormDialect = FormDialect {
    name: "new URLSearchParams(body).toString()",
    language: Language::JavaScript,
    unreserved: b"*-._",
    space: b"+",
    sorted: false,
    last_only: false,
    keeps_empty: true,
};

/// npm `qs`, which Express uses for `urlencoded({ extended: true })`.
const QS: FormDialect =
    FormDialect { name: "qs.stringify(qs.parse(body))", unreserved: b"-._~", space: b"%20", ..JAVASCRIPT };

/// `encodeURIComponent` of every key and value (ECMA-262 §19.2.6.4).
const COMPONENTS: FormDialect =
    FormDialect { name: "encodeURIComponent of each field", unreserved: b"-_.!~*'()", ..QS };

/// PHP's `http_build_query` after `parse_str`: of equal keys the last.
const PHP: FormDialect = FormDialect {
    name: "http_build_query($_POST)",
    language: Language::Php,
    unreserved: b"-._",
    last_only: true,
    ..JAVASCRIPT
};

/// Python's `urllib.parse`; `parse_qsl` leaves empty values out.
const PYTHON: FormDialect = FormDialect {
    name: "urlencode(parse_qsl(body))",
    language: Language::Python,
    unreserved: b"_.-~",
    keeps_empty: false,
    ..JAVASCRIPT
};

/// As [`PYTHON`] with `keep_blank_values=True`.
const PYTHON_BLANK: FormDialect =
    FormDialect { name: "urlencode(parse_qsl(body, keep_blank_values=True))", keeps_empty: true, ..PYTHON };

/// Go's `url.Values`, a map that is written in order of its keys.
const GO: FormDialect = FormDialect {
    name: "url.Values.Encode of r.PostForm",
    language: Language::Go,
    unreserved: b"-_.~",
    sorted: true,
    ..JAVASCRIPT
};

/// The round trips of a developer's code, the most frequent first.
pub(crate) const FORM_ROUND_TRIPS: &[FormDialect] = &[JAVASCRIPT, QS, COMPONENTS, PHP, PYTHON_BLANK, PYTHON, GO];

/// A field, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl Field {
    /// The same field with another value.
    pub(crate) fn with_value(&self, value: Vec<u8>) -> Self {
        Self { name: self.name.clone(), value }
    }
}

/// More fields than any provider sends.
const FIELD_LIMIT: usize = 10_000;

/// The fields of a form body; `None` if it does not look like one: without any `=`, or with raw spaces or controls.
pub(crate) fn parse(body: &[u8]) -> Option<Vec<Field>> {
    let plausible = body.contains(&b'=') && body.iter().all(|byte| byte.is_ascii_graphic() || !byte.is_ascii());
    if !plausible || matches!(body.first(), Some(b'{' | b'[' | b'<')) {
        return None;
    }
    let fields = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).take(FIELD_LIMIT + 1).map(|pair| {
        let split = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = split.map_or((pair, &[][..]), |split| (&pair[..split], &pair[split + 1..]));
        Field { name: decode(name).into_owned(), value: decode(value).into_owned() }
    });
    let fields: Vec<_> = fields.collect();
    (fields.len() <= FIELD_LIMIT).then_some(fields)
}

/// The fields as a program writes them.
pub(crate) fn write(fields: &[Field], dialect: &FormDialect) -> Vec<u8> {
    let mut kept: Vec<&Field> = Vec::with_capacity(fields.len());
    for field in fields.iter().filter(|field| dialect.keeps_empty || !field.value.is_empty()) {
        let earlier = kept.iter_mut().find(|earlier| dialect.last_only && earlier.name == field.name);
        match earlier {
            Some(earlier) => *earlier = field,
            None => kept.push(field),
        }
    }
    if dialect.sorted {
        kept.sort_by(|left, right| left.name.cmp(&right.name));
    }
    let mut out = Vec::new();
    for field in kept {
        if !out.is_empty() {
            out.push(b'&');
        }
        encode(&field.name, dialect, &mut out);
        out.push(b'=');
        encode(&field.value, dialect, &mut out);
    }
    out
}

fn encode(text: &[u8], dialect: &FormDialect, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text {
        match byte {
            b' ' => out.extend_from_slice(dialect.space),
            _ if byte.is_ascii_alphanumeric() || dialect.unreserved.contains(byte) => out.push(*byte),
            _ => out.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
        }
    }
}

/// Percent signs and plus signs read (WHATWG URL §5.1); what is no sequence stays as it is.
pub(crate) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        let sequence = behind.get(..2).filter(|_| *byte == b'%').and_then(|digits| hex::decode(digits).ok());
        match (byte, sequence) {
            (_, Some(bytes)) => {
                decoded.extend(bytes);
                rest = &behind[2..];
                continue;
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(*byte),
        }
        rest = behind;
    }
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_programs_build_them_again() {
        let fields = parse(b"b=a+b%20c&a=%7e*('%C3%AB&x=&a=2&&d").unwrap();
        #[rustfmt::skip]
        let expected = [
            (JAVASCRIPT, "b=a+b+c&a=%7E*%28%27%C3%AB&x=&a=2&d="),
            (QS, "b=a%20b%20c&a=~%2A%28%27%C3%AB&x=&a=2&d="),
            (COMPONENTS, "b=a%20b%20c&a=~*('%C3%AB&x=&a=2&d="),
            (PHP, "b=a+b+c&a=2&x=&d="),
            (PYTHON, "b=a+b+c&a=~%2A%28%27%C3%AB&a=2"),
            (PYTHON_BLANK, "b=a+b+c&a=~%2A%28%27%C3%AB&x=&a=2&d="),
            (GO, "a=~%2A%28%27%C3%AB&a=2&b=a+b+c&d=&x="),
        ];
        for (dialect, expected) in expected {
            assert_eq!(String::from_utf8(write(&fields, &dialect)).unwrap(), expected, "{}", dialect.name);
        }
    }

    #[test]
    fn what_is_no_form() {
        for body in [&b""[..], b"{\"a\":\"=\"}", b"a=b c", b"<a b='c'/>", b"text", b"a=\n"] {
            assert_eq!(parse(body), None, "{}", String::from_utf8_lossy(body));
        }
        assert_eq!(&*decode(b"100%&%4"), b"100%&%4");
        assert_eq!(&*decode(b"%+1%2"), b"% 1%2");
    }
}
