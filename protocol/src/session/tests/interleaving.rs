//! Any interleaving of what owners do and of when messages arrive.
//!
//! Each half of a stream is a task that is polled again only after a wake, so a lost wake shows as a run that ends with
//! work left. Bodies are cut from one known text at an offset of their own: order, loss and repetition show at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use proptest::prelude::*;

use super::super::{Chunk, Reset, Session, Side};
use super::pair::{Pair, Wakes, headers, request, response};
use crate::{
    code::Code,
    frame::{Goaway, StreamId},
    head::Headers,
    limits::{MESSAGE, SESSION_WINDOW, STREAM_WINDOW},
};

/// Longest body of a run: beyond two stream windows, so that every sender has to wait.
const BODY: usize = 1_200_000;

/// Repeats after a prime, so that no offset looks like another.
const PERIOD: usize = 251;

static TEXT: LazyLock<Bytes> = LazyLock::new(|| (0..BODY + PERIOD).map(|index| (index % PERIOD) as u8).collect());

const SIDES: [Side; 2] = [Side::Relay, Side::Client];

#[derive(Clone, Copy, Debug)]
enum Op {
    Open,
    /// The client's next request is taken.
    Accept,
    Respond(usize),
    Send(Side, usize, usize),
    End(Side, usize, bool),
    /// Takes at most so many pieces.
    Receive(Side, usize, usize),
    DropSender(Side, usize),
    DropReader(Side, usize),
    Transmit(Side),
    Deliver(Side),
    Probe(Side),
    Goaway(Side),
}

fn op() -> impl Strategy<Value = Op> {
    let side = || prop_oneof![Just(Side::Relay), Just(Side::Client)];
    let stream = || 0_usize..8;
    prop_oneof![
        3 => Just(Op::Open),
        4 => Just(Op::Accept),
        3 => stream().prop_map(Op::Respond),
        8 => (side(), stream(), prop_oneof![0_usize..100, 0..400_000_usize]).prop_map(|(a, b, c)| Op::Send(a, b, c)),
        2 => (side(), stream(), any::<bool>()).prop_map(|(a, b, c)| Op::End(a, b, c)),
        6 => (side(), stream(), 0_usize..20).prop_map(|(a, b, c)| Op::Receive(a, b, c)),
        1 => (side(), stream()).prop_map(|(a, b)| Op::DropSender(a, b)),
        1 => (side(), stream()).prop_map(|(a, b)| Op::DropReader(a, b)),
        8 => side().prop_map(Op::Transmit),
        8 => side().prop_map(Op::Deliver),
        1 => side().prop_map(Op::Probe),
    ]
}

/// Runs mostly go on to their end; some have a goaway somewhere.
fn ops() -> impl Strategy<Value = Vec<Op>> {
    (proptest::collection::vec(op(), 1..160), prop::option::weighted(0.2, (0_usize..160, 0_usize..2))).prop_map(
        |(mut ops, goaway)| {
            if let Some((at, side)) = goaway {
                ops.insert(at.min(ops.len()), Op::Goaway(SIDES[side]));
            }
            ops
        },
    )
}

/// One side's two halves of a stream, as its owners see them.
#[expect(clippy::struct_excessive_bools, reason = "a model: each is a fact of its own")]
#[derive(Debug)]
struct Owner {
    side: Side,
    id: StreamId,
    sent: usize,
    ended: bool,
    sender: bool,
    read: usize,
    /// Set once the reader saw the end (`Ok`) or a reset.
    finished: Option<Result<(), Reset>>,
    reader: bool,
    /// Relay: has the answer's head. Client: has answered.
    answered: bool,
    /// Nobody has polled it yet, so no wake will come.
    fresh: bool,
    send_task: (Arc<Wakes>, Waker),
    read_task: (Arc<Wakes>, Waker),
}

/// Where in the text the body starts that `side` sends.
fn offset(side: Side, id: StreamId) -> usize {
    (id as usize * 7 + usize::from(side == Side::Relay) * 100) % PERIOD
}

fn other(side: Side) -> Side {
    if side == Side::Relay { Side::Client } else { Side::Relay }
}

impl Owner {
    fn new(side: Side, id: StreamId) -> Self {
        Self {
            side,
            id,
            sent: 0,
            ended: false,
            sender: true,
            read: 0,
            finished: None,
            reader: true,
            answered: false,
            fresh: true,
            send_task: Wakes::waker(),
            read_task: Wakes::waker(),
        }
    }

    fn respond(&mut self, session: &mut Session) {
        if self.side == Side::Client && self.sender && !self.answered {
            // Refused only when the relay has stopped it.
            self.answered = true;
            let _ = session.respond(self.id, &response(200));
        }
    }

    /// Whether it has to wait.
    fn send(&mut self, session: &mut Session, length: usize) -> bool {
        if !self.sender || self.ended {
            return false;
        }
        self.respond(session);
        let end = BODY.min(self.sent + length);
        let start = offset(self.side, self.id);
        let mut data = TEXT.slice(start + self.sent..start + end);
        let before = data.len();
        let polled = session.poll_send(self.id, &mut Context::from_waker(&self.send_task.1), &mut data);
        self.sent += before - data.len();
        polled.is_pending()
    }

    fn end(&mut self, session: &mut Session, trailers: bool) {
        if self.sender && !self.ended {
            self.respond(session);
            self.ended = true;
            session.send_end(self.id, &if trailers { headers(&[("x-sum", "1")]) } else { Headers::default() });
        }
    }

    fn drop_sender(&mut self, session: &mut Session) {
        if std::mem::take(&mut self.sender) {
            session.release_sending(self.id, Code::AppDied);
        }
    }

    /// Reads at most `pieces`. Whether it has to wait.
    fn receive(&mut self, session: &mut Session, pieces: usize) -> bool {
        let mut context = Context::from_waker(&self.read_task.1);
        for _ in 0..pieces {
            if !self.reader || self.finished.is_some() {
                return false;
            }
            if self.side == Side::Relay && !self.answered {
                match session.poll_response(self.id, &mut context) {
                    Poll::Ready(Ok(head)) => {
                        assert_eq!(head, response(200));
                        self.answered = true;
                    }
                    Poll::Ready(Err(reset)) => self.finished = Some(Err(reset)),
                    Poll::Pending => return true,
                }
                continue;
            }
            match session.poll_receive(self.id, &mut context) {
                Poll::Ready(Some(Ok(Chunk::Data(data)))) => {
                    let start = offset(other(self.side), self.id) + self.read;
                    assert!(data == TEXT[start..start + data.len()], "bytes out of order");
                    self.read += data.len();
                }
                Poll::Ready(Some(Ok(Chunk::Trailers(trailers)))) => assert_eq!(trailers.len(), 1),
                Poll::Ready(Some(Err(reset))) => self.finished = Some(Err(reset)),
                Poll::Ready(None) => self.finished = Some(Ok(())),
                Poll::Pending => return true,
            }
        }
        false
    }

    fn drop_reader(&mut self, session: &mut Session) {
        if std::mem::take(&mut self.reader) {
            session.release_receiving(self.id, Some(Code::SenderGone));
        }
    }
}

/// The pair and everybody who uses it.
#[derive(Debug)]
struct World {
    pair: Pair,
    owners: BTreeMap<(bool, StreamId), Owner>,
    accept_task: (Arc<Wakes>, Waker),
    shells: [(Arc<Wakes>, Waker); 2],
}

impl World {
    fn new() -> Self {
        Self {
            pair: Pair::new(),
            owners: BTreeMap::new(),
            accept_task: Wakes::waker(),
            shells: [Wakes::waker(), Wakes::waker()],
        }
    }

    fn owned(&mut self, side: Side, index: usize, act: impl FnOnce(&mut Owner, &mut Session)) {
        let keys: Vec<_> = self.owners.keys().copied().filter(|(relay, _)| *relay == (side == Side::Relay)).collect();
        if !keys.is_empty()
            && let Some(owner) = self.owners.get_mut(&keys[index % keys.len()])
        {
            act(owner, self.pair.side(side));
        }
    }

    fn own(&mut self, side: Side, id: StreamId) {
        assert!(self.owners.insert((side == Side::Relay, id), Owner::new(side, id)).is_none());
    }

    /// Whether it has to wait.
    fn accept(&mut self) -> bool {
        match self.pair.client.poll_accept(&mut Context::from_waker(&self.accept_task.1)) {
            Poll::Ready(Some((id, head))) => {
                assert_eq!(head, request("/hook"));
                self.own(Side::Client, id);
                false
            }
            Poll::Ready(None) => unreachable!("the socket is there"),
            Poll::Pending => true,
        }
    }

    /// Puts one message on the link. Whether there was none.
    fn transmit(&mut self, from: Side) -> bool {
        let waker = self.shells[usize::from(from == Side::Client)].1.clone();
        match self.pair.side(from).poll_transmit(&mut Context::from_waker(&waker)) {
            Poll::Ready(message) => {
                assert!(!message.is_empty() && message.len() <= MESSAGE);
                match from {
                    Side::Relay => self.pair.to_client.push_back(message),
                    Side::Client => self.pair.to_relay.push_back(message),
                }
                false
            }
            Poll::Pending => true,
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Open => {
                if let Ok(id) = self.pair.relay.open(&request("/hook")) {
                    self.own(Side::Relay, id);
                }
            }
            Op::Accept => drop(self.accept()),
            Op::Respond(index) => self.owned(Side::Client, index, Owner::respond),
            Op::Send(side, index, length) => self.owned(side, index, |owner, session| {
                owner.send(session, length);
            }),
            Op::End(side, index, trailers) => self.owned(side, index, |owner, session| owner.end(session, trailers)),
            Op::Receive(side, index, pieces) => self.owned(side, index, |owner, session| {
                owner.receive(session, pieces);
            }),
            Op::DropSender(side, index) => self.owned(side, index, Owner::drop_sender),
            Op::DropReader(side, index) => self.owned(side, index, Owner::drop_reader),
            Op::Transmit(side) => drop(self.transmit(side)),
            Op::Deliver(side) => drop(self.pair.deliver(side)),
            Op::Probe(side) => {
                let now = self.pair.now;
                self.pair.side(side).probe(now);
            }
            Op::Goaway(side) => self.pair.side(side).go_away(Goaway::Stopping),
        }
        self.check_bounds();
    }

    fn check_bounds(&self) {
        for session in [&self.pair.relay, &self.pair.client] {
            let mut queued = 0;
            for stream in session.streams.values() {
                let length = stream.queued();
                assert!(length <= STREAM_WINDOW as usize);
                queued += length;
            }
            assert_eq!(session.receive_window as usize + session.unreturned as usize + queued, SESSION_WINDOW as usize);
            assert!(session.outbox.waiting() <= 3 * MESSAGE, "data, and some heads and resets");
        }
    }

    /// Lets everybody go on by wakes alone, until nobody is woken any more.
    fn settle(&mut self) {
        let mut first = true;
        loop {
            let mut busy = false;
            for (index, side) in SIDES.into_iter().enumerate() {
                if self.shells[index].0.take() > 0 || first {
                    busy = true;
                    while !self.transmit(side) {}
                }
                while self.pair.deliver(side) {
                    busy = true;
                }
            }
            if self.accept_task.0.take() > 0 || first {
                busy = true;
                while !self.accept() {}
            }
            for owner in self.owners.values_mut() {
                let session = self.pair.side(owner.side);
                let fresh = std::mem::take(&mut owner.fresh) || first;
                if owner.sender && (owner.send_task.0.take() > 0 || fresh) {
                    busy = true;
                    if !owner.send(session, BODY) {
                        owner.end(session, true);
                        owner.drop_sender(session);
                    }
                }
                if owner.reader && (owner.read_task.0.take() > 0 || fresh) {
                    busy = true;
                    if !owner.receive(session, usize::MAX) {
                        owner.drop_reader(session);
                    }
                }
            }
            if !busy {
                return;
            }
            first = false;
            self.check_bounds();
        }
    }

    fn check_ends(&self) {
        for ((relay, id), owner) in &self.owners {
            assert!(!owner.sender && !owner.reader, "stuck: {owner:?}");
            let Some(peer) = self.owners.get(&(!relay, *id)) else { continue };
            assert!(owner.read <= peer.sent);
            if owner.finished == Some(Ok(())) {
                assert!(peer.ended, "ended without its sender's end: {owner:?} {peer:?}");
                assert_eq!(owner.read, peer.sent);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_keeps_every_byte_and_ends_empty(ops in ops()) {
        let mut world = World::new();
        for op in ops {
            world.apply(op);
        }
        world.settle();
        world.check_ends();
        world.pair.assert_empty();
        assert_eq!(world.pair.relay.is_finished(), world.pair.client.is_finished());
    }
}
