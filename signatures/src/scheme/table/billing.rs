//! Subscriptions, shops, and payments in Africa, Asia and Latin America.

use crate::encoding::Encoding;
use crate::key::KeyForm;
use crate::mac::Algorithm;
use crate::odd::{dlocal, jws, mercadopago};
use crate::provider::Provider;
use crate::scheme::Place::{AnyHeader, First, Header, Json, Pair};
use crate::scheme::{Coverage, Detection, EventRule, Layout, Part, Quirk, Scheme, TimeRule, TimeUnit};

pub(super) const ROWS: &[Scheme] = &[
    CHARGEBEE_BASIC,
    RECURLY_V1,
    LAGO_HMAC,
    LAGO_JWT,
    PAYSTACK_V1,
    FLUTTERWAVE_TOKEN,
    FLUTTERWAVE_V2,
    XENDIT_TOKEN,
    MERCADOPAGO_V1,
    DLOCAL_V2,
    SHOPIFY_V1,
    WOOCOMMERCE_V1,
];

const CHARGEBEE_BASIC: Scheme = Scheme {
    detection: Detection {
        needs_secret: true,
        contains: "Basic ",
        hint: Some((Json("api_version"), "")),
        ..Detection::HEADER
    },
    signature: &[Header("Authorization")],
    layout: Layout::Prefixed("Basic "),
    encoding: Encoding::Base64,
    algorithm: Algorithm::Token,
    content: &[Part::Credentials],
    covers: Coverage::Nothing,
    event: EventRule { name: &[Json("event_type")], id: Some(Json("id")) },
    redelivery: "10 s connect, 20 s read; 7 tries over about 3 days",
    ..Scheme::base("chargebee.basic", Provider::Chargebee, "https://www.chargebee.com/docs/2.0/webhook_settings.html")
};

// no key names in the header; XML notifications are not signed
const RECURLY_V1: Scheme = Scheme {
    signature: &[Header("recurly-signature")],
    layout: Layout::Stamped,
    content: &[Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule {
        place: First,
        unit: TimeUnit::Milliseconds,
        tolerance_seconds: Some(300),
        limits_future: false,
    }),
    event: EventRule { name: &[Json("event_type")], id: Some(Json("uuid")) },
    rotation: "comma-separated: timestamp,sig[,sig]; two for 24 h after regenerating the key",
    redelivery: "up to 10 tries",
    ..Scheme::base(
        "recurly.v1",
        Provider::Recurly,
        "https://docs.recurly.com/recurly-subscriptions/docs/signature-verification",
    )
};

// default algorithm is jwt
const LAGO_HMAC: Scheme = Scheme {
    detection: Detection { values: &[("x-lago-signature-algorithm", "hmac")], ..Detection::HEADER },
    signature: &[Header("X-Lago-Signature")],
    encoding: Encoding::Base64,
    quirks: &[Quirk::Demands("x-lago-signature-algorithm", "hmac")],
    event: EventRule { name: &[Json("webhook_type")], id: Some(Header("x-lago-unique-key")) },
    redelivery: "3 tries (LAGO_WEBHOOK_ATTEMPTS), 30 s",
    ..Scheme::base("lago.hmac", Provider::Lago, "https://docs.getlago.com/guide/webhooks")
};

const LAGO_JWT: Scheme = Scheme {
    detection: Detection { values: &[("x-lago-signature-algorithm", "jwt")], ..Detection::HEADER },
    signature: &[Header("X-Lago-Signature")],
    encoding: Encoding::Base64Url,
    algorithm: Algorithm::Rs256,
    key: KeyForm::PublicKey,
    content: &[],
    own: Some(jws::check_lago),
    event: EventRule { name: &[Json("webhook_type")], id: Some(Header("x-lago-unique-key")) },
    key_note: "GET /api/v1/webhooks/json_public_key, base64",
    ..Scheme::base("lago.jwt", Provider::Lago, "https://docs.getlago.com/guide/webhooks")
};

// 512-bit hex: 128 characters; docs sample hashes JSON.stringify(req.body)
const PAYSTACK_V1: Scheme = Scheme {
    signature: &[Header("x-paystack-signature")],
    algorithm: Algorithm::HmacSha512,
    event: EventRule { name: &[Json("event")], id: Some(Json("data.id")) },
    key_note: "API SECRET KEY sk_test_/sk_live_ (there is no separate webhook secret)",
    redelivery: "live: every 3 min for the first 4 tries, then hourly for 72 h; test: hourly for 10 h",
    ..Scheme::base("paystack.v1", Provider::Paystack, "https://paystack.com/docs/payments/webhooks/")
};

const FLUTTERWAVE_TOKEN: Scheme = Scheme {
    signature: &[Header("verif-hash")],
    encoding: Encoding::Plain,
    algorithm: Algorithm::Token,
    content: &[Part::Secret],
    covers: Coverage::Nothing,
    event: EventRule { name: &[Json("event")], id: Some(Json("data.id")) },
    redelivery: "3 tries 30 min apart when enabled; 60 s timeout",
    ..Scheme::base("flutterwave.token", Provider::Flutterwave, "https://developer.flutterwave.com/docs/webhooks")
};

const FLUTTERWAVE_V2: Scheme = Scheme {
    signature: &[Header("flutterwave-signature")],
    encoding: Encoding::Base64,
    event: EventRule { name: &[Json("type")], id: Some(Json("id")) },
    key_note: "secret hash",
    ..Scheme::base("flutterwave.v2", Provider::Flutterwave, "https://developer.flutterwave.com/docs/webhooks")
};

const XENDIT_TOKEN: Scheme = Scheme {
    signature: &[Header("x-callback-token")],
    encoding: Encoding::Plain,
    algorithm: Algorithm::Token,
    content: &[Part::Secret],
    covers: Coverage::Nothing,
    event: EventRule { name: &[Json("event")], id: Some(Header("webhook-id")) },
    redelivery: "6 retries over 24 h",
    ..Scheme::base("xendit.token", Provider::Xendit, "https://docs.xendit.co/docs/handling-webhooks")
};

// the BODY is not signed; data.id comes from the QUERY string and alphanumeric ids must be lower-cased
const MERCADOPAGO_V1: Scheme = Scheme {
    detection: Detection { with: &["x-request-id"], contains: "v1=", ..Detection::HEADER },
    signature: &[Header("x-signature")],
    layout: Layout::Pairs { separator: b',', signature: "v1" },
    content: &[
        Part::Made(mercadopago::id),
        Part::Maybe { before: "request-id:", place: Header("x-request-id"), after: ";" },
        Part::Maybe { before: "ts:", place: Pair("ts"), after: ";" },
    ],
    time: Some(TimeRule {
        place: Pair("ts"),
        unit: TimeUnit::Milliseconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    covers: Coverage::NotBody,
    quirks: &[Quirk::AcceptsSpaces],
    event: EventRule { name: &[Json("action")], id: Some(Json("id")) },
    redelivery: "22 s; 15 min apart, several tries",
    ..Scheme::base(
        "mercadopago.v1",
        Provider::MercadoPago,
        "https://www.mercadopago.com/developers/en/docs/your-integrations/notifications/webhooks",
    )
};

// X-Login is your own login, it may not be in the request
const DLOCAL_V2: Scheme = Scheme {
    detection: Detection { with: &["x-date"], ..Detection::HEADER },
    signature: &[Header("Authorization"), Header("Signature")],
    layout: Layout::Prefixed("V2-HMAC-SHA256, Signature: "),
    content: &[Part::Made(dlocal::login), Part::Timestamp, Part::Body],
    time: Some(TimeRule {
        place: Header("x-date"),
        unit: TimeUnit::Rfc3339,
        tolerance_seconds: None,
        limits_future: false,
    }),
    quirks: &[Quirk::OptionalPrefix],
    event: EventRule { name: &[Json("status")], id: Some(Json("id")) },
    key_note: "secretKey",
    redelivery: "verifications: hourly for 7 days until 200",
    ..Scheme::base("dlocal.v2", Provider::DLocal, "https://docs.dlocal.com/reference/verifications-notifications")
};

// API secret vs admin-page secret; HTTPS deliveries only: Pub/Sub and EventBridge carry no HMAC
const SHOPIFY_V1: Scheme = Scheme {
    detection: Detection { alone: &["x-shopify-topic"], ..Detection::HEADER },
    signature: &[Header("X-Shopify-Hmac-SHA256")],
    encoding: Encoding::Base64,
    quirks: &[Quirk::RefusesEmptyBody],
    event: EventRule {
        name: &[Header("x-shopify-topic")],
        id: Some(AnyHeader(&["x-shopify-event-id", "x-shopify-webhook-id"])),
    },
    key_note: "app CLIENT SECRET for API subscriptions; for webhooks created in the shop admin the secret shown in \
        Notifications > Webhooks",
    rotation: "none; after rotating the client secret it can take up to an hour until the new one is used",
    redelivery: "1 s to connect, 5 s in all; 8 retries over 4 h, then the subscription (Admin API) is deleted",
    ..Scheme::base("shopify.v1", Provider::Shopify, "https://shopify.dev/docs/apps/build/webhooks/verify-deliveries")
};

// the ping sent on creation is form-encoded "webhook_id=123" without any signature; hash algorithm can be changed by
// a WordPress filter
const WOOCOMMERCE_V1: Scheme = Scheme {
    detection: Detection { alone: &["x-wc-webhook-topic"], ..Detection::HEADER },
    signature: &[Header("X-WC-Webhook-Signature")],
    encoding: Encoding::Base64,
    event: EventRule { name: &[Header("x-wc-webhook-topic")], id: Some(Header("x-wc-webhook-delivery-id")) },
    key_note: "wp_specialchars_decode() is applied to the stored secret before use",
    redelivery: "disabled after more than 5 consecutive failures; 2xx, 301 and 302 count as success",
    ..Scheme::base(
        "woocommerce.v1",
        Provider::WooCommerce,
        "https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks",
    )
};
