//! The bytes that were signed, up to the body and behind it.

use crate::cause::Cause;
use crate::scheme::{Given, Part, Place, Scheme};
use crate::scope::Scope;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What is signed, apart from the body itself.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) before: Vec<u8>,
    pub(crate) has_body: bool,
    pub(crate) after: Vec<u8>,
}

/// What the content is made of, beside the request.
#[derive(Clone, Copy)]
pub(crate) struct Ingredients<'a> {
    pub(crate) secret: &'a Secret,
    pub(crate) key: &'a [u8],
    pub(crate) url: &'a str,
    pub(crate) timestamp: Option<&'a Timestamp>,
}

impl Content {
    /// Joins the pieces of a scheme. The error is the cause of a request that can never verify.
    pub(crate) fn of(scheme: &Scheme, scope: &Scope<'_>, ingredients: Ingredients<'_>) -> Result<Self, Cause> {
        let mut content = Self::default();
        for part in scheme.content {
            if matches!(part, Part::Body) {
                content.has_body = true;
                continue;
            }
            let side = if content.has_body { &mut content.after } else { &mut content.before };
            add(side, part, scope, ingredients)?;
        }
        Ok(content)
    }
}

fn add(side: &mut Vec<u8>, part: &Part, scope: &Scope<'_>, ingredients: Ingredients<'_>) -> Result<(), Cause> {
    let Ingredients { secret, key, url, timestamp } = ingredients;
    match *part {
        Part::Body => {}
        Part::Text(text) => side.extend_from_slice(text.as_bytes()),
        Part::Timestamp => side.extend_from_slice(timestamp.map_or(&[], |timestamp| &timestamp.text)),
        Part::Secret => side.extend_from_slice(key),
        Part::Account => side.extend_from_slice(secret.account().unwrap_or_default().as_bytes()),
        Part::Credentials => {
            if let Some(account) = secret.account() {
                side.extend_from_slice(account.as_bytes());
                side.push(b':');
            }
            side.extend_from_slice(key);
        }
        Part::Method => side.extend_from_slice(scope.method),
        Part::Url => side.extend_from_slice(url.as_bytes()),
        Part::At(place) => match (scope.value(place), place) {
            (Some(text), Place::Header(_) | Place::AnyHeader(_)) => side.extend_from_slice(text.trim_ascii()),
            (Some(text), _) => side.extend_from_slice(&text),
            (None, Place::Header(_) | Place::AnyHeader(_)) => return Err(Cause::MissingSignature),
            (None, _) => {}
        },
        Part::Maybe { before, place, after } => {
            let text = match place {
                Place::Pair(_) | Place::First => timestamp.map(|timestamp| timestamp.text.as_slice().into()),
                _ => scope.value(place),
            };
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                for piece in [before.as_bytes(), text.trim_ascii(), after.as_bytes()] {
                    side.extend_from_slice(piece);
                }
            }
        }
        Part::Made(make) => side.extend_from_slice(&make(scope, Given { url, account: secret.account() })),
    }
    Ok(())
}
