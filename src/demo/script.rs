//! What the demo sends: webhooks as the gateways make them, good ones and broken ones, each with what must come of it.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use hookwire_signatures::{Cause, Provider, Scheme, Secret, Secrets, SignInput, Status, schemes, sign};

/// An hour: what a queue that was stuck, or a replayed request, looks like to Stripe's tolerance of 300 s.
const OLD: i64 = 3600;

/// A webhook, ready to be sent.
pub(crate) struct Webhook {
    /// Where, below the public URL.
    pub(crate) path: &'static str,
    /// How the gateway calls itself.
    pub(crate) agent: &'static str,
    /// The headers that this gateway adds.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

/// What must come of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The app's answer.
    pub(crate) status: u16,
    /// The verdict.
    pub(crate) verdict: Status,
    /// Why it is not valid.
    pub(crate) cause: Option<Cause>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.verdict)?;
        self.cause.map_or(Ok(()), |cause| write!(f, " ({cause})"))
    }
}

/// One webhook of the script.
pub(crate) struct Act {
    /// What a person calls it.
    pub(crate) what: &'static str,
    provider: Provider,
    event: &'static str,
    fault: Fault,
    /// What must come of it.
    pub(crate) outcome: Outcome,
}

/// What is wrong with a webhook.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It is the script's first event once more.
    Repeated,
    /// Signed with a secret that nobody here knows.
    UnknownSecret,
    /// Signed with the secret of this other provider.
    SecretOf(Provider),
    /// Parsed and written again after it was signed: PHP escapes slashes, JavaScript does not.
    Reserialised,
    /// A newline was added after it was signed.
    Newline,
    /// Signed an hour ago.
    Old,
    /// Not signed at all.
    Unsigned,
}

/// The script, which is repeated when it is over.
pub(crate) const SCRIPT: &[Act] = &[
    good("a captured payment", Provider::Razorpay, "payment.captured"),
    good("a succeeded payment", Provider::Stripe, "payment_intent.succeeded"),
    bad(
        "signed with a secret that is not the shop's",
        Provider::Razorpay,
        "order.paid",
        Fault::UnknownSecret,
        Cause::NoMatch,
    ),
    bad(
        "a body that was parsed and written again",
        Provider::Razorpay,
        "refund.processed",
        Fault::Reserialised,
        Cause::BodyReserialized,
    ),
    Act {
        what: "an hour old",
        provider: Provider::Stripe,
        event: "checkout.session.completed",
        fault: Fault::Old,
        outcome: Outcome { status: 400, verdict: Status::Stale, cause: Some(Cause::TooOld) },
    },
    Act { fault: Fault::Repeated, ..good("the first event once more", Provider::Razorpay, "payment.captured") },
    bad("no signature", Provider::Razorpay, "payment.failed", Fault::Unsigned, Cause::MissingSignature),
    good("a paid invoice", Provider::Stripe, "invoice.paid"),
    bad(
        "signed with Razorpay's secret",
        Provider::Stripe,
        "charge.refunded",
        Fault::SecretOf(Provider::Razorpay),
        Cause::WrongSecret,
    ),
    bad("a newline behind the body", Provider::Stripe, "customer.created", Fault::Newline, Cause::BodyNewline),
    Act {
        what: "nobody here knows the secret",
        outcome: Outcome { status: 200, verdict: Status::NoSecret, cause: None },
        ..good("", Provider::GitHub, "push")
    },
];

const fn good(what: &'static str, provider: Provider, event: &'static str) -> Act {
    Act {
        what,
        provider,
        event,
        fault: Fault::None,
        outcome: Outcome { status: 200, verdict: Status::Valid, cause: None },
    }
}

const fn bad(what: &'static str, provider: Provider, event: &'static str, fault: Fault, cause: Cause) -> Act {
    Act { what, provider, event, fault, outcome: Outcome { status: 400, verdict: Status::Invalid, cause: Some(cause) } }
}

/// The shop's secrets, which `listen` knows as well. GitHub's is not among them.
pub(crate) fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add(Provider::Razorpay, secret(Provider::Razorpay));
    secrets.add(Provider::Stripe, secret(Provider::Stripe));
    secrets
}

/// Seconds since 1970, by this machine's clock.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

impl Act {
    /// The act with this number, counted from 0 over all repetitions of the script.
    pub(crate) fn numbered(number: u32) -> &'static Self {
        &SCRIPT[number as usize % SCRIPT.len()]
    }

    /// The webhook with this number, signed at `now`.
    pub(crate) fn webhook(&self, number: u32, now: i64) -> Webhook {
        let first = number - number % SCRIPT.len() as u32;
        let event = if self.fault == Fault::Repeated { first } else { number };
        let mut webhook = unsigned(self.provider, self.event, event, now);
        webhook.headers.splice(0..0, self.signature(&webhook.body, now));
        webhook.body = match self.fault {
            Fault::Reserialised => webhook.body.replace(r"\/", "/"),
            Fault::Newline => webhook.body + "\n",
            _ => webhook.body,
        };
        webhook
    }

    fn signature(&self, body: &str, now: i64) -> Vec<(String, String)> {
        let secret = match self.fault {
            Fault::Unsigned => return Vec::new(),
            Fault::UnknownSecret => Secret::new("demo:unknown", "the-secret-of-another-shop"),
            Fault::SecretOf(other) => secret(other),
            _ => secret(self.provider),
        };
        let time = if self.fault == Fault::Old { now - OLD } else { now };
        let input = SignInput::new(&secret, body.as_bytes(), time);
        let signed = scheme(self.provider).and_then(|scheme| sign(scheme, &input).ok());
        signed.map_or_else(Vec::new, |signed| signed.headers)
    }
}

/// One event as the gateway would send it, signed if there is a secret.
pub(crate) fn test_event(provider: Provider, secret: Option<&Secret>, number: u32, now: i64) -> Webhook {
    let event = match provider {
        Provider::Stripe => "payment_intent.succeeded",
        Provider::GitHub => "push",
        _ => "payment.captured",
    };
    let mut webhook = unsigned(provider, event, number, now);
    if let (Some(secret), Some(scheme)) = (secret, scheme(provider)) {
        let signed = sign(scheme, &SignInput::new(secret, webhook.body.as_bytes(), now));
        webhook.headers.splice(0..0, signed.map_or_else(|_unsigned| Vec::new(), |signed| signed.headers));
    }
    webhook
}

/// A webhook without its signature.
fn unsigned(provider: Provider, event: &'static str, number: u32, now: i64) -> Webhook {
    let (path, agent, body) = match provider {
        Provider::Stripe => {
            ("/stripe", "Stripe/1.0 (+https://stripe.com/docs/webhooks)", stripe_body(event, number, now))
        }
        Provider::GitHub => ("/github", "GitHub-Hookshot/demo", GITHUB_BODY.to_owned()),
        _ => ("/verification", "Razorpay-Webhook/v1", razorpay_body(event, number)),
    };
    let headers = match provider {
        Provider::Razorpay => vec![("x-razorpay-event-id".into(), format!("evt_demo{number:06}"))],
        Provider::GitHub => vec![
            ("x-github-event".into(), event.into()),
            ("x-github-delivery".into(), format!("00000000-0000-4000-8000-{number:012}")),
        ],
        _ => Vec::new(),
    };
    Webhook { path, agent, headers, body }
}

/// The first scheme of a provider is the one it uses today.
fn scheme(provider: Provider) -> Option<&'static Scheme> {
    schemes().iter().find(|scheme| scheme.provider == provider)
}

fn secret(provider: Provider) -> Secret {
    Secret::new(format!("demo:{provider}"), format!("demo-secret-of-{provider}"))
}

/// Compact and with `\/`, as Razorpay's servers (PHP) write JSON.
fn razorpay_body(event: &str, number: u32) -> String {
    let entity = event.split('.').next().unwrap_or_default();
    format!(
        concat!(
            r#"{{"entity":"event","account_id":"acc_hookwiredemo","event":"{event}","contains":["{entity}"],"payload":{{"{entity}":{{"entity":"#,
            r#"{{"id":"{entity}_demo{number:06}","amount":49900,"currency":"INR","notes":{{"page":"https:\/\/shop.example\/thanks"}}}}}}}},"#,
            r#""created_at":1651722476}}"#,
        ),
        event = event,
        entity = entity,
        number = number,
    )
}

/// Indented by two blanks, as Stripe writes JSON.
fn stripe_body(event: &str, number: u32, now: i64) -> String {
    format!(
        concat!(
            "{{\n  \"id\": \"evt_demo{number:06}\",\n  \"object\": \"event\",\n  \"created\": {now},\n  \"data\": {{\n",
            "    \"object\": {{\n      \"amount\": 49900,\n      \"currency\": \"inr\"\n    }}\n  }},\n",
            "  \"livemode\": false,\n  \"type\": \"{event}\"\n}}"
        ),
        number = number,
        now = now,
        event = event,
    )
}

const GITHUB_BODY: &str = r#"{"ref":"refs/heads/main","repository":{"full_name":"hookwire/shop"},"commits":[]}"#;

#[cfg(test)]
mod tests {
    use hookwire_signatures::{Request, Verifier, diagnose, event};

    use super::*;

    /// The script is right about the verdicts, without a network.
    #[test]
    fn every_act_is_judged_as_the_script_says() {
        let secrets = secrets();
        for (number, act) in (0u32..).zip(SCRIPT) {
            let webhook = act.webhook(number, 1_700_000_000);
            let request =
                Request { method: b"POST", target: webhook.path.as_bytes(), headers: &webhook.headers, urls: &[] };
            let mut verifier = Verifier::start(&request, &secrets, 1_700_000_000);
            verifier.update(webhook.body.as_bytes());
            let found = verifier.finish();
            let verdict = diagnose(&request, webhook.body.as_bytes(), &secrets, found, 1_700_000_000).verdict;
            assert_eq!((verdict.status, verdict.cause), (act.outcome.verdict, act.outcome.cause), "{}", act.what);
            assert_eq!(event(&request, webhook.body.as_bytes()).name.as_deref(), Some(act.event));
        }
    }

    #[test]
    fn only_the_repeated_event_comes_twice() {
        let round = SCRIPT.len() as u32;
        let id = |number: u32| {
            let webhook = Act::numbered(number).webhook(number, 0);
            let request = Request { method: b"POST", target: b"/", headers: &webhook.headers, urls: &[] };
            event(&request, webhook.body.as_bytes()).id.unwrap()
        };
        assert_eq!(id(5), id(0));
        let mut ids: Vec<_> = (0..2 * round).map(id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len() as u32, 2 * round - 2);
    }
}
