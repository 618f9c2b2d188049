//! Why an app may have refused a request whose signature is valid.

mod framework;

use std::fmt;

pub use framework::Framework;

use crate::caution::{CAUTION_BODY_LIMIT, Caution, Language, cautions};
use crate::request::{Headers, Request};

/// What the app answered.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: &'a dyn Headers,
    /// The body, or its beginning: the first kilobytes are enough.
    pub body: &'a [u8],
}

/// Why an app may have refused a valid request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppRefusal {
    /// The likeliest reason.
    pub guess: Guess,
    /// What the app is built with, if its answer tells.
    pub framework: Option<Framework>,
    /// The round trip that changes this body, in the app's own language if that is known.
    pub caution: Option<Caution>,
}

/// The likeliest reason why an app refused a valid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Guess {
    /// The app checks a body that it parsed and wrote again.
    RawBody,
    /// The app has another secret, because this body would survive being parsed and written again.
    OtherSecret,
    /// One of the two; the answer does not tell which.
    RawBodyOrSecret,
    /// A protection against cross-site requests stopped it before any check.
    CrossSite,
    /// The app compared texts of different length: another encoding, or a prefix that was not taken off.
    SignatureLength,
}

impl Guess {
    /// The stable code, in kebab-case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RawBody => "raw-body",
            Self::OtherSecret => "other-secret",
            Self::RawBodyOrSecret => "raw-body-or-secret",
            Self::CrossSite => "cross-site",
            Self::SignatureLength => "signature-length",
        }
    }

    /// One sentence: what probably happened.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::RawBody => {
                "the signature is valid, but the app refused it: it probably checks a body that was parsed and \
                 written again"
            }
            Self::OtherSecret => {
                "the signature is valid, but the app refused it: it probably has another secret, or still an older one"
            }
            Self::RawBodyOrSecret => {
                "the signature is valid, but the app refused it: it probably does not check the raw body, or has \
                 another secret"
            }
            Self::CrossSite => {
                "the signature is valid, but the app's protection against cross-site requests stopped it first"
            }
            Self::SignatureLength => {
                "the signature is valid, but the app failed while comparing it: the two texts differ in length"
            }
        }
    }
}

impl AppRefusal {
    /// One sentence: what to do, in the framework's own words if it is known.
    pub fn advice(&self) -> &'static str {
        match (self.guess, self.framework) {
            (Guess::CrossSite, Some(framework)) => framework.cross_site_advice(),
            (Guess::CrossSite, None) => "exempt the webhook's route from that protection: its signature is the proof",
            (Guess::SignatureLength, _) => {
                "take off the header's prefix, compare the same encoding, and answer 4xx when the lengths differ"
            }
            (Guess::OtherSecret, _) => {
                "compare the app's secret with the one shown here: another environment, mode or endpoint, or an app \
                 that was not restarted"
            }
            (_, Some(framework)) => framework.raw_body_advice(),
            (_, None) => "check the signature over the bytes of the body as they came, before anything parses them",
        }
    }
}

impl fmt::Display for AppRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.guess.sentence())?;
        if let Some(caution) = self.caution.as_ref().filter(|_| self.guess == Guess::RawBody) {
            write!(formatter, ": {caution}")?;
        }
        Ok(())
    }
}

/// Explains a 4xx or 5xx answer to a request that was judged valid. `None` if the answer is none of the refusals that
/// follow from a signature: success, redirection, a missing route, an overload.
pub fn explain_refusal(request: &Request<'_>, body: &[u8], answer: &Answer<'_>) -> Option<AppRefusal> {
    /// Where to look for telling words, in bytes.
    const WORDS_LIMIT: usize = 16 * 1_024;

    let words = answer.body[..answer.body.len().min(WORDS_LIMIT)].to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|word| memchr::memmem::find(&words, word.as_bytes()).is_some());
    let framework = Framework::of(answer.headers, &words);
    let refusal = |guess, caution| Some(AppRefusal { guess, framework, caution });
    // 419 is Laravel's own.
    if answer.status == 419 || matches!(answer.status, 400 | 403 | 422) && says(CROSS_SITE_WORDS) {
        return refusal(Guess::CrossSite, None);
    }
    if answer.status >= 500 && says(LENGTH_WORDS) {
        return refusal(Guess::SignatureLength, None);
    }
    let is_refused = matches!(answer.status, 400 | 401 | 403 | 406 | 422);
    let is_told = (400..600).contains(&answer.status) && says(SIGNATURE_WORDS);
    if !is_refused && !is_told {
        return None;
    }
    let cautions = cautions(request, body);
    let Some(language) = framework.map(Framework::language) else {
        return refusal(Guess::RawBodyOrSecret, cautions.into_iter().next());
    };
    match cautions.into_iter().find(|caution| caution.language == language) {
        Some(caution) => refusal(Guess::RawBody, Some(caution)),
        // Only JavaScript has one way of writing JSON that everybody uses.
        None if language == Language::JavaScript && body.len() <= CAUTION_BODY_LIMIT => {
            refusal(Guess::OtherSecret, None)
        }
        None => refusal(Guess::RawBodyOrSecret, None),
    }
}

/// Django, Rails, Laravel, Express's csurf.
const CROSS_SITE_WORDS: &[&str] =
    &["csrf", "invalidauthenticitytoken", "authenticity token", "cross-site request forgery", "page expired"];

/// Node's `timingSafeEqual`, PHP's and others' checks of lengths.
const LENGTH_WORDS: &[&str] =
    &["err_crypto_timing_safe_equal_length", "must have the same byte length", "must have the same length"];

/// What apps and official packages say when a signature does not fit.
const SIGNATURE_WORDS: &[&str] = &[
    "signature",
    "hmac",
    "webhook secret",
    "raw body",
    "payload was provided",
    "verification failed",
    "unauthenticated webhook",
];

#[cfg(test)]
mod tests {
    use super::*;

    const SLASHES: &[u8] = br#"{"url":"https:\/\/rzp.io\/x"}"#;
    const PLAIN: &[u8] = br#"{"a":1}"#;

    fn explained(status: u16, headers: &[(&str, &str)], text: &str, body: &[u8]) -> Option<AppRefusal> {
        let request =
            Request { method: b"POST", target: b"/", headers: &[("content-type", "application/json")], urls: &[] };
        explain_refusal(&request, body, &Answer { status, headers: &headers, body: text.as_bytes() })
    }

    fn guess(status: u16, headers: &[(&str, &str)], text: &str, body: &[u8]) -> Option<Guess> {
        explained(status, headers, text, body).map(|refusal| refusal.guess)
    }

    #[test]
    fn express_and_a_body_that_changes() {
        let refusal = explained(400, &[("X-Powered-By", "Express")], "Webhook Error", SLASHES).unwrap();
        assert_eq!((refusal.guess, refusal.framework), (Guess::RawBody, Some(Framework::Express)));
        assert!(refusal.advice().contains("express.raw"), "{}", refusal.advice());
        assert!(refusal.to_string().ends_with(r"differs at byte 14: `\/` became `/`"), "{refusal}");
    }

    #[test]
    fn express_and_a_body_that_survives() {
        assert_eq!(guess(401, &[("X-Powered-By", "Express")], "", PLAIN), Some(Guess::OtherSecret));
        assert_eq!(guess(401, &[("server", "Werkzeug/3.0")], "", PLAIN), Some(Guess::RawBody), "Python adds spaces");
        assert_eq!(guess(401, &[], "", PLAIN), Some(Guess::RawBodyOrSecret));
        let long = [PLAIN, &b" ".repeat(CAUTION_BODY_LIMIT)].concat();
        let unknown = guess(401, &[("X-Powered-By", "Express")], "", &long);
        assert_eq!(unknown, Some(Guess::RawBodyOrSecret), "nobody looked whether it survives");
    }

    #[test]
    fn what_stops_a_request_before_its_signature() {
        assert_eq!(guess(419, &[], "Page Expired", PLAIN), Some(Guess::CrossSite));
        assert_eq!(guess(403, &[], "CSRF verification failed. Request aborted.", PLAIN), Some(Guess::CrossSite));
        let thrown = "RangeError [ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH]: Input buffers must have the same byte length";
        assert_eq!(guess(500, &[], thrown, PLAIN), Some(Guess::SignatureLength));
    }

    #[test]
    fn what_has_other_reasons() {
        for (status, text) in
            [(200, "signature"), (302, ""), (404, "Cannot POST /"), (500, "oops"), (503, ""), (413, "")]
        {
            assert_eq!(guess(status, &[("X-Powered-By", "Express")], text, PLAIN), None, "{status}");
        }
        assert!(guess(500, &[], "No signatures found matching the expected signature for payload", PLAIN).is_some());
    }
}
