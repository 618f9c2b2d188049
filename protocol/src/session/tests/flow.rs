//! Flow control: who has to wait, and who gets going again.

use super::super::{ProtocolError, Side};
use super::pair::{Pair, idle, response};
use crate::{
    code::Code,
    frame::{Frame, StreamId},
    head::Headers,
    limits::{MESSAGE, SESSION_WINDOW, STREAM_WINDOW, STREAMS},
};

/// Streams that fill the session's window together.
const STUCK: usize = (SESSION_WINDOW / STREAM_WINDOW) as usize;

/// Sends on a stream, running the link, until its sender has to wait. How much was taken.
fn fill(pair: &mut Pair, from: Side, id: StreamId) -> usize {
    let piece = vec![1; 64 * 1024];
    let mut taken = 0;
    loop {
        let left = pair.send(from, id, &piece);
        pair.run();
        taken += piece.len() - left;
        if left == piece.len() {
            return taken;
        }
    }
}

#[test]
fn a_sender_stops_at_the_window_and_goes_on_when_the_reader_reads() {
    for (from, to) in [(Side::Relay, Side::Client), (Side::Client, Side::Relay)] {
        let mut pair = Pair::new();
        let id = pair.opened();
        pair.client.respond(id, &response(200)).unwrap();
        let window = STREAM_WINDOW as usize;
        assert_eq!(fill(&mut pair, from, id), window);
        assert_eq!(pair.read(to, id).body.len(), window);
        pair.run();
        assert_eq!(fill(&mut pair, from, id), window);
        pair.release(id);
        pair.assert_empty();
    }
}

#[test]
fn unread_streams_block_nobody_below_the_session_window() {
    let mut pair = Pair::new();
    for _ in 0..STUCK - 1 {
        let id = pair.opened();
        assert_eq!(fill(&mut pair, Side::Relay, id), STREAM_WINDOW as usize);
    }
    let lively = pair.opened();
    for _ in 0..10 {
        pair.send_all(Side::Relay, lively, &vec![2; 100_000]);
        assert_eq!(pair.read(Side::Client, lively).body.len(), 100_000);
    }
}

#[test]
fn the_session_window_holds_all_streams_together() {
    let mut pair = Pair::new();
    let mut ids = Vec::new();
    for _ in 0..STUCK {
        let id = pair.opened();
        assert_eq!(fill(&mut pair, Side::Relay, id), STREAM_WINDOW as usize);
        ids.push(id);
    }
    let waits = pair.opened();
    assert_eq!(fill(&mut pair, Side::Relay, waits), 0);

    // Dropping a quarter of them unread gives their credit back.
    for id in ids.drain(..STUCK / 4) {
        pair.client.release_receiving(id, Some(Code::AppDied));
    }
    pair.run();
    assert_eq!(fill(&mut pair, Side::Relay, waits), STREAM_WINDOW as usize);

    for id in ids.into_iter().chain([waits]) {
        pair.release(id);
    }
    for id in 1..=STUCK as StreamId / 4 {
        pair.release(id);
    }
    pair.assert_empty();
}

#[test]
fn credit_of_data_for_nobody_comes_back() {
    let mut pair = Pair::new();
    for round in 0..3 * STUCK {
        let id = pair.opened();
        // Sent before the stop is known: half arrives after it.
        assert_eq!(pair.send(Side::Relay, id, &vec![1; 64 * 1024]), 0);
        pair.transmit(Side::Relay);
        pair.client.release_receiving(id, Some(Code::AppDied));
        assert_eq!(pair.send(Side::Relay, id, &vec![1; 64 * 1024]), 0);
        if round % 2 == 0 {
            pair.client.send_end(id, &Headers::default());
            pair.client.release_sending(id, Code::AppDied);
        }
        pair.run();
        pair.release(id);
        pair.assert_empty();
    }
}

#[test]
fn more_than_the_credit_ends_the_session() {
    // Above a stream's window.
    let mut pair = Pair::new();
    let id = pair.opened();
    fill(&mut pair, Side::Relay, id);
    let mut message = bytes::BytesMut::new();
    Frame::Data(id, bytes::Bytes::from_static(b"x")).encode(&mut message);
    pair.to_client.push_back(message.freeze());
    assert_eq!(pair.try_deliver(Side::Client), Err(ProtocolError::Overrun));

    // Above the session's window.
    let mut pair = Pair::new();
    for _ in 0..STUCK {
        let id = pair.opened();
        fill(&mut pair, Side::Relay, id);
    }
    let mut message = bytes::BytesMut::new();
    Frame::Data(STREAMS as StreamId, bytes::Bytes::from_static(b"x")).encode(&mut message);
    pair.to_client.push_back(message.freeze());
    assert_eq!(pair.try_deliver(Side::Client), Err(ProtocolError::Overrun));

    // Credit that no window can hold.
    for id in [0, 1] {
        let mut pair = Pair::new();
        pair.opened();
        let mut message = bytes::BytesMut::new();
        Frame::Window(id, u32::MAX).encode(&mut message);
        pair.to_relay.push_back(message.freeze());
        assert_eq!(pair.try_deliver(Side::Relay), Err(ProtocolError::Overflow));
    }
}

#[test]
fn data_waits_while_the_socket_does_not_take_it() {
    let mut pair = Pair::new();
    let ids: Vec<_> = (0..8).map(|_| pair.opened()).collect();
    for id in &ids {
        pair.send(Side::Relay, *id, &vec![1; STREAM_WINDOW as usize]);
    }
    let waiting = pair.transmit(Side::Relay);
    assert!(waiting <= 2 * MESSAGE, "{waiting} bytes waited");

    // Heads and ends go ahead of the data that waits.
    pair.drop_all();
    let mut data = bytes::Bytes::from(vec![1; 1 << 20]);
    assert!(pair.relay.poll_send(ids[7], &mut idle(), &mut data).is_pending());
    pair.relay.send_end(ids[0], &Headers::default());
    assert!(pair.transmit(Side::Relay) <= 2 * MESSAGE + 64);
}

/// A reader that had all it needs lets go without a stop; what its peer sends nevertheless costs no credit.
#[test]
fn data_for_a_reader_that_needs_no_more_is_given_back() {
    let mut pair = Pair::new();
    for _ in 0..3 * STUCK {
        let id = pair.opened();
        pair.client.release_receiving(id, None);
        assert_eq!(pair.send(Side::Relay, id, &vec![1; 100_000]), 0);
        pair.relay.send_end(id, &Headers::default());
        pair.run();
        pair.release(id);
        pair.assert_empty();
    }
}

/// Bytes that were read and whose credit is held back, while others fill the rest of the window.
#[test]
fn credit_that_is_held_back_starves_nobody() {
    let mut pair = Pair::new();
    let lively = pair.opened();
    let held = 3 * 1024 * 1024;
    for _ in 0..held / STREAM_WINDOW {
        assert_eq!(fill(&mut pair, Side::Relay, lively), STREAM_WINDOW as usize);
        pair.read(Side::Client, lively);
        pair.run();
    }
    assert_eq!(pair.client.unreturned, held);
    for _ in 0..(SESSION_WINDOW - held) / STREAM_WINDOW {
        let id = pair.opened();
        fill(&mut pair, Side::Relay, id);
    }
    assert_eq!(fill(&mut pair, Side::Relay, lively), STREAM_WINDOW as usize);
}
