//! What a signature says, from the bytes as they came.

use bytes::Bytes;
use hookwire_protocol::head::{Headers as Lines, RequestHead};
use hookwire_signatures::{Cause, Event, Headers, Request, Secrets, Status, Verdict, Verifier, diagnose, event};

/// What is kept of every body: enough to find the event's name in. Bodies up to this are judged beside the delivery, and nearly all webhooks are
/// smaller.
pub(crate) const KEPT: usize = 16 * 1024;

/// What is kept of a body that is judged while it passes, so that a wrong signature can still be explained.
pub(crate) const KEPT_TO_EXPLAIN: usize = 64 * 1024;

/// A body as it passes: its beginning, its length, and the judgement where it can't wait.
#[derive(Default)]
pub(crate) struct Passing {
    pub(crate) kept: Vec<u8>,
    pub(crate) length: u64,
    /// The end was seen.
    pub(crate) ended: bool,
    verifier: Option<Verifier>,
}

impl std::fmt::Debug for Passing {
    // Bodies hold customers' data and never belong in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passing").field("length", &self.length).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Passing {
    /// Takes note of a piece.
    pub(crate) fn pass(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        let keep = if self.verifier.as_ref().is_some_and(Verifier::needs_body) { KEPT_TO_EXPLAIN } else { KEPT };
        let room = keep.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// Takes note of a piece of a body that is judged. `start` makes the verifier for one that has become too long to be judged later.
    pub(crate) fn judge_while_passing(&mut self, piece: &[u8], start: impl FnOnce() -> Verifier) {
        if self.length + piece.len() as u64 > KEPT as u64 {
            if self.verifier.is_none() {
                let mut verifier = start();
                verifier.update(&self.kept);
                self.verifier = Some(verifier);
            }
            if let Some(verifier) = &mut self.verifier {
                verifier.update(piece);
            }
        }
        self.pass(piece);
    }

    /// The verdict, and what the provider calls the event.
    pub(crate) fn judge(self, head: &RequestHead, secrets: &Secrets, now: i64) -> (Verdict, Event, Bytes) {
        let lines = WireHeaders(&head.headers);
        let request = request(head, &lines);
        let is_kept = self.length == self.kept.len() as u64;
        let verifier = self.verifier.unwrap_or_else(|| {
            let mut verifier = Verifier::start(&request, secrets, now);
            verifier.update(&self.kept);
            verifier
        });
        let is_judged_by_body = verifier.needs_body();
        let mut verdict = verifier.finish();
        if !self.ended && is_judged_by_body && verdict.status != Status::Unsigned {
            // Whatever the bytes that came would say, it is not what was signed.
            verdict = Verdict { status: Status::Invalid, cause: Some(Cause::BodyIncomplete), secret: None, ..verdict };
        } else if is_kept {
            verdict = diagnose(&request, &self.kept, secrets, verdict, now).verdict;
        }
        (verdict, event(&request, &self.kept), Bytes::from(self.kept))
    }
}

/// Starts to verify a request whose body is still to come.
pub(crate) fn start(head: &RequestHead, secrets: &Secrets, now: i64) -> Verifier {
    Verifier::start(&request(head, &WireHeaders(&head.headers)), secrets, now)
}

fn request<'a>(head: &'a RequestHead, headers: &'a WireHeaders<'a>) -> Request<'a> {
    Request { method: &head.method, target: &head.target, headers, urls: &[] }
}

/// The wire's header lines as the signatures crate reads them.
struct WireHeaders<'a>(&'a Lines);

impl Headers for WireHeaders<'_> {
    fn entries<'a>(&'a self) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a> {
        Box::new(self.0.iter())
    }
}
