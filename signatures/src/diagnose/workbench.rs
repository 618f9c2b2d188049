//! Where edits are tried.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::edit::Edit;
use crate::cause::Cause;
use crate::key::KeyForm;
use crate::request::Request;
use crate::rewrite::bytes::BYTE_ORDER_MARK;
use crate::rewrite::difference::{Change, Difference, between, difference};
use crate::rewrite::document::Document;
use crate::rewrite::form::{self, Field};
use crate::rewrite::write::write;
use crate::scheme::Scheme;
use crate::secret::{Secret, Secrets};
use crate::verifier::{Prepared, own, trial};

/// How much work all trials of one request may be, as bytes that are hashed in the same time, the better part of a
/// nanosecond each: so much for any, more for each byte of the body, and so much at most. So 10 kB are diagnosed in 2 ms
/// and 1 MiB in 50 ms. Short bodies, which nearly all are, never get there.
const WORK_FOR_ANY: usize = 1_200_000;
const WORK_PER_BYTE: usize = 100;
const WORK_LIMIT: usize = 40_000_000;

/// What a trial costs beside its body: headers are read again, keys are made.
const TRIAL_COST: usize = 2_048;

/// How much longer it takes to write a body anew and hash it than to hash it.
const REWRITING_FACTOR: usize = 4;

/// A request that nobody can explain yet.
pub(super) struct Case<'a> {
    pub(super) scheme: &'static Scheme,
    pub(super) request: Request<'a>,
    pub(super) body: &'a [u8],
    pub(super) secrets: &'a Secrets,
    /// The secrets that count for the scheme.
    pub(super) own: Vec<&'a Secret>,
    now: i64,
    /// The body as JSON, without its byte order mark.
    pub(super) document: Option<Document<'a>>,
    /// The body as a form.
    pub(super) form: Option<Vec<Field>>,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        scheme: &'static Scheme,
        request: Request<'a>,
        body: &'a [u8],
        secrets: &'a Secrets,
        now: i64,
    ) -> Self {
        let text = std::str::from_utf8(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body));
        let document = text.ok().and_then(Document::parse);
        let form = if document.is_none() { form::parse(body) } else { None };
        Self { scheme, request, body, secrets, own: own(scheme, secrets), now, document, form }
    }
}

/// Tries edits, and keeps count.
pub(super) struct Workbench<'a> {
    case: &'a Case<'a>,
    /// Takes one body after the other, where all of the check but the body is done beforehand.
    prepared: Option<Prepared<'a>>,
    trials: usize,
    spent: usize,
    /// What of it was spent on writing JSON: half of the work at most, so that something is left for the rest.
    spent_on_rewriting: usize,
    is_complete: bool,
}

impl<'a> Workbench<'a> {
    pub(super) fn new(case: &'a Case<'a>) -> Self {
        let prepared = Prepared::new(case.scheme, &case.request, &case.own, case.now);
        Self { case, prepared, trials: 0, spent: 0, spent_on_rewriting: 0, is_complete: true }
    }

    /// How many edits were tried.
    pub(super) fn trials(&self) -> usize {
        self.trials
    }

    /// Whether no edit was left out because it would have taken too long.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The name of the secret with which the edited request is right.
    pub(super) fn fits(&mut self, edit: &Edit<'_>) -> Option<String> {
        let case = self.case;
        if !self.may_spend(edit) {
            self.is_complete = false;
            return None;
        }
        self.trials += 1;
        let tried = |scheme: &Scheme, request: &Request<'_>, secrets: &[&Secret]| {
            trial(scheme, request, case.body, secrets, case.now)
        };
        match edit {
            Edit::Body(_) | Edit::Dialect(..) => self.body_fits(edit),
            Edit::Secret(secret) => tried(case.scheme, &case.request, &[secret]),
            Edit::Key(secret) => {
                let raw = Scheme { key: KeyForm::Text, ..*case.scheme };
                tried(&raw, &case.request, &[secret])
            }
            Edit::Scheme(scheme) => tried(scheme, &case.request, &case.own),
            Edit::Headers(headers) => tried(case.scheme, &Request { headers, ..case.request }, &case.own),
            Edit::Method(method) => tried(case.scheme, &Request { method, ..case.request }, &case.own),
            Edit::Url(url) => tried(case.scheme, &Request { urls: &[url.as_str()], ..case.request }, &case.own),
        }
    }

    /// Whether there is work left for a trial of this edit; if so, it is taken.
    fn may_spend(&mut self, edit: &Edit<'_>) -> bool {
        let length = self.case.body.len();
        let limit = WORK_LIMIT.min(WORK_FOR_ANY + WORK_PER_BYTE * length);
        let secrets = match edit {
            Edit::Secret(_) | Edit::Key(_) => 1,
            _ => self.case.own.len().max(1),
        };
        let hashing = secrets * (length * self.case.scheme.algorithm.slowness() + TRIAL_COST);
        let is_rewriting = matches!(edit, Edit::Dialect(..));
        let rewriting = if is_rewriting { (REWRITING_FACTOR - 1) * length + hashing } else { 0 };
        let cost = if is_rewriting { rewriting } else { hashing };
        let fits = self.spent + cost <= limit && self.spent_on_rewriting + rewriting <= limit / 2;
        if fits {
            self.spent += cost;
            self.spent_on_rewriting += rewriting;
        }
        fits
    }

    fn body_fits(&self, edit: &Edit<'_>) -> Option<String> {
        let case = self.case;
        if let Some(prepared) = &self.prepared {
            let mut check = prepared.clone();
            let fed = feed(case, edit, &mut |piece| check.update(piece));
            return fed.and_then(|()| check.finish());
        }
        let body = edited_body(case, edit)?;
        trial(case.scheme, &case.request, &body, &case.own, case.now)
    }

    /// Where the body that was signed differs first from the one received, if that is what the cause is about.
    pub(super) fn difference(&self, cause: Cause, edit: &Edit<'_>) -> Option<Difference> {
        let case = self.case;
        let change = match cause {
            Cause::BodyNewline => Change::Spacing,
            Cause::BodyKeyOrder => Change::Keys,
            Cause::BodyReserialized if case.form.is_some() => Change::Encoding,
            Cause::BodyReserialized => Change::Number,
            _ => return None,
        };
        match (edit, &case.document) {
            (Edit::Dialect(dialect, b""), Some(document)) => difference(document, dialect, case.body).ok()?,
            _ => between(case.body, &edited_body(case, edit)?, change),
        }
    }
}

/// Feeds the edited body, piece by piece; `None` if the edit can't be made.
fn feed(case: &Case<'_>, edit: &Edit<'_>, sink: &mut dyn FnMut(&[u8])) -> Option<()> {
    match edit {
        Edit::Body(pieces) => pieces.iter().for_each(|piece| sink(piece)),
        Edit::Dialect(dialect, end) => {
            let written = write(case.document.as_ref()?, dialect, &mut |piece| {
                sink(piece);
                ControlFlow::Continue(())
            });
            written.ok()?;
            sink(end);
        }
        _ => sink(case.body),
    }
    Some(())
}

/// The edited body as a whole.
fn edited_body<'a>(case: &Case<'_>, edit: &'a Edit<'_>) -> Option<Cow<'a, [u8]>> {
    if let Edit::Body(pieces) = edit
        && let [piece] = pieces.as_slice()
    {
        return Some(Cow::Borrowed(piece));
    }
    let mut body = Vec::with_capacity(case.body.len());
    feed(case, edit, &mut |piece| body.extend_from_slice(piece))?;
    Some(Cow::Owned(body))
}
