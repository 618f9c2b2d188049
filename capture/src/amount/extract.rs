//! Where providers write the money in a webhook's body.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use hookwire_signatures::{Event, Provider};

use super::{Amount, Currency};
use crate::CapturedBody;

/// The longest body that is read for its amount, in bytes: payments are some kB, and the store's writer must not be held up.
const LONGEST_BODY: usize = 256 << 10;

/// How many of a payload's entities are looked at; Razorpay sends up to four.
const MOST_ENTITIES: usize = 8;

/// The money that an event is about; none where its provider is not known to say so, or the body was not kept whole.
pub(crate) fn amount(event: &Event, body: &CapturedBody) -> Option<Amount> {
    if body.truncated() || body.bytes.len() > LONGEST_BODY {
        return None;
    }
    match event.provider? {
        Provider::Razorpay => razorpay(event.name.as_deref().unwrap_or_default(), &body.bytes),
        Provider::Stripe => stripe(&body.bytes),
        _ => None,
    }
}

/// `payload.<kind>.entity.amount` (<https://razorpay.com/docs/webhooks/payloads/payments/>). Where a payload has several entities, such
/// as an order and its payment, the event is named after the one it is about.
fn razorpay(name: &str, body: &[u8]) -> Option<Amount> {
    let Razorpay { payload: Entities(entities) } = serde_json::from_slice(body).ok()?;
    let kind = name.split('.').next().unwrap_or_default();
    let about = entities.iter().find(|(entity, _)| entity == kind).or(entities.first());
    about.map(|(_, amount)| *amount)
}

/// `data.object` (<https://docs.stripe.com/api/events/object>): payments and refunds have an `amount`, checkout sessions an `amount_total`,
/// invoices an `amount_due`.
fn stripe(body: &[u8]) -> Option<Amount> {
    let Stripe { data: Data { object } } = serde_json::from_slice(body).ok()?;
    let (amount, currency) = (object.minor()?, object.currency()?);
    // Where Stripe counts in other units than the standard (https://docs.stripe.com/currencies#special-cases).
    let minor = match currency.code() {
        "ISK" | "UGX" => amount / 100,
        "MGA" => amount.checked_mul(100)?,
        _ => amount,
    };
    Some(Amount { minor, currency })
}

#[derive(Deserialize)]
struct Razorpay {
    payload: Entities,
}

/// The kinds of entities that have an amount, in the order of the body.
struct Entities(Vec<(String, Amount)>);

#[derive(Deserialize)]
struct Holder<'a> {
    #[serde(borrow)]
    entity: Money<'a>,
}

#[derive(Deserialize)]
struct Stripe<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: Money<'a>,
}

/// What may be money, as it is written: a value of another type than expected is no error, and costs nothing to pass over.
#[derive(Deserialize)]
struct Money<'a> {
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    #[serde(borrow)]
    amount_total: Option<&'a RawValue>,
    #[serde(borrow)]
    amount_due: Option<&'a RawValue>,
    #[serde(borrow)]
    currency: Option<&'a RawValue>,
}

impl Money<'_> {
    fn minor(&self) -> Option<i64> {
        let places = [self.amount, self.amount_total, self.amount_due];
        places.into_iter().flatten().find_map(|value| value.get().parse().ok())
    }

    fn currency(&self) -> Option<Currency> {
        Currency::of(serde_json::from_str(self.currency?.get()).ok()?)
    }
}

impl<'de> Deserialize<'de> for Entities {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Entities;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("entities by kind")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entities, A::Error> {
        let mut entities = Vec::new();
        while let Some((kind, holder)) = map.next_entry::<String, &RawValue>()? {
            let amount = || {
                let Holder { entity } = serde_json::from_str(holder.get()).ok()?;
                Some(Amount { minor: entity.minor()?, currency: entity.currency()? })
            };
            if entities.len() < MOST_ENTITIES {
                entities.extend(amount().map(|amount| (kind, amount)));
            }
        }
        Ok(Entities(entities))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(provider: Provider, name: &str, body: &str) -> Option<String> {
        let event = Event { provider: Some(provider), name: Some(name.to_owned()), id: None };
        let body = CapturedBody { bytes: body.to_owned().into(), length: body.len() as u64, sha256: None };
        amount(&event, &body).map(|amount| amount.to_string())
    }

    #[test]
    fn razorpay_says_it_in_the_entity_that_the_event_is_named_after() {
        let of = |name, body| of(Provider::Razorpay, name, body);
        let captured = include_str!("../../../examples/shop/events/payment.captured.json");
        assert_eq!(of("payment.captured", captured).unwrap(), "₹22.44");
        let both = r#"{"event":"order.paid","payload":{
            "payment":{"entity":{"amount":100,"currency":"INR","notes":[]}},
            "order":{"entity":{"notes":{},"currency":"INR","amount":50000}}}}"#;
        assert_eq!(of("order.paid", both).unwrap(), "₹500.00");
        assert_eq!(of("subscription.charged", both).unwrap(), "₹1.00");
        assert_eq!(of("settlement.processed", r#"{"payload":{"settlement":{"entity":{"amount":9}}}}"#), None);
        assert_eq!(of("a", r#"{"payload":{"x":{"entity":{"amount":"9","currency":"INR"}},"y":7}}"#), None);
        assert_eq!(of("a", r#"{"payload":{"x":[],"y":{"entity":{"amount":9,"currency":"INR"}}}}"#).unwrap(), "₹0.09");
    }

    #[test]
    fn stripe_says_it_in_one_of_three_places_and_sometimes_in_units_of_its_own() {
        let of = |object: &str| {
            let body =
                format!(r#"{{"id":"evt_1","data":{{"object":{{{object}}},"previous_attributes":{{}}}},"type":"x"}}"#);
            of(Provider::Stripe, "x", &body)
        };
        assert_eq!(of(r#""amount":1200,"currency":"usd""#).unwrap(), "$12.00");
        assert_eq!(of(r#""amount_subtotal":1,"amount_total":500,"currency":"jpy""#).unwrap(), "¥500");
        assert_eq!(of(r#""amount_due":990,"amount_paid":0,"currency":"eur","amount":null"#).unwrap(), "€9.90");
        assert_eq!(of(r#""amount":500,"currency":"isk""#).unwrap(), "ISK 5");
        assert_eq!(of(r#""amount":5,"currency":"mga""#).unwrap(), "MGA 5.00");
        assert_eq!(of(r#""amount":5"#), None);
        assert_eq!(of(r#""amount":5.5,"currency":"usd""#), None);
    }

    #[test]
    fn what_is_cut_long_or_from_somebody_else_has_none() {
        let json = r#"{"payload":{"x":{"entity":{"amount":9,"currency":"INR"}}}}"#;
        assert_eq!(of(Provider::GitHub, "x", json), None);
        assert_eq!(of(Provider::Razorpay, "x", &json[..json.len() - 1]), None);
        assert_eq!(of(Provider::Razorpay, "x", &format!("{json}{}", " ".repeat(LONGEST_BODY))), None);
        let event = Event { provider: Some(Provider::Razorpay), name: None, id: None };
        let cut = CapturedBody { bytes: json.into(), length: 1_000, sha256: None };
        assert_eq!(amount(&event, &cut), None);
    }
}
