//! The MACs, fed chunk by chunk.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

/// How the signature's bytes are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC (RFC 2104) with SHA-256: 32 bytes.
    HmacSha256,
    /// HMAC with SHA-1: 20 bytes.
    HmacSha1,
}

impl Algorithm {
    /// The length of a signature, in bytes.
    pub(crate) const fn tag_length(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha1 => 20,
        }
    }

    pub(crate) fn keyed(self, key: &[u8]) -> Mac {
        const ANY_LENGTH: &str = "hmac hashes a key that is too long, so every length is accepted";
        match self {
            Self::HmacSha256 => Mac::Sha256(Hmac::new_from_slice(key).expect(ANY_LENGTH)),
            Self::HmacSha1 => Mac::Sha1(Hmac::new_from_slice(key).expect(ANY_LENGTH)),
        }
    }
}

/// A MAC under way. It has no `Debug`: what it holds would let anybody sign.
pub(crate) enum Mac {
    Sha256(Hmac<Sha256>),
    Sha1(Hmac<Sha1>),
}

impl Mac {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(mac) => mac.update(bytes),
            Self::Sha1(mac) => mac.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha256(mac) => mac.finalize().into_bytes().to_vec(),
            Self::Sha1(mac) => mac.finalize().into_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 §4.3 (SHA-256) and RFC 2202 §3 (SHA-1), test case 2 of each.
    #[test]
    fn rfc_vectors() {
        for (algorithm, expected) in [
            (Algorithm::HmacSha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (Algorithm::HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ] {
            let mut mac = algorithm.keyed(b"Jefe");
            mac.update(b"what do ya want ");
            mac.update(b"for nothing?");
            let tag = mac.finish();
            assert_eq!(hex::encode(&tag), expected);
            assert_eq!(tag.len(), algorithm.tag_length());
        }
    }
}
