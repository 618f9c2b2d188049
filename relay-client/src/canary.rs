//! Proof of life: a request of our own to the endpoint's public URL, which has to come back through the tunnel.
//!
//! Pings show that the session lives; only this shows that a webhook would arrive. It never reaches the app or what is captured.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use hookwire_capture::Proof;
use hookwire_protocol::{
    code::Code,
    head::{BodyLength, HeaderLines, HttpVersion, RequestHead, ResponseHead},
};
use hookwire_tunnel::{Request, Tunnel};
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::Empty;
use rustls_pki_types::CertificateDer;
use tokio::time::{MissedTickBehavior, timeout};

use crate::{
    tls::TrustError,
    upstream::{Target, Upstream, UpstreamConfig},
};

/// How often the way is tried: often enough to believe the status line, seldom enough to be nothing beside it.
const EVERY: Duration = Duration::from_secs(30);

/// How long it may take: as long as a gateway's whole patience.
const WITHIN: Duration = Duration::from_secs(10);

/// Where it goes below the endpoint. An app has no such path, should a relay of another kind bring it there.
const PATH: &[u8] = b"/_hookwire/canary";

/// Carries the nonce, there and back.
const NONCE: HeaderName = HeaderName::from_static("hookwire-canary");

/// The header by which a relay's own answer is known.
const ERROR: HeaderName = HeaderName::from_static("hookwire-error");

/// Knows the canary that is out.
#[derive(Debug, Default)]
pub(crate) struct Canary {
    out: Mutex<Option<String>>,
}

/// Sends canaries to one public URL.
#[derive(Debug)]
pub(crate) struct Aviary {
    canary: Arc<Canary>,
    target: Target,
    upstream: Upstream,
}

impl Canary {
    /// Answers a canary; any other request is given back. One that is not ours is answered too: it is no webhook, and no app's business.
    pub(crate) fn answer(&self, request: Request) -> Option<Request> {
        let Some(nonce) = nonce(&request.head) else { return Some(request) };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let known = out.take_if(|out| out.as_bytes() == nonce).is_some();
        drop(out);
        let mut list = HeaderLines::with_capacity(64);
        if known {
            list.push(NONCE.as_str().as_bytes(), nonce);
        }
        let head = ResponseHead {
            status: if known { 204 } else { 404 },
            version: HttpVersion::Http11,
            error: None,
            body: BodyLength::Empty,
            reason: None,
            headers: list.finish(),
        };
        let _ = request.reply.send_whole(&head, Bytes::new()); // whoever sent it has gone
        None
    }

    fn send_out(&self) -> String {
        let nonce = format!("{:032x}", fastrand::u128(..));
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = Some(nonce.clone());
        nonce
    }
}

fn nonce(head: &RequestHead) -> Option<&[u8]> {
    if head.method == "GET" { head.headers.value(NONCE.as_str()) } else { None }
}

impl Aviary {
    /// For the public URL of an endpoint, whose relay is trusted by `ca`, or as the system does.
    pub(crate) fn new(
        canary: Arc<Canary>,
        target: Target,
        ca: Option<Vec<CertificateDer<'static>>>,
    ) -> Result<Self, TrustError> {
        let upstream = Upstream::new(UpstreamConfig { ca, ..UpstreamConfig::default() })?;
        Ok(Self { canary, target, upstream })
    }

    /// Sends canaries for ever, and tells what came of each, and of the ping beside it.
    pub(crate) async fn keep(&self, tunnel: &Tunnel, mut tell: impl FnMut(Proof)) -> Infallible {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut measured = None;
        loop {
            tick.tick().await;
            tunnel.measure();
            let (begun, at) = (Instant::now(), SystemTime::now());
            let answered = timeout(WITHIN, self.fly()).await;
            let late = |_| Err(Trouble::Other(format!("no answer within {} s", WITHIN.as_secs())));
            tell(match answered.unwrap_or_else(late) {
                Ok(()) => Proof::Verified { at, took: begun.elapsed() },
                Err(trouble) => Proof::Unverified { reason: trouble.to_string() },
            });
            let round_trip = tunnel.round_trip();
            if let Some(round_trip) = round_trip.filter(|_| round_trip != measured) {
                tell(Proof::RoundTrip(round_trip));
            }
            measured = round_trip;
        }
    }

    async fn fly(&self) -> Result<(), Trouble> {
        let nonce = self.canary.send_out();
        let value = HeaderValue::try_from(nonce.as_str()).map_err(|error| Trouble::Other(error.to_string()))?;
        let mut request = http::Request::new(Empty::<Bytes>::new());
        request.headers_mut().insert(NONCE, value.clone());
        if let Ok(host) = HeaderValue::try_from(self.target.authority()) {
            request.headers_mut().insert(header::HOST, host);
        }
        let other = |error: &dyn std::error::Error| Trouble::Other(with_causes(error));
        let raw = self.target.join(&Bytes::from_static(PATH)).map_err(|error| other(&error))?;
        let answer = self.upstream.send(&self.target, request, raw, || {}).await.map_err(|error| other(&error))?;
        let code = answer.headers().get(ERROR).and_then(|code| code.to_str().ok()).and_then(Code::from_name);
        match code {
            Some(code) => Err(Trouble::Code(code)),
            None if answer.headers().get(NONCE) == Some(&value) => Ok(()),
            None => Err(Trouble::Answer(answer.status())),
        }
    }
}

/// Why a canary did not come home.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("a request to the public URL was answered with `{0}`: {message}", message = .0.message())]
    Code(Code),
    #[error("a request to the public URL was answered with {0}, and not by this client")]
    Answer(StatusCode),
    #[error("a request to the public URL failed: {0}")]
    Other(String),
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use hookwire_protocol::head::Headers;

    use super::*;

    fn head(method: &'static str, nonce: Option<&str>) -> RequestHead {
        let headers: Headers = nonce.map(|nonce| (&b"hookwire-canary"[..], nonce.as_bytes())).into_iter().collect();
        RequestHead {
            id: [0; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: BodyLength::Empty,
            method: Bytes::from_static(method.as_bytes()),
            target: Bytes::from_static(PATH),
            headers,
        }
    }

    #[test]
    fn only_a_get_with_a_nonce_is_a_canary() {
        assert_eq!(nonce(&head("GET", Some("a1"))), Some(&b"a1"[..]));
        assert_eq!(nonce(&head("POST", Some("a1"))), None);
        assert_eq!(nonce(&head("GET", None)), None);
    }

    #[test]
    fn every_canary_has_a_nonce_of_its_own() {
        let canary = Canary::default();
        let (one, other) = (canary.send_out(), canary.send_out());
        assert_ne!(one, other);
        assert_eq!(one.len(), 32);
    }
}
