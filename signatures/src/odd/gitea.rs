//! Gitea signs the JSON, also where it sends it inside of a form (`deliver.go`); GitHub signs the form.

use std::borrow::Cow;

use crate::scheme::Given;
use crate::scope::Scope;

pub(crate) fn payload<'a>(scope: &'a Scope<'a>, _: Given<'a>) -> Cow<'a, [u8]> {
    let payload = scope.form().value("payload").or_else(|| {
        let is_get = scope.method == b"GET" && scope.body.is_empty();
        is_get.then(|| scope.query().value("payload")).flatten()
    });
    Cow::Borrowed(payload.map_or(scope.body, str::as_bytes))
}
