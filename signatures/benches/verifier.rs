//! What judging costs over the bare MAC: a Razorpay body of 1.6 kB, and 64 KiB.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookwire_signatures::{Provider, Request, Scheme, Secret, Secrets, SignInput, Verifier, diagnose, event, sign};
use sha2::Sha256;

const SECRET: &str = "rzp_whsec_91Qx";

/// A Razorpay webhook of this many bytes.
fn body(length: usize) -> Vec<u8> {
    let mut body = br#"{"entity":"event","event":"payment.captured","payload":{"notes":[""#.to_vec();
    let end = br#""]}}"#;
    let word = b"a note, ".iter().copied().cycle();
    body.extend(word.take(length.saturating_sub(body.len() + end.len())));
    body.extend_from_slice(end);
    body
}

fn verifier(criterion: &mut Criterion) {
    let mut secrets = Secrets::default();
    let secret = Secret::new("env:RAZORPAY_WEBHOOK_SECRET", SECRET);
    secrets.add(Provider::Razorpay, secret.clone());
    let scheme = Scheme::with_id("razorpay.webhook").expect("the table has it");

    for (name, length) in [("1.6 kB", 1_600), ("64 KiB", 64 << 10)] {
        let body = body(length);
        let mut headers = vec![
            ("host".to_owned(), "relay.example.com".to_owned()),
            ("user-agent".to_owned(), "Razorpay-Webhook/v1".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("content-length".to_owned(), length.to_string()),
            ("x-razorpay-event-id".to_owned(), "evt_00000000000000".to_owned()),
        ];
        headers.extend(sign(scheme, &SignInput::new(&secret, &body, 0)).expect("the scheme is symmetric").headers);
        let request = Request { method: b"POST", target: b"/verification", headers: &headers, urls: &[] };

        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("bare hmac", |bencher| {
            bencher.iter(|| {
                let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
                mac.update(black_box(&body));
                mac.finalize().into_bytes()
            });
        });
        group.bench_function("verifier", |bencher| {
            bencher.iter(|| {
                let mut verifier = Verifier::start(&request, &secrets, 0);
                verifier.update(black_box(&body));
                verifier.finish()
            });
        });
        group.bench_function("event", |bencher| bencher.iter(|| event(&request, black_box(&body))));
        group.finish();
    }
}

/// The worst case: nothing fits, so everything is tried.
fn diagnosis(criterion: &mut Criterion) {
    let mut secrets = Secrets::default();
    secrets.add(Provider::Razorpay, Secret::new("env:RAZORPAY_WEBHOOK_SECRET", SECRET));
    for (name, length) in [("10 kB", 10_000), ("1 MiB", 1 << 20)] {
        let mut body = body(length);
        let slash = body.len() - 5;
        body[slash] = b'/';
        let headers = [("x-razorpay-signature", "00".repeat(32))];
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        criterion.bench_function(&format!("diagnose/{name}"), |bencher| {
            bencher.iter(|| {
                let mut verifier = Verifier::start(&request, &secrets, 0);
                verifier.update(&body);
                diagnose(&request, black_box(&body), &secrets, verifier.finish(), 0)
            });
        });
    }
}

criterion_group!(benches, verifier, diagnosis);
criterion_main!(benches);
