//! What a signature covers beside the body, and what shows why one fails, live. The signatures were made with Python's
//! `hmac`, so that nothing of ours checks itself.

use std::{
    ops::ControlFlow,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::harness::{Home, Listener, RawApp, Relay, until};

const NAMES: &str = "TWILIO_AUTH_TOKEN=12345\nSQUARE_WEBHOOK_SIGNATURE_KEY=square_key\nRAZORPAY_WEBHOOK_SECRET=123456\n\
                     RAZORPAY_KEY_SECRET=key_secret\nGITHUB_WEBHOOK_SECRET=0\n";

/// A relay, an app that takes everything, and a listener with [`NAMES`] as its env file.
struct Stage {
    relay: Relay,
    _app: RawApp,
    listener: Listener,
}

impl Stage {
    fn new() -> Self {
        Self::with(RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()), &[])
    }

    fn with(app: RawApp, arguments: &[&str]) -> Self {
        let (relay, home) = (Relay::open(), Home::new());
        let env = home.file("names.env", NAMES);
        let listener = Listener::start_in(&home, &relay.url, &app, |command| {
            command.arg("--env-file").arg(env).args(arguments);
        });
        Self { relay, _app: app, listener }
    }

    /// Sends a request to the endpoint and gives what is told of it.
    fn judged(&self, method: &str, target: &str, headers: &str, body: &str) -> Value {
        let length = body.len();
        let head = format!(
            "{method} /shop{target} HTTP/1.1\r\nhost: hooks.example.com\r\n{headers}content-length: {length}\r\n\r\n"
        );
        self.relay.connect().send(head).send(body).answer();
        self.listener.exchange_at(target.split('?').next().unwrap())
    }
}

impl Stage {
    /// The signature as `hookwire requests show` has it, in one line. The store writes after it is told.
    fn signature(&self, exchange: &Value) -> String {
        let id = exchange["id"].as_str().unwrap();
        let mut shown = String::new();
        until("the commit", || {
            let printed = self.listener.home.run(&["requests", "show", id, "--part", "signature"]);
            shown = printed.text();
            printed.code == Some(0)
        });
        shown.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn outcome(exchange: &Value) -> [&str; 3] {
    ["status", "scheme", "cause"].map(|field| exchange["verdict"][field].as_str().unwrap_or_default())
}

fn evidence(exchange: &Value) -> &str {
    exchange["verdict"]["evidence"].as_str().unwrap_or_default()
}

// The relay takes the endpoint off the path, and the signature has it.
#[test]
fn a_form_of_twilio_is_signed_with_the_public_url() {
    let stage = Stage::new();
    let sms = |target: &str, signature: &str| {
        let headers = format!("content-type: application/x-www-form-urlencoded\r\nx-twilio-signature: {signature}\r\n");
        stage.judged("POST", target, &headers, "Body=hi+there&From=%2B14158675309")
    };
    // For `https://hooks.example.com/shop/sms?a=1`.
    let valid = sms("/sms?a=1", "Sfm8ONY2DdaYi5gD1+3qZmalSyo=");
    assert_eq!(outcome(&valid), ["valid", "twilio.v1", ""], "{valid}");
    // The control: the same signature, and another URL.
    let elsewhere = sms("/sms/2?a=1", "Sfm8ONY2DdaYi5gD1+3qZmalSyo=");
    assert_eq!(elsewhere["verdict"]["status"], "invalid", "{elsewhere}");
}

#[test]
fn a_webhook_of_square_is_signed_with_the_public_url() {
    let stage = Stage::new();
    let body = r#"{"type":"payment.updated","event_id":"e_1"}"#;
    let updated = |target: &str, signature: &str| {
        stage.judged("POST", target, &format!("x-square-hmacsha256-signature: {signature}\r\n"), body)
    };
    // For `https://hooks.example.com/shop/square`.
    let signature = "dREeedduAYX0iwoJffHxbhGLwvXY9TCyeE3upmaaNuc=";
    let valid = updated("/square", signature);
    assert_eq!(outcome(&valid), ["valid", "square.v1", ""], "{valid}");
    // The control: that of another path; of this one it is told that the slash was not signed.
    let slash = updated("/square/", signature);
    assert_eq!(outcome(&slash), ["invalid", "square.v1", "url-mismatch"], "{slash}");
    assert!(evidence(&slash).contains("https://hooks.example.com/shop/square`"), "{slash}");
}

// Whoever builds the URL in the app sees the path without the endpoint.
#[test]
fn a_signature_without_the_endpoint_in_the_url_says_so() {
    let stage = Stage::new();
    let headers =
        "content-type: application/x-www-form-urlencoded\r\nx-twilio-signature: Y4LMiVBIySosHJFuGb6Yky0qEuk=\r\n";
    let inner = stage.judged("POST", "/sms?a=1", headers, "From=%2B14158675309&Body=hi+there");
    assert_eq!(outcome(&inner), ["invalid", "twilio.v1", "url-mismatch"], "{inner}");
    assert!(evidence(&inner).contains("`https://hooks.example.com/sms?a=1`"), "{inner}");
}

#[test]
fn the_callback_of_a_payment_at_razorpay_is_judged_with_the_key_secret() {
    // `order_A|pay_B` under `key_secret`; and the wrong way round, `pay_B|order_A`.
    const RIGHT: &str = "2b51be2e6502069008ac015d1fe4623e9153ceccac9fd38d20ac84aec201d706";
    const WRONG: &str = "52abf0a59e77dbb8cfe2fd21c478f2446c2c299a7af3b1b92af29a126a7655ba";
    let stage = Stage::new();
    let fields =
        |signature| format!("razorpay_payment_id=pay_B&razorpay_order_id=order_A&razorpay_signature={signature}");
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let got = |path: &str, signature| stage.judged("GET", &format!("{path}?{}", fields(signature)), "", "");
    let posted = |path: &str, signature| stage.judged("POST", path, form, &fields(signature));
    for valid in [got("/callback/get", RIGHT), posted("/callback/post", RIGHT)] {
        assert_eq!(outcome(&valid), ["valid", "razorpay.payment", ""], "{valid}");
        assert_eq!(valid["verdict"]["secret"], "env:RAZORPAY_KEY_SECRET", "{valid}");
        assert_eq!(valid["event_id"], "pay_B");
    }
    for swapped in [got("/callback/get/2", WRONG), posted("/callback/post/2", WRONG)] {
        assert_eq!(outcome(&swapped), ["invalid", "razorpay.payment", "argument-order"], "{swapped}");
    }
}

/// Half a million times `a` under the key `0`.
const LONG: &str = "80986a8f1794e2acaad651b6273a6492ca2444c74c8b008ffbbd9b7cbaf075a3";

fn push(stage: &Stage, target: &str, body: &str) -> Value {
    stage.judged("POST", target, &format!("x-github-event: push\r\nx-hub-signature-256: sha256={LONG}\r\n"), body)
}

#[test]
fn long_bodies_are_diagnosed_where_they_were_kept_whole() {
    let stage = Stage::new();
    let body = "a".repeat(500_000);
    let valid = push(&stage, "/whole", &body);
    assert_eq!((outcome(&valid), evidence(&valid)), (["valid", "github.sha256", ""], ""), "the control");
    let longer = push(&stage, "/longer", &format!("{body}\n"));
    assert_eq!(outcome(&longer), ["invalid", "github.sha256", "body-newline"], "{longer}");
    assert!(evidence(&longer).starts_with("without the line feed at its end, the body fits"), "{longer}");
    // The store has it, too.
    let shown = stage.signature(&longer);
    assert!(shown.contains("evidence without the line feed at its end, the body fits"), "{shown}");
    let id = longer["id"].as_str().unwrap();
    let told = stage.listener.home.run(&["requests", "show", id, "--json"]).lines().remove(0);
    assert_eq!(told["verdict"]["evidence"], longer["verdict"]["evidence"]);

    let other = push(&stage, "/other", &body[1..]);
    assert_eq!(outcome(&other)[2], "no-match", "{other}");
    assert!(evidence(&other).starts_with("tried in "), "{other}");
}

#[test]
fn of_a_body_that_was_not_kept_whole_it_is_said_that_nothing_was_tried() {
    let app = RawApp::answering(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let stage = Stage::with(app, &["--max-capture-body", "1KiB"]);
    let cut = push(&stage, "/cut", &("a".repeat(500_000) + "\n"));
    assert_eq!(outcome(&cut), ["invalid", "github.sha256", "no-match"], "{cut}");
    assert_eq!(evidence(&cut), "nothing was tried: only 1024 of the body's 500001 bytes were kept");
}

#[test]
fn a_curl_command_of_sign_is_judged_valid() {
    let stage = Stage::new();
    let url = format!("{}/shop/signed?a=it's", stage.relay.url);
    // Quotes for the shell, and bytes that no shell takes.
    for (number, body) in [&b"{\"a\":\"it's \\u00e9\"}\n"[..], b"\x00\xff%s\\n", b""].into_iter().enumerate() {
        let home = &stage.listener.home;
        let path = home.path().join("body");
        std::fs::write(&path, body).unwrap();
        let url = format!("{url}&number={number}");
        let arguments = ["sign", "square", "--env-file", "names.env", "--secret", "env:SQUARE_WEBHOOK_SIGNATURE_KEY"];
        let rest = ["--url", &url, "--curl", "--body", path.to_str().unwrap()];
        let script = home.run(&[&arguments[..], &rest].concat());
        assert_eq!(script.code, Some(0), "{}", script.stderr);
        let sent = Command::new("sh").arg("-c").arg(script.text()).stdin(Stdio::null()).output().unwrap();
        assert!(sent.status.success(), "{}", script.text());
        let query = format!("a=it's&number={number}");
        let exchange = stage.listener.exchange("the signed one", |exchange| exchange["query"] == query.as_str());
        assert_eq!(outcome(&exchange), ["valid", "square.v1", ""], "{exchange} {}", script.text());
        assert_eq!(exchange["request_bytes"], body.len(), "{exchange}");
    }
}

#[test]
fn an_app_that_refuses_a_valid_webhook_is_told_why_that_is_likely() {
    let app = RawApp::handling(|wire, _head| {
        wire.send(
            "HTTP/1.1 400 Bad Request\r\nx-powered-by: Express\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
        ControlFlow::Break(())
    });
    let stage = Stage::with(app, &[]);
    // For `https://hooks.example.com/shop/square`; JavaScript writes this body as it stands.
    let body = r#"{"type":"payment.updated","event_id":"e_1"}"#;
    let headers = "x-square-hmacsha256-signature: dREeedduAYX0iwoJffHxbhGLwvXY9TCyeE3upmaaNuc=\r\n";
    let refused = stage.judged("POST", "/square", headers, body);
    let words = stage.signature(&refused);
    assert!(
        words.contains("the signature is valid, but the app refused it: it probably has another secret"),
        "{words}"
    );
    assert!(words.contains("built with Express"), "{words}");
}
