//! Secrets that can't be what they are configured as: their beginning says what they are.

use super::workbench::Case;
use crate::provider::Provider;

/// A beginning that only keys of another kind have.
struct Shape {
    provider: &'static str,
    prefix: &'static str,
    what: &'static str,
}

const fn shape(provider: &'static str, prefix: &'static str, what: &'static str) -> Shape {
    Shape { provider, prefix, what }
}

/// From the providers' pages about their keys. Paystack and others sign with their API key: those are not here.
const SHAPES: &[Shape] = &[
    shape("stripe", "sk_", "a secret API key of Stripe; a webhook secret begins with `whsec_`"),
    shape("stripe", "pk_", "a publishable API key of Stripe; a webhook secret begins with `whsec_`"),
    shape("stripe", "rk_", "a restricted API key of Stripe; a webhook secret begins with `whsec_`"),
    shape("stripe", "we_", "the id of a webhook endpoint; its secret begins with `whsec_`"),
    shape(
        "razorpay",
        "rzp_live_",
        "a key id of Razorpay; the webhook secret is the one that was typed on the dashboard",
    ),
    shape(
        "razorpay",
        "rzp_test_",
        "a key id of Razorpay; the webhook secret is the one that was typed on the dashboard",
    ),
    shape("slack", "xoxb-", "a bot token of Slack; what signs is the app's signing secret"),
    shape("slack", "xoxp-", "a user token of Slack; what signs is the app's signing secret"),
    shape("slack", "xapp-", "an app token of Slack; what signs is the app's signing secret"),
    shape("twilio", "SK", "the id of an API key of Twilio; what signs is the account's auth token"),
    shape("twilio", "AC", "the account's id at Twilio; what signs is its auth token"),
    shape("meta", "EAA", "an access token of Meta; what signs is the app secret"),
    shape("github", "ghp_", "an access token of GitHub; what signs is the webhook's own secret"),
    shape("github", "github_pat_", "an access token of GitHub; what signs is the webhook's own secret"),
    shape("github", "-----BEGIN", "a private key; what signs is the webhook's own secret"),
    shape("shopify", "shpat_", "an access token of Shopify; what signs is the app's client secret"),
    shape("shopify", "shpca_", "an access token of Shopify; what signs is the app's client secret"),
    shape("paddle", "pdl_live_apikey_", "an API key of Paddle; the secret of a destination begins with `pdl_ntfset_`"),
    shape("paddle", "pdl_sdbx_apikey_", "an API key of Paddle; the secret of a destination begins with `pdl_ntfset_`"),
    shape("openai", "sk-", "an API key of OpenAI; a webhook secret begins with `whsec_`"),
    shape("resend", "re_", "an API key of Resend; a webhook secret begins with `whsec_`"),
    shape("clerk", "sk_", "a secret API key of Clerk; a webhook secret begins with `whsec_`"),
    shape("square", "EAAA", "an access token of Square; what signs is the subscription's signature key"),
    shape("linear", "lin_api_", "an API key of Linear; a webhook secret begins with `lin_wh_`"),
    shape("sendgrid", "SG.", "an API key of SendGrid; what checks is the verification key of the event webhook"),
];

/// What the first secret is that is of another kind. Only when every secret of the provider is: with a plausible one beside
/// it, that one may be the wrong one.
pub(super) fn foreign(case: &Case<'_>) -> Option<String> {
    let found: Option<Vec<_>> =
        case.own.iter().map(|secret| Some((secret.name(), kind(case.scheme.provider, secret.value())?))).collect();
    let (name, what) = found?.into_iter().next()?;
    Some(format!("the secret `{name}` is {what}"))
}

fn kind(provider: Provider, value: &[u8]) -> Option<&'static str> {
    let value = value.trim_ascii();
    let fits = |shape: &&Shape| shape.provider == provider.name() && value.starts_with(shape.prefix.as_bytes());
    SHAPES.iter().find(fits).map(|shape| shape.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_of_a_provider_and_is_found() {
        for Shape { provider, prefix, what } in SHAPES {
            let known = provider.parse::<Provider>().unwrap();
            assert_eq!(kind(known, prefix.as_bytes()), Some(*what), "{provider} {prefix}");
        }
        assert_eq!(kind("stripe".parse().unwrap(), b"whsec_1"), None);
    }
}
