//! One captured request with everything that is known about it.

use std::{
    fmt,
    ops::Deref,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use uuid::Uuid;

use hookwire_protocol::{
    code::Code,
    head::{RequestHead, ResponseHead},
};
use hookwire_signatures::{Event, Verdict};

/// One captured request with its response, timings, verdict and origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The delivery id: a UUIDv7 that the relay gave the request, or that we gave it for one made here.
    pub id: Uuid,
    /// Why the exchange happened.
    pub origin: Origin,
    /// The public name that the request came in under.
    pub endpoint: Arc<str>,
    /// When the request was received, by the clock of this machine.
    pub received_at: SystemTime,
    /// The request as it was sent, without its body.
    pub request: RequestHead,
    /// What was kept of the request's body.
    pub request_body: CapturedBody,
    /// The answer that went back to the sender, or would have gone had it waited; none if there was nothing to answer with.
    pub response: Option<ResponseHead>,
    /// What was kept of the response's body.
    pub response_body: CapturedBody,
    /// Who wrote the answer that the sender got.
    pub answered_by: AnsweredBy,
    /// The relay answered for the app when the deadline had passed; `response` is what the app said afterwards, to nobody.
    pub late: bool,
    /// What went wrong on the way, as the sender was told; none if nothing did.
    pub error: Option<Code>,
    /// From the request's receipt to its first byte on the way to the app; none if no connection to the app was had.
    pub forwarded: Option<Duration>,
    /// From the request's receipt to the head of the app's answer; none if the app sent none.
    pub first_byte: Option<Duration>,
    /// From the request's receipt to the last byte of the answer.
    pub duration: Duration,
    /// What checking the signature over the raw bytes found.
    pub verdict: Verdict,
    /// What shows the verdict's cause, or what was tried where nothing does; none if there was nothing to look for.
    pub evidence: Option<Evidence>,
    /// What the provider calls this event.
    pub event: Event,
}

impl Exchange {
    /// A request without a body that nobody has received, judged or answered.
    pub fn of(request: RequestHead) -> Self {
        Self {
            id: Uuid::from_bytes(request.id),
            origin: Origin::Live,
            endpoint: "".into(),
            received_at: SystemTime::UNIX_EPOCH,
            request,
            request_body: CapturedBody::default(),
            response: None,
            response_body: CapturedBody::default(),
            answered_by: AnsweredBy::App,
            late: false,
            error: None,
            forwarded: None,
            first_byte: None,
            duration: Duration::ZERO,
            verdict: Verdict::unsigned(),
            evidence: None,
            event: Event::default(),
        }
    }

    /// The status of the answer, 100 to 999; 0 if there was neither an answer nor an error that stands for one.
    pub fn status(&self) -> u16 {
        match (&self.response, self.error) {
            (Some(response), _) => response.status,
            (None, Some(code)) => code.status(),
            (None, None) => 0,
        }
    }

    /// The method, any token.
    pub fn method(&self) -> &[u8] {
        &self.request.method
    }

    /// The path without its query, as sent; `/` if the request named the endpoint and nothing below it.
    pub fn path(&self) -> &[u8] {
        path_of(&self.request.target)
    }

    /// What follows the first `?` of the target, as sent; none without a `?`.
    pub fn query(&self) -> Option<&[u8]> {
        self.request.target.splitn(2, |&byte| byte == b'?').nth(1)
    }
}

/// The path of a target below an endpoint; `/` if the target is empty or only a query.
pub(crate) fn path_of(target: &[u8]) -> &[u8] {
    match target.split(|&byte| byte == b'?').next() {
        None | Some([]) => b"/",
        Some(path) => path,
    }
}

/// Why an exchange happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A sender posted it just now.
    Live,
    /// A sender posted it while the app or this client was away; the relay kept it.
    Held {
        /// When the relay took it in.
        since: SystemTime,
    },
    /// It was sent to the app again from here.
    Replay {
        /// The id of the exchange that was repeated.
        of: Uuid,
    },
    /// It was made here.
    Sent,
}

impl Origin {
    /// The word used on screens and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Held { .. } => "held",
            Self::Replay { .. } => "replay",
            Self::Sent => "sent",
        }
    }
}

/// Who wrote the answer that the sender got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The developer's app.
    App,
    /// The hookwire client, because the app could not answer.
    Client,
    /// The relay, because the client could not answer in time, or by policy.
    Relay,
}

impl AnsweredBy {
    /// The word used on screens and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Client => "client",
            Self::Relay => "relay",
        }
    }
}

/// What was kept of a body.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CapturedBody {
    /// Its first bytes, exactly as they passed, up to the capture's cap.
    ///
    /// `bytes.len() <= length`, always.
    pub bytes: Bytes,
    /// How many bytes passed in all.
    pub length: u64,
    /// The SHA-256 of all of them, where more passed than was kept.
    pub sha256: Option<[u8; 32]>,
}

impl CapturedBody {
    /// Whether more passed than was kept.
    pub fn truncated(&self) -> bool {
        (self.bytes.len() as u64) < self.length
    }
}

impl fmt::Debug for CapturedBody {
    // Bodies hold customers' data and never belong in a log: their size is enough to debug with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedBody")
            .field("kept", &self.bytes.len())
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// What `hookwire_signatures::Diagnosis` says, as text of at most [`Evidence::LONGEST`] bytes. It may quote a few characters of the
/// body.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence(Box<str>);

impl Evidence {
    /// Names of all that can be tried have 600 bytes; URLs and names of fields, which senders choose, may have any number.
    pub const LONGEST: usize = 1024;
}

impl From<String> for Evidence {
    /// What is longer is cut, and ends with `…`.
    fn from(mut text: String) -> Self {
        const CUT: &str = "…";
        if text.len() > Self::LONGEST {
            text.truncate(text.floor_char_boundary(Self::LONGEST - CUT.len()));
            text.push_str(CUT);
        }
        Self(text.into())
    }
}

impl Deref for Evidence {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Evidence {
    // As with bodies: it may quote one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evidence({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_knows_whether_it_was_cut_and_does_not_print_itself() {
        let whole = CapturedBody { bytes: Bytes::from_static(b"secret"), length: 6, sha256: None };
        let cut = CapturedBody { length: 7, ..whole.clone() };
        assert!(!whole.truncated());
        assert!(cut.truncated());
        assert!(!CapturedBody::default().truncated());
        assert_eq!(format!("{cut:?}"), "CapturedBody { kept: 6, length: 7, .. }");
    }

    #[test]
    fn evidence_is_cut_between_characters_and_does_not_print_itself() {
        let long = "é".repeat(Evidence::LONGEST);
        let cut = Evidence::from(long.clone());
        assert!(cut.len() <= Evidence::LONGEST && cut.ends_with("é…") && long.starts_with(cut.trim_end_matches('…')));
        let whole = "é".repeat(Evidence::LONGEST / 2);
        assert_eq!(*Evidence::from(whole.clone()), *whole);
        assert_eq!(format!("{:?}", Evidence::from("secret".to_owned())), "Evidence(6 bytes)");
    }
}
