//! How a stream ends early, and how a session breaks.

use crate::{
    code::Code,
    frame::{FrameError, StreamId},
    head::HeadError,
    limits,
};

/// A stream ended before its end, or can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stream was reset: {0}")]
pub struct Reset(pub Code);

/// What a peer did that the protocol forbids. The session can't go on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A frame that is none.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A head that can't be read.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// More data than there was credit for.
    #[error("peer sent more data than it had credit for")]
    Overrun,
    /// Credit beyond what a window can hold.
    #[error("peer gave more credit than a window can hold")]
    Overflow,
    /// A frame that does not fit the stream's state.
    #[error("frame does not fit the state of stream {0}")]
    State(StreamId),
    /// More streams than agreed.
    #[error("peer opened more than {} streams", limits::STREAMS)]
    Streams,
    /// Silence for longer than [`limits::DEAD_AFTER`], or no answer to a probe.
    #[error("peer has been silent for too long")]
    Silent,
}
