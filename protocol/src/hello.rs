//! Who talks to whom: the first message each way, as JSON.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::{
    frame::{Frame, FrameError},
    limits::VERSION,
};

/// The feature of answer policies: its members in hello and welcome, and the frames `answered` and `notice`.
pub const DELIVERY: &str = "delivery";

/// Ids in a hello at most: 512 take 20 KB of the 64 KiB that its frame has, and are more than a session has in flight unless its app stands still.
pub const FINISHED: usize = 512;

/// Versions that a refusal names: the list is the client's, and a refusal must fit its frame.
const SHOWN: usize = 8;

/// A client introduces itself: the first message of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol versions it speaks.
    pub versions: Vec<u16>,
    /// What it can do beyond its version. Unknown names are ignored.
    #[serde(default)]
    pub features: Vec<String>,
    /// Its name and version, for logs.
    pub agent: String,
    /// A random number of the process: tells a reconnect from a second client.
    pub instance: String,
    /// The endpoint it wants.
    pub endpoint: String,
    /// How the endpoint's webhooks should be answered. They count while no client is connected, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wishes: Option<Wishes>,
    /// The ids of deliveries that the app has taken: the last [`FINISHED`] of them at most. The relay need not send them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finished: Vec<String>,
}

/// How a client wants its endpoint's webhooks to be answered. What is absent is the relay's to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// Who answers the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// How long a `hybrid` relay waits for the app's answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u32>,
    /// What happens while no client is connected, or the app takes no connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_away: Option<WhenAway>,
    /// One webhook at a time, in the order they came.
    #[serde(default)]
    pub ordered: bool,
}

/// Who answers the sender of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Answer {
    /// The app, or nobody: the sender sees what the app says and when.
    App,
    /// The relay, once it has written the webhook down.
    Relay,
    /// The app if it answers within the deadline, else the relay.
    Hybrid,
    /// A wish of a newer version: the relay chooses.
    #[serde(other)]
    Other,
}

/// What happens to a webhook that can't be brought to the app now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WhenAway {
    /// The relay writes it down, answers 202, and delivers it later.
    Hold,
    /// The sender is refused with 503, and tries again.
    Refuse,
    /// A wish of a newer version: the relay chooses.
    #[serde(other)]
    Other,
}

/// The relay takes the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version both will speak.
    pub version: u16,
    /// The features both have.
    #[serde(default)]
    pub features: Vec<String>,
    /// The relay's name and version, for logs.
    pub agent: String,
    /// The endpoint that is now the client's.
    pub endpoint: String,
    /// Where it is reached, when the relay knows its own public address; else the client's own view of the relay counts.
    #[serde(default)]
    pub public_url: Option<String>,
    /// What counts from here on: the client's wishes within the relay's limits. A relay that says nothing passes on the app's answers, and holds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Agreed>,
    /// What the relay has for this endpoint, and what happened since its last session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<Backlog>,
}

/// How the endpoint's webhooks are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Who answers.
    pub answer: Answer,
    /// How long a `hybrid` relay waits for the app, in milliseconds.
    pub deadline_ms: u32,
    /// What happens while the app or its client is away.
    pub when_away: WhenAway,
    /// One webhook at a time, in the order they came.
    #[serde(default)]
    pub ordered: bool,
}

/// What a relay holds for an endpoint. The welcome says it once, and a notice whenever it changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backlog {
    /// Webhooks that were answered with 202 and not delivered yet.
    pub held: u64,
    /// Those that are tried no more, and wait for a person.
    pub parked: u64,
    /// Of those that were held when the session began, how many the app has taken since.
    pub delivered: u64,
    /// Whether it is delivering. If not, all that is left waits: for its next try, for the app, or for a person.
    pub delivering: bool,
    /// Until those are delivered, in milliseconds, when the relay can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_ms: Option<u64>,
    /// In the welcome alone: how long the endpoint was without a session, in milliseconds. Absent if the relay does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away_ms: Option<u64>,
    /// In the welcome alone: webhooks that were refused in that time.
    #[serde(skip_serializing_if = "is_zero")]
    pub refused: u64,
}

impl Backlog {
    /// The payload of a notice.
    pub fn encoded(&self) -> Bytes {
        // Numbers under fixed names always make JSON.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Reads the payload of a notice; none of one that has another form.
    pub fn decode(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The relay does not take the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// A stable name for the reason: one of the constants of this type.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    #[serde(default)]
    pub hint: Option<String>,
    /// Whether trying again later can succeed.
    pub retry: bool,
}

impl Refusal {
    /// No version in common.
    pub const VERSION: &'static str = "version-unsupported";
    /// The endpoint belongs to another token.
    pub const ENDPOINT_TAKEN: &'static str = "endpoint-taken";
    /// The endpoint's name is not allowed.
    pub const ENDPOINT_NAME: &'static str = "endpoint-name";
    /// The relay is stopping.
    pub const STOPPING: &'static str = "stopping";
    /// The relay can't keep more, or can't write down whose the endpoint is.
    pub const UNAVAILABLE: &'static str = "unavailable";
}

/// What the relay answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Come in.
    Welcome(Welcome),
    /// No.
    Refusal(Refusal),
}

/// Why a first message can't be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// Not a frame.
    #[error("the first message is no frame: {0}")]
    Frame(#[from] FrameError),
    /// Another frame than the one that must come first.
    #[error("the first message is not a hello")]
    Unexpected,
    /// Not the JSON that it should be.
    #[error("the first message has the wrong form: {0}")]
    Json(#[from] serde_json::Error),
}

impl Hello {
    /// The message to send.
    pub fn message(&self) -> Result<Bytes, HelloError> {
        Ok(message(&Frame::Hello(serde_json::to_vec(self)?.into())))
    }

    /// Reads the client's first message.
    pub fn parse(mut message: Bytes) -> Result<Self, HelloError> {
        match Frame::take(&mut message)? {
            Some(Frame::Hello(json)) => Ok(serde_json::from_slice(&json)?),
            _ => Err(HelloError::Unexpected),
        }
    }

    /// The version to speak, or the refusal to answer with.
    pub fn agree(&self) -> Result<u16, Refusal> {
        if self.versions.contains(&VERSION) {
            return Ok(VERSION);
        }
        let older = self.versions.iter().all(|version| *version < VERSION);
        let shown = &self.versions[..self.versions.len().min(SHOWN)];
        Err(Refusal {
            code: Refusal::VERSION.into(),
            message: format!("the relay speaks protocol version {VERSION}, this client {shown:?}"),
            hint: Some(if older { "update hookwire on this machine" } else { "update hookwire on the relay" }.into()),
            retry: false,
        })
    }
}

impl Reply {
    /// The message to send.
    pub fn message(&self) -> Result<Bytes, HelloError> {
        Ok(message(&match self {
            Self::Welcome(welcome) => Frame::Welcome(serde_json::to_vec(welcome)?.into()),
            Self::Refusal(refusal) => Frame::Refusal(serde_json::to_vec(refusal)?.into()),
        }))
    }

    /// Reads the relay's first message.
    pub fn parse(mut message: Bytes) -> Result<Self, HelloError> {
        match Frame::take(&mut message)? {
            Some(Frame::Welcome(json)) => Ok(Self::Welcome(serde_json::from_slice(&json)?)),
            Some(Frame::Refusal(json)) => Ok(Self::Refusal(serde_json::from_slice(&json)?)),
            _ => Err(HelloError::Unexpected),
        }
    }
}

fn message(frame: &Frame) -> Bytes {
    let mut out = BytesMut::new();
    frame.encode(&mut out);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(versions: &[u16]) -> Hello {
        Hello {
            versions: versions.to_vec(),
            features: vec!["later".into()],
            agent: "hookwire/0.1.0".into(),
            instance: "5f3a".into(),
            endpoint: "shop".into(),
            wishes: None,
            finished: Vec::new(),
        }
    }

    #[test]
    fn first_messages_read_back() {
        let hello = hello(&[1]);
        assert_eq!(Hello::parse(hello.message().unwrap()).unwrap(), hello);
        let welcome = Reply::Welcome(Welcome {
            version: 1,
            features: vec![],
            agent: "hookwire-relay/0.1.0".into(),
            endpoint: "shop".into(),
            public_url: Some("https://relay.example.com/shop".into()),
            agreed: None,
            backlog: None,
        });
        assert_eq!(Reply::parse(welcome.message().unwrap()).unwrap(), welcome);
        let refusal = Reply::Refusal(hello_refused(&[7]));
        assert_eq!(Reply::parse(refusal.message().unwrap()).unwrap(), refusal);
    }

    fn hello_refused(versions: &[u16]) -> Refusal {
        hello(versions).agree().unwrap_err()
    }

    #[test]
    fn a_version_in_common_is_agreed_or_the_refusal_says_who_must_update() {
        assert_eq!(hello(&[1]).agree(), Ok(1));
        assert_eq!(hello(&[3, 2, 1]).agree(), Ok(1));
        for (versions, side) in [(&[0][..], "this machine"), (&[2, 3], "the relay"), (&[], "this machine")] {
            let refusal = hello_refused(versions);
            assert_eq!(refusal.code, Refusal::VERSION);
            assert!(!refusal.retry);
            assert!(refusal.hint.unwrap().ends_with(side), "{versions:?}");
        }
        assert_eq!(hello_refused(&[2]).to_string(), "the relay speaks protocol version 1, this client [2]");
    }

    /// A client that speaks so many versions that a text with all of them would not fit a frame.
    #[test]
    fn a_refusal_always_fits_its_frame() {
        let refusal = Reply::Refusal(hello_refused(&vec![2; 30_000]));
        assert_eq!(Reply::parse(refusal.message().unwrap()).unwrap(), refusal);
    }

    #[test]
    fn a_hello_with_all_it_may_name_fits_its_frame() {
        let id = "0199c0de-c0de-7000-8000-00000000002a".to_owned();
        let hello = Hello { finished: vec![id; FINISHED], ..hello(&[1]) };
        assert_eq!(Hello::parse(hello.message().unwrap()).unwrap(), hello);
    }

    #[test]
    fn what_is_absent_has_a_default_and_what_is_new_is_ignored() {
        let json = br#"{"versions":[1],"agent":"a","instance":"i","endpoint":"e","colour":"blue"}"#;
        let parsed = Hello::parse(message(&Frame::Hello(Bytes::from_static(json)))).unwrap();
        assert_eq!(parsed.features, [""; 0]);
        let json = br#"{"version":1,"agent":"a","endpoint":"e"}"#;
        let parsed = Reply::parse(message(&Frame::Welcome(Bytes::from_static(json)))).unwrap();
        assert!(matches!(parsed, Reply::Welcome(Welcome { public_url: None, .. })));
        let json = br#"{"versions":[1],"agent":"a","instance":"i","endpoint":"e","wishes":{"answer":"oracle","when_away":"echo"}}"#;
        let wishes = Hello::parse(message(&Frame::Hello(Bytes::from_static(json)))).unwrap().wishes.unwrap();
        assert_eq!((wishes.answer, wishes.when_away), (Some(Answer::Other), Some(WhenAway::Other)));
        assert_eq!((wishes.deadline_ms, wishes.ordered), (None, false));
        let json = br#"{"version":1,"agent":"a","endpoint":"e","backlog":{"held":3}}"#;
        let parsed = Reply::parse(message(&Frame::Welcome(Bytes::from_static(json)))).unwrap();
        assert!(matches!(
            parsed,
            Reply::Welcome(Welcome { backlog: Some(Backlog { held: 3, delivering: false, .. }), .. })
        ));
        let json = br#"{"code":"new","message":"m","retry":true}"#;
        let parsed = Reply::parse(message(&Frame::Refusal(Bytes::from_static(json)))).unwrap();
        assert!(matches!(parsed, Reply::Refusal(Refusal { hint: None, retry: true, .. })));
    }

    #[test]
    fn a_notice_reads_back() {
        let backlog = Backlog { held: 312, delivering: true, left_ms: Some(3000), ..Backlog::default() };
        assert_eq!(Backlog::decode(&backlog.encoded()), Some(backlog));
        assert_eq!(Backlog::decode(b"{}"), Some(Backlog::default()));
        assert_eq!(Backlog::decode(b"[3"), None);
    }

    #[test]
    fn anything_else_first_is_refused() {
        let ping = message(&Frame::Ping(1));
        assert!(matches!(Hello::parse(ping.clone()), Err(HelloError::Unexpected)));
        assert!(matches!(Reply::parse(ping), Err(HelloError::Unexpected)));
        assert!(matches!(Hello::parse(Bytes::new()), Err(HelloError::Unexpected)));
        assert!(matches!(Reply::parse(hello(&[1]).message().unwrap()), Err(HelloError::Unexpected)));
        assert!(matches!(Hello::parse(Bytes::from_static(b"GET /")), Err(HelloError::Frame(FrameError::Truncated))));
        let json = message(&Frame::Hello(Bytes::from_static(b"{}")));
        assert!(matches!(Hello::parse(json), Err(HelloError::Json(_))));
    }
}
