//! What people type for a place on the network, taken apart once for the app's target and the relay's URL.

use std::net::{IpAddr, Ipv6Addr};

/// The parts of a typed address. Nothing is decoded or normalised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// Before `://`, when that was typed.
    pub(crate) scheme: Option<&'a str>,
    /// A name or an IP address, an IPv6 address without its brackets; `localhost` when only a port was typed.
    pub(crate) host: &'a str,
    /// From 1 to 65535, when it was typed.
    pub(crate) port: Option<u16>,
    /// Empty, or from the first `/` on.
    pub(crate) path: &'a str,
}

/// An address that hookwire can't use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Nothing was typed.
    #[error("the address is empty")]
    Empty,
    /// Not a scheme that fits here.
    #[error("`{0}` is not a scheme that can be used here")]
    Scheme(String),
    /// A scheme without all of `://` behind it.
    #[error("`{0}` has no `://` behind its scheme")]
    Separator(String),
    /// A user name or password stands before an `@`.
    #[error("an address can't hold a user name or a password")]
    UserInfo,
    /// Neither a name nor an IP address.
    #[error("`{0}` is not a host")]
    Host(String),
    /// Not a number from 1 to 65535.
    #[error("`{0}` is not a port")]
    Port(String),
    /// A path with bytes that can't stand in a request (RFC 3986 §3.3).
    #[error("`{0}` can't be used as a path")]
    Path(String),
    /// A query or a fragment.
    #[error("`{0}` can't be part of the address")]
    Query(String),
    /// The relay serves from its root only.
    #[error("a relay's URL has no path, and this one has `{0}`")]
    RelayPath(String),
}

impl AddressError {
    /// What to type instead.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "write a port (`3000`), `host:port` or a URL",
            Self::Scheme(_) | Self::Separator(_) => "write `http://…` or `https://…`, or leave it out",
            Self::UserInfo => "leave out what stands before the `@`",
            Self::Host(_) => {
                "write a name, an IPv4 address or an IPv6 address in brackets (`[::1]:3000`); international names in their `xn--` form"
            }
            Self::Port(_) => "a port is a number from 1 to 65535",
            Self::Path(_) => "percent-encode blanks and everything that is not ASCII",
            Self::Query(_) => "leave out everything from the `?` or `#` on",
            Self::RelayPath(_) => "write `https://relay.example.com`, without a path",
        }
    }
}

impl<'a> Address<'a> {
    /// Takes `[scheme://][host][:port][/path]` apart; digits alone are a port of `localhost`.
    pub(crate) fn parse(text: &'a str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None if lacks_separator(text) => return Err(AddressError::Separator(text.to_owned())),
            None => (None, text),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if let Some(at) = path.find(['?', '#']) {
            return Err(AddressError::Query(path[at..].to_owned()));
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AddressError::Path(path.to_owned()));
        }
        let (host, port) = host_and_port(authority)?;
        Ok(Self { scheme, host, port, path })
    }
}

/// Whether this host is the machine itself, by name or by address.
pub(crate) fn is_loopback(host: &str) -> bool {
    is_localhost(host) || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether this name means the machine itself whatever a resolver says (RFC 6761 §6.3).
pub(crate) fn is_localhost(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    last.eq_ignore_ascii_case("localhost")
}

/// Host and port as they stand in a URL or a `host` header: `host`, `host:port`, `[::1]:port`. The scheme's own port is left out.
pub(crate) fn authority(host: &str, port: u16, default_port: u16) -> String {
    match (host.contains(':'), port == default_port) {
        (false, true) => host.to_owned(),
        (false, false) => format!("{host}:{port}"),
        (true, true) => format!("[{host}]"),
        (true, false) => format!("[{host}]:{port}"),
    }
}

/// Whether part of a scheme's `://` was typed. `http:3000` is a host of that name.
fn lacks_separator(text: &str) -> bool {
    let behind = text.strip_prefix("https").or_else(|| text.strip_prefix("http"));
    behind.is_some_and(|behind| behind.starts_with("//") || behind.starts_with(":/"))
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), AddressError> {
    let wrong = || AddressError::Host(authority.to_owned());
    if authority.contains('@') {
        return Err(AddressError::UserInfo);
    }
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or_else(wrong)?;
        if host.parse::<Ipv6Addr>().is_err() {
            return Err(wrong());
        }
        return match (rest, rest.strip_prefix(':')) {
            ("", _) => Ok((host, None)),
            (_, Some(port)) => Ok((host, Some(parse_port(port)?))),
            (_, None) => Err(wrong()),
        };
    }
    let digits = authority.strip_prefix(':').unwrap_or(authority);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(("localhost", Some(parse_port(digits)?)));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(parse_port(port)?)),
        Some(_) => return Err(wrong()),
        None => (authority, None),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_name) {
        return Err(wrong());
    }
    Ok((host, port))
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    let wrong = || AddressError::Port(text.to_owned());
    // `u16::from_str` would take a plus sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_optional_but_host_or_port() {
        type Parts = (Option<&'static str>, &'static str, Option<u16>, &'static str);
        let cases: [(&str, Parts); 11] = [
            ("3000", (None, "localhost", Some(3000), "")),
            (":3000", (None, "localhost", Some(3000), "")),
            ("3000/hook", (None, "localhost", Some(3000), "/hook")),
            ("localhost", (None, "localhost", None, "")),
            ("http:3000/a", (None, "http", Some(3000), "/a")),
            ("my_app.test:81", (None, "my_app.test", Some(81), "")),
            ("[::1]:3000", (None, "::1", Some(3000), "")),
            ("[::1]", (None, "::1", None, "")),
            ("127.0.0.1:1", (None, "127.0.0.1", Some(1), "")),
            ("http://h:65535/", (Some("http"), "h", Some(65535), "/")),
            ("HTTPS://H/a/%2e%2E//b/", (Some("HTTPS"), "H", None, "/a/%2e%2E//b/")),
        ];
        for (text, (scheme, host, port, path)) in cases {
            let expected = Address { scheme, host, port, path };
            assert_eq!(Address::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_part_that_is_wrong() {
        type Case = (&'static str, fn(String) -> AddressError, &'static str);
        let cases: [Case; 21] = [
            ("http//h/a", AddressError::Separator, "http//h/a"),
            ("https:/h", AddressError::Separator, "https:/h"),
            ("0", AddressError::Port, "0"),
            ("70000", AddressError::Port, "70000"),
            ("h:", AddressError::Port, ""),
            ("h:+80", AddressError::Port, "+80"),
            ("h:80a", AddressError::Port, "80a"),
            ("[::1]:x", AddressError::Port, "x"),
            ("::1", AddressError::Host, "::1"),
            ("[::1", AddressError::Host, "[::1"),
            ("[::1]x", AddressError::Host, "[::1]x"),
            ("[localhost]:80", AddressError::Host, "[localhost]:80"),
            ("http://", AddressError::Host, ""),
            ("/hook", AddressError::Host, ""),
            ("my app", AddressError::Host, "my app"),
            ("höst", AddressError::Host, "höst"),
            ("h\nx", AddressError::Host, "h\nx"),
            ("h/a b", AddressError::Path, "/a b"),
            ("h/ö", AddressError::Path, "/ö"),
            ("h/a?b=c", AddressError::Query, "?b=c"),
            ("h#f", AddressError::Query, "#f"),
        ];
        for (text, error, part) in cases {
            assert_eq!(Address::parse(text), Err(error(part.to_owned())), "{text}");
        }
        assert_eq!(Address::parse(""), Err(AddressError::Empty));
        assert_eq!(Address::parse("http://me:secret@h"), Err(AddressError::UserInfo));
    }

    #[test]
    fn the_machine_itself_is_known_by_name_and_address() {
        for host in ["localhost", "LOCALHOST", "shop.localhost", "127.1.2.3", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "notlocalhost", "10.0.0.1", "::2"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
