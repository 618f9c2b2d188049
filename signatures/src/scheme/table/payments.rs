//! Payments and banking.

use crate::encoding::Encoding;
use crate::key::KeyForm;
use crate::mac::Algorithm;
use crate::odd::{adyen, braintree, jws, paypal};
use crate::provider::Provider;
use crate::scheme::Place::{Field, Header, Json, Pair, Query};
use crate::scheme::{Coverage, Detection, EventRule, Layout, Part, Quirk, Scheme, TimeRule, TimeUnit, UrlRule};

pub(super) const ROWS: &[Scheme] = &[
    STRIPE_V1,
    SQUARE_V1,
    PAYPAL_V1,
    BRAINTREE_V1,
    BRAINTREE_CHALLENGE,
    ADYEN_CLASSIC,
    ADYEN_PLATFORM,
    PADDLE_H1,
    MOLLIE_V1,
    GOCARDLESS_V1,
    COINBASE_COMMERCE_V1,
    LEMONSQUEEZY_V1,
    CHECKOUT_V1,
    WISE_V1,
    PLAID_JWT,
];

// header parsing is strict: "t=..., v1=..." with a space fails in stripe-node; whsec_ must NOT be stripped or
// base64-decoded (opposite of Standard Webhooks)
const STRIPE_V1: Scheme = Scheme {
    signature: &[Header("Stripe-Signature")],
    layout: Layout::Pairs { separator: b',', signature: "v1" },
    content: &[Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule {
        place: Pair("t"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: Some(300),
        limits_future: false,
    }),
    quirks: &[Quirk::RefusesEmptyBody],
    event: EventRule { name: &[Json("type")], id: Some(Json("id")) },
    key_note: "endpoint secret whsec_.. used WHOLE as UTF-8 text (prefix kept, no base64); `stripe listen` prints \
        its own whsec_",
    rotation: "comma-separated t=.,v1=.,v1=. : one v1 per active secret (rolling keeps the old one up to 24 h); v0 \
        is a legacy test-mode scheme and must be ignored; any v1 may match",
    redelivery: "live: up to 3 days exponential; test: 3 times over a few hours; replies other than 2xx (3xx too) \
        count as failures",
    ..Scheme::base("stripe.v1", Provider::Stripe, "https://docs.stripe.com/webhooks/signature")
};

// the URL is the one CONFIGURED at Square, byte for byte (scheme, host, trailing slash, query); legacy header
// x-square-signature is HMAC-SHA1
const SQUARE_V1: Scheme = Scheme {
    signature: &[Header("x-square-hmacsha256-signature")],
    encoding: Encoding::Base64,
    content: &[Part::Url, Part::Body],
    url: UrlRule::Exact,
    event: EventRule { name: &[Json("type")], id: Some(Json("event_id")) },
    key_note: "signature key of the subscription",
    redelivery: "up to 11 retries over 24 h; 10 s",
    ..Scheme::base("square.v1", Provider::Square, "https://developer.squareup.com/docs/webhooks/step3validate")
};

// webhook_id is YOUR id of the webhook, it is not in the request; crc32 in decimal, not hex
const PAYPAL_V1: Scheme = Scheme {
    detection: Detection { with: &["paypal-transmission-id"], alone: &["paypal-transmission-id"], ..Detection::HEADER },
    signature: &[Header("Paypal-Transmission-Sig")],
    encoding: Encoding::Base64,
    algorithm: Algorithm::RsaSha256,
    key: KeyForm::PublicKey,
    content: &[
        Part::At(Header("paypal-transmission-id")),
        Part::Text("|"),
        Part::Timestamp,
        Part::Text("|"),
        Part::Account,
        Part::Text("|"),
        Part::Made(paypal::checksum),
    ],
    time: Some(TimeRule {
        place: Header("paypal-transmission-time"),
        unit: TimeUnit::Rfc3339,
        tolerance_seconds: None,
        limits_future: false,
    }),
    refusal: Some(paypal::refusal),
    quirks: &[Quirk::Demands("paypal-auth-algo", "SHA256withRSA")],
    event: EventRule { name: &[Json("event_type")], id: Some(Json("id")) },
    key_note: "X.509 from Paypal-Cert-Url; check host *.paypal.com and chain",
    redelivery: "up to 25 times over 3 days",
    ..Scheme::base(
        "paypal.v1",
        Provider::PayPal,
        "https://developer.paypal.com/api/rest/webhooks/rest/#verify-event-notifications",
    )
};

// bt_payload ends with a line feed that form decoding may lose: try payload and payload+"\n"; GET bt_challenge must
// be answered with public_key|hexhmac(challenge)
const BRAINTREE_V1: Scheme = Scheme {
    detection: Detection { fields: &["bt_signature", "bt_payload"], ..Detection::HEADER },
    signature: &[Field("bt_signature")],
    layout: Layout::Named,
    algorithm: Algorithm::HmacSha1,
    key: KeyForm::Sha1,
    content: &[Part::At(Field("bt_payload"))],
    covers: Coverage::Fields,
    own: Some(braintree::check),
    rotation: "pairs `public_key|signature` joined by `&`; pick the pair of your public key",
    redelivery: "retried for up to 24 h",
    ..Scheme::base(
        "braintree.v1",
        Provider::Braintree,
        "https://developer.paypal.com/braintree/docs/guides/webhooks/parse",
    )
};

// this is what YOU answer, not what you check
const BRAINTREE_CHALLENGE: Scheme = Scheme {
    detection: Detection { fields: &["bt_challenge"], ..Detection::HEADER },
    signature: &[Query("bt_challenge")],
    algorithm: Algorithm::HmacSha1,
    key: KeyForm::Sha1,
    content: &[Part::At(Query("bt_challenge"))],
    covers: Coverage::NotBody,
    quirks: &[Quirk::IsHandshake],
    own: Some(braintree::check_challenge),
    ..Scheme::base(
        "braintree.challenge",
        Provider::Braintree,
        "https://developer.paypal.com/braintree/docs/guides/webhooks/create",
    )
};

// absent fields are empty strings (the colons stay); values are NOT escaped in this form (\ and : escaping is only
// for the old HPP key list)
const ADYEN_CLASSIC: Scheme = Scheme {
    signature: &[Json("notificationItems.0.NotificationRequestItem.additionalData.hmacSignature")],
    encoding: Encoding::Base64,
    key: KeyForm::Hex,
    content: &[],
    covers: Coverage::Fields,
    own: Some(adyen::check),
    event: EventRule {
        name: &[Json("notificationItems.0.NotificationRequestItem.eventCode")],
        id: Some(Json("notificationItems.0.NotificationRequestItem.pspReference")),
    },
    key_note: "64 hex characters, hex-DECODE before use",
    redelivery: "must answer [accepted] with 2xx within 10 s; retries growing from 2 min to 8 h for 7 days",
    ..Scheme::base(
        "adyen.classic",
        Provider::Adyen,
        "https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures",
    )
};

// validateBankingHMAC (deprecated) has its two first arguments swapped
const ADYEN_PLATFORM: Scheme = Scheme {
    signature: &[Header("HmacSignature")],
    encoding: Encoding::Base64,
    key: KeyForm::Hex,
    event: EventRule { name: &[Json("type")], id: None },
    ..Scheme::base(
        "adyen.platform",
        Provider::Adyen,
        "https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures",
    )
};

// SDK tolerance is only 5 SECONDS: any tunnel or debugger delay fails; colon between ts and body
const PADDLE_H1: Scheme = Scheme {
    signature: &[Header("Paddle-Signature")],
    layout: Layout::Pairs { separator: b';', signature: "h1" },
    content: &[Part::Timestamp, Part::Text(":"), Part::Body],
    time: Some(TimeRule {
        place: Pair("ts"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: Some(5),
        limits_future: false,
    }),
    quirks: &[Quirk::ChecksLastOnly],
    event: EventRule { name: &[Json("event_type")], id: Some(Json("event_id")) },
    key_note: "pdl_ntfset_.. endpoint secret, whole",
    rotation: "semicolon-separated ts=.;h1=.;h1=",
    redelivery: "5 s; live: 60 tries in 3 days; sandbox: 3 tries in 15 min",
    ..Scheme::base("paddle.h1", Provider::Paddle, "https://developer.paddle.com/webhooks/signature-verification")
};

// classic webhooks are a form "id=tr_..." without any signature: fetch the payment instead; prefix is optional in
// the validator
const MOLLIE_V1: Scheme = Scheme {
    signature: &[Header("X-Mollie-Signature")],
    layout: Layout::Prefixed("sha256="),
    quirks: &[Quirk::MayRepeat, Quirk::OptionalPrefix],
    event: EventRule { name: &[Json("type")], id: Some(Json("id")) },
    rotation: "header may repeat; several secrets during migration",
    ..Scheme::base("mollie.v1", Provider::Mollie, "https://docs.mollie.com/reference/webhooks-new")
};

// same header NAME as Standard Webhooks but a bare hex value: tell them apart by webhook-id and the v1, prefix;
// answer 498 for a bad signature
const GOCARDLESS_V1: Scheme = Scheme {
    detection: Detection { without: &["webhook-id", "webhook-timestamp"], ..Detection::HEADER },
    signature: &[Header("Webhook-Signature")],
    encoding: Encoding::HexAnyCase,
    event: EventRule {
        name: &[Json("events.0.resource_type"), Json("events.0.action")],
        id: Some(Json("meta.webhook_id")),
    },
    redelivery: "10 s; up to 8 tries",
    ..Scheme::base(
        "gocardless.v1",
        Provider::GoCardless,
        "https://developer.gocardless.com/getting-started/api/staying-up-to-date-with-webhooks",
    )
};

const COINBASE_COMMERCE_V1: Scheme = Scheme {
    signature: &[Header("X-CC-Webhook-Signature")],
    event: EventRule { name: &[Json("event.type")], id: Some(Json("event.id")) },
    redelivery: "exponential back-off up to 3 days, at most 1 h apart",
    ..Scheme::base(
        "coinbase_commerce.v1",
        Provider::CoinbaseCommerce,
        "https://docs.cdp.coinbase.com/commerce/api-arcitecture/webhooks-overview",
    )
};

// generic header name: Mercado Pago uses x-signature too
const LEMONSQUEEZY_V1: Scheme = Scheme {
    detection: Detection { with: &["x-event-name"], ..Detection::HEADER },
    signature: &[Header("X-Signature")],
    event: EventRule { name: &[Header("x-event-name")], id: None },
    redelivery: "up to 4 tries: 5 s, 25 s, 125 s",
    ..Scheme::base(
        "lemonsqueezy.v1",
        Provider::LemonSqueezy,
        "https://docs.lemonsqueezy.com/help/webhooks/signing-requests",
    )
};

// a static Authorization header may be set as well (no Bearer prefix); docs warn: re-serialising changes number
// precision and characters such as ©
const CHECKOUT_V1: Scheme = Scheme {
    signature: &[Header("Cko-Signature")],
    event: EventRule { name: &[Json("type")], id: Some(Json("id")) },
    key_note: "workflow signature key as text (previous platform: the account secret key)",
    redelivery: "8 retries over about 30 h",
    ..Scheme::base(
        "checkout.v1",
        Provider::Checkout,
        "https://www.checkout.com/docs/developer-resources/event-notifications/receive-webhooks/configure-your-webhook-server",
    )
};

// X-Test-Notification: true marks the test call; old X-Signature header is RSA-SHA1
const WISE_V1: Scheme = Scheme {
    signature: &[Header("X-Signature-SHA256")],
    encoding: Encoding::Base64,
    quirks: &[Quirk::AcceptsSpaces],
    algorithm: Algorithm::RsaSha256,
    key: KeyForm::PublicKey,
    event: EventRule { name: &[Json("event_type")], id: Some(Header("x-delivery-id")) },
    key_note: "sandbox and production keys differ (published)",
    redelivery: "25 tries over 2 weeks",
    ..Scheme::base(
        "wise.v1",
        Provider::Wise,
        "https://docs.wise.com/api-docs/features/webhooks-notifications/event-handling",
    )
};

// body hash is over the text WITH its 2-space indent: re-serialising breaks it; reject alg other than ES256
const PLAID_JWT: Scheme = Scheme {
    signature: &[Header("Plaid-Verification")],
    encoding: Encoding::Base64Url,
    algorithm: Algorithm::Es256,
    key: KeyForm::PublicKey,
    content: &[],
    time: Some(TimeRule {
        place: Pair("iat"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: Some(300),
        limits_future: false,
    }),
    own: Some(jws::check_plaid),
    event: EventRule { name: &[Json("webhook_type"), Json("webhook_code")], id: None },
    key_note: "fetched by kid from /webhook_verification_key/get",
    redelivery: "retry up to 24 h, 4x longer each time from 30 s; 10 s timeout",
    ..Scheme::base("plaid.jwt", Provider::Plaid, "https://plaid.com/docs/api/webhooks/webhook-verification/")
};
