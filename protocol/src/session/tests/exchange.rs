//! One request and its response, in every way it can end.

use bytes::Bytes;

use super::super::{ProtocolError, Reset, Side};
use super::pair::{Pair, Read, headers, idle, request, response};
use crate::{
    code::Code,
    head::{HeaderLines, Headers, ResponseHead},
    limits,
};

#[test]
fn a_request_and_its_response_arrive_as_sent() {
    let mut pair = Pair::new();
    let id = pair.opened();
    let (question, answer) = (vec![7; 300_000], vec![9; 200_000]);
    let (asked, told) = (headers(&[("x-sum", "1")]), headers(&[("x-sum", "2"), ("x-sum", "3")]));

    pair.send_all(Side::Relay, id, &question);
    pair.relay.send_end(id, &asked);
    pair.run();
    assert_eq!(pair.read(Side::Client, id), Read { body: question, trailers: Some(asked), end: Some(Ok(())) });

    assert_eq!(pair.response(id), None);
    pair.client.respond(id, &response(200)).unwrap();
    pair.send_all(Side::Client, id, &answer);
    pair.client.send_end(id, &told);
    pair.run();
    assert_eq!(pair.response(id), Some(Ok(response(200))));
    assert_eq!(pair.read(Side::Relay, id), Read { body: answer, trailers: Some(told), end: Some(Ok(())) });

    pair.release(id);
    pair.assert_empty();
}

#[test]
fn a_whole_exchange_takes_one_message_each_way() {
    let mut pair = Pair::new();
    let id = pair.relay.open(&request("")).unwrap();
    pair.send(Side::Relay, id, b"{}");
    pair.relay.send_end(id, &Headers::default());
    pair.transmit(Side::Relay);
    assert_eq!(pair.to_client.len(), 1);
    pair.deliver(Side::Client);

    pair.client.respond(id, &response(200)).unwrap();
    pair.send(Side::Client, id, b"ok");
    pair.client.send_end(id, &Headers::default());
    pair.transmit(Side::Client);
    assert_eq!(pair.to_relay.len(), 1);
}

#[test]
fn an_early_answer_stays_whole_when_the_request_is_stopped() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.send(Side::Relay, id, b"first of many");
    pair.client.respond(id, &response(413)).unwrap();
    pair.send(Side::Client, id, b"too much");
    pair.client.release_receiving(id, Some(Code::BodyTooLarge));
    pair.client.send_end(id, &Headers::default());
    pair.client.release_sending(id, Code::AppDied);
    pair.run();

    assert_eq!(pair.stopped(Side::Relay, id), Some(Reset(Code::BodyTooLarge)));
    assert_eq!(pair.try_send(Side::Relay, id, b"more"), Err(Reset(Code::BodyTooLarge)));
    assert_eq!(pair.response(id).unwrap().unwrap().status, 413);
    assert_eq!(pair.read(Side::Relay, id).end, Some(Ok(())));
    pair.release(id);
    pair.assert_empty();
}

#[test]
fn an_aborted_answer_is_not_taken_for_whole() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.client.respond(id, &response(200)).unwrap();
    pair.send(Side::Client, id, b"half of it");
    pair.client.release_sending(id, Code::AppDied);
    pair.run();

    assert_eq!(pair.response(id).unwrap().unwrap().status, 200);
    let expected = Read { body: b"half of it".into(), trailers: None, end: Some(Err(Reset(Code::AppDied))) };
    assert_eq!(pair.read(Side::Relay, id), expected);
    assert_eq!(pair.try_send(Side::Relay, id, b"still wanted"), Ok(0));
    pair.release(id);
    pair.assert_empty();
}

#[test]
fn a_stream_without_an_answer_says_why() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.client.release_sending(id, Code::AppRefused);
    pair.run();
    assert_eq!(pair.response(id), Some(Err(Reset(Code::AppRefused))));
}

#[test]
fn a_sender_that_goes_away_stops_the_answer() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.relay.release_sending(id, Code::SenderGone);
    pair.relay.release_receiving(id, Some(Code::SenderGone));
    assert_eq!(pair.relay.in_flight(), 0, "nobody on the relay waits for it");
    pair.run();

    assert_eq!(pair.stopped(Side::Client, id), Some(Reset(Code::SenderGone)));
    assert_eq!(pair.read(Side::Client, id).end, Some(Err(Reset(Code::SenderGone))));
    assert_eq!(pair.client.respond(id, &response(200)), Err(Reset(Code::SenderGone)));
    pair.release(id);
    pair.assert_empty();
}

#[test]
fn frames_that_come_late_for_a_forgotten_stream_are_ignored() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.client.respond(id, &response(200)).unwrap();
    pair.send(Side::Client, id, &[1; 1000]);
    pair.client.send_end(id, &Headers::default());
    pair.transmit(Side::Client);
    pair.relay.release_sending(id, Code::SenderGone);
    pair.relay.release_receiving(id, Some(Code::SenderGone));
    pair.run();
    pair.release(id);
    pair.assert_empty();
}

#[test]
fn heads_that_no_frame_can_carry_are_refused_and_the_session_lives() {
    let mut pair = Pair::new();
    let mut lines = HeaderLines::with_capacity(0);
    lines.push(b"x-long", &vec![b'a'; limits::FRAME_PAYLOAD - 9]);
    let too_long = lines.finish();
    let mut head = request("/");
    head.headers = too_long.clone();
    assert_eq!(pair.relay.open(&head), Err(Reset(Code::HeadTooLarge)));

    let id = pair.opened();
    let answer = ResponseHead { headers: too_long, ..response(200) };
    assert_eq!(pair.client.respond(id, &answer), Err(Reset(Code::AppBadAnswer)));
    let answer = ResponseHead { reason: Some(Bytes::from(vec![b'a'; limits::FRAME_PAYLOAD])), ..response(200) };
    assert_eq!(pair.client.respond(id, &answer), Err(Reset(Code::AppBadAnswer)));
    pair.client.respond(id, &response(200)).unwrap();
    pair.run();
}

#[test]
fn trailers_that_no_frame_can_carry_break_the_body_and_not_the_session() {
    let mut pair = Pair::new();
    let id = pair.opened();
    let mut lines = HeaderLines::with_capacity(0);
    lines.push(b"x-half", &vec![b'a'; limits::FRAME_PAYLOAD / 2]);
    lines.push(b"x-half", &vec![b'a'; limits::FRAME_PAYLOAD / 2]);
    let too_long = lines.finish();

    pair.client.respond(id, &response(200)).unwrap();
    pair.client.send_end(id, &too_long);
    pair.relay.send_end(id, &too_long);
    pair.run();
    assert_eq!(pair.read(Side::Relay, id).end, Some(Err(Reset(Code::AppBadAnswer))));
    assert_eq!(pair.read(Side::Client, id).end, Some(Err(Reset(Code::HeadTooLarge))));
    pair.release(id);
    pair.assert_empty();
}

#[test]
fn frames_that_do_not_fit_the_streams_state_end_the_session() {
    // A number that was used before.
    let mut pair = Pair::new();
    pair.relay.open(&request("/")).unwrap();
    pair.transmit(Side::Relay);
    pair.to_client.push_back(pair.to_client[0].clone());
    assert_eq!(pair.try_deliver(Side::Client), Ok(true));
    assert_eq!(pair.try_deliver(Side::Client), Err(ProtocolError::State(1)));

    // Two heads in an answer, and data or a second end behind an end.
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.client.respond(id, &response(200)).unwrap();
    pair.transmit(Side::Client);
    let head = pair.to_relay[0].clone();
    pair.run();
    pair.to_relay.push_back(head);
    assert_eq!(pair.try_deliver(Side::Relay), Err(ProtocolError::State(id)));

    pair.send(Side::Client, id, b"x");
    pair.transmit(Side::Client);
    let data = pair.to_relay[0].clone();
    pair.client.send_end(id, &Headers::default());
    pair.transmit(Side::Client);
    let end = pair.to_relay[1].clone();
    pair.run();
    for late in [data, end] {
        pair.to_relay.push_back(late);
        assert_eq!(pair.try_deliver(Side::Relay), Err(ProtocolError::State(id)));
    }
}

#[test]
fn the_last_number_can_not_be_used_twice() {
    use crate::frame::{Frame, StreamId};
    let mut pair = Pair::new();
    let mut head = bytes::BytesMut::new();
    request("/").encode(&mut head);
    let mut message = bytes::BytesMut::new();
    Frame::Head(StreamId::MAX, head.freeze()).encode(&mut message);
    pair.to_client.push_back(message.freeze());
    assert_eq!(pair.try_deliver(Side::Client), Err(ProtocolError::State(StreamId::MAX)));
}

#[test]
fn polls_of_streams_that_are_not_there_say_so() {
    let mut pair = Pair::new();
    let gone = Reset(Code::SessionLost);
    assert_eq!(pair.response(9), Some(Err(gone)));
    assert_eq!(pair.read(Side::Client, 9).end, Some(Err(gone)));
    assert_eq!(pair.stopped(Side::Client, 9), Some(gone));
    assert_eq!(pair.try_send(Side::Relay, 9, b"x"), Err(gone));
    assert!(pair.client.poll_accept(&mut idle()).is_pending());
}

/// A reader that knows the length lets go before the end: the peer learns of no stop, and the end is waited for.
#[test]
fn a_reader_that_needs_no_more_waits_for_the_end_without_a_stop() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.client.release_receiving(id, None);
    pair.client.release_sending(id, Code::AppDied);
    pair.relay.release_receiving(id, Some(Code::SenderGone));
    pair.run();
    assert_eq!(pair.stopped(Side::Relay, id), None);
    assert_eq!(pair.client.in_flight(), 1);
    pair.relay.send_end(id, &Headers::default());
    pair.relay.release_sending(id, Code::SenderGone);
    pair.run();
    pair.assert_empty();
}
