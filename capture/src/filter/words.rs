//! The words of the language, for the parser, completion and help.

use std::sync::LazyLock;

use hookwire_protocol::code::Code;
use hookwire_signatures::{Cause, Provider, Status};

use crate::columns::{ORIGINS, STATUSES};

/// One word of the language, for completion and help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As typed: `status:`, `verdict:invalid`, `and`.
    pub text: String,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// A field, written before a colon.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    pub(super) meaning: &'static str,
}

pub(super) const FIELDS: &[Field] = &[
    Field { name: "status", example: "status:5xx", meaning: "the answer's status, as `404`, `5xx` or `>=400`" },
    Field { name: "method", example: "method:POST", meaning: "the method" },
    Field { name: "path", example: "path:/stripe", meaning: "how the path begins" },
    Field { name: "verdict", example: "verdict:invalid", meaning: "what checking the signature found" },
    Field { name: "cause", example: "cause:wrong-secret", meaning: "why the signature is not valid" },
    Field { name: "provider", example: "provider:razorpay", meaning: "who sent it" },
    Field { name: "event", example: "event:payment.*", meaning: "the event's name" },
    Field { name: "header", example: "header:x-github-event=push", meaning: "a header of the request" },
    Field { name: "body", example: "body:\"pay_29Q\"", meaning: "a text in the body of the request or the response" },
    Field { name: "origin", example: "origin:replay", meaning: "why it happened" },
    Field { name: "endpoint", example: "endpoint:shop", meaning: "the endpoint's name" },
    Field { name: "age", example: "age:<10m", meaning: "how long ago it came, with ms, s, m, h or d" },
    Field { name: "duration", example: "duration:>1s", meaning: "how long it took, with ms, s, m, h or d" },
    Field { name: "note", example: "note:anna", meaning: "a text in the note" },
    Field { name: "error", example: "error:app-refused", meaning: "what went wrong on the way" },
];

/// What a word without a field is taken for.
pub(super) const ANYWHERE: Field = Field { name: "", example: "refund", meaning: "a text anywhere" };

const KEYWORDS: [(&str, &str); 5] = [
    ("and", "both; may be left out"),
    ("or", "one of both"),
    ("not", "the opposite of what follows"),
    ("repeat", "an event that came before"),
    ("late", "answered after the deadline"),
];

/// The field of this name.
pub(super) fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// The words of a field with a closed list of them; empty for any other.
pub(super) fn values(field: &Field) -> Vec<&'static str> {
    match field.name {
        "origin" => ORIGINS.to_vec(),
        "verdict" => STATUSES.iter().copied().map(Status::as_str).collect(),
        "cause" => Cause::ALL.iter().copied().map(Cause::as_str).collect(),
        "provider" => Provider::ALL.iter().copied().map(Provider::name).collect(),
        "error" => Code::ALL.iter().copied().map(Code::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Every word: fields, fields with a value of their closed list, and the others.
pub(super) fn all() -> &'static [Word] {
    static ALL: LazyLock<Vec<Word>> = LazyLock::new(|| {
        let fields = FIELDS.iter().flat_map(|field| {
            let values = values(field).into_iter();
            let bare = Word { text: format!("{}:", field.name), meaning: field.meaning };
            [bare]
                .into_iter()
                .chain(values.map(|value| Word { text: format!("{}:{value}", field.name), meaning: field.meaning }))
        });
        let keywords = KEYWORDS.iter().map(|(text, meaning)| Word { text: (*text).to_owned(), meaning });
        fields.chain(keywords).collect()
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Filter;

    #[test]
    fn every_example_and_every_complete_word_is_a_filter() {
        for field in FIELDS {
            let filter = Filter::parse(field.example);
            assert!(filter.is_ok_and(|filter| !filter.is_all()), "{}", field.example);
            assert!(field.example.starts_with(&format!("{}:", field.name)));
        }
        for word in all() {
            let complete = !word.text.ends_with(':') && !["and", "or", "not"].contains(&word.text.as_str());
            assert_eq!(Filter::parse(&word.text).is_ok(), complete, "{}", word.text);
        }
    }
}
