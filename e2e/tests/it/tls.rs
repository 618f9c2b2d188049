//! The relay over TLS with certificates made for the test.

use crate::harness::{Authority, ENDPOINT, Home, Listener, Process, Relay, Shop, send};

fn relay_with(home: &Home, certificate: &[String]) -> Relay {
    let arguments: Vec<&str> = ["--open"].into_iter().chain(certificate.iter().map(String::as_str)).collect();
    Relay::start(home, &arguments)
}

fn listen(url: &str, authority: Option<&Authority>) -> Process {
    Listener::launch(&Home::new(), url, ENDPOINT, 3000, |command| {
        if let Some(authority) = authority {
            command.arg("--ca").arg(&authority.file);
        }
    })
}

#[test]
fn webhooks_and_sessions_go_over_tls() {
    let home = Home::new();
    let authority = Authority::new(&home);
    let relay = relay_with(&home, &authority.certify(&home, &["127.0.0.1", "localhost"]));
    assert!(relay.url.starts_with("https://"), "{}", relay.url);
    let shop = Shop::start(0);
    let listener = Listener::start_with(&relay.url, shop.port, |command| {
        command.arg("--ca").arg(&authority.file);
    });
    assert!(listener.ready["public_url"].as_str().unwrap().starts_with("https://"), "{}", listener.ready);

    for version in [None, Some("--http2")] {
        let lines = send(&format!("{}/{ENDPOINT}", relay.url), |command| {
            command.args(["--random", "5"]).args(version).env("NODE_EXTRA_CA_CERTS", &authority.file);
        });
        for line in lines.iter().filter(|line| line["expected"]["valid"].is_boolean()) {
            assert_eq!(line["status"] == 200, line["expected"]["valid"] == true, "{line}");
        }
        let random = lines.iter().filter(|line| line["case"].as_str().unwrap().starts_with("echo-"));
        for line in random {
            assert_eq!(line["answer"]["sha256"], line["sent_sha256"], "{line}");
        }
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_by_name() {
    let home = Home::new();
    let authority = Authority::new(&home);
    let relay = relay_with(&home, &authority.certify(&home, &["other.example"]));
    let (code, errors) = listen(&relay.url, Some(&authority)).failure();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("127.0.0.1") && errors.contains("name"), "{errors}");
}

#[test]
fn an_expired_certificate_is_refused_as_expired() {
    let home = Home::new();
    let authority = Authority::new(&home);
    let relay = relay_with(&home, &authority.certify_expired(&home, &["127.0.0.1"]));
    let warned = |line: &String| line.contains("expired on 2020-12-31").then_some(());
    relay.process.stderr.wait_for("a warning of the relay itself", 0, warned);
    let (code, errors) = listen(&relay.url, Some(&authority)).failure();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("expired"), "{errors}");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_with_a_hint() {
    let home = Home::new();
    let authority = Authority::new(&home);
    let relay = relay_with(&home, &authority.certify(&home, &["127.0.0.1"]));
    let (code, errors) = listen(&relay.url, None).failure();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("--ca"), "{errors}");
}
