//! The table itself. Facts only; each row names the page that it can be checked against.

use super::{Detection, EventRule, Layout, Part, Place, Scheme, TimeRule, TimeSource};
use crate::encoding::Encoding;
use crate::mac::Algorithm;
use crate::provider::Provider;

pub(super) const SCHEMES: &[Scheme] = &[RAZORPAY_WEBHOOK, STRIPE_V1, GITHUB_SHA256, GITHUB_SHA1];

/// The secret is optional at Razorpay: without one, the event id comes and no signature does.
const RAZORPAY_WEBHOOK: Scheme = Scheme {
    id: "razorpay.webhook",
    provider: Provider::Razorpay,
    docs: "https://razorpay.com/docs/webhooks/validate-test/",
    detection: Detection { with: &[], without: &[], alone: &["x-razorpay-event-id"] },
    header: "X-Razorpay-Signature",
    layout: Layout::Prefixed(""),
    encoding: Encoding::Hex,
    algorithm: Algorithm::HmacSha256,
    content: &[Part::Body],
    time: None,
    event: EventRule { name: &[Place::Json("event")], id: Place::Header("x-razorpay-event-id") },
    refuses_empty_body: false,
};

/// One `v1` for each active secret; `v0` is a legacy of test mode and never counts. The secret is used whole, with
/// its `whsec_`. The tolerance is stripe-node's default; it does not limit timestamps in the future.
const STRIPE_V1: Scheme = Scheme {
    id: "stripe.v1",
    provider: Provider::Stripe,
    docs: "https://docs.stripe.com/webhooks/signature",
    detection: Detection { with: &[], without: &[], alone: &[] },
    header: "Stripe-Signature",
    layout: Layout::Pairs { separator: b',', signature: "v1" },
    encoding: Encoding::Hex,
    algorithm: Algorithm::HmacSha256,
    content: &[Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule { source: TimeSource::Pair("t"), tolerance_seconds: Some(300), limits_future: false }),
    event: EventRule { name: &[Place::Json("type")], id: Place::Json("id") },
    refuses_empty_body: true,
};

/// The form content type is signed as it is, `payload=…`. An empty body is refused by `@octokit/webhooks-methods`.
const GITHUB_SHA256: Scheme = Scheme {
    id: "github.sha256",
    provider: Provider::GitHub,
    docs: "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
    detection: Detection { with: &["x-github-event"], without: GITHUB_COPIES, alone: &["x-github-event"] },
    header: "X-Hub-Signature-256",
    layout: Layout::Prefixed("sha256="),
    encoding: Encoding::Hex,
    algorithm: Algorithm::HmacSha256,
    content: &[Part::Body],
    time: None,
    event: GITHUB_EVENT,
    refuses_empty_body: true,
};

/// The legacy header, sent beside the SHA-256 one; it is judged only if that is missing.
const GITHUB_SHA1: Scheme = Scheme {
    id: "github.sha1",
    provider: Provider::GitHub,
    docs: "https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers",
    detection: Detection { with: &["x-github-event"], without: GITHUB_COPIES, alone: &[] },
    header: "X-Hub-Signature",
    layout: Layout::Prefixed("sha1="),
    encoding: Encoding::Hex,
    algorithm: Algorithm::HmacSha1,
    content: &[Part::Body],
    time: None,
    event: GITHUB_EVENT,
    refuses_empty_body: false,
};

/// Gitea, Gogs and Forgejo send GitHub's headers beside their own.
const GITHUB_COPIES: &[&str] = &["x-gitea-event", "x-gogs-event", "x-forgejo-event"];

const GITHUB_EVENT: EventRule = EventRule {
    name: &[Place::Header("x-github-event"), Place::Json("action")],
    id: Place::Header("x-github-delivery"),
};
