//! What a signature says, from the bytes as they came.

use bytes::Bytes;
use hookwire_protocol::head::{Headers as Lines, RequestHead};
use hookwire_signatures::{Event, Headers, Request, Secrets, Verdict, Verifier, diagnose, event};

/// Bodies up to this are kept whole and judged beside the delivery; longer ones are judged while they pass. Nearly all webhooks are smaller, and a thousand
/// of them that wait to be judged must not cost more than some MiB.
pub(crate) const KEPT: usize = 16 * 1024;

/// A body as it passes: its beginning, its length, and the judgement where it can't wait.
#[derive(Default)]
pub(crate) struct Passing {
    pub(crate) kept: Vec<u8>,
    pub(crate) length: u64,
    verifier: Option<Verifier>,
}

impl std::fmt::Debug for Passing {
    // Bodies hold customers' data and never belong in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passing").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Passing {
    /// Takes note of a piece.
    pub(crate) fn pass(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        let room = KEPT - self.kept.len();
        self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// Takes note of a piece of a body that is judged. `start` makes the verifier for one that has become too long to keep.
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
        let lines = HeaderLines(&head.headers);
        let request = request(head, &lines);
        let whole = self.length == self.kept.len() as u64;
        let verifier = self.verifier.unwrap_or_else(|| {
            let mut verifier = Verifier::start(&request, secrets, now);
            verifier.update(&self.kept);
            verifier
        });
        let mut verdict = verifier.finish();
        if whole {
            verdict = diagnose(&request, &self.kept, secrets, verdict, now);
        }
        (verdict, event(&request, &self.kept), Bytes::from(self.kept))
    }
}

/// Starts to verify a request whose body is still to come.
pub(crate) fn start(head: &RequestHead, secrets: &Secrets, now: i64) -> Verifier {
    Verifier::start(&request(head, &HeaderLines(&head.headers)), secrets, now)
}

fn request<'a>(head: &'a RequestHead, headers: &'a HeaderLines<'a>) -> Request<'a> {
    Request { method: &head.method, target: &head.target, headers }
}

/// The wire's header lines as the signatures crate reads them.
struct HeaderLines<'a>(&'a Lines);

impl Headers for HeaderLines<'_> {
    fn entries<'a>(&'a self) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a> {
        Box::new(self.0.iter())
    }
}
