//! Every `Pending` is followed by a wake when there is news.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::super::{Session, Side};
use super::pair::{Pair, Wakes, request, response};
use crate::{
    code::Code,
    frame::Goaway,
    head::Headers,
    limits::{HEAD_BUFFER, SESSION_WINDOW, STREAM_WINDOW},
};

/// Polls once, expecting nothing yet, and hands out who would be woken.
fn pending<T>(session: &mut Session, poll: impl FnOnce(&mut Session, &mut Context<'_>) -> Poll<T>) -> Arc<Wakes> {
    let (wakes, waker): (_, Waker) = Wakes::waker();
    assert!(poll(session, &mut Context::from_waker(&waker)).is_pending());
    wakes
}

#[test]
fn the_shell_is_woken_for_everything_there_is_to_send() {
    let mut pair = Pair::new();
    let id = pair.opened();
    let kept = pair.opened();
    let actions: [fn(&mut Session, u32); 7] = [
        |relay, _| assert!(relay.open(&request("/")).is_ok()),
        |relay, id| {
            let mut data = Bytes::from_static(b"x");
            assert!(relay.poll_send(id, &mut super::pair::idle(), &mut data).is_ready());
        },
        |relay, id| relay.send_end(id, &Headers::default()),
        |relay, id| relay.release_receiving(id, Some(Code::SenderGone)),
        |relay, id| relay.release_sending(id + 1, Code::SenderGone),
        |relay, _| relay.go_away(Goaway::Stopping),
        |relay, _| relay.probe(std::time::Instant::now()),
    ];
    for (index, action) in actions.into_iter().enumerate() {
        pair.transmit(Side::Relay);
        let shell = pending(&mut pair.relay, Session::poll_transmit);
        action(&mut pair.relay, id);
        assert_eq!(shell.take(), 1, "action {index}");
    }
    assert_ne!(id, kept);
}

#[test]
fn the_shell_is_woken_for_answers_and_credit() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.send_all(Side::Relay, id, &vec![0; STREAM_WINDOW as usize]);

    pair.relay.probe(pair.now);
    pair.transmit(Side::Relay);
    let shell = pending(&mut pair.client, Session::poll_transmit);
    pair.deliver(Side::Client);
    assert_eq!(shell.take(), 1, "a pong");

    pair.run();
    let shell = pending(&mut pair.client, Session::poll_transmit);
    pair.read(Side::Client, id);
    assert_eq!(shell.take(), 1, "credit");

    pair.run();
    let shell = pending(&mut pair.client, Session::poll_transmit);
    pair.client.respond(id, &response(200)).unwrap();
    assert_eq!(shell.take(), 1, "a head");
}

#[test]
fn readers_are_woken() {
    let mut pair = Pair::new();
    let accept = pending(&mut pair.client, Session::poll_accept);
    let id = pair.relay.open(&request("/")).unwrap();
    pair.run();
    assert_eq!(accept.take(), 1);
    pair.accept().unwrap();

    let body = pending(&mut pair.client, |client, context| client.poll_receive(id, context));
    pair.send(Side::Relay, id, b"x");
    pair.run();
    assert_eq!(body.take(), 1, "data");
    pair.read(Side::Client, id);
    let body = pending(&mut pair.client, |client, context| client.poll_receive(id, context));
    pair.relay.send_end(id, &Headers::default());
    pair.run();
    assert_eq!(body.take(), 1, "the end");

    let answer = pending(&mut pair.relay, |relay, context| relay.poll_response(id, context));
    pair.client.respond(id, &response(200)).unwrap();
    pair.run();
    assert_eq!(answer.take(), 1, "the head");
    pair.response(id).unwrap().unwrap();
    let answer = pending(&mut pair.relay, |relay, context| relay.poll_receive(id, context));
    pair.client.release_sending(id, Code::AppDied);
    pair.run();
    assert_eq!(answer.take(), 1, "a reset");
}

#[test]
fn senders_are_woken() {
    let mut pair = Pair::new();
    let id = pair.opened();
    let send = |relay: &mut Session, context: &mut Context<'_>| {
        relay.poll_send(id, context, &mut Bytes::from(vec![0; 2 * STREAM_WINDOW as usize]))
    };
    let sender = pending(&mut pair.relay, send);
    pair.transmit(Side::Relay);
    assert_eq!(sender.take(), 1, "room in the outbox");

    while pair.relay.streams[&id].send_window > 0 {
        assert!(send(&mut pair.relay, &mut super::pair::idle()).is_pending());
        pair.run();
    }
    let sender = pending(&mut pair.relay, send);
    pair.run();
    assert_eq!(sender.take(), 0, "nobody has read");
    pair.read(Side::Client, id);
    pair.run();
    assert!(sender.take() > 0, "stream credit");

    let stopped = pending(&mut pair.relay, |relay, context| relay.poll_stopped(id, context));
    pair.client.release_receiving(id, Some(Code::AppDied));
    pair.run();
    assert_eq!(stopped.take(), 1, "a stop");
}

#[test]
fn senders_are_woken_by_session_credit() {
    let mut pair = Pair::new();
    let stuck: Vec<_> = (0..SESSION_WINDOW / STREAM_WINDOW).map(|_| pair.opened()).collect();
    for id in &stuck {
        pair.send_all(Side::Relay, *id, &vec![0; STREAM_WINDOW as usize]);
    }
    let ids = [pair.opened(), pair.opened()];
    let senders = ids.map(|id| {
        pending(&mut pair.relay, |relay, context| relay.poll_send(id, context, &mut Bytes::from_static(b"x")))
    });
    for id in stuck {
        pair.client.release_receiving(id, Some(Code::AppDied));
    }
    pair.run();
    for sender in senders {
        assert!(sender.take() > 0);
    }
}

#[test]
fn the_accepting_side_is_woken_when_the_socket_moves_again() {
    let mut pair = Pair::new();
    let mut big = response(200);
    big.headers = [(b"x-fill".as_slice(), vec![b'a'; 32 * 1024].as_slice())].into_iter().collect();
    for _ in 0..HEAD_BUFFER / (32 * 1024) + 8 {
        pair.relay.open(&request("/")).unwrap();
        pair.transmit(Side::Relay);
        while pair.deliver(Side::Client) {}
    }
    while let Some((id, _)) = pair.accept() {
        pair.client.respond(id, &big).unwrap();
    }
    let accept = pending(&mut pair.client, Session::poll_accept);
    pair.transmit(Side::Client);
    assert_eq!(accept.take(), 1);
    pair.accept().unwrap();
}

#[test]
fn a_lost_socket_wakes_everybody() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.client.respond(id, &response(200)).unwrap();
    pair.run();
    let wakes = [
        pending(&mut pair.client, Session::poll_accept),
        pending(&mut pair.client, |client, context| client.poll_receive(id, context)),
        pending(&mut pair.client, |client, context| client.poll_stopped(id, context)),
        pending(&mut pair.client, |client, context| {
            client.poll_send(id, context, &mut Bytes::from(vec![0; 2 * STREAM_WINDOW as usize]))
        }),
    ];
    pair.client.lose();
    assert_eq!(wakes.map(|wakes| wakes.take()), [1; 4]);
}

#[test]
fn the_shell_is_woken_to_close_a_finished_session() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.relay.go_away(Goaway::Stopping);
    pair.relay.send_end(id, &Headers::default());
    pair.client.respond(id, &response(200)).unwrap();
    pair.client.send_end(id, &Headers::default());
    pair.run();
    pair.relay.release_sending(id, Code::SenderGone);
    let shell = pending(&mut pair.relay, Session::poll_transmit);
    pair.relay.release_receiving(id, Some(Code::SenderGone));
    assert_eq!(shell.take(), 1);
    assert!(pair.relay.is_finished());
}
