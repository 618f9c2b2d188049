//! Frames: the units that a message is packed from.
//!
//! A frame is `kind: u8`, `stream: u32`, `length: u32` (big-endian) and `length` bytes of payload. A WebSocket message holds
//! whole frames, as many as were ready.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::{
    code::Code,
    limits::{FRAME_HEADER, FRAME_PAYLOAD},
};

/// A stream's number. Streams are opened by the relay, counted up from 1 and never reused; 0 is the session itself.
pub type StreamId = u32;

/// The kind byte of each frame.
pub(crate) mod kind {
    pub(crate) const HELLO: u8 = 1;
    pub(crate) const WELCOME: u8 = 2;
    pub(crate) const REFUSAL: u8 = 3;
    pub(crate) const HEAD: u8 = 4;
    pub(crate) const DATA: u8 = 5;
    pub(crate) const END: u8 = 6;
    pub(crate) const RESET: u8 = 7;
    pub(crate) const WINDOW: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
    pub(crate) const GOAWAY: u8 = 11;
    pub(crate) const ANSWERED: u8 = 12;
    pub(crate) const NOTICE: u8 = 13;
}

/// Which direction of a stream a reset ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Its sender will not read any more: the peer need not send the rest.
    Stop,
    /// Its sender will not send the rest: what came so far is not whole.
    Abort,
    /// Both.
    Both,
}

/// Why a side ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Goaway {
    /// It is stopping. A client dials again, with patience.
    Stopping,
    /// Another client with the same token took the endpoint over.
    Replaced,
    /// The token was revoked.
    Revoked,
    /// The peer broke the protocol.
    Protocol,
    /// A reason of a newer version.
    Other,
}

impl Goaway {
    const fn wire(self) -> u8 {
        match self {
            Self::Stopping => 1,
            Self::Replaced => 2,
            Self::Revoked => 3,
            Self::Protocol => 4,
            Self::Other => 0,
        }
    }

    const fn from_wire(wire: u8) -> Self {
        match wire {
            1 => Self::Stopping,
            2 => Self::Replaced,
            3 => Self::Revoked,
            4 => Self::Protocol,
            _ => Self::Other,
        }
    }
}

impl std::fmt::Display for Goaway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stopping => "one side stops",
            Self::Replaced => "another client took over",
            Self::Revoked => "the token was revoked",
            Self::Protocol => "one side broke the protocol",
            Self::Other => "for a reason of a newer version",
        })
    }
}

/// One frame. Payloads are slices of the message they came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A client introduces itself (JSON).
    Hello(Bytes),
    /// The relay takes it (JSON).
    Welcome(Bytes),
    /// The relay does not (JSON).
    Refusal(Bytes),
    /// A request or response head: opens a stream, or answers it.
    Head(StreamId, Bytes),
    /// A piece of a body.
    Data(StreamId, Bytes),
    /// The body is whole; the payload is its trailers.
    End(StreamId, Bytes),
    /// A direction ends before its end.
    Reset(StreamId, Scope, Code),
    /// Credit for a stream, or with 0 for the session.
    Window(StreamId, u32),
    /// Are you there?
    Ping(u64),
    /// I am.
    Pong(u64),
    /// No new streams from here on; the session ends when those in flight are done.
    Goaway(Goaway),
    /// The stream's sender has had an answer of the relay's own, with this status: the app's will be late.
    Answered(StreamId, u16),
    /// What the relay holds now (JSON).
    Notice(Bytes),
    /// A kind of a newer version: ignored.
    Unknown,
}

/// Why bytes are no frame: a peer with a bug, or a hostile one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The message ends in the middle of a frame.
    #[error("message ends in the middle of a frame")]
    Truncated,
    /// A payload beyond [`FRAME_PAYLOAD`].
    #[error("frame payload of {0} bytes is over the limit of {FRAME_PAYLOAD}")]
    TooLong(usize),
    /// A payload that its kind can't have.
    #[error("frame of kind {0} has a payload of the wrong form")]
    Payload(u8),
}

impl Frame {
    /// Takes the next frame off a message; `None` at its end.
    pub fn take(message: &mut Bytes) -> Result<Option<Self>, FrameError> {
        if message.is_empty() {
            return Ok(None);
        }
        let header: &[u8; FRAME_HEADER] = message.first_chunk().ok_or(FrameError::Truncated)?;
        let [kind, a, b, c, d, length @ ..] = *header;
        let (stream, length) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(length) as usize);
        if length > FRAME_PAYLOAD {
            return Err(FrameError::TooLong(length));
        }
        message.advance(FRAME_HEADER);
        if length > message.len() {
            return Err(FrameError::Truncated);
        }
        Self::read(kind, stream, message.split_to(length)).map(Some).ok_or(FrameError::Payload(kind))
    }

    fn read(kind: u8, stream: StreamId, mut payload: Bytes) -> Option<Self> {
        Some(match kind {
            kind::HELLO => Self::Hello(payload),
            kind::WELCOME => Self::Welcome(payload),
            kind::REFUSAL => Self::Refusal(payload),
            kind::HEAD => Self::Head(stream, payload),
            kind::DATA => Self::Data(stream, payload),
            kind::END => Self::End(stream, payload),
            kind::RESET => {
                let [scope, code] = *payload.first_chunk()?;
                let scope = match scope {
                    1 => Scope::Stop,
                    2 => Scope::Abort,
                    3 => Scope::Both,
                    _ => return None,
                };
                Self::Reset(stream, scope, Code::from_wire(code).unwrap_or(Code::Internal))
            }
            kind::WINDOW => Self::Window(stream, payload.try_get_u32().ok()?),
            kind::PING => Self::Ping(payload.try_get_u64().ok()?),
            kind::PONG => Self::Pong(payload.try_get_u64().ok()?),
            kind::GOAWAY => Self::Goaway(Goaway::from_wire(payload.try_get_u8().ok()?)),
            kind::ANSWERED => Self::Answered(stream, payload.try_get_u16().ok()?),
            kind::NOTICE => Self::Notice(payload),
            _ => Self::Unknown,
        })
    }

    /// Appends the encoded frame.
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Hello(payload) => put(out, kind::HELLO, 0, payload),
            Self::Welcome(payload) => put(out, kind::WELCOME, 0, payload),
            Self::Refusal(payload) => put(out, kind::REFUSAL, 0, payload),
            Self::Head(stream, payload) => put(out, kind::HEAD, *stream, payload),
            Self::Data(stream, payload) => put(out, kind::DATA, *stream, payload),
            Self::End(stream, payload) => put(out, kind::END, *stream, payload),
            Self::Reset(stream, scope, code) => {
                let scope = match scope {
                    Scope::Stop => 1,
                    Scope::Abort => 2,
                    Scope::Both => 3,
                };
                put(out, kind::RESET, *stream, &[scope, code.wire()]);
            }
            Self::Window(stream, credit) => put(out, kind::WINDOW, *stream, &credit.to_be_bytes()),
            Self::Ping(nonce) => put(out, kind::PING, 0, &nonce.to_be_bytes()),
            Self::Pong(nonce) => put(out, kind::PONG, 0, &nonce.to_be_bytes()),
            Self::Goaway(reason) => put(out, kind::GOAWAY, 0, &[reason.wire()]),
            Self::Answered(stream, status) => put(out, kind::ANSWERED, *stream, &status.to_be_bytes()),
            Self::Notice(payload) => put(out, kind::NOTICE, 0, payload),
            Self::Unknown => {}
        }
    }
}

/// Appends a frame whose payload is at hand.
pub(crate) fn put(out: &mut BytesMut, kind: u8, stream: StreamId, payload: &[u8]) {
    out.reserve(FRAME_HEADER + payload.len());
    out.put_u8(kind);
    out.put_u32(stream);
    out.put_u32(payload.len() as u32);
    out.put_slice(payload);
}

/// Appends a frame whose payload is written by `write`, without an intermediate buffer.
pub(crate) fn put_with(out: &mut BytesMut, kind: u8, stream: StreamId, write: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    put(out, kind, stream, &[]);
    write(out);
    let length = (out.len() - start - FRAME_HEADER) as u32;
    out[start + FRAME_HEADER - 4..start + FRAME_HEADER].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(frame: &Frame) -> Bytes {
        let mut out = BytesMut::new();
        frame.encode(&mut out);
        out.freeze()
    }

    fn raw(kind: u8, stream: StreamId, payload: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        put(&mut out, kind, stream, payload);
        out.freeze()
    }

    #[test]
    fn every_frame_reads_back() {
        let payload = Bytes::from_static(b"payload");
        let mut frames = vec![
            Frame::Hello(payload.clone()),
            Frame::Welcome(payload.clone()),
            Frame::Refusal(payload.clone()),
            Frame::Head(1, payload.clone()),
            Frame::Data(u32::MAX, Bytes::new()),
            Frame::End(2, payload),
            Frame::Window(0, u32::MAX),
            Frame::Ping(u64::MAX),
            Frame::Pong(0),
            Frame::Answered(4, 202),
            Frame::Notice(Bytes::from_static(b"{}")),
        ];
        for scope in [Scope::Stop, Scope::Abort, Scope::Both] {
            frames.extend(Code::ALL.iter().map(|code| Frame::Reset(3, scope, *code)));
        }
        for reason in [Goaway::Stopping, Goaway::Replaced, Goaway::Revoked, Goaway::Protocol, Goaway::Other] {
            frames.push(Frame::Goaway(reason));
        }
        let mut message: Bytes = frames.iter().flat_map(encoded).collect();
        for frame in frames {
            assert_eq!(Frame::take(&mut message), Ok(Some(frame)));
        }
        assert_eq!(Frame::take(&mut message), Ok(None));
    }

    #[test]
    fn what_a_newer_peer_may_add_is_passed_over() {
        assert_eq!(Frame::take(&mut raw(200, 7, b"new")), Ok(Some(Frame::Unknown)));
        assert_eq!(encoded(&Frame::Unknown).len(), 0);
        assert_eq!(Frame::take(&mut raw(kind::PING, 0, &[0; 12])), Ok(Some(Frame::Ping(0))));
        assert_eq!(Frame::take(&mut raw(kind::GOAWAY, 0, &[99])), Ok(Some(Frame::Goaway(Goaway::Other))));
        let reset = Frame::Reset(1, Scope::Stop, Code::Internal);
        assert_eq!(Frame::take(&mut raw(kind::RESET, 1, &[1, 250])), Ok(Some(reset)));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let whole = encoded(&Frame::Data(1, Bytes::from_static(b"abc")));
        for length in 1..whole.len() {
            assert_eq!(Frame::take(&mut whole.slice(..length)), Err(FrameError::Truncated), "{length}");
        }
        let mut long = BytesMut::from(&[kind::DATA, 0, 0, 0, 1][..]);
        long.put_u32(FRAME_PAYLOAD as u32 + 1);
        assert_eq!(Frame::take(&mut long.freeze()), Err(FrameError::TooLong(FRAME_PAYLOAD + 1)));
        for (kind, payload) in [
            (kind::RESET, &[1][..]),
            (kind::RESET, &[0, 1]),
            (kind::RESET, &[4, 1]),
            (kind::WINDOW, &[0; 3]),
            (kind::PING, &[0; 7]),
            (kind::PONG, &[]),
            (kind::GOAWAY, &[]),
            (kind::ANSWERED, &[202]),
        ] {
            assert_eq!(Frame::take(&mut raw(kind, 1, payload)), Err(FrameError::Payload(kind)));
        }
    }
}
