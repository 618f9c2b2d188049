//! Whole exchanges through two sessions joined in memory: what the protocol costs, without a socket.

use std::{
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use hookwire_protocol::{
    code::Code,
    frame::StreamId,
    head::{BodyLength, Headers, HttpVersion, RequestHead, ResponseHead},
    session::{Session, Side},
};

use crate::webhook;

/// Exchanges that are in flight together in the interleaved case.
const INTERLEAVED: usize = 64;

/// Bytes of a large body.
const LARGE: usize = 1024 * 1024;

struct Pair {
    relay: Session,
    client: Session,
    now: Instant,
    request: RequestHead,
    response: ResponseHead,
}

fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let headers: Headers =
            [(b"content-type".as_slice(), b"text/plain".as_slice()), (b"content-length", b"2")].into_iter().collect();
        let response = ResponseHead {
            status: 200,
            version: HttpVersion::Http11,
            error: None,
            body: BodyLength::Sized(2),
            reason: None,
            headers,
        };
        let (relay, client) = (Session::new(Side::Relay, now), Session::new(Side::Client, now));
        Self { relay, client, now, request: webhook::request(), response }
    }

    fn carry_out(&mut self) {
        while let Poll::Ready(message) = self.relay.poll_transmit(&mut idle()) {
            self.client.handle_message(message, self.now).unwrap();
        }
    }

    fn carry_back(&mut self) {
        while let Poll::Ready(message) = self.client.poll_transmit(&mut idle()) {
            self.relay.handle_message(message, self.now).unwrap();
        }
    }

    /// `count` webhooks there and their answers back, packed as they come.
    fn exchange(&mut self, count: usize) {
        let none = Headers::default();
        let ids: Vec<StreamId> = (0..count).map(|_| self.relay.open(&self.request).unwrap()).collect();
        for id in &ids {
            let mut body = webhook::body();
            while self.relay.poll_send(*id, &mut idle(), &mut body).is_pending() {
                self.carry_out(); // the outbox is full: some of them go ahead
            }
            self.relay.send_end(*id, &none);
            self.relay.release_sending(*id, Code::SenderGone);
        }
        self.carry_out();
        while let Poll::Ready(Some((id, _head))) = self.client.poll_accept(&mut idle()) {
            read(&mut self.client, id);
            self.client.respond(id, &self.response).unwrap();
            assert!(self.client.poll_send(id, &mut idle(), &mut Bytes::from_static(b"ok")).is_ready());
            self.client.send_end(id, &none);
            self.client.release_sending(id, Code::AppDied);
        }
        self.carry_back();
        for id in ids {
            assert!(self.relay.poll_response(id, &mut idle()).is_ready());
            read(&mut self.relay, id);
        }
    }

    /// One large body to the client.
    fn upload(&mut self, id: StreamId, mut body: Bytes) {
        while self.relay.poll_send(id, &mut idle(), &mut body).is_pending() {
            self.carry_out();
            while let Poll::Ready(Some(Ok(_))) = self.client.poll_receive(id, &mut idle()) {}
            self.carry_back();
        }
    }
}

/// Reads to the end and lets go.
fn read(session: &mut Session, id: StreamId) {
    while let Poll::Ready(Some(Ok(_))) = session.poll_receive(id, &mut idle()) {}
    session.release_receiving(id, Some(Code::SenderGone));
}

pub(crate) fn exchanges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exchange");
    for count in [1, INTERLEAVED] {
        group.throughput(Throughput::Elements(count as u64));
        let mut pair = Pair::new();
        group.bench_function(format!("{count} together"), |bencher| bencher.iter(|| pair.exchange(count)));
        assert_eq!(pair.relay.in_flight() + pair.client.in_flight(), 0);
    }
    group.finish();
}

pub(crate) fn bodies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("body");
    group.throughput(Throughput::Bytes(LARGE as u64));
    let mut pair = Pair::new();
    let id = pair.relay.open(&pair.request).unwrap();
    pair.carry_out();
    let body = Bytes::from(vec![0; LARGE]);
    group.bench_function("1 MiB", |bencher| bencher.iter(|| pair.upload(id, body.clone())));
    group.finish();
}
