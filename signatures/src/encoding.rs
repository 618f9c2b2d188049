//! Signature bytes as text.

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{self, GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine as _, alphabet};

/// How a provider writes the bytes of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Lower-case hexadecimal. Most official packages compare the text, so upper case is refused there.
    Hex,
    /// Hexadecimal in either case, for a provider whose package decodes before it compares.
    HexAnyCase,
    /// Base64 with the standard alphabet and padding (RFC 4648 §4).
    Base64,
    /// Base64 with the URL-safe alphabet, without padding (RFC 4648 §5).
    Base64Url,
    /// The text itself, for what is a password and no signature.
    Plain,
}

impl Encoding {
    /// Every encoding of bytes, for trying the others when the right one does not fit.
    pub(crate) const ALL: [Self; 4] = [Self::Hex, Self::HexAnyCase, Self::Base64, Self::Base64Url];

    /// Every reading of a text, whatever its case, alphabet and padding.
    pub(crate) fn decode_any(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        from_hex(text)
            .into_iter()
            .chain([&LENIENT, &LENIENT_URL_SAFE].into_iter().filter_map(move |engine| engine.decode(text).ok()))
    }

    /// The bytes that `text` stands for; `None` unless all of it is in this encoding.
    pub(crate) fn decode(self, text: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hex if text.iter().any(u8::is_ascii_uppercase) => None,
            Self::Hex | Self::HexAnyCase => from_hex(text),
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Base64Url => URL_SAFE.decode(text).ok(),
            Self::Plain => Some(text.to_vec()),
        }
    }

    /// The text of `bytes`, as the provider would write it.
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex | Self::HexAnyCase => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url => URL_SAFE.encode(bytes),
            Self::Plain => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

/// As `hex::decode`, which grows its result byte by byte.
fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    hex::decode_to_slice(text, &mut bytes).is_ok().then_some(bytes)
}

/// Written without padding, as JSON web signatures are (RFC 7515 §2).
const URL_SAFE: GeneralPurpose = general_purpose::URL_SAFE_NO_PAD;

const LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);

const LENIENT_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reads_its_own_and_hex_is_strict_about_case() {
        let bytes = [0xfb, 0xff, 0x00, 0xab];
        for encoding in Encoding::ALL {
            let text = encoding.encode(&bytes);
            assert_eq!(encoding.decode(text.as_bytes()).as_deref(), Some(&bytes[..]), "{text}");
        }
        assert_eq!(Encoding::Hex.decode(b"FBFF00AB"), None);
        assert_eq!(Encoding::HexAnyCase.decode(b"FBff00AB").as_deref(), Some(&bytes[..]));
        assert_eq!(Encoding::Base64Url.decode(b"-_8Aqw==").as_deref(), None);
        for text in ["-_8Aqw==", "-_8Aqw", "+/8Aqw", "FBff00aB"] {
            assert!(Encoding::decode_any(text.as_bytes()).any(|read| read == bytes), "{text}");
        }
        assert_eq!(Encoding::Base64.decode(b"-_8Aqw=="), None);
    }
}
