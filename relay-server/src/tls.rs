//! HTTPS and WSS with a certificate from files.

use std::{path::Path, sync::Arc};

use rustls::{Error as TlsError, InconsistentKeys, ServerConfig, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{RelayError, config::TlsFiles};

/// What is offered, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS 1.2 and 1.3 with the certificate of `files`. Early data stays off: it can be replayed.
pub(crate) fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, RelayError> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|error| failed(&files.cert, &error))?;
    if chain.is_empty() {
        return Err(failed(&files.cert, &"it holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| failed(&files.key, &error))?;
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

fn failed(path: &Path, reason: &dyn ToString) -> RelayError {
    RelayError::Tls { path: path.to_owned(), reason: reason.to_string() }
}
