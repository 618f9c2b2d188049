//! `hookwire verify` and `hookwire sign`: their flags.

use std::path::PathBuf;

use clap::Args;

const VERIFY_EXAMPLES: &str = "\
Examples:
  hookwire verify razorpay --body body.json --signature 55d3… --secret env:RAZORPAY_WEBHOOK_SECRET
  hookwire verify stripe --body body.json -H 'Stripe-Signature: t=…,v1=…' --env-file .env --explain
  hookwire verify --request saved-request.http --env-file .env          the provider is told by the headers
  hookwire verify razorpay payment --order-id order_… --payment-id pay_… --signature … --secret env:RAZORPAY_KEY_SECRET
  hookwire verify --list
  hookwire verify twilio --url https://hooks.example.com/sms --field From=+1… -H 'X-Twilio-Signature: …' --secret env:TWILIO_AUTH_TOKEN

Exit codes: 0 valid; 1 anything else; 2 usage.";

const SIGN_EXAMPLES: &str = "\
Examples:
  hookwire sign razorpay --body body.json --secret env:RAZORPAY_WEBHOOK_SECRET            the headers, one a line
  hookwire sign stripe --body body.json --secret env:STRIPE_WEBHOOK_SECRET --url http://localhost:3000/stripe --curl | sh
  hookwire sign razorpay payment --order-id order_… --payment-id pay_… --secret env:RAZORPAY_KEY_SECRET
  hookwire sign square --url https://hooks.example.com/square --body body.json --secret env:SQUARE_WEBHOOK_SIGNATURE_KEY";

/// What a signature is about.
#[derive(Debug, Args)]
pub(crate) struct SignatureArgs {
    /// The provider, or a scheme by its id: `razorpay`, `stripe`, `github.sha256` …
    #[arg(value_name = "PROVIDER")]
    pub(crate) provider: Option<String>,

    /// Which of the provider's signatures: `webhook`, `payment`, `subscription`, `payment-link` …
    #[arg(value_name = "KIND")]
    pub(crate) kind: Option<String>,

    /// The body, byte for byte; `-` for standard input
    #[arg(long, value_name = "FILE|-")]
    pub(crate) body: Option<PathBuf>,

    /// A header; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,

    /// A whole HTTP request: its line, its headers, a blank line and its body; `-` for standard input
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["body", "method"])]
    pub(crate) request: Option<PathBuf>,

    /// The URL as the provider knows it; several may be tried when verifying
    #[arg(long, value_name = "URL")]
    pub(crate) url: Vec<String>,

    /// The method [default: POST]
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,

    /// A field of the form, or of the query of a GET; repeatable
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<String>,

    /// Razorpay: the order of a payment
    #[arg(long, value_name = "ID")]
    pub(crate) order_id: Option<String>,

    /// Razorpay: the payment
    #[arg(long, value_name = "ID")]
    pub(crate) payment_id: Option<String>,

    /// Razorpay: the subscription that was paid
    #[arg(long, value_name = "ID")]
    pub(crate) subscription_id: Option<String>,

    /// Razorpay: the payment link
    #[arg(long, value_name = "ID")]
    pub(crate) payment_link_id: Option<String>,

    /// Razorpay: your own reference of the payment link
    #[arg(long, value_name = "ID")]
    pub(crate) reference_id: Option<String>,

    /// Razorpay: the payment link's status
    #[arg(long, value_name = "STATUS")]
    pub(crate) link_status: Option<String>,

    /// The secret: `env:VAR` or `file:PATH`, or of a certain provider: `stripe=env:VAR`; repeatable
    #[arg(long = "secret", value_name = "env:VAR|file:PATH")]
    pub(crate) secrets: Vec<String>,

    /// A `.env` file: secrets under their usual names are picked up from it
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// What belongs to the secret and is none: a user name, a key's name or number, `PayPal`'s webhook id
    #[arg(long, value_name = "TEXT")]
    pub(crate) account: Option<String>,

    /// The present time, as unix seconds or `2026-11-22T02:00:00Z` [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,

    /// One JSON object instead of words
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// The request and the secret.
    #[command(flatten)]
    pub(crate) what: SignatureArgs,

    /// Only name every scheme that is known
    #[arg(long)]
    pub(crate) list: bool,

    /// The signature, where the provider puts it, instead of a header or a field
    #[arg(long, value_name = "TEXT")]
    pub(crate) signature: Option<String>,

    /// Show every step with its bytes, except the secret and the expected signature
    #[arg(long)]
    pub(crate) explain: bool,

    /// Show the signature that would be right; only on a terminal, since whoever has it can forge this request
    #[arg(long)]
    pub(crate) show_expected: bool,
}

/// Arguments of `sign`.
#[derive(Debug, Args)]
#[command(after_help = SIGN_EXAMPLES)]
pub(crate) struct SignArgs {
    /// The request and the secret.
    #[command(flatten)]
    pub(crate) what: SignatureArgs,

    /// The event's id, where the provider signs one [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// A `curl` command that sends the signed request
    #[arg(long, conflicts_with = "json")]
    pub(crate) curl: bool,
}
