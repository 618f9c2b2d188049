//! Why a signature does not fit: edit one thing, verify again. The first edit that makes it fit names the cause, so a
//! cause is never guessed.

mod body;
mod edit;
mod form;
mod header;
mod json;
mod secret;
mod shape;
mod url;
mod variant;
mod workbench;

use std::fmt;

use crate::cause::Cause;
use crate::diagnose::edit::Proposal;
use crate::diagnose::workbench::{Case, Workbench};
use crate::request::Request;
use crate::rewrite::difference::{Change, Difference, Snippet};
use crate::scheme::Scheme;
use crate::secret::Secrets;
use crate::verdict::{Status, Verdict};

/// The longest body that is diagnosed, in bytes. Webhooks are far smaller (GitHub's limit of 25 MB is the exception),
/// and each of some hundred MACs over 1 MiB keeps a core busy for most of a millisecond.
pub const DIAGNOSIS_BODY_LIMIT: usize = 1 << 20;

/// A verdict, explained as far as that is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The verdict as it was, with the cause that was found. Its status is never another one.
    pub verdict: Verdict,
    /// What shows that it is this cause; `None` if nothing fits, or if there was nothing to look for.
    pub evidence: Option<Evidence>,
    /// What was supposed, in the order of the trials, up to what fits. Empty if there was nothing to look for.
    pub tried: Vec<&'static str>,
    /// How often the signature was checked anew.
    pub trials: usize,
    /// Whether all was tried that could be: a long body is not edited in every way.
    pub is_complete: bool,
}

/// The one edit with which the signature is right.
///
/// It holds no secret and no MAC, but a few characters of the body where those are the point ([`Snippet`] keeps them out
/// of `Debug`).
///
/// [`Snippet`]: crate::Snippet
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What was edited, in a few words: "with its slashes escaped, as PHP writes them, the body fits".
    pub what: String,
    /// Where the body as it was signed first differs from the one received; there, `rewritten` is what was signed.
    pub difference: Option<Difference>,
}

impl fmt::Display for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)?;
        let Some(Difference { offset, change, received, rewritten }) = &self.difference else {
            return Ok(());
        };
        match (in_one_line(received).as_str(), in_one_line(rewritten).as_str()) {
            (received, "") => write!(formatter, "; `{received}` at byte {offset} was not signed"),
            ("", signed) => write!(formatter, "; `{signed}` at byte {offset} was signed too"),
            _ if *change == Change::Spacing => write!(formatter, "; the first difference is at byte {offset}"),
            (received, signed) => write!(formatter, "; at byte {offset} came `{received}` where `{signed}` was signed"),
        }
    }
}

/// Its control characters as escapes, the rest as it is: quoted JSON has backslashes enough.
fn in_one_line(snippet: &Snippet) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    snippet.as_str().chars().map(escaped).collect()
}

impl Diagnosis {
    /// One line: what shows the cause, or what was tried where nothing fits. `None` if there was nothing to look for. Parts
    /// of it may come from the network: they must be made harmless before a terminal sees them.
    pub fn in_words(&self) -> Option<String> {
        if let Some(evidence) = &self.evidence {
            return Some(evidence.to_string());
        }
        // A semicolon, as names of groups have commas.
        let (trials, tried) = (self.trials, self.tried.join("; "));
        match (self.verdict.cause, self.is_complete) {
            (Some(Cause::NoMatch), false) if tried.is_empty() => {
                Some(format!("nothing was tried: only bodies up to {} MiB are looked into", DIAGNOSIS_BODY_LIMIT >> 20))
            }
            (Some(Cause::NoMatch), false) => {
                Some(format!("tried in {trials} ways, fewer than with a shorter body: {tried}"))
            }
            (Some(Cause::NoMatch), true) if !tried.is_empty() => Some(format!("tried in {trials} ways: {tried}")),
            _ => None,
        }
    }

    fn untouched(verdict: Verdict) -> Self {
        Self { verdict, evidence: None, tried: Vec::new(), trials: 0, is_complete: true }
    }
}

/// Looks for the cause of an invalid verdict that has none yet ([`Cause::NoMatch`]); of a missing signature it tells
/// whether another header carries it, of a body that does not fit its signed hash how it changed. Any other verdict
/// comes back as it is.
///
/// `body` must be the whole body; one longer than [`DIAGNOSIS_BODY_LIMIT`] is not looked into. A verdict with a new
/// cause names the secret that the cause was found with, if that one is known. This is no work for the delivery path.
pub fn diagnose(request: &Request<'_>, body: &[u8], secrets: &Secrets, verdict: Verdict, now: i64) -> Diagnosis {
    let groups = match (verdict.status, verdict.cause) {
        (Status::Invalid, Some(Cause::NoMatch)) => GROUPS,
        (Status::Invalid, Some(Cause::MissingSignature)) => HEADERS_ONLY,
        (Status::Invalid, Some(Cause::BodyChanged)) => BODY_ONLY,
        _ => return Diagnosis::untouched(verdict),
    };
    let Some(scheme) = verdict.scheme.and_then(Scheme::with_id) else {
        return Diagnosis::untouched(verdict);
    };
    if body.len() > DIAGNOSIS_BODY_LIMIT {
        return Diagnosis { is_complete: false, ..Diagnosis::untouched(verdict) };
    }
    let case = Case::new(scheme, *request, body, secrets, now);
    let mut workbench = Workbench::new(&case);
    let mut tried = Vec::new();
    for group in groups {
        let mut proposals = (group.proposals)(&case).peekable();
        if proposals.peek().is_some() {
            tried.push(group.name);
        }
        for Proposal { cause, what, edit } in proposals {
            let Some(secret) = workbench.fits(&edit) else { continue };
            let difference = workbench.difference(cause, &edit);
            let evidence = Some(Evidence { what: what.into_owned(), difference });
            // A hash of the body was signed: that is known already, and the evidence tells how it changed.
            let cause = if verdict.cause == Some(Cause::BodyChanged) { Cause::BodyChanged } else { cause };
            let is_own = || case.own.iter().any(|own| own.name() == secret);
            // A secret that was tried in the place of the configured one has no name of its own.
            let secret = if cause == Cause::WrongSecret && is_own() { None } else { Some(secret) };
            let verdict = Verdict { cause: Some(cause), secret, ..verdict };
            return Diagnosis { verdict, evidence, tried, trials: workbench.trials(), is_complete: true };
        }
    }
    let (trials, is_complete) = (workbench.trials(), workbench.is_complete());
    let unexplained = Diagnosis { tried, trials, is_complete, ..Diagnosis::untouched(verdict) };
    match shape::foreign(&case).filter(|_| unexplained.verdict.cause == Some(Cause::NoMatch)) {
        Some(what) => {
            let verdict = Verdict { cause: Some(Cause::WrongSecret), ..unexplained.verdict };
            Diagnosis { verdict, evidence: Some(Evidence { what, difference: None }), ..unexplained }
        }
        None => unexplained,
    }
}

/// Suppositions of one kind.
struct Group {
    /// What is supposed, for a person who reads what was tried.
    name: &'static str,
    /// The edits that would undo it, made one by one, so that a fitting one saves the rest.
    proposals: for<'a> fn(&'a Case<'a>) -> Box<dyn Iterator<Item = Proposal<'a>> + 'a>,
}

/// In the order that gives the best message: what the developer set, then what the bytes went through, then what the
/// signer did.
const GROUPS: &[Group] = &[
    Group { name: "white space or quotes around the secret", proposals: secret::trimmed },
    Group { name: "the secret in another form", proposals: secret::other_forms },
    Group { name: "another known secret", proposals: secret::others },
    Group { name: "a time in another unit", proposals: header::other_times },
    Group { name: "line endings", proposals: body::newlines },
    Group { name: "another URL", proposals: url::others },
    Group { name: "another method", proposals: header::methods },
    Group { name: "JSON written again", proposals: json::rewritten },
    Group { name: "numbers without their decimals", proposals: json::decimals },
    Group { name: "a form written again", proposals: form::rewritten },
    Group { name: "charset, compression and wrapping of the body", proposals: body::wrappings },
    Group { name: "a part of the body", proposals: json::parts },
    Group { name: "fields added to or missing from a form", proposals: form::fields },
    Group { name: "the signed pieces in another order", proposals: variant::orders },
    Group { name: "other pieces signed", proposals: variant::contents },
    Group { name: "another algorithm", proposals: variant::algorithms },
    Group { name: "the signature in another header", proposals: header::other_headers },
    Group { name: "white space around the signer's secret", proposals: secret::extended },
    Group { name: "an empty or unset secret", proposals: secret::unset },
    Group { name: "keys in another order", proposals: json::orders },
];

/// Where the signature is right, and the hash of the body in it is not.
const BODY_ONLY: &[Group] = &[
    Group { name: "line endings", proposals: body::newlines },
    Group { name: "JSON written again", proposals: json::rewritten },
    Group { name: "numbers without their decimals", proposals: json::decimals },
    Group { name: "a form written again", proposals: form::rewritten },
    Group { name: "charset, compression and wrapping of the body", proposals: body::wrappings },
];

/// Where there is no signature at all.
const HEADERS_ONLY: &[Group] = &[Group { name: "the signature in another header", proposals: header::other_headers }];

#[cfg(test)]
mod tests;
