//! dLocal: the merchant's own login is signed, and need not be in the request.

use std::borrow::Cow;

use crate::scheme::Given;
use crate::scope::Scope;

pub(crate) fn login<'a>(scope: &'a Scope<'a>, given: Given<'a>) -> Cow<'a, [u8]> {
    let own = given.account.map(str::as_bytes);
    let sent = || scope.headers.first("x-login").map(<[u8]>::trim_ascii);
    Cow::Borrowed(own.or_else(sent).unwrap_or_default())
}
