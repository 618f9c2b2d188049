//! Why a signature fails: a closed list, one place per cause.

use std::fmt;

/// Builds the enum and its texts from one table, so that no cause can lack a sentence or an advice.
macro_rules! causes {
    ($($(#[$doc:meta])+ $variant:ident = $code:literal, $sentence:literal, $advice:literal;)+) => {
        /// Why a signature fails, or, beside a valid one, what a strict official package would refuse.
        ///
        /// [`as_str`](Self::as_str) is stable: scripts may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $($(#[$doc])+ $variant,)+
        }

        impl Cause {
            /// Every cause, in the order in which they are looked for.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, in kebab-case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// One sentence: what happened.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }

            /// One sentence: what to do.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)+ }
            }
        }
    };
}

causes! {
    /// No signature header, or an empty one.
    MissingSignature = "missing-signature",
        "the signature header is missing",
        "set a secret for this webhook at the provider, and check that no proxy drops the header";
    /// The header has not the documented form.
    MalformedSignature = "malformed-signature",
        "the signature header has not the form that the provider sends",
        "compare the header with the provider's page: prefix, version and timestamp must all be there";
    /// The signature header came more than once.
    RepeatedHeader = "repeated-header",
        "the signature header came more than once",
        "find the proxy or client that adds it again: frameworks differ in which one they take";
    /// The bytes are right, their encoding is not the provider's.
    WrongEncoding = "wrong-encoding",
        "the signature is right, but written in another encoding than the provider's",
        "write it as the provider does: official packages compare the text";
    /// The bytes are right, with white space around them.
    HeaderWhitespace = "header-whitespace",
        "the signature is right, but has white space around it that strict packages refuse",
        "remove the white space from the signature header";
    /// The body ended before its end.
    BodyIncomplete = "body-incomplete",
        "the body did not arrive whole, so that its signature can't be checked",
        "look at why it was cut: the sender went away, or gave up waiting";
    /// The body is longer than what is kept for a scheme of this form.
    BodyTooLong = "body-too-long",
        "the body is longer than what is kept to check a signature of this form",
        "check it with the provider's own package: no webhook of this provider is known to be so long";
    /// Older than the provider's tolerance.
    TooOld = "too-old",
        "the signature is right, but older than the tolerance",
        "have it sent anew: gateways sign each attempt with the current time";
    /// Further in the future than the provider's tolerance.
    TooNew = "too-new",
        "the signature is right, but its time lies in the future",
        "check the clocks of this machine and of the sender";
    /// Seconds against milliseconds.
    TimestampUnit = "timestamp-unit",
        "the timestamp is in another unit than the provider's",
        "write the timestamp in the unit that the provider's page gives";
    /// White space or quotes in the configured secret.
    SecretWhitespace = "secret-whitespace",
        "the secret has white space or quotes around it; without them the signature is right",
        "remove the white space or the quotes from the secret where it is set";
    /// The configured secret is decoded, or not, where the provider does otherwise.
    SecretEncoding = "secret-encoding",
        "the secret was used in another form than the provider's: its prefix, base64 or hexadecimal",
        "paste the secret exactly as the provider shows it";
    /// Another known secret fits.
    WrongSecret = "wrong-secret",
        "another secret than the one configured for this provider made the signature",
        "configure the secret of this very webhook, not one of another provider, endpoint or mode";
    /// The provider has no secret set.
    NoProviderSecret = "no-provider-secret",
        "the provider says that it has no secret to sign with",
        "set a secret for this webhook at the provider";
    /// A newline at the end or the line endings changed.
    BodyNewline = "body-newline",
        "a newline at the end of the body, or its line endings, changed after it was signed",
        "keep the bytes as they came: no editor, shell or text mode between sender and check";
    /// The JSON was parsed and written again.
    BodyReserialized = "body-reserialized",
        "the body was parsed and written again after it was signed",
        "hand on the raw bytes, never the result of parsing and serialising";
    /// The JSON was written again with its keys in another order.
    BodyKeyOrder = "body-key-order",
        "the keys of the body changed their order after it was signed",
        "hand on the raw bytes: maps and sorted columns do not keep the order";
    /// The body was decoded, compressed, wrapped or read in another charset.
    BodyEncoding = "body-encoding",
        "the body was decoded, unpacked, wrapped or read in another charset after it was signed",
        "hand on the bytes as they came: no base64, no decompression and no text mode between sender and check";
    /// The content of the body changed.
    BodyChanged = "body-changed",
        "the body changed after it was signed",
        "find what edits the body between the sender and here";
    /// The URL that was signed is another one.
    UrlMismatch = "url-mismatch",
        "the signature is for another URL",
        "check against the public URL that is configured at the provider";
    /// The method that was signed is another one.
    MethodMismatch = "method-mismatch",
        "the signature is for another method",
        "send the request with the method that was signed";
    /// The right pieces in the wrong order.
    ArgumentOrder = "argument-order",
        "the signed pieces stand in another order than the provider's",
        "join the pieces in the order that the provider's page gives";
    /// Other pieces than the provider signs.
    WrongContent = "wrong-content",
        "something else was signed than what the provider signs",
        "build the signed text as the provider's page gives it";
    /// Another hash than the provider's.
    WrongAlgorithm = "wrong-algorithm",
        "another hash than the provider's was used to sign",
        "use the algorithm that the provider's page gives";
    /// The signature came in another header.
    WrongHeader = "wrong-header",
        "the right signature came, but not in the header that the provider uses",
        "read and write the header that the provider's page gives, and look for a proxy that renames it";
    /// Valid, but the official package refuses it.
    SdkStrictness = "sdk-strictness",
        "the signature is right, but the provider's official package refuses this request",
        "expect the app to refuse it; the provider itself does not send such a request";
    /// Nothing known repairs it.
    NoMatch = "no-match",
        "this signature does not belong to this body and any secret known here",
        "check that the secret is the one of this webhook, and that body and header are whole";
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_kebab_case_and_texts_follow_the_house_style() {
        for (index, cause) in Cause::ALL.iter().enumerate() {
            let code = cause.as_str();
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
            assert!(Cause::ALL[..index].iter().all(|other| other.as_str() != code), "{code}");
            for text in [cause.sentence(), cause.advice()] {
                assert!(text.starts_with(|first: char| first.is_ascii_lowercase()), "{text}");
                assert!(!text.ends_with('.'), "{text}");
            }
        }
    }
}
