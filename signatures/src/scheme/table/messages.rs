//! Chat, mail, telephony and social networks.

use crate::encoding::Encoding;
use crate::key::KeyForm;
use crate::mac::Algorithm;
use crate::odd::{mailgun, twilio};
use crate::provider::Provider;
use crate::scheme::Place::{Field, Header, Json};
use crate::scheme::{Coverage, Detection, EventRule, Layout, Part, Quirk, Scheme, TimeRule, TimeUnit, UrlRule};

pub(super) const ROWS: &[Scheme] = &[
    META_SHA256,
    META_SHA1,
    INTERCOM_V1,
    SLACK_V0,
    DISCORD_V1,
    TELEGRAM_TOKEN,
    LINE_V1,
    ZOOM_V0,
    TWILIO_V1,
    SENDGRID_V1,
    MAILGUN_V3,
    MANDRILL_V1,
    POSTMARK_BASIC,
    TWITCH_V1,
];

// docs: the signature is made over an ESCAPED-unicode payload with lower-case hex (ä -> \u00e4; an older page adds /
// -> \/, < -> \u003C, % -> \u0025, @ -> \u0040): the raw bytes on the wire already have that form, JSON round trips
// lose it; GET hub.mode=subscribe: echo hub.challenge after checking hub.verify_token
const META_SHA256: Scheme = Scheme {
    detection: Detection {
        without: &["x-github-event", "x-gitea-event", "x-gogs-event", "x-forgejo-event"],
        ..Detection::HEADER
    },
    signature: &[Header("X-Hub-Signature-256")],
    layout: Layout::Prefixed("sha256="),
    event: EventRule {
        name: &[Json("object"), Json("entry.0.changes.0.field")],
        id: Some(Json("entry.0.changes.0.value.messages.0.id")),
    },
    key_note: "App Secret (not the verify token, not the access token)",
    redelivery: "Messenger: 20 s, retried for 1 h. then disabled; WhatsApp: up to 7 days",
    ..Scheme::base(
        "meta.sha256",
        Provider::Meta,
        "https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
    )
};

const META_SHA1: Scheme = Scheme {
    detection: Detection {
        without: &[
            "x-github-event",
            "x-gitea-event",
            "x-gogs-event",
            "x-forgejo-event",
            "x-event-key",
            "x-atlassian-webhook-identifier",
            "x-hub-signature-256",
        ],
        contains: "sha1=",
        ..Detection::HEADER
    },
    signature: &[Header("X-Hub-Signature")],
    layout: Layout::Prefixed("sha1="),
    algorithm: Algorithm::HmacSha1,
    event: EventRule {
        name: &[Json("object"), Json("entry.0.changes.0.field")],
        id: Some(Json("entry.0.changes.0.value.messages.0.id")),
    },
    key_note: "App Secret",
    ..Scheme::base("meta.sha1", Provider::Meta, "https://developers.facebook.com/docs/messenger-platform/webhooks")
};

// ping is signed too
const INTERCOM_V1: Scheme = Scheme {
    detection: Detection {
        without: &[
            "x-github-event",
            "x-gitea-event",
            "x-gogs-event",
            "x-forgejo-event",
            "x-event-key",
            "x-atlassian-webhook-identifier",
            "x-hub-signature-256",
        ],
        contains: "sha1=",
        hint: Some((Json("type"), "notification_event")),
        ..Detection::HEADER
    },
    signature: &[Header("X-Hub-Signature")],
    layout: Layout::Prefixed("sha1="),
    algorithm: Algorithm::HmacSha1,
    event: EventRule { name: &[Json("topic")], id: Some(Json("id")) },
    key_note: "client_secret of the app",
    redelivery: "5 s; one retry after 1 min; 410 switches off",
    ..Scheme::base(
        "intercom.v1",
        Provider::Intercom,
        "https://developers.intercom.com/docs/webhooks/webhook-notifications",
    )
};

// slash commands and interactions are form-encoded: the raw form text is signed; the page and the Python package
// limit the future as well, the packages for Node do not
const SLACK_V0: Scheme = Scheme {
    detection: Detection { alone: &["x-slack-request-timestamp"], ..Detection::HEADER },
    signature: &[Header("X-Slack-Signature")],
    layout: Layout::Prefixed("v0="),
    content: &[Part::Text("v0:"), Part::Timestamp, Part::Text(":"), Part::Body],
    time: Some(TimeRule {
        place: Header("x-slack-request-timestamp"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: Some(300),
        limits_future: false,
    }),
    event: EventRule { name: &[Json("event.type")], id: Some(Json("event_id")) },
    key_note: "Signing Secret (not the client secret, not the deprecated verification token)",
    redelivery: "3 s; retried 3 times (immediately, 1 min, 5 min); X-Slack-Retry-Num / -Reason",
    ..Scheme::base("slack.v0", Provider::Slack, "https://docs.slack.dev/authentication/verifying-requests-from-slack/")
};

// Discord sends deliberately bad signatures when the URL is saved: they must get 401; answer PING {"type":1} with
// {"type":1}
const DISCORD_V1: Scheme = Scheme {
    detection: Detection { alone: &["x-signature-timestamp"], ..Detection::HEADER },
    signature: &[Header("X-Signature-Ed25519")],
    encoding: Encoding::HexAnyCase,
    algorithm: Algorithm::Ed25519,
    key: KeyForm::PublicKey,
    content: &[Part::Timestamp, Part::Body],
    time: Some(TimeRule {
        place: Header("x-signature-timestamp"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    event: EventRule { name: &[Json("event.type")], id: Some(Json("id")) },
    key_note: "application public key",
    redelivery: "3 s for interactions",
    ..Scheme::base(
        "discord.v1",
        Provider::Discord,
        "https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint",
    )
};

const TELEGRAM_TOKEN: Scheme = Scheme {
    signature: &[Header("X-Telegram-Bot-Api-Secret-Token")],
    encoding: Encoding::Plain,
    algorithm: Algorithm::Token,
    content: &[Part::Secret],
    covers: Coverage::Nothing,
    event: EventRule { name: &[], id: Some(Json("update_id")) },
    key_note: "1-256 characters A-Z a-z 0-9 _ -",
    redelivery: "retried with growing delay up to 24 h",
    ..Scheme::base("telegram.token", Provider::Telegram, "https://core.telegram.org/bots/api#setwebhook")
};

// "Verify" sends an empty events array; SDK compares decoded bytes: case of the base64 text matters
const LINE_V1: Scheme = Scheme {
    signature: &[Header("x-line-signature")],
    encoding: Encoding::Base64,
    quirks: &[Quirk::AcceptsSpaces],
    event: EventRule { name: &[Json("events.0.type")], id: Some(Json("events.0.webhookEventId")) },
    key_note: "channel secret",
    redelivery: "redelivery only if switched on",
    ..Scheme::base(
        "line.v1",
        Provider::Line,
        "https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/",
    )
};

// event endpoint.url_validation: answer {"plainToken":..,"encryptedToken":hex hmac_sha256(secret, plainToken)}
// within 3 s; revalidated every 72 h; sample code uses JSON.stringify(req.body)
const ZOOM_V0: Scheme = Scheme {
    detection: Detection { alone: &["x-zm-request-timestamp"], ..Detection::HEADER },
    signature: &[Header("x-zm-signature")],
    layout: Layout::Prefixed("v0="),
    content: &[Part::Text("v0:"), Part::Timestamp, Part::Text(":"), Part::Body],
    time: Some(TimeRule {
        place: Header("x-zm-request-timestamp"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    event: EventRule { name: &[Json("event")], id: None },
    key_note: "Secret Token of the app",
    redelivery: "3 s; 3 retries (5 min, 20 min, 60 min)",
    ..Scheme::base("zoom.v0", Provider::Zoom, "https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events")
};

// url as Twilio saw it: https, public host, port, query, user:pass@; parameter names sorted case-SENSITIVELY; array
// values sorted and de-duplicated
const TWILIO_V1: Scheme = Scheme {
    signature: &[Header("X-Twilio-Signature")],
    encoding: Encoding::Base64,
    algorithm: Algorithm::HmacSha1,
    content: &[Part::Url, Part::Made(twilio::fields)],
    url: UrlRule::Ports,
    refusal: Some(twilio::refusal),
    covers: Coverage::Fields,
    event: EventRule { name: &[Field("MessageStatus")], id: Some(Header("i-twilio-idempotency-token")) },
    key_note: "account AUTH TOKEN (primary), not an API key secret",
    rotation: "none; the url is tried with/without standard port and with/without legacy query escaping",
    redelivery: "15 s; no retry by default (connection overrides #rc=.)",
    ..Scheme::base("twilio.v1", Provider::Twilio, "https://www.twilio.com/docs/usage/security#validating-requests")
};

// body ends with CRLF and has CRLF between events: a lost \r\n fails
const SENDGRID_V1: Scheme = Scheme {
    signature: &[Header("X-Twilio-Email-Event-Webhook-Signature")],
    encoding: Encoding::Base64,
    quirks: &[Quirk::AcceptsSpaces],
    algorithm: Algorithm::EcdsaP256,
    key: KeyForm::PublicKey,
    content: &[Part::Timestamp, Part::Body],
    time: Some(TimeRule {
        place: Header("x-twilio-email-event-webhook-timestamp"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    event: EventRule { name: &[Json("0.event")], id: Some(Json("0.sg_event_id")) },
    redelivery: "24 h with growing delay",
    ..Scheme::base(
        "sendgrid.v1",
        Provider::SendGrid,
        "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features",
    )
};

// the BODY is not covered: only timestamp+token
const MAILGUN_V3: Scheme = Scheme {
    detection: Detection { fields: &["timestamp", "token", "signature"], ..Detection::HEADER },
    signature: &[Json("signature.signature"), Field("signature")],
    content: &[Part::Made(mailgun::timestamp_and_token)],
    time: Some(TimeRule {
        place: Json("signature.timestamp"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    covers: Coverage::NotBody,
    event: EventRule { name: &[Json("event-data.event")], id: Some(Json("event-data.id")) },
    key_note: "HTTP webhook SIGNING KEY (not the API key since 2020)",
    redelivery: "10 min, 10, 15, 30 min, 1 h, 2 h, 4 h; 406 stops",
    ..Scheme::base(
        "mailgun.v3",
        Provider::Mailgun,
        "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
    )
};

// url must equal the configured one incl. user:pass@ and scheme; HEAD request first, unsigned
const MANDRILL_V1: Scheme = Scheme {
    signature: &[Header("X-Mandrill-Signature")],
    encoding: Encoding::Base64,
    algorithm: Algorithm::HmacSha1,
    content: &[Part::Url, Part::Made(twilio::all_fields)],
    url: UrlRule::Exact,
    covers: Coverage::Fields,
    key_note: "webhook authentication key; `test-webhook` for the test button",
    ..Scheme::base(
        "mandrill.v1",
        Provider::Mandrill,
        "https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/#authenticating-webhook-requests",
    )
};

const POSTMARK_BASIC: Scheme = Scheme {
    detection: Detection {
        needs_secret: true,
        contains: "Basic ",
        hint: Some((Json("RecordType"), "")),
        ..Detection::HEADER
    },
    signature: &[Header("Authorization")],
    layout: Layout::Prefixed("Basic "),
    encoding: Encoding::Base64,
    algorithm: Algorithm::Token,
    content: &[Part::Credentials],
    covers: Coverage::Nothing,
    event: EventRule { name: &[Json("RecordType")], id: Some(Json("MessageID")) },
    ..Scheme::base("postmark.basic", Provider::Postmark, "https://postmarkapp.com/developer/webhooks/webhooks-overview")
};

// webhook_callback_verification: answer the raw challenge text; timestamp text must be used as received (9 decimals)
const TWITCH_V1: Scheme = Scheme {
    detection: Detection { alone: &["twitch-eventsub-message-type"], ..Detection::HEADER },
    signature: &[Header("Twitch-Eventsub-Message-Signature")],
    layout: Layout::Prefixed("sha256="),
    content: &[Part::At(Header("twitch-eventsub-message-id")), Part::Timestamp, Part::Body],
    time: Some(TimeRule {
        place: Header("twitch-eventsub-message-timestamp"),
        unit: TimeUnit::Rfc3339,
        tolerance_seconds: Some(600),
        limits_future: false,
    }),
    event: EventRule {
        name: &[Header("twitch-eventsub-subscription-type")],
        id: Some(Header("twitch-eventsub-message-id")),
    },
    key_note: "10-100 ASCII characters",
    redelivery: "a few seconds; too many failures revoke the subscription",
    ..Scheme::base(
        "twitch.v1",
        Provider::Twitch,
        "https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#verifying-the-event-message",
    )
};
