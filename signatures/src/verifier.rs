//! Checks a signature while the body streams by.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use crate::cause::Cause;
use crate::claims::{Candidate, Claims, Timestamp};
use crate::detect::detect_in;
use crate::mac::Mac;
use crate::request::{Fields, Request};
use crate::scheme::{Part, Scheme, schemes};
use crate::secret::{Secret, Secrets};
use crate::verdict::{Status, Verdict};

/// Checks one request's signature, fed with the raw body in chunks of any size.
///
/// It owns all it needs, so it can live across awaits; it holds no body, only the state of the MACs.
pub struct Verifier(State);

impl Verifier {
    /// Recognises the scheme of `request` and begins to check it with every secret of its provider. `now` is in
    /// unix seconds.
    pub fn start(request: &Request<'_>, secrets: &Secrets, now: i64) -> Self {
        let fields = request.fields();
        match detect_in(&fields) {
            Some(scheme) => Self::judge(scheme, &fields, secrets.of(scheme.provider), now),
            None => Self(State::Known(Verdict::unsigned())),
        }
    }

    /// As [`start`](Self::start), under a scheme that the caller knows.
    pub fn start_with(scheme: &'static Scheme, request: &Request<'_>, secrets: &Secrets, now: i64) -> Self {
        Self::judge(scheme, &request.fields(), secrets.of(scheme.provider), now)
    }

    pub(crate) fn judge(scheme: &'static Scheme, fields: &Fields<'_>, secrets: &[Secret], now: i64) -> Self {
        let known = |status, cause| Self(State::Known(Verdict::under(scheme, status, cause)));
        match Claims::read(scheme, fields) {
            Err(Cause::MissingSignature) if secrets.is_empty() => {
                known(Status::Unsigned, Some(Cause::MissingSignature))
            }
            _ if secrets.is_empty() => known(Status::NoSecret, None),
            Err(cause) => known(Status::Invalid, Some(cause)),
            Ok(claims) => {
                let hashing = Hashing::new(scheme, claims, secrets, now);
                if hashing.candidates.is_empty() {
                    Self(State::Known(hashing.verdict(Status::Invalid, Some(Cause::NoMatch))))
                } else {
                    Self(State::Hashing(hashing))
                }
            }
        }
    }

    /// Whether the outcome depends on the body. If not, it need not be fed: [`update`](Self::update) does nothing.
    pub fn needs_body(&self) -> bool {
        matches!(self.0, State::Hashing(_))
    }

    /// Takes the next piece of the raw body.
    pub fn update(&mut self, chunk: &[u8]) {
        if let State::Hashing(hashing) = &mut self.0 {
            hashing.body_is_empty &= chunk.is_empty();
            hashing.feed(chunk);
        }
    }

    /// The verdict, once all of the body was given.
    pub fn finish(self) -> Verdict {
        match self.0 {
            State::Known(verdict) => verdict,
            State::Hashing(hashing) => hashing.finish(),
        }
    }
}

enum State {
    Known(Verdict),
    Hashing(Hashing),
}

struct Hashing {
    scheme: &'static Scheme,
    /// Never empty, and the best form first.
    candidates: Vec<Candidate>,
    timestamp: Option<Timestamp>,
    /// One MAC for each secret, under the secret's name.
    macs: Vec<(Arc<str>, Mac)>,
    body_is_empty: bool,
    now: i64,
}

impl Hashing {
    fn new(scheme: &'static Scheme, claims: Claims, secrets: &[Secret], now: i64) -> Self {
        let keyed = |secret: &Secret| (secret.shared_name(), scheme.algorithm.keyed(secret.value()));
        let mut hashing = Self {
            scheme,
            candidates: claims.candidates,
            timestamp: claims.timestamp,
            macs: secrets.iter().map(keyed).collect(),
            body_is_empty: true,
            now,
        };
        hashing.feed_parts(scheme.before_body());
        hashing
    }

    fn feed_parts(&mut self, parts: impl Iterator<Item = Part>) {
        let timestamp = self.timestamp.clone();
        for part in parts {
            match part {
                Part::Text(text) => self.feed(text.as_bytes()),
                Part::Timestamp => self.feed(timestamp.as_ref().map_or(&[], |timestamp| &timestamp.text)),
                // The body is what stands between the parts given here.
                Part::Body => {}
            }
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        for (_, mac) in &mut self.macs {
            mac.update(bytes);
        }
    }

    fn finish(mut self) -> Verdict {
        self.feed_parts(self.scheme.after_body());
        let tags: Vec<_> = self.macs.drain(..).map(|(name, mac)| (name, mac.finish())).collect();
        let matching = self.candidates.iter().find_map(|candidate| {
            let fits = |tag: &[u8]| bool::from(candidate.tag.ct_eq(tag));
            let (name, _) = tags.iter().find(|(_, tag)| fits(tag))?;
            Some((candidate.fault, name))
        });
        match matching {
            None => self.verdict(Status::Invalid, Some(Cause::NoMatch)),
            Some((fault, name)) => Verdict { secret: Some(name.to_string()), ..self.matched(fault) },
        }
    }

    /// The verdict of a signature whose bytes are right.
    fn matched(&self, fault: Option<Cause>) -> Verdict {
        // Another encoding is refused by the provider's package and never sent by the provider; white space and an
        // empty body are only worth a warning, because the signature stands as documented.
        if fault == Some(Cause::WrongEncoding) {
            return self.verdict(Status::Invalid, fault);
        }
        let refused = self.body_is_empty && self.scheme.refuses_empty_body;
        let warning = fault.or(refused.then_some(Cause::SdkStrictness));
        let verdict = self.verdict(Status::Valid, warning);
        match &self.scheme.time {
            Some(rule) => verdict.aged(rule),
            None => verdict,
        }
    }

    fn verdict(&self, status: Status, cause: Option<Cause>) -> Verdict {
        let age = |timestamp: &Timestamp| self.now.saturating_sub(timestamp.seconds);
        Verdict { age_seconds: self.timestamp.as_ref().map(age), ..Verdict::under(self.scheme, status, cause) }
    }
}

/// Feeds arbitrary bytes to everything that reads a header or a body. The first line is the value of the signature
/// header, the rest is the body. For fuzzing: whatever the bytes, it returns.
#[doc(hidden)]
pub fn fuzz_headers(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (value, body) = (&data[..split], &data[split..]);
    for scheme in schemes() {
        let mut secrets = Secrets::default();
        secrets.add(scheme.provider, Secret::new("fuzz", " \"secret\" "));
        let companions = scheme.detection.with.iter().map(|name| (*name, value));
        let headers: Vec<_> = companions.chain([(scheme.header, value)]).collect();
        let request = Request { method: b"POST", target: b"/", headers: &headers };
        let mut verifier = Verifier::start(&request, &secrets, 0);
        verifier.update(body);
        let verdict = crate::diagnose(&request, body, &secrets, verifier.finish(), 0);
        assert_ne!((verdict.status, verdict.cause), (Status::Valid, None), "nobody guesses a signature");
        crate::event(&request, body);
    }
}
