//! Why no session with the relay came about, and whether it is worth trying again.

use std::{fmt, io};

use hookwire_protocol::code::Code;
use http::{HeaderMap, StatusCode, header::LOCATION};
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

use crate::tls::TlsProblem;

/// The relay could not be reached, or did not take us.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The relay's name has no address, or no resolver answers.
    #[error("`{host}` can't be resolved")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nobody took the TCP connection, in time or at all.
    #[error("`{address}` can't be reached")]
    Connect {
        /// `host:port` of the relay.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// TCP worked, TLS did not.
    #[error("no TLS connection to `{address}`")]
    Tls {
        /// `host:port` of the relay.
        address: String,
        /// Why.
        #[source]
        problem: TlsProblem,
    },
    /// The relay does not take the token, or wants one.
    #[error("the relay refused the token: {0}")]
    Unauthorized(Answer),
    /// A relay answered, and not with a session.
    #[error("the relay refused the connection: {0}")]
    Refused(Answer),
    /// The relay, or a proxy before it, has no room or no relay at the moment (502, 503, 504).
    #[error("the relay is not available: {0}")]
    Unavailable(Answer),
    /// Something answered as a relay would not.
    #[error("no relay answers there: {0}")]
    NotARelay(Answer),
    /// The WebSocket handshake (RFC 6455 §4) broke, ran out of time, or was answered wrongly.
    #[error("the WebSocket handshake failed")]
    Handshake(#[source] tungstenite::Error),
}

/// An HTTP answer where a WebSocket was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// The `hookwire-error` header: set by relays only.
    pub code: Option<String>,
    /// What the relay says about it.
    pub message: Option<String>,
    /// What the relay says should be done.
    pub hint: Option<String>,
    /// Where it redirects to. Redirects are never followed: the token would go elsewhere.
    pub location: Option<String>,
}

impl DialError {
    /// Whether the same may work later without anybody changing a setting, a token or a certificate.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Dns { .. } | Self::Connect { .. } | Self::Unavailable(_) => true,
            Self::Tls { problem, .. } => !problem.is_permanent(),
            Self::Unauthorized(_) => false,
            Self::Refused(answer) | Self::NotARelay(answer) => {
                answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Handshake(error) => is_lost(error),
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Dns { .. } => "check the relay's name and this machine's network",
            Self::Connect { .. } => "check that the relay runs and that its port is open",
            Self::Tls { problem, .. } => problem.hint()?,
            Self::Unauthorized(answer) => answer.hint.as_deref().unwrap_or(Code::BadToken.hint()),
            Self::Refused(answer) | Self::Unavailable(answer) => answer.hint.as_deref()?,
            Self::NotARelay(answer) => match &answer.location {
                Some(location) => return Some(format!("it redirects to `{location}`")),
                None => IS_IT_A_RELAY,
            },
            Self::Handshake(error) if is_lost(error) => return None,
            Self::Handshake(_) => IS_IT_A_RELAY,
        };
        Some(hint.to_owned())
    }

    /// The error of a handshake that tungstenite gave up.
    pub(super) fn of_handshake(error: tungstenite::Error) -> Self {
        let tungstenite::Error::Http(response) = error else {
            return Self::Handshake(error);
        };
        let (head, body) = response.into_parts();
        let answer = Answer::read(head.status, &head.headers, &body.unwrap_or_default());
        match head.status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized(answer),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                Self::Unavailable(answer)
            }
            _ if answer.code.is_some() => Self::Refused(answer),
            _ => Self::NotARelay(answer),
        }
    }
}

/// Asked when something answers that does not behave like a relay.
const IS_IT_A_RELAY: &str = "is this a hookwire relay? check its URL, and whether it wants `https://`";

/// Whether the handshake ended because the connection did, and not because of what was said on it.
fn is_lost(error: &tungstenite::Error) -> bool {
    use tungstenite::Error;
    matches!(
        error,
        Error::Io(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::HandshakeIncomplete)
    )
}

impl Answer {
    /// Reads what a relay says about itself: the JSON body where it came along with the head, else what its code stands for.
    fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let code: Option<String> = header("hookwire-error");
        let known = code.as_deref().and_then(Code::from_name);
        // Without the code it is not a relay's, and its words are not ours to repeat.
        let body: Option<serde_json::Value> = code.is_some().then(|| serde_json::from_slice(body).ok()).flatten();
        let field = |name| Some(body.as_ref()?.get(name)?.as_str()?.to_owned());
        Self {
            status,
            message: field("message").or_else(|| Some(known?.message().to_owned())),
            hint: field("hint").or_else(|| Some(known?.hint().to_owned())),
            location: header(LOCATION.as_str()),
            code,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => f.write_str(message),
            None => write!(f, "it answered with status {}", self.status.as_u16()),
        }
    }
}
