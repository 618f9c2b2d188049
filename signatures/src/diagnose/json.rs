//! Edits of JSON bodies.

use std::borrow::Cow;

use super::edit::{Edit, Proposal, Proposals};
use super::workbench::Case;
use crate::cause::Cause;
use crate::rewrite::dialect::{
    AIRY, COMPACT, DOTNET, Dialect, GO, INDENTED_2, INDENTED_4, INDENTED_TAB, JAVASCRIPT, JSONB, Layout, Order, PHP,
    PYTHON, RAILS, ROUND_TRIPS, UNTOUCHED,
};
use crate::rewrite::document::{Document, Kind, Node};
use crate::rewrite::number::Numbers;
use crate::rewrite::string::{self, Strings};

/// The body as other programs write it: laid out anew, escaped anew, in another order.
pub(super) fn rewritten<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let Some(document) = &case.document else {
        return Box::new(std::iter::empty());
    };
    let traits = document.traits();
    let mut seen = vec![UNTOUCHED];
    let mut is_new = move |dialect: &Dialect| {
        let reduced = dialect.reduced_to(traits);
        let new = !seen.contains(&reduced);
        if new {
            seen.push(reduced);
        }
        new
    };
    let proposal = move |dialect: Dialect, end| {
        let Dialect { order, strings, numbers, .. } = dialect.reduced_to(traits);
        let only_order = order != Order::Kept && strings == Strings::Kept && numbers == Numbers::Kept;
        let cause = if only_order { Cause::BodyKeyOrder } else { Cause::BodyReserialized };
        Proposal::new(cause, what(&dialect), Edit::Dialect(dialect, end))
    };
    // `jq` and many scripts end what they write with a line feed.
    let ended = [COMPACT, INDENTED_2].map(|layout| (Dialect { layout, ..UNTOUCHED }, &b"\n"[..]));
    let once = dialects().filter(move |dialect| is_new(dialect)).map(|dialect| (dialect, &b""[..]));
    Box::new(once.chain(ended).map(move |(dialect, end)| proposal(dialect, end)))
}

/// In words, what a dialect changed.
fn what(dialect: &Dialect) -> Cow<'static, str> {
    if ROUND_TRIPS.contains(dialect) {
        return format!("the body fits as `{}` writes it", dialect.name).into();
    }
    let layout = LAYOUTS.iter().find(|(layout, _)| *layout == dialect.layout).map(|(_, words)| *words);
    let strings = STRINGS.iter().find(|(of, _)| of.strings == dialect.strings).map(|(_, words)| *words);
    let order = match dialect.order {
        Order::Sorted => Some("with its keys sorted"),
        Order::ByLength => Some("with its keys sorted by length, as a `jsonb` column keeps them"),
        _ => None,
    };
    let words: Vec<_> = [layout, strings, order].into_iter().flatten().collect();
    format!("{}, the body fits", words.join(", ")).into()
}

const LAYOUTS: &[(Layout, &str)] = &[
    (COMPACT, "without spaces between its tokens"),
    (AIRY, "with a space behind each comma and colon, as Python writes it"),
    (INDENTED_2, "indented by two spaces"),
    (INDENTED_4, "indented by four spaces"),
    (INDENTED_TAB, "indented by tabs"),
];

/// Dialects from which only the spelling of strings is taken.
const STRINGS: &[(Dialect, &str)] = &[
    (PHP_UNICODE, "with its slashes escaped as `\\/`"),
    (JAVASCRIPT, "with no more escapes than JSON needs"),
    (PHP, "with slashes and non-ASCII characters escaped, as PHP writes them"),
    (PYTHON, "with non-ASCII characters as `\\u00eb`"),
    (UPPER, "with non-ASCII characters as `\\u00EB`"),
    (GO, "with `<`, `>` and `&` escaped, as Go writes them"),
    (RAILS, "with `<`, `>` and `&` escaped, as Rails writes them"),
    (DOTNET, "escaped as .NET writes it"),
    (PHP_UPPER, "with slashes escaped and non-ASCII characters as `\\u00EB`"),
];

/// PHP with `JSON_UNESCAPED_UNICODE`.
const PHP_UNICODE: Dialect = with_strings(PHP, JAVASCRIPT);
const UPPER: Dialect = upper(PYTHON);
const PHP_UPPER: Dialect = upper(PHP);

/// The strings of `base`, with what is not ASCII as `other` leaves it.
const fn with_strings(base: Dialect, other: Dialect) -> Dialect {
    let (Strings::Escaped(escapes), Strings::Escaped(others)) = (base.strings, other.strings) else {
        return base;
    };
    let escapes = string::Escapes { non_ascii: others.non_ascii, ..escapes };
    Dialect { strings: Strings::Escaped(escapes), ..base }
}

const fn upper(base: Dialect) -> Dialect {
    let Strings::Escaped(escapes) = base.strings else { return base };
    Dialect { strings: Strings::Escaped(string::Escapes { upper: true, ..escapes }), ..base }
}

/// Every dialect worth a trial, the likeliest first. Many are alike for one body.
fn dialects() -> impl Iterator<Item = Dialect> {
    let laid_out = |layout| Dialect { layout, ..UNTOUCHED };
    let escaped = |strings| Dialect { strings, ..UNTOUCHED };
    let usual = [COMPACT, AIRY, INDENTED_2, INDENTED_4];
    let languages = [PHP_UNICODE, JAVASCRIPT, PHP, PYTHON, GO].map(|dialect| dialect.strings);
    let sorted = [Strings::Kept].into_iter().chain(languages).flat_map(|strings| {
        [COMPACT, AIRY].map(|layout| Dialect { layout, strings, order: Order::Sorted, ..UNTOUCHED })
    });
    let by_length = [AIRY, COMPACT].map(|layout| Dialect { layout, order: Order::ByLength, ..UNTOUCHED });
    let through_jsonb = Dialect { layout: COMPACT, numbers: JAVASCRIPT.numbers, ..JSONB };
    let both =
        usual.into_iter().flat_map(move |layout| languages.map(|strings| Dialect { layout, strings, ..UNTOUCHED }));
    usual
        .map(laid_out)
        .into_iter()
        .chain(languages.map(escaped))
        .chain(ROUND_TRIPS.iter().copied())
        .chain(both)
        .chain(sorted)
        .chain(by_length)
        .chain([laid_out(INDENTED_TAB), through_jsonb])
        .chain(STRINGS.iter().map(move |(dialect, _)| escaped(dialect.strings)))
        .chain(STRINGS.iter().map(|(dialect, _)| Dialect { layout: COMPACT, strings: dialect.strings, ..UNTOUCHED }))
}

/// How many numbers are given decimals one by one; more than an order has amounts.
const NUMBER_LIMIT: usize = 16;

/// Amounts that lost the zeros behind their decimal point: `170` that was signed as `170.00`.
pub(super) fn decimals<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let Some(document) = &case.document else {
        return Box::new(std::iter::empty());
    };
    let shortened = move |count: usize| {
        let nodes = document.nodes().iter().enumerate().filter(|(_, node)| node.kind == Kind::Number);
        nodes.filter_map(move |(index, node)| Some((index, missing_zeros(document.token(node), count)?)))
    };
    let all = [2, 1].into_iter().flat_map(move |count| {
        let all: Vec<_> = shortened(count).collect();
        let money: Vec<_> = all.iter().copied().filter(|(index, _)| is_amount(document, *index)).collect();
        let single =
            (all.len() > 1).then(|| all.iter().take(NUMBER_LIMIT).map(|number| vec![*number]).collect::<Vec<_>>());
        let partly = !money.is_empty() && money.len() < all.len();
        let sets = [Some(all), partly.then_some(money)].into_iter().flatten();
        sets.chain(single.into_iter().flatten()).filter(|set| !set.is_empty())
    });
    Box::new(all.map(move |set| {
        let mut pieces: Vec<Cow<'a, [u8]>> = Vec::with_capacity(2 * set.len() + 1);
        let mut copied = 0;
        for (index, zeros) in set {
            let end = document.nodes()[index].end as usize;
            pieces.push(document.text().as_bytes()[copied..end].into());
            pieces.push(zeros.as_bytes().into());
            copied = end;
        }
        pieces.push(document.text().as_bytes()[copied..].into());
        let what = "with decimals that were taken from a number, the body fits";
        Proposal::new(Cause::BodyReserialized, what, Edit::Body(pieces))
    }))
}

/// What a number lacks that should have so many decimals.
fn missing_zeros(token: &str, count: usize) -> Option<&'static str> {
    if token.contains(['e', 'E']) {
        return None;
    }
    let decimals = token.split_once('.').map(|(_, decimals)| decimals.len());
    match (decimals, count) {
        (None, 1) => Some(".0"),
        (None, 2) => Some(".00"),
        (Some(1), 2) => Some("0"),
        _ => None,
    }
}

/// Whether the key of a number is one of those that hold money.
fn is_amount(document: &Document<'_>, index: usize) -> bool {
    const WORDS: &[&str] = &["amount", "price", "total", "balance", "fee", "tax", "cost", "charge", "discount"];
    let Some(key) = index.checked_sub(1).map(|key| &document.nodes()[key]).filter(|key| key.kind == Kind::String)
    else {
        return false;
    };
    let name = document.token(key).to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// How many values of an object are tried as what was signed.
const PART_LIMIT: usize = 32;

/// One value of the body instead of all of it: `payload`, `data`.
pub(super) fn parts<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let Some(document) = case.document.as_ref().filter(|document| document.nodes()[0].kind == Kind::Object) else {
        return Box::new(std::iter::empty());
    };
    let values = document.keys(0).take(PART_LIMIT).flat_map(move |key| {
        let name = document.token(&document.nodes()[key]).trim_matches('"').to_owned();
        let node = &document.nodes()[key + 1];
        let token = document.token(node);
        let what = |how: &str| format!("only the value of `{name}`{how} was signed");
        let raw = Proposal::body(Cause::WrongContent, what(""), token.as_bytes());
        let decoded = (node.kind == Kind::String).then(|| {
            Proposal::body(Cause::WrongContent, what(", without its quotation marks,"), string::decode(content(token)))
        });
        [Some(raw), decoded].into_iter().flatten()
    });
    Box::new(values)
}

fn content(token: &str) -> &str {
    &token[1..token.len() - 1]
}

/// All orders of so many keys are tried: 120 for five.
const PERMUTED_KEYS: usize = 5;

/// Every order of the outermost keys, if they are few.
pub(super) fn orders<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let Some(document) = case.document.as_ref().filter(|document| document.nodes()[0].kind == Kind::Object) else {
        return Box::new(std::iter::empty());
    };
    let members: Vec<(u32, u32)> = document
        .keys(0)
        .take(PERMUTED_KEYS + 1)
        .map(|key| (document.nodes()[key].start, document.nodes()[key + 1].end))
        .collect();
    if !(2..=PERMUTED_KEYS).contains(&members.len()) {
        return Box::new(std::iter::empty());
    }
    let text = document.text().as_bytes();
    let between = move |start: u32, end: u32| &text[start as usize..end as usize];
    let Node { start, end, .. } = document.nodes()[0];
    let (head, tail) = (between(start, members[0].0), between(members[members.len() - 1].1, end));
    let separator = between(members[0].1, members[1].0);
    Box::new(permutations(members.len()).into_iter().skip(1).map(move |order| {
        let mut pieces: Vec<Cow<'a, [u8]>> = Vec::with_capacity(2 * members.len() + 1);
        for (position, index) in order.into_iter().enumerate() {
            let (start, end) = members[index];
            pieces.push(if position == 0 { head } else { separator }.into());
            pieces.push(between(start, end).into());
        }
        pieces.push(tail.into());
        Proposal::new(Cause::BodyKeyOrder, "with its keys in another order, the body fits", Edit::Body(pieces))
    }))
}

/// Every order of so many things, the given one first.
pub(super) fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..count {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                let free: Vec<_> = (0..count).filter(|index| !order.contains(index)).collect();
                free.into_iter().map(move |index| [order.as_slice(), &[index]].concat())
            })
            .collect();
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders() {
        assert_eq!(permutations(3), [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]);
        assert_eq!(permutations(5).len(), 120);
    }

    #[test]
    fn dialects_come_with_words() {
        for dialect in dialects() {
            let what = what(&dialect);
            assert!(!what.starts_with(','), "{what} {dialect:?}");
        }
    }

    #[test]
    fn zeros() {
        let expected = [("170", 2, Some(".00")), ("1.5", 2, Some("0")), ("1.5", 1, None), ("2", 1, Some(".0"))];
        for (token, count, zeros) in expected {
            assert_eq!(missing_zeros(token, count), zeros, "{token}");
        }
        assert_eq!((missing_zeros("1e3", 2), missing_zeros("1.00", 2)), (None, None));
    }
}
