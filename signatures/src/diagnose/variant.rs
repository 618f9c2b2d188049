//! Other ways of signing than the provider's: pieces left out, exchanged or joined otherwise, another hash.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::edit::{Edit, Proposal, Proposals};
use super::json::permutations;
use super::workbench::Case;
use crate::cause::Cause;
use crate::mac::Algorithm;
use crate::scheme::{Part, Place, Scheme, schemes};

/// The provider's pieces in another order.
pub(super) fn orders<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    of_cause(case, Cause::ArgumentOrder)
}

/// Other pieces than the provider's.
pub(super) fn contents<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    of_cause(case, Cause::WrongContent)
}

fn of_cause<'a>(case: &'a Case<'a>, cause: Cause) -> Proposals<'a> {
    let scheme = case.scheme;
    if scheme.own.is_some() || scheme.algorithm == Algorithm::Token {
        return Box::new(std::iter::empty());
    }
    Box::new(other_contents(scheme).iter().filter(move |content| content.cause == cause).map(move |content| {
        let what = format!("what was signed is {}, not {}", words(&content.parts), words(scheme.content));
        Proposal::new(cause, what, Edit::Scheme(Box::new(Scheme { content: &content.parts, ..*scheme })))
    }))
}

/// Other hashes, and plain ones over the secret and the content.
pub(super) fn algorithms<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let scheme = case.scheme;
    let is_keyed = matches!(scheme.algorithm, Algorithm::HmacSha1 | Algorithm::HmacSha256 | Algorithm::HmacSha512);
    if scheme.own.is_some() || !is_keyed {
        return Box::new(std::iter::empty());
    }
    let hashes = [
        (Algorithm::HmacSha256, "HMAC with SHA-256"),
        (Algorithm::HmacSha1, "HMAC with SHA-1"),
        (Algorithm::HmacSha512, "HMAC with SHA-512"),
    ];
    let others = hashes.into_iter().filter(move |(algorithm, _)| *algorithm != scheme.algorithm);
    let others = others.map(move |(algorithm, name)| (Scheme { algorithm, ..*scheme }, name));
    let plain = [(Algorithm::Sha256, "a plain SHA-256"), (Algorithm::Sha512, "a plain SHA-512")];
    let plain = plain.into_iter().flat_map(move |(algorithm, name)| {
        [&SECRET_FIRST[..], &SECRET_LAST].map(|content| (Scheme { algorithm, content, ..*scheme }, name))
    });
    Box::new(others.chain(plain).map(|(scheme, name)| {
        let what = format!("it was signed with {name}");
        Proposal::new(Cause::WrongAlgorithm, what, Edit::Scheme(Box::new(scheme)))
    }))
}

const SECRET_FIRST: [Part; 2] = [Part::Secret, Part::Body];
const SECRET_LAST: [Part; 2] = [Part::Body, Part::Secret];

/// What might have been signed in place of a scheme's content.
struct OtherContent {
    cause: Cause,
    parts: Vec<Part>,
}

/// Every other content of a scheme, the likeliest first; made once, when it is first asked for.
fn other_contents(scheme: &'static Scheme) -> &'static [OtherContent] {
    static ALL: OnceLock<Vec<OnceLock<Vec<OtherContent>>>> = OnceLock::new();
    let all = ALL.get_or_init(|| schemes().iter().map(|_| OnceLock::new()).collect());
    let place = schemes().iter().position(|known| known.id == scheme.id);
    place.and_then(|place| all.get(place)).map_or(&[], |contents| contents.get_or_init(|| made_for(scheme)))
}

fn made_for(scheme: &Scheme) -> Vec<OtherContent> {
    let content = scheme.content;
    let mut found: Vec<OtherContent> = Vec::new();
    let mut seen = vec![format!("{content:?}")];
    let mut add = |cause, parts: Vec<Part>| {
        let key = format!("{parts:?}");
        if parts.iter().any(|part| !matches!(part, Part::Text(_))) && !seen.contains(&key) {
            seen.push(key);
            found.push(OtherContent { cause, parts });
        }
    };
    for parts in reordered(content) {
        add(Cause::ArgumentOrder, parts);
    }
    add(Cause::WrongContent, vec![Part::Body]);
    for parts in shortened(content).into_iter().chain(rejoined(content)).chain(with_body(content)) {
        add(Cause::WrongContent, parts);
    }
    if scheme.time.is_some() {
        for parts in stamped(content) {
            add(Cause::WrongContent, parts);
        }
    }
    for other in schemes().iter().filter(|other| other.provider == scheme.provider && other.own.is_none()) {
        add(Cause::WrongContent, other.content.to_vec());
    }
    found
}

/// More pieces than this are only reversed: their orders are too many.
const REORDERED: usize = 4;

/// The same pieces in other orders, what joins them staying in its place.
fn reordered(content: &[Part]) -> Vec<Vec<Part>> {
    let places: Vec<usize> = (0..content.len()).filter(|index| !matches!(content[*index], Part::Text(_))).collect();
    let reversed: Vec<Part> = content.iter().rev().copied().collect();
    let mut orders = Vec::new();
    if (2..=REORDERED).contains(&places.len()) {
        for order in permutations(places.len()).into_iter().skip(1) {
            let mut parts = content.to_vec();
            for (place, from) in places.iter().zip(order) {
                parts[*place] = content[places[from]];
            }
            orders.push(parts);
        }
    }
    if places.len() > REORDERED {
        // PayU's answer is its request the other way round, but for one piece that only the answer has.
        orders.extend(shortened(&reversed));
        orders.push(reversed);
    }
    orders
}

/// Without one piece, and what joined it to its neighbour.
fn shortened(content: &[Part]) -> Vec<Vec<Part>> {
    let without = |from: usize, to: usize| [&content[..from], &content[to..]].concat();
    let is_text = |index: usize| matches!(content.get(index), Some(Part::Text(_)));
    (0..content.len())
        .flat_map(|index| {
            let behind = (!is_text(index) && is_text(index + 1)).then(|| without(index, index + 2));
            let before = (!is_text(index) && index > 0 && is_text(index - 1)).then(|| without(index - 1, index + 1));
            [behind, before, Some(without(index, index + 1))].into_iter().flatten()
        })
        .collect()
}

/// With something else between two pieces, or nothing behind an optional one.
fn rejoined(content: &[Part]) -> Vec<Vec<Part>> {
    const JOINS: [&str; 7] = ["", ".", ":", "|", "\n", ",", "&"];
    let mut found = Vec::new();
    for (index, part) in content.iter().enumerate() {
        let others: Vec<Part> = match *part {
            Part::Text(text) => JOINS.into_iter().filter(|join| *join != text).map(Part::Text).collect(),
            Part::Maybe { before, place, after } if !after.is_empty() => vec![Part::Maybe { before, place, after: "" }],
            _ => Vec::new(),
        };
        for other in others {
            let mut parts = content.to_vec();
            parts[index] = other;
            found.push(parts);
        }
    }
    found
}

/// The body in the place of a piece that is made of it.
fn with_body(content: &[Part]) -> Vec<Vec<Part>> {
    if content.iter().any(|part| matches!(part, Part::Body)) {
        return Vec::new();
    }
    let replaced = (0..content.len()).filter(|index| matches!(content[*index], Part::At(_) | Part::Made(_)));
    replaced
        .map(|index| {
            let mut parts = content.to_vec();
            parts[index] = Part::Body;
            parts
        })
        .collect()
}

/// The usual ways to join a time, and an id that is signed, to a body.
fn stamped(content: &[Part]) -> Vec<Vec<Part>> {
    let (time, body) = (Part::Timestamp, Part::Body);
    let text = Part::Text;
    let mut found = vec![
        vec![time, text("."), body],
        vec![time, text(":"), body],
        vec![time, body],
        vec![body, time],
        vec![text("v0:"), time, text(":"), body],
        vec![body, text("."), time],
    ];
    if let Some(id) = content.iter().find(|part| matches!(part, Part::At(Place::Header(_)))).copied() {
        found.extend([
            vec![id, text("."), time, text("."), body],
            vec![time, text("."), id, text("."), body],
            vec![id, time, body],
            vec![id, text("."), body],
        ]);
    }
    found
}

/// A content in words: `{timestamp}.{body}`.
fn words(content: &[Part]) -> String {
    let pieces = content.iter().map(|part| match *part {
        Part::Body => "{body}".into(),
        Part::Timestamp => "{timestamp}".into(),
        Part::Text(text) => Cow::Owned(text.escape_default().to_string()),
        Part::Secret => "{secret}".into(),
        Part::Account => "{account}".into(),
        Part::Credentials => "{user}:{password}".into(),
        Part::Method => "{method}".into(),
        Part::Url => "{url}".into(),
        Part::At(place) => format!("{{{}}}", name(place)).into(),
        Part::Maybe { before, place, after } => format!("{before}{{{}}}{after}", name(place)).into(),
        Part::Made(_) => "{…}".into(),
    });
    format!("`{}`", pieces.collect::<String>())
}

fn name(place: Place) -> &'static str {
    match place {
        Place::Header(name)
        | Place::NumberedHeaders(name)
        | Place::Pair(name)
        | Place::Field(name)
        | Place::Query(name)
        | Place::Json(name) => name,
        Place::AnyHeader(names) => names.first().copied().unwrap_or_default(),
        Place::First => "timestamp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(contents: &[Vec<Part>]) -> Vec<String> {
        contents.iter().map(|parts| words(parts)).collect()
    }

    #[test]
    fn pieces_are_exchanged_and_left_out() {
        let stripe = [Part::Timestamp, Part::Text("."), Part::Body];
        assert_eq!(shown(&reordered(&stripe))[0], "`{body}.{timestamp}`");
        let shorter = shown(&shortened(&stripe));
        for expected in ["`{body}`", "`{timestamp}`", "`{timestamp}{body}`"] {
            assert!(shorter.iter().any(|found| found == expected), "{expected} {shorter:?}");
        }
        assert!(shown(&rejoined(&stripe)).contains(&"`{timestamp}:{body}`".to_owned()));
    }

    #[test]
    fn every_scheme_has_a_bounded_number_of_variants() {
        for scheme in schemes() {
            let count = other_contents(scheme).len();
            assert!(count <= 200, "{}: {count}", scheme.id);
        }
    }
}
