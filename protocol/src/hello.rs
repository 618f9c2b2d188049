//! Who talks to whom: the first message each way, as JSON.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::{
    frame::{Frame, FrameError},
    limits::VERSION,
};

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
    fn what_is_absent_has_a_default_and_what_is_new_is_ignored() {
        let json = br#"{"versions":[1],"agent":"a","instance":"i","endpoint":"e","colour":"blue"}"#;
        let parsed = Hello::parse(message(&Frame::Hello(Bytes::from_static(json)))).unwrap();
        assert_eq!(parsed.features, [""; 0]);
        let json = br#"{"version":1,"agent":"a","endpoint":"e"}"#;
        let parsed = Reply::parse(message(&Frame::Welcome(Bytes::from_static(json)))).unwrap();
        assert!(matches!(parsed, Reply::Welcome(Welcome { public_url: None, .. })));
        let json = br#"{"code":"new","message":"m","retry":true}"#;
        let parsed = Reply::parse(message(&Frame::Refusal(Bytes::from_static(json)))).unwrap();
        assert!(matches!(parsed, Reply::Refusal(Refusal { hint: None, retry: true, .. })));
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
