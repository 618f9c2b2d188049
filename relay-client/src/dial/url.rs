//! Where a relay is.

use std::{fmt, str::FromStr};

use super::address::{Address, AddressError, authority, is_loopback};

/// A relay's address: scheme, host and port, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayUrl {
    tls: bool,
    host: String,
    port: u16,
}

impl RelayUrl {
    /// Whether the connection is to be inside TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Its name or IP address, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host` or `host:port`, as a `host` header has it.
    pub fn authority(&self) -> String {
        authority(&self.host, self.port, default_port(self.tls))
    }
}

/// Reads `http://…`, `https://…`, `ws://…`, `wss://…`, `host:port` or `host`. Without a scheme it is `https`, on a loopback `http`.
impl FromStr for RelayUrl {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let address = Address::parse(text)?;
        let scheme = address.scheme.map(str::to_ascii_lowercase);
        let tls = match scheme.as_deref() {
            Some("http" | "ws") => false,
            Some("https" | "wss") => true,
            Some(_) => {
                let scheme = address.scheme.unwrap_or_default();
                return Err(AddressError::Scheme(scheme.to_owned()));
            }
            None => !is_loopback(address.host),
        };
        if !matches!(address.path, "" | "/") {
            return Err(AddressError::RelayPath(address.path.to_owned()));
        }
        Ok(Self { tls, host: address.host.to_owned(), port: address.port.unwrap_or(default_port(tls)) })
    }
}

impl fmt::Display for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_https_unless_it_says_otherwise_or_is_here() {
        for (text, shown) in [
            ("relay.example.com", "https://relay.example.com"),
            ("relay.example.com:8443", "https://relay.example.com:8443"),
            ("https://relay.example.com/", "https://relay.example.com"),
            ("https://relay.example.com:443", "https://relay.example.com"),
            ("WSS://relay.example.com", "https://relay.example.com"),
            ("ws://10.0.0.1", "http://10.0.0.1"),
            ("localhost:8080", "http://localhost:8080"),
            ("8080", "http://localhost:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("https://[::1]", "https://[::1]"),
            ("127.0.0.1", "http://127.0.0.1"),
        ] {
            let url: RelayUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown, "{text}");
            assert_eq!(shown.parse::<RelayUrl>().unwrap(), url);
        }
    }

    #[test]
    fn what_is_no_relay_is_refused() {
        for (text, error) in [
            ("ftp://h", AddressError::Scheme("ftp".to_owned())),
            ("https://h/shop", AddressError::RelayPath("/shop".to_owned())),
            ("https://h:0", AddressError::Port("0".to_owned())),
            ("https://token@h", AddressError::UserInfo),
        ] {
            assert_eq!(text.parse::<RelayUrl>(), Err(error), "{text}");
        }
    }
}
