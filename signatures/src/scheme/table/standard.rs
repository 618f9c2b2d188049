//! Standard Webhooks and those who sign by it, under its own header names or under Svix's.

use crate::encoding::Encoding;
use crate::key::KeyForm;
use crate::mac::Algorithm;
use crate::provider::Provider;
use crate::scheme::Place::{AnyHeader, Header, Json};
use crate::scheme::{Detection, EventRule, Layout, Part, Quirk, Scheme, TimeRule, TimeUnit};

pub(super) const ROWS: &[Scheme] = &[
    STANDARDWEBHOOKS_V1,
    STANDARDWEBHOOKS_V1A,
    SVIX_V1,
    SVIX_V1A,
    CLERK_SVIX,
    RESEND_SVIX,
    OPENAI_V1,
    POLAR_V1,
    BIGCOMMERCE_V1,
    GITLAB_SIGNING,
    SUPABASE_HOOKS,
    REPLICATE_V1,
    DODO_V1,
];

// secret: strip whsec_ then base64-decode; a "v1,whsec_" prefix (Supabase hooks) must be cut as well; id and
// timestamp are signed, so a proxy may not rewrite them
const STANDARDWEBHOOKS_V1: Scheme = Scheme {
    id: "standardwebhooks.v1",
    provider: Provider::StandardWebhooks,
    docs: "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    detection: Detection {
        with: &["webhook-id", "webhook-timestamp"],
        contains: "v1,",
        without: &["x-gitlab-event"],
        alone: &["webhook-id", "webhook-timestamp"],
        ..Detection::HEADER
    },
    key: KeyForm::Base64,
    event: EventRule { name: &[Json("type")], id: Some(Header("webhook-id")) },
    rotation: "space-separated list `v1,<b64> v1,<b64> v1a,<b64>`, one per active secret; any match",
    redelivery: "spec example: immediately, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; timeout 15-30 s; \
        410 disables; 3xx is a failure",
    ..STANDARD
};

// the example header of the spec is not self-consistent (its v1a belongs to another message: it verifies for
// msg_p5jXN8AQM9LWM0D4loKWxJek/1614265330)
const STANDARDWEBHOOKS_V1A: Scheme = Scheme {
    id: "standardwebhooks.v1a",
    provider: Provider::StandardWebhooks,
    docs: "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    detection: Detection { with: &["webhook-id", "webhook-timestamp"], contains: "v1a,", ..Detection::HEADER },
    event: EventRule { name: &[Json("type")], id: Some(Header("webhook-id")) },
    key_note: "whpk_ + base64(32 bytes); secret key whsk_ + base64(seed||public)",
    rotation: "space-separated, may be mixed with v1",
    redelivery: "spec example: immediately, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; timeout 15-30 s; \
        410 disables; 3xx is a failure",
    ..ASYMMETRIC
};

// secret: strip whsec_ then base64-decode; a "v1,whsec_" prefix (Supabase hooks) must be cut as well; id and
// timestamp are signed, so a proxy may not rewrite them
const SVIX_V1: Scheme = Scheme {
    id: "svix.v1",
    provider: Provider::Svix,
    docs: "https://docs.svix.com/receiving/verifying-payloads/how-manual",
    detection: Detection {
        alone: &["svix-id", "svix-timestamp"],
        contains: "v1,",
        with: &["svix-id", "svix-timestamp"],
        ..Detection::HEADER
    },
    rotation: "space-separated; any match",
    redelivery: "Svix default: immediately, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h; 15 s timeout",
    ..SVIX
};

const SVIX_V1A: Scheme = Scheme {
    id: "svix.v1a",
    provider: Provider::Svix,
    docs: "https://docs.svix.com/",
    detection: Detection { contains: "v1a,", with: &["svix-id", "svix-timestamp"], ..Detection::HEADER },
    layout: V1A,
    algorithm: Algorithm::Ed25519,
    key: KeyForm::PublicKey,
    key_note: "whpk_",
    rotation: "space-separated",
    ..SVIX
};

// CLERK_WEBHOOK_SIGNING_SECRET is per endpoint; development and production instances differ
const CLERK_SVIX: Scheme = Scheme {
    id: "clerk.svix",
    provider: Provider::Clerk,
    docs: "https://clerk.com/docs/webhooks",
    detection: Detection {
        contains: "v1,",
        hint: Some((Json("object"), "event")),
        with: &["svix-id", "svix-timestamp"],
        ..Detection::HEADER
    },
    rotation: "space-separated",
    redelivery: "Svix schedule",
    ..SVIX
};

const RESEND_SVIX: Scheme = Scheme {
    id: "resend.svix",
    provider: Provider::Resend,
    docs: "https://resend.com/docs/webhooks/verify-webhooks-requests",
    detection: Detection {
        contains: "v1,",
        hint: Some((Json("type"), "email.")),
        with: &["svix-id", "svix-timestamp"],
        ..Detection::HEADER
    },
    rotation: "space-separated",
    redelivery: "Svix schedule",
    ..SVIX
};

// timestamp is parsed as an integer prefix but the ORIGINAL header text is signed
const OPENAI_V1: Scheme = Scheme {
    id: "openai.v1",
    provider: Provider::OpenAi,
    docs: "https://platform.openai.com/docs/guides/webhooks",
    detection: Detection {
        with: &["webhook-id", "webhook-timestamp"],
        contains: "v1,",
        without: &["x-gitlab-event"],
        hint: Some((Json("object"), "event")),
        ..Detection::HEADER
    },
    key: KeyForm::Base64IfPrefixed,
    quirks: &[Quirk::OptionalPrefix],
    event: EventRule { name: &[Json("type")], id: Some(Header("webhook-id")) },
    key_note: "whsec_ -> base64; WITHOUT the prefix the SDK takes the secret as raw UTF-8 (Standard Webhooks would \
        base64-decode it)",
    rotation: "space-separated; malformed entries are skipped",
    redelivery: "up to 72 h",
    ..STANDARD
};

// a whsec_ prefix does not prove base64 decoding: try both
const POLAR_V1: Scheme = Scheme {
    id: "polar.v1",
    provider: Provider::Polar,
    docs: "https://docs.polar.sh/integrate/webhooks",
    detection: Detection {
        with: &["webhook-id", "webhook-timestamp"],
        contains: "v1,",
        without: &["x-gitlab-event"],
        ..Detection::HEADER
    },
    key: KeyForm::TextOrBase64,
    event: EventRule { name: &[Json("type")], id: Some(Header("webhook-id")) },
    key_note: "the WHOLE secret incl. its prefix as UTF-8 (SDK base64-encodes it before calling the library); \
        since 2026-08 new whsec_ secrets are signed BOTH ways",
    rotation: "space-separated",
    ..STANDARD
};

// custom headers can be set per hook and act as a token; success is HTTP 200
const BIGCOMMERCE_V1: Scheme = Scheme {
    id: "bigcommerce.v1",
    provider: Provider::BigCommerce,
    docs: "https://developer.bigcommerce.com/docs/integrations/webhooks",
    detection: Detection {
        with: &["webhook-id", "webhook-timestamp"],
        contains: "v1,",
        without: &["x-gitlab-event"],
        hint: Some((Json("scope"), "store/")),
        ..Detection::HEADER
    },
    key: KeyForm::Text,
    event: EventRule { name: &[Json("scope")], id: Some(Json("hash")) },
    key_note: "app client_secret as UTF-8 (docs: base64-encode it, then hand it to standardwebhooks)",
    redelivery: "60,180,300,600,900,1800,3600,7200,21600,50400,86400 s; about 48 h, then deactivated + e-mail; \
        whole DOMAIN is blocklisted on a low success rate",
    ..STANDARD
};

// new in 2026, behind the flag webhook_signing_token at first; both X-Gitlab-Token and webhook-signature can be
// present
const GITLAB_SIGNING: Scheme = Scheme {
    id: "gitlab.signing",
    provider: Provider::GitLab,
    docs: "https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944",
    detection: Detection {
        with: &["webhook-id", "webhook-timestamp", "x-gitlab-event"],
        contains: "v1,",
        ..Detection::HEADER
    },
    key: KeyForm::Base64,
    event: EventRule { name: &[Header("x-gitlab-event")], id: Some(Header("webhook-id")) },
    ..STANDARD
};

const SUPABASE_HOOKS: Scheme = Scheme {
    id: "supabase.hooks",
    provider: Provider::Supabase,
    docs: "https://supabase.com/docs/guides/auth/auth-hooks",
    detection: Detection {
        with: &["webhook-id", "webhook-timestamp"],
        contains: "v1,",
        without: &["x-gitlab-event"],
        ..Detection::HEADER
    },
    key: KeyForm::Base64,
    event: EventRule { name: &[Json("type")], id: Some(Header("webhook-id")) },
    key_note: "Supabase shows it as v1,whsec_",
    rotation: "space-separated",
    ..STANDARD
};

const REPLICATE_V1: Scheme = Scheme {
    id: "replicate.v1",
    provider: Provider::Replicate,
    docs: "https://replicate.com/docs/topics/webhooks/verify-webhook",
    detection: Detection {
        with: &["webhook-id", "webhook-timestamp"],
        contains: "v1,",
        without: &["x-gitlab-event"],
        ..Detection::HEADER
    },
    key: KeyForm::Base64,
    event: EventRule { name: &[Json("type")], id: Some(Header("webhook-id")) },
    rotation: "space-separated",
    ..STANDARD
};

const DODO_V1: Scheme = Scheme {
    id: "dodo.v1",
    provider: Provider::Dodo,
    docs: "https://docs.dodopayments.com/",
    detection: Detection {
        with: &["webhook-id", "webhook-timestamp"],
        contains: "v1,",
        without: &["x-gitlab-event"],
        ..Detection::HEADER
    },
    key: KeyForm::Base64,
    event: EventRule { name: &[Json("type")], id: Some(Header("webhook-id")) },
    rotation: "space-separated",
    ..STANDARD
};

/// The common form: `id.timestamp.body`, and a list of versions and signatures separated by blanks.
const STANDARD: Scheme = Scheme {
    signature: &[Header("webhook-signature")],
    layout: Layout::List { separator: b' ', prefix: "v1," },
    encoding: Encoding::Base64,
    content: &[Part::At(Header("webhook-id")), Part::Text("."), Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule {
        place: Header("webhook-timestamp"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: Some(300),
        limits_future: true,
    }),
    ..Scheme::base("", Provider::StandardWebhooks, "")
};

/// The same, signed with a private key.
const ASYMMETRIC: Scheme = Scheme { layout: V1A, algorithm: Algorithm::Ed25519, key: KeyForm::PublicKey, ..STANDARD };

const V1A: Layout = Layout::List { separator: b' ', prefix: "v1a," };

/// Svix's packages take both sets of names.
const SVIX: Scheme = Scheme {
    signature: &[AnyHeader(&["svix-signature", "webhook-signature"])],
    key: KeyForm::Base64,
    content: &[Part::At(AnyHeader(SVIX_ID)), Part::Text("."), Part::Timestamp, Part::Text("."), Part::Body],
    time: Some(TimeRule {
        place: AnyHeader(&["svix-timestamp", "webhook-timestamp"]),
        unit: TimeUnit::Seconds,
        tolerance_seconds: Some(300),
        limits_future: true,
    }),
    event: EventRule { name: &[Json("type")], id: Some(AnyHeader(SVIX_ID)) },
    ..STANDARD
};

const SVIX_ID: &[&str] = &["svix-id", "webhook-id"];
