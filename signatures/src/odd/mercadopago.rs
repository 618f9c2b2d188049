//! Mercado Pago signs a manifest of the query and two headers, and no body.
//!
//! <https://www.mercadopago.com/developers/en/docs/your-integrations/notifications/webhooks>

use std::borrow::Cow;

use crate::scheme::Given;
use crate::scope::Scope;

/// `id:…;` with the id of the query, which is signed in lower case; nothing without an id.
pub(crate) fn id<'a>(scope: &'a Scope<'a>, _: Given<'a>) -> Cow<'a, [u8]> {
    let id = scope.query().value("data.id").filter(|id| !id.is_empty());
    id.map_or_else(Cow::default, |id| Cow::Owned(format!("id:{};", id.to_lowercase()).into_bytes()))
}
