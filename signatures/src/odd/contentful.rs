//! Contentful: method, path, chosen headers and body, each on a line.
//!
//! <https://www.contentful.com/developers/docs/extensibility/app-framework/request-verification/>

use std::borrow::Cow;

use crate::cause::Cause;
use crate::scheme::Given;
use crate::scope::Scope;

/// The header that lists the signed ones, itself included.
const SIGNED_HEADERS: &str = "x-contentful-signed-headers";

/// The path and the query of the URL that is tried.
pub(crate) fn path<'a>(_: &'a Scope<'a>, given: Given<'a>) -> Cow<'a, [u8]> {
    let behind = given.url.split_once("://").map_or(given.url, |(_, behind)| behind);
    let path = behind.find('/').map_or("/", |slash| &behind[slash..]);
    Cow::Borrowed(path.as_bytes())
}

/// The signed headers, sorted by name: `name:value;name:value`.
pub(crate) fn headers<'a>(scope: &'a Scope<'a>, _: Given<'a>) -> Cow<'a, [u8]> {
    let line = |name: String| {
        let value = scope.headers.first(&name).unwrap_or_default();
        [name.as_bytes(), b":", value.trim_ascii()].concat()
    };
    Cow::Owned(signed_names(scope).into_iter().map(line).collect::<Vec<_>>().join(&b';'))
}

/// Every header that the list names must be there.
pub(crate) fn refusal(scope: &Scope<'_>) -> Option<Cause> {
    let names = signed_names(scope);
    let is_whole = !names.is_empty() && names.iter().all(|name| scope.headers.has(name));
    (!is_whole).then_some(Cause::MissingSignature)
}

fn signed_names(scope: &Scope<'_>) -> Vec<String> {
    let list = String::from_utf8_lossy(scope.headers.first(SIGNED_HEADERS).unwrap_or_default()).to_ascii_lowercase();
    let mut names: Vec<_> =
        list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names
}
