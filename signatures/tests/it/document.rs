//! `docs/schemes.md` is the table, written for people. `HOOKWIRE_WRITE_DOCS=1 cargo test -p hookwire-signatures` writes it
//! anew.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use hookwire_signatures::{
    Algorithm, Coverage, Encoding, KeyForm, Layout, Part, Place, Provider, Quirk, Scheme, SecretKind, TimeUnit,
    UrlRule, schemes,
};

#[test]
fn the_document_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemes.md");
    let document = document();
    if env::var_os("HOOKWIRE_WRITE_DOCS").is_some() {
        fs::write(&path, &document).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == document, "the table has changed: set `HOOKWIRE_WRITE_DOCS=1` and run this test again");
}

const INTRODUCTION: &str = "\
# How webhook providers sign

Written from the table in `signatures/src/scheme/table/`; a test compares. Every scheme names the provider's page that it can
be checked against. What is said about rotation and redelivery was read there or in the official packages, not tried.

In the signed text `{…}` is a piece of the request, and `{body}` is the raw body, byte for byte. A tolerance is that of the
official package. *Proves* says what a right signature proves about the body.

";

fn document() -> String {
    let mut text = INTRODUCTION.to_owned();
    let providers = Provider::ALL.len();
    writeln!(text, "{} schemes of {providers} providers:\n", schemes().len()).unwrap();
    text.push_str("| scheme | signature | algorithm | signed | tolerance |\n|---|---|---|---|---|\n");
    for scheme in schemes() {
        let (place, signed) = (short(&scheme.signature_place()), signed(scheme));
        let tolerance = scheme.time.and_then(|rule| rule.tolerance_seconds).map(|limit| format!("{limit} s"));
        let (id, anchor) = (scheme.id, scheme.id.replace('.', ""));
        let (algorithm, tolerance) = (algorithm(scheme), tolerance.unwrap_or_default());
        writeln!(text, "| [`{id}`](#{anchor}) | {place} | {algorithm} | {} | {tolerance} |", cell(&signed)).unwrap();
    }
    for scheme in schemes() {
        text.push_str(&section(scheme));
    }
    text
}

fn section(scheme: &Scheme) -> String {
    let mut text = format!("\n## `{}`\n\n", scheme.id);
    writeln!(text, "{}, <{}>\n", scheme.provider.title(), scheme.docs).unwrap();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            writeln!(text, "- {name}: {value}").unwrap();
        }
    };
    let places: Vec<_> = scheme.signature.iter().map(Place::to_string).collect();
    line("signature", format!("{}, {}{}", places.join(" or "), layout(scheme), encoding(scheme.encoding)));
    line("algorithm", algorithm(scheme));
    line("key", key(scheme));
    line("signed", signed(scheme));
    line("URL", url(scheme.url).to_owned());
    line("proves", covers(scheme.covers).to_owned());
    line("time", time(scheme));
    line("event", event(scheme));
    line("told by", detection(scheme));
    line("also", quirks(scheme));
    line("rotation", scheme.rotation.to_owned());
    line("redelivery", scheme.redelivery.to_owned());
    text
}

fn short(place: &str) -> String {
    place
        .replace("the header ", "")
        .replace("the form field or parameter ", "field ")
        .replace("the JSON value ", "JSON ")
}

fn layout(scheme: &Scheme) -> String {
    let time = match scheme.time.map(|rule| rule.place) {
        Some(Place::Pair(key)) => format!("{key}=…"),
        _ => String::new(),
    };
    match scheme.layout {
        Layout::Prefixed("") => String::new(),
        Layout::Prefixed(prefix) => format!("`{prefix}…`, "),
        Layout::Pairs { separator, signature } if time.is_empty() => {
            format!("`{signature}=…` between `{}`, ", char::from(separator))
        }
        Layout::Pairs { separator, signature } => format!("`{time}{}{signature}=…`, ", char::from(separator)),
        Layout::PairGroups { signature } => format!("`{time},{signature}=…`, more of them after blanks, "),
        Layout::List { separator: b' ', prefix } => format!("`{prefix}…`, several separated by blanks, "),
        Layout::List { separator, prefix } => {
            format!("`{prefix}…`, several separated by `{}`, ", char::from(separator))
        }
        Layout::Stamped => "`time,…`, ".to_owned(),
        Layout::Numbered(mark) => format!("`…{mark}number of the key`, "),
        Layout::Named => "`public key|…`, several joined by `&`, ".to_owned(),
        _ => panic!("a layout without words"),
    }
}

fn encoding(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Hex => "lower-case hexadecimal",
        Encoding::HexAnyCase => "hexadecimal in either case",
        Encoding::Base64 => "base64",
        Encoding::Base64Url => "URL-safe base64",
        Encoding::Plain => "the text itself",
        _ => panic!("an encoding without words"),
    }
}

fn algorithm(scheme: &Scheme) -> String {
    match scheme.algorithm {
        Algorithm::HmacSha256 => "HMAC-SHA256".to_owned(),
        Algorithm::HmacSha1 => "HMAC-SHA1".to_owned(),
        Algorithm::HmacSha512 => "HMAC-SHA512".to_owned(),
        Algorithm::HmacNamed(header) => format!("HMAC, its hash named by `{header}`"),
        Algorithm::Sha256 => "SHA-256, no HMAC".to_owned(),
        Algorithm::Sha512 => "SHA-512, no HMAC".to_owned(),
        Algorithm::Token => "none, a password".to_owned(),
        Algorithm::Ed25519 => "Ed25519".to_owned(),
        Algorithm::EcdsaP256 => "ECDSA P-256 with SHA-256, DER".to_owned(),
        Algorithm::RsaSha256 => "RSA PKCS#1 v1.5 with SHA-256".to_owned(),
        Algorithm::Hs256 => "JWS HS256".to_owned(),
        Algorithm::Es256 => "JWS ES256".to_owned(),
        Algorithm::Rs256 => "JWS RS256".to_owned(),
        Algorithm::Aes128Gcm => "AES-128-GCM, encrypted and not signed".to_owned(),
        Algorithm::Aes128Cbc => "salted SHA-256, encrypted with AES-128-CBC".to_owned(),
        _ => panic!("an algorithm without words"),
    }
}

fn key(scheme: &Scheme) -> String {
    let form = match scheme.key {
        KeyForm::Text => "the text as it is",
        KeyForm::Base64 => "base64, `whsec_` in front or not",
        KeyForm::Base64IfPrefixed => "base64 behind `whsec_`, else the text as it is",
        KeyForm::TextOrBase64 => "the text as it is or, behind `whsec_`, its base64",
        KeyForm::Hex => "hexadecimal, decoded",
        KeyForm::Sha1 => "the SHA-1 of the text",
        KeyForm::First16 => "the first 16 characters",
        KeyForm::PublicKey => "a public key or certificate: PEM, JWK, base64 or hexadecimal",
        _ => panic!("a form of keys without words"),
    };
    let api = if scheme.kind == SecretKind::Api { ", the secret of the API" } else { "" };
    let note = if scheme.key_note.is_empty() { String::new() } else { format!(" ({})", scheme.key_note) };
    format!("{form}{api}{note}")
}

fn signed(scheme: &Scheme) -> String {
    if scheme.content.is_empty() {
        return match scheme.algorithm {
            Algorithm::Hs256 | Algorithm::Es256 | Algorithm::Rs256 => "the claims, one of which is a hash of the body",
            _ => "values of the body, in the provider's own way",
        }
        .to_owned();
    }
    let parts: String = scheme.content.iter().map(part).collect();
    format!("`{parts}`")
}

fn part(part: &Part) -> String {
    match part {
        Part::Body => "{body}".to_owned(),
        Part::Timestamp => "{time}".to_owned(),
        Part::Text("\n") => "\\n".to_owned(),
        Part::Text(text) => (*text).to_owned(),
        Part::Secret => "{secret}".to_owned(),
        Part::Account => "{own id}".to_owned(),
        Part::Credentials => "{user}:{password}".to_owned(),
        Part::Method => "{method}".to_owned(),
        Part::Url => "{url}".to_owned(),
        Part::At(place) => format!("{{{}}}", name(*place)),
        Part::Maybe { before, place, after } => format!("[{before}{{{}}}{after}]", name(*place)),
        Part::Made(_) => "{made of the request}".to_owned(),
        _ => panic!("a part without words"),
    }
}

fn name(place: Place) -> &'static str {
    match place {
        Place::Header(name) | Place::Pair(name) | Place::Field(name) | Place::Query(name) | Place::Json(name) => name,
        Place::AnyHeader(names) => names[0],
        _ => "time",
    }
}

fn url(rule: UrlRule) -> &'static str {
    match rule {
        UrlRule::Unsigned => "",
        UrlRule::Exact => "byte for byte as the provider was given it",
        UrlRule::Ports => "with and without the port, and the query in its older encoding",
        UrlRule::Escaped => "path and query; the query escaped as a whole, and the result once more",
        UrlRule::Unescaped => "as it is, and with some escapes undone",
        _ => panic!("a rule without words"),
    }
}

fn covers(covers: Coverage) -> &'static str {
    match covers {
        Coverage::Body => "the body is as it was sent",
        Coverage::Fields => "the signed fields are as they were sent; anything else is not covered",
        Coverage::NotBody => "nothing about the body",
        Coverage::Nothing => "nothing: every request carries the same password",
        _ => panic!("a coverage without words"),
    }
}

fn time(scheme: &Scheme) -> String {
    let Some(rule) = scheme.time else { return String::new() };
    let unit = match rule.unit {
        TimeUnit::Seconds => "unix seconds",
        TimeUnit::Milliseconds => "unix milliseconds",
        TimeUnit::Rfc3339 => "RFC 3339",
        _ => panic!("a unit without words"),
    };
    let limit = match rule.tolerance_seconds {
        None => "not judged by the official package".to_owned(),
        Some(limit) if rule.limits_future => format!("at most {limit} s old or in the future"),
        Some(limit) => format!("at most {limit} s old, the future is not limited"),
    };
    format!("{} in {unit}, {limit}", rule.place)
}

fn event(scheme: &Scheme) -> String {
    let names: Vec<_> = scheme.event.name.iter().map(Place::to_string).collect();
    let id = scheme.event.id.map(|place| format!("id in {place}"));
    let name = (!names.is_empty()).then(|| format!("name in {}", names.join(" and ")));
    name.into_iter().chain(id).collect::<Vec<_>>().join("; ")
}

fn detection(scheme: &Scheme) -> String {
    let detection = scheme.detection;
    let listed = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut marks = Vec::new();
    if !detection.with.is_empty() {
        marks.push(format!("with {}", listed(detection.with)));
    }
    if !detection.without.is_empty() {
        marks.push(format!("without {}", listed(detection.without)));
    }
    marks.extend(detection.values.iter().map(|(name, value)| format!("`{name}: {value}`")));
    if !detection.fields.is_empty() {
        marks.push(format!("the fields {}", listed(detection.fields)));
    }
    if !detection.contains.is_empty() {
        marks.push(format!("`{}` in the signature", detection.contains));
    }
    if !detection.alone.is_empty() {
        marks.push(format!("even without a signature: {}", listed(detection.alone)));
    }
    if detection.needs_secret {
        marks.push("only where a secret of this provider is known".to_owned());
    }
    marks.join("; ")
}

fn quirks(scheme: &Scheme) -> String {
    let words = scheme.quirks.iter().map(|quirk| match quirk {
        Quirk::RefusesEmptyBody => "the official package refuses an empty body".to_owned(),
        Quirk::AcceptsSpaces => "blanks in or around the signature are usual".to_owned(),
        Quirk::MayRepeat => "the header may come more than once".to_owned(),
        Quirk::ChecksLastOnly => "the official package looks only at the last signature".to_owned(),
        Quirk::OptionalPrefix => "the prefix may be missing".to_owned(),
        Quirk::ChecksUnit => "the official package refuses a time in another unit".to_owned(),
        Quirk::ExcludesBorder => "exactly as old as the tolerance is too old".to_owned(),
        Quirk::IsHandshake => "a handshake, which is answered and not checked".to_owned(),
        Quirk::SecretPerPlace => "each place has a secret of its own".to_owned(),
        Quirk::Demands(name, value) => format!("`{name}` must be `{value}`"),
        Quirk::SaysNoSecret(text) => format!("`{text}` stands there if the provider has no secret"),
        _ => panic!("a quirk without words"),
    });
    words.collect::<Vec<_>>().join("; ")
}

/// A pipe would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
