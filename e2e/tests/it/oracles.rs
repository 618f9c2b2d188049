//! The providers' own packages as oracles: random secrets, bodies and edits, judged by them and by us.

use std::{
    fmt::Write as _,
    io::Write,
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookwire_signatures::{
    Request, Scheme, Secret, SecretKind, Secrets, SignInput, Signed, Status, Verdict, Verifier, sign,
};
use serde_json::{Value, json};

use crate::harness::{Home, Listener, RawApp, Relay, root};

/// Cases for each package; with thirteen of them more than two thousand.
const CASES: usize = 170;

/// Where every case begins.
const NOW: i64 = 1_790_000_000;

/// The public URL of every case, for those that sign it.
const URL: &str = "https://hooks.example.com/in?a=1";

/// One package: its name in `oracle.mjs`, the scheme it checks, and what it wants to see beside the signature.
struct Package {
    oracle: &'static str,
    scheme: &'static str,
    headers: &'static [(&'static str, &'static str)],
    fields: &'static [&'static str],
    secret: fn(&mut fastrand::Rng) -> String,
}

const PACKAGES: &[Package] = &[
    Package { oracle: "razorpay.webhook", scheme: "razorpay.webhook", headers: &[], fields: &[], secret: text },
    Package {
        oracle: "razorpay.payment",
        scheme: "razorpay.payment",
        headers: &[],
        fields: &["razorpay_order_id", "razorpay_payment_id"],
        secret: text,
    },
    Package {
        oracle: "razorpay.subscription",
        scheme: "razorpay.subscription",
        headers: &[],
        fields: &["razorpay_subscription_id", "razorpay_payment_id"],
        secret: text,
    },
    Package {
        oracle: "razorpay.payment-link",
        scheme: "razorpay.payment_link",
        headers: &[],
        fields: &[
            "razorpay_payment_link_id",
            "razorpay_payment_link_reference_id",
            "razorpay_payment_link_status",
            "razorpay_payment_id",
        ],
        secret: text,
    },
    Package { oracle: "stripe.v1", scheme: "stripe.v1", headers: &[], fields: &[], secret: text },
    Package { oracle: "svix", scheme: "svix.v1", headers: &[], fields: &[], secret: prefixed },
    Package { oracle: "standardwebhooks", scheme: "standardwebhooks.v1", headers: &[], fields: &[], secret: prefixed },
    Package {
        oracle: "github",
        scheme: "github.sha256",
        // Without them it could as well be Meta's.
        headers: &[("X-GitHub-Event", "push"), ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")],
        fields: &[],
        secret: text,
    },
    Package { oracle: "twilio", scheme: "twilio.v1", headers: &[], fields: &["From", "Body"], secret: text },
    Package { oracle: "square", scheme: "square.v1", headers: &[], fields: &[], secret: text },
    Package { oracle: "slack", scheme: "slack.v0", headers: &[], fields: &[], secret: text },
    Package {
        oracle: "shopify",
        scheme: "shopify.v1",
        headers: &[
            ("X-Shopify-Topic", "orders/create"),
            ("X-Shopify-API-Version", "2025-01"),
            ("X-Shopify-Shop-Domain", "shop.myshopify.com"),
            ("X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"),
        ],
        fields: &[],
        secret: text,
    },
    Package { oracle: "paddle", scheme: "paddle.h1", headers: &[], fields: &[], secret: text },
];

impl Package {
    fn scheme(&self) -> &'static Scheme {
        Scheme::with_id(self.scheme).unwrap()
    }

    /// The secret, of the kind that the scheme uses.
    fn keyed(&self, secret: &str) -> Secret {
        let keyed = Secret::new("test", secret);
        if self.scheme().kind == SecretKind::Api { keyed.of_api() } else { keyed }
    }
}

fn text(random: &mut fastrand::Rng) -> String {
    let length = random.usize(8..40);
    std::iter::repeat_with(|| random.alphanumeric()).take(length).collect()
}

fn prefixed(random: &mut fastrand::Rng) -> String {
    let key: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(24).collect();
    format!("whsec_{}", STANDARD.encode(key))
}

/// A request on its way from the signer to the checkers.
#[derive(Clone)]
struct Sent {
    secret: String,
    url: String,
    headers: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    now: i64,
    edit: &'static str,
}

impl Sent {
    /// Rightly signed, at [`NOW`], for this public URL.
    fn new(package: &Package, url: &str, random: &mut fastrand::Rng) -> Self {
        let secret = (package.secret)(random);
        let fields: Vec<(String, String)> = package
            .fields
            .iter()
            .map(|name| ((*name).to_owned(), format!("{}_{}", &name[..3], text(random))))
            .collect();
        let body = if fields.is_empty() { body(random) } else { Vec::new() };
        let headers: Vec<(String, String)> =
            package.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let keyed = package.keyed(&secret);
        let input = SignInput { url, headers: &headers, fields: &fields, ..SignInput::new(&keyed, &body, NOW) };
        let signed: Signed = sign(package.scheme(), &input).unwrap();
        let is_made = |name: &str| signed.headers.iter().any(|(made, _)| made.eq_ignore_ascii_case(name));
        let headers = headers.into_iter().filter(|(name, _)| !is_made(name)).chain(signed.headers.clone()).collect();
        let body = signed.body.unwrap_or(body);
        Self { secret, url: url.to_owned(), headers, fields: form(&body, package), body, now: NOW, edit: "none" }
    }

    /// One of the things that happen to webhooks; most do nothing, so that right ones are as frequent as wrong ones.
    fn edited(mut self, random: &mut fastrand::Rng, package: &Package) -> Self {
        const EDITS: &[&str] = &[
            "none",
            "none",
            "none",
            "none",
            "none",
            "byte",
            "newline",
            "spaces",
            "secret",
            "signature",
            "short",
            "gone",
            "younger",
            "older",
            "much older",
            "future",
        ];
        self.edit = EDITS[random.usize(..EDITS.len())];
        let has_fields = !package.fields.is_empty();
        match self.edit {
            "byte" if has_fields => {
                let at = random.usize(..package.fields.len());
                self.set_field(package.fields[at], "other");
            }
            "byte" => {
                let at = random.usize(..self.body.len());
                // Still text: packages read bodies as UTF-8, and two broken bodies would look alike to them.
                self.body[at] = if self.body[at] == b'x' { b'y' } else { b'x' };
            }
            "newline" if !has_fields => self.body.push(b'\n'),
            "spaces" if !has_fields => {
                self.body = String::from_utf8(self.body).unwrap().replace("\":", "\": ").into_bytes();
            }
            "secret" => self.secret = (package.secret)(random),
            "signature" => self.with_signature(package, |value| {
                let last = value.trim_end_matches('=').len() - 3;
                let other = if &value[last..=last] == "a" { "b" } else { "a" };
                value.replace_range(last..=last, other);
            }),
            "short" => self.with_signature(package, |value| value.truncate(value.len() - 4)),
            "gone" => self.with_signature(package, String::clear),
            "younger" => self.now += random.i64(0..4),
            "older" => self.now += random.i64(4..320),
            "much older" => self.now += random.i64(320..5_000),
            // Beyond five minutes Slack's own packages disagree: bolt takes such a request, the Python package does not.
            "future" if package.oracle == "slack" => self.now -= random.i64(0..300),
            "future" => self.now -= random.i64(0..900),
            _ => {}
        }
        self
    }

    fn set_field(&mut self, name: &str, value: &str) {
        for (known, old) in &mut self.fields {
            if known == name {
                value.clone_into(old);
            }
        }
        self.body = encode(&self.fields);
    }

    fn with_signature(&mut self, package: &Package, edit: impl FnOnce(&mut String)) {
        if let Some(header) = package.scheme().signature_header() {
            let (_, value) = self.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(header)).unwrap();
            edit(value);
        } else {
            let (_, value) = self.fields.iter_mut().find(|(name, _)| name == "razorpay_signature").unwrap();
            edit(value);
            self.body = encode(&self.fields);
        }
        self.headers.retain(|(_, value)| !value.is_empty());
    }

    fn ours(&self, package: &Package) -> Verdict {
        let mut secrets = Secrets::default();
        secrets.add(package.scheme().provider, package.keyed(&self.secret));
        let request =
            Request { method: b"POST", target: b"/in?a=1", headers: &self.headers, urls: &[self.url.as_str()] };
        let mut verifier = Verifier::start_with(package.scheme(), &request, &secrets, self.now);
        verifier.update(&self.body);
        verifier.finish()
    }

    fn theirs(&self, id: usize, package: &Package) -> Value {
        let headers: serde_json::Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect();
        // razorpay-node's names lack the prefix that the callback's have.
        let strip = |name: &str| match name.strip_prefix("razorpay_") {
            Some(rest) if package.oracle.starts_with("razorpay") => rest.to_owned(),
            _ => name.to_owned(),
        };
        let fields: serde_json::Map<String, Value> =
            self.fields.iter().map(|(name, value)| (strip(name), json!(value))).collect();
        json!({
            "id": id, "oracle": package.oracle, "secret": self.secret, "url": self.url, "headers": headers,
            "fields": fields, "body": STANDARD.encode(&self.body), "now": self.now,
        })
    }
}

/// A JSON body with what makes bodies hard: escapes, umlauts, fractions, nesting.
fn body(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut text = format!("{{\"id\":\"evt_{}\"", self::text(random));
    for number in 0..random.usize(1..12) {
        let value = match random.u8(..6) {
            0 => format!("{}.{:02}", random.u32(..100_000), random.u32(..100)),
            1 => "\"https:\\/\\/rzp.io\\/i\\/abc\"".to_owned(),
            2 => "\"h\\u00e9llo wörld \u{1f4b3}\"".to_owned(),
            3 => format!("{{\"nested\":[{},null,true]}}", random.u64(..)),
            4 => "\"line\\nbreak\\t\\\"quoted\\\"\"".to_owned(),
            _ => format!("\"{}\"", self::text(random)),
        };
        write!(text, ",\"key{number}\":{value}").unwrap();
    }
    text.push('}');
    text.into_bytes()
}

/// The fields of a form body that was made by signing.
fn form(body: &[u8], package: &Package) -> Vec<(String, String)> {
    if package.fields.is_empty() {
        return Vec::new();
    }
    // Only characters that need no escape are in here.
    let text = std::str::from_utf8(body).unwrap();
    text.split('&').map(|pair| pair.split_once('=').unwrap()).map(|(name, value)| (name.into(), value.into())).collect()
}

fn encode(fields: &[(String, String)]) -> Vec<u8> {
    fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&").into_bytes()
}

/// What the packages say, in the order of the cases.
fn ask(cases: &[Value]) -> Vec<Value> {
    let mut node = Command::new("node")
        .arg("oracle.mjs")
        .current_dir(root().join("e2e").join("oracles"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = node.stdin.take().unwrap();
    let lines = cases.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = node.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success(), "the packages could not be asked");
    let answers: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// `HOOKWIRE_SEED` repeats a run.
fn seed() -> u64 {
    std::env::var("HOOKWIRE_SEED").ok().map_or_else(|| fastrand::u64(..1 << 32), |seed| seed.parse().unwrap())
}

#[test]
fn our_verdicts_are_those_of_the_official_packages() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let cases: Vec<(&Package, Sent)> = PACKAGES
        .iter()
        .flat_map(|package| std::iter::repeat_n(package, CASES))
        .map(|package| {
            let sent = Sent::new(package, URL, &mut random);
            (package, sent.edited(&mut random, package))
        })
        .collect();
    assert!(cases.len() >= 2_000);
    let asked: Vec<Value> = cases.iter().enumerate().map(|(id, (package, sent))| sent.theirs(id, package)).collect();
    let answers = ask(&asked);
    let (mut accepted, mut differing) = (0, Vec::new());
    for ((package, sent), answer) in cases.iter().zip(&answers) {
        let ours = sent.ours(package);
        let we_accept = ours.status == Status::Valid && ours.cause.is_none();
        let they_accept = answer["accepted"] == true;
        accepted += usize::from(they_accept);
        if sent.edit == "none" {
            assert!(they_accept, "{} refuses what we signed (seed {seed}): {answer}", package.oracle);
        }
        if we_accept != they_accept {
            let age = sent.now - NOW;
            differing
                .push(format!("{}, edit `{}`, {age} s: ours {ours:?}, theirs {answer}", package.oracle, sent.edit));
        }
    }
    assert!(
        differing.is_empty(),
        "{} of {} differ (seed {seed}):\n{}",
        differing.len(),
        cases.len(),
        differing.join("\n")
    );
    // Neither side may win by saying always the same.
    assert!(accepted > cases.len() / 5 && accepted < cases.len() * 4 / 5, "{accepted} of {} accepted", cases.len());
}

/// Sends an old webhook through a relay, has it replayed with another body and signed anew, and gives what the app got.
fn signed_anew(package: &Package, app: &RawApp, random: &mut fastrand::Rng) -> Sent {
    let (relay, home) = (Relay::open(), Home::new());
    let host = relay.url.strip_prefix("http://").unwrap();
    let url = format!("{}/shop/in?a=1", relay.url);
    let sent = Sent::new(package, &url, random);
    let role = if package.scheme().kind == SecretKind::Api { "-api" } else { "" };
    let source = format!("{}{role}=env:ANY_SECRET", package.scheme().provider.name());
    let with_secret = |command: &mut Command| {
        command.env("ANY_SECRET", &sent.secret).args(["--secret", &source]);
    };
    let mut listener = Listener::start_in(&home, &relay.url, app, with_secret);
    let mut head = format!("POST /shop/in?a=1 HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", sent.body.len());
    for (name, value) in &sent.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    relay.connect().send(head).send("\r\n").send(&sent.body).answer();
    listener.exchange_at("/in");
    listener.stop();

    let seen = app.requests.len();
    let mut arguments = vec!["replay", "latest", "--resign"];
    if package.fields.is_empty() {
        arguments.extend(["--body", r#"{"id":"evt_2","edited":"h\u00e9 \/"}"#]);
    }
    let printed = home.run_with(&arguments, with_secret);
    assert_eq!(printed.code, Some(0), "{}: {}", package.oracle, printed.stderr);
    let request = app.requests.wait_for("the replay", seen, |request| Some(request.clone()));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let headers = request.head.headers.iter().map(|(name, value)| (text(name), text(value))).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    Sent { headers, fields: form(&request.body, package), body: request.body, now, ..sent }
}

#[test]
fn what_is_signed_anew_is_accepted_by_the_official_packages() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let mut cases = Vec::new();
    for package in PACKAGES {
        let sent = signed_anew(package, &app, &mut random);
        // The control: the same request without the secret that it was signed with.
        let forged = Sent { secret: (package.secret)(&mut random), ..sent.clone() };
        cases.extend([sent, forged].map(|sent| sent.theirs(cases.len(), package)));
    }
    for (pair, package) in ask(&cases).chunks(2).zip(PACKAGES) {
        assert_eq!(pair[0]["accepted"], true, "{} (seed {seed}): {}", package.oracle, pair[0]);
        assert_eq!(pair[1]["accepted"], false, "{} (seed {seed})", package.oracle);
    }
}
