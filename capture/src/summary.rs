//! What a list shows of an exchange.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use uuid::Uuid;

use hookwire_protocol::code::Code;
use hookwire_signatures::{Event, Verdict};

use crate::{Amount, AnsweredBy, Origin};

/// What a list shows of an exchange, without its headers and bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its place in the store: ascending in order of arrival there, never reused.
    pub row: u64,
    /// The delivery id. A webhook that was delivered again has it again, in another row.
    pub id: Uuid,
    /// Why the exchange happened.
    pub origin: Origin,
    /// The public name that the request came in under.
    pub endpoint: Arc<str>,
    /// When the request was received, in whole microseconds.
    pub received_at: SystemTime,
    /// The method, any token.
    pub method: Bytes,
    /// The target below the endpoint as sent, with its query.
    pub target: Bytes,
    /// The status of the answer, as in [`Exchange::status`](crate::Exchange::status).
    pub status: u16,
    /// Who wrote the answer that the sender got.
    pub answered_by: AnsweredBy,
    /// What went wrong on the way; none if nothing did.
    pub error: Option<Code>,
    /// Whether the app's answer came after the relay's.
    pub late: bool,
    /// From the request's receipt to the last byte of the answer, in whole microseconds.
    pub duration: Duration,
    /// What checking the signature found.
    pub verdict: Verdict,
    /// What the provider calls this event.
    pub event: Event,
    /// The money that the event is about, where its provider is known to say so.
    pub amount: Option<Amount>,
    /// How many exchanges with the same provider and event id had been stored before it; replays neither count nor are counted.
    pub repeats: u32,
    /// How long the request's body was, kept or not.
    pub request_length: u64,
    /// How long the response's body was, kept or not.
    pub response_length: u64,
    /// What a person wrote beside it.
    pub note: Option<String>,
}
