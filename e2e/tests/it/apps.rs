//! Node's own client and the official packages at one end, the Express app at the other: the app and hookwire must say the same.

use crate::harness::{ENDPOINT, Listener, Relay, SECRETS, Shop, send};

#[test]
fn the_app_and_hookwire_agree_on_every_webhook() {
    app_and_hookwire_agree(&[]);
}

#[test]
fn they_agree_on_webhooks_sent_over_http2_too() {
    app_and_hookwire_agree(&["--http2"]);
}

fn app_and_hookwire_agree(more: &[&str]) {
    let relay = Relay::open();
    let shop = Shop::start(0);
    let listener = Listener::start_with(&relay.url, shop.port, |command| {
        command.envs(SECRETS);
        for (name, _) in SECRETS {
            let provider = name.split('_').next().unwrap_or_default().to_lowercase();
            command.args(["--secret", &format!("{provider}=env:{name}")]);
        }
    });

    let lines = send(&format!("{}/{ENDPOINT}", relay.url), |command| {
        command.args(["--random", "40"]).args(more);
    });
    let (mut valid, mut invalid) = (0, 0);
    for line in lines.iter().filter(|line| line["expected"]["valid"].is_boolean()) {
        let case = line["case"].as_str().unwrap();
        let expected = line["expected"]["valid"] == true;
        let exchange = listener.exchange(case, |exchange| exchange["event_id"] == case);
        assert_eq!(line["status"], if expected { 200 } else { 400 }, "the app's word on {case}");
        assert_eq!(exchange["status"], line["status"], "{exchange}");
        assert_eq!(exchange["verdict"]["status"] == "valid", expected, "{exchange}");
        assert_eq!(exchange["answered_by"], "app", "{exchange}");
        assert_eq!(exchange["origin"], "live", "{exchange}");
        assert!(exchange["event"].is_string() && exchange["duration_ms"].is_number(), "{exchange}");
        if expected { valid += 1 } else { invalid += 1 }
    }
    assert_eq!((valid, invalid), (7, 7), "the sender's cases");

    let random: Vec<_> = lines.iter().filter(|line| line["answer"]["sha256"].is_string()).collect();
    assert_eq!(random.len(), 40, "{}", lines[0]);
    for line in random {
        assert_eq!(line["answer"]["sha256"], line["sent_sha256"], "{line}, {}", lines[0]);
    }
}

#[test]
fn an_invalid_webhook_comes_with_its_cause() {
    let relay = Relay::open();
    let shop = Shop::start(0);
    let file = crate::harness::Home::new();
    let env_file = file.file(".env", "RAZORPAY_WEBHOOK_SECRET=123456\nSTRIPE_WEBHOOK_SECRET='whsec_shop'\n");
    let listener = Listener::start_with(&relay.url, shop.port, |command| {
        command.arg("--env-file").arg(env_file);
    });
    send(&format!("{}/{ENDPOINT}", relay.url), |command| {
        command.args(["--random", "0"]);
    });

    let verdict = |case: &str| listener.exchange(case, |exchange| exchange["event_id"] == case)["verdict"].clone();
    assert_eq!(verdict("razorpay-published")["status"], "valid");
    assert_eq!(verdict("razorpay-published")["scheme"], "razorpay.webhook");
    assert_eq!(verdict("razorpay-wrong-secret")["status"], "invalid");
    assert!(verdict("razorpay-wrong-secret")["cause"].is_string());
    assert!(verdict("razorpay-reserialised")["cause"].is_string());
    assert_ne!(verdict("razorpay-reserialised")["cause"], verdict("razorpay-wrong-secret")["cause"]);
    assert_eq!(verdict("stripe-too-old")["status"], "stale");
    assert_eq!(verdict("stripe-several-v1")["status"], "valid");
    // The file has no secret for GitHub.
    assert_eq!(verdict("github-good")["status"], "no-secret");
}
