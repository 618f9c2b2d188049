//! The programs that read JSON and write it again, as data.

use super::document::Traits;
use super::number::Numbers;
use super::string::{Escapes, LoneSurrogates, NonAscii, Strings};
use crate::caution::Language;

/// One way of writing JSON. Facts of each program; [`name`](Self::name) is what a developer would recognise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) name: &'static str,
    pub(crate) language: Language,
    pub(crate) layout: Layout,
    pub(crate) strings: Strings,
    pub(crate) numbers: Numbers,
    pub(crate) order: Order,
    pub(crate) objects: Objects,
}

/// What stands between the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// What stood there before; with another order or other objects, as [`COMPACT`].
    Kept,
    /// Always the same.
    Spaced {
        /// Between two items.
        comma: &'static str,
        /// Between a key and its value.
        colon: &'static str,
        /// One step of indentation, each item on a line of its own; nothing to keep all on one line.
        indent: &'static str,
    },
}

/// In which order members are written, and what becomes of a key that comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they came, all of them.
    Kept,
    /// At the place where a key came first, with the value that came last.
    Inserted,
    /// As [`Inserted`](Self::Inserted), but array indices first, ascending (ECMA-262 §10.1.11).
    JavaScript,
    /// By the bytes of the key.
    Sorted,
    /// By the length of the key, then its bytes.
    ByLength,
}

/// What becomes of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objects {
    /// They stay what they are.
    Kept,
    /// One whose keys are 0, 1, 2, … or which has none becomes an array, as in PHP.
    Arrays,
}

impl Dialect {
    /// The same dialect without what makes no difference to a text with these traits. Two dialects that are then
    /// alike, apart from their names, write that text alike.
    pub(crate) fn reduced_to(self, traits: Traits) -> Self {
        let mut reduced = Self { name: UNTOUCHED.name, language: UNTOUCHED.language, ..self };
        let kept = matches!(self.strings, Strings::Kept);
        if kept || !traits.meets(self.strings.concerns()) {
            reduced.strings = Strings::Kept;
        } else if let Strings::Escaped(escapes) = &mut reduced.strings {
            if !traits.meets(Traits::BACKSLASH) {
                // Nothing escaped: no quotation mark, no control character and no lone surrogate to escape.
                escapes.quote = false;
                escapes.lone = LoneSurrogates::Refused;
            }
            escapes.slash &= traits.meets(Traits::SLASH);
            escapes.special = escapes.special.common(traits);
            let separators = escapes.non_ascii == NonAscii::RawButLineSeparators;
            if !traits.meets(if separators { Traits::LINE_SEPARATOR } else { Traits::NON_ASCII }) {
                escapes.non_ascii = NonAscii::Raw;
            }
        }
        if !traits.meets(Traits::ODD_NUMBER) {
            reduced.numbers = Numbers::Kept;
        }
        if !traits.meets(self.order.concerns()) {
            reduced.order = Order::Kept;
        }
        if !traits.meets(Traits::EMPTY_OBJECT | Traits::INDEX_KEY) {
            reduced.objects = Objects::Kept;
        }
        if !traits.meets(Traits::SPACED) && reduced.layout == COMPACT {
            reduced.layout = Layout::Kept;
        }
        let rebuilt = reduced.order != Order::Kept || reduced.objects != Objects::Kept;
        if rebuilt && reduced.layout == Layout::Kept {
            reduced.layout = COMPACT;
        }
        reduced
    }
}

impl Order {
    /// What must hold of an object's keys for this order to change it.
    pub(crate) const fn concerns(self) -> Traits {
        match self {
            Self::Kept => Traits::NONE,
            Self::Inserted => Traits::DUPLICATE,
            Self::JavaScript => Traits::DUPLICATE.union(Traits::INDEX_KEY),
            Self::Sorted => Traits::DUPLICATE.union(Traits::UNSORTED),
            Self::ByLength => Traits::DUPLICATE.union(Traits::UNSORTED_BY_LENGTH),
        }
    }
}

/// `JSON.stringify(x)`, and most other compact writers.
pub(crate) const COMPACT: Layout = Layout::Spaced { comma: ",", colon: ":", indent: "" };
/// Python's `json.dumps(x)`, and `jsonb` of PostgreSQL as text.
pub(crate) const AIRY: Layout = Layout::Spaced { comma: ", ", colon: ": ", indent: "" };
/// `JSON.stringify(x, null, 2)` and its like in every language.
pub(crate) const INDENTED_2: Layout = indented("  ");
/// `json.dumps(x, indent=4)`, PHP's `JSON_PRETTY_PRINT`.
pub(crate) const INDENTED_4: Layout = indented("    ");
/// Go's `json.MarshalIndent(x, "", "\t")`.
pub(crate) const INDENTED_TAB: Layout = indented("\t");

const fn indented(indent: &'static str) -> Layout {
    Layout::Spaced { comma: ",", colon: ": ", indent }
}

/// Escapes that ECMA-262 §25.5.2.3 asks for and no more; half a character stays escaped.
const PLAIN: Escapes = Escapes {
    slash: false,
    special: Traits::NONE,
    non_ascii: NonAscii::Raw,
    upper: false,
    quote: false,
    lone: LoneSurrogates::Kept,
};

/// What any program leaves that does not touch anything: the start of every other dialect.
pub(crate) const UNTOUCHED: Dialect = Dialect {
    name: "as it was",
    language: Language::JavaScript,
    layout: Layout::Kept,
    strings: Strings::Kept,
    numbers: Numbers::Kept,
    order: Order::Kept,
    objects: Objects::Kept,
};

/// ECMA-262 §25.5: the same in Node, Deno, Bun and browsers.
pub(crate) const JAVASCRIPT: Dialect = Dialect {
    name: "JSON.stringify(JSON.parse(body))",
    language: Language::JavaScript,
    layout: COMPACT,
    strings: Strings::Escaped(PLAIN),
    numbers: Numbers::JavaScript,
    order: Order::JavaScript,
    objects: Objects::Kept,
};

/// CPython's `json` with its defaults, `ensure_ascii` among them.
pub(crate) const PYTHON: Dialect = Dialect {
    name: "json.dumps(json.loads(body))",
    language: Language::Python,
    layout: AIRY,
    strings: Strings::Escaped(Escapes { special: Traits::DELETE, non_ascii: NonAscii::Escaped, ..PLAIN }),
    numbers: Numbers::Python,
    order: Order::Inserted,
    objects: Objects::Kept,
};

/// As [`PYTHON`], in UTF-8.
pub(crate) const PYTHON_UTF8: Dialect = Dialect {
    name: "json.dumps(json.loads(body), ensure_ascii=False)",
    strings: Strings::Escaped(Escapes { lone: LoneSurrogates::Refused, ..PLAIN }),
    ..PYTHON
};

/// What most Python code that signs does.
pub(crate) const PYTHON_COMPACT: Dialect =
    Dialect { name: "json.dumps(json.loads(body), separators=(',', ':'))", layout: COMPACT, ..PYTHON };

/// Go's `encoding/json` through `map[string]any` (1.22 and later; `\b` and `\f` were spelled in hexadecimal before).
pub(crate) const GO: Dialect = Dialect {
    name: "json.Marshal of a Go map",
    language: Language::Go,
    layout: COMPACT,
    strings: Strings::Escaped(Escapes {
        special: Traits::MARKUP,
        non_ascii: NonAscii::RawButLineSeparators,
        lone: LoneSurrogates::Replaced,
        ..PLAIN
    }),
    numbers: Numbers::Go,
    order: Order::Sorted,
    objects: Objects::Kept,
};

/// PHP with default flags, read into arrays.
pub(crate) const PHP: Dialect = Dialect {
    name: "json_encode(json_decode($body, true))",
    language: Language::Php,
    layout: COMPACT,
    strings: Strings::Escaped(Escapes {
        slash: true,
        non_ascii: NonAscii::Escaped,
        lone: LoneSurrogates::Refused,
        ..PLAIN
    }),
    numbers: Numbers::Php,
    order: Order::Inserted,
    objects: Objects::Arrays,
};

/// PHP with default flags, read into objects.
pub(crate) const PHP_OBJECTS: Dialect =
    Dialect { name: "json_encode(json_decode($body))", objects: Objects::Kept, ..PHP };

/// Ruby's `json`.
pub(crate) const RUBY: Dialect = Dialect {
    name: "JSON.generate(JSON.parse(body))",
    language: Language::Ruby,
    strings: Strings::Escaped(Escapes { lone: LoneSurrogates::Refused, ..PLAIN }),
    numbers: Numbers::Ruby,
    order: Order::Inserted,
    ..JAVASCRIPT
};

/// ActiveSupport's `to_json`, which escapes for web pages.
pub(crate) const RAILS: Dialect = Dialect {
    name: "params.to_json in Rails",
    strings: Strings::Escaped(Escapes {
        special: Traits::MARKUP,
        non_ascii: NonAscii::RawButLineSeparators,
        lone: LoneSurrogates::Refused,
        ..PLAIN
    }),
    ..RUBY
};

/// Jackson's `ObjectMapper` through a `Map`.
pub(crate) const JAVA: Dialect = Dialect {
    name: "Jackson's writeValueAsString(readValue(body, Map))",
    language: Language::Java,
    strings: Strings::Escaped(Escapes { upper: true, lone: LoneSurrogates::Refused, ..PLAIN }),
    numbers: Numbers::Java,
    ..RUBY
};

/// `System.Text.Json` with its default encoder, through `JsonElement`, which keeps numbers.
pub(crate) const DOTNET: Dialect = Dialect {
    name: "JsonSerializer.Serialize of a JsonElement",
    language: Language::DotNet,
    layout: COMPACT,
    strings: Strings::Escaped(Escapes {
        special: Traits::MARKUP.union(Traits::QUOTES).union(Traits::DELETE),
        non_ascii: NonAscii::Escaped,
        upper: true,
        quote: true,
        lone: LoneSurrogates::Refused,
        ..PLAIN
    }),
    numbers: Numbers::Kept,
    order: Order::Kept,
    objects: Objects::Kept,
};

/// PostgreSQL's `jsonb` as text.
pub(crate) const JSONB: Dialect = Dialect {
    name: "a jsonb column of PostgreSQL",
    language: Language::Database,
    layout: AIRY,
    strings: Strings::Escaped(Escapes { lone: LoneSurrogates::Refused, ..PLAIN }),
    numbers: Numbers::Postgres,
    order: Order::ByLength,
    objects: Objects::Kept,
};

/// The round trips of a developer's code, the most frequent first.
pub(crate) const ROUND_TRIPS: &[Dialect] =
    &[JAVASCRIPT, PYTHON, PYTHON_COMPACT, PYTHON_UTF8, PHP, PHP_OBJECTS, GO, RUBY, RAILS, JAVA, DOTNET, JSONB];
