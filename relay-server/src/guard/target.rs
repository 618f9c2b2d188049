//! Request targets: which form, for which host, and whether `http::Uri` can hold them.

use hookwire_protocol::code::Code;

/// What a request target is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form<'b> {
    /// The host of an absolute form.
    pub(super) authority: Option<&'b [u8]>,
    /// Where the path begins.
    pub(super) path: usize,
    /// `http::Uri` refuses the path or query, or cuts it off.
    pub(super) unusual: bool,
}

/// Tells the form of a target (RFC 9112 §3.2). The authority form belongs to `CONNECT`, which the relay does not serve.
pub(super) fn form(target: &[u8]) -> Result<Form<'_>, Code> {
    match target {
        [b'/', ..] => Ok(Form { authority: None, path: 0, unusual: !fits_uri(target) }),
        b"*" => Ok(Form { authority: None, path: 0, unusual: false }),
        _ => absolute(target).ok_or(Code::MalformedRequest),
    }
}

/// Whether a `host` header holds what RFC 9110 §7.2 wants: `uri-host [ ":" port ]`, and not the empty host.
///
/// The characters are those of RFC 3986 §3.2.2 without `,`, which some recipients take for the border between two hosts.
pub(super) fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !value.ends_with(b"]") => (&value[..colon], &value[colon + 1..]),
        _ => (value, &b""[..]),
    };
    // Five digits reach beyond 65,535; that the port exists is not what is checked here.
    let port_fits = port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    let host_fits = match host {
        [] => false,
        [b'[', address @ .., b']'] => is_ip_literal(address),
        name => name.iter().all(|byte| has(*byte, NAME)),
    };
    port_fits && host_fits
}

fn is_ip_literal(address: &[u8]) -> bool {
    std::str::from_utf8(address).is_ok_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

/// `http://host/path`, as proxies are asked.
fn absolute(target: &[u8]) -> Option<Form<'_>> {
    let after = |scheme: &[u8]| {
        target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)).then_some(scheme.len())
    };
    let start = after(b"http://").or_else(|| after(b"https://"))?;
    let length =
        target[start..].iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(target.len() - start);
    let path = start + length;
    let unusual = !fits_uri(&target[path..]);
    // hyper must read the very target that was checked here, or none at all.
    let known = unusual || http::Uri::try_from(target).is_ok();
    known.then_some(Form { authority: Some(&target[start..path]), path, unusual })
}

/// Whether `http::Uri` takes a path and query as it is.
fn fits_uri(target: &[u8]) -> bool {
    let path_end = target.iter().position(|byte| !has(*byte, PATH)).unwrap_or(target.len());
    match &target[path_end..] {
        [] => target.is_ascii() || std::str::from_utf8(target).is_ok(),
        [b'?', query @ ..] => {
            query.iter().all(|byte| has(*byte, QUERY)) && (target.is_ascii() || std::str::from_utf8(target).is_ok())
        }
        _ => false,
    }
}

const PATH: u8 = 1;
const QUERY: u8 = 2;
const NAME: u8 = 4;

fn has(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// Which bytes may stand where. Paths and queries are what `http::uri::PathAndQuery` takes (the path and query states of the WHATWG
/// URL standard); names are RFC 3986 `reg-name` without `,`.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let in_path = matches!(byte as u8, b'!' | 0x24..=0x3b | b'=' | 0x40..=0x5f | 0x61..=0x7a | b'|' | b'~' | b'"' | b'{' | b'}' | 0x80..);
        let in_query = matches!(byte as u8, b'!' | 0x24..=0x3b | b'=' | 0x3f..=0x7e | 0x80..);
        let in_name = (byte as u8).is_ascii_alphanumeric()
            || matches!(
                byte as u8,
                b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'='
            );
        if in_path {
            classes[byte] |= PATH;
        }
        if in_query {
            classes[byte] |= QUERY;
        }
        if in_name {
            classes[byte] |= NAME;
        }
        byte += 1;
    }
    classes
};
