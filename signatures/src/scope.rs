//! Everything of one request that a signature may cover, read once and only as far as it is asked for.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::Value;

use crate::form::{self, Form};
use crate::request::{Fields, Request};
use crate::scheme::Place;

/// What a check may look at.
pub struct Scope<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) urls: Vec<Cow<'a, str>>,
    pub(crate) headers: Fields<'a>,
    /// All of the body, or nothing while it still streams by.
    pub(crate) body: &'a [u8],
    form: OnceCell<Form>,
    query: OnceCell<Form>,
    json: OnceCell<Value>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(request: &Request<'a>, body: &'a [u8]) -> Self {
        Self {
            method: request.method,
            target: request.target,
            urls: request.urls.iter().map(|url| Cow::Borrowed(*url)).collect(),
            headers: request.fields(),
            body,
            form: OnceCell::new(),
            query: OnceCell::new(),
            json: OnceCell::new(),
        }
    }

    /// The fields of the body, if it is a form.
    pub(crate) fn form(&self) -> &Form {
        self.form.get_or_init(|| if self.is_form() { form::parse(self.body) } else { Form::default() })
    }

    /// The parameters of the query.
    pub(crate) fn query(&self) -> &Form {
        self.query.get_or_init(|| {
            let target = self.urls.first().map_or(self.target, |url| url.as_bytes());
            let target = target.split(|byte| *byte == b'#').next().unwrap_or_default();
            let mut parts = target.splitn(2, |byte| *byte == b'?');
            form::parse(parts.nth(1).unwrap_or_default())
        })
    }

    /// The body as JSON; `null` if it is none.
    pub(crate) fn json(&self) -> &Value {
        self.json.get_or_init(|| {
            let text = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body);
            serde_json::from_slice(text).unwrap_or_default()
        })
    }

    /// The value of a form field or, without one, of a query parameter.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.form().value(name).or_else(|| self.query().value(name))
    }

    /// The values at a place: several for a header that was repeated.
    pub(crate) fn values(&self, place: Place) -> Vec<Cow<'_, [u8]>> {
        let text = |text: Option<&str>| text.map(|text| Cow::Owned(text.as_bytes().to_vec())).into_iter().collect();
        match place {
            Place::Header(name) => self.headers.all(name).map(Cow::Borrowed).collect(),
            Place::AnyHeader(names) => {
                let name = names.iter().find(|name| self.headers.has(name));
                name.map_or_else(Vec::new, |name| self.values(Place::Header(name)))
            }
            Place::NumberedHeaders(prefix) => self.numbered(prefix).map(Cow::Borrowed).collect(),
            Place::Field(name) => text(self.field(name)),
            Place::Query(name) => text(self.query().value(name)),
            Place::Json(path) => text(self.json_text(path).as_deref()),
            Place::Pair(_) | Place::First => Vec::new(),
        }
    }

    /// The first value at a place.
    pub(crate) fn value(&self, place: Place) -> Option<Cow<'_, [u8]>> {
        if let Place::Header(name) = place {
            return self.headers.first(name).map(Cow::Borrowed);
        }
        self.values(place).into_iter().next()
    }

    /// The text of a string or number in the body's JSON.
    pub(crate) fn json_text(&self, path: &str) -> Option<Cow<'_, str>> {
        scalar(at_path(self.json(), path)?)
    }

    fn numbered(&self, prefix: &str) -> impl Iterator<Item = &'a [u8]> {
        let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        self.headers
            .iter()
            .filter(move |(name, _)| {
                name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
                    && is_number(&name[prefix.len()..])
            })
            .map(|(_, value)| value)
            .filter(|value| !value.trim_ascii().is_empty())
    }

    /// By its content type or, without one, by its looks.
    fn is_form(&self) -> bool {
        match self.headers.first("content-type") {
            Some(value) => form::is_content_type(value),
            None => form::looks_like(self.body),
        }
    }
}

/// The value at a path of keys joined by full stops; a number counts items of an array.
pub(crate) fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => value.get(key),
    })
}

/// The text of a value that is no object, array or null.
pub(crate) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
