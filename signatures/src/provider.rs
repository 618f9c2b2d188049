//! Who signs.

use std::fmt;
use std::str::FromStr;

/// Builds the enum and its names from one list, so that no provider can lack one.
macro_rules! providers {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $title:literal, [$($variable:literal),+];)+) => {
        /// A webhook provider that the table of schemes knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Provider {
            $($(#[$doc])+ $variant,)+
        }

        impl Provider {
            /// Every provider, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the command line and in files: lower case, no spaces.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The name as the provider writes it.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The environment variables that usually hold what this provider's webhooks are checked with, the most
            /// usual one first. Keys of another kind are not among them: such a key is a mistake, not a fallback.
            pub const fn usual_env_names(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($variable),+],)+ }
            }
        }
    };
}

providers! {
    /// Razorpay: payments in India.
    Razorpay = "razorpay", "Razorpay", ["RAZORPAY_WEBHOOK_SECRET", "RZP_WEBHOOK_SECRET"];
    /// Stripe: payments.
    Stripe = "stripe", "Stripe", ["STRIPE_WEBHOOK_SECRET", "STRIPE_ENDPOINT_SECRET", "STRIPE_SIGNING_SECRET"];
    /// GitHub: repositories and apps.
    GitHub = "github", "GitHub", ["GITHUB_WEBHOOK_SECRET", "GITHUB_APP_WEBHOOK_SECRET", "GH_WEBHOOK_SECRET"];
    /// Standard Webhooks: the common specification.
    StandardWebhooks = "standardwebhooks", "Standard Webhooks", ["STANDARD_WEBHOOKS_SECRET", "WEBHOOK_SECRET"];
    /// Svix: webhooks as a service.
    Svix = "svix", "Svix", ["SVIX_WEBHOOK_SECRET", "SVIX_SECRET"];
    /// Clerk: users.
    Clerk = "clerk", "Clerk", ["CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET"];
    /// Resend: mail.
    Resend = "resend", "Resend", ["RESEND_WEBHOOK_SECRET"];
    /// OpenAI: models.
    OpenAi = "openai", "OpenAI", ["OPENAI_WEBHOOK_SECRET"];
    /// Polar: payments.
    Polar = "polar", "Polar", ["POLAR_WEBHOOK_SECRET"];
    /// BigCommerce: shops.
    BigCommerce = "bigcommerce", "BigCommerce", ["BIGCOMMERCE_CLIENT_SECRET"];
    /// GitLab: repositories.
    GitLab = "gitlab", "GitLab", ["GITLAB_WEBHOOK_SECRET", "GITLAB_WEBHOOK_TOKEN"];
    /// Supabase: authentication hooks.
    Supabase = "supabase", "Supabase", ["SEND_SMS_HOOK_SECRET", "SUPABASE_HOOK_SECRET"];
    /// Replicate: models.
    Replicate = "replicate", "Replicate", ["REPLICATE_WEBHOOK_SIGNING_SECRET"];
    /// Dodo Payments: payments.
    Dodo = "dodo", "Dodo Payments", ["DODO_PAYMENTS_WEBHOOK_KEY", "DODO_WEBHOOK_SECRET"];
    /// Bitbucket: repositories.
    Bitbucket = "bitbucket", "Bitbucket", ["BITBUCKET_WEBHOOK_SECRET"];
    /// Gitea: repositories; Forgejo and Gogs too.
    Gitea = "gitea", "Gitea", ["GITEA_WEBHOOK_SECRET", "FORGEJO_WEBHOOK_SECRET"];
    /// Shopify: shops.
    Shopify = "shopify", "Shopify", ["SHOPIFY_API_SECRET", "SHOPIFY_WEBHOOK_SECRET"];
    /// WooCommerce: shops.
    WooCommerce = "woocommerce", "WooCommerce", ["WOOCOMMERCE_WEBHOOK_SECRET", "WC_WEBHOOK_SECRET"];
    /// Square: payments.
    Square = "square", "Square", ["SQUARE_WEBHOOK_SIGNATURE_KEY", "SQUARE_SIGNATURE_KEY"];
    /// PayPal: payments.
    PayPal = "paypal", "PayPal", ["PAYPAL_WEBHOOK_CERT"];
    /// Braintree: payments.
    Braintree = "braintree", "Braintree", ["BRAINTREE_PRIVATE_KEY"];
    /// Adyen: payments.
    Adyen = "adyen", "Adyen", ["ADYEN_HMAC_KEY"];
    /// Paddle: payments.
    Paddle = "paddle", "Paddle", ["PADDLE_WEBHOOK_SECRET", "PADDLE_NOTIFICATION_WEBHOOK_SECRET"];
    /// Paystack: payments in Africa.
    Paystack = "paystack", "Paystack", ["PAYSTACK_SECRET_KEY"];
    /// Flutterwave: payments in Africa.
    Flutterwave = "flutterwave", "Flutterwave", ["FLW_SECRET_HASH", "FLUTTERWAVE_SECRET_HASH"];
    /// Cashfree: payments in India.
    Cashfree = "cashfree", "Cashfree", ["CASHFREE_CLIENT_SECRET", "CASHFREE_SECRET_KEY"];
    /// PhonePe: payments in India.
    PhonePe = "phonepe", "PhonePe", ["PHONEPE_SALT_KEY"];
    /// PayU India: payments in India.
    PayU = "payu", "PayU India", ["PAYU_SALT", "PAYU_MERCHANT_SALT"];
    /// Paytm: payments in India.
    Paytm = "paytm", "Paytm", ["PAYTM_MERCHANT_KEY"];
    /// Mollie: payments.
    Mollie = "mollie", "Mollie", ["MOLLIE_WEBHOOK_SECRET"];
    /// GoCardless: bank debits.
    GoCardless = "gocardless", "GoCardless", ["GOCARDLESS_WEBHOOK_SECRET"];
    /// Coinbase Commerce: payments.
    CoinbaseCommerce = "coinbase_commerce", "Coinbase Commerce", ["COINBASE_COMMERCE_WEBHOOK_SECRET"];
    /// Lemon Squeezy: payments.
    LemonSqueezy = "lemonsqueezy", "Lemon Squeezy", ["LEMONSQUEEZY_WEBHOOK_SECRET", "LEMON_SQUEEZY_WEBHOOK_SECRET"];
    /// Chargebee: subscriptions.
    Chargebee = "chargebee", "Chargebee", ["CHARGEBEE_WEBHOOK_AUTH"];
    /// Recurly: subscriptions.
    Recurly = "recurly", "Recurly", ["RECURLY_WEBHOOK_KEY"];
    /// Checkout.com: payments.
    Checkout = "checkout", "Checkout.com", ["CHECKOUT_WEBHOOK_SECRET", "CKO_WEBHOOK_SECRET"];
    /// Xendit: payments in Asia.
    Xendit = "xendit", "Xendit", ["XENDIT_CALLBACK_TOKEN", "XENDIT_WEBHOOK_TOKEN"];
    /// Mercado Pago: payments in Latin America.
    MercadoPago = "mercadopago", "Mercado Pago", ["MERCADOPAGO_WEBHOOK_SECRET", "MP_WEBHOOK_SECRET"];
    /// dLocal: payments.
    DLocal = "dlocal", "dLocal", ["DLOCAL_SECRET_KEY"];
    /// Wise: transfers.
    Wise = "wise", "Wise", ["WISE_PUBLIC_KEY"];
    /// Plaid: bank accounts.
    Plaid = "plaid", "Plaid", ["PLAID_WEBHOOK_KEY"];
    /// Meta: WhatsApp, Messenger and Instagram.
    Meta = "meta", "Meta", ["META_APP_SECRET", "FACEBOOK_APP_SECRET", "WHATSAPP_APP_SECRET"];
    /// Slack: chat.
    Slack = "slack", "Slack", ["SLACK_SIGNING_SECRET"];
    /// Discord: chat.
    Discord = "discord", "Discord", ["DISCORD_PUBLIC_KEY"];
    /// Telegram: chat.
    Telegram = "telegram", "Telegram", ["TELEGRAM_SECRET_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];
    /// LINE: chat.
    Line = "line", "LINE", ["LINE_CHANNEL_SECRET", "CHANNEL_SECRET"];
    /// Zoom: meetings.
    Zoom = "zoom", "Zoom", ["ZOOM_WEBHOOK_SECRET_TOKEN", "ZOOM_WEBHOOK_SECRET"];
    /// Twilio: messages and calls.
    Twilio = "twilio", "Twilio", ["TWILIO_AUTH_TOKEN"];
    /// SendGrid: mail.
    SendGrid = "sendgrid", "SendGrid", ["SENDGRID_WEBHOOK_PUBLIC_KEY", "SENDGRID_WEBHOOK_VERIFICATION_KEY"];
    /// Mailgun: mail.
    Mailgun = "mailgun", "Mailgun", ["MAILGUN_WEBHOOK_SIGNING_KEY", "MAILGUN_SIGNING_KEY"];
    /// Mailchimp Transactional: mail; once Mandrill.
    Mandrill = "mandrill", "Mailchimp Transactional", ["MANDRILL_WEBHOOK_KEY"];
    /// Postmark: mail.
    Postmark = "postmark", "Postmark", ["POSTMARK_WEBHOOK_AUTH"];
    /// Dropbox: files.
    Dropbox = "dropbox", "Dropbox", ["DROPBOX_APP_SECRET"];
    /// Intercom: support.
    Intercom = "intercom", "Intercom", ["INTERCOM_CLIENT_SECRET"];
    /// HubSpot: customers.
    HubSpot = "hubspot", "HubSpot", ["HUBSPOT_CLIENT_SECRET"];
    /// Typeform: forms.
    Typeform = "typeform", "Typeform", ["TYPEFORM_WEBHOOK_SECRET", "TYPEFORM_SECRET"];
    /// Calendly: appointments.
    Calendly = "calendly", "Calendly", ["CALENDLY_WEBHOOK_SIGNING_KEY"];
    /// Zendesk: support.
    Zendesk = "zendesk", "Zendesk", ["ZENDESK_WEBHOOK_SECRET", "ZENDESK_SIGNING_SECRET"];
    /// Sentry: errors.
    Sentry = "sentry", "Sentry", ["SENTRY_CLIENT_SECRET", "SENTRY_WEBHOOK_SECRET"];
    /// Linear: issues.
    Linear = "linear", "Linear", ["LINEAR_WEBHOOK_SECRET"];
    /// Vercel: deployments.
    Vercel = "vercel", "Vercel", ["VERCEL_WEBHOOK_SECRET", "VERCEL_CLIENT_SECRET"];
    /// Netlify: deployments.
    Netlify = "netlify", "Netlify", ["NETLIFY_WEBHOOK_SECRET"];
    /// Contentful: content.
    Contentful = "contentful", "Contentful", ["CONTENTFUL_SIGNING_SECRET"];
    /// DocuSign: documents.
    DocuSign = "docusign", "DocuSign", ["DOCUSIGN_HMAC_KEY", "DOCUSIGN_CONNECT_KEY"];
    /// Box: files.
    Box = "box", "Box", ["BOX_PRIMARY_SIGNATURE_KEY", "BOX_SECONDARY_SIGNATURE_KEY"];
    /// Asana: tasks.
    Asana = "asana", "Asana", ["ASANA_WEBHOOK_SECRET", "ASANA_HOOK_SECRET"];
    /// Trello: boards.
    Trello = "trello", "Trello", ["TRELLO_SECRET", "TRELLO_API_SECRET"];
    /// Jira: issues.
    Jira = "jira", "Jira", ["JIRA_WEBHOOK_SECRET"];
    /// PagerDuty: incidents.
    PagerDuty = "pagerduty", "PagerDuty", ["PAGERDUTY_WEBHOOK_SECRET"];
    /// CircleCI: builds.
    CircleCi = "circleci", "CircleCI", ["CIRCLECI_WEBHOOK_SECRET"];
    /// Twitch: streams.
    Twitch = "twitch", "Twitch", ["TWITCH_EVENTSUB_SECRET", "TWITCH_WEBHOOK_SECRET"];
    /// Okta: identities.
    Okta = "okta", "Okta", ["OKTA_EVENT_HOOK_AUTH"];
    /// Auth0: identities.
    Auth0 = "auth0", "Auth0", ["AUTH0_LOG_STREAM_TOKEN"];
    /// WorkOS: identities.
    WorkOs = "workos", "WorkOS", ["WORKOS_WEBHOOK_SECRET"];
    /// Terraform Cloud: infrastructure.
    Terraform = "terraform", "Terraform Cloud", ["TFE_NOTIFICATION_TOKEN", "TFC_RUN_TASK_HMAC_KEY"];
    /// Tally: forms.
    Tally = "tally", "Tally", ["TALLY_SIGNING_SECRET"];
    /// Cal.com: appointments.
    CalCom = "calcom", "Cal.com", ["CALCOM_WEBHOOK_SECRET", "CAL_WEBHOOK_SECRET"];
    /// Lago: billing.
    Lago = "lago", "Lago", ["LAGO_WEBHOOK_SECRET", "LAGO_API_KEY"];
    /// Sumsub: identity checks.
    Sumsub = "sumsub", "Sumsub", ["SUMSUB_WEBHOOK_SECRET"];
    /// Persona: identity checks.
    Persona = "persona", "Persona", ["PERSONA_WEBHOOK_SECRET"];
    /// Heroku: deployments.
    Heroku = "heroku", "Heroku", ["HEROKU_WEBHOOK_SECRET"];
    /// Sanity: content.
    Sanity = "sanity", "Sanity", ["SANITY_WEBHOOK_SECRET"];
    /// Grafana: alerts.
    Grafana = "grafana", "Grafana", ["GRAFANA_WEBHOOK_SECRET"];
}

impl Provider {
    /// The environment variables that usually hold the secret of the API, where some schemes use that one instead of
    /// the webhooks' own ([`SecretKind::Api`](crate::SecretKind::Api)).
    pub const fn usual_api_env_names(self) -> &'static [&'static str] {
        match self {
            Self::Razorpay => &["RAZORPAY_KEY_SECRET", "RAZORPAY_API_SECRET", "RZP_KEY_SECRET"],
            _ => &[],
        }
    }

    /// The environment variable that usually holds what belongs to the secret ([`Secret::account`](crate::Secret::account)),
    /// and is no secret itself.
    pub const fn usual_account_env_name(self) -> Option<&'static str> {
        match self {
            Self::PayPal => Some("PAYPAL_WEBHOOK_ID"),
            Self::Braintree => Some("BRAINTREE_PUBLIC_KEY"),
            Self::DLocal => Some("DLOCAL_X_LOGIN"),
            Self::PhonePe => Some("PHONEPE_SALT_INDEX"),
            _ => None,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let is_meant =
            |provider: &Self| provider.name().eq_ignore_ascii_case(name) || provider.title().eq_ignore_ascii_case(name);
        Self::ALL.iter().copied().find(is_meant).ok_or_else(|| UnknownProvider(name.to_owned()))
    }
}

/// A provider's name that the table does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown provider `{0}`; {known}", known = known(.0))]
pub struct UnknownProvider(String);

/// How far a wrong name may be from a right one that it is taken for, in edits: two letters, or one swapped and one forgotten.
const TYPO: usize = 2;

/// The one that was probably meant, those that begin like the unknown one, or all.
fn known(name: &str) -> String {
    let wrong = name.to_ascii_lowercase();
    let distance = |provider: &&Provider| strsim::damerau_levenshtein(&wrong, provider.name());
    let closest = Provider::ALL.iter().min_by_key(distance);
    // A name of which half is wrong was not a typo.
    let typo = closest.filter(|provider| distance(provider) <= TYPO.min(wrong.chars().count() / 2));
    let begun = || Provider::ALL.iter().find(|provider| wrong.len() > 1 && provider.name().starts_with(&wrong));
    if let Some(meant) = typo.or_else(begun) {
        return format!("did you mean `{meant}`?");
    }
    let begins_alike = |provider: &&Provider| match (provider.name().as_bytes(), name.as_bytes()) {
        ([one, ..], [other, ..]) => one.eq_ignore_ascii_case(other),
        _ => false,
    };
    let listed = |providers: Vec<Provider>| {
        providers.iter().map(|provider| format!("`{provider}`")).collect::<Vec<_>>().join(", ")
    };
    let alike: Vec<_> = Provider::ALL.iter().filter(begins_alike).copied().collect();
    if alike.is_empty() {
        return format!("known are {}", listed(Provider::ALL.to_vec()));
    }
    format!("those that begin alike are {}", listed(alike))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_an_unknown_one_lists_the_known() {
        for provider in Provider::ALL {
            assert_eq!(provider.name().parse(), Ok(*provider));
            assert_eq!(provider.title().parse(), Ok(*provider));
        }
        let error = |name: &str| name.parse::<Provider>().unwrap_err().to_string();
        for (wrong, meant) in [
            ("razorpey", "razorpay"),
            ("Razropay", "razorpay"),
            ("tsripe", "stripe"),
            ("xtripe", "stripe"),
            ("pay-pal", "paypal"),
            ("gihtub", "github"),
            ("razor", "razorpay"),
        ] {
            assert_eq!(error(wrong), format!("unknown provider `{wrong}`; did you mean `{meant}`?"));
        }
        assert_eq!(
            error("rupay"),
            "unknown provider `rupay`; those that begin alike are `razorpay`, `resend`, `replicate`, `recurly`"
        );
        assert!("".parse::<Provider>().unwrap_err().to_string().contains("known are `razorpay`, `stripe`"));
    }

    #[test]
    fn names_and_variables_belong_to_one_provider() {
        let mut variables: Vec<_> = Provider::ALL
            .iter()
            .flat_map(|provider| provider.usual_env_names().iter().chain(provider.usual_api_env_names()))
            .collect();
        let count = variables.len();
        variables.sort_unstable();
        variables.dedup();
        assert_eq!(variables.len(), count);
    }
}
