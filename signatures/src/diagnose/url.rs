//! Other URLs than the one that is known.

use super::edit::{Edit, Proposal, Proposals};
use super::workbench::Case;
use crate::cause::Cause;
use crate::scheme::{Part, UrlRule};
use crate::scope::Scope;

/// How many spellings of one URL are tried, and of how many URLs.
const BASES: usize = 4;

/// The URL with another scheme, host, port, slash or query, where the URL is signed.
pub(super) fn others<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let is_signed = case.scheme.url != UrlRule::Unsigned
        || case.scheme.content.iter().any(|part| matches!(part, Part::Url | Part::Made(_)));
    if !is_signed {
        return Box::new(std::iter::empty());
    }
    let scope = Scope::new(&case.request, case.body);
    let mut bases = UrlRule::Exact.candidates(&scope);
    if bases.is_empty() {
        bases.push(format!("https://localhost{}", String::from_utf8_lossy(case.request.target)));
    }
    let hosts: Vec<String> = HOST_HEADERS
        .iter()
        .filter_map(|name| scope.headers.first(name))
        .map(|value| String::from_utf8_lossy(value.trim_ascii()).into_owned())
        .collect();
    let mut tried = bases.clone();
    let mut variants = Vec::new();
    for base in bases.iter().take(BASES) {
        for (what, url) in spellings(base, &hosts) {
            if !tried.contains(&url) {
                tried.push(url.clone());
                variants.push((what, url));
            }
        }
    }
    Box::new(variants.into_iter().map(|(what, url)| {
        let what = format!("the signature is for `{url}` ({what})");
        Proposal::new(Cause::UrlMismatch, what, Edit::Url(url))
    }))
}

/// Where proxies say which host was called.
const HOST_HEADERS: &[&str] = &["x-forwarded-host", "x-original-host", "host"];

/// A URL, taken apart at what is changed.
#[derive(Clone, Copy)]
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let rest = rest.split('#').next().unwrap_or(rest);
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let port = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let (host, port) = port.map_or((authority, None), |(host, port)| (host, Some(port)));
        Some(Self { scheme, host, port, path, query })
    }

    fn join(self) -> String {
        let Self { scheme, host, port, path, query } = self;
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{host}{port}{path}{query}")
    }
}

/// The URL with one thing changed, and what it is; then with two, where two go wrong together.
fn spellings(url: &str, hosts: &[String]) -> Vec<(&'static str, String)> {
    let Some(parts) = Parts::of(url) else { return Vec::new() };
    let other_scheme = if parts.scheme == "https" { "http" } else { "https" };
    let mut found = vec![("another scheme", Parts { scheme: other_scheme, ..parts }.join())];
    found.extend(other_ends(parts));
    found.extend(other_queries(parts));
    for port in ["443", "80", "8080", "3000"] {
        found.push(("another port", Parts { port: Some(port), ..parts }.join()));
    }
    found.push(("another port", Parts { port: None, ..parts }.join()));
    found.push(("another host", lower_case_host(parts)));
    for host in hosts.iter().filter_map(|host| {
        Parts::of(&format!("https://{host}")).map(|found| (found.host.to_owned(), found.port.map(str::to_owned)))
    }) {
        found.push(("another host", Parts { host: &host.0, port: host.1.as_deref(), ..parts }.join()));
    }
    let bare = parts.host.strip_prefix("www.");
    let www = format!("www.{}", parts.host);
    found.push(("another host", Parts { host: bare.unwrap_or(&www), ..parts }.join()));
    let scheme = Parts { scheme: other_scheme, ..parts };
    found.extend(other_ends(scheme));
    found.push(("another scheme and port", Parts { port: None, ..scheme }.join()));
    found.push(("without the first part of its path", without_first_segment(parts)));
    found
}

fn other_ends(parts: Parts<'_>) -> Vec<(&'static str, String)> {
    let slashed = format!("{}/", parts.path);
    match parts.path.strip_suffix('/') {
        Some(path) => vec![("without the slash at the end of its path", Parts { path, ..parts }.join())],
        None => vec![("with a slash at the end of its path", Parts { path: &slashed, ..parts }.join())],
    }
}

fn other_queries(parts: Parts<'_>) -> Vec<(&'static str, String)> {
    let Some(query) = parts.query else { return Vec::new() };
    let with = |query: &str| Parts { query: Some(query), ..parts }.join();
    let mut found = vec![("without its query", Parts { query: None, ..parts }.join())];
    for (from, to) in [("+", "%20"), ("%20", "+"), ("%27", "'"), ("'", "%27"), ("%2C", ","), ("%3A", ":"), ("%2F", "/")]
    {
        found.push(("another encoding of its query", with(&query.replace(from, to))));
    }
    let fields: Vec<_> = query.split('&').collect();
    let mut sorted = fields.clone();
    sorted.sort_unstable();
    found.push(("another order of its query", with(&sorted.join("&"))));
    for index in (0..fields.len()).filter(|_| fields.len() > 1) {
        let kept: Vec<_> =
            fields.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, field)| *field).collect();
        found.push(("without one parameter of its query", with(&kept.join("&"))));
    }
    found
}

fn lower_case_host(parts: Parts<'_>) -> String {
    Parts { host: &parts.host.to_ascii_lowercase(), ..parts }.join()
}

/// What a tunnel or proxy adds in front of the path.
fn without_first_segment(parts: Parts<'_>) -> String {
    let rest = parts.path.strip_prefix('/').and_then(|path| path.find('/').map(|slash| &path[slash..]));
    Parts { path: rest.unwrap_or(parts.path), ..parts }.join()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_changes_at_a_time() {
        let hosts = ["localhost:3000".to_owned()];
        let found: Vec<_> =
            spellings("https://example.com/a/b?y=1&x=it%27s+2", &hosts).into_iter().map(|(_, url)| url).collect();
        for expected in [
            "http://example.com/a/b?y=1&x=it%27s+2",
            "https://example.com:443/a/b?y=1&x=it%27s+2",
            "https://example.com/a/b/?y=1&x=it%27s+2",
            "https://example.com/a/b",
            "https://example.com/a/b?y=1&x=it's+2",
            "https://example.com/a/b?y=1&x=it%27s%202",
            "https://example.com/a/b?x=it%27s+2&y=1",
            "https://example.com/a/b?y=1",
            "https://localhost:3000/a/b?y=1&x=it%27s+2",
            "https://www.example.com/a/b?y=1&x=it%27s+2",
            "https://example.com/b?y=1&x=it%27s+2",
            "http://example.com/a/b/?y=1&x=it%27s+2",
        ] {
            assert!(found.iter().any(|url| url == expected), "{expected} {found:#?}");
        }
        assert!(spellings("no url", &[]).is_empty());
    }
}
