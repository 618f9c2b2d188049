//! From a sender's request to the session that owns its endpoint.

use std::{
    future::Ready,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::future::Either;
use hookwire_protocol::{
    code::Code,
    head::{BodyLength, HeaderLines, Headers, RequestHead},
    limits::CONNECT_PATH,
    session::Reset,
};
use hookwire_tunnel::{Tunnel, http_version, is_hop_by_hop, lines, named_by_connection};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header, request::Parts,
};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    answer::{AnswerBody, json, pass_on, refuse},
    calm::CalmBody,
    connect,
    delivery::{Delivery, RESERVED, carries_event},
    endpoints::{Endpoints, Route},
    guard::{Note, NoteKind},
    limits,
    tokens::Tokens,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A client's question to itself through its own public URL. It never goes beyond the client.
const CANARY: HeaderName = HeaderName::from_static("hookwire-canary");

/// Where load balancers and people ask whether the relay lives.
const HEALTH_PATH: &str = "/_hookwire/health";

/// What every request meets.
#[derive(Debug)]
pub(crate) struct Ingress {
    pub(crate) open: bool,
    pub(crate) public_url: Option<String>,
    pub(crate) max_body: u64,
    pub(crate) answer_timeout: Duration,
    pub(crate) endpoints: Endpoints,
    pub(crate) tokens: Option<Tokens>,
    /// Where webhooks are held; none keeps nothing.
    pub(crate) delivery: Option<Arc<Delivery>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) abort: CancellationToken,
}

/// The connection that a request came over.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// As `x-forwarded-for` has it.
    pub(crate) address: String,
    pub(crate) secure: bool,
    /// Its place among the relay's connections. A session takes it along.
    pub(crate) _permit: Arc<OwnedSemaphorePermit>,
}

impl Ingress {
    /// Answers one request. `note` is what the guard has to say about it.
    ///
    /// All that needs no waiting is done before the future is made: it is moved for every request.
    pub(crate) fn handle(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        sender: &Sender,
        note: Option<Note>,
    ) -> impl Future<Output = Response<AnswerBody>> + Send + use<> {
        let raw = match note.map(|note| note.kind) {
            Some(NoteKind::Refused(code)) => return at_once(refuse(code)),
            Some(NoteKind::Target(raw)) => Some(raw),
            None => None,
        };
        if raw.is_none() {
            match request.uri().path() {
                CONNECT_PATH => return at_once(connect::upgrade(self, &mut request, sender.clone())),
                HEALTH_PATH => return at_once(json(StatusCode::OK, r#"{"status":"ok"}"#.into())),
                _ => {}
            }
        }
        let (parts, body) = request.into_parts();
        let (route, head) = match self.admit(&parts, length_of(&body), sender, raw.as_deref()) {
            Ok(admitted) => admitted,
            Err(code) => {
                self.drain(&parts.headers, body);
                return at_once(refuse(code));
            }
        };
        let is_event = carries_event(&parts.method);
        let keeps = route.policy.keeps() || route.policy.ordered;
        if let Some(delivery) = self.delivery.as_ref().filter(|_| keeps && is_event) {
            return Either::Right(Either::Left(delivery.take(route, head, self.limited(body))));
        }
        let Some(tunnel) = route.tunnel else {
            if is_event {
                route.desk.refused();
            }
            self.drain(&parts.headers, body);
            return at_once(refuse(Code::NoSession));
        };
        Either::Right(Either::Right(Box::pin(Arc::clone(self).pass(tunnel, head, body))))
    }

    /// Nothing is kept: the answer is the app's.
    async fn pass(self: Arc<Self>, tunnel: Tunnel, head: RequestHead, body: Incoming) -> Response<AnswerBody> {
        match tunnel.send(&head, self.limited(body), self.answer_timeout, |error| code_of(error.as_ref())).await {
            Ok(exchange) => pass_on(&exchange.head, exchange.body),
            Err(Reset(Code::NoSession)) if self.stop.is_cancelled() => refuse(Code::Stopping),
            Err(Reset(code)) => refuse(code),
        }
    }

    fn limited(&self, body: Incoming) -> Limited<CalmBody> {
        Limited::new(CalmBody::new(body), usize::try_from(self.max_body).unwrap_or(usize::MAX))
    }

    /// Finds the way to the app, and makes the head that goes there.
    fn admit(
        &self,
        parts: &Parts,
        body: BodyLength,
        sender: &Sender,
        raw: Option<&[u8]>,
    ) -> Result<(Route, RequestHead), Code> {
        if parts.version == Version::HTTP_2 {
            check_authority(parts)?;
        }
        let target = raw.unwrap_or_else(|| origin_form(&parts.uri));
        let (endpoint, rest) = split(target).ok_or(Code::NoSuchEndpoint)?;
        let route = self.endpoints.route(endpoint)?;
        if matches!(body, BodyLength::Sized(bytes) if bytes > self.max_body) {
            return Err(Code::BodyTooLarge);
        }
        let head = RequestHead {
            id: Uuid::now_v7().into_bytes(),
            received_at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64),
            version: http_version(parts.version),
            body,
            method: method(&parts.method),
            target: Bytes::copy_from_slice(rest),
            headers: self.forwarded(parts, sender),
        };
        Ok((route, head))
    }

    /// The lines that go to the app: all but those of the connection, and where the request came from.
    fn forwarded(&self, parts: &Parts, sender: &Sender) -> Headers {
        let headers = &parts.headers;
        let named = named_by_connection(headers);
        let joins_cookies = parts.version == Version::HTTP_2;
        let mut list = lines(headers, 4, |name| {
            let ends_here = is_hop_by_hop(name)
                || (name.as_str().starts_with(RESERVED) && !(*name == CANARY && parts.method == Method::GET))
                || *name == header::EXPECT // answered by hyper as soon as the body is wanted (RFC 9110 §10.1.1)
                || matches!(name.as_str(), "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host")
                || named.contains(name);
            !ends_here && (*name != header::COOKIE || !joins_cookies)
        });
        if joins_cookies {
            push_cookies(&mut list, headers);
        }
        if let Some(host) = headers.get(header::HOST) {
            list.push(b"x-forwarded-host", host.as_bytes());
        } else if let Some(authority) = parts.uri.authority() {
            let host = authority.as_str().as_bytes(); // where HTTP/2 has it
            list.push(b"host", host);
            list.push(b"x-forwarded-host", host);
        }
        let secure = self.public_url.as_ref().map_or(sender.secure, |url| url.starts_with("https:"));
        list.push(b"x-forwarded-proto", if secure { b"https" } else { b"http" });
        push_forwarded_for(&mut list, headers, &sender.address);
        list.finish()
    }

    /// Reads on for a moment after a refusal, so that the answer reaches a sender that is still sending.
    fn drain(&self, headers: &HeaderMap, mut body: Incoming) {
        if body.is_end_stream() || headers.contains_key(header::EXPECT) {
            return;
        }
        self.tasks.spawn(tokio::time::timeout(limits::DRAIN_FOR, async move {
            let mut drained = 0;
            while drained <= limits::DRAIN_BYTES
                && let Some(Ok(frame)) = body.frame().await
            {
                drained += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
        }));
    }
}

/// An answer that nothing has to be waited for.
fn at_once<F>(response: Response<AnswerBody>) -> Either<Ready<Response<AnswerBody>>, F> {
    Either::Left(std::future::ready(response))
}

/// How long a body is, as far as it is known.
fn length_of(body: &Incoming) -> BodyLength {
    match body.size_hint().exact() {
        _ if body.is_end_stream() => BodyLength::Empty,
        Some(length) => BodyLength::Sized(length),
        None => BodyLength::Unknown,
    }
}

/// HTTP/2 names the host in `:authority`, in `host`, or in both alike (RFC 9113 §8.3.1).
fn check_authority(parts: &Parts) -> Result<(), Code> {
    let mut hosts = parts.headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    match (authority, hosts.next(), hosts.next()) {
        (None, None, _) | (_, _, Some(_)) => Err(Code::BadHost),
        // No user information before the host (RFC 9113 §8.3.1).
        (Some(authority), _, _) if authority.contains(&b'@') => Err(Code::BadHost),
        (Some(authority), Some(host), None) if !authority.eq_ignore_ascii_case(host) => Err(Code::BadHost),
        _ => Ok(()),
    }
}

/// The target as a request line to an origin server has it (RFC 9112 §3.2.1).
fn origin_form(uri: &http::Uri) -> &[u8] {
    uri.path_and_query().map_or(b"/", |target| target.as_str().as_bytes())
}

/// A method's name. That of nearly all webhooks takes no memory.
fn method(method: &Method) -> Bytes {
    match *method {
        Method::POST => Bytes::from_static(b"POST"),
        _ => Bytes::copy_from_slice(method.as_str().as_bytes()),
    }
}

/// Takes the endpoint's name off a target. What follows is the app's, untouched.
fn split(target: &[u8]) -> Option<(&str, &[u8])> {
    let path = target.strip_prefix(b"/")?;
    let end = path.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(path.len());
    let (name, rest) = path.split_at(end);
    Some((std::str::from_utf8(name).ok()?, rest))
}

/// HTTP/2 lets a sender split its cookies over several lines; HTTP/1 has them in one (RFC 9113 §8.2.3).
fn push_cookies(list: &mut HeaderLines, headers: &HeaderMap) {
    let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if !crumbs.is_empty() {
        list.push(b"cookie", &crumbs.join(&b"; "[..]));
    }
}

/// Appends the sender's address to those that proxies before us have noted.
fn push_forwarded_for(list: &mut HeaderLines, headers: &HeaderMap, address: &str) {
    let mut before = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes).peekable();
    if before.peek().is_none() {
        list.push(b"x-forwarded-for", address.as_bytes());
    } else {
        let chain: Vec<&[u8]> = before.chain([address.as_bytes()]).collect();
        list.push(b"x-forwarded-for", &chain.join(&b", "[..]));
    }
}

/// What a body that broke says about its sender.
pub(crate) fn code_of(error: &(dyn std::error::Error + 'static)) -> Code {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .find_map(|cause| {
            if cause.is::<LengthLimitError>() {
                return Some(Code::BodyTooLarge);
            }
            match cause.downcast_ref::<std::io::Error>()?.kind() {
                std::io::ErrorKind::InvalidData => Some(Code::MalformedRequest),
                _ => Some(Code::BodyIncomplete),
            }
        })
        .unwrap_or(Code::BodyIncomplete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_endpoint_is_untouched() {
        for (target, name, rest) in [
            ("/shop", "shop", ""),
            ("/shop/", "shop", "/"),
            ("/shop//a/../b?x=%2F&y", "shop", "//a/../b?x=%2F&y"),
            ("/shop?a/b", "shop", "?a/b"),
            ("/", "", ""),
        ] {
            assert_eq!(split(target.as_bytes()), Some((name, rest.as_bytes())));
        }
        assert_eq!(split(b"*"), None);
        assert_eq!(split(b"/\xff/a"), None);
    }

    #[test]
    fn cookies_that_http2_split_are_one_line_again() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=2"));
        let mut list = HeaderLines::with_capacity(64);
        push_cookies(&mut list, &headers);
        let lines = list.finish();
        assert_eq!(lines.iter().collect::<Vec<_>>(), [(&b"cookie"[..], &b"a=1; b=2"[..])]);
    }

    #[test]
    fn the_senders_address_comes_last() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, HeaderValue::from_static("203.0.113.7"));
        let mut list = HeaderLines::with_capacity(64);
        push_forwarded_for(&mut list, &headers, "127.0.0.1");
        assert_eq!(list.finish().value("x-forwarded-for"), Some(&b"203.0.113.7, 127.0.0.1"[..]));
    }
}
