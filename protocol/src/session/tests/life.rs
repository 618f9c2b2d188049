//! How a session lives, and how it ends.

use std::{task::Poll, time::Duration};

use super::super::{ProtocolError, Reset, Side};
use super::pair::{Pair, idle, request, response};
use crate::{code::Code, frame::Goaway, head::Headers, limits};

#[test]
fn silence_is_asked_and_an_answer_is_life() {
    let mut pair = Pair::new();
    assert_eq!(pair.relay.timeout(), pair.now + limits::PING_AFTER);
    pair.advance(limits::PING_AFTER / 2);
    pair.relay.handle_timeout(pair.now).unwrap();
    assert_eq!(pair.transmit(Side::Relay), 0, "too early for a ping");
    pair.now -= limits::PING_AFTER / 2;

    for _ in 0..10 {
        pair.advance(limits::PING_AFTER);
        pair.relay.handle_timeout(pair.now).unwrap();
        pair.transmit(Side::Relay);
        pair.advance(Duration::from_millis(80));
        pair.run();
        assert_eq!(pair.relay.round_trip(), Some(Duration::from_millis(80)));
        assert_eq!(pair.relay.timeout(), pair.now + limits::PING_AFTER);
    }
}

#[test]
fn a_silent_peer_is_dead() {
    let mut pair = Pair::new();
    let start = pair.now;
    pair.advance(limits::PING_AFTER);
    pair.relay.handle_timeout(pair.now).unwrap();
    assert!(pair.transmit(Side::Relay) > 0);
    pair.drop_all();
    assert_eq!(pair.relay.timeout(), start + limits::DEAD_AFTER);
    pair.now = start + limits::DEAD_AFTER * 9 / 10;
    pair.relay.handle_timeout(pair.now).unwrap();
    pair.now = start + limits::DEAD_AFTER;
    assert_eq!(pair.relay.handle_timeout(pair.now), Err(ProtocolError::Silent));
}

#[test]
fn traffic_counts_as_life_while_the_pong_is_stuck_behind_it() {
    let mut pair = Pair::new();
    pair.advance(limits::PING_AFTER);
    pair.relay.handle_timeout(pair.now).unwrap();
    pair.transmit(Side::Relay);
    pair.drop_all();
    for _ in 0..20 {
        pair.advance(Duration::from_secs(5));
        pair.client.probe(pair.now);
        pair.transmit(Side::Client);
        pair.deliver(Side::Relay);
        pair.relay.handle_timeout(pair.now).unwrap();
        pair.transmit(Side::Relay);
        pair.drop_all();
        assert!(pair.relay.timeout() > pair.now);
    }
}

/// A process that was stopped and continued: its peer must get the chance to answer.
#[test]
fn a_late_timeout_asks_before_it_gives_up() {
    let mut pair = Pair::new();
    pair.advance(limits::DEAD_AFTER * 4);
    pair.relay.handle_timeout(pair.now).unwrap();
    assert_eq!(pair.relay.timeout(), pair.now + limits::PROBE);
    pair.run();
    pair.advance(limits::PROBE);
    pair.relay.handle_timeout(pair.now).unwrap();
}

#[test]
fn a_probe_decides_within_two_seconds() {
    let mut pair = Pair::new();
    pair.client.probe(pair.now);
    assert_eq!(pair.client.timeout(), pair.now + limits::PROBE);
    pair.run();
    assert_eq!(pair.client.timeout(), pair.now + limits::PING_AFTER);

    pair.client.probe(pair.now);
    pair.transmit(Side::Client);
    pair.drop_all();
    pair.advance(limits::PROBE);
    assert_eq!(pair.client.handle_timeout(pair.now), Err(ProtocolError::Silent));
}

#[test]
fn going_away_lets_what_is_in_flight_finish() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.relay.go_away(Goaway::Stopping);
    pair.relay.go_away(Goaway::Revoked);
    assert_eq!(pair.relay.open(&request("/late")), Err(Reset(Code::NoSession)));
    pair.run();
    assert_eq!(pair.client.goaway_received(), Some(Goaway::Stopping), "the first reason stands");
    assert!(!pair.relay.is_finished() && !pair.client.is_finished());

    pair.client.respond(id, &response(200)).unwrap();
    pair.client.send_end(id, &Headers::default());
    pair.relay.send_end(id, &Headers::default());
    pair.run();
    assert_eq!(pair.response(id).unwrap().unwrap().status, 200);
    pair.release(id);
    pair.assert_empty();
    assert!(pair.relay.is_finished() && pair.client.is_finished());
}

/// A client that stops while a request is on its way must not close the socket under it.
#[test]
fn a_request_that_crosses_a_goaway_is_answered() {
    let mut pair = Pair::new();
    pair.client.go_away(Goaway::Stopping);
    let id = pair.relay.open(&request("/crossing")).unwrap();
    pair.transmit(Side::Client);
    assert!(!pair.client.is_finished(), "the relay has not answered the goaway");
    pair.run();
    assert_eq!(pair.relay.open(&request("/late")), Err(Reset(Code::NoSession)));

    assert_eq!(pair.accept().unwrap().0, id);
    assert!(!pair.client.is_finished());
    pair.client.respond(id, &response(200)).unwrap();
    pair.client.send_end(id, &Headers::default());
    pair.relay.send_end(id, &Headers::default());
    pair.run();
    assert_eq!(pair.response(id).unwrap().unwrap().status, 200);
    pair.release(id);
    assert!(pair.relay.is_finished() && pair.client.is_finished());
}

#[test]
fn an_idle_session_is_not_finished() {
    let pair = Pair::new();
    assert!(!pair.relay.is_finished() && !pair.client.is_finished());
}

#[test]
fn losing_the_socket_ends_everything() {
    let mut pair = Pair::new();
    let lost = Reset(Code::SessionLost);
    let (open, answered) = (pair.opened(), pair.opened());
    pair.client.respond(answered, &response(200)).unwrap();
    pair.send(Side::Client, answered, b"part");
    pair.relay.open(&request("/untaken")).unwrap();
    pair.run();
    pair.relay.lose();
    pair.client.lose();

    assert_eq!(pair.response(open), Some(Err(lost)));
    assert_eq!(pair.stopped(Side::Relay, open), Some(lost));
    assert_eq!(pair.try_send(Side::Relay, open, b"x"), Err(lost));
    assert_eq!(pair.relay.open(&request("/")), Err(lost));
    assert_eq!(pair.response(answered).unwrap().unwrap().status, 200);
    let read = pair.read(Side::Relay, answered);
    assert_eq!((read.body, read.end), (b"part".to_vec(), Some(Err(lost))));

    assert!(pair.client.poll_accept(&mut idle()).map(|request| request.is_none()).is_ready());
    assert_eq!(pair.accept(), None);
    assert_eq!(pair.stopped(Side::Client, open), Some(lost));
}

#[test]
fn a_round_trip_is_measured_without_hurry_and_once_at_a_time() {
    let mut pair = Pair::new();
    pair.client.measure(pair.now);
    pair.client.measure(pair.now);
    assert_eq!(pair.client.timeout(), pair.now + limits::DEAD_AFTER);
    let one = pair.transmit(Side::Client);
    pair.advance(Duration::from_millis(40));
    pair.run();
    assert_eq!(pair.client.round_trip(), Some(Duration::from_millis(40)));
    pair.client.measure(pair.now);
    assert_eq!(pair.transmit(Side::Client), one, "one ping, not two");
}

#[test]
fn of_several_notices_the_last_counts() {
    let mut pair = Pair::new();
    assert!(pair.client.poll_notice(&mut idle()).is_pending());
    for json in ["1", "2"] {
        pair.relay.notify(json.into());
    }
    pair.run();
    pair.relay.notify("3".into());
    pair.run();
    assert_eq!(pair.client.poll_notice(&mut idle()), Poll::Ready(Some("3".into())));
    assert!(pair.client.poll_notice(&mut idle()).is_pending());
    pair.relay.notify(vec![b' '; limits::FRAME_PAYLOAD + 1].into());
    assert_eq!(pair.transmit(Side::Relay), 0);
    pair.client.lose();
    assert_eq!(pair.client.poll_notice(&mut idle()), Poll::Ready(None));
}

#[test]
fn a_late_answer_is_known_to_be_late() {
    let mut pair = Pair::new();
    let late = pair.opened();
    let early = pair.opened();
    pair.client.respond(early, &response(200)).unwrap();
    pair.run();
    for id in [early, late, 77] {
        pair.relay.answer_instead(id, 202);
    }
    pair.run();
    assert_eq!((pair.client.answered(early), pair.client.answered(late)), (None, Some(202)));
    pair.client.respond(late, &response(200)).unwrap();
    pair.run();
    assert_eq!(pair.response(late), Some(Ok(response(200))), "the stream has gone on");
}
