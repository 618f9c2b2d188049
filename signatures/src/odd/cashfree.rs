//! Cashfree's older form notifications: the values of all fields in the order of their names.

use std::borrow::Cow;

use crate::scheme::Given;
use crate::scope::Scope;

/// The field that is not signed.
const SIGNATURE: &str = "signature";

pub(crate) fn values<'a>(scope: &'a Scope<'a>, _: Given<'a>) -> Cow<'a, [u8]> {
    let mut fields: Vec<_> = scope.form().iter().filter(|(name, _)| *name != SIGNATURE).collect();
    fields.sort_by_key(|(name, _)| *name);
    Cow::Owned(fields.into_iter().flat_map(|(_, value)| value.bytes()).collect())
}
