//! Repositories, builds, deployments and what watches over them.

use crate::encoding::Encoding;
use crate::mac::Algorithm;
use crate::odd::{gitea, jws};
use crate::provider::Provider;
use crate::scheme::Place::{AnyHeader, Header, Json};
use crate::scheme::{Coverage, Detection, EventRule, Layout, Part, Quirk, Scheme, TimeRule, TimeUnit};

pub(super) const ROWS: &[Scheme] = &[
    GITHUB_SHA256,
    GITHUB_SHA1,
    BITBUCKET_SHA256,
    GITEA_SHA256,
    GITLAB_TOKEN,
    CIRCLECI_V1,
    VERCEL_V1,
    NETLIFY_JWS,
    HEROKU_V1,
    TERRAFORM_V1,
    TERRAFORM_RUN_TASK,
    SENTRY_V1,
    PAGERDUTY_V1,
    GRAFANA_V1,
];

// content type application/x-www-form-urlencoded: the MAC is over the raw "payload=..." body; GitHub escapes control
// characters with UPPER-case hex (\u001B), JSON.stringify writes lower case
const GITHUB_SHA256: Scheme = Scheme {
    detection: Detection {
        with: &["x-github-event"],
        without: &["x-gitea-event", "x-gogs-event", "x-forgejo-event"],
        alone: &["x-github-event"],
        ..Detection::HEADER
    },
    signature: &[Header("X-Hub-Signature-256")],
    layout: Layout::Prefixed("sha256="),
    quirks: &[Quirk::RefusesEmptyBody],
    event: EventRule { name: &[Header("x-github-event"), Json("action")], id: Some(Header("x-github-delivery")) },
    redelivery: "10 s timeout; NO automatic retry: redeliver by hand or API within 3 days",
    ..Scheme::base(
        "github.sha256",
        Provider::GitHub,
        "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
    )
};

// legacy, sent beside the sha256 header
const GITHUB_SHA1: Scheme = Scheme {
    detection: Detection {
        with: &["x-github-event"],
        without: &["x-gitea-event", "x-gogs-event", "x-forgejo-event", "x-hub-signature-256"],
        ..Detection::HEADER
    },
    signature: &[Header("X-Hub-Signature")],
    layout: Layout::Prefixed("sha1="),
    algorithm: Algorithm::HmacSha1,
    event: EventRule { name: &[Header("x-github-event"), Json("action")], id: Some(Header("x-github-delivery")) },
    ..Scheme::base(
        "github.sha1",
        Provider::GitHub,
        "https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers",
    )
};

// X-Hub-Signature carries SHA-256 here (GitHub, Meta and Intercom put SHA-1 there): read the method= part; no header
// at all without a secret
const BITBUCKET_SHA256: Scheme = Scheme {
    detection: Detection { with: &["x-event-key"], alone: &["x-event-key"], ..Detection::HEADER },
    signature: &[Header("X-Hub-Signature")],
    layout: Layout::Prefixed("sha256="),
    event: EventRule { name: &[Header("x-event-key")], id: Some(AnyHeader(&["x-request-uuid", "x-request-id"])) },
    redelivery: "Cloud: 10 s timeout, up to 2 more attempts",
    ..Scheme::base(
        "bitbucket.sha256",
        Provider::Bitbucket,
        "https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
    )
};

// X-Gogs-Signature, X-Hub-Signature and X-Hub-Signature-256 carry the same MAC; form mode: the MAC is over the JSON
// text, NOT over the payload=... body (GitHub differs)
const GITEA_SHA256: Scheme = Scheme {
    detection: Detection { alone: &["x-gitea-event", "x-gogs-event", "x-forgejo-event"], ..Detection::HEADER },
    signature: &[AnyHeader(&["X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature"])],
    content: &[Part::Made(gitea::payload)],
    event: EventRule {
        name: &[AnyHeader(&["x-gitea-event", "x-forgejo-event", "x-gogs-event"])],
        id: Some(AnyHeader(&["x-gitea-delivery", "x-forgejo-delivery", "x-gogs-delivery"])),
    },
    ..Scheme::base("gitea.sha256", Provider::Gitea, "https://docs.gitea.com/usage/webhooks")
};

// the token proves nothing about the body
const GITLAB_TOKEN: Scheme = Scheme {
    signature: &[Header("X-Gitlab-Token")],
    encoding: Encoding::Plain,
    algorithm: Algorithm::Token,
    content: &[Part::Secret],
    covers: Coverage::Nothing,
    detection: Detection { alone: &["x-gitlab-event"], ..Detection::HEADER },
    event: EventRule {
        name: &[Header("x-gitlab-event")],
        id: Some(AnyHeader(&["idempotency-key", "x-gitlab-event-uuid"])),
    },
    ..Scheme::base("gitlab.token", Provider::GitLab, "https://docs.gitlab.com/user/project/integrations/webhooks/")
};

// checking old versions would allow downgrades
const CIRCLECI_V1: Scheme = Scheme {
    signature: &[Header("circleci-signature")],
    layout: Layout::List { separator: b',', prefix: "v1=" },
    event: EventRule { name: &[Header("circleci-event-type")], id: Some(Json("id")) },
    rotation: "comma-separated versions; check the newest version only",
    redelivery: "5 s",
    ..Scheme::base("circleci.v1", Provider::CircleCi, "https://circleci.com/docs/guides/integration/outbound-webhooks/")
};

// SHA-1: third-party library @hookflo/tern lists it as SHA-256 (wrong)
const VERCEL_V1: Scheme = Scheme {
    signature: &[Header("x-vercel-signature")],
    algorithm: Algorithm::HmacSha1,
    event: EventRule { name: &[Json("type")], id: Some(Json("id")) },
    key_note: "webhook secret (account webhooks) or integration client secret; log drains: drain secret",
    redelivery: "up to 24 h exponential; 30 s",
    ..Scheme::base("vercel.v1", Provider::Vercel, "https://vercel.com/docs/webhooks/webhooks-api#securing-webhooks")
};

const NETLIFY_JWS: Scheme = Scheme {
    detection: Detection { contains: "eyJ", without: &["x-webhook-timestamp"], ..Detection::HEADER },
    signature: &[Header("X-Webhook-Signature")],
    encoding: Encoding::Base64Url,
    algorithm: Algorithm::Hs256,
    content: &[],
    own: Some(jws::check_netlify),
    event: EventRule { name: &[Header("x-netlify-event")], id: None },
    ..Scheme::base(
        "netlify.jws",
        Provider::Netlify,
        "https://docs.netlify.com/site-deploys/notifications/#payload-signature",
    )
};

const HEROKU_V1: Scheme = Scheme {
    signature: &[Header("Heroku-Webhook-Hmac-SHA256")],
    encoding: Encoding::Base64,
    event: EventRule {
        name: &[Json("webhook_metadata.event.include")],
        id: Some(Json("webhook_metadata.delivery.id")),
    },
    ..Scheme::base(
        "heroku.v1",
        Provider::Heroku,
        "https://devcenter.heroku.com/articles/app-webhooks#securing-webhook-requests",
    )
};

const TERRAFORM_V1: Scheme = Scheme {
    signature: &[Header("X-TFE-Notification-Signature")],
    algorithm: Algorithm::HmacSha512,
    event: EventRule { name: &[Json("notifications.0.trigger")], id: Some(Json("run_id")) },
    ..Scheme::base(
        "terraform.v1",
        Provider::Terraform,
        "https://developer.hashicorp.com/terraform/cloud-docs/workspaces/settings/notifications",
    )
};

const TERRAFORM_RUN_TASK: Scheme = Scheme {
    signature: &[Header("X-TFC-Task-Signature")],
    algorithm: Algorithm::HmacSha512,
    event: EventRule { name: &[Json("stage")], id: Some(Json("task_result_id")) },
    redelivery: "10 s",
    ..Scheme::base(
        "terraform.run_task",
        Provider::Terraform,
        "https://developer.hashicorp.com/terraform/cloud-docs/integrations/run-tasks",
    )
};

// docs sample re-serialises; Sentry sends \uXXXX escapes (ensure_ascii), so any accent or emoji fails it; empty
// bodies occur: MAC of the empty string; express.json() makes them {}
const SENTRY_V1: Scheme = Scheme {
    detection: Detection { alone: &["sentry-hook-resource"], ..Detection::HEADER },
    signature: &[AnyHeader(&["Sentry-Hook-Signature", "Sentry-App-Signature"])],
    time: Some(TimeRule {
        place: Header("sentry-hook-timestamp"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    event: EventRule { name: &[Header("sentry-hook-resource"), Json("action")], id: Some(Header("request-id")) },
    key_note: "integration Client Secret",
    redelivery: "1 s timeout; not retried; a circuit breaker disables failing hooks",
    ..Scheme::base(
        "sentry.v1",
        Provider::Sentry,
        "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
    )
};

// compare any entry, not the whole header
const PAGERDUTY_V1: Scheme = Scheme {
    signature: &[Header("X-PagerDuty-Signature")],
    layout: Layout::List { separator: b',', prefix: "v1=" },
    event: EventRule { name: &[Json("event.event_type")], id: Some(Header("x-webhook-id")) },
    key_note: "delivery_method.secret, shown once",
    rotation: "comma-separated v1=.,v1=. (no spaces); unknown versions are skipped",
    redelivery: "5 s; retries for 48 h on 5xx/429/timeout; 3 drops in a row disable it for 24 h",
    ..Scheme::base(
        "pagerduty.v1",
        Provider::PagerDuty,
        "https://docs.pagerduty.com/developer/verifying-webhook-signatures",
    )
};

// header names are configurable
const GRAFANA_V1: Scheme = Scheme {
    signature: &[Header("X-Grafana-Alerting-Signature")],
    content: &[Part::Maybe { before: "", place: Header("x-grafana-alerting-timestamp"), after: ":" }, Part::Body],
    time: Some(TimeRule {
        place: Header("x-grafana-alerting-timestamp"),
        unit: TimeUnit::Seconds,
        tolerance_seconds: None,
        limits_future: false,
    }),
    event: EventRule { name: &[Json("status")], id: Some(Json("groupKey")) },
    ..Scheme::base("grafana.v1", Provider::Grafana, "https://grafana.com/docs/grafana/latest/alerting/")
};
