//! A request as a command for any POSIX shell.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use hookwire_capture::Exchange;
use hookwire_protocol::head::BodyLength;

use super::request::{split_base, target};
use crate::sanitize::{Unit, units};

/// Writes the command. It holds nothing but visible characters and line breaks, so it can be pasted anywhere.
///
/// curl's own headers are turned off where the request has none of that name. It writes `Host` first and with a capital;
/// all else goes out as it was captured.
pub(super) fn write(exchange: &Exchange, base: &str, out: &mut impl Write) -> io::Result<()> {
    let body = &exchange.request_body;
    let data = Data::of(exchange);
    if body.truncated() {
        writeln!(out, "# only the first {} of the body's {} bytes were captured", body.bytes.len(), body.length)?;
    }
    if let Data::Piped = data {
        writeln!(out, "base64 -d <<'{HERE}' |")?;
        for line in STANDARD.encode(&body.bytes).as_bytes().chunks(BASE64_LINE) {
            out.write_all(line)?;
            out.write_all(b"\n")?;
        }
        writeln!(out, "{HERE}")?;
    }
    let mut arguments = url(exchange, base);
    arguments.extend(headers(exchange, &data));
    match data {
        Data::None => {}
        Data::Inline => arguments.push(format!("--data-raw {}", quote_body(&body.bytes))),
        Data::Piped => arguments.push("--data-binary @-".to_owned()),
    }
    writeln!(out, "curl {}", arguments.join(" \\\n  "))
}

/// How the body gets to curl.
enum Data {
    None,
    /// On the command line.
    Inline,
    /// Through a pipe, as base64.
    Piped,
}

impl Data {
    fn of(exchange: &Exchange) -> Self {
        let body = &exchange.request_body.bytes;
        let shows = |unit| matches!(unit, Unit::Visible(_) | Unit::Escaped('\n'));
        match exchange.request.body {
            _ if body.len() > INLINE_LIMIT => Self::Piped,
            _ if body.is_empty() && is_head(exchange) => Self::None,
            BodyLength::Empty if body.is_empty() => Self::None,
            _ if units(body).all(shows) => Self::Inline,
            _ => Self::Piped,
        }
    }
}

/// Method and URL. A target that curl would read or write in another way is given apart.
fn url(exchange: &Exchange, base: &str) -> Vec<String> {
    let (origin, path) = split_base(base);
    let target = [path.as_bytes(), &target(exchange)].concat();
    let method = match exchange.method() {
        // With `--request HEAD` curl would wait for a body; with `--head` it can't send one.
        _ if is_head(exchange) && exchange.request_body.bytes.is_empty() => "--head".to_owned(),
        method => format!("--request {}", quote(method)),
    };
    if is_plain(&target) {
        vec![format!("{method} {}", quote(&[origin.as_bytes(), &target].concat()))]
    } else {
        let url = quote(format!("{origin}/").as_bytes());
        vec![format!("{method} {url}"), format!("--request-target {}", quote(&target))]
    }
}

fn is_head(exchange: &Exchange) -> bool {
    exchange.method() == b"HEAD"
}

/// Whether a target stays as it is in a URL that curl parses: no fragment, no globs, no dot segments, nothing to escape.
fn is_plain(target: &[u8]) -> bool {
    let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
    let dots = path.split(|&byte| byte == b'/').any(|segment| {
        let segment = segment.to_ascii_lowercase();
        segment.starts_with(b".") || segment.windows(3).any(|escape| escape == b"%2e")
    });
    let usual = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/?@!$&'()*+,;=%:".contains(byte);
    !dots && target.iter().all(usual)
}

fn headers(exchange: &Exchange, data: &Data) -> Vec<String> {
    let body = &exchange.request_body;
    let mut arguments = Vec::new();
    for (name, value) in exchange.request.headers.iter() {
        // Of a cut body, curl counts what is left.
        if name == b"content-length" && value != body.bytes.len().to_string().as_bytes() {
            continue;
        }
        let line = if value.is_empty() { [name, b";"].concat() } else { [name, b": ", value].concat() };
        arguments.push(format!("--header {}", quote(&line)));
    }
    let has = |name: &str| exchange.request.headers.value(name).is_some();
    let sends = !matches!(data, Data::None);
    if sends && exchange.request.body == BodyLength::Unknown && !has("content-length") {
        arguments.push("--header 'transfer-encoding: chunked'".to_owned());
    }
    let own = [
        ("accept", true),
        ("user-agent", true),
        ("content-type", sends),
        ("expect", body.bytes.len() > EXPECT_THRESHOLD),
    ];
    arguments
        .extend(own.iter().filter(|(name, adds)| *adds && !has(name)).map(|(name, _)| format!("--header '{name}:'")));
    arguments
}

/// Bytes as one word of the shell. What can't be seen goes through `printf`, whose octal escapes POSIX has
/// (`printf`, "Extended Description").
fn quote(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    if units(bytes).all(|unit| matches!(unit, Unit::Visible(_))) {
        return quote_body(bytes);
    }
    let mut word = String::from("\"$(printf '");
    for &byte in bytes {
        match byte {
            b'%' => word.push_str("%%"),
            b' '..=b'~' if !b"\\'".contains(&byte) => word.push(char::from(byte)),
            _ => {
                let written = write!(word, "\\{byte:03o}");
                debug_assert!(written.is_ok(), "writing to a string can't fail");
            }
        }
    }
    word.push_str("')\"");
    word
}

/// Text within single quotes, where nothing but their end has a meaning (POSIX, "Shell Command Language" §2.2.2).
fn quote_body(bytes: &[u8]) -> String {
    format!("'{}'", String::from_utf8_lossy(bytes).replace('\'', "'\\''"))
}

/// The most that is put on a command line. Linux takes 128 KiB for one argument (`MAX_ARG_STRLEN`), and quotes in the
/// text make it longer.
const INLINE_LIMIT: usize = 64 * 1024;

/// Bodies above it made old versions of curl ask with `Expect: 100-continue` first; newer ones ask from 1 MiB on.
const EXPECT_THRESHOLD: usize = 1_024;

/// The length of a line of base64 (RFC 2045 §6.8).
const BASE64_LINE: usize = 76;

/// What ends the base64; no line of it can look like that, for `_` is not in its alphabet.
const HERE: &str = "END_OF_BODY";
