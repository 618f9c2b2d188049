//! Handshakes: how providers ask whether an address is the developer's, and what they want to hear.

use crate::json;
use crate::provider::Provider;
use crate::request::Request;
use crate::scheme::Scheme;
use crate::scope::Scope;
use crate::secret::Secrets;
use crate::verdict::{Status, Verdict};

/// What is kept of a body to recognise a handshake in, in bytes. Handshakes are shorter.
pub(crate) const BEGINNING: usize = 4 * 1024;

/// A provider's handshake.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Challenge {
    /// Who asks.
    pub provider: Provider,
    /// The scheme of the events that will follow.
    pub scheme: &'static str,
    /// One sentence: what it is.
    pub what: &'static str,
    /// One sentence: what to answer.
    pub answer: &'static str,
    mark: Mark,
}

/// How a handshake is told from an event.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// A GET with this parameter. If the parameter is a common word, the user agent must begin so, or a secret of the
    /// provider must be known.
    Query { name: &'static str, agent: Option<&'static str> },
    /// A header that events do not have.
    Header(&'static str),
    /// A header with this value.
    Value(&'static str, &'static str),
    /// A HEAD request of this user agent.
    Head(&'static str),
    /// A value in the body's JSON.
    Json(&'static str, &'static str),
    /// A form with one field of this name, from this user agent.
    Form(&'static str, &'static str),
}

/// The handshake that a request is, whether it is signed or not.
pub fn challenge(request: &Request<'_>, body: &[u8]) -> Option<&'static Challenge> {
    let scope = Scope::new(request, body);
    let known = crate::detect::detect_with(request, body).map(|scheme| scheme.id);
    by_head(&scope, None).or_else(|| in_body(known, body)).or_else(|| of(&scope, &Secrets::default()))
}

impl Challenge {
    pub(crate) fn verdict(&self) -> Verdict {
        let scheme = Scheme::with_id(self.scheme);
        scheme.map_or_else(Verdict::unsigned, |scheme| Verdict::under(scheme, Status::Challenge, None))
    }
}

/// The handshake of a scheme.
pub(crate) fn of_scheme(id: &str) -> Option<&'static Challenge> {
    CHALLENGES.iter().find(|challenge| challenge.scheme == id)
}

/// A handshake that the head of a request tells.
pub(crate) fn by_head(scope: &Scope<'_>, secrets: Option<&Secrets>) -> Option<&'static Challenge> {
    let begins =
        |agent: &str| scope.headers.first("user-agent").is_some_and(|value| value.starts_with(agent.as_bytes()));
    CHALLENGES.iter().find(|challenge| match challenge.mark {
        Mark::Query { name, agent } => {
            let is_known = || secrets.is_some_and(|secrets| !secrets.of(challenge.provider).is_empty());
            scope.method == b"GET"
                && scope.query().value(name).is_some()
                && agent.is_none_or(|agent| begins(agent) || is_known())
        }
        Mark::Header(name) => scope.headers.has(name),
        Mark::Value(name, value) => scope.headers.has_value(name, value),
        Mark::Head(agent) => scope.method == b"HEAD" && begins(agent),
        Mark::Json(..) | Mark::Form(..) => false,
    })
}

/// Whether a handshake of this scheme is told by its body.
pub(crate) fn may_be_in_body(scheme: Option<&str>) -> bool {
    json_marks(scheme).next().is_some()
}

/// A handshake of this scheme, told by the beginning of the body.
pub(crate) fn in_body(scheme: Option<&str>, beginning: &[u8]) -> Option<&'static Challenge> {
    let is_there = |(_, path, value): &(_, &str, &str)| json::find(beginning, path).as_deref() == Some(*value);
    json_marks(scheme).find(is_there).map(|(challenge, ..)| challenge)
}

fn json_marks(scheme: Option<&str>) -> impl Iterator<Item = (&'static Challenge, &'static str, &'static str)> {
    CHALLENGES.iter().filter(move |challenge| Some(challenge.scheme) == scheme).filter_map(|challenge| match challenge
        .mark
    {
        Mark::Json(path, value) => Some((challenge, path, value)),
        _ => None,
    })
}

/// A handshake, told by a whole request without a signature.
pub(crate) fn of(scope: &Scope<'_>, secrets: &Secrets) -> Option<&'static Challenge> {
    by_head(scope, Some(secrets)).or_else(|| {
        CHALLENGES.iter().find(|challenge| match challenge.mark {
            Mark::Form(name, agent) => {
                let from = scope.headers.first("user-agent").unwrap_or_default();
                let mut fields = scope.form().iter();
                from.starts_with(agent.as_bytes())
                    && fields.next().is_some_and(|(field, _)| field == name)
                    && fields.next().is_none()
            }
            _ => false,
        })
    })
}

/// From the providers' pages, which the schemes name.
const CHALLENGES: &[Challenge] = &[
    Challenge {
        provider: Provider::Meta,
        scheme: "meta.sha256",
        what: "Meta asks whether this address is yours",
        answer: "compare `hub.verify_token` with your own and answer with the text of `hub.challenge`",
        mark: Mark::Query { name: "hub.challenge", agent: None },
    },
    Challenge {
        provider: Provider::Braintree,
        scheme: "braintree.challenge",
        what: "Braintree asks whether you know the private key",
        answer: "answer with the public key, `|` and the HMAC-SHA1 of `bt_challenge` in hexadecimal",
        mark: Mark::Query { name: "bt_challenge", agent: None },
    },
    Challenge {
        provider: Provider::Dropbox,
        scheme: "dropbox.v1",
        what: "Dropbox asks whether this address is yours",
        answer: "answer with the text of `challenge` as `text/plain`, with `X-Content-Type-Options: nosniff`",
        mark: Mark::Query { name: "challenge", agent: Some("DropboxWebhooks") },
    },
    Challenge {
        provider: Provider::Okta,
        scheme: "okta.header",
        what: "Okta asks whether this address is yours",
        answer: "answer with `{\"verification\": …}` and the value of `x-okta-verification-challenge`",
        mark: Mark::Header("x-okta-verification-challenge"),
    },
    Challenge {
        provider: Provider::Asana,
        scheme: "asana.v1",
        what: "Asana hands over the secret of a new webhook",
        answer: "keep the value of `X-Hook-Secret` and answer with the same header, 200 or 204, at once",
        mark: Mark::Header("x-hook-secret"),
    },
    Challenge {
        provider: Provider::Twitch,
        scheme: "twitch.v1",
        what: "Twitch asks whether this address is yours",
        answer: "answer with the bare text of `challenge` as `text/plain`",
        mark: Mark::Value("twitch-eventsub-message-type", "webhook_callback_verification"),
    },
    Challenge {
        provider: Provider::Mandrill,
        scheme: "mandrill.v1",
        what: "Mailchimp looks whether this address answers",
        answer: "answer with 200; a HEAD request is not signed",
        mark: Mark::Head("Mandrill-Webhook"),
    },
    Challenge {
        provider: Provider::Slack,
        scheme: "slack.v0",
        what: "Slack asks whether this address is yours",
        answer: "answer with the text of `challenge`",
        mark: Mark::Json("type", "url_verification"),
    },
    Challenge {
        provider: Provider::Zoom,
        scheme: "zoom.v0",
        what: "Zoom asks whether you know the secret token",
        answer: "answer with `plainToken` and `encryptedToken`, its HMAC-SHA256 in hexadecimal, within 3 s",
        mark: Mark::Json("event", "endpoint.url_validation"),
    },
    Challenge {
        provider: Provider::Discord,
        scheme: "discord.v1",
        what: "Discord looks whether signatures are checked, and sends wrong ones on purpose",
        answer: "answer a right one with `{\"type\":1}` and a wrong one with 401",
        mark: Mark::Json("type", "1"),
    },
    Challenge {
        provider: Provider::WooCommerce,
        scheme: "woocommerce.v1",
        what: "WooCommerce tells that a webhook was created; this ping is never signed",
        answer: "answer with 200",
        mark: Mark::Form("webhook_id", "WooCommerce"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_handshake_is_of_a_scheme_and_its_texts_are_in_order() {
        for challenge in CHALLENGES {
            let scheme = Scheme::with_id(challenge.scheme).unwrap();
            assert_eq!(scheme.provider, challenge.provider);
            assert!(!challenge.what.ends_with('.') && !challenge.answer.ends_with('.'));
        }
    }

    #[test]
    fn common_words_need_a_second_mark() {
        let told = |target: &str, agent: &str| {
            let headers = [("user-agent", agent)];
            let request = Request { method: b"GET", target: target.as_bytes(), headers: &headers, urls: &[] };
            challenge(&request, b"").map(|challenge| challenge.provider)
        };
        assert_eq!(told("/?challenge=x", "DropboxWebhooks/1.0"), Some(Provider::Dropbox));
        assert_eq!(told("/?challenge=x", "curl"), None);
        assert_eq!(told("/?hub.mode=subscribe&hub.challenge=1", "facebookplatform/1.0"), Some(Provider::Meta));
    }
}
