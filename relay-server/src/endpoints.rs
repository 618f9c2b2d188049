//! Who owns a name, and which session serves it.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use hookwire_protocol::{code::Code, frame::Goaway, hello::Refusal};
use hookwire_tunnel::Tunnel;
use serde::{Deserialize, Serialize};

use crate::{RelayError, data, limits};

/// The owner of every endpoint of an open relay.
pub(crate) const ANYBODY: &str = "open";

/// The file in the data folder.
const FILE: &str = "endpoints.json";

/// The longest name: what a DNS label can hold, so that names can become hosts one day.
const NAME: usize = 63;

/// Every endpoint that was ever opened. A name stays its owner's, so that a URL pasted into a dashboard never becomes somebody else's.
#[derive(Debug)]
pub(crate) struct Endpoints {
    table: Mutex<HashMap<String, Entry>>,
    file: Option<PathBuf>,
}

#[derive(Debug)]
struct Entry {
    owner: String,
    live: Option<Live>,
}

#[derive(Debug)]
struct Live {
    session: u64,
    instance: String,
    tunnel: Tunnel,
}

/// What the file keeps of an endpoint.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    owner: String,
}

impl Endpoints {
    /// The endpoints of a data folder, or none that outlive the process.
    pub(crate) fn open(data_dir: Option<&Path>) -> Result<Self, RelayError> {
        let file = data_dir.map(|folder| folder.join(FILE));
        let records: BTreeMap<String, Record> = file.as_deref().map(data::read).transpose()?.unwrap_or_default();
        let table =
            records.into_iter().map(|(name, record)| (name, Entry { owner: record.owner, live: None })).collect();
        Ok(Self { table: Mutex::new(table), file })
    }

    /// Makes sure that a name belongs to `owner`. A new name is on the disk before this returns.
    pub(crate) fn claim(&self, name: &str, owner: &str) -> Result<(), Refusal> {
        if !is_name(name) {
            return Err(refusal(
                Refusal::ENDPOINT_NAME,
                &format!("`{}` can't be the name of an endpoint", name.escape_debug()),
                "use up to 63 lower-case letters, digits and hyphens, starting with a letter or digit",
            ));
        }
        let mut table = self.lock();
        match table.get(name).map(|entry| entry.owner.as_str()) {
            Some(known) if known == owner => return Ok(()),
            // What anybody could open was never protected: a token makes it its own.
            Some(ANYBODY) => {}
            Some(_) => {
                let hint = "choose another name with `--endpoint`, or use the token that opened it first";
                return Err(refusal(
                    Refusal::ENDPOINT_TAKEN,
                    &format!("endpoint `{name}` belongs to another token"),
                    hint,
                ));
            }
            None if table.len() >= limits::ENDPOINTS => {
                return Err(refusal(
                    Refusal::UNAVAILABLE,
                    "the relay has no room for another endpoint",
                    "reuse one of yours",
                ));
            }
            None => {}
        }
        let before = table.insert(name.to_owned(), Entry { owner: owner.to_owned(), live: None });
        if let Err(error) = self.save(&table) {
            match before {
                Some(entry) => table.insert(name.to_owned(), entry),
                None => table.remove(name),
            };
            tracing::error!(%error, "endpoint can't be written down");
            let refusal = refusal(
                Refusal::UNAVAILABLE,
                "the relay can't write down whose the endpoint is",
                "its operator finds the reason in its log",
            );
            return Err(Refusal { retry: true, ..refusal });
        }
        Ok(())
    }

    /// Puts a session in charge of a claimed name. The one before is told why it has to go.
    pub(crate) fn attach(&self, name: &str, session: u64, instance: String, tunnel: Tunnel) {
        if let Some(entry) = self.lock().get_mut(name)
            && let Some(before) = entry.live.replace(Live { session, instance, tunnel })
        {
            let same = entry.live.as_ref().is_some_and(|live| live.instance == before.instance);
            // A client that came back finds its own old session: nothing it needs to hear about.
            before.tunnel.go_away(if same { Goaway::Stopping } else { Goaway::Replaced });
        }
    }

    /// A session ended. Another that took over meanwhile stays.
    pub(crate) fn detach(&self, name: &str, session: u64) {
        if let Some(entry) = self.lock().get_mut(name) {
            entry.live.take_if(|live| live.session == session);
        }
    }

    /// The way to the app behind a name.
    pub(crate) fn route(&self, name: &str) -> Result<Tunnel, Code> {
        let table = self.lock();
        let entry = table.get(name).ok_or(Code::NoSuchEndpoint)?;
        entry.live.as_ref().map(|live| live.tunnel.clone()).ok_or(Code::NoSession)
    }

    fn save(&self, table: &HashMap<String, Entry>) -> Result<(), RelayError> {
        let Some(file) = &self.file else { return Ok(()) };
        let records: BTreeMap<_, _> =
            table.iter().map(|(name, entry)| (name, Record { owner: entry.owner.clone() })).collect();
        data::write(file, &records)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lower-case letters, digits and hyphens, starting with a letter or digit. `_hookwire` can never be one.
fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=NAME).contains(&name.len())
        && name.bytes().next().is_some_and(letter)
        && name.bytes().all(|byte| letter(byte) || byte == b'-')
}

fn refusal(code: &str, message: &str, hint: &str) -> Refusal {
    Refusal { code: code.into(), message: message.into(), hint: Some(hint.into()), retry: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_its_owners_across_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let endpoints = Endpoints::open(Some(folder.path())).unwrap();
        endpoints.claim("shop", "alice").unwrap();
        endpoints.claim("shop", "alice").unwrap();
        drop(endpoints);
        let endpoints = Endpoints::open(Some(folder.path())).unwrap();
        assert_eq!(endpoints.claim("shop", "bob").unwrap_err().code, Refusal::ENDPOINT_TAKEN);
        assert_eq!(endpoints.route("shop").unwrap_err(), Code::NoSession);
        assert_eq!(endpoints.claim("shop", ANYBODY).unwrap_err().code, Refusal::ENDPOINT_TAKEN);
        endpoints.claim("trial", ANYBODY).unwrap();
        endpoints.claim("trial", "bob").unwrap();
        assert_eq!(endpoints.claim("trial", "alice").unwrap_err().code, Refusal::ENDPOINT_TAKEN);
        assert_eq!(endpoints.route("other").unwrap_err(), Code::NoSuchEndpoint);
    }

    #[test]
    fn names_are_dns_labels() {
        for name in ["shop", "a", "0", "quiet-otter-4f2a", &"a".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "_hookwire", "-a", "Shop", "a.b", "a/b", "a b", "ä", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_name_that_can_not_be_written_down_is_not_given_away() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        let endpoints = Endpoints::open(Some(&blocked)).unwrap();
        std::fs::write(&blocked, "in the way").unwrap();
        let refusal = endpoints.claim("shop", "alice").unwrap_err();
        assert!(refusal.retry);
        assert_eq!(endpoints.route("shop").unwrap_err(), Code::NoSuchEndpoint);
    }
}
