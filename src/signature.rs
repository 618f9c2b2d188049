//! `hookwire verify` and `hookwire sign`: signatures by hand, with the same code that judges live webhooks.

mod asked;
mod sign;
mod verify;

use std::time::{SystemTime, UNIX_EPOCH};

use hookwire_signatures::Scheme;
use jiff::Timestamp;

use crate::failure::Failure;

pub(crate) use sign::run as sign;
pub(crate) use verify::run as verify;

/// The schemes that a provider and a kind stand for; none if no provider was named.
fn named(provider: Option<&str>, kind: Option<&str>) -> Result<Vec<&'static Scheme>, Failure> {
    let Some(provider) = provider else { return Ok(Vec::new()) };
    let id = kind.map_or_else(|| provider.to_owned(), |kind| format!("{provider}.{kind}"));
    // Ids have underscores where a person types a hyphen.
    if let Some(scheme) = Scheme::with_id(&id).or_else(|| Scheme::with_id(&id.replace('-', "_"))) {
        return Ok(vec![scheme]);
    }
    let of_provider: Vec<&Scheme> =
        hookwire_signatures::schemes().iter().filter(|scheme| scheme.provider.name() == provider).collect();
    match (of_provider.is_empty(), kind) {
        (false, None) => Ok(of_provider),
        (false, Some(kind)) => {
            let known: Vec<&str> =
                of_provider.iter().filter_map(|scheme| scheme.id.split_once('.')).map(|(_, kind)| kind).collect();
            Err(Failure::usage(format!("`{provider}` has no signature of the kind `{kind}`"))
                .hint(format!("it has: {}", known.join(", "))))
        }
        (true, _) => {
            let error = provider.parse::<hookwire_signatures::Provider>().err();
            let message = error.map_or_else(|| format!("no provider `{provider}`"), |error| error.to_string());
            Err(Failure::usage(message).hint("`hookwire verify --list` names every scheme".to_owned()))
        }
    }
}

/// The present, or the time that was given for it, in unix seconds.
fn present(given: Option<&str>) -> Result<i64, Failure> {
    let Some(text) = given else {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        return Ok(since.map_or(0, |since| since.as_secs().cast_signed()));
    };
    let seconds = text.parse().ok().or_else(|| text.parse().ok().map(Timestamp::as_second));
    seconds.ok_or_else(|| {
        Failure::usage(format!("`{text}` is no time")).hint("write unix seconds, or `2026-11-22T02:00:00Z`".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_a_kind_or_an_id() {
        let ids =
            |provider, kind| named(provider, kind).unwrap().into_iter().map(|scheme| scheme.id).collect::<Vec<_>>();
        assert_eq!(ids(None, None), [""; 0]);
        assert_eq!(ids(Some("razorpay"), Some("payment")), ["razorpay.payment"]);
        assert_eq!(ids(Some("razorpay"), Some("payment-link")), ["razorpay.payment_link"]);
        assert_eq!(ids(Some("stripe.v1"), None), ["stripe.v1"]);
        assert!(ids(Some("razorpay"), None).contains(&"razorpay.webhook"));
        let unknown = named(Some("razorpay"), Some("refund")).unwrap_err().to_string();
        assert!(unknown.contains("subscription"), "{unknown}");
        assert!(named(Some("razorpai"), None).unwrap_err().to_string().contains("razorpay"));
    }

    #[test]
    fn a_time_is_a_number_or_a_date() {
        assert_eq!(present(Some("1700000000")).unwrap(), 1_700_000_000);
        assert_eq!(present(Some("2023-11-14T22:13:20Z")).unwrap(), 1_700_000_000);
        assert!(present(Some("tomorrow")).unwrap_err().to_string().contains("unix seconds"));
    }
}
