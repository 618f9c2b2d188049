//! Files, forms, calendars, boards and content.

use crate::encoding::Encoding;
use crate::mac::Algorithm;
use crate::odd::contentful;
use crate::provider::Provider;
use crate::scheme::Place::{Header, Json, NumberedHeaders, Pair};
use crate::scheme::{Detection, EventRule, Layout, Part, Quirk, Scheme, TimeRule, TimeUnit, UrlRule};

pub(super) const ROWS: &[Scheme] = &[
    DROPBOX_V1,
    HUBSPOT_V1,
    HUBSPOT_V2,
    HUBSPOT_V3,
    TYPEFORM_V1,
    CALENDLY_V1,
    ZENDESK_V1,
    LINEAR_V1,
    CONTENTFUL_V1,
    DOCUSIGN_V1,
    BOX_V1,
    ASANA_V1,
    TRELLO_V1,
    JIRA_V1,
    TALLY_V1,
    CALCOM_V1,
    SANITY_V1,
];

// GET ?challenge=: echo it as text/plain with X-Content-Type-Options: nosniff
const DROPBOX_V1: Scheme = Scheme {
    signature: &[Header("X-Dropbox-Signature")],
    key_note: "app secret",
    redelivery: "10 s; up to 8 tries (about 10 min), growing",
    ..Scheme::base("dropbox.v1", Provider::Dropbox, "https://www.dropbox.com/developers/reference/webhooks")
};

// secret is hashed in front, no HMAC; v1, v2 and v3 headers can arrive together
const HUBSPOT_V1: Scheme = Scheme {
    detection: Detection {
        values: &[("x-hubspot-signature-version", "v1")],
        without: &["x-hubspot-signature-v3"],
        ..Detection::HEADER
    },
    signature: &[Header("X-HubSpot-Signature")],
    algorithm: Algorithm::Sha256,
    content: &[Part::Secret, Part::Body],
    event: EventRule { name: &[Json("0.subscriptionType")], id: Some(Json("0.eventId")) },
    key_note: "app client secret",
    redelivery: "5 s; up to 10 retries over 24 h",
    ..Scheme::base(
        "hubspot.v1",
        Provider::HubSpot,
        "https://developers.hubspot.com/docs/guides/apps/authentication/validating-requests",
    )
};

// url incl. query, as HubSpot called it
const HUBSPOT_V2: Scheme = Scheme {
    detection: Detection {
        values: &[("x-hubspot-signature-version", "v2")],
        without: &["x-hubspot-signature-v3"],
        ..Detection::HEADER
    },
    signature: &[Header("X-HubSpot-Signature")],
    algorithm: Algorithm::Sha256,
    content: &[Part::Secret, Part::Method, Part::Url, Part::Body],
    url: UrlRule::Exact,
    event: EventRule { name: &[Json("0.subscriptionType")], id: Some(Json("0.eventId")) },
    key_note: "app client secret",
    ..Scheme::base(
        "hubspot.v2",
        Provider::HubSpot,
        "https://developers.hubspot.com/docs/guides/apps/authentication/validating-requests",
    )
};

// docs: decode %3A %2F %3F %40 %21 %24 %27 %28 %29 %2A %2C %3B in the url first (node SDK does not)
const HUBSPOT_V3: Scheme = Scheme {
    signature: &[Header("X-HubSpot-Signature-v3")],
    encoding: Encoding::Base64,
    content: &[Part::Method, Part::Url, Part::Body, Part::Timestamp],
    url: UrlRule::Unescaped,
    time: Some(TimeRule {
        place: Header("x-hubspot-request-timestamp"),
        unit: TimeUnit::Milliseconds,
        tolerance_seconds: Some(300),
        limits_future: false,
    }),
    event: EventRule { name: &[Json("0.subscriptionType")], id: Some(Json("0.eventId")) },
    key_note: "app client secret",
    ..Scheme::base(
        "hubspot.v3",
        Provider::HubSpot,
        "https://developers.hubspot.com/docs/guides/apps/authentication/validating-requests",
    )
};

// base64 after a sha256= prefix (GitHub: hex)
const TYPEFORM_V1: Scheme = Scheme {
    signature: &[Header("Typeform-Signature")],
    layout: Layout::Prefixed("sha256="),
    encoding: Encoding::Base64,
    event: EventRule { name: &[Json("event_type")], id: Some(Json("event_id")) },
    redelivery: "30 s; retried after 5 min . for 10 h; 410/404 switches off",
    ..Scheme::base(
        "typeform.v1",
        Provider::Typeform,
        "https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
    )
};

const CALENDLY_V1: Scheme = Scheme {
    signature: &[Header("Calendly-Webhook-Signature")],
    layout: Layout::Pairs { separator: b',', signature: "v1" },
    content: &[Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule {
        place: Pair("t"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: Some(180),
        limits_future: false,
    }),
    event: EventRule { name: &[Json("event")], id: None },
    key_note: "signing_key given when the subscription was created",
    redelivery: "24 h exponential, then disabled",
    ..Scheme::base(
        "calendly.v1",
        Provider::Calendly,
        "https://developer.calendly.com/api-docs/ZG9jOjM2MzE2MDM4-webhook-signatures",
    )
};

// GET/DELETE webhooks sign an empty body
const ZENDESK_V1: Scheme = Scheme {
    detection: Detection { alone: &["x-zendesk-webhook-id"], ..Detection::HEADER },
    signature: &[Header("X-Zendesk-Webhook-Signature")],
    encoding: Encoding::Base64,
    content: &[Part::Timestamp, Part::Body],
    time: Some(TimeRule {
        place: Header("x-zendesk-webhook-signature-timestamp"),
        unit: TimeUnit::Rfc3339,
        tolerance_seconds: None,
        limits_future: false,
    }),
    event: EventRule { name: &[Json("type")], id: Some(Header("x-zendesk-webhook-invocation-id")) },
    key_note: "signing secret as TEXT although it looks like base64; test requests before creation always use \
        dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==",
    redelivery: "up to 3 tries on 409, and on 429/503 with Retry-After; 12 s",
    ..Scheme::base("zendesk.v1", Provider::Zendesk, "https://developer.zendesk.com/documentation/webhooks/verifying/")
};

const LINEAR_V1: Scheme = Scheme {
    detection: Detection { alone: &["linear-event"], ..Detection::HEADER },
    signature: &[Header("Linear-Signature")],
    time: Some(TimeRule {
        place: Json("webhookTimestamp"),
        unit: TimeUnit::Milliseconds,
        tolerance_seconds: Some(60),
        limits_future: true,
    }),
    event: EventRule { name: &[Header("linear-event"), Json("action")], id: Some(Header("linear-delivery")) },
    redelivery: "5 s; 3 retries: 1 min, 1 h, 6 h; then may be disabled",
    ..Scheme::base("linear.v1", Provider::Linear, "https://linear.app/developers/webhooks#securing-webhooks")
};

// the query string is percent-encoded twice by the SDK; list in x-contentful-signed-headers includes itself and the
// timestamp
const CONTENTFUL_V1: Scheme = Scheme {
    signature: &[Header("x-contentful-signature")],
    content: &[
        Part::Method,
        Part::Text("\n"),
        Part::Made(contentful::path),
        Part::Text("\n"),
        Part::Made(contentful::headers),
        Part::Text("\n"),
        Part::Body,
    ],
    url: UrlRule::Escaped,
    refusal: Some(contentful::refusal),
    time: Some(TimeRule {
        place: Header("x-contentful-timestamp"),
        unit: TimeUnit::Milliseconds,
        tolerance_seconds: Some(30),
        limits_future: false,
    }),
    quirks: &[Quirk::ExcludesBorder],
    event: EventRule { name: &[Header("x-contentful-topic")], id: Some(Header("x-contentful-idempotency-key")) },
    key_note: "64-character signing secret",
    ..Scheme::base(
        "contentful.v1",
        Provider::Contentful,
        "https://www.contentful.com/developers/docs/extensibility/app-framework/request-verification/",
    )
};

// body can be XML
const DOCUSIGN_V1: Scheme = Scheme {
    signature: &[NumberedHeaders("X-DocuSign-Signature-")],
    encoding: Encoding::Base64,
    event: EventRule { name: &[Json("event")], id: Some(Json("data.envelopeId")) },
    key_note: "HMAC key text, up to 100 active keys",
    rotation: "one header per key, in the order of the keys",
    redelivery: "24 h. up to 15 days with growing delay",
    ..Scheme::base("docusign.v1", Provider::DocuSign, "https://developers.docusign.com/platform/webhooks/connect/hmac/")
};

// timestamp comes AFTER the body; wire body has \uXXXX and \/ escapes: the SDK re-creates them when it is given an
// object
const BOX_V1: Scheme = Scheme {
    detection: Detection { alone: &["box-delivery-id"], ..Detection::HEADER },
    signature: &[Header("BOX-SIGNATURE-PRIMARY"), Header("BOX-SIGNATURE-SECONDARY")],
    encoding: Encoding::Base64,
    content: &[Part::Body, Part::Timestamp],
    time: Some(TimeRule {
        place: Header("box-delivery-timestamp"),
        unit: TimeUnit::Rfc3339,
        tolerance_seconds: Some(600),
        limits_future: false,
    }),
    quirks: &[
        Quirk::SecretPerPlace,
        Quirk::Demands("box-signature-version", "1"),
        Quirk::Demands("box-signature-algorithm", "HmacSHA256"),
    ],
    event: EventRule { name: &[Json("trigger")], id: Some(Header("box-delivery-id")) },
    key_note: "two keys; rotate one at a time",
    rotation: "primary OR secondary must match its own key",
    redelivery: "10 retries in about 2 h",
    ..Scheme::base("box.v1", Provider::Box, "https://developer.box.com/guides/webhooks/v2/signatures-v2/")
};

// handshake: POST with X-Hook-Secret and no signature; echo the header with 200/204 while the create call is still
// in flight
const ASANA_V1: Scheme = Scheme {
    signature: &[Header("X-Hook-Signature")],
    event: EventRule { name: &[Json("events.0.resource.resource_type"), Json("events.0.action")], id: None },
    key_note: "X-Hook-Secret of the handshake",
    redelivery: "10 s; retried up to 24 h; at-most-once, no replay; heartbeat {`events`:[]} (8 h)",
    ..Scheme::base("asana.v1", Provider::Asana, "https://developers.asana.com/docs/webhooks-guide")
};

// callbackURL exactly as given at creation; HEAD request at creation must get 200
const TRELLO_V1: Scheme = Scheme {
    signature: &[Header("X-Trello-Webhook")],
    encoding: Encoding::Base64,
    algorithm: Algorithm::HmacSha1,
    content: &[Part::Body, Part::Url],
    url: UrlRule::Exact,
    event: EventRule { name: &[Json("action.type")], id: Some(Json("action.id")) },
    key_note: "application (OAuth) secret",
    redelivery: "3 retries: 30, 60, 120 s",
    ..Scheme::base(
        "trello.v1",
        Provider::Trello,
        "https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/#webhook-signatures",
    )
};

// header without -256 carries SHA-256; webhooks without a secret are unsigned; Connect apps use a JWT instead
const JIRA_V1: Scheme = Scheme {
    detection: Detection {
        with: &["x-atlassian-webhook-identifier"],
        alone: &["x-atlassian-webhook-identifier"],
        ..Detection::HEADER
    },
    signature: &[Header("X-Hub-Signature")],
    layout: Layout::Prefixed("sha256="),
    event: EventRule { name: &[Json("webhookEvent")], id: Some(Header("x-atlassian-webhook-identifier")) },
    redelivery: "up to 5 retries, 5-15 min apart, on 408/409/425/429/5xx and connection errors; \
        X-Atlassian-Webhook-Retry",
    ..Scheme::base("jira.v1", Provider::Jira, "https://developer.atlassian.com/cloud/jira/platform/webhooks/")
};

// docs sample signs JSON.stringify(body)
const TALLY_V1: Scheme = Scheme {
    signature: &[Header("Tally-Signature")],
    encoding: Encoding::Base64,
    event: EventRule { name: &[Json("eventType")], id: Some(Json("eventId")) },
    redelivery: "10 s; 5 retries: 5 min, 30 min, 1 h, 6 h, 1 d",
    ..Scheme::base("tally.v1", Provider::Tally, "https://tally.so/help/webhooks")
};

// without a secret the header is the literal "no-secret-provided"; a custom payload template may turn the body into
// form content
const CALCOM_V1: Scheme = Scheme {
    signature: &[Header("X-Cal-Signature-256")],
    quirks: &[Quirk::SaysNoSecret("no-secret-provided")],
    event: EventRule { name: &[Json("triggerEvent")], id: None },
    redelivery: "no retry known",
    ..Scheme::base("calcom.v1", Provider::CalCom, "https://cal.com/docs/developing/guides/automation/webhooks")
};

const SANITY_V1: Scheme = Scheme {
    signature: &[Header("sanity-webhook-signature")],
    layout: Layout::Pairs { separator: b',', signature: "v1" },
    encoding: Encoding::Base64Url,
    content: &[Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule {
        place: Pair("t"),
        unit: TimeUnit::Milliseconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    quirks: &[Quirk::ChecksUnit, Quirk::RefusesEmptyBody],
    event: EventRule { name: &[Header("sanity-operation")], id: Some(Header("idempotency-key")) },
    ..Scheme::base("sanity.v1", Provider::Sanity, "https://www.sanity.io/docs/webhooks")
};
