//! Forms: `application/x-www-form-urlencoded` bodies and queries.

/// The most fields that are read. Real callbacks have some dozens; beyond this the rest is left out, so that a body
/// made of `&` costs no more than its length.
const FIELD_LIMIT: usize = 10_000;

/// Decoded fields in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The first value of a field.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every field, by name and then by value, as bytes compare.
    pub(crate) fn sorted(&self) -> Vec<(&str, &str)> {
        let mut fields: Vec<_> = self.iter().collect();
        fields.sort_unstable();
        fields
    }
}

/// Reads fields as the URL standard does: `+` is a blank, what is no escape stays.
pub(crate) fn parse(text: &[u8]) -> Form {
    let pairs = form_urlencoded::parse(text).take(FIELD_LIMIT);
    Form(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}

/// Writes fields as a browser would.
pub(crate) fn write<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Whether a `content-type` says that the body is a form.
pub(crate) fn is_content_type(value: &[u8]) -> bool {
    let kind = value.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// Whether a body that came without a content type is a form: a name and an equals sign, and nothing that would have
/// been escaped.
pub(crate) fn looks_like(body: &[u8]) -> bool {
    let is_escaped = |byte: &u8| matches!(byte, b' ' | b'"' | b'<' | b'>' | b'{' | b'}') || byte.is_ascii_control();
    body.contains(&b'=') && !body.iter().any(is_escaped)
}

/// Feeds arbitrary bytes to what reads forms, and what was read back again. For fuzzing: whatever the bytes, it returns.
#[doc(hidden)]
pub fn fuzz_forms(data: &[u8]) {
    let form = parse(data);
    let again = parse(write(form.iter()).as_bytes());
    assert_eq!(form, again, "what was read is written so that it reads the same");
    looks_like(data);
    is_content_type(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_repeats_kept() {
        let form = parse(b"a=1&b=%2B+x&a=2&empty=&bare");
        let fields: Vec<_> = form.iter().collect();
        assert_eq!(fields, [("a", "1"), ("b", "+ x"), ("a", "2"), ("empty", ""), ("bare", "")]);
        assert_eq!(form.value("a"), Some("1"));
        assert_eq!(form.sorted()[0], ("a", "1"));
        assert_eq!(parse(write(form.iter()).as_bytes()), form);
    }

    #[test]
    fn forms_are_told_from_json() {
        assert!(is_content_type(b"Application/X-WWW-Form-URLencoded; charset=utf-8"));
        assert!(!is_content_type(b"application/json"));
        assert!(looks_like(b"a=1&b=%20"));
        assert!(!looks_like(br#"{"a":"b=c"}"#) && !looks_like(b"") && !looks_like(b"text"));
    }
}
