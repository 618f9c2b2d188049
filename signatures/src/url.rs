//! The URLs that a provider may have signed.

use crate::form;
use crate::scheme::UrlRule;
use crate::scope::Scope;

impl UrlRule {
    /// Every spelling to try, the likeliest first; one empty text if no URL is signed.
    pub(crate) fn candidates(self, scope: &Scope<'_>) -> Vec<String> {
        let mut candidates = Vec::with_capacity(1);
        if self == Self::Unsigned {
            candidates.push(String::new());
            return candidates;
        }
        for url in known(scope) {
            for spelling in self.spellings(&url) {
                if !candidates.contains(&spelling) {
                    candidates.push(spelling);
                }
            }
        }
        candidates
    }

    fn spellings(self, url: &str) -> Vec<String> {
        match self {
            Self::Unsigned => Vec::new(),
            Self::Exact => vec![url.to_owned()],
            Self::Ports => {
                let spelled = |url: String| [url.replace('\'', "%27"), older_query(&url), url];
                with_ports(url).into_iter().flat_map(spelled).rev().collect()
            }
            Self::Escaped => vec![escaped_twice(url), url.to_owned()],
            Self::Unescaped => vec![url.to_owned(), unescaped(url)],
        }
    }
}

/// The URLs that were given, else the ones that the request itself tells of.
fn known(scope: &Scope<'_>) -> Vec<String> {
    if !scope.urls.is_empty() {
        return scope.urls.iter().map(ToString::to_string).collect();
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let target = text(scope.target);
    if target.contains("://") {
        return vec![target];
    }
    let header = |name: &str| scope.headers.first(name).map(|value| text(value.trim_ascii()));
    let Some(host) = header("x-forwarded-host").or_else(|| header("host")) else { return Vec::new() };
    let said = header("x-forwarded-proto").unwrap_or_else(|| "https".to_owned());
    let other = if said == "https" { "http" } else { "https" };
    [said.as_str(), other].iter().map(|scheme| format!("{scheme}://{host}{target}")).collect()
}

/// A URL in its parts: `https://`, `user:pass@host`, `:port`, and all that follows.
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, behind) = url.split_once("://")?;
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let (authority, rest) = behind.split_at(end);
        let host_start = authority.rfind('@').map_or(0, |at| at + 1);
        let (host, port) = match authority[host_start..].rfind(':') {
            Some(colon) if authority[host_start + colon + 1..].bytes().all(|byte| byte.is_ascii_digit()) => {
                (&authority[..host_start + colon], Some(&authority[host_start + colon + 1..]))
            }
            _ => (authority, None),
        };
        Some(Self { scheme, host, port, rest })
    }
}

/// With and without a port: Twilio signs the one or the other, depending on scheme and service.
fn with_ports(url: &str) -> Vec<String> {
    let Some(Parts { scheme, host, port, rest }) = Parts::of(url) else { return vec![url.to_owned()] };
    let standard = if scheme.eq_ignore_ascii_case("http") { "80" } else { "443" };
    let port = port.filter(|port| !port.is_empty()).unwrap_or(standard);
    vec![format!("{scheme}://{host}{rest}"), format!("{scheme}://{host}:{port}{rest}")]
}

/// The query decoded and encoded again as Node's `querystring` does it, which leaves `!'()*` alone and writes `%20`.
fn older_query(url: &str) -> String {
    let Some((front, query)) = url.split_once('?') else { return url.to_owned() };
    let pairs = form::parse(query.as_bytes());
    let encoded: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    format!("{front}?{}", encoded.join("&"))
}

/// The URL as JavaScript's `encodeURI` writes it, after its query went through `encodeURIComponent`.
fn escaped_twice(url: &str) -> String {
    let inner = url.split_once('?').map(|(front, query)| format!("{front}?{}", escaped(query)));
    percent_encoded(inner.as_deref().unwrap_or(url), b"-_.!~*'();,/?:@&=+$#")
}

/// As `encodeURIComponent` writes it.
fn escaped(text: &str) -> String {
    percent_encoded(text, b"-_.!~*'()")
}

fn percent_encoded(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}

/// The escapes that HubSpot's page tells to undo before the URL is signed.
const HUBSPOT_ESCAPES: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

fn unescaped(url: &str) -> String {
    HUBSPOT_ESCAPES.iter().fold(url.to_owned(), |url, (escape, plain)| {
        let lower = escape.to_ascii_lowercase();
        url.replace(escape, plain).replace(&lower, plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    #[test]
    fn twilio_tries_ports_and_the_older_query() {
        let spellings = UrlRule::Ports.spellings("https://u:p@h.example:1234/a?x=it%27s+1");
        for expected in [
            "https://u:p@h.example:1234/a?x=it%27s+1",
            "https://u:p@h.example/a?x=it%27s+1",
            "https://u:p@h.example/a?x=it's%201",
        ] {
            assert!(spellings.iter().any(|url| url == expected), "{expected} {spellings:?}");
        }
        assert!(with_ports("http://[::1]/").contains(&"http://[::1]:80/".to_owned()));
        assert_eq!(with_ports("no url"), ["no url"]);
    }

    #[test]
    fn without_a_url_the_request_tells() {
        let headers = [("Host", "h.example"), ("X-Forwarded-Proto", "http")];
        let request = Request { method: b"POST", target: b"/a?b", headers: &headers, urls: &[] };
        let scope = Scope::new(&request, b"");
        assert_eq!(UrlRule::Exact.candidates(&scope), ["http://h.example/a?b", "https://h.example/a?b"]);
        let request = Request { urls: &["https://public.example/"], ..request };
        assert_eq!(UrlRule::Exact.candidates(&Scope::new(&request, b"")), ["https://public.example/"]);
        assert_eq!(UrlRule::Unsigned.candidates(&scope), [""]);
    }

    #[test]
    fn contentful_escapes_the_query_as_a_whole() {
        let spellings = UrlRule::Escaped.spellings("https://h.example/a b?a=1&b=x y");
        assert_eq!(spellings[0], "https://h.example/a%20b?a%253D1%2526b%253Dx%2520y");
        assert_eq!(UrlRule::Escaped.spellings("https://h.example/a")[0], "https://h.example/a");
    }

    #[test]
    fn hubspot_undoes_some_escapes() {
        assert_eq!(unescaped("https://h/?a=%3a%2F%20"), "https://h/?a=:/%20");
    }
}
