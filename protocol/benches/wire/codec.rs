//! Frames and heads of one ordinary webhook: 12 header lines and a body of 1,600 bytes.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput};
use hookwire_protocol::{
    frame::Frame,
    head::{Headers, RequestHead},
};

use crate::webhook;

pub(crate) fn heads(criterion: &mut Criterion) {
    let request = webhook::request();
    let mut encoded = BytesMut::new();
    request.encode(&mut encoded);
    let encoded = encoded.freeze();
    let mut group = criterion.benchmark_group("head");
    group.throughput(Throughput::Bytes(encoded.len() as u64));
    group.bench_function("encode", |bencher| {
        let mut out = BytesMut::with_capacity(64 * 1024);
        bencher.iter(|| {
            out.clear();
            black_box(&request).encode(&mut out);
        });
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| RequestHead::decode(black_box(&encoded).clone()).unwrap());
    });
    group.finish();
}

pub(crate) fn frames(criterion: &mut Criterion) {
    let mut head = BytesMut::new();
    webhook::request().encode(&mut head);
    let frames = [
        Frame::Head(1, head.freeze()),
        Frame::Data(1, webhook::body()),
        Frame::End(1, Bytes::copy_from_slice(Headers::default().encoded())),
    ];
    let write = |out: &mut BytesMut| frames.iter().for_each(|frame| black_box(frame).encode(out));
    let mut message = BytesMut::new();
    write(&mut message);
    let message = message.freeze();
    let mut group = criterion.benchmark_group("webhook frames");
    group.throughput(Throughput::Bytes(message.len() as u64));
    group.bench_function("encode", |bencher| {
        let mut out = BytesMut::with_capacity(64 * 1024);
        bencher.iter(|| {
            out.clear();
            write(&mut out);
        });
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            let mut message = black_box(&message).clone();
            while let Some(frame) = Frame::take(&mut message).unwrap() {
                black_box(frame);
            }
        });
    });
    group.finish();
}
