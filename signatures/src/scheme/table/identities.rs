//! Who somebody is: log-ins and identity checks.

use crate::encoding::Encoding;
use crate::mac::Algorithm;
use crate::provider::Provider;
use crate::scheme::Place::{Header, Json, Pair};
use crate::scheme::{Coverage, Detection, EventRule, Layout, Part, Quirk, Scheme, TimeRule, TimeUnit};

pub(super) const ROWS: &[Scheme] = &[OKTA_HEADER, AUTH0_HEADER, WORKOS_V1, SUMSUB_V1, PERSONA_V1];

// one-time GET with x-okta-verification-challenge: answer {"verification": value}
const OKTA_HEADER: Scheme = Scheme {
    detection: Detection {
        needs_secret: true,
        hint: Some((Json("eventType"), "com.okta.event_hook")),
        ..Detection::HEADER
    },
    signature: &[Header("Authorization")],
    encoding: Encoding::Plain,
    algorithm: Algorithm::Token,
    content: &[Part::Secret],
    covers: Coverage::Nothing,
    event: EventRule { name: &[Json("data.events.0.eventType")], id: Some(Json("data.events.0.uuid")) },
    redelivery: "3 s; one retry",
    ..Scheme::base("okta.header", Provider::Okta, "https://developer.okta.com/docs/concepts/event-hooks/")
};

// no Bearer added unless you typed it; body is an array
const AUTH0_HEADER: Scheme = Scheme {
    detection: Detection { needs_secret: true, hint: Some((Json("0.log_id"), "")), ..Detection::HEADER },
    signature: &[Header("Authorization")],
    encoding: Encoding::Plain,
    algorithm: Algorithm::Token,
    content: &[Part::Secret],
    covers: Coverage::Nothing,
    event: EventRule { name: &[Json("0.data.type")], id: Some(Json("0.log_id")) },
    ..Scheme::base("auth0.header", Provider::Auth0, "https://auth0.com/docs/customize/log-streams/custom-log-streams")
};

// npm 8.13.0 signs JSON.stringify(payload object), i.e. a re-serialised body: bodies with escapes or floats fail;
// repository head takes the raw text
const WORKOS_V1: Scheme = Scheme {
    signature: &[Header("WorkOS-Signature")],
    layout: Layout::Pairs { separator: b',', signature: "v1" },
    content: &[Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule {
        place: Pair("t"),
        unit: TimeUnit::Milliseconds,
        tolerance_seconds: Some(180),
        limits_future: false,
    }),
    quirks: &[Quirk::AcceptsSpaces],
    event: EventRule { name: &[Json("event")], id: Some(Json("id")) },
    rotation: "`t=.., v1=..` with a space after the comma",
    redelivery: "6 tries over 3 days",
    ..Scheme::base("workos.v1", Provider::WorkOs, "https://workos.com/docs/events/data-syncing/webhooks")
};

// algorithm is chosen by a header: allow-list it
const SUMSUB_V1: Scheme = Scheme {
    signature: &[Header("X-Payload-Digest")],
    algorithm: Algorithm::HmacNamed("x-payload-digest-alg"),
    event: EventRule { name: &[Json("type")], id: Some(Json("correlationId")) },
    key_note: "secret set with the webhook, not the app token secret",
    redelivery: "4 retries: 5 min, 1 h, 5 h, 18 h",
    ..Scheme::base("sumsub.v1", Provider::Sumsub, "https://docs.sumsub.com/docs/webhooks#verify-webhook-sender")
};

// split on spaces first, then commas
const PERSONA_V1: Scheme = Scheme {
    signature: &[Header("Persona-Signature")],
    layout: Layout::PairGroups { signature: "v1" },
    content: &[Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule {
        place: Pair("t"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: Some(300),
        limits_future: false,
    }),
    event: EventRule { name: &[Json("data.attributes.name")], id: Some(Json("data.id")) },
    key_note: "wbhsec_.. whole",
    rotation: "two space-separated t=.,v1=. pairs while a secret rotates",
    redelivery: "up to 7-8 tries, growing delay",
    ..Scheme::base("persona.v1", Provider::Persona, "https://docs.withpersona.com/v2022-09-01/docs/best-practices")
};
