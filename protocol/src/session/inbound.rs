//! What the peer's frames mean.

use std::time::Instant;

use bytes::Bytes;

use super::{ProtocolError, Session, Side, stream::Stream, wake};
use crate::{
    frame::{Frame, StreamId},
    head::{Headers, RequestHead, ResponseHead},
    limits,
};

impl Session {
    pub(super) fn handle_frame(&mut self, frame: Frame, now: Instant) -> Result<(), ProtocolError> {
        match frame {
            Frame::Head(id, payload) => match self.side {
                Side::Client => self.handle_request(id, RequestHead::decode(payload)?),
                Side::Relay => self.handle_response(id, ResponseHead::decode(payload)?),
            },
            Frame::Data(id, data) => self.handle_data(id, data),
            Frame::End(id, trailers) => {
                let trailers = Headers::decode(trailers)?;
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.received_end(trailers).map_err(|()| ProtocolError::State(id))?;
                    if stream.is_done() {
                        self.forget(id);
                    }
                }
                Ok(())
            }
            Frame::Reset(id, scope, code) => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.received_reset(scope, code);
                    if stream.is_done() {
                        self.forget(id);
                    }
                } else {
                    self.refused.retain(|refused| *refused != id); // its sender went away before it was told
                }
                Ok(())
            }
            Frame::Window(id, credit) => self.handle_window(id, credit),
            Frame::Ping(nonce) => {
                self.pong = Some(nonce);
                self.outbox.wake();
                Ok(())
            }
            Frame::Pong(nonce) => {
                if let Some(ping) = self.ping.take_if(|ping| ping.nonce == nonce) {
                    self.round_trip = Some(now.saturating_duration_since(ping.sent));
                }
                Ok(())
            }
            Frame::Goaway(reason) => {
                self.goaway_received.get_or_insert(reason);
                self.go_away(reason);
                Ok(())
            }
            Frame::Answered(id, status) => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.answered.get_or_insert(status);
                }
                Ok(())
            }
            Frame::Notice(json) => {
                self.notice = Some(json);
                wake(&mut self.notice_waker);
                Ok(())
            }
            Frame::Hello(_) | Frame::Welcome(_) | Frame::Refusal(_) => Err(ProtocolError::State(0)),
            Frame::Unknown => Ok(()),
        }
    }

    fn handle_request(&mut self, id: StreamId, head: RequestHead) -> Result<(), ProtocolError> {
        if id < self.next || id == StreamId::MAX {
            return Err(ProtocolError::State(id));
        }
        self.next = id + 1;
        if self.streams.len() >= limits::STREAMS {
            return self.refuse(id);
        }
        self.streams.insert(id, Stream::new());
        self.incoming.push_back((id, head));
        wake(&mut self.accept_waker);
        Ok(())
    }

    /// The relay counts a stream as gone once its sender has left, we only once its owners here have let go: its next one is
    /// too much for us, and no fault of its own. But it can't have more refused ones open than it may have streams.
    fn refuse(&mut self, id: StreamId) -> Result<(), ProtocolError> {
        if self.refused.len() >= limits::STREAMS {
            return Err(ProtocolError::Streams);
        }
        self.refused.push(id);
        self.outbox.wake();
        Ok(())
    }

    fn handle_response(&mut self, id: StreamId, head: ResponseHead) -> Result<(), ProtocolError> {
        match self.streams.get_mut(&id) {
            Some(stream) => stream.received_response(head).map_err(|()| ProtocolError::State(id)),
            None => Ok(()), // answered after its sender went away
        }
    }

    fn handle_data(&mut self, id: StreamId, data: Bytes) -> Result<(), ProtocolError> {
        let length = data.len() as u32; // at most FRAME_PAYLOAD
        self.receive_window = self.receive_window.checked_sub(length).ok_or(ProtocolError::Overrun)?;
        let kept = match self.streams.get_mut(&id) {
            Some(stream) => stream.received_data(id, data)?,
            None => false,
        };
        // Also when it was kept: the peer now has less left than before.
        self.give_back(id, None, if kept { 0 } else { length });
        Ok(())
    }

    fn handle_window(&mut self, id: StreamId, credit: u32) -> Result<(), ProtocolError> {
        if id == 0 {
            self.send_window = self.send_window.checked_add(credit).ok_or(ProtocolError::Overflow)?;
            self.wake_waiting();
        } else if let Some(stream) = self.streams.get_mut(&id) {
            stream.received_window(credit)?;
        }
        Ok(())
    }
}
