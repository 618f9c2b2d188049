//! Checks a signature while the body streams by.

mod hashing;
mod whole;

use crate::cause::Cause;
use crate::challenge;
use crate::detect::{self, Detected};
use crate::event::{self, Event};
use crate::request::Request;
use crate::scheme::Scheme;
use crate::scope::Scope;
use crate::secret::{Secret, Secrets};
use crate::verdict::{Status, Verdict};
use crate::verifier::hashing::{Begun, Hashing};
use crate::verifier::whole::Whole;

/// The longest body that is kept for schemes that read fields of it, in bytes. The callbacks and events of those are
/// some kilobytes long.
pub const WHOLE_BODY_LIMIT: usize = 4 << 20;

/// Checks one request's signature, fed with the raw body in chunks of any size.
///
/// It owns all it needs, so it can live across awaits. For a scheme whose MAC is over the raw body it holds no body, only
/// the state of the MACs; where fields of the body are signed, or a private key signs it, the body is kept up to
/// [`WHOLE_BODY_LIMIT`].
pub struct Verifier {
    state: State,
    /// What the head alone says, where nothing looks alike.
    only: Option<&'static Scheme>,
}

impl Verifier {
    /// Recognises the scheme of `request` and begins to check it with every secret of its provider. `now` is in
    /// unix seconds.
    ///
    /// Where several schemes look alike, those count for which a secret is known, and the one that fits is reported.
    pub fn start(request: &Request<'_>, secrets: &Secrets, now: i64) -> Self {
        let scope = Scope::new(request, b"");
        let (detected, only) = detect::by_head(&scope, Some(secrets));
        let state = match detected {
            Detected::Schemes(schemes) => State::judge(&schemes, request, &scope, secrets, now),
            Detected::InBody => State::Whole(Box::new(Whole::new(&[], request, secrets, now))),
            Detected::None => match challenge::by_head(&scope, Some(secrets)) {
                Some(challenge) => State::Known(challenge.verdict()),
                None => State::Known(Verdict::unsigned()),
            },
        };
        Self { state, only }
    }

    /// As [`start`](Self::start), under a scheme that the caller knows.
    pub fn start_with(scheme: &'static Scheme, request: &Request<'_>, secrets: &Secrets, now: i64) -> Self {
        let state = State::judge(&[scheme], request, &Scope::new(request, b""), secrets, now);
        Self { state, only: None }
    }

    /// As [`event()`](crate::event()), of the same request. What was found out of it already is not found out again.
    pub fn event(&self, request: &Request<'_>, body_prefix: &[u8]) -> Event {
        match self.only {
            Some(scheme) => event::event_of(scheme, &Scope::new(request, body_prefix)),
            None => event::event(request, body_prefix),
        }
    }

    /// Whether the outcome depends on the body. If not, it need not be fed: [`update`](Self::update) does nothing.
    pub fn needs_body(&self) -> bool {
        !matches!(self.state, State::Known(_))
    }

    /// Takes the next piece of the raw body.
    pub fn update(&mut self, chunk: &[u8]) {
        match &mut self.state {
            State::Known(_) => {}
            State::Peeking { beginning, .. } => {
                let room = challenge::BEGINNING.saturating_sub(beginning.len());
                beginning.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            State::Hashing { hashing, .. } => hashing.iter_mut().for_each(|hashing| hashing.update(chunk)),
            State::Whole(whole) => whole.update(chunk),
        }
    }

    /// The verdict, once all of the body was given.
    pub fn finish(self) -> Verdict {
        match self.state {
            State::Known(verdict) => verdict,
            State::Peeking { verdict, beginning } => {
                challenge::in_body(verdict.scheme, &beginning).map_or(verdict, challenge::Challenge::verdict)
            }
            State::Hashing { hashing, known } => {
                let verdict = hashing.into_iter().fold(known, |best, next| Some(better(best, next.finish())));
                verdict.unwrap_or_else(Verdict::unsigned)
            }
            State::Whole(whole) => whole.finish(),
        }
    }
}

enum State {
    Known(Verdict),
    /// Only the body's beginning tells a handshake from an event.
    Peeking {
        verdict: Verdict,
        beginning: Vec<u8>,
    },
    /// Nearly always one; several where schemes look alike. `known` is the best of those that need no body.
    Hashing {
        hashing: Vec<Hashing<'static>>,
        known: Option<Verdict>,
    },
    Whole(Box<Whole>),
}

impl State {
    fn judge(
        schemes: &[&'static Scheme],
        request: &Request<'_>,
        scope: &Scope<'_>,
        secrets: &Secrets,
        now: i64,
    ) -> Self {
        if schemes.iter().any(|scheme| scheme.needs_whole_body()) {
            return Self::Whole(Box::new(Whole::new(schemes, request, secrets, now)));
        }
        let mut hashing = Vec::with_capacity(1);
        let mut known = None;
        for scheme in schemes {
            match hashing::begin(scheme, scope, &own(scheme, secrets), now) {
                Begun::Hashing(begun) => hashing.push(begun),
                Begun::Known(verdict) => known = Some(better(known, verdict)),
            }
        }
        match known {
            Some(verdict) if hashing.is_empty() => Self::known(verdict, scope),
            known => Self::Hashing { hashing, known },
        }
    }

    /// What nobody could check may still be a handshake, which its body tells.
    fn known(verdict: Verdict, scope: &Scope<'_>) -> Self {
        if verdict.status != Status::NoSecret {
            return Self::Known(verdict);
        }
        match challenge::by_head(scope, None) {
            Some(challenge) => Self::Known(challenge.verdict()),
            None if challenge::may_be_in_body(verdict.scheme) => Self::Peeking { verdict, beginning: Vec::new() },
            None => Self::Known(verdict),
        }
    }
}

/// Judges a request whose body is there as a whole, with these secrets only, whatever kind they are of.
pub(crate) fn judge_whole(
    scheme: &Scheme,
    request: &Request<'_>,
    body: &[u8],
    secrets: &[&Secret],
    now: i64,
) -> Verdict {
    let scope = Scope::new(request, body);
    match hashing::begin(scheme, &scope, secrets, now) {
        Begun::Known(verdict) => verdict,
        Begun::Hashing(mut hashing) => {
            hashing.update(body);
            hashing.finish()
        }
    }
}

/// Tries one edited request: the name of the secret with which its signature is right, whatever its age. `scheme` need
/// not be a row of the table.
pub(crate) fn trial(
    scheme: &Scheme,
    request: &Request<'_>,
    body: &[u8],
    secrets: &[&Secret],
    now: i64,
) -> Option<String> {
    fitting(judge_whole(scheme, request, body, secrets, now))
}

/// A check of one request that takes one body after the other: everything that does not depend on the body is done once.
#[derive(Clone)]
pub(crate) struct Prepared<'s>(Hashing<'s>);

impl<'s> Prepared<'s> {
    /// `None` if the scheme reads fields of the body, so that nothing can be prepared, or if no body could be right.
    pub(crate) fn new(scheme: &'s Scheme, request: &Request<'_>, secrets: &[&Secret], now: i64) -> Option<Self> {
        if scheme.needs_whole_body() {
            return None;
        }
        match hashing::begin(scheme, &Scope::new(request, b""), secrets, now) {
            Begun::Hashing(hashing) => Some(Self(hashing)),
            Begun::Known(_) => None,
        }
    }

    /// Takes the next piece of a body.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The name of the secret with which the signature is right, whatever its age.
    pub(crate) fn finish(self) -> Option<String> {
        fitting(self.0.finish())
    }
}

fn fitting(verdict: Verdict) -> Option<String> {
    verdict.secret.filter(|_| matches!(verdict.status, Status::Valid | Status::Stale))
}

/// The secrets of a scheme: those of its provider and kind.
pub(crate) fn own<'a>(scheme: &Scheme, secrets: &'a Secrets) -> Vec<&'a Secret> {
    secrets.of(scheme.provider).iter().filter(|secret| secret.kind() == scheme.kind).collect()
}

/// The better one of two verdicts about the same request; the first, if they are as good.
fn better(first: Option<Verdict>, second: Verdict) -> Verdict {
    let rank = |verdict: &Verdict| match (verdict.status, verdict.cause) {
        (Status::Valid, None) => 0,
        (Status::Valid, Some(_)) => 1,
        (Status::Stale, _) => 2,
        (Status::Invalid, Some(Cause::NoMatch)) => 4,
        (Status::Invalid, Some(Cause::MalformedSignature)) => 5,
        (Status::Invalid, _) => 3,
        _ => 6,
    };
    match first {
        Some(first) if rank(&first) <= rank(&second) => first,
        _ => second,
    }
}

/// Feeds arbitrary bytes to everything that reads a header or a body. The first line is the value of the signature
/// header, the rest is the body. For fuzzing: whatever the bytes, it returns.
#[doc(hidden)]
pub fn fuzz_headers(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (value, body) = (&data[..split], &data[split..]);
    for scheme in crate::schemes() {
        let mut secrets = Secrets::default();
        secrets.add(scheme.provider, Secret::new("fuzz", " \"secret\" "));
        secrets.add(scheme.provider, Secret::new("fuzz of the api", "0123456789abcdef").of_api());
        let names = scheme.detection.with.iter().copied().chain(scheme.signature_header());
        let headers: Vec<_> = names.chain(scheme.header_names()).map(|name| (name, value)).collect();
        let target = [b"/?".as_slice(), value].concat();
        let request = Request { method: b"POST", target: &target, headers: &headers, urls: &[] };
        for mut verifier in
            [Verifier::start(&request, &secrets, 0), Verifier::start_with(scheme, &request, &secrets, 0)]
        {
            verifier.update(body);
            let verdict = crate::diagnose(&request, body, &secrets, verifier.finish(), 0).verdict;
            let is_password = scheme.covers == crate::Coverage::Nothing;
            assert!(is_password || verdict.status != Status::Valid, "nobody guesses a signature of {}", scheme.id);
        }
        crate::event(&request, body);
    }
}
