//! What a request claims: candidates for the signature, and when it was made.

use std::borrow::Cow;

use crate::cause::Cause;
use crate::encoding::Encoding;
use crate::mac::Algorithm;
use crate::scheme::{Layout, Place, Quirk, Scheme};
use crate::scope::Scope;
use crate::time::Timestamp;

/// What one request claims under one scheme.
#[derive(Clone)]
pub(crate) struct Claims {
    /// What was computed: the scheme's own algorithm, or the one that a header names.
    pub(crate) algorithm: Algorithm,
    /// One for each time that the request gives, nearly always one. Never empty.
    pub(crate) sets: Vec<ClaimSet>,
}

/// The signatures made at one time.
#[derive(Clone, Default)]
pub(crate) struct ClaimSet {
    /// The signatures that could be right, those in the documented form first. None at all means that no text is a
    /// signature of the scheme's length in any encoding.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) timestamp: Option<Timestamp>,
}

/// The bytes of one claimed signature.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) tag: Vec<u8>,
    /// What is wrong with the way it is written, although its bytes may be right.
    pub(crate) fault: Option<Cause>,
    /// Whose it is, where the request says: only a secret with this account, or with none, may have made it.
    pub(crate) owner: Option<Vec<u8>>,
    /// None follows it in the request.
    pub(crate) is_last: bool,
}

impl Claims {
    /// Reads the signature. The error is the cause of a request that can never verify.
    pub(crate) fn read(scheme: &Scheme, scope: &Scope<'_>) -> Result<Self, Cause> {
        let values = signature_values(scheme, scope)?;
        let algorithm = read_algorithm(scheme, scope)?;
        let timestamp = shared_timestamp(scheme, scope)?;
        let mut groups = Vec::with_capacity(1);
        for (value, owner) in &values {
            split(scheme, value, owner.as_deref(), &mut groups)?;
        }
        let texts = groups.iter().map(|group| group.texts.len()).sum::<usize>();
        if texts == 0 {
            return Err(Cause::MalformedSignature);
        }
        let mut remaining = texts;
        let mut sets = Vec::with_capacity(groups.len());
        for group in groups {
            remaining -= group.texts.len();
            let candidates = candidates(scheme, algorithm, &group.texts, remaining == 0);
            sets.push(ClaimSet { candidates, timestamp: group.timestamp.or_else(|| timestamp.clone()) });
        }
        let strange = |value: &[u8]| value.iter().any(|byte| matches!(byte, b',' | b';' | b' ' | b':'));
        let is_strange = values.iter().any(|(value, _)| strange(value.trim_ascii()));
        if sets.iter().all(|set| set.candidates.is_empty()) && is_strange && scheme.layout_has_structure() {
            return Err(Cause::MalformedSignature);
        }
        Ok(Self { algorithm, sets })
    }

    /// Whether no text has the form of a signature.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.sets.iter().all(|set| set.candidates.is_empty())
    }
}

impl Scheme {
    /// Several signatures may stand in one text, so that a separator in one of them means another form.
    fn layout_has_structure(&self) -> bool {
        !matches!(self.layout, Layout::Prefixed(_) | Layout::Numbered(_))
    }
}

/// A text that carries a signature, and whose it is.
type Owned<'a> = (Cow<'a, [u8]>, Option<Vec<u8>>);

/// The texts at the scheme's places, in their order.
pub(crate) fn signature_values<'a>(scheme: &Scheme, scope: &'a Scope<'_>) -> Result<Vec<Owned<'a>>, Cause> {
    let mut values = Vec::with_capacity(1);
    for (index, place) in scheme.signature.iter().enumerate() {
        let mut found = scope.values(*place);
        found.retain(|value| !value.trim_ascii().is_empty());
        // Frameworks differ: some take the first, some the last, Node joins them. No one answer would be true.
        if found.len() > 1 && matches!(place, Place::Header(_) | Place::AnyHeader(_)) && !scheme.has(Quirk::MayRepeat) {
            return Err(Cause::RepeatedHeader);
        }
        let slot = scheme.slots().get(index).map(|slot| slot.as_bytes().to_vec());
        values.extend(found.into_iter().map(|value| (value, slot.clone())));
    }
    let (value, _) = values.first().ok_or(Cause::MissingSignature)?;
    for quirk in scheme.quirks {
        match quirk {
            Quirk::SaysNoSecret(text) if value.trim_ascii() == text.as_bytes() => return Err(Cause::NoProviderSecret),
            Quirk::Demands(name, value) if !scope.headers.has_value(name, value) => {
                return Err(Cause::MalformedSignature);
            }
            _ => {}
        }
    }
    Ok(values)
}

impl Scheme {
    /// The accounts that the places belong to, where each place has a secret of its own.
    fn slots(&self) -> &'static [&'static str] {
        if self.has(Quirk::SecretPerPlace) { &["primary", "secondary"] } else { &[] }
    }
}

fn read_algorithm(scheme: &Scheme, scope: &Scope<'_>) -> Result<Algorithm, Cause> {
    let Algorithm::HmacNamed(header) = scheme.algorithm else { return Ok(scheme.algorithm) };
    match scope.headers.first(header).unwrap_or_default().trim_ascii() {
        b"HMAC_SHA1_HEX" => Ok(Algorithm::HmacSha1),
        b"HMAC_SHA256_HEX" => Ok(Algorithm::HmacSha256),
        b"HMAC_SHA512_HEX" => Ok(Algorithm::HmacSha512),
        _ => Err(Cause::MalformedSignature),
    }
}

/// The time that stands outside of the signature's own text.
fn shared_timestamp(scheme: &Scheme, scope: &Scope<'_>) -> Result<Option<Timestamp>, Cause> {
    let Some(rule) = scheme.time.as_ref().filter(|rule| !matches!(rule.place, Place::Pair(_) | Place::First)) else {
        return Ok(None);
    };
    match scope.value(rule.place).filter(|text| !text.trim_ascii().is_empty()) {
        Some(text) => {
            let timestamp = Timestamp::read(text.trim_ascii(), rule);
            let is_unreadable = timestamp.millis.is_none() && rule.tolerance_seconds.is_some();
            if is_unreadable { Err(Cause::MalformedSignature) } else { Ok(Some(timestamp)) }
        }
        None if scheme.signs_time() => Err(Cause::MissingSignature),
        None => Ok(None),
    }
}

/// The texts that were signed at one time.
#[derive(Default)]
struct Group<'a> {
    texts: Vec<Written<'a>>,
    timestamp: Option<Timestamp>,
}

/// A signature as text, whether white space had to be taken off, and whose it is.
struct Written<'a> {
    text: &'a [u8],
    padded: bool,
    owner: Option<Vec<u8>>,
}

impl<'a> Written<'a> {
    fn trimmed(text: &'a [u8], owner: Option<&[u8]>) -> Self {
        let trimmed = text.trim_ascii();
        Self { text: trimmed, padded: trimmed.len() < text.len(), owner: owner.map(<[u8]>::to_vec) }
    }
}

/// Takes one value apart. All values share one group, unless the layout has groups of its own.
fn split<'a>(scheme: &Scheme, value: &'a [u8], owner: Option<&[u8]>, groups: &mut Vec<Group<'a>>) -> Result<(), Cause> {
    if groups.is_empty() || matches!(scheme.layout, Layout::PairGroups { .. }) {
        groups.push(Group::default());
    }
    let Some(group) = groups.last_mut() else { return Ok(()) };
    match scheme.layout {
        Layout::Prefixed(prefix) => {
            let mut text = Written::trimmed(value, owner);
            text.text = match text.text.strip_prefix(prefix.as_bytes()) {
                Some(rest) => rest,
                None if scheme.has(Quirk::OptionalPrefix) => text.text,
                None => return Err(Cause::MalformedSignature),
            };
            group.texts.push(text);
        }
        Layout::Pairs { separator, signature } => *group = read_pairs(scheme, value, separator, signature)?,
        Layout::PairGroups { signature } => {
            groups.pop();
            for part in value.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty()) {
                groups.push(read_pairs(scheme, part, b',', signature)?);
            }
        }
        Layout::List { separator, prefix } => {
            for part in value.split(|byte| *byte == separator) {
                let mut text = Written::trimmed(part, owner);
                match text.text.strip_prefix(prefix.as_bytes()) {
                    Some(rest) => text.text = rest,
                    None if scheme.has(Quirk::OptionalPrefix) && !text.text.is_empty() => {}
                    None => continue,
                }
                group.texts.push(text);
            }
        }
        Layout::Stamped => {
            let mut parts = value.split(|byte| *byte == b',');
            let time = parts.next().unwrap_or_default().trim_ascii();
            group.timestamp = pair_timestamp(scheme, time)?;
            group.texts.extend(parts.map(|part| Written::trimmed(part, owner)));
        }
        Layout::Numbered(mark) => {
            let text = std::str::from_utf8(value).ok().ok_or(Cause::MalformedSignature)?;
            let (text, number) = text.trim_ascii().rsplit_once(mark).ok_or(Cause::MalformedSignature)?;
            group.texts.push(Written::trimmed(text.as_bytes(), Some(number.as_bytes())));
        }
        Layout::Named => {
            for part in value.split(|byte| *byte == b'&') {
                let mark = part.iter().position(|byte| *byte == b'|').ok_or(Cause::MalformedSignature)?;
                group.texts.push(Written::trimmed(&part[mark + 1..], Some(&part[..mark])));
            }
        }
    }
    Ok(())
}

fn read_pairs<'a>(scheme: &Scheme, value: &'a [u8], separator: u8, signature: &str) -> Result<Group<'a>, Cause> {
    let time_key = scheme.time.as_ref().and_then(|rule| match rule.place {
        Place::Pair(key) => Some(key),
        _ => None,
    });
    let mut group = Group::default();
    let mut time_is_padded = false;
    for pair in value.split(|byte| *byte == separator) {
        let trimmed = pair.trim_ascii();
        let padded = trimmed.len() < pair.len();
        let Some(equals) = trimmed.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let (key, text) = (&trimmed[..equals], &trimmed[equals + 1..]);
        if key == signature.as_bytes() {
            group.texts.push(Written { text, padded, owner: None });
        } else if time_key.is_some_and(|time_key| key == time_key.as_bytes()) {
            // Two timestamps: the official packages disagree about which one counts.
            if group.timestamp.is_some() {
                return Err(Cause::MalformedSignature);
            }
            group.timestamp = pair_timestamp(scheme, text)?;
            time_is_padded = padded;
        }
    }
    // A strict package that misses the padded timestamp refuses every signature.
    for text in &mut group.texts {
        text.padded |= time_is_padded;
    }
    let has_no_time = group.timestamp.is_none() && scheme.signs_time();
    if group.texts.is_empty() || has_no_time { Err(Cause::MalformedSignature) } else { Ok(group) }
}

/// A time inside of the signature's text. Official packages sign the number that they have read.
fn pair_timestamp(scheme: &Scheme, text: &[u8]) -> Result<Option<Timestamp>, Cause> {
    let Some(rule) = &scheme.time else { return Ok(None) };
    let timestamp = Timestamp::read(text, rule);
    if timestamp.millis.is_some() && timestamp.is_plain_number() {
        Ok(Some(timestamp))
    } else {
        Err(Cause::MalformedSignature)
    }
}

/// Every reading of the texts that has the length of a signature, the best form first. There are as many as the
/// request has room for, which the caller's limit on headers bounds.
fn candidates(scheme: &Scheme, algorithm: Algorithm, texts: &[Written<'_>], ends: bool) -> Vec<Candidate> {
    let read = |encoding: Encoding, text: &[u8]| {
        let has_length = |tag: &Vec<u8>| algorithm.tag_length().is_none_or(|length| tag.len() == length);
        encoding.decode(text).filter(has_length)
    };
    let mut clean = Vec::with_capacity(texts.len());
    let mut padded = Vec::new();
    let mut foreign = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let is_last = ends && index + 1 == texts.len();
        let candidate = |tag, fault| Candidate { tag, fault, owner: text.owner.clone(), is_last };
        if let Some(tag) = read(scheme.encoding, text.text) {
            if text.padded && !scheme.has(Quirk::AcceptsSpaces) {
                padded.push(candidate(tag, Some(Cause::HeaderWhitespace)));
            } else {
                clean.push(candidate(tag, None));
            }
        } else if algorithm.tag_length().is_some() {
            let length = algorithm.tag_length();
            let tag = Encoding::decode_any(text.text).find(|tag| Some(tag.len()) == length);
            foreign.extend(tag.map(|tag| candidate(tag, Some(Cause::WrongEncoding))));
        }
    }
    clean.append(&mut padded);
    clean.append(&mut foreign);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    fn read(id: &str, values: &[&str]) -> Result<Claims, Cause> {
        let scheme = Scheme::with_id(id).unwrap();
        let header = scheme.signature_header().unwrap();
        let mut headers: Vec<_> = values.iter().map(|value| (header, *value)).collect();
        headers.extend([("webhook-id", "msg_1"), ("webhook-timestamp", "1")]);
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        Claims::read(scheme, &Scope::new(&request, b""))
    }

    fn cause(id: &str, values: &[&str]) -> Option<Cause> {
        read(id, values).err()
    }

    fn faults(claims: &Claims) -> Vec<Option<Cause>> {
        claims.sets.iter().flat_map(|set| &set.candidates).map(|candidate| candidate.fault).collect()
    }

    #[test]
    fn headers_that_can_never_verify() {
        assert_eq!(cause("razorpay.webhook", &[]), Some(Cause::MissingSignature));
        assert_eq!(cause("razorpay.webhook", &["  "]), Some(Cause::MissingSignature));
        assert_eq!(cause("razorpay.webhook", &["aa", "aa"]), Some(Cause::RepeatedHeader));
        assert_eq!(cause("github.sha256", &["sha1=aa"]), Some(Cause::MalformedSignature));
        assert_eq!(cause("calcom.v1", &["no-secret-provided"]), Some(Cause::NoProviderSecret));
        for value in [
            "v1=aa",
            "t=1",
            "t=1,v0=aa",
            "t=,v1=aa",
            "t=1x,v1=aa",
            "t=-1,v1=aa",
            "t=01,v1=aa",
            "t=+1,v1=aa",
            "t=1,t=1,v1=aa",
            "t",
            ",",
        ] {
            assert_eq!(cause("stripe.v1", &[value]), Some(Cause::MalformedSignature), "{value}");
        }
        let beyond_i64 = "t=99999999999999999999,v1=aa";
        assert_eq!(cause("stripe.v1", &[beyond_i64]), Some(Cause::MalformedSignature));
        for value in ["v2,aa", "aa", "v1,aa=,v1,bb="] {
            assert_eq!(cause("standardwebhooks.v1", &[value]), Some(Cause::MalformedSignature), "{value}");
        }
    }

    #[test]
    fn the_documented_form_comes_first() {
        let [lower, upper] = ["ab".repeat(32), "AB".repeat(32)];
        let value = format!("t=12,v1={upper}, v1={lower},v1=potato,v1={lower},v0={lower}");
        let claims = read("stripe.v1", &[&value]).unwrap_or_else(|cause| panic!("{cause:?}"));
        assert_eq!(faults(&claims), [None, Some(Cause::HeaderWhitespace), Some(Cause::WrongEncoding)]);
        let seconds = claims.sets[0].timestamp.as_ref().and_then(|timestamp| timestamp.millis);
        assert_eq!(seconds, Some(12_000));
        let padded_time = read("stripe.v1", &[&format!("v1={lower}, t=12")]).map(|claims| faults(&claims)[0]);
        assert_eq!(padded_time.ok().flatten(), Some(Cause::HeaderWhitespace));
        let spaced = read("workos.v1", &[&format!("t=12, v1={lower}")]).map(|claims| faults(&claims)[0]);
        assert_eq!(spaced.ok(), Some(None));
    }

    #[test]
    fn groups_have_a_time_of_their_own() {
        let tag = "ab".repeat(32);
        let claims = read("persona.v1", &[&format!("t=1,v1={tag} t=2,v1={tag},v1={tag}")]).ok().unwrap();
        let times: Vec<_> = claims.sets.iter().map(|set| set.timestamp.as_ref().unwrap().text.clone()).collect();
        assert_eq!(times, [b"1", b"2"]);
        assert_eq!(claims.sets[1].candidates.len(), 2);
        let last: Vec<_> = claims.sets.iter().flat_map(|set| &set.candidates).map(|one| one.is_last).collect();
        assert_eq!(last, [false, false, true]);
    }
}
