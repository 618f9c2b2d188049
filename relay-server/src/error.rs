//! Why a relay can't start.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why a relay can't start. [`RelayError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// `--open` and an address that others can reach.
    #[error("`--open` would let anybody who reaches {0} take webhooks")]
    OpenToOthers(SocketAddr),
    /// An address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A file of the certificate can't be used.
    #[error("can't use the TLS file `{}`: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the certificate can't be read.
    #[error("can't read the TLS file `{}`: {source}", path.display())]
    TlsUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of the data folder can't be used.
    #[error("can't use `{}`: {reason}", path.display())]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the data folder does not hold what was written there.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        reason: String,
    },
    /// Another relay has the data folder.
    #[error("another relay uses the data folder `{}`", .0.display())]
    DataInUse(PathBuf),
    /// The public URL is none.
    #[error("the public URL `{0}` is not of the form `https://host[:port]`")]
    PublicUrl(String),
}

impl RelayError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::OpenToOthers(_) => Some("listen on 127.0.0.1, or make a token with `hookwire token new` and drop `--open`".into()),
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                Some("another program has this port: stop it, or pass another `--listen`".into())
            }
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("ports below 1024 need the right to bind them: `setcap cap_net_bind_service=+ep` on the binary, or another port".into())
            }
            Self::Listen { .. } => Some("check that the address belongs to this machine".into()),
            Self::Tls { .. } => Some("pass PEM files: the chain, leaf first, with `--tls-cert`, and its key with `--tls-key`".into()),
            Self::TlsUnreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Some(
                "let the relay's user read it; with systemd, `LoadCredential` hands it over without loosening its rights".into(),
            ),
            Self::TlsUnreadable { .. } => Some("check the paths given with `--tls-cert` and `--tls-key`".into()),
            Self::Data { .. } => Some("check the folder's owner and rights, or pass another `--data-dir`".into()),
            Self::Damaged { .. } => Some("put a good copy in its place, or remove it and do without what it held".into()),
            Self::DataInUse(_) => Some("stop it, or give this one a folder of its own with `--data-dir`".into()),
            Self::PublicUrl(_) => Some("write scheme and host, and no path: endpoints follow it".into()),
        }
    }
}
