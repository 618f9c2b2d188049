//! Public keys and certificates in the forms that dashboards and APIs give them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::{EndEntityCert, RawPublicKeyEntity};

use crate::mac::Algorithm;

/// What stands before the key in the `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410 §4).
const ED25519_HEADER: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What stands before the point in the `SubjectPublicKeyInfo` of a P-256 key (RFC 5480 §2).
const P256_HEADER: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The length of an Ed25519 key, in bytes.
const ED25519_LENGTH: usize = 32;

/// A public key.
#[derive(Clone)]
pub(crate) enum PublicKey {
    Ed25519(Vec<u8>),
    /// An uncompressed point: `04`, x, y.
    P256(Vec<u8>),
    /// Modulus and exponent, big-endian.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A `SubjectPublicKeyInfo` of any other kind, in DER.
    Info(Vec<u8>),
    /// An X.509 certificate, in DER.
    Certificate(Vec<u8>),
}

impl PublicKey {
    /// Reads PEM (a key or a certificate), a JWK, or the base64 or hexadecimal of a key, `whpk_` in front or not.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        if text.starts_with(b"-----BEGIN CERTIFICATE") {
            return CertificateDer::from_pem_slice(text).ok().map(|der| Self::Certificate(der.to_vec()));
        }
        if text.starts_with(b"-----BEGIN") {
            return SubjectPublicKeyInfoDer::from_pem_slice(text).ok().map(|der| Self::of_info(&der));
        }
        if text.starts_with(b"{") {
            return Self::of_jwk(text);
        }
        if let Ok(key) = hex::decode(text)
            && key.len() == ED25519_LENGTH
        {
            return Some(Self::Ed25519(key));
        }
        let der = STANDARD.decode(text.strip_prefix(b"whpk_").unwrap_or(text)).ok()?;
        // Some APIs give the PEM text in base64 once more.
        if der.starts_with(b"-----BEGIN") {
            return SubjectPublicKeyInfoDer::from_pem_slice(&der).ok().map(|der| Self::of_info(&der));
        }
        Some(if der.len() == ED25519_LENGTH { Self::Ed25519(der) } else { Self::of_info(&der) })
    }

    fn of_info(der: &[u8]) -> Self {
        if let Some(key) = der.strip_prefix(ED25519_HEADER) {
            return Self::Ed25519(key.to_vec());
        }
        match der.strip_prefix(P256_HEADER) {
            Some(point) => Self::P256(point.to_vec()),
            None => Self::Info(der.to_vec()),
        }
    }

    /// RFC 7517 and RFC 7518 §6.
    fn of_jwk(text: &[u8]) -> Option<Self> {
        let jwk: serde_json::Value = serde_json::from_slice(text).ok()?;
        let bytes = |name: &str| jwk[name].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        match (jwk["kty"].as_str()?, jwk["crv"].as_str()) {
            ("EC", Some("P-256")) => Some(Self::P256([&[4][..], &bytes("x")?, &bytes("y")?].concat())),
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519(bytes("x")?)),
            ("RSA", _) => Some(Self::Rsa { n: bytes("n")?, e: bytes("e")? }),
            _ => None,
        }
    }

    /// Whether `signature` is one of this key over `message`. A key of another kind than the algorithm's fits nothing.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let raw = |verification: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(verification, key).verify(message, signature).is_ok()
        };
        match (self, algorithm) {
            (Self::Ed25519(key), Algorithm::Ed25519) => raw(&ED25519, key),
            (Self::P256(point), Algorithm::EcdsaP256) => raw(&ECDSA_P256_SHA256_ASN1, point),
            (Self::P256(point), Algorithm::Es256) => raw(&ECDSA_P256_SHA256_FIXED, point),
            (Self::Rsa { n, e }, Algorithm::RsaSha256 | Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            (Self::Info(der), Algorithm::RsaSha256 | Algorithm::Rs256) => {
                let info = SubjectPublicKeyInfoDer::from(der.as_slice());
                RawPublicKeyEntity::try_from(&info).is_ok_and(|key| {
                    key.verify_signature(webpki::ring::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
                })
            }
            (Self::Certificate(der), _) => {
                let verification = match algorithm {
                    Algorithm::RsaSha256 | Algorithm::Rs256 => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::EcdsaP256 => webpki::ring::ECDSA_P256_SHA256,
                    Algorithm::Ed25519 => webpki::ring::ED25519,
                    _ => return false,
                };
                let certificate = CertificateDer::from(der.as_slice());
                EndEntityCert::try_from(&certificate)
                    .is_ok_and(|certificate| certificate.verify_signature(verification, message, signature).is_ok())
            }
            _ => false,
        }
    }
}
