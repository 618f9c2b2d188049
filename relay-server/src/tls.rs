//! HTTPS and WSS with a certificate from files.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use rustls::{
    CertificateError, Error as TlsError, InconsistentKeys, RootCertStore, ServerConfig,
    client::verify_server_cert_signed_by_trust_anchor, crypto::ring, server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem, pem::PemObject};

use crate::{RelayError, config::TlsFiles};

/// What is offered, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS 1.2 and 1.3 with the certificate of `files`. Early data stays off: it can be replayed.
pub(crate) fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, RelayError> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(&files.cert, error))?;
    if chain.is_empty() {
        return Err(failed(&files.cert, &"it holds no certificate"));
    }
    // A clock may be wrong, and a new certificate comes by a restart in any case: the relay starts all the same.
    if let Some(problem) = chain.iter().find_map(|certificate| out_of_date(certificate, UnixTime::now())) {
        tracing::warn!("the certificate in `{}` {problem}", files.cert.display());
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unusable(&files.key, error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&files.cert, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                let certificate = files.cert.display();
                failed(&files.key, &format_args!("it is not the key of the certificate in `{certificate}`"))
            }
            error => failed(&files.key, &error),
        })?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

/// Why everyone will refuse the certificate for its dates (RFC 5280 §4.1.2.5), and what to do; none if it is valid `now`.
fn out_of_date(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<String> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    // The dates are looked at before anything else. That nobody is trusted here comes behind them, and says nothing.
    let verified = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &RootCertStore::empty(),
        &[],
        now,
        ring::default_provider().signature_verification_algorithms.all,
    );
    let date = |time: UnixTime| {
        let known = i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        known.map_or_else(String::new, |time| time.to_string())
    };
    match verified {
        Err(TlsError::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => Some(format!(
            "expired on {}: senders and listeners refuse it; renew it, then restart the relay",
            date(not_after)
        )),
        Err(TlsError::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => Some(format!(
            "is not valid before {}: senders and listeners refuse it; check this machine's clock, or wait until then",
            date(not_before)
        )),
        _ => None,
    }
}

fn unusable(path: &Path, error: pem::Error) -> RelayError {
    match error {
        pem::Error::Io(source) => RelayError::TlsUnreadable { path: path.to_owned(), source },
        error => failed(path, &error),
    }
}

fn failed(path: &Path, reason: &dyn ToString) -> RelayError {
    RelayError::Tls { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;

    /// Valid in 2020, for a server or for an authority: a self-signed certificate is often made as one.
    fn certificate(is_ca: IsCa) -> CertificateDer<'static> {
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(2020, 12, 31);
        parameters.is_ca = is_ca;
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().into()
    }

    #[test]
    fn a_certificate_out_of_date_says_since_when() {
        let at = |timestamp: &str| {
            let timestamp: Timestamp = timestamp.parse().unwrap();
            UnixTime::since_unix_epoch(Duration::from_secs(timestamp.as_second().try_into().unwrap()))
        };
        for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
            let certificate = certificate(is_ca);
            let problem = |timestamp| out_of_date(&certificate, at(timestamp));
            let expired = problem("2021-01-01T00:00:00Z").unwrap();
            assert!(
                expired.starts_with("expired on 2020-12-31T00:00:00Z: ") && expired.contains("renew it"),
                "{expired}"
            );
            let early = problem("2019-12-31T23:59:59Z").unwrap();
            assert!(
                early.starts_with("is not valid before 2020-01-01T00:00:00Z: ") && early.contains("clock"),
                "{early}"
            );
            assert_eq!(problem("2020-06-01T00:00:00Z"), None);
        }
    }
}
