//! What the fuzz targets call. A broken promise panics: that is how a fuzzer learns of it.
//!
//! The tests below call the same functions with random bytes and with damaged valid ones, so that every run of the test suite fuzzes a
//! little, without a nightly compiler.

use std::{
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    code::Code,
    frame::Frame,
    head::{BodyLength, Headers, HttpVersion, RequestHead, ResponseHead},
    hello::{Hello, Reply},
    limits,
    session::{Session, Side},
};

/// Bit of a step's number that says: read all bodies after this message.
const READ: u16 = 0x8000;

/// Bit of a step's number that says: send everything after this message.
const TRANSMIT: u16 = 0x4000;

/// Streams that are open when the first message comes.
const OPEN: u32 = 4;

/// A message: each frame in it means the same after being written and read again, and takes no more room.
pub fn fuzz_frames(data: &[u8]) {
    let mut message = Bytes::copy_from_slice(data);
    loop {
        let before = message.len();
        let Ok(Some(frame)) = Frame::take(&mut message) else { return };
        let mut written = BytesMut::new();
        frame.encode(&mut written);
        assert!(written.len() <= before - message.len(), "{frame:?} grew");
        let again = Frame::take(&mut written.freeze());
        assert_eq!(again, Ok((frame != Frame::Unknown).then_some(frame)));
    }
}

/// A head, read as a request and as a response.
pub fn fuzz_head(data: &[u8]) {
    if let Ok(head) = RequestHead::decode(Bytes::copy_from_slice(data)) {
        let mut written = BytesMut::new();
        head.encode(&mut written);
        assert_eq!(written, data, "a request head has one form");
        assert_eq!(head.encoded_length(), data.len());
        assert_eq!(head.headers.iter().count(), head.headers.len());
        assert!(head.target.starts_with(head.path()));
    }
    if let Ok(head) = ResponseHead::decode(Bytes::copy_from_slice(data)) {
        let mut written = BytesMut::new();
        head.encode(&mut written);
        assert_eq!(head.encoded_length(), data.len());
        assert_eq!(ResponseHead::decode(written.freeze()), Ok(head));
    }
}

/// The first message of either side: as a whole message, and as its JSON alone.
pub fn fuzz_hello(data: &[u8]) {
    let message = Bytes::copy_from_slice(data);
    let json = |frame: fn(Bytes) -> Frame| {
        let mut out = BytesMut::new();
        frame(message.clone()).encode(&mut out);
        out.freeze()
    };
    for message in [message.clone(), json(Frame::Hello)] {
        let Ok(hello) = Hello::parse(message) else { continue };
        if let Ok(message) = hello.message()
            && fits(&message)
        {
            assert_eq!(Hello::parse(message).ok().as_ref(), Some(&hello));
        }
        if let Err(refusal) = hello.agree() {
            check_reply(&Reply::Refusal(refusal));
        }
    }
    for message in [message.clone(), json(Frame::Welcome), json(Frame::Refusal)] {
        if let Ok(reply) = Reply::parse(message) {
            check_reply(&reply);
        }
    }
}

fn check_reply(reply: &Reply) {
    if let Ok(message) = reply.message()
        && fits(&message)
    {
        assert_eq!(Reply::parse(message).ok().as_ref(), Some(reply));
    }
}

/// Defaults are written out, so that a document just below the limit may grow beyond it.
fn fits(message: &Bytes) -> bool {
    message.len() <= limits::FRAME_HEADER + limits::FRAME_PAYLOAD
}

/// Messages for a session of either side with some streams open. `data` is a list of steps: a number (two bytes: `READ`, `TRANSMIT`
/// and a length below them) and a message of that length.
pub fn fuzz_session(data: &[u8]) {
    let (relay, client) = opened();
    play(relay, data);
    play(client, data);
}

/// Two sessions with `OPEN` streams between them: one untouched, one answered, one with its request at its end, and one let go.
fn opened() -> (Session, Session) {
    let now = Instant::now();
    let (mut relay, mut client) = (Session::new(Side::Relay, now), Session::new(Side::Client, now));
    let mut context = Context::from_waker(Waker::noop());
    let none = Headers::default();
    let request = RequestHead {
        id: [0; 16],
        received_at: 0,
        version: HttpVersion::Http11,
        body: BodyLength::Unknown,
        method: Bytes::from_static(b"POST"),
        target: Bytes::new(),
        headers: none.clone(),
    };
    let response = ResponseHead {
        status: 200,
        version: HttpVersion::Http11,
        error: None,
        body: BodyLength::Unknown,
        reason: None,
        headers: none.clone(),
    };
    for _ in 0..OPEN {
        assert!(relay.open(&request).is_ok());
    }
    while let Poll::Ready(message) = relay.poll_transmit(&mut context) {
        assert_eq!(client.handle_message(message, now), Ok(()));
    }
    while client.poll_accept(&mut context).is_ready() {}
    assert_eq!(client.respond(2, &response), Ok(()));
    relay.send_end(3, &none);
    client.send_end(3, &none);
    for session in [&mut relay, &mut client] {
        session.release_receiving(4, Some(Code::SenderGone));
        session.release_sending(4, Code::AppDied);
    }
    (relay, client)
}

fn play(mut session: Session, mut data: &[u8]) {
    let now = Instant::now();
    let mut context = Context::from_waker(Waker::noop());
    let mut fed = 0;
    let mut sent = 0;
    while data.len() >= 2 {
        let step = data.get_u16();
        let length = data.len().min(usize::from(step & !(READ | TRANSMIT)));
        let message = Bytes::copy_from_slice(&data[..length]);
        data.advance(length);
        fed += length;
        if session.handle_message(message, now).is_err() {
            return;
        }
        assert!(session.in_flight() <= limits::STREAMS);
        if step & READ != 0 {
            read(&mut session, &mut context);
        }
        while step & TRANSMIT != 0
            && let Poll::Ready(message) = session.poll_transmit(&mut context)
        {
            sent += message.len();
        }
    }
    // Every frame of a peer causes at most one short one of ours; the constant is what `opened` left behind.
    assert!(sent <= 2 * fed + 1024, "{sent} bytes in answer to {fed}");
    session.lose();
    for id in 1..=OPEN {
        assert!(session.poll_stopped(id, &mut context).is_ready() || id == 3, "stream {id} goes on");
    }
}

fn read(session: &mut Session, context: &mut Context<'_>) {
    while session.poll_accept(context).is_ready() {}
    for id in 1..=OPEN {
        let _ = session.poll_response(id, context);
        while let Poll::Ready(Some(Ok(_))) = session.poll_receive(id, context) {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        frame::{Goaway, Scope},
        hello::{Answer, Backlog, Refusal, Welcome, WhenAway, Wishes},
    };

    fn headers() -> Headers {
        [(b"host".as_slice(), b"a.example".as_slice()), (b"x-raw", b"\xff\t\x80"), (b"x-raw", b"")]
            .into_iter()
            .collect()
    }

    fn heads() -> [Vec<u8>; 2] {
        let request = RequestHead {
            id: [9; 16],
            received_at: 1,
            version: HttpVersion::Http2,
            body: BodyLength::Sized(3),
            method: Bytes::from_static(b"PUT"),
            target: Bytes::from_static(b"/a?b"),
            headers: headers(),
        };
        let response = ResponseHead {
            status: 404,
            version: HttpVersion::Http10,
            error: Some(Code::AppRefused),
            body: BodyLength::Unknown,
            reason: Some(Bytes::from_static(b"Gone \xe9")),
            headers: headers(),
        };
        let (mut first, mut second) = (BytesMut::new(), BytesMut::new());
        request.encode(&mut first);
        response.encode(&mut second);
        [first.to_vec(), second.to_vec()]
    }

    fn hellos() -> [Vec<u8>; 3] {
        let name = || "shop".to_owned();
        let wishes = Wishes { answer: Some(Answer::Hybrid), when_away: Some(WhenAway::Hold), ..Wishes::default() };
        let hello = Hello {
            versions: vec![1, 2],
            features: vec![name()],
            agent: name(),
            instance: name(),
            endpoint: name(),
            wishes: Some(wishes),
            finished: vec![name()],
        };
        let welcome = Welcome {
            version: 1,
            features: vec![],
            agent: name(),
            endpoint: name(),
            public_url: Some(name()),
            agreed: None,
            backlog: Some(Backlog { left_ms: Some(1), ..Backlog::default() }),
        };
        let refusal = Refusal { code: name(), message: name(), hint: None, retry: true };
        [hello.message(), Reply::Welcome(welcome).message(), Reply::Refusal(refusal).message()]
            .map(|message| message.unwrap().to_vec())
    }

    fn frames() -> Vec<Vec<u8>> {
        let [request, response] = heads().map(Bytes::from);
        let trailers = Bytes::copy_from_slice(headers().encoded());
        let frames = [
            Frame::Head(5, request.clone()),
            Frame::Head(6, request),
            Frame::Head(1, response.clone()),
            Frame::Head(2, response),
            Frame::Data(1, Bytes::from_static(b"body")),
            Frame::Data(2, Bytes::from_static(&[7; 5000])),
            Frame::Data(3, Bytes::new()),
            Frame::End(1, trailers.clone()),
            Frame::End(2, trailers),
            Frame::Reset(1, Scope::Stop, Code::SenderGone),
            Frame::Reset(2, Scope::Abort, Code::AppDied),
            Frame::Reset(5, Scope::Both, Code::Overloaded),
            Frame::Window(0, 70_000),
            Frame::Window(1, 70_000),
            Frame::Ping(1),
            Frame::Pong(1),
            Frame::Goaway(Goaway::Stopping),
            Frame::Answered(1, 202),
            Frame::Notice(Bytes::from_static(b"{}")),
        ];
        let encode = |frame: &Frame| {
            let mut out = BytesMut::new();
            frame.encode(&mut out);
            out.to_vec()
        };
        frames.iter().map(encode).collect()
    }

    /// Some of `parts` in any order, and a few bytes of the whole changed, or its tail cut off.
    fn damaged(parts: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
        let whole = prop::collection::vec(prop::sample::select(parts), 1..20).prop_map(|parts| parts.concat());
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
        let cut = prop::option::weighted(0.3, any::<prop::sample::Index>());
        (whole, changes, cut).prop_map(|(mut whole, changes, cut)| {
            for (index, byte) in changes {
                let index = index.index(whole.len());
                whole[index] = byte;
            }
            if let Some(cut) = cut {
                whole.truncate(cut.index(whole.len()));
            }
            whole
        })
    }

    /// Steps for [`fuzz_session`] out of frames.
    fn steps() -> impl Strategy<Value = Vec<u8>> {
        let step = (damaged(frames()), any::<u16>()).prop_map(|(mut message, flags)| {
            message.truncate(usize::from(!(READ | TRANSMIT)));
            let number = (flags & (READ | TRANSMIT)) | message.len() as u16;
            [number.to_be_bytes().to_vec(), message].concat()
        });
        prop::collection::vec(step, 1..12).prop_map(|steps| steps.concat())
    }

    fn noise() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..600)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn frames_keep_their_promise(data in prop_oneof![noise(), damaged(frames())]) {
            fuzz_frames(&data);
        }

        #[test]
        fn heads_keep_their_promise(data in prop_oneof![noise(), damaged(heads().into()), damaged(heads()[..1].into())]) {
            fuzz_head(&data);
        }

        #[test]
        fn hellos_keep_their_promise(data in prop_oneof![noise(), damaged(hellos().into())]) {
            fuzz_hello(&data);
            fuzz_hello(data.get(limits::FRAME_HEADER..).unwrap_or_default());
        }

        #[test]
        fn sessions_keep_their_promise(data in prop_oneof![1 => noise(), 4 => steps()]) {
            fuzz_session(&data);
        }
    }

    #[test]
    fn valid_input_passes() {
        for head in heads() {
            fuzz_head(&head);
        }
        for hello in hellos() {
            fuzz_hello(&hello);
        }
        fuzz_frames(&frames().concat());
    }
}
