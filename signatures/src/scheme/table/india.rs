//! Payments in India.

use crate::encoding::Encoding;
use crate::key::{KeyForm, SecretKind};
use crate::mac::Algorithm;
use crate::odd::{cashfree, paytm, razorpay};
use crate::provider::Provider;
use crate::scheme::Place::{Field, Header, Json};
use crate::scheme::{Coverage, Detection, EventRule, Layout, Part, Scheme, TimeRule, TimeUnit};

pub(super) const ROWS: &[Scheme] = &[
    RAZORPAY_WEBHOOK,
    RAZORPAY_PAYMENT,
    RAZORPAY_SUBSCRIPTION,
    RAZORPAY_PAYMENT_LINK,
    RAZORPAY_ONBOARDING,
    CASHFREE_V1,
    CASHFREE_FORM,
    PHONEPE_V1,
    PHONEPE_V2,
    PAYU_V1,
    PAYTM_V1,
];

// SDK compares strings: upper-case hex or spaces around the header fail in razorpay-node; body is PHP-style JSON:
// "/" is escaped as "\/" (e.g. invoice short_url), so JSON.stringify(req.body) passes for most events and fails for
// invoice.paid
const RAZORPAY_WEBHOOK: Scheme = Scheme {
    detection: Detection { alone: &["x-razorpay-event-id"], ..Detection::HEADER },
    signature: &[Header("X-Razorpay-Signature")],
    event: EventRule { name: &[Json("event")], id: Some(Header("x-razorpay-event-id")) },
    key_note: "webhook secret typed by the merchant on the dashboard (optional: without it no signature header is \
        sent); NOT the API key secret",
    rotation: "one signature only. After a secret change, retries of OLDER events stay signed with the OLD secret; \
        a dashboard replay is signed with the CURRENT secret",
    redelivery: "must answer 2xx within 5 s; exponential back-off for 24 h after event creation, then the webhook \
        is DISABLED and must be re-enabled by hand; dashboard replay of unacknowledged events up to 7 days \
        (older docs: 15 days), max 5 replays a day; at-least-once, order not guaranteed",
    ..Scheme::base("razorpay.webhook", Provider::Razorpay, "https://razorpay.com/docs/webhooks/validate-test/")
};

// checkout handler / callback_url POST; ids must come from your server session, not from the callback
const RAZORPAY_PAYMENT: Scheme = Scheme {
    detection: Detection {
        fields: &["razorpay_order_id", "razorpay_payment_id", "razorpay_signature"],
        ..Detection::HEADER
    },
    signature: &[Field("razorpay_signature")],
    kind: SecretKind::Api,
    content: &[Part::At(Field("razorpay_order_id")), Part::Text("|"), Part::At(Field("razorpay_payment_id"))],
    covers: Coverage::Fields,
    event: EventRule { name: &[], id: Some(Field("razorpay_payment_id")) },
    key_note: "API key_secret (for OAuth partners: client_secret), NOT the webhook secret",
    ..Scheme::base("razorpay.payment", Provider::Razorpay, "https://razorpay.com/docs/payments/server-integration/")
};

// payment id FIRST: the order of the ids is the reverse of razorpay.payment; ids must come from your server session,
// not from the callback
const RAZORPAY_SUBSCRIPTION: Scheme = Scheme {
    detection: Detection {
        fields: &["razorpay_payment_id", "razorpay_subscription_id", "razorpay_signature"],
        ..Detection::HEADER
    },
    signature: &[Field("razorpay_signature")],
    kind: SecretKind::Api,
    content: &[Part::At(Field("razorpay_payment_id")), Part::Text("|"), Part::At(Field("razorpay_subscription_id"))],
    covers: Coverage::Fields,
    event: EventRule { name: &[], id: Some(Field("razorpay_payment_id")) },
    key_note: "API key_secret (for OAuth partners: client_secret), NOT the webhook secret",
    ..Scheme::base(
        "razorpay.subscription",
        Provider::Razorpay,
        "https://razorpay.com/docs/payments/server-integration/",
    )
};

// GET callback_url query; reference id may be empty (the two pipes stay); ids must come from your server session,
// not from the callback
const RAZORPAY_PAYMENT_LINK: Scheme = Scheme {
    detection: Detection {
        fields: &[
            "razorpay_payment_link_id",
            "razorpay_payment_link_status",
            "razorpay_payment_id",
            "razorpay_signature",
        ],
        ..Detection::HEADER
    },
    signature: &[Field("razorpay_signature")],
    kind: SecretKind::Api,
    content: &[
        Part::At(Field("razorpay_payment_link_id")),
        Part::Text("|"),
        Part::At(Field("razorpay_payment_link_reference_id")),
        Part::Text("|"),
        Part::At(Field("razorpay_payment_link_status")),
        Part::Text("|"),
        Part::At(Field("razorpay_payment_id")),
    ],
    covers: Coverage::Fields,
    event: EventRule { name: &[], id: Some(Field("razorpay_payment_id")) },
    key_note: "API key_secret (for OAuth partners: client_secret), NOT the webhook secret",
    ..Scheme::base(
        "razorpay.payment_link",
        Provider::Razorpay,
        "https://razorpay.com/docs/payments/server-integration/",
    )
};

// TWO incompatible wire forms: older SDKs (java, php, ruby, node <= git 2025-07) use IV = first 12 bytes of the key
// and send ciphertext||tag; npm razorpay@2.9.8 uses a random 12-byte IV and sends iv||ciphertext||tag (the comment
// names nonce reuse)
const RAZORPAY_ONBOARDING: Scheme = Scheme {
    detection: Detection { fields: &["onboarding_signature"], ..Detection::HEADER },
    signature: &[Field("onboarding_signature")],
    algorithm: Algorithm::Aes128Gcm,
    kind: SecretKind::Api,
    key: KeyForm::First16,
    content: &[],
    time: Some(TimeRule {
        place: Field("onboarding_signature"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    covers: Coverage::Fields,
    own: Some(razorpay::check),
    key_note: "first 16 characters of the OAuth client_secret",
    ..Scheme::base(
        "razorpay.onboarding",
        Provider::Razorpay,
        "https://razorpay.com/docs/partners/technology-partners/onboard-businesses/integrate-oauth/",
    )
};

// no separator between timestamp and body; amounts like 170.00 become 170 in a JavaScript round trip
const CASHFREE_V1: Scheme = Scheme {
    detection: Detection { with: &["x-webhook-timestamp"], ..Detection::HEADER },
    signature: &[Header("x-webhook-signature")],
    encoding: Encoding::Base64,
    content: &[Part::Timestamp, Part::Body],
    time: Some(TimeRule {
        place: Header("x-webhook-timestamp"),
        unit: TimeUnit::Milliseconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    event: EventRule { name: &[Json("type")], id: Some(Header("x-idempotency-key")) },
    key_note: "API client secret (SDK: XClientSecret)",
    redelivery: "3 retries",
    ..Scheme::base(
        "cashfree.v1",
        Provider::Cashfree,
        "https://www.cashfree.com/docs/payments/subscription/webhook-signature",
    )
};

const CASHFREE_FORM: Scheme = Scheme {
    detection: Detection { fields: &["signature"], needs_secret: true, ..Detection::HEADER },
    signature: &[Field("signature")],
    encoding: Encoding::Base64,
    content: &[Part::Made(cashfree::values)],
    covers: Coverage::Fields,
    event: EventRule { name: &[Field("event")], id: Some(Field("transferId")) },
    key_note: "client secret",
    ..Scheme::base("cashfree.form", Provider::Cashfree, "https://docs.cashfree.com/")
};

// hash the base64 VALUE, not the JSON body; requests (not callbacks) hash base64 + path + salt key
const PHONEPE_V1: Scheme = Scheme {
    signature: &[Header("X-VERIFY")],
    layout: Layout::Numbered("###"),
    algorithm: Algorithm::Sha256,
    content: &[Part::At(Json("response")), Part::Secret],
    covers: Coverage::Fields,
    key_note: "salt key + salt index",
    ..Scheme::base(
        "phonepe.v1",
        Provider::PhonePe,
        "https://developer.phonepe.com/v1/reference/server-to-server-callback-5",
    )
};

// the body is NOT covered at all
const PHONEPE_V2: Scheme = Scheme {
    detection: Detection { needs_secret: true, hint: Some((Json("event"), "")), ..Detection::HEADER },
    signature: &[Header("Authorization")],
    algorithm: Algorithm::Sha256,
    content: &[Part::Credentials],
    covers: Coverage::NotBody,
    event: EventRule { name: &[Json("event")], id: Some(Json("payload.merchantOrderId")) },
    key_note: "username and password configured with the webhook",
    ..Scheme::base("phonepe.v2", Provider::PhonePe, "https://developer.phonepe.com/v2/")
};

// reverse order of the request hash; amount text must stay as received (1500.00)
const PAYU_V1: Scheme = Scheme {
    detection: Detection { fields: &["hash", "txnid", "mihpayid"], ..Detection::HEADER },
    signature: &[Field("hash")],
    algorithm: Algorithm::Sha512,
    content: &[
        Part::Maybe { before: "", place: Field("additional_charges"), after: "|" },
        Part::Secret,
        Part::Text("|"),
        Part::At(Field("status")),
        Part::Text("||||||"),
        Part::At(Field("udf5")),
        Part::Text("|"),
        Part::At(Field("udf4")),
        Part::Text("|"),
        Part::At(Field("udf3")),
        Part::Text("|"),
        Part::At(Field("udf2")),
        Part::Text("|"),
        Part::At(Field("udf1")),
        Part::Text("|"),
        Part::At(Field("email")),
        Part::Text("|"),
        Part::At(Field("firstname")),
        Part::Text("|"),
        Part::At(Field("productinfo")),
        Part::Text("|"),
        Part::At(Field("amount")),
        Part::Text("|"),
        Part::At(Field("txnid")),
        Part::Text("|"),
        Part::At(Field("key")),
    ],
    covers: Coverage::Fields,
    event: EventRule { name: &[Field("status")], id: Some(Field("mihpayid")) },
    key_note: "merchant salt",
    ..Scheme::base("payu.v1", Provider::PayU, "https://docs.payu.in/docs/transaction-callback-1")
};

// random salt: the same input gives another checksum each time; CHECKSUMHASH must be taken out before hashing
const PAYTM_V1: Scheme = Scheme {
    detection: Detection { fields: &["CHECKSUMHASH"], ..Detection::HEADER },
    signature: &[Field("CHECKSUMHASH"), Json("head.signature")],
    encoding: Encoding::Base64,
    algorithm: Algorithm::Aes128Cbc,
    content: &[],
    covers: Coverage::Fields,
    own: Some(paytm::check),
    event: EventRule { name: &[Field("STATUS")], id: Some(Field("TXNID")) },
    key_note: "16-character merchant key",
    ..Scheme::base("paytm.v1", Provider::Paytm, "https://business.paytm.com/docs/jscheckout-verify-payment")
};
