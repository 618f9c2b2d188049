//! The vocabulary of the table: everything that differs from provider to provider, as data.

pub(crate) mod place;
mod table;

use std::borrow::Cow;

pub use place::Place;

use crate::cause::Cause;
use crate::encoding::Encoding;
use crate::key::{KeyForm, SecretKind};
use crate::mac::Algorithm;
use crate::odd::OwnCheck;
use crate::provider::Provider;
use crate::scope::Scope;

/// Every scheme that is known. Where two schemes of one provider could fit, the one to prefer comes first.
pub fn schemes() -> &'static [Scheme] {
    &table::SCHEMES
}

/// One way of signing: a row of the table, to be checked against the provider's page at [`Scheme::docs`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Scheme {
    /// A stable name, `provider.variant`.
    pub id: &'static str,
    /// Who signs this way.
    pub provider: Provider,
    /// The page where the provider documents it.
    pub docs: &'static str,
    /// How to tell the scheme from its lookalikes.
    pub detection: Detection,
    /// Where the signature may be; more than one place where the provider uses several names or keys.
    pub signature: &'static [Place],
    /// How the text at that place is built.
    pub layout: Layout,
    /// How the signature's bytes are written in it.
    pub encoding: Encoding,
    /// How they are computed.
    pub algorithm: Algorithm,
    /// How the secret's text becomes a key.
    pub key: KeyForm,
    /// Which of the provider's secrets it is.
    pub kind: SecretKind,
    /// What the provider calls the secret, and with which it is confused.
    pub key_note: &'static str,
    /// What is signed, piece by piece.
    pub content: &'static [Part],
    /// Which spellings of the URL may have been signed.
    pub url: UrlRule,
    /// How old a request may be; `None` if the provider sends no time.
    pub time: Option<TimeRule>,
    /// Where the event's name and id are.
    pub event: EventRule,
    /// What a right signature proves.
    pub covers: Coverage,
    /// What must hold beside the signature.
    pub refusal: Option<Refusal>,
    /// The provider's own check, where no row of data can say it.
    pub own: Option<OwnCheck>,
    /// Where this scheme or its official package differs from the others of its shape.
    pub quirks: &'static [Quirk],
    /// What happens to signatures while a secret is replaced; empty if nothing is known.
    pub rotation: &'static str,
    /// When and how long the provider tries again; empty if nothing is known.
    pub redelivery: &'static str,
}

impl Scheme {
    /// The scheme with this id.
    pub fn with_id(id: &str) -> Option<&'static Self> {
        schemes().iter().find(|scheme| scheme.id == id)
    }

    /// A row to start from: HMAC with SHA-256 over the raw body, in lower-case hexadecimal, in a header of its own.
    pub(crate) const fn base(id: &'static str, provider: Provider, docs: &'static str) -> Self {
        Self {
            id,
            provider,
            docs,
            detection: Detection::HEADER,
            signature: &[],
            layout: Layout::Prefixed(""),
            encoding: Encoding::Hex,
            algorithm: Algorithm::HmacSha256,
            key: KeyForm::Text,
            kind: SecretKind::Webhook,
            key_note: "",
            content: &[Part::Body],
            url: UrlRule::Unsigned,
            time: None,
            event: EventRule { name: &[], id: None },
            covers: Coverage::Body,
            refusal: None,
            own: None,
            quirks: &[],
            rotation: "",
            redelivery: "",
        }
    }

    /// Where the signature is, in words, as the provider writes it.
    pub fn signature_place(&self) -> String {
        self.signature.first().map_or_else(|| "the signature".to_owned(), Place::to_string)
    }

    /// The header that carries the signature, if one does.
    pub fn signature_header(&self) -> Option<&'static str> {
        self.signature.iter().find_map(|place| place.header())
    }

    /// Whether the check needs all of the body before it can begin: it reads fields of it.
    pub(crate) fn needs_whole_body(&self) -> bool {
        let in_body = |place: &Place| matches!(place, Place::Field(_) | Place::Json(_));
        self.own.is_some()
            || self.refusal.is_some()
            || self.signature.iter().any(in_body)
            || self.time.as_ref().is_some_and(|rule| in_body(&rule.place))
            || self.content.iter().any(|part| match part {
                Part::At(place) | Part::Maybe { place, .. } => in_body(place),
                Part::Made(_) => true,
                _ => false,
            })
    }

    /// Whether the time is part of what is signed, so that it must be there.
    pub(crate) fn signs_time(&self) -> bool {
        self.content.iter().any(|part| matches!(part, Part::Timestamp))
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

/// Which marks tell a scheme. The signature itself is always looked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Detection {
    /// Headers that must come with the signature.
    pub with: &'static [&'static str],
    /// Headers that must be absent, because a lookalike sends them.
    pub without: &'static [&'static str],
    /// Headers that must have this value, in either case.
    pub values: &'static [(&'static str, &'static str)],
    /// Form fields or query parameters that must be there.
    pub fields: &'static [&'static str],
    /// A text that must occur in the signature.
    pub contains: &'static str,
    /// Headers that tell the provider even if the signature is missing.
    pub alone: &'static [&'static str],
    /// Where the body tells this scheme from others with the same headers, and how the text there begins.
    pub hint: Option<(Place, &'static str)>,
    /// The marks are so common (`Authorization`) that they count only if a secret of the provider is known.
    pub needs_secret: bool,
}

impl Detection {
    /// The signature's own place says it all.
    pub(crate) const HEADER: Self = Self {
        with: &[],
        without: &[],
        values: &[],
        fields: &[],
        contains: "",
        alone: &[],
        hint: None,
        needs_secret: false,
    };
}

/// How the text that carries the signature is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// A fixed prefix, possibly empty, and one signature: `sha256=…`.
    Prefixed(&'static str),
    /// `key=value` pairs. Every value under `signature` is a candidate, other keys are ignored.
    Pairs {
        /// What stands between the pairs.
        separator: u8,
        /// The key of a signature.
        signature: &'static str,
    },
    /// Blanks between groups of comma-separated pairs, each with a time of its own.
    PairGroups {
        /// The key of a signature.
        signature: &'static str,
    },
    /// Several signatures, each with a version in front: those with `prefix` count.
    List {
        /// What stands between two signatures.
        separator: u8,
        /// The version and what follows it, `v1,` or `v1=`.
        prefix: &'static str,
    },
    /// A time, then one or more signatures, all separated by commas.
    Stamped,
    /// The signature, a mark, and the number of the key: `…###1`.
    Numbered(&'static str),
    /// `key name|signature`, joined by `&`: the one with the name of the own key counts.
    Named,
}

/// A piece of the signed content.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Part {
    /// The raw body, byte for byte.
    Body,
    /// The timestamp, as it is written in the request.
    Timestamp,
    /// A fixed text.
    Text(&'static str),
    /// The secret itself, where a plain hash is taken instead of a MAC.
    Secret,
    /// What belongs to the secret ([`Secret::account`](crate::Secret::account)): a login, the webhook's own id.
    Account,
    /// The account and the secret with a colon between them, as HTTP's basic authentication joins them.
    Credentials,
    /// The request's method.
    Method,
    /// The URL as the provider called it.
    Url,
    /// The text at a place; a header must be there, anything else counts as empty.
    At(Place),
    /// The text at a place with something around it, or nothing at all if it is not there.
    Maybe {
        /// In front of it.
        before: &'static str,
        /// Where it is.
        place: Place,
        /// Behind it.
        after: &'static str,
    },
    /// What the provider makes of the request in a way of its own.
    Made(Maker),
}

/// Makes a piece of the signed content.
pub type Maker = for<'a> fn(&'a Scope<'a>, Given<'a>) -> Cow<'a, [u8]>;

/// The cause of a request that can never verify, whatever its signature.
pub type Refusal = fn(&Scope<'_>) -> Option<Cause>;

/// What is tried, beside the request itself.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The URL.
    pub(crate) url: &'a str,
    /// What belongs to the secret.
    pub(crate) account: Option<&'a str>,
}

/// Which spellings of the URL a scheme may have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlRule {
    /// The URL is not signed.
    Unsigned,
    /// Byte for byte as it was given to the provider.
    Exact,
    /// With and without the port, and the query in its older encoding, as Twilio's packages try.
    Ports,
    /// With the query escaped as a whole and the result once more, as `@contentful/node-apps-toolkit` does; and as it is.
    Escaped,
    /// As it is, and with some escapes of the query undone, as HubSpot's page asks.
    Unescaped,
}

/// How the age of a request is judged.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TimeRule {
    /// Where the timestamp is.
    pub place: Place,
    /// How it is written.
    pub unit: TimeUnit,
    /// The oldest age that the official package accepts, in seconds; `None` if it does not look.
    pub tolerance_seconds: Option<i64>,
    /// Whether the same limit holds for a timestamp in the future.
    pub limits_future: bool,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeUnit {
    /// Unix seconds.
    Seconds,
    /// Unix milliseconds.
    Milliseconds,
    /// RFC 3339, with or without a fraction.
    Rfc3339,
}

/// Where an event's name and id are.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EventRule {
    /// The parts of the name, joined by a full stop; only the first one is needed.
    pub name: &'static [Place],
    /// The id that stays the same over redeliveries, if there is one.
    pub id: Option<Place>,
}

/// What a right signature proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coverage {
    /// The body is as it was sent.
    Body,
    /// The fields that are signed are as they were sent; anything else in the body is not covered.
    Fields,
    /// The sender is the right one, or knew such a signature; the body could be anybody's.
    NotBody,
    /// The sender knows a password that every request carries; nothing is signed.
    Nothing,
}

/// Where a scheme or its official package differs from the others of its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quirk {
    /// The official package refuses an empty body although its signature is right.
    RefusesEmptyBody,
    /// Blanks in or around the signature are as usual, and no package minds.
    AcceptsSpaces,
    /// The signature header may come more than once.
    MayRepeat,
    /// The official package looks only at the last of several signatures.
    ChecksLastOnly,
    /// The prefix may be missing.
    OptionalPrefix,
    /// It is a handshake, which is answered and not checked; nothing is recognised as it.
    IsHandshake,
    /// The first place has a secret of its own, the second another one.
    SecretPerPlace,
    /// The official package refuses a time that is not in the unit of the rule.
    ChecksUnit,
    /// The official package takes the tolerance itself for too old.
    ExcludesBorder,
    /// A header must have this value, else the request is of a version that is not understood.
    Demands(&'static str, &'static str),
    /// What stands in place of a signature if the provider has no secret to sign with.
    SaysNoSecret(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_begin_with_the_provider() {
        for (index, scheme) in schemes().iter().enumerate() {
            let (provider, _) = scheme.id.split_once('.').unwrap();
            assert_eq!(provider, scheme.provider.name(), "{}", scheme.id);
            assert!(schemes()[..index].iter().all(|other| other.id != scheme.id), "{}", scheme.id);
            assert!(scheme.docs.starts_with("https://"), "{}", scheme.id);
            assert!(Scheme::with_id(scheme.id).is_some_and(|found| found.id == scheme.id));
        }
    }

    #[test]
    fn every_row_holds_together() {
        for scheme in schemes() {
            let id = scheme.id;
            // A row whose content has a timestamp must say where that timestamp is.
            assert!(!scheme.signs_time() || scheme.time.is_some(), "{id}");
            assert!(!scheme.signature.is_empty(), "{id}");
            let body = scheme.content.iter().filter(|part| matches!(part, Part::Body)).count();
            assert!(body <= 1, "{id}");
            let signs_url = scheme.content.iter().any(|part| matches!(part, Part::Url));
            assert!(!signs_url || scheme.url != UrlRule::Unsigned, "{id}");
            assert!(scheme.own.is_some() || !scheme.content.is_empty(), "{id}");
            // What is compared as text is a password, and nothing is signed with it.
            assert_eq!(scheme.algorithm == Algorithm::Token, scheme.covers == Coverage::Nothing, "{id}");
        }
    }
}
