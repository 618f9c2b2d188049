//! A certificate authority made for one test.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use super::Home;

/// An authority whose certificate lies in a home as `ca.pem`.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) file: PathBuf,
}

impl Authority {
    pub(crate) fn new(home: &Home) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "hookwire test authority");
        let file = home.file("ca.pem", &parameters.self_signed(&key).unwrap().pem());
        Self { issuer: Issuer::new(parameters, key), file }
    }

    /// The relay's arguments for a certificate with these names.
    pub(crate) fn certify(&self, home: &Home, names: &[&str]) -> Vec<String> {
        self.issue(home, &Self::parameters(names))
    }

    /// The relay's arguments for a certificate that was right until the end of 2020.
    pub(crate) fn certify_expired(&self, home: &Home, names: &[&str]) -> Vec<String> {
        let mut parameters = Self::parameters(names);
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(2020, 12, 31);
        self.issue(home, &parameters)
    }

    fn parameters(names: &[&str]) -> CertificateParams {
        CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    fn issue(&self, home: &Home, parameters: &CertificateParams) -> Vec<String> {
        let key = KeyPair::generate().unwrap();
        let certificate = home.file("relay.pem", &parameters.signed_by(&key, &self.issuer).unwrap().pem());
        let key = home.file("relay.key", &key.serialize_pem());
        let path = |path: PathBuf| path.display().to_string();
        vec!["--tls-cert".into(), path(certificate), "--tls-key".into(), path(key)]
    }
}
