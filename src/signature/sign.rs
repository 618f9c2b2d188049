//! `hookwire sign`: what the provider would send.

use std::io::{self, Write};

use hookwire_capture::{CapturedBody, Exchange, Origin};
use hookwire_inspector::export::{Kind, export};
use hookwire_protocol::head::{BodyLength, HttpVersion, RequestHead};
use hookwire_signatures::{Scheme, SignError, SignInput, Signed, UrlRule, sign};
use serde::Serialize;
use uuid::Uuid;

use super::asked::Asked;
use crate::{cli::signature::SignArgs, failure::Failure};

/// Where a curl command goes if no URL was given.
const LOCAL: &str = "http://localhost:3000/";

/// Signs, and prints what to send.
pub(crate) fn run(arguments: SignArgs) -> Result<(), Failure> {
    let SignArgs { what, id, curl } = arguments;
    let json = what.json;
    let asked = Asked::read(what, None)?;
    let scheme = *asked.schemes.first().ok_or_else(|| {
        Failure::usage("no provider was named")
            .hint("`hookwire sign razorpay --body body.json --secret env:…`".to_owned())
    })?;
    let secret =
        asked.secrets.of(scheme.provider).iter().find(|secret| secret.kind() == scheme.kind).ok_or_else(|| {
            let usual = scheme.provider.usual_env_names().first().copied().unwrap_or("WEBHOOK_SECRET");
            Failure::usage(format!("no secret of {} is known to sign with", scheme.provider.title()))
                .hint(format!("name it with `--secret env:{usual}`, or pass `--env-file .env`"))
        })?;
    if scheme.url != UrlRule::Unsigned && asked.urls.is_empty() {
        return Err(Failure::usage(format!("{} signs the URL, and none was given", scheme.provider.title()))
            .hint("`--url` is the address that stands in the provider's dashboard".to_owned()));
    }
    let url = asked.urls.first().map_or(LOCAL, String::as_str);
    let id = id.unwrap_or_else(|| format!("msg_{}", Uuid::now_v7().simple()));
    let headers: Vec<(String, String)> =
        asked.headers.iter().map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned())).collect();
    let input = SignInput {
        secret,
        method: &asked.method,
        url,
        headers: &headers,
        fields: &asked.fields,
        body: &asked.body,
        now: asked.now,
        id: &id,
    };
    let signed = sign(scheme, &input).map_err(|error| failure(scheme, error))?;
    let sent = Sent::of(&asked, url, &headers, signed);
    let text = match (curl, json) {
        (true, _) => sent.into_curl(),
        (_, true) => Ok(sent.as_json(scheme)),
        _ => Ok(sent.in_lines(url)),
    };
    text.and_then(|text| io::stdout().lock().write_all(&text))
        .map_err(|error| Failure::usage(format!("can't write to standard output: {error}")))
}

fn failure(scheme: &Scheme, error: SignError) -> Failure {
    let hint = match error {
        SignError::PrivateKey => Some("take a request that the provider sent: `hookwire requests`".to_owned()),
        SignError::Header => Some("give what is signed with `-H`, see the provider's page".to_owned()),
        _ => None,
    };
    let page = format!("see {}", scheme.docs);
    Failure::usage(format!("{error} (`{}`)", scheme.id)).hint(Some(hint.unwrap_or(page)))
}

/// The request with its signature.
struct Sent {
    method: String,
    url: String,
    /// Those that were given and those that were made.
    headers: Vec<(String, String)>,
    made: Vec<(String, String)>,
    body: Vec<u8>,
    has_other_body: bool,
}

impl Sent {
    fn of(asked: &Asked, url: &str, given: &[(String, String)], signed: Signed) -> Self {
        let is_made = |name: &str| signed.headers.iter().any(|(made, _)| made.eq_ignore_ascii_case(name));
        let kept = given.iter().filter(|(name, _)| !is_made(name)).cloned();
        let mut url = url.to_owned();
        if !signed.query.is_empty() {
            let pairs = signed.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish());
        }
        Self {
            method: asked.method.clone(),
            url,
            headers: kept.chain(signed.headers.iter().cloned()).collect(),
            made: signed.headers,
            has_other_body: signed.body.is_some(),
            body: signed.body.unwrap_or_else(|| asked.body.clone()),
        }
    }

    /// What is to be added, and what is to be sent instead of what was given.
    fn in_lines(&self, given: &str) -> Vec<u8> {
        let mut out = Vec::new();
        if self.url != given {
            out.extend_from_slice(format!("{}\n\n", self.url).as_bytes());
        }
        for (name, value) in &self.made {
            out.extend_from_slice(format!("{name}: {value}\n").as_bytes());
        }
        if self.has_other_body {
            out.push(b'\n');
            out.extend_from_slice(&self.body);
            out.push(b'\n');
        }
        out
    }

    fn as_json(&self, scheme: &Scheme) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'a> {
            scheme: &'static str,
            method: &'a str,
            url: &'a str,
            headers: &'a [(String, String)],
            body: Option<String>,
        }
        let body = self.has_other_body.then(|| String::from_utf8_lossy(&self.body).into_owned());
        let line = Line { scheme: scheme.id, method: &self.method, url: &self.url, headers: &self.made, body };
        // Texts always serialise.
        let mut out = serde_json::to_vec(&line).unwrap_or_default();
        out.push(b'\n');
        out
    }

    /// A command for any POSIX shell, as the inspector writes them.
    fn into_curl(self) -> io::Result<Vec<u8>> {
        let (origin, target) = split(&self.url);
        let (origin, target) = (origin.to_owned(), target.to_owned());
        let mut command = Vec::new();
        export(Kind::Curl, &origin, [&self.exchange(target)], &mut command)?;
        Ok(command)
    }

    /// The request as if it had been captured.
    fn exchange(self, target: String) -> Exchange {
        let has_type = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let given = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()));
        let typed = (!self.body.is_empty() && !has_type).then(|| ("content-type".to_owned(), "application/json"));
        let headers: Vec<_> = given.chain(typed).collect();
        let length = self.body.len() as u64;
        let request = RequestHead {
            id: [0; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: if length == 0 { BodyLength::Empty } else { BodyLength::Sized(length) },
            method: self.method.into(),
            target: target.into(),
            headers: headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect(),
        };
        let request_body = CapturedBody { bytes: self.body.into(), length, sha256: None };
        Exchange { origin: Origin::Sent, request_body, ..Exchange::of(request) }
    }
}

/// A URL in two: scheme and host, and what a request line has.
fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |at| at + 3);
    url.split_at(url[host..].find(['/', '?']).map_or(url.len(), |at| host + at))
}
