//! The pair that every test here plays with.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::super::{Chunk, ProtocolError, Reset, Session, Side};
use crate::{
    frame::StreamId,
    head::{BodyLength, Headers, HttpVersion, RequestHead, ResponseHead},
};

/// What a reader that took all there is has seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) body: Vec<u8>,
    pub(super) trailers: Option<Headers>,
    pub(super) end: Option<Result<(), Reset>>,
}

/// Counts how often it was woken.
#[derive(Debug, Default)]
pub(super) struct Wakes(AtomicUsize);

impl Wakes {
    pub(super) fn waker() -> (Arc<Self>, Waker) {
        let wakes = Arc::new(Self::default());
        (wakes.clone(), wakes.into())
    }

    /// How often since the last call.
    pub(super) fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A relay's and a client's session, and the messages on their way between them.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) relay: Session,
    pub(super) client: Session,
    pub(super) to_client: VecDeque<Bytes>,
    pub(super) to_relay: VecDeque<Bytes>,
    pub(super) now: Instant,
}

impl Pair {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            relay: Session::new(Side::Relay, now),
            client: Session::new(Side::Client, now),
            to_client: VecDeque::new(),
            to_relay: VecDeque::new(),
            now,
        }
    }

    pub(super) fn side(&mut self, side: Side) -> &mut Session {
        match side {
            Side::Relay => &mut self.relay,
            Side::Client => &mut self.client,
        }
    }

    pub(super) fn advance(&mut self, time: Duration) {
        self.now += time;
    }

    // --- the link ---

    /// Puts what one side has to send on the link. How many bytes it was.
    pub(super) fn transmit(&mut self, from: Side) -> usize {
        let mut bytes = 0;
        while let Poll::Ready(message) = self.side(from).poll_transmit(&mut idle()) {
            bytes += message.len();
            match from {
                Side::Relay => self.to_client.push_back(message),
                Side::Client => self.to_relay.push_back(message),
            }
        }
        bytes
    }

    /// Brings one message to its receiver. Whether there was one.
    pub(super) fn try_deliver(&mut self, to: Side) -> Result<bool, ProtocolError> {
        let (session, link) = match to {
            Side::Relay => (&mut self.relay, &mut self.to_relay),
            Side::Client => (&mut self.client, &mut self.to_client),
        };
        match link.pop_front() {
            Some(message) => session.handle_message(message, self.now).map(|()| true),
            None => Ok(false),
        }
    }

    /// Brings one message to its receiver, between sides that keep the protocol.
    pub(super) fn deliver(&mut self, to: Side) -> bool {
        self.try_deliver(to).unwrap()
    }

    /// Sends and delivers until both sides are quiet.
    pub(super) fn run(&mut self) {
        loop {
            while self.deliver(Side::Client) || self.deliver(Side::Relay) {}
            if self.transmit(Side::Relay) + self.transmit(Side::Client) == 0 {
                return;
            }
        }
    }

    /// Loses what is on its way.
    pub(super) fn drop_all(&mut self) {
        self.to_client.clear();
        self.to_relay.clear();
    }

    // --- streams ---

    /// Opens a stream on the relay and accepts it on the client.
    pub(super) fn opened(&mut self) -> StreamId {
        let id = self.relay.open(&request("/hook")).unwrap();
        self.run();
        assert_eq!(self.accept(), Some((id, request("/hook"))));
        id
    }

    pub(super) fn accept(&mut self) -> Option<(StreamId, RequestHead)> {
        match self.client.poll_accept(&mut idle()) {
            Poll::Ready(request) => request,
            Poll::Pending => None,
        }
    }

    /// Sends as much of `data` as is taken at once; what is left.
    pub(super) fn send(&mut self, from: Side, id: StreamId, data: &[u8]) -> usize {
        self.try_send(from, id, data).unwrap()
    }

    pub(super) fn try_send(&mut self, from: Side, id: StreamId, data: &[u8]) -> Result<usize, Reset> {
        let mut data = Bytes::copy_from_slice(data);
        match self.side(from).poll_send(id, &mut idle(), &mut data) {
            Poll::Ready(Ok(())) => assert_eq!(data.len(), 0, "`Ready` means that all was taken"),
            Poll::Ready(Err(reset)) => return Err(reset),
            Poll::Pending => assert_ne!(data.len(), 0, "`Pending` means that something is left"),
        }
        Ok(data.len())
    }

    /// Sends all of `data`, running the link; its reader must read or have room.
    pub(super) fn send_all(&mut self, from: Side, id: StreamId, data: &[u8]) {
        let mut left = data.len();
        while left > 0 {
            let before = left;
            left = self.send(from, id, &data[data.len() - left..]);
            self.run();
            assert!(left < before, "nobody reads, and the window is full");
        }
    }

    pub(super) fn response(&mut self, id: StreamId) -> Option<Result<ResponseHead, Reset>> {
        match self.relay.poll_response(id, &mut idle()) {
            Poll::Ready(response) => Some(response),
            Poll::Pending => None,
        }
    }

    /// Reads everything that has arrived.
    pub(super) fn read(&mut self, at: Side, id: StreamId) -> Read {
        let mut read = Read::default();
        loop {
            match self.side(at).poll_receive(id, &mut idle()) {
                Poll::Ready(Some(Ok(Chunk::Data(data)))) => read.body.extend_from_slice(&data),
                Poll::Ready(Some(Ok(Chunk::Trailers(trailers)))) => read.trailers = Some(trailers),
                Poll::Ready(Some(Err(reset))) => read.end = Some(Err(reset)),
                Poll::Ready(None) => read.end = Some(Ok(())),
                Poll::Pending => return read,
            }
            if read.end.is_some() {
                return read;
            }
        }
    }

    pub(super) fn stopped(&mut self, at: Side, id: StreamId) -> Option<Reset> {
        match self.side(at).poll_stopped(id, &mut idle()) {
            Poll::Ready(reset) => Some(reset),
            Poll::Pending => None,
        }
    }

    /// Both owners on both sides let go.
    pub(super) fn release(&mut self, id: StreamId) {
        for side in [Side::Client, Side::Relay] {
            self.side(side).release_sending(id, crate::code::Code::SenderGone);
            self.side(side).release_receiving(id, Some(crate::code::Code::SenderGone));
        }
        self.run();
    }

    /// Nothing is in flight, and every byte of credit is accounted for.
    pub(super) fn assert_empty(&self) {
        for (here, there) in [(&self.relay, &self.client), (&self.client, &self.relay)] {
            assert_eq!(here.in_flight(), 0, "{here:?}");
            assert!(here.outbox.is_empty(), "{here:?}");
            assert_eq!(here.send_window, there.receive_window, "{here:?} {there:?}");
            assert_eq!(here.send_window + there.unreturned, crate::limits::SESSION_WINDOW, "{here:?} {there:?}");
        }
    }
}

/// A context for polls whose wake nobody waits for.
pub(super) fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

pub(super) fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

pub(super) fn request(target: &'static str) -> RequestHead {
    RequestHead {
        id: *b"0123456789abcdef",
        received_at: 1_760_000_000_000_000,
        version: HttpVersion::Http11,
        body: BodyLength::Unknown,
        method: Bytes::from_static(b"POST"),
        target: Bytes::from_static(target.as_bytes()),
        headers: headers(&[("host", "relay.example.com"), ("x-razorpay-signature", "55d3")]),
    }
}

pub(super) fn response(status: u16) -> ResponseHead {
    ResponseHead {
        status,
        version: HttpVersion::Http11,
        error: None,
        body: BodyLength::Unknown,
        reason: None,
        headers: headers(&[("content-type", "text/plain"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]),
    }
}
