//! What a peer, or a stalled socket, can make a session hold.

use bytes::{Bytes, BytesMut};

use super::super::{ProtocolError, Reset, Side};
use super::pair::{Pair, idle, request, response};
use crate::{
    code::Code,
    frame::{self, Frame, StreamId},
    head::Headers,
    limits::{self, FRAME_PAYLOAD, STREAMS},
};

fn message(frames: impl IntoIterator<Item = Frame>) -> Bytes {
    let mut message = BytesMut::new();
    frames.into_iter().for_each(|frame| frame.encode(&mut message));
    message.freeze()
}

fn head() -> Bytes {
    let mut head = BytesMut::new();
    request("/").encode(&mut head);
    head.freeze()
}

#[test]
fn the_relay_opens_no_more_streams_than_agreed() {
    let mut pair = Pair::new();
    let ids: Vec<_> = (0..STREAMS).map(|_| pair.opened()).collect();
    assert_eq!(pair.relay.open(&request("/")), Err(Reset(Code::Overloaded)));
    pair.release(ids[5]);
    pair.opened();
}

/// The relay forgets a stream when its sender goes away, the client only when its owners have let go.
#[test]
fn a_client_that_lags_behind_refuses_streams_and_lives() {
    let mut pair = Pair::new();
    let ids: Vec<_> = (0..STREAMS).map(|_| pair.opened()).collect();
    pair.relay.release_sending(ids[0], Code::SenderGone);
    pair.relay.release_receiving(ids[0], Some(Code::SenderGone));
    let late = pair.relay.open(&request("/late")).unwrap();
    pair.run();
    assert_eq!(pair.response(late), Some(Err(Reset(Code::Overloaded))));
    assert_eq!(pair.accept(), None);

    pair.release(ids[0]);
    pair.release(late);
    pair.opened();
}

#[test]
fn a_lagging_client_survives_senders_that_come_and_go() {
    let mut pair = Pair::new();
    for _ in 0..STREAMS / 2 {
        pair.opened();
    }
    // The client's socket is stuck, so its refusals wait; each is taken back when the sender goes away.
    for _ in 0..4 * STREAMS {
        let id = pair.relay.open(&request("/hasty")).unwrap();
        pair.relay.send_end(id, &Headers::default());
        pair.relay.release_sending(id, Code::SenderGone);
        pair.relay.release_receiving(id, Some(Code::SenderGone));
        pair.transmit(Side::Relay);
        while pair.deliver(Side::Client) {}
    }
    assert!(pair.client.in_flight() <= STREAMS);
}

#[test]
fn a_peer_that_ignores_refusals_breaks_the_protocol() {
    let mut pair = Pair::new();
    let flood = (1..).map(|id| message([Frame::Head(id, head())]));
    let error = flood.map(|message| pair.client.handle_message(message, pair.now)).find_map(Result::err);
    assert_eq!(error, Some(ProtocolError::Streams));
    assert!(pair.client.in_flight() <= STREAMS);
    assert!(pair.transmit(Side::Client) <= STREAMS * 11);
}

/// A relay whose client stands still while senders come and go.
#[test]
fn streams_opened_and_cancelled_do_not_pile_up_for_a_stalled_socket() {
    let mut pair = Pair::new();
    let mut big = request("/");
    big.headers = [(b"x-fill".as_slice(), [b'a'; 8 * 1024].as_slice())].into_iter().collect();
    let mut refused = None;
    for _ in 0..4 * STREAMS {
        match pair.relay.open(&big) {
            Ok(id) => {
                pair.relay.release_sending(id, Code::SenderGone);
                pair.relay.release_receiving(id, Some(Code::SenderGone));
            }
            Err(reset) => refused = Some(reset),
        }
    }
    assert_eq!(refused, Some(Reset(Code::Overloaded)));
    let waited = pair.transmit(Side::Relay);
    assert!(waited <= limits::HEAD_BUFFER + limits::MESSAGE, "{waited} bytes waited");
    pair.relay.open(&big).unwrap();
}

/// A relay that sends requests and reads no answers.
#[test]
fn answers_that_nobody_reads_do_not_pile_up() {
    let mut pair = Pair::new();
    let mut big = response(200);
    big.headers = [(b"x-fill".as_slice(), [b'a'; 8 * 1024].as_slice())].into_iter().collect();
    let mut broken = None;
    for id in 1..8 * STREAMS as StreamId {
        let frames = [Frame::Head(id, head()), Frame::End(id, Bytes::from_static(&[0, 0]))];
        if let Err(error) = pair.client.handle_message(message(frames), pair.now) {
            broken = Some(error);
            break;
        }
        while let Some((id, _)) = pair.accept() {
            pair.client.respond(id, &big).unwrap();
            pair.client.send_end(id, &Headers::default());
            pair.client.release_sending(id, Code::AppDied);
            pair.client.release_receiving(id, Some(Code::AppDied));
        }
    }
    assert_eq!(broken, Some(ProtocolError::Streams));
    let waited = pair.transmit(Side::Client);
    assert!(waited <= limits::HEAD_BUFFER + limits::MESSAGE + STREAMS * 11, "{waited} bytes waited");
    assert!(pair.accept().is_some(), "with the socket moving again, the next is taken");
}

#[test]
fn a_flood_of_pings_keeps_one_answer() {
    let mut pair = Pair::new();
    let flood = message((0..5000).map(Frame::Ping));
    for _ in 0..100 {
        pair.client.handle_message(flood.clone(), pair.now).unwrap();
    }
    pair.transmit(Side::Client);
    assert_eq!(pair.to_relay.pop_front(), Some(message([Frame::Pong(4999)])));
    assert_eq!(pair.to_relay.len(), 0);
}

/// A peer that uses up its window, then floods a stream that nobody holds, and reads no credit.
#[test]
fn credit_that_nobody_reads_does_not_pile_up() {
    let mut pair = Pair::new();
    for id in 1..=32 {
        pair.opened();
        let used = limits::STREAM_WINDOW as usize - usize::from(id == 32);
        for piece in vec![0; used].chunks(FRAME_PAYLOAD) {
            let data = Frame::Data(id, Bytes::copy_from_slice(piece));
            pair.client.handle_message(message([data]), pair.now).unwrap();
        }
    }
    let flood = message([Frame::Data(99, Bytes::from_static(b"x"))]);
    pair.client.handle_message(flood.clone(), pair.now).unwrap();
    assert_eq!(pair.client.handle_message(flood.clone(), pair.now), Err(ProtocolError::Overrun));
    assert_eq!(pair.transmit(Side::Client), limits::FRAME_HEADER + 4);
    pair.client.handle_message(flood, pair.now).unwrap();
}

/// One-byte frames, each in a message full of filling: neither the pieces nor their messages may pile up.
#[test]
fn small_pieces_do_not_hold_the_messages_they_came_in() {
    let mut pair = Pair::new();
    let id = pair.opened();
    let mut packed = BytesMut::new();
    frame::put(&mut packed, 0xFF, 0, &vec![0; FRAME_PAYLOAD]);
    Frame::Data(id, Bytes::from_static(b"x")).encode(&mut packed);
    let packed = packed.freeze();
    for _ in 0..1000 {
        pair.client.handle_message(packed.clone(), pair.now).unwrap();
    }
    assert!(packed.is_unique(), "a piece holds its message");
    let mut pieces = 0;
    while let std::task::Poll::Ready(Some(Ok(_))) = pair.client.poll_receive(id, &mut idle()) {
        pieces += 1;
    }
    assert_eq!(pieces, 1);
}

#[test]
fn small_pieces_stay_in_order_among_large_ones() {
    let mut pair = Pair::new();
    let id = pair.opened();
    let sizes = [1, 20_000, 3, 5, 16_000, 400, 60_000, 1, 1, 1, 30_000, 16_383, 16_384, 2];
    let mut sent = Vec::new();
    for (index, size) in sizes.into_iter().enumerate() {
        let piece = vec![index as u8; size];
        assert_eq!(pair.send(Side::Relay, id, &piece), 0);
        pair.run();
        sent.extend(piece);
    }
    assert!(pair.read(Side::Client, id).body == sent);
}
