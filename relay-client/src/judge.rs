//! What a signature says, from the bytes as they came.

use std::sync::Arc;

use bytes::Bytes;
use hookwire_capture::{CapturedBody, Evidence};
use hookwire_protocol::head::{Headers as Lines, RequestHead};
use hookwire_signatures::{Cause, Event, Headers, Request, Secrets, Status, Verdict, Verifier, diagnose};

use crate::record::{Digest, Kept, Recorder};

/// Bodies up to this are judged beside the delivery, and nearly all webhooks are smaller; longer ones while they pass, since not all of them
/// may be kept.
const JUDGED_LATER: usize = 64 * 1024;

/// The beginning of a body that an event's name is looked for in: real ones stand within the first hundred bytes.
const EVENT_WITHIN: usize = 64 * 1024;

/// A body as it passes: its beginning, its length, and the judgement where it can't wait.
pub(crate) struct Passing {
    kept: Kept,
    pub(crate) length: u64,
    /// What is known to follow.
    behind: u64,
    /// The end was seen.
    pub(crate) ended: bool,
    /// Of a body that is too long to be judged later. Boxed: few are, and all are moved about.
    verifier: Option<Box<Verifier>>,
    /// Of a body that is longer than the cap.
    digest: Option<Digest>,
}

/// What was found of a request.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// What shows the cause, or what was tried.
    pub(crate) evidence: Option<Evidence>,
    pub(crate) event: Event,
    /// What is left of the body.
    pub(crate) body: CapturedBody,
}

impl std::fmt::Debug for Passing {
    // Bodies hold customers' data and never belong in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passing").field("length", &self.length).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Passing {
    /// Nothing yet.
    pub(crate) fn new(recorder: &Recorder) -> Self {
        let kept = Kept::new(Arc::clone(recorder.allowance()));
        Self { kept, length: 0, behind: 0, ended: false, verifier: None, digest: None }
    }

    /// A body that is there already.
    pub(crate) fn whole(body: &Bytes, recorder: &Recorder) -> Self {
        let mut passing = Self::new(recorder);
        passing.pass(body, recorder);
        passing.ended = true;
        passing
    }

    /// Bytes kept.
    pub(crate) fn held(&self) -> usize {
        self.kept.len()
    }

    /// Whether more would be kept.
    pub(crate) fn wants_more(&self) -> bool {
        self.kept.len() as u64 == self.length && !self.kept.reached_cap()
    }

    /// Takes note of how much will follow the next piece, where that is known.
    pub(crate) fn expect(&mut self, behind: Option<u64>) {
        self.behind = behind.unwrap_or_default();
    }

    /// Takes note of a piece.
    pub(crate) fn pass(&mut self, piece: &Bytes, recorder: &Recorder) {
        let before = self.kept.len();
        self.length += piece.len() as u64;
        if self.kept.push(piece, self.behind) {
            return;
        }
        if let Some(digest) = &self.digest {
            recorder.hash(digest, piece.clone());
        } else if self.kept.reached_cap() {
            // Where it is memory that lacks, a hash would only add to the load.
            let rest = self.kept.len() - before;
            self.digest = Some(recorder.digest(&mut self.kept, piece.slice(rest..)));
        }
    }

    /// Takes note of a piece of a body that is judged. `start` makes the verifier for one that can't be judged later.
    pub(crate) fn judge_while_passing(&mut self, piece: &Bytes, recorder: &Recorder, start: impl FnOnce() -> Verifier) {
        let before = self.kept.len();
        self.pass(piece, recorder);
        if let Some(verifier) = &mut self.verifier {
            return verifier.update(piece);
        }
        // Up to here all of it was kept.
        let rest = &piece[self.kept.len() - before..];
        if !rest.is_empty() || self.length > JUDGED_LATER as u64 {
            let mut verifier = start();
            verifier.update(self.kept.as_slice());
            verifier.update(rest);
            self.verifier = Some(Box::new(verifier));
        }
    }

    /// What is found of a request, and what is left of its body. Of one that was kept whole, the cause is looked for.
    pub(crate) fn judge(self, head: &RequestHead, endpoint: &str, secrets: &Secrets, now: i64) -> Judged {
        let Self { kept, length, ended, verifier, digest, .. } = self;
        let bytes = kept.into_bytes();
        let (lines, urls) = (WireHeaders(&head.headers), urls(head, endpoint));
        let urls = urls.each_ref().map(String::as_str);
        let request = request(head, &lines, &urls);
        let is_kept = length == bytes.len() as u64;
        let verifier = verifier.map_or_else(
            || {
                let mut verifier = Verifier::start(&request, secrets, now);
                verifier.update(&bytes);
                verifier
            },
            |verifier| *verifier,
        );
        let event = verifier.event(&request, &bytes[..bytes.len().min(EVENT_WITHIN)]);
        let is_judged_by_body = verifier.needs_body();
        let mut verdict = verifier.finish();
        let mut words = None;
        if !ended && is_judged_by_body && verdict.status != Status::Unsigned {
            // Whatever the bytes that came would say, it is not what was signed.
            verdict = Verdict { status: Status::Invalid, cause: Some(Cause::BodyIncomplete), secret: None, ..verdict };
        } else if is_kept {
            let diagnosis = diagnose(&request, &bytes, secrets, verdict, now);
            words = diagnosis.in_words();
            verdict = diagnosis.verdict;
        } else if verdict.cause == Some(Cause::NoMatch) {
            words = Some(format!("nothing was tried: only {} of the body's {length} bytes were kept", bytes.len()));
        }
        Judged { verdict, evidence: words.map(Evidence::from), event, body: captured(bytes, length, digest) }
    }

    /// What is left of a body that is not judged.
    pub(crate) fn captured(self) -> CapturedBody {
        captured(self.kept.into_bytes(), self.length, self.digest)
    }
}

fn captured(bytes: Bytes, length: u64, digest: Option<Digest>) -> CapturedBody {
    CapturedBody { bytes, length, sha256: digest.and_then(Digest::finish) }
}

/// Starts to verify a request whose body is still to come.
pub(crate) fn start(head: &RequestHead, endpoint: &str, secrets: &Secrets, now: i64) -> Verifier {
    let urls = urls(head, endpoint);
    let urls = urls.each_ref().map(String::as_str);
    Verifier::start(&request(head, &WireHeaders(&head.headers), &urls), secrets, now)
}

/// The URLs that the sender may have called, the likelier one first. Some providers sign it, and the head has only what is behind the endpoint.
pub(crate) fn urls(head: &RequestHead, endpoint: &str) -> [String; 2] {
    let (mut host, mut forwarded_host, mut proto) = (None, None, None);
    for (name, value) in head.headers.iter() {
        let first = match name {
            b"host" => &mut host,
            b"x-forwarded-host" => &mut forwarded_host,
            b"x-forwarded-proto" => &mut proto,
            _ => continue,
        };
        first.get_or_insert(value);
    }
    let host = forwarded_host.or(host).unwrap_or_default();
    let (host, target) = (String::from_utf8_lossy(host), String::from_utf8_lossy(&head.target));
    let schemes = if proto == Some(b"http") {
        ["http", "https"]
    } else {
        // Behind a proxy that ends TLS and does not say so.
        ["https", "http"]
    };
    schemes.map(|scheme| [scheme, "://", &host, "/", endpoint, &target].concat())
}

fn request<'a>(head: &'a RequestHead, headers: &'a WireHeaders<'a>, urls: &'a [&'a str]) -> Request<'a> {
    Request { method: &head.method, target: &head.target, headers, urls }
}

/// The wire's header lines as the signatures crate reads them.
struct WireHeaders<'a>(&'a Lines);

impl Headers for WireHeaders<'_> {
    fn entries<'a>(&'a self) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a> {
        Box::new(self.0.iter())
    }
}
