//! Signs as a provider would.

mod inside;

use crate::cause::Cause;
use crate::content::{Content, Ingredients};
use crate::form;
use crate::mac::Algorithm;
use crate::request::Request;
use crate::scheme::{Layout, Part, Place, Quirk, Scheme, TimeUnit};
use crate::scope::Scope;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The header that lists the signed ones at Contentful.
const CONTENTFUL_LIST: &str = "x-contentful-signed-headers";

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct SignInput<'a> {
    /// The secret to sign with, and what belongs to it.
    pub secret: &'a Secret,
    /// The method.
    pub method: &'a str,
    /// The whole URL as the provider would call it.
    pub url: &'a str,
    /// Headers that the request has already, such as an event's id. Those that carry a time or a signature are made anew.
    pub headers: &'a [(String, String)],
    /// Fields to send: in the query of a GET, else as the body's form, unless there is a body.
    pub fields: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
    /// The time, in unix seconds.
    pub now: i64,
    /// The id of the event, where it is signed and no header gives it.
    pub id: &'a str,
}

impl<'a> SignInput<'a> {
    /// A POST of this body and nothing else.
    pub const fn new(secret: &'a Secret, body: &'a [u8], now: i64) -> Self {
        Self { secret, method: "POST", url: "https://example.com/", headers: &[], fields: &[], body, now, id: "msg_1" }
    }
}

/// What to send, in addition to the input or instead of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Headers, to be set in place of any of the same name.
    pub headers: Vec<(String, String)>,
    /// Parameters to add to the URL's query, or to replace there.
    pub query: Vec<(String, String)>,
    /// The body, if it is another one than the input's: the signature is inside of it.
    pub body: Option<Vec<u8>>,
}

/// Why nothing can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Only the provider has the private key.
    #[error("only the provider can sign by this scheme: it has the private key")]
    PrivateKey,
    /// The secret's text is no key of this scheme.
    #[error("the secret is no key of this scheme; paste it exactly as the provider shows it")]
    Secret,
    /// The signature belongs inside of a JSON body of a certain form.
    #[error("the signature stands inside of the JSON body, and this body has no place for it")]
    Body,
    /// A header that is signed is missing.
    #[error("a header that is signed is missing")]
    Header,
    /// The scheme encrypts instead of signing.
    #[error("this scheme has no signature to make")]
    Unsupported,
}

/// Signs a request as the provider would at this time. Headers that are no part of the signature, such as an event's
/// name, are not made.
pub fn sign(scheme: &Scheme, input: &SignInput<'_>) -> Result<Signed, SignError> {
    if !scheme.algorithm.is_symmetric() {
        return Err(SignError::PrivateKey);
    }
    let draft = Draft::new(scheme, input);
    if scheme.own.is_some() {
        return inside::own(scheme, input, draft);
    }
    let draft = inside::with_times(scheme, draft)?;
    let signature = draft.signature(scheme, input)?;
    draft.finish(scheme, input, &signature)
}

/// A request on its way to being signed.
struct Draft {
    timestamp: Option<Timestamp>,
    headers: Vec<(String, String)>,
    /// The headers that were made here.
    made: Vec<(String, String)>,
    body: Vec<u8>,
    body_is_made: bool,
    url: String,
    query: Vec<(String, String)>,
}

impl Draft {
    fn new(scheme: &Scheme, input: &SignInput<'_>) -> Self {
        let text = timestamp_text(scheme, input.now);
        let timestamp = scheme.time.as_ref().map(|rule| Timestamp::read(text.as_bytes(), rule));
        let made = made_headers(scheme, input, &text);
        let is_made = |name: &str| made.iter().any(|(made, _)| made.eq_ignore_ascii_case(name));
        let kept = input.headers.iter().filter(|(name, _)| !is_made(name)).cloned();
        let mut draft = Self {
            timestamp,
            headers: kept.chain(made.iter().cloned()).collect(),
            made,
            body: input.body.to_vec(),
            body_is_made: false,
            url: input.url.to_owned(),
            query: Vec::new(),
        };
        draft.place_fields(input);
        draft
    }

    fn place_fields(&mut self, input: &SignInput<'_>) {
        if input.fields.is_empty() {
            return;
        }
        if input.method == "GET" {
            self.add_to_query(input.fields);
        } else if input.body.is_empty() {
            self.body = form::write(input.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))).into();
            self.body_is_made = true;
            self.set_header("content-type", "application/x-www-form-urlencoded");
        }
    }

    fn set_header(&mut self, name: &str, value: &str) {
        for headers in [&mut self.headers, &mut self.made] {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.to_owned(), value.to_owned()));
        }
    }

    fn add_to_query(&mut self, fields: &[(String, String)]) {
        let text = form::write(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        self.url.push_str(&text);
        self.query.extend_from_slice(fields);
    }

    /// The request as it is so far, without a URL.
    fn request<'a>(&'a self, input: &SignInput<'a>) -> Request<'a> {
        Request { method: input.method.as_bytes(), target: b"/", headers: &self.headers, urls: &[] }
    }

    /// The signature as text, without its layout.
    fn signature(&self, scheme: &Scheme, input: &SignInput<'_>) -> Result<String, SignError> {
        let urls = [self.url.as_str()];
        let request = Request { urls: &urls, ..self.request(input) };
        let scope = Scope::new(&request, &self.body);
        let keys = scheme.key.keys(input.secret.value());
        let key = keys.first().ok_or(SignError::Secret)?;
        let ingredients = Ingredients { secret: input.secret, key, url: &self.url, timestamp: self.timestamp.as_ref() };
        let content = Content::of(scheme, &scope, ingredients).map_err(|cause| match cause {
            Cause::MissingSignature => SignError::Header,
            _ => SignError::Body,
        })?;
        let mut mac = named(scheme.algorithm).keyed(key).ok_or(SignError::Secret)?;
        mac.update(&content.before);
        if content.has_body {
            mac.update(&self.body);
        }
        mac.update(&content.after);
        let tag = mac.finish().into_tag().ok_or(SignError::PrivateKey)?;
        Ok(scheme.encoding.encode(&tag))
    }

    /// Puts the signature where it belongs.
    fn finish(mut self, scheme: &Scheme, input: &SignInput<'_>, signature: &str) -> Result<Signed, SignError> {
        let value = self.laid_out(scheme, input, signature);
        let account = input.secret.account();
        let slot = usize::from(scheme.has(Quirk::SecretPerPlace) && account == Some("secondary"));
        let place = scheme.signature.get(slot).copied().ok_or(SignError::Unsupported)?;
        match place {
            Place::NumberedHeaders(prefix) => self.set_header(&format!("{prefix}1"), &value),
            Place::Field(name) | Place::Query(name) => inside::into_fields(&mut self, input, name, &value),
            Place::Json(path) => inside::into_json(&mut self, path, &value)?,
            _ => self.set_header(place.header().ok_or(SignError::Unsupported)?, &value),
        }
        let body = self.body_is_made.then_some(self.body);
        Ok(Signed { headers: self.made, query: self.query, body })
    }

    fn laid_out(&self, scheme: &Scheme, input: &SignInput<'_>, signature: &str) -> String {
        let time = self
            .timestamp
            .as_ref()
            .map_or_else(String::new, |timestamp| String::from_utf8_lossy(&timestamp.text).into_owned());
        let pairs = |separator: char, key: &str| match scheme.time.as_ref().map(|rule| rule.place) {
            Some(Place::Pair(time_key)) => format!("{time_key}={time}{separator}{key}={signature}"),
            _ => format!("{key}={signature}"),
        };
        match scheme.layout {
            Layout::Prefixed(prefix) | Layout::List { prefix, .. } => format!("{prefix}{signature}"),
            Layout::Pairs { separator, signature: key } => pairs(char::from(separator), key),
            Layout::PairGroups { signature: key } => pairs(',', key),
            Layout::Stamped => format!("{time},{signature}"),
            Layout::Numbered(mark) => format!("{signature}{mark}{}", input.secret.account().unwrap_or("1")),
            Layout::Named => format!("{}|{signature}", input.secret.account().unwrap_or_default()),
        }
    }
}

/// The headers that belong to the signature without being it.
fn made_headers(scheme: &Scheme, input: &SignInput<'_>, time: &str) -> Vec<(String, String)> {
    let is_given = |name: &str| input.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    let mut made: Vec<(String, String)> = Vec::new();
    if let Some(name) = scheme.time.as_ref().and_then(|rule| rule.place.header()) {
        made.push((name.to_owned(), time.to_owned()));
    }
    for part in scheme.content {
        let name = if let Part::At(place) = part { place.header() } else { None };
        made.extend(name.filter(|name| !is_given(name)).map(|name| (name.to_owned(), input.id.to_owned())));
    }
    for quirk in scheme.quirks {
        if let Quirk::Demands(name, value) = quirk {
            made.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    if let Algorithm::HmacNamed(header) = scheme.algorithm {
        made.push((header.to_owned(), "HMAC_SHA256_HEX".to_owned()));
    }
    if scheme.id == "contentful.v1" && !is_given(CONTENTFUL_LIST) {
        made.push((CONTENTFUL_LIST.to_owned(), format!("{CONTENTFUL_LIST},x-contentful-timestamp")));
    }
    made
}

const fn named(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::HmacNamed(_) => Algorithm::HmacSha256,
        other => other,
    }
}

fn timestamp_text(scheme: &Scheme, now: i64) -> String {
    match scheme.time.as_ref().map(|rule| rule.unit) {
        Some(TimeUnit::Milliseconds) => now.saturating_mul(1_000).to_string(),
        Some(TimeUnit::Rfc3339) => jiff::Timestamp::from_second(now).unwrap_or_default().to_string(),
        Some(TimeUnit::Seconds) | None => now.to_string(),
    }
}
