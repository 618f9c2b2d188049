//! From flags to a request and its secrets.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::Path,
};

use hookwire_signatures::{Place, Scheme, Secret, SecretKind, Secrets};

use super::{named, present};
use crate::{cli::signature::SignatureArgs, failure::Failure, secrets::Environment};

/// What standard input is called on the command line.
const STDIN: &str = "-";

/// What was asked about.
#[derive(Debug)]
pub(super) struct Asked {
    /// The schemes that may be meant; none if the request itself has to tell.
    pub(super) schemes: Vec<&'static Scheme>,
    pub(super) method: String,
    /// Path and query, as they arrive.
    pub(super) target: String,
    pub(super) urls: Vec<String>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// Fields by name, beside those that are in the body already.
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) secrets: Secrets,
    pub(super) now: i64,
}

impl Asked {
    /// Reads all that the flags name. `signature` goes where the scheme has it.
    pub(super) fn read(what: SignatureArgs, signature: Option<String>) -> Result<Self, Failure> {
        let schemes = named(what.provider.as_deref(), what.kind.as_deref())?;
        let mut headers = what.headers.iter().map(|line| header(line)).collect::<Result<Vec<_>, _>>()?;
        let mut fields = what.fields.iter().map(|text| field(text)).collect::<Result<Vec<_>, _>>()?;
        fields.extend(razorpay_fields(&what));
        if let Some(text) = signature {
            let scheme = schemes.first().ok_or_else(|| {
                Failure::usage(
                    "`--signature` needs a provider: where the signature stands differs from one to the other",
                )
                .hint("`hookwire verify razorpay --signature …`, or give the whole header with `-H`".to_owned())
            })?;
            match scheme.signature.first() {
                Some(Place::Field(name) | Place::Query(name)) => fields.push(((*name).to_owned(), text)),
                _ => match scheme.signature_header() {
                    Some(name) => headers.push((name.to_owned(), text.into_bytes())),
                    None => {
                        return Err(Failure::usage(format!(
                            "the signature of `{}` stands inside of the body",
                            scheme.id
                        )));
                    }
                },
            }
        }
        let (mut method, mut target, body) = match &what.request {
            Some(path) => {
                let (method, target, lines, body) = http_request(&bytes_of(path, "the request")?)?;
                headers.extend(lines);
                (method, target, body)
            }
            None => ("POST".to_owned(), "/".to_owned(), body(&what, fields.is_empty())?),
        };
        if let Some(given) = what.method {
            method = given;
        }
        if let Some(url) = what.url.first() {
            path_of(url).clone_into(&mut target);
        }
        let secrets = secrets(&what.secrets, &schemes, what.env_file.as_deref(), what.account.as_deref())?;
        let now = present(what.at.as_deref())?;
        Ok(Self { schemes, method, target, urls: what.url, headers, fields, body, secrets, now })
    }

    /// Puts the fields where they travel: into the query of a GET, else into a form.
    pub(super) fn with_fields_in_place(mut self) -> Self {
        if self.fields.is_empty() {
            return self;
        }
        let pairs = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let is_in_query = self.method == "GET" || self.method == "HEAD";
        if is_in_query || !self.body.is_empty() {
            for url in self.urls.iter_mut().chain([&mut self.target]) {
                url.push(if url.contains('?') { '&' } else { '?' });
                url.push_str(&form);
            }
        } else {
            self.body = form.into_bytes();
            self.headers.push(("content-type".to_owned(), b"application/x-www-form-urlencoded".to_vec()));
        }
        self
    }
}

/// Path and query of a URL.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

fn header(line: &str) -> Result<(String, Vec<u8>), Failure> {
    let (name, value) = line.split_once(':').ok_or_else(|| {
        Failure::usage(format!("`{line}` is no header")).hint("write it as `-H 'Name: value'`".to_owned())
    })?;
    Ok((name.trim().to_owned(), value.trim_matches([' ', '\t']).as_bytes().to_vec()))
}

fn field(text: &str) -> Result<(String, String), Failure> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Failure::usage(format!("`{text}` is no field")).hint("write it as `--field NAME=VALUE`".to_owned())
    })?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What Razorpay's checkout gives back, under the names it has there.
fn razorpay_fields(what: &SignatureArgs) -> impl Iterator<Item = (String, String)> {
    [
        ("razorpay_order_id", &what.order_id),
        ("razorpay_payment_id", &what.payment_id),
        ("razorpay_subscription_id", &what.subscription_id),
        ("razorpay_payment_link_id", &what.payment_link_id),
        ("razorpay_payment_link_reference_id", &what.reference_id),
        ("razorpay_payment_link_status", &what.link_status),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.clone().map(|value| (name.to_owned(), value)))
}

/// The body that was named; what is piped in, if fields don't say it all.
fn body(what: &SignatureArgs, is_wanted: bool) -> Result<Vec<u8>, Failure> {
    match &what.body {
        Some(path) => bytes_of(path, "the body"),
        None if !is_wanted => Ok(Vec::new()),
        None if io::stdin().is_terminal() => Err(Failure::usage("there is no body")
            .hint("name it with `--body body.json`, or pipe it in; `--body /dev/null` is an empty one".to_owned())),
        None => bytes_of(Path::new(STDIN), "the body"),
    }
}

fn bytes_of(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::unreadable(&format!("{what} from"), path, &error);
    if path.as_os_str() == STDIN {
        let mut bytes = Vec::new();
        return io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes).map_err(failed);
    }
    fs::read(path).map_err(failed)
}

type HttpRequest = (String, String, Vec<(String, Vec<u8>)>, Vec<u8>);

/// A request as it travels (RFC 9112 §2.1). Editors write bare line feeds: they are taken as well.
fn http_request(bytes: &[u8]) -> Result<HttpRequest, Failure> {
    let malformed = |what: &str| {
        Failure::usage(format!("this is no HTTP request: {what}")).hint(
            "it begins with a line like `POST /verification HTTP/1.1`; `y` `r` in the inspector copies one".to_owned(),
        )
    };
    let mut lines = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut lines);
    let head = match request.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Err(malformed("no blank line ends its headers")),
        Err(error) => return Err(malformed(&error.to_string())),
    };
    let (method, target) = (request.method.unwrap_or_default().to_owned(), request.path.unwrap_or_default().to_owned());
    let headers = request.headers.iter().map(|line| (line.name.to_owned(), line.value.to_vec())).collect();
    Ok((method, target, headers, bytes[head..].to_vec()))
}

/// The secrets that were named. One without a provider is that of the provider in question.
fn secrets(
    named: &[String],
    schemes: &[&'static Scheme],
    env_file: Option<&Path>,
    account: Option<&str>,
) -> Result<Secrets, Failure> {
    let environment = Environment::read(env_file)?;
    let sources = named
        .iter()
        .map(|text| match schemes.first() {
            _ if text.split_once(':').is_some_and(|(place, _)| place.contains('=')) => Ok(text.clone()),
            Some(scheme) => Ok(format!("{}={text}", scheme.provider.name())),
            None => Err(Failure::usage(format!("whose secret `{text}` is was not said"))
                .hint(format!("name the provider: `--secret razorpay={text}`"))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let read = environment.secrets(&sources)?;
    let wanted = schemes.first().filter(|_| schemes.len() == 1);
    let mut secrets = Secrets::default();
    for (provider, secret) in read.iter() {
        let is_meant = wanted.is_some_and(|scheme| scheme.provider == provider && scheme.kind == SecretKind::Api);
        // Named for this very check: it is what the scheme wants, whatever its variable is called.
        let secret =
            if is_meant && secret.kind() != SecretKind::Api { secret.clone().of_api() } else { secret.clone() };
        secrets.add(provider, with_account(secret, account));
    }
    Ok(secrets)
}

fn with_account(secret: Secret, account: Option<&str>) -> Secret {
    match account {
        Some(account) => secret.with_account(account),
        None => secret,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_as_it_travels() {
        let text = b"POST /hook?a=1 HTTP/1.1\nX-A: \xff\r\nHost: h\r\n\r\nbody\r\n";
        let (method, target, headers, body) = http_request(text).unwrap();
        assert_eq!((method.as_str(), target.as_str(), body.as_slice()), ("POST", "/hook?a=1", &b"body\r\n"[..]));
        assert_eq!(headers[0], ("X-A".to_owned(), b"\xff".to_vec()));
        for broken in [&b"POST / HTTP/1.1\r\nHost: h\r\n"[..], b"{\"a\":1}", b""] {
            assert!(http_request(broken).is_err());
        }
    }

    #[test]
    fn the_path_of_a_url() {
        for (url, path) in [("https://a.b/c?d=e", "/c?d=e"), ("https://a.b", "/"), ("/x", "/x")] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }
}
