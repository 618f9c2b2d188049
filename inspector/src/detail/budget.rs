//! How long senders wait for an answer.

use std::time::Duration;

/// How long one provider waits.
pub(super) struct Budget {
    /// The provider's name on the command line.
    provider: &'static str,
    /// After it, the sender gives up and counts the delivery as failed.
    pub(super) limit: Duration,
    /// The page that says so.
    pub(super) source: &'static str,
}

/// The budget of a provider; none if it publishes none (Stripe, for one) or is not known here.
pub(super) fn of(provider: &str) -> Option<&'static Budget> {
    BUDGETS.iter().find(|budget| budget.provider == provider)
}

const BUDGETS: &[Budget] = &[
    budget("razorpay", 5, "https://razorpay.com/docs/webhooks/best-practices/"),
    budget("github", 10, "https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries"),
    // One second of them to connect.
    budget("shopify", 5, "https://shopify.dev/changelog/updates-to-webhook-retry-mechanism"),
    budget("paddle", 5, "https://developer.paddle.com/webhooks/about/respond-to-webhooks"),
    // "3 to 5 seconds": the shorter one counts.
    budget("phonepe", 3, "https://developer.phonepe.com"),
    // "As soon as possible" today; the number is of an older page.
    budget("square", 10, "https://developer.squareup.com/docs/webhooks/troubleshooting"),
    budget("adyen", 10, "https://docs.adyen.com/development-resources/webhooks/troubleshoot"),
];

const fn budget(provider: &'static str, seconds: u64, source: &'static str) -> Budget {
    Budget { provider, limit: Duration::from_secs(seconds), source }
}
