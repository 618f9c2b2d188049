//! The MACs of one scheme under way.

use std::sync::Arc;

use crate::cause::Cause;
use crate::claims::{Candidate, Claims};
use crate::content::{Content, Ingredients};
use crate::mac::Mac;
use crate::odd::Case;
use crate::scheme::{Quirk, Scheme};
use crate::scope::Scope;
use crate::secret::Secret;
use crate::verdict::{Status, Verdict};

/// The most MACs that are computed at once: some secrets times some spellings of a URL. More would make a long list of
/// secrets, or of times in a header, a way to spend the checker's time.
const ATTEMPT_LIMIT: usize = 256;

/// What became of the beginning.
pub(super) enum Begun<'s> {
    /// The body makes no difference.
    Known(Verdict),
    /// The body is awaited.
    Hashing(Hashing<'s>),
}

/// Reads what the request claims and begins one MAC for every way in which it may have been signed.
pub(super) fn begin<'s>(scheme: &'s Scheme, scope: &Scope<'_>, secrets: &[&Secret], now: i64) -> Begun<'s> {
    let known = |status, cause| Begun::Known(Verdict::under(scheme, status, cause));
    if let Some(check) = scheme.own {
        return Begun::Known(check(&Case { scheme, scope, secrets, now }));
    }
    let refusal = || scheme.refusal.and_then(|refusal| refusal(scope));
    match Claims::read(scheme, scope).and_then(|claims| refusal().map_or(Ok(claims), Err)) {
        Err(cause) if secrets.is_empty() => match cause {
            Cause::MissingSignature | Cause::NoProviderSecret => known(Status::Unsigned, Some(cause)),
            _ => known(Status::NoSecret, None),
        },
        Ok(_) if secrets.is_empty() => known(Status::NoSecret, None),
        Err(cause) => known(Status::Invalid, Some(cause)),
        Ok(claims) => match Hashing::new(scheme, scope, claims, secrets, now) {
            Err(cause) => known(Status::Invalid, Some(cause)),
            Ok(hashing) if hashing.claims.is_hopeless() || hashing.attempts.is_empty() => {
                Begun::Known(hashing.verdict(0, Status::Invalid, Some(Cause::NoMatch)))
            }
            Ok(hashing) => Begun::Hashing(hashing),
        },
    }
}

/// One scheme's MACs, which want the body.
#[derive(Clone)]
pub(super) struct Hashing<'s> {
    scheme: &'s Scheme,
    claims: Claims,
    attempts: Vec<Attempt>,
    body_is_empty: bool,
    now: i64,
}

/// One way in which the request may have been signed.
#[derive(Clone)]
struct Attempt {
    secret: Arc<str>,
    account: Option<Arc<str>>,
    /// Which of the claims' sets it belongs to.
    set: usize,
    mac: Mac,
    has_body: bool,
    /// What is signed behind the body.
    after: Vec<u8>,
}

impl<'s> Hashing<'s> {
    fn new(
        scheme: &'s Scheme,
        scope: &Scope<'_>,
        claims: Claims,
        secrets: &[&Secret],
        now: i64,
    ) -> Result<Self, Cause> {
        let mut attempts = Vec::with_capacity(secrets.len());
        for url in scheme.url.candidates(scope) {
            for secret in secrets {
                for key in scheme.key.keys(secret.value()) {
                    for (set, claim) in claims.sets.iter().enumerate() {
                        let timestamp = claim.timestamp.as_ref();
                        let content =
                            Content::of(scheme, scope, Ingredients { secret, key: &key, url: &url, timestamp })?;
                        let Some(mac) = claims.algorithm.keyed(&key) else { continue };
                        if attempts.len() < ATTEMPT_LIMIT {
                            attempts.push(Attempt::new(secret, set, mac, content));
                        }
                    }
                }
            }
        }
        Ok(Self { scheme, claims, attempts, body_is_empty: true, now })
    }

    pub(super) fn update(&mut self, chunk: &[u8]) {
        self.body_is_empty &= chunk.is_empty();
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.has_body) {
            attempt.mac.update(chunk);
        }
    }

    pub(super) fn finish(mut self) -> Verdict {
        let mut is_cut = false;
        let mut best: Option<(usize, Arc<str>, &Candidate)> = None;
        for Attempt { secret, account, set, mut mac, after, .. } in self.attempts.drain(..) {
            mac.update(&after);
            let finished = mac.finish();
            is_cut |= finished.is_cut();
            for candidate in &self.claims.sets[set].candidates {
                let is_better = best.as_ref().is_none_or(|(.., best)| rank(candidate) < rank(best));
                if is_better && candidate.may_be_of(account.as_deref()) && finished.fits(&candidate.tag) {
                    best = Some((set, Arc::clone(&secret), candidate));
                }
            }
        }
        match best {
            Some((set, secret, candidate)) => {
                Verdict { secret: Some(secret.to_string()), ..self.matched(set, candidate) }
            }
            None if is_cut => self.verdict(0, Status::Invalid, Some(Cause::BodyTooLong)),
            None => self.verdict(0, Status::Invalid, Some(Cause::NoMatch)),
        }
    }

    /// The verdict of a signature whose bytes are right.
    fn matched(&self, set: usize, candidate: &Candidate) -> Verdict {
        // Another encoding, or white space inside, is refused by the provider's package and never sent by the provider;
        // an empty body is only worth a warning, because the signature stands as documented.
        if candidate.fault.is_some() {
            return self.verdict(set, Status::Invalid, candidate.fault);
        }
        let refuses_empty = self.body_is_empty && self.scheme.has(Quirk::RefusesEmptyBody);
        let is_overlooked = !candidate.is_last && self.scheme.has(Quirk::ChecksLastOnly);
        let warning = (refuses_empty || is_overlooked).then_some(Cause::SdkStrictness);
        let verdict = self.verdict(set, Status::Valid, warning);
        let timestamp = self.claims.sets.get(set).and_then(|set| set.timestamp.as_ref());
        match (&self.scheme.time, timestamp) {
            (Some(rule), Some(timestamp)) => verdict.aged(rule, timestamp, self.now, self.scheme.quirks),
            _ => verdict,
        }
    }

    fn verdict(&self, set: usize, status: Status, cause: Option<Cause>) -> Verdict {
        let timestamp = self.claims.sets.get(set).and_then(|set| set.timestamp.as_ref());
        let age_seconds =
            timestamp.and_then(|timestamp| timestamp.age_millis(self.now)).map(|age| age.div_euclid(1_000));
        Verdict { age_seconds, ..Verdict::under(self.scheme, status, cause) }
    }
}

impl Attempt {
    fn new(secret: &Secret, set: usize, mut mac: Mac, content: Content) -> Self {
        mac.update(&content.before);
        let Content { has_body, after, .. } = content;
        Self { secret: secret.shared_name(), account: secret.shared_account(), set, mac, has_body, after }
    }
}

impl Candidate {
    /// A request may say which of the keys was used.
    fn may_be_of(&self, account: Option<&str>) -> bool {
        match (&self.owner, account) {
            (Some(owner), Some(account)) => owner == account.as_bytes(),
            _ => true,
        }
    }
}

/// The documented form comes first.
fn rank(candidate: &Candidate) -> u8 {
    match candidate.fault {
        None => 0,
        Some(Cause::HeaderWhitespace) => 1,
        Some(_) => 2,
    }
}
