//! A request kept until its end, for schemes that read fields of the body.

use crate::cause::Cause;
use crate::challenge;
use crate::detect;
use crate::request::Request;
use crate::scheme::Scheme;
use crate::scope::Scope;
use crate::secret::Secrets;
use crate::verdict::{Status, Verdict};
use crate::verifier::{WHOLE_BODY_LIMIT, better, judge_whole, own};

/// A copy of a request, and its body as far as it has come.
pub(super) struct Whole {
    /// The schemes to judge it by; none if the body tells which.
    schemes: Vec<&'static Scheme>,
    method: Vec<u8>,
    target: Vec<u8>,
    urls: Vec<String>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    /// It was longer than [`WHOLE_BODY_LIMIT`].
    is_cut: bool,
    secrets: Secrets,
    now: i64,
}

impl Whole {
    pub(super) fn new(schemes: &[&'static Scheme], request: &Request<'_>, secrets: &Secrets, now: i64) -> Self {
        Self {
            schemes: schemes.to_vec(),
            method: request.method.to_vec(),
            target: request.target.to_vec(),
            urls: request.urls.iter().map(ToString::to_string).collect(),
            headers: request.headers.entries().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
            body: Vec::new(),
            is_cut: false,
            secrets: secrets.clone(),
            now,
        }
    }

    pub(super) fn update(&mut self, chunk: &[u8]) {
        self.is_cut |= self.body.len() + chunk.len() > WHOLE_BODY_LIMIT;
        if self.is_cut {
            self.body = Vec::new();
        } else {
            self.body.extend_from_slice(chunk);
        }
    }

    pub(super) fn finish(mut self) -> Verdict {
        if self.is_cut {
            return match self.schemes.first() {
                Some(scheme) if own(scheme, &self.secrets).is_empty() => Verdict::under(scheme, Status::NoSecret, None),
                Some(scheme) => Verdict::under(scheme, Status::Invalid, Some(Cause::BodyTooLong)),
                // Nobody signs a form of this length.
                None => Verdict::unsigned(),
            };
        }
        let urls: Vec<_> = self.urls.iter().map(String::as_str).collect();
        let request = Request { method: &self.method, target: &self.target, headers: &self.headers, urls: &urls };
        let scope = Scope::new(&request, &self.body);
        if self.schemes.is_empty() {
            self.schemes = detect::by_body(&scope, &self.secrets);
        }
        let verdict = self.schemes.iter().fold(None, |best, scheme| {
            let verdict = judge_whole(scheme, &request, &self.body, &own(scheme, &self.secrets), self.now);
            Some(better(best, verdict))
        });
        let is_open = verdict.as_ref().is_none_or(|verdict| verdict.status == Status::NoSecret);
        match challenge::of(&scope, &self.secrets).filter(|_| is_open) {
            Some(challenge) => challenge.verdict(),
            None => verdict.unwrap_or_else(Verdict::unsigned),
        }
    }
}
