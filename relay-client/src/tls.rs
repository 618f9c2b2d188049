//! How the client side speaks TLS: whom it trusts, and what a refused certificate is called.
//!
//! One configuration serves the relay and the app; only the app may be trusted blindly (`--insecure`). The crypto provider is
//! always ring, given explicitly: a process default set by somebody else is never used.

use std::{io::ErrorKind, path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem, pem::PemObject};
use rustls_platform_verifier::BuilderVerifierExt;

mod problem;

pub use problem::TlsProblem;

/// HTTP/1.1 as an ALPN protocol (RFC 7301 §6): what both connections of the client speak.
pub const HTTP_1_1: &[u8] = b"http/1.1";

/// Whom to trust could not be settled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The file is missing, unreadable, or not PEM (RFC 7468).
    #[error("the CA file `{path}` can't be read")]
    Read {
        /// The file, as given.
        path: String,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The file is PEM, and no section of it is a certificate.
    #[error("the CA file `{path}` holds no certificate")]
    Empty {
        /// The file, as given.
        path: String,
    },
    /// A certificate given as CA is no certificate.
    #[error("a CA certificate is malformed")]
    Certificate(#[source] rustls::Error),
    /// The operating system's trusted certificates are missing.
    #[error("the system's trusted certificates can't be loaded")]
    System(#[source] rustls::Error),
}

impl TrustError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { source: pem::Error::Io(error), .. } => match error.kind() {
                ErrorKind::NotFound => "check the path given with `--ca`",
                ErrorKind::PermissionDenied => "let this user read it: `ls -l` shows whose it is, and who may",
                _ => "name a file that can be read with `--ca`",
            },
            Self::Read { .. } | Self::Empty { .. } | Self::Certificate(_) => {
                "pass the authority's certificate as PEM, which begins with `-----BEGIN CERTIFICATE-----`"
            }
            Self::System(_) => {
                "install the system's certificates (often the package `ca-certificates`), or name an authority with `--ca`"
            }
        }
    }
}

/// The certificates of a PEM file, as given with `--ca`.
pub fn load_ca(path: impl AsRef<Path>) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let name = || path.as_ref().display().to_string();
    let certificates = CertificateDer::pem_file_iter(path.as_ref())
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| TrustError::Read { path: name(), source })?;
    if certificates.is_empty() {
        return Err(TrustError::Empty { path: name() });
    }
    Ok(certificates)
}

/// A client configuration that trusts `ca` alone when it is given, otherwise what the operating system trusts.
///
/// `insecure` trusts every certificate instead, whatever its name, date or issuer. `alpn` is offered in this order.
/// Without `ca` this reads the system's certificates from disk (a few milliseconds).
pub fn client_config(
    ca: Option<&[CertificateDer<'static>]>,
    insecure: bool,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, TrustError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3");
    let builder = if insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate { provider }))
    } else if let Some(certificates) = ca {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate.clone()).map_err(TrustError::Certificate)?;
        }
        builder.with_root_certificates(roots)
    } else {
        builder.with_platform_verifier().map_err(TrustError::System)?
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

/// Takes any certificate. The handshake's signature is still checked: the peer has the key of what it shows.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Certificates made for tests.
#[cfg(test)]
pub(crate) mod fixture {
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
    use rustls::ServerConfig;
    use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
    use tokio_rustls::TlsAcceptor;

    /// The first and last years in which a certificate is valid.
    pub(crate) type Years = (i32, i32);

    /// Long past and far ahead of any day this test is run on.
    pub(crate) const VALID: Years = (2020, 4000);

    /// A certificate authority that lives for one test.
    pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

    impl Authority {
        pub(crate) fn new(name: &str) -> Self {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            Self(CertifiedIssuer::self_signed(params, key).unwrap())
        }

        pub(crate) fn certificate(&self) -> CertificateDer<'static> {
            self.0.der().clone()
        }

        pub(crate) fn pem(&self) -> String {
            self.0.pem()
        }

        /// A server that shows a certificate for `name`, valid in `years`.
        pub(crate) fn acceptor(&self, name: &str, years: Years) -> TlsAcceptor {
            let mut params = CertificateParams::new([name.to_owned()]).unwrap();
            params.not_before = date_time_ymd(years.0, 1, 1);
            params.not_after = date_time_ymd(years.1, 1, 1);
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &self.0).unwrap();
            let key = PrivatePkcs8KeyDer::from(key.serialize_der());
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key.into())
                .unwrap();
            TlsAcceptor::from(Arc::new(config))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of this name in the target's own temporary directory.
    fn file(name: &str, text: &str) -> std::path::PathBuf {
        let name = format!("hookwire-tls-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_ca_file_is_read_with_all_its_certificates() {
        let (one, two) = (fixture::Authority::new("one"), fixture::Authority::new("two"));
        let path = file("two.pem", &format!("{}\n# two\n{}", one.pem(), two.pem()));
        let certificates = load_ca(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(certificates, [one.certificate(), two.certificate()]);
        assert!(client_config(Some(&certificates), false, &[HTTP_1_1]).is_ok());
    }

    #[test]
    fn a_ca_file_without_certificates_is_refused() {
        let path = file("none.pem", "no certificate here\n");
        let error = load_ca(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(error, TrustError::Empty { .. }), "{error:?}");
        let error = load_ca(&path).unwrap_err();
        assert!(matches!(error, TrustError::Read { .. }), "{error:?}");
        assert!(error.to_string().contains("none.pem"), "{error}");
    }

    #[test]
    fn what_is_no_certificate_is_no_ca() {
        let nonsense = [CertificateDer::from(vec![1, 2, 3])];
        let error = client_config(Some(&nonsense), false, &[]).unwrap_err();
        assert!(matches!(error, TrustError::Certificate(_)), "{error:?}");
    }
}
