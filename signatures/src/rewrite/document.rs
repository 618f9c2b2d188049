//! A JSON text as a flat list of tokens, read once so that it can be written again in many dialects.

mod parser;
mod traits;

use self::parser::Parser;
pub(crate) use self::traits::Traits;

/// How deeply a text may nest. PHP's `json_decode` stops here too; serde_json stops at 128 already.
pub(crate) const DEPTH_LIMIT: usize = 512;

/// A JSON text (RFC 8259, and the `NaN` and `Infinity` that Python writes) with the places of its tokens.
pub(crate) struct Document<'a> {
    text: &'a str,
    /// In the order of the text; the children of an array or object stand right behind it, keys before their values.
    nodes: Vec<Node>,
    traits: Traits,
}

/// One value or key.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// What the token itself holds; for an object, what holds of its keys.
    pub(crate) traits: Traits,
    /// Where the token begins and ends in the text, quotes and brackets included.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The index of the first node that is not inside this one.
    pub(crate) next: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    /// `true`, `false`, `null`.
    Literal,
    /// `NaN`, `Infinity`, `-Infinity`: no JSON, but Python reads and writes them.
    NotFinite,
}

impl<'a> Document<'a> {
    /// Reads a whole text; `None` unless it is one JSON value, nested no deeper than [`DEPTH_LIMIT`].
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let (nodes, traits) = Parser::new(text.as_bytes()).whole()?;
        Some(Self { text, nodes, traits })
    }

    /// What holds of any of its tokens.
    pub(crate) fn traits(&self) -> Traits {
        self.traits
    }

    /// The text as it was given.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The tokens in the order of the text. There is at least one.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The text of one token.
    pub(crate) fn token(&self, node: &Node) -> &'a str {
        &self.text[node.start as usize..node.end as usize]
    }

    /// The innermost token that covers `offset`, or else the next one.
    pub(crate) fn node_at(&self, offset: usize) -> Option<usize> {
        let behind = self.nodes.partition_point(|node| node.start as usize <= offset);
        let last = behind.checked_sub(1)?;
        if offset < self.nodes[last].end as usize { Some(last) } else { Some(behind.min(self.nodes.len() - 1)) }
    }

    /// The indices of the keys of an object; each value stands right behind its key.
    pub(crate) fn keys(&self, object: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[object].next as usize;
        let mut index = object + 1;
        std::iter::from_fn(move || {
            let key = (index < end).then_some(index)?;
            index = self.nodes[key + 1].next as usize;
            Some(key)
        })
    }

    /// The indices of the items of an array.
    pub(crate) fn items(&self, array: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[array].next as usize;
        let mut index = array + 1;
        std::iter::from_fn(move || {
            let item = (index < end).then_some(index)?;
            index = self.nodes[item].next as usize;
            Some(item)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_where_they_are() {
        let document = Document::parse(r#" {"a/b": [1.50, {}, "\u00eb"], "c": null} "#).unwrap();
        let tokens: Vec<_> = document.nodes().iter().map(|node| document.token(node)).collect();
        assert_eq!(tokens[1..], ["\"a/b\"", r#"[1.50, {}, "\u00eb"]"#, "1.50", "{}", r#""\u00eb""#, "\"c\"", "null"]);
        assert_eq!(document.keys(0).collect::<Vec<_>>(), [1, 6]);
        assert_eq!(document.items(2).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(document.node_at(11).map(|node| tokens[node]), Some("1.50"));
        for expected in [Traits::SLASH, Traits::NON_ASCII, Traits::ODD_NUMBER, Traits::EMPTY_OBJECT, Traits::SPACED] {
            assert!(document.traits().meets(expected), "{expected:?}");
        }
        assert!(!document.traits().meets(Traits::UNSORTED | Traits::DUPLICATE));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "}",
            "[",
            "[1,]",
            "{\"a}",
            "[\"\\",
            "][",
            "01",
            "1.",
            "-",
            "+1",
            "1e",
            "tru",
            "{\"a\":1,}",
            "{\"a\"}",
            "[1 2]",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\x\"",
            "\"\n\"",
            "1 2",
            "{1:2}",
            "-Inf",
            ".5",
        ] {
            assert!(Document::parse(text).is_none(), "{text}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Document::parse(&nested(DEPTH_LIMIT)).is_some());
        assert!(Document::parse(&nested(DEPTH_LIMIT + 1)).is_none());
    }

    #[test]
    fn the_order_of_keys_is_known() {
        let traits = |text| Document::parse(text).unwrap().traits();
        assert!(traits(r#"{"b":1,"a":2}"#).meets(Traits::UNSORTED));
        assert!(!traits(r#"{"aa":1,"b":2}"#).meets(Traits::UNSORTED));
        assert!(traits(r#"{"aa":1,"b":2}"#).meets(Traits::UNSORTED_BY_LENGTH));
        assert!(traits(r#"{"b":1,"a":2,"b":3}"#).meets(Traits::DUPLICATE));
        assert!(!traits(r#"{"b":1,"a":2}"#).meets(Traits::DUPLICATE | Traits::INDEX_KEY));
        assert!(traits(r#"{"1":1}"#).meets(Traits::INDEX_KEY));
    }
}
