//! `hookwire verify`: is this signature right, and if not, why?

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
};

use hookwire_inspector::sanitize;
use hookwire_signatures::{
    Cause, Caution, Diagnosis, Request, Scheme, SignInput, Status, Verdict, Verifier, cautions, diagnose, explain,
    schemes, sign,
};
use serde::Serialize;

use super::asked::Asked;
use crate::{
    cli::signature::VerifyArgs,
    failure::{Failure, coloured},
};

/// Round trips that are named: the most frequent ones come first.
const CAUTIONS: usize = 3;

/// Verifies, and says so. Anything but `valid` is a failure of what was asked.
pub(crate) fn run(arguments: VerifyArgs) -> Result<(), Failure> {
    let VerifyArgs { what, list, signature, explain: explains, show_expected } = arguments;
    if list {
        return say(&every_scheme());
    }
    if show_expected && !io::stdout().is_terminal() {
        return Err(Failure::usage("`--show-expected` writes to a terminal only").hint(
            "whoever has the right signature can forge this request: `hookwire sign` makes one on purpose".to_owned(),
        ));
    }
    let json = what.json;
    let asked = Asked::read(what, signature)?.with_fields_in_place();
    if asked.secrets.is_empty() {
        return Err(Failure::usage("no secret is known to check with")
            .hint("name it with `--secret env:RAZORPAY_WEBHOOK_SECRET`, or pass `--env-file .env`".to_owned()));
    }
    let urls: Vec<&str> = asked.urls.iter().map(String::as_str).collect();
    let request = Request {
        method: asked.method.as_bytes(),
        target: asked.target.as_bytes(),
        headers: &asked.headers,
        urls: &urls,
    };
    let diagnosis = judge(&asked, &request);
    let verdict = &diagnosis.verdict;
    let cautions = if verdict.status == Status::Valid { cautions(&request, &asked.body) } else { Vec::new() };
    let text = if json {
        as_json(&diagnosis, &cautions)
    } else {
        let steps = if explains { steps(verdict, &asked, &request) } else { String::new() };
        steps + &in_words(&diagnosis, &cautions)
    };
    say(&text)?;
    if show_expected {
        say(&expected(verdict, &asked)?)?;
    }
    if verdict.status == Status::Valid { Ok(()) } else { Err(Failure::silent()) }
}

/// One line for each: its id, who signs so, and where the signature stands.
fn every_scheme() -> String {
    let mut text = String::new();
    for scheme in schemes() {
        let _ = writeln!(text, "{:<28} {:<22} {}", scheme.id, scheme.provider.title(), scheme.signature_place());
    }
    text
}

/// Under the scheme that was named, else under the one that the request tells.
fn judge(asked: &Asked, request: &Request<'_>) -> Diagnosis {
    let trial = |scheme: Option<&'static Scheme>| {
        let mut verifier = match scheme {
            Some(scheme) => Verifier::start_with(scheme, request, &asked.secrets, asked.now),
            None => Verifier::start(request, &asked.secrets, asked.now),
        };
        verifier.update(&asked.body);
        verifier.finish()
    };
    let verdict = match asked.schemes.as_slice() {
        [] => trial(None),
        [scheme] => trial(Some(scheme)),
        // A provider with several: the request tells which, and if it does not, the first that fits.
        several => {
            let told = trial(None);
            let is_told = told.scheme.is_some_and(|id| several.iter().any(|scheme| scheme.id == id));
            if is_told {
                told
            } else {
                let tried: Vec<Verdict> = several.iter().map(|scheme| trial(Some(scheme))).collect();
                let best = tried.iter().find(|verdict| matches!(verdict.status, Status::Valid | Status::Stale));
                best.or(tried.first()).cloned().unwrap_or(told)
            }
        }
    };
    diagnose(request, &asked.body, &asked.secrets, verdict, asked.now)
}

#[derive(Serialize)]
struct Answer<'a> {
    status: &'static str,
    scheme: Option<&'static str>,
    secret: Option<&'a str>,
    cause: Option<&'static str>,
    reason: Option<String>,
    advice: Option<&'static str>,
    age_seconds: Option<i64>,
    tolerance_seconds: Option<i64>,
    evidence: Option<String>,
    tried: &'a [&'static str],
    cautions: Vec<String>,
}

fn as_json(diagnosis: &Diagnosis, cautions: &[Caution]) -> String {
    let verdict = &diagnosis.verdict;
    let answer = Answer {
        status: verdict.status.as_str(),
        scheme: verdict.scheme,
        secret: verdict.secret.as_deref(),
        cause: verdict.cause.map(Cause::as_str),
        reason: verdict.reason(),
        advice: verdict.cause.map(Cause::advice),
        age_seconds: verdict.age_seconds,
        tolerance_seconds: verdict.tolerance_seconds,
        evidence: diagnosis.evidence.as_ref().map(ToString::to_string),
        tried: &diagnosis.tried,
        cautions: cautions.iter().map(ToString::to_string).collect(),
    };
    // Text and numbers always serialise.
    serde_json::to_string(&answer).unwrap_or_default() + "\n"
}

/// Every step with its bytes.
fn steps(verdict: &Verdict, asked: &Asked, request: &Request<'_>) -> String {
    let mut text = String::new();
    if let Some(scheme) = verdict.scheme.and_then(Scheme::with_id) {
        for (index, step) in explain(scheme, request, &asked.secrets, &asked.body, asked.now).iter().enumerate() {
            let _ = writeln!(text, "{:>2}. {:<18} {}", index + 1, step.name, sanitize(step.text.as_bytes()));
        }
        text.push('\n');
    }
    text
}

fn in_words(diagnosis: &Diagnosis, cautions: &[Caution]) -> String {
    let verdict = &diagnosis.verdict;
    let is_coloured = coloured(&io::stdout());
    let paint = |colour: &'static str| if is_coloured { colour } else { "" };
    let (mark, colour) = match verdict.status {
        Status::Valid => ("✓", "\x1b[32m"),
        Status::Stale => ("⧗", "\x1b[33m"),
        Status::Invalid => ("✗", "\x1b[31m"),
        Status::NoSecret => ("?", "\x1b[33m"),
        _ => ("–", ""),
    };
    let mut text = String::new();
    let _ = write!(text, "{}{mark} {}{}", paint(colour), verdict.status.as_str(), paint("\x1b[0m"));
    if let Some(scheme) = verdict.scheme {
        let _ = write!(text, "  {scheme}");
    }
    if let (Status::Valid | Status::Stale, Some(secret)) = (verdict.status, &verdict.secret) {
        let _ = write!(text, "  with {}", sanitize(secret.as_bytes()));
    }
    if let Some(age) = verdict.age_seconds {
        let limit = verdict.tolerance_seconds.map_or_else(String::new, |limit| format!(" of {limit} s"));
        let _ = write!(text, "  {age} s{limit} old");
    }
    text.push('\n');
    if let Some(cause) = verdict.cause {
        let _ = writeln!(text, "  cause: {}", cause.as_str());
    }
    if let Some(reason) = verdict.reason() {
        let _ = writeln!(text, "  {}", sanitize(reason.as_bytes()));
    }
    if let Some(words) = diagnosis.in_words() {
        let _ = writeln!(text, "  {}", sanitize(words.as_bytes()));
    }
    for caution in cautions.iter().take(CAUTIONS) {
        let _ = writeln!(text, "  take care: {}", sanitize(caution.to_string().as_bytes()));
    }
    if let Some(more @ 1..) = cautions.len().checked_sub(CAUTIONS) {
        let _ = writeln!(text, "  take care: {more} more round trips would change the body (`--json` has them)");
    }
    if let Some(cause) = verdict.cause {
        let _ = writeln!(text, "\n{}hint:{} {}", paint("\x1b[1;36m"), paint("\x1b[0m"), cause.advice());
    }
    text
}

/// The headers, parameters or body that would be right.
fn expected(verdict: &Verdict, asked: &Asked) -> Result<String, Failure> {
    let scheme = verdict.scheme.and_then(Scheme::with_id).ok_or_else(|| Failure::usage("no scheme is known"))?;
    let secret = asked
        .secrets
        .of(scheme.provider)
        .iter()
        .find(|secret| secret.kind() == scheme.kind)
        .ok_or_else(|| Failure::usage(format!("no secret of {} is known", scheme.provider.title())))?;
    let headers: Vec<(String, String)> =
        asked.headers.iter().map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned())).collect();
    let url = asked.urls.first().map_or("https://example.com/", String::as_str);
    let input = SignInput {
        method: &asked.method,
        url,
        headers: &headers,
        now: asked.now,
        ..SignInput::new(secret, &asked.body, asked.now)
    };
    let signed = sign(scheme, &input).map_err(Failure::usage)?;
    let mut text = String::from("\nexpected at this time:\n");
    for (name, value) in signed.headers.iter().chain(&signed.query) {
        let _ = writeln!(text, "  {name}: {value}");
    }
    Ok(text)
}

fn say(text: &str) -> Result<(), Failure> {
    io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::usage(format!("can't write to standard output: {error}")))
}
