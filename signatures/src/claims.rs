//! What a signature header claims: candidates for the signature, and a timestamp.

use crate::cause::Cause;
use crate::encoding::Encoding;
use crate::request::Fields;
use crate::scheme::{Layout, Scheme, TimeSource};

/// What the headers of one request claim under one scheme.
pub(crate) struct Claims {
    /// The signatures that could be right, those in the documented form first. None at all means that no text in
    /// the header is a signature of the scheme's length in any encoding.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) timestamp: Option<Timestamp>,
}

/// The bytes of one claimed signature.
pub(crate) struct Candidate {
    pub(crate) tag: Vec<u8>,
    /// What is wrong with the way it is written, although its bytes may be right.
    pub(crate) fault: Option<Cause>,
}

/// A timestamp, as it is signed and as a number.
#[derive(Clone)]
pub(crate) struct Timestamp {
    pub(crate) text: Vec<u8>,
    pub(crate) seconds: i64,
}

impl Claims {
    /// Reads the signature header. The error is the cause of a header that can never verify.
    pub(crate) fn read(scheme: &Scheme, fields: &Fields<'_>) -> Result<Self, Cause> {
        let mut values = fields.all(scheme.header);
        let value = values.next().ok_or(Cause::MissingSignature)?;
        // Frameworks differ: some take the first, some the last, Node joins them. No one answer would be true.
        if values.next().is_some() {
            return Err(Cause::RepeatedHeader);
        }
        let trimmed = value.trim_ascii();
        let padded = trimmed.len() < value.len();
        match scheme.layout {
            Layout::Prefixed(prefix) => {
                let text = trimmed.strip_prefix(prefix.as_bytes()).ok_or(Cause::MalformedSignature)?;
                Ok(Self { candidates: candidates(scheme, &[Text { text, padded }]), timestamp: None })
            }
            Layout::Pairs { separator, signature } => read_pairs(scheme, value, separator, signature),
        }
    }
}

/// A signature as text, and whether white space had to be taken off.
struct Text<'a> {
    text: &'a [u8],
    padded: bool,
}

fn read_pairs(scheme: &Scheme, value: &[u8], separator: u8, signature: &str) -> Result<Claims, Cause> {
    let time_key = scheme.time.as_ref().map(|rule| match rule.source {
        TimeSource::Pair(key) => key,
    });
    let mut texts = Vec::new();
    let mut timestamp = None;
    let mut time_is_padded = false;
    for pair in value.split(|byte| *byte == separator) {
        let trimmed = pair.trim_ascii();
        let padded = trimmed.len() < pair.len();
        let Some(equals) = trimmed.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let (key, text) = (&trimmed[..equals], &trimmed[equals + 1..]);
        if key == signature.as_bytes() {
            texts.push(Text { text, padded });
        } else if time_key.is_some_and(|time_key| key == time_key.as_bytes()) {
            // Two timestamps: the official packages disagree about which one counts.
            if timestamp.is_some() {
                return Err(Cause::MalformedSignature);
            }
            timestamp = Some(Timestamp::read(text).ok_or(Cause::MalformedSignature)?);
            time_is_padded = padded;
        }
    }
    // A strict package that misses the padded timestamp refuses every signature.
    for text in &mut texts {
        text.padded |= time_is_padded;
    }
    if texts.is_empty() || (time_key.is_some() && timestamp.is_none()) {
        return Err(Cause::MalformedSignature);
    }
    Ok(Claims { candidates: candidates(scheme, &texts), timestamp })
}

impl Timestamp {
    /// Unix seconds in decimal digits. Only as a number is written: the official packages sign the number they read,
    /// so a leading zero or plus would be signed differently here and there.
    fn read(text: &[u8]) -> Option<Self> {
        let seconds: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        let plain = seconds >= 0 && seconds.to_string().as_bytes() == text;
        plain.then(|| Self { text: text.to_vec(), seconds })
    }
}

/// Every reading of the texts that has the length of a signature, the best form first. There are as many as the
/// header has room for, which the caller's limit on headers bounds.
fn candidates(scheme: &Scheme, texts: &[Text<'_>]) -> Vec<Candidate> {
    let read = |encoding: Encoding, text: &[u8]| {
        encoding.decode(text).filter(|tag| tag.len() == scheme.algorithm.tag_length())
    };
    let mut clean = Vec::with_capacity(texts.len());
    let mut padded = Vec::new();
    let mut foreign = Vec::new();
    for text in texts {
        if let Some(tag) = read(scheme.encoding, text.text) {
            let (list, fault) =
                if text.padded { (&mut padded, Some(Cause::HeaderWhitespace)) } else { (&mut clean, None) };
            list.push(Candidate { tag, fault });
        } else if let Some(tag) = Encoding::ALL.iter().find_map(|encoding| read(*encoding, text.text)) {
            let fault = Some(Cause::WrongEncoding);
            foreign.push(Candidate { tag, fault });
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
        let headers: Vec<_> = values.iter().map(|value| (scheme.header, *value)).collect();
        let request = Request { method: b"POST", target: b"/", headers: &headers };
        Claims::read(scheme, &request.fields())
    }

    fn cause(id: &str, values: &[&str]) -> Option<Cause> {
        read(id, values).err()
    }

    #[test]
    fn headers_that_can_never_verify() {
        assert_eq!(cause("razorpay.webhook", &[]), Some(Cause::MissingSignature));
        assert_eq!(cause("razorpay.webhook", &["  "]), Some(Cause::MissingSignature));
        assert_eq!(cause("razorpay.webhook", &["aa", "aa"]), Some(Cause::RepeatedHeader));
        assert_eq!(cause("github.sha256", &["sha1=aa"]), Some(Cause::MalformedSignature));
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
    }

    #[test]
    fn the_documented_form_comes_first() {
        let [lower, upper] = ["ab".repeat(32), "AB".repeat(32)];
        let value = format!("t=12,v1={upper}, v1={lower},v1=potato,v1={lower},v0={lower}");
        let claims = read("stripe.v1", &[&value]).unwrap_or_else(|cause| panic!("{cause:?}"));
        let faults: Vec<_> = claims.candidates.iter().map(|candidate| candidate.fault).collect();
        assert_eq!(faults, [None, Some(Cause::HeaderWhitespace), Some(Cause::WrongEncoding)]);
        assert_eq!(claims.timestamp.map(|timestamp| timestamp.seconds), Some(12));
        let padded_time = read("stripe.v1", &[&format!("v1={lower}, t=12")]).map(|claims| claims.candidates[0].fault);
        assert_eq!(padded_time.ok().flatten(), Some(Cause::HeaderWhitespace));
    }
}
