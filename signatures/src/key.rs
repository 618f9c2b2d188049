//! How a secret's text becomes a key.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

/// Which of a provider's secrets a scheme uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretKind {
    /// The secret of webhooks, or the only one that the provider has.
    #[default]
    Webhook,
    /// The secret of the API, where webhooks have another one.
    Api,
}

/// How a secret's text becomes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyForm {
    /// The text as it is.
    Text,
    /// Base64, with or without `whsec_` in front, or `v1,whsec_` as Supabase shows it.
    Base64,
    /// Base64 behind `whsec_`; the text as it is without that.
    Base64IfPrefixed,
    /// The text as it is; behind `whsec_` also the base64.
    TextOrBase64,
    /// Hexadecimal.
    Hex,
    /// The SHA-1 of the text.
    Sha1,
    /// The first 16 bytes of the text, as AES-128 takes them.
    First16,
    /// A public key or certificate: PEM, JWK, base64 or hexadecimal.
    PublicKey,
}

/// A key, wiped when it is dropped.
pub(crate) type Key = Zeroizing<Vec<u8>>;

impl KeyForm {
    /// The keys that a secret may stand for, the usual one first; none if its text is not of this form.
    pub(crate) fn keys(self, secret: &[u8]) -> Vec<Key> {
        let text = || Zeroizing::new(secret.to_vec());
        let prefixed = || strip_prefix(secret).and_then(base64);
        match self {
            Self::Text | Self::PublicKey => vec![text()],
            Self::Base64 => prefixed().or_else(|| base64(secret)).into_iter().collect(),
            Self::Base64IfPrefixed => match strip_prefix(secret) {
                Some(rest) => base64(rest).into_iter().collect(),
                None => vec![text()],
            },
            Self::TextOrBase64 => std::iter::once(text()).chain(prefixed()).collect(),
            Self::Hex => hex::decode(secret).map(Zeroizing::new).into_iter().collect(),
            Self::Sha1 => vec![Zeroizing::new(Sha1::digest(secret).to_vec())],
            Self::First16 => secret.get(..16).map(|key| Zeroizing::new(key.to_vec())).into_iter().collect(),
        }
    }
}

fn strip_prefix(secret: &[u8]) -> Option<&[u8]> {
    secret.strip_prefix(b"v1,").unwrap_or(secret).strip_prefix(b"whsec_")
}

fn base64(text: &[u8]) -> Option<Key> {
    LENIENT.decode(text).ok().map(Zeroizing::new)
}

/// Dashboards show secrets with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(form: KeyForm, secret: &str) -> Vec<String> {
        form.keys(secret.as_bytes()).iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect()
    }

    #[test]
    fn prefixes_tell_what_is_decoded() {
        for secret in ["whsec_a2V5", "v1,whsec_a2V5", "a2V5"] {
            assert_eq!(keys(KeyForm::Base64, secret), ["key"], "{secret}");
        }
        assert_eq!(keys(KeyForm::Base64, "whsec_?"), [""; 0]);
        assert_eq!(keys(KeyForm::Base64IfPrefixed, "whsec_a2V5"), ["key"]);
        assert_eq!(keys(KeyForm::Base64IfPrefixed, "a2V5"), ["a2V5"]);
        assert_eq!(keys(KeyForm::TextOrBase64, "whsec_a2V5"), ["whsec_a2V5", "key"]);
        assert_eq!(keys(KeyForm::Hex, "6b6579"), ["key"]);
        assert_eq!(keys(KeyForm::Hex, "key"), [""; 0]);
        assert_eq!(keys(KeyForm::First16, "short"), [""; 0]);
    }
}
