//! Who may open a session.
//!
//! A token is `hookwire_<id>_<secret>`. The relay keeps the id and the SHA-256 of the secret: 256 random bits need no slow hash. The file
//! is read again when it changes, so that `hookwire token new` and `revoke` work while the relay runs.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{RelayError, data};

/// What a token starts with, so that people and secret scanners know one when they see it.
const PREFIX: &str = "hookwire_";

/// The file in the data folder.
const FILE: &str = "tokens.json";

/// Bytes of the id. It names the owner of endpoints for ever, so two must never meet.
const ID_BYTES: usize = 8;

/// Bytes of the secret.
const SECRET_BYTES: usize = 32;

/// One token as the relay keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Names it in lists, in logs, and as the owner of endpoints.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was made, in seconds since 1970 (UTC).
    pub created_at: u64,
    sha256: String,
}

/// A token that was just made. Its secret is nowhere else.
#[derive(Debug)]
pub struct NewToken {
    /// Its id.
    pub id: String,
    secret: Secret,
}

struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl NewToken {
    /// The whole token, to hand to its owner.
    pub fn secret(&self) -> &str {
        &self.secret.0
    }
}

/// The tokens of a data folder.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    modified: Option<SystemTime>,
    records: Vec<TokenRecord>,
}

impl Tokens {
    /// Opens the tokens of a data folder, which need not exist yet.
    pub fn open(data_dir: &Path) -> Result<Self, RelayError> {
        let tokens = Self { path: data_dir.join(FILE), known: Mutex::default() };
        tokens.list()?;
        Ok(tokens)
    }

    /// Makes a token.
    pub fn create(&self, name: &str) -> Result<NewToken, RelayError> {
        let mut records = self.list()?;
        let (id, secret) = (random_hex::<ID_BYTES>()?, random_hex::<SECRET_BYTES>()?);
        records.push(TokenRecord { id: id.clone(), name: name.to_owned(), created_at: now(), sha256: hash(&secret) });
        data::write(&self.path, &records)?;
        Ok(NewToken { secret: Secret(format!("{PREFIX}{id}_{secret}")), id })
    }

    /// The tokens there are, oldest first.
    pub fn list(&self) -> Result<Vec<TokenRecord>, RelayError> {
        data::read(&self.path)
    }

    /// Takes a token back, by its id or its name. Whether there was one.
    pub fn revoke(&self, id_or_name: &str) -> Result<bool, RelayError> {
        let mut records = self.list()?;
        let before = records.len();
        records.retain(|record| record.id != id_or_name && record.name != id_or_name);
        if records.len() == before {
            return Ok(false);
        }
        data::write(&self.path, &records)?;
        Ok(true)
    }

    /// The id of a token, if it is one of ours.
    pub(crate) fn check(&self, token: &str) -> Option<String> {
        let (id, secret) = token.strip_prefix(PREFIX)?.split_once('_')?;
        let hashed = hash(secret);
        self.current()
            .iter()
            .filter(|record| record.id == id)
            .find(|record| bool::from(record.sha256.as_bytes().ct_eq(hashed.as_bytes())))
            .map(|record| record.id.clone())
    }

    /// Whether a token of this id still exists.
    pub(crate) fn exists(&self, id: &str) -> bool {
        self.current().iter().any(|record| record.id == id)
    }

    /// The records, read again when the file was changed. A file that can't be read keeps the last known ones: a slip in an editor
    /// must not throw everybody out.
    fn current(&self) -> Vec<TokenRecord> {
        let modified = std::fs::metadata(&self.path).and_then(|file| file.modified()).ok();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if modified.is_none() || modified != known.modified {
            match self.list() {
                Ok(records) => *known = Known { modified, records },
                Err(error) => tracing::warn!(%error, "tokens can't be read: the last known ones stay valid"),
            }
        }
        known.records.clone()
    }
}

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

fn random_hex<const N: usize>() -> Result<String, RelayError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| RelayError::Data { path: "random numbers".into(), reason: error.to_string() })?;
    Ok(hex::encode(bytes))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_until_it_is_revoked_and_only_its_hash_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(folder.path()).unwrap();
        let running = Tokens::open(folder.path()).unwrap();
        let token = tokens.create("alice").unwrap();
        assert_eq!(running.check(token.secret()), Some(token.id.clone()));
        assert_eq!(running.check(&format!("{}0", token.secret())), None);
        assert_eq!(running.check(&token.secret().replace(PREFIX, "")), None);
        assert_eq!(running.check(&format!("{PREFIX}{}_", token.id)), None);

        let file = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let secret = token.secret().rsplit('_').next().unwrap();
        assert!(file.contains(&token.id) && !file.contains(secret));
        assert!(!format!("{token:?}").contains(secret));

        assert!(tokens.revoke("alice").unwrap());
        assert!(!tokens.revoke("alice").unwrap());
        assert!(!running.exists(&token.id));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("relay");
        Tokens::open(&data).unwrap().create("alice").unwrap();
        assert_eq!(std::fs::metadata(data.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(data).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_broken_file_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(Tokens::open(folder.path()).unwrap_err().to_string().contains(FILE));
    }
}
