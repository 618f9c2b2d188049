//! Why the app gave no answer, or no whole one.

use std::{error::Error, io};

use hookwire_protocol::{code::Code, session::Reset};

use crate::tls::{TlsProblem, TrustError};

/// The app did not answer, or not to the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Nothing listens there.
    #[error("nothing listens on `{address}`")]
    Refused {
        /// `host:port` of the target.
        address: String,
    },
    /// The host has no address, no route leads there, or nobody took the connection in time.
    #[error("`{address}` can't be reached")]
    Unreachable {
        /// `host:port` of the target.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// TCP worked, TLS did not.
    #[error("no TLS connection to `{address}`")]
    Tls {
        /// `host:port` of the target.
        address: String,
        /// Why.
        #[source]
        problem: TlsProblem,
    },
    /// There is nothing to trust an `https` target with.
    #[error("it can't be settled whom to trust")]
    Trust(#[from] TrustError),
    /// The app closed or reset the connection before its answer was whole.
    #[error("the app closed the connection before its answer was complete")]
    Died(#[source] hyper::Error),
    /// The app's answer is not HTTP/1 as RFC 9112 has it, or its head is too large.
    #[error("the app's answer is not well-formed HTTP")]
    BadAnswer(#[source] Box<dyn Error + Send + Sync>),
    /// The body that was to be sent broke off: its sender went away.
    #[error("the request's body broke off")]
    RequestBody(#[source] hyper::Error),
    /// The request target can't be written on a request line: it does not begin with `/`, or holds a blank or a control character.
    #[error("the request target does not fit on a request line")]
    BadTarget,
}

impl UpstreamError {
    /// What the sender is told and the exchange's line shows.
    pub fn code(&self) -> Code {
        match self {
            Self::Refused { .. } => Code::AppRefused,
            Self::Unreachable { .. } => Code::AppUnreachable,
            Self::Tls { .. } | Self::Trust(_) => Code::AppTls,
            Self::Died(_) => Code::AppDied,
            Self::BadAnswer(_) => Code::AppBadAnswer,
            Self::RequestBody(error) => why_it_broke_off(error).unwrap_or(Code::SenderGone),
            Self::BadTarget => Code::MalformedRequest,
        }
    }

    /// The error of an exchange that hyper gave up.
    pub(super) fn of_exchange(error: hyper::Error) -> Self {
        if error.is_user() {
            // The only code of ours that runs inside hyper is the body.
            Self::RequestBody(error)
        } else if error.is_parse() {
            Self::BadAnswer(Box::new(error))
        } else {
            Self::Died(error)
        }
    }
}

/// What the relay said when it broke off a request's body.
fn why_it_broke_off(error: &hyper::Error) -> Option<Code> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(Reset(code)) = error.downcast_ref() {
            return Some(*code);
        }
        cause = error.source();
    }
    None
}
