//! What explaining costs when nothing fits, so that everything is tried: the worst case, in bodies that every writer of
//! JSON spells otherwise, and in plain ones.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hookwire_signatures::{Request, Scheme, Secret, Secrets, Verifier, cautions, diagnose};

/// JSON of about this length: slashes, escapes, floats, empty objects and unsorted keys, or none of them.
fn body(length: usize, is_odd: bool) -> Vec<u8> {
    let mut body = String::from("{\"items\":[");
    let mut index = 0;
    while body.len() < length.saturating_sub(200) {
        if index > 0 {
            body.push(',');
        }
        index += 1;
        let item = if is_odd {
            format!(
                r#"{{"url":"https:\/\/example.com\/{index}","amount":{index}.50,"name":"Zoë <b>\u00e9","empty":{{}},"ok":true}}"#
            )
        } else {
            format!(r#"{{"amount":{index},"id":"pay_{index:014}","text":"words that nobody needs to escape"}}"#)
        };
        body.push_str(&item);
    }
    body.push_str("],\"event\":\"payment.captured\",\"created\":1700000000}");
    body.into_bytes()
}

fn diagnosis(criterion: &mut Criterion) {
    for (id, header) in [("razorpay.webhook", "x-razorpay-signature"), ("paystack.v1", "x-paystack-signature")] {
        let scheme = Scheme::with_id(id).expect("the table has it");
        let mut secrets = Secrets::default();
        secrets.add(scheme.provider, Secret::new("env:SECRET", "secret_91Qx"));
        let digest = if id == "razorpay.webhook" { "00".repeat(32) } else { "00".repeat(64) };
        let headers = [(header, digest)];
        for (name, length) in [("10 kB", 10_000), ("1 MiB", 1 << 20)] {
            for is_odd in [false, true] {
                let body = body(length, is_odd);
                let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
                let kind = if is_odd { "odd" } else { "plain" };
                criterion.bench_function(&format!("diagnose/{id}/{name}/{kind}"), |bencher| {
                    bencher.iter(|| {
                        let mut verifier = Verifier::start_with(scheme, &request, &secrets, 0);
                        verifier.update(&body);
                        diagnose(&request, black_box(&body), &secrets, verifier.finish(), 0)
                    });
                });
            }
        }
    }
    let odd = body(10_000, true);
    let headers = [("content-type", "application/json")];
    let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
    criterion.bench_function("cautions/10 kB", |bencher| bencher.iter(|| cautions(&request, black_box(&odd))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = diagnosis
}
criterion_main!(benches);
