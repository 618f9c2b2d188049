//! Where the app is: what stands behind `hookwire listen`.

use std::{fmt, str::FromStr};

use bytes::Bytes;

use super::UpstreamError;
use crate::dial::address::{Address, AddressError, authority};

/// How the app is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HTTP/1.1 over TCP.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The app's address: `3000`, `:3000`, `host:3000`, `[::1]:3000`, `http://host:port/path`, `https://host/path`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    origin: Origin,
    /// As typed: empty, or from the first `/` on.
    base: String,
}

/// What connections are kept for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    pub(super) fn authority(&self) -> String {
        authority(&self.host, self.port, self.scheme.default_port())
    }
}

impl Target {
    /// How the app is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.origin.scheme
    }

    /// Its name or IP address, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.origin.host
    }

    /// Its TCP port.
    pub fn port(&self) -> u16 {
        self.origin.port
    }

    /// The path that all requests are put under, as typed: empty, or from the first `/` on.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `host` or `host:port`, as a `host` header for this target has it (RFC 9112 §3.2).
    pub fn authority(&self) -> String {
        self.origin.authority()
    }

    /// The request target for `rest`, which is empty or begins with `/` or `?`: base and rest, byte for byte, with exactly one
    /// slash where they meet.
    ///
    /// Nothing is decoded or normalised, dot segments included, and the result always begins with `/`: it can't name another host.
    /// Without a base it is `rest` itself, if there is any, and shares its memory.
    ///
    /// # Errors
    /// [`UpstreamError::BadTarget`] when `rest` begins with anything else.
    pub fn join(&self, rest: &Bytes) -> Result<Bytes, UpstreamError> {
        let base = match rest.first() {
            Some(b'/') => self.base.strip_suffix('/').unwrap_or(&self.base),
            None if self.base.is_empty() => return Ok(Bytes::from_static(b"/")),
            Some(b'?') if self.base.is_empty() => "/",
            None | Some(b'?') => &self.base,
            Some(_) => return Err(UpstreamError::BadTarget),
        };
        Ok(if base.is_empty() { rest.clone() } else { [base.as_bytes(), rest].concat().into() })
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl FromStr for Target {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let address = Address::parse(text)?;
        let scheme = match address.scheme {
            None => Scheme::Http,
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            Some(scheme) => return Err(AddressError::Scheme(scheme.to_owned())),
        };
        Ok(Self {
            origin: Origin {
                scheme,
                host: address.host.to_owned(),
                port: address.port.unwrap_or(scheme.default_port()),
            },
            base: address.path.to_owned(),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, authority) = (self.scheme().as_str(), self.authority());
        write!(f, "{scheme}://{authority}{}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn join(target: &str, rest: &str) -> String {
        let target: Target = target.parse().unwrap();
        String::from_utf8(target.join(&Bytes::copy_from_slice(rest.as_bytes())).unwrap().into()).unwrap()
    }

    #[test]
    fn a_target_is_shown_as_a_url() {
        for (text, shown) in [
            ("3000", "http://localhost:3000"),
            (":3000", "http://localhost:3000"),
            ("localhost", "http://localhost"),
            ("api.test:80", "http://api.test"),
            ("[::1]:3000", "http://[::1]:3000"),
            ("HTTPS://api.test/Hook/", "https://api.test/Hook/"),
            ("https://[::1]:80", "https://[::1]:80"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), shown, "{text}");
            assert_eq!(shown.parse::<Target>().unwrap(), target);
        }
        let error = "ws://h".parse::<Target>().unwrap_err();
        assert_eq!(error, AddressError::Scheme("ws".to_owned()));
    }

    #[test]
    fn base_and_rest_meet_at_one_slash() {
        for (target, rest, joined) in [
            ("3000", "", "/"),
            ("3000", "/", "/"),
            ("3000", "/a", "/a"),
            ("3000", "?q", "/?q"),
            ("3000", "//evil.test/", "//evil.test/"),
            ("3000/", "", "/"),
            ("3000/", "/a", "/a"),
            ("3000/", "//a", "//a"),
            ("3000/", "?q", "/?q"),
            ("3000/hook", "", "/hook"),
            ("3000/hook", "?q", "/hook?q"),
            ("3000/hook", "/x?y", "/hook/x?y"),
            ("3000/hook", "/../%2e%2E//", "/hook/../%2e%2E//"),
            ("3000/hook/", "", "/hook/"),
            ("3000/hook/", "/x", "/hook/x"),
        ] {
            assert_eq!(join(target, rest), joined, "{target} and {rest}");
        }
    }

    proptest! {
        /// Whatever the sender writes, the app's host and base stay.
        #[test]
        fn a_rest_never_leaves_the_target(rest: Vec<u8>, base in "(/[a-z]{0,3}){0,2}") {
            let target: Target = format!("3000{base}").parse().unwrap();
            match target.join(&Bytes::copy_from_slice(&rest)) {
                Ok(joined) => {
                    prop_assert!(joined.starts_with(b"/"));
                    prop_assert!(joined.starts_with(base.trim_end_matches('/').as_bytes()));
                    prop_assert!(joined.ends_with(&rest));
                }
                Err(_) => prop_assert!(!matches!(rest.first(), None | Some(b'/' | b'?'))),
            }
        }
    }
}
