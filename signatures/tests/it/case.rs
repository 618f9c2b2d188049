//! One case of the vectors' form, and its verdict. The example `cases` reads the same.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookwire_signatures::{Request, Scheme, Secret, SecretKind, Secrets, Status, Verdict, Verifier, diagnose};
use serde::Deserialize;
use serde_json::Value;

/// What is known of a request, and of what it is to be checked with. What should come of it stands elsewhere.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) scheme_id: String,
    secret: Option<Value>,
    method: String,
    url: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    /// Form fields or query parameters, where neither body nor URL has them.
    fields: Option<BTreeMap<String, String>>,
    body_base64: Option<String>,
    body: Option<String>,
    body_repeat: Option<Repeat>,
    now: Option<i64>,
    /// The own id of a PayPal webhook.
    webhook_id: Option<String>,
    /// The own login at dLocal.
    x_login: Option<String>,
    /// Paytm's checksum, where the body is the text that it is over.
    checksum: Option<String>,
}

#[derive(Deserialize)]
struct Repeat {
    byte: char,
    count: usize,
}

impl Case {
    /// The verdict with its cause, as a listener would find it. An error says what the case lacks.
    pub(crate) fn judged(&self) -> Result<Verdict, String> {
        let scheme = Scheme::with_id(&self.scheme_id).ok_or_else(|| format!("unknown scheme `{}`", self.scheme_id))?;
        let secrets = self.secrets(scheme);
        let (headers, body) = (self.headers(), self.body()?);
        let url = self.url();
        let urls: Vec<&str> = url.as_deref().into_iter().collect();
        let target = url.as_deref().unwrap_or("/");
        let request =
            Request { method: self.method.as_bytes(), target: target.as_bytes(), headers: &headers, urls: &urls };
        let now = self.now.unwrap_or_default();
        let mut verifier = Verifier::start_with(scheme, &request, &secrets, now);
        verifier.update(&body);
        let verdict = diagnose(&request, &body, &secrets, verifier.finish(), now).verdict;
        // Without a clock nothing is too old.
        if self.now.is_none() && verdict.status == Status::Stale {
            return Ok(Verdict { status: Status::Valid, cause: None, ..verdict });
        }
        Ok(verdict)
    }

    /// What it is judged with.
    pub(crate) fn secrets(&self, scheme: &Scheme) -> Secrets {
        let mut secrets = Secrets::default();
        let items = match &self.secret {
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        let is_one_of_several = items.len() > 1 && scheme.signature.len() > 1;
        for (index, item) in items.iter().enumerate() {
            let Some(mut secret) = secret(item) else { continue };
            let account = self.webhook_id.as_ref().or(self.x_login.as_ref());
            if let Some(account) = account {
                secret = secret.with_account(account);
            } else if is_one_of_several {
                secret = secret.with_account(if index == 0 { "primary" } else { "secondary" });
            }
            if scheme.kind == SecretKind::Api {
                secret = secret.of_api();
            }
            secrets.add(scheme.provider, secret);
        }
        secrets
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let values = |(name, value): (&String, &Value)| -> Vec<(String, String)> {
            let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            items.iter().filter_map(Value::as_str).map(|text| (name.clone(), text.to_owned())).collect()
        };
        let mut headers: Vec<_> = self.headers.iter().flat_map(values).collect();
        let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !has_type && self.fields_are_the_body() {
            headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        headers
    }

    fn url(&self) -> Option<String> {
        let checksum = self.checksum.as_ref().map(|checksum| [("CHECKSUMHASH", checksum.as_str())]);
        match (&self.url, checksum) {
            (None, Some(fields)) => Some(format!("https://example.com/?{}", encoded(fields))),
            (None, None) if self.method == "GET" && self.fields.is_some() => {
                Some(format!("https://example.com/?{}", encoded(self.pairs())))
            }
            (url, _) => url.clone(),
        }
    }

    pub(crate) fn body(&self) -> Result<Vec<u8>, String> {
        match (&self.body_base64, &self.body, &self.body_repeat) {
            (Some(text), ..) => STANDARD.decode(text).map_err(|error| format!("`body_base64`: {error}")),
            (None, Some(text), _) => Ok(text.clone().into_bytes()),
            (None, None, Some(repeat)) => Ok(repeat.byte.to_string().repeat(repeat.count).into_bytes()),
            (None, None, None) if self.fields_are_the_body() => Ok(encoded(self.pairs()).into_bytes()),
            (None, None, None) => Ok(Vec::new()),
        }
    }

    fn fields_are_the_body(&self) -> bool {
        let has_body = self.body_base64.is_some() || self.body.is_some() || self.body_repeat.is_some();
        self.fields.is_some() && !has_body && self.method != "GET"
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A secret from a text, or from an object that names its parts.
fn secret(value: &Value) -> Option<Secret> {
    let text = |name: &str| match &value[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let new = |text: String| Secret::new("case", text);
    match value {
        Value::String(text) => Some(new(text.clone())),
        Value::Object(_) => [("password", "username"), ("private_key", "public_key"), ("salt_key", "salt_index")]
            .iter()
            .find_map(|(secret, account)| {
                let secret = new(text(secret)?);
                Some(match text(account) {
                    Some(account) => secret.with_account(account),
                    None => secret,
                })
            })
            .or_else(|| Some(new(value.to_string()))),
        _ => None,
    }
}

fn encoded<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
