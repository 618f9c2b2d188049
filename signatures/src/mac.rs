//! The MACs, hashes and public-key signatures, fed chunk by chunk.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::public_key::PublicKey;

/// The longest message that is kept for a public-key signature, in bytes: `ring` checks those over the whole message.
/// SendGrid's batches, the longest of the kind, stay below 1 MiB.
pub(crate) const MESSAGE_LIMIT: usize = 4 << 20;

/// How the signature's bytes are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC (RFC 2104) with SHA-256: 32 bytes.
    HmacSha256,
    /// HMAC with SHA-1: 20 bytes.
    HmacSha1,
    /// HMAC with SHA-512: 64 bytes.
    HmacSha512,
    /// The HMAC that this header names: `HMAC_SHA1_HEX`, `HMAC_SHA256_HEX` or `HMAC_SHA512_HEX`.
    HmacNamed(&'static str),
    /// A plain SHA-256; the secret is part of the content.
    Sha256,
    /// A plain SHA-512; the secret is part of the content.
    Sha512,
    /// Nothing is computed: the content itself, which is the secret, is compared.
    Token,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA over P-256 with SHA-256, in DER.
    EcdsaP256,
    /// RSA PKCS#1 v1.5 with SHA-256 (RFC 8017 §8.2).
    RsaSha256,
    /// HMAC with SHA-256 in a JSON web signature (RFC 7515).
    Hs256,
    /// ECDSA over P-256 with SHA-256 in a JSON web signature.
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256 in a JSON web signature.
    Rs256,
    /// No signature: a text encrypted with AES-128 in Galois/counter mode.
    Aes128Gcm,
    /// No signature: a salted SHA-256, encrypted with AES-128 in cipher block chaining mode.
    Aes128Cbc,
}

impl Algorithm {
    /// The length of a signature, in bytes; `None` if it varies.
    pub(crate) const fn tag_length(self) -> Option<usize> {
        match self {
            Self::HmacSha256 | Self::Sha256 => Some(32),
            Self::HmacSha1 => Some(20),
            Self::HmacSha512 | Self::Sha512 | Self::Ed25519 => Some(64),
            _ => None,
        }
    }

    /// How much longer it takes than SHA-256 with the processor's own instructions, roughly: for budgets.
    pub(crate) const fn slowness(self) -> usize {
        match self {
            Self::HmacSha512 | Self::Sha512 | Self::Ed25519 => 4,
            _ => 1,
        }
    }

    /// Whether anybody with the secret can sign: all but the public-key schemes.
    pub const fn is_symmetric(self) -> bool {
        !matches!(self, Self::Ed25519 | Self::EcdsaP256 | Self::RsaSha256 | Self::Es256 | Self::Rs256)
    }

    /// Begins a MAC; `None` if the key is not one of this algorithm.
    pub(crate) fn keyed(self, key: &[u8]) -> Option<Mac> {
        const ANY_LENGTH: &str = "hmac hashes a key that is too long, so every length is accepted";
        Some(match self {
            Self::HmacSha256 => Mac::Sha256(Hmac::new_from_slice(key).expect(ANY_LENGTH)),
            Self::HmacSha1 => Mac::Sha1(Hmac::new_from_slice(key).expect(ANY_LENGTH)),
            Self::HmacSha512 => Mac::Sha512(Box::new(Hmac::new_from_slice(key).expect(ANY_LENGTH))),
            Self::Sha256 => Mac::Hash256(Sha256::new()),
            Self::Sha512 => Mac::Hash512(Box::new(Sha512::new())),
            Self::Token => Mac::Text(Vec::new()),
            Self::Ed25519 | Self::EcdsaP256 | Self::RsaSha256 => {
                let key = PublicKey::read(key)?;
                Mac::Message(Box::new(Message { key, algorithm: self, bytes: Vec::new(), is_cut: false }))
            }
            Self::HmacNamed(_) | Self::Hs256 | Self::Es256 | Self::Rs256 | Self::Aes128Gcm | Self::Aes128Cbc => {
                return None;
            }
        })
    }
}

/// A MAC under way. It has no `Debug`: what it holds would let anybody sign.
#[derive(Clone)]
pub(crate) enum Mac {
    Sha256(Hmac<Sha256>),
    Sha1(Hmac<Sha1>),
    // Boxed: the state is twice as long as the others', and rare.
    Sha512(Box<Hmac<Sha512>>),
    Hash256(Sha256),
    Hash512(Box<Sha512>),
    Text(Vec<u8>),
    Message(Box<Message>),
}

/// What was signed with a private key, kept whole.
#[derive(Clone)]
pub(crate) struct Message {
    key: PublicKey,
    algorithm: Algorithm,
    bytes: Vec<u8>,
    /// It was longer than [`MESSAGE_LIMIT`].
    is_cut: bool,
}

impl Mac {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(mac) => mac.update(bytes),
            Self::Sha1(mac) => mac.update(bytes),
            Self::Sha512(mac) => mac.update(bytes),
            Self::Hash256(hash) => hash.update(bytes),
            Self::Hash512(hash) => hash.update(bytes),
            Self::Text(text) => text.extend_from_slice(bytes),
            Self::Message(message) => {
                message.is_cut |= message.bytes.len() + bytes.len() > MESSAGE_LIMIT;
                if !message.is_cut {
                    message.bytes.extend_from_slice(bytes);
                }
            }
        }
    }

    pub(crate) fn finish(self) -> Finished {
        Finished::Tag(match self {
            Self::Sha256(mac) => mac.finalize().into_bytes().to_vec(),
            Self::Sha1(mac) => mac.finalize().into_bytes().to_vec(),
            Self::Sha512(mac) => mac.finalize().into_bytes().to_vec(),
            Self::Hash256(hash) => hash.finalize().to_vec(),
            Self::Hash512(hash) => hash.finalize().to_vec(),
            Self::Text(text) => text,
            Self::Message(message) => return Finished::Message(message),
        })
    }
}

/// A MAC at its end, ready to be compared with what a request claims.
pub(crate) enum Finished {
    Tag(Vec<u8>),
    Message(Box<Message>),
}

impl Finished {
    /// Whether `signature` is the right one. Tags are compared in constant time; only their length, which is public,
    /// makes a difference.
    pub(crate) fn fits(&self, signature: &[u8]) -> bool {
        match self {
            Self::Tag(tag) => tag.ct_eq(signature).into(),
            Self::Message(message) => {
                !message.is_cut && message.key.verifies(message.algorithm, &message.bytes, signature)
            }
        }
    }

    /// The message was too long to be kept, so nothing can be said.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self, Self::Message(message) if message.is_cut)
    }

    /// The bytes that a provider would send, for signing.
    pub(crate) fn into_tag(self) -> Option<Vec<u8>> {
        match self {
            Self::Tag(tag) => Some(tag),
            Self::Message(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 §4.3 (SHA-256, SHA-512) and RFC 2202 §3 (SHA-1), test case 2 of each.
    #[test]
    fn rfc_vectors() {
        let sha512 = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                      9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
        for (algorithm, expected) in [
            (Algorithm::HmacSha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (Algorithm::HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Algorithm::HmacSha512, sha512),
        ] {
            let mut mac = algorithm.keyed(b"Jefe").unwrap();
            mac.update(b"what do ya want ");
            mac.update(b"for nothing?");
            let tag = mac.finish().into_tag().unwrap();
            assert_eq!(hex::encode(&tag), expected);
            assert_eq!(Some(tag.len()), algorithm.tag_length());
        }
    }

    /// RFC 8032 §7.1, test 3.
    #[test]
    fn a_message_too_long_to_be_kept_fits_nothing() {
        let key = b"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
        let signature = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
        let signature = hex::decode(signature).unwrap();
        let finished = |pieces: &[&[u8]]| {
            let mut mac = Algorithm::Ed25519.keyed(key).unwrap();
            for piece in pieces {
                mac.update(piece);
            }
            mac.finish()
        };
        assert!(finished(&[b"\xaf", b"\x82"]).fits(&signature));
        assert!(!finished(&[b"\xaf\x83"]).fits(&signature));
        let long = vec![0; MESSAGE_LIMIT];
        let cut = finished(&[b"\xaf\x82", &long]);
        assert!(cut.is_cut() && !cut.fits(&signature));
    }
}
