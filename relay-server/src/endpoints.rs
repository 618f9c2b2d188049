//! Who owns a name, and which session serves it.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hookwire_protocol::{
    code::Code,
    frame::Goaway,
    hello::{Refusal, Wishes},
};
use hookwire_tunnel::Tunnel;
use serde::{Deserialize, Serialize};

use crate::{
    RelayError, data,
    delivery::desk::Desk,
    errand::EndpointReport,
    limits,
    policy::{Bounds, Policy},
};

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
    bounds: Bounds,
}

#[derive(Debug)]
struct Entry {
    record: Record,
    policy: Policy,
    desk: Arc<Desk>,
    live: Option<Live>,
    /// When its last session ended, if it had one.
    away_since: Option<Instant>,
}

#[derive(Debug)]
struct Live {
    session: u64,
    instance: String,
    tunnel: Tunnel,
}

/// What the file keeps of an endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    owner: String,
    /// They count while no client is connected, and after a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wishes: Option<Wishes>,
}

impl Entry {
    fn new(name: &str, record: Record, bounds: Bounds) -> Self {
        let policy = Policy::agree(record.wishes.as_ref(), bounds);
        Self { record, policy, desk: Desk::new(name), live: None, away_since: None }
    }
}

/// The way to the app behind a name.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) desk: Arc<Desk>,
    /// Its session, if there is one.
    pub(crate) tunnel: Option<Tunnel>,
    pub(crate) policy: Policy,
}

impl Endpoints {
    /// The endpoints of a data folder, or none that outlive the process.
    pub(crate) fn open(data_dir: Option<&Path>, bounds: Bounds) -> Result<Self, RelayError> {
        let file = data_dir.map(|folder| folder.join(FILE));
        let records: BTreeMap<String, Record> = file.as_deref().map(data::read).transpose()?.unwrap_or_default();
        let table = records.into_iter().map(|(name, record)| {
            let entry = Entry::new(&name, record, bounds);
            (name, entry)
        });
        Ok(Self { table: Mutex::new(table.collect()), file, bounds })
    }

    /// Makes sure that a name belongs to `owner`, and takes in what its client wishes. What is new is on the disk before this returns.
    pub(crate) fn claim(&self, name: &str, owner: &str, wishes: Option<Wishes>) -> Result<Policy, Refusal> {
        if !is_name(name) {
            return Err(refusal(
                Refusal::ENDPOINT_NAME,
                &format!("`{}` can't be the name of an endpoint", name.escape_debug()),
                "use up to 63 lower-case letters, digits and hyphens, starting with a letter or digit",
            ));
        }
        let mut table = self.lock();
        let full = table.len() >= limits::ENDPOINTS;
        let before = match table.get_mut(name) {
            Some(entry) if entry.record.owner == owner && entry.record.wishes == wishes => return Ok(entry.policy),
            // What anybody could open was never protected: a token makes it its own.
            Some(entry) if entry.record.owner == owner || entry.record.owner == ANYBODY => {
                Some(std::mem::replace(&mut entry.record, Record { owner: owner.to_owned(), wishes }))
            }
            Some(_) => {
                let hint = "choose another name with `--endpoint`, or use the token that opened it first";
                return Err(refusal(
                    Refusal::ENDPOINT_TAKEN,
                    &format!("endpoint `{name}` belongs to another token"),
                    hint,
                ));
            }
            None if full => {
                return Err(refusal(
                    Refusal::UNAVAILABLE,
                    "the relay has no room for another endpoint",
                    "reuse one of yours",
                ));
            }
            None => {
                let record = Record { owner: owner.to_owned(), wishes };
                table.insert(name.to_owned(), Entry::new(name, record, self.bounds));
                None
            }
        };
        if let Err(error) = self.save(&table) {
            match (before, table.get_mut(name)) {
                (Some(record), Some(entry)) => entry.record = record,
                _ => drop(table.remove(name)),
            }
            tracing::error!(%error, "endpoint can't be written down");
            let refusal = refusal(
                Refusal::UNAVAILABLE,
                "the relay can't write down whose the endpoint is",
                "its operator finds the reason in its log",
            );
            return Err(Refusal { retry: true, ..refusal });
        }
        let policy = Policy::agree(wishes.as_ref(), self.bounds);
        if let Some(entry) = table.get_mut(name) {
            entry.policy = policy;
        }
        Ok(policy)
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
        if let Some(entry) = self.lock().get_mut(name)
            && entry.live.take_if(|live| live.session == session).is_some()
        {
            entry.away_since = Some(Instant::now());
            entry.desk.take_refused(); // those that a client was there for
        }
    }

    /// The way to the app behind a name.
    pub(crate) fn route(&self, name: &str) -> Result<Route, Code> {
        let table = self.lock();
        let entry = table.get(name).ok_or(Code::NoSuchEndpoint)?;
        let tunnel = entry.live.as_ref().map(|live| live.tunnel.clone());
        Ok(Route { desk: Arc::clone(&entry.desk), tunnel, policy: entry.policy })
    }

    /// What is under way for a name.
    pub(crate) fn desk(&self, name: &str) -> Option<Arc<Desk>> {
        self.lock().get(name).map(|entry| Arc::clone(&entry.desk))
    }

    /// How long a name has been without a session; none if it has one, or never had one in this process.
    pub(crate) fn away(&self, name: &str) -> Option<Duration> {
        let table = self.lock();
        let entry = table.get(name).filter(|entry| entry.live.is_none())?;
        entry.away_since.map(|since| since.elapsed())
    }

    /// Every endpoint by name, as far as it is known here: what is held for it is not.
    pub(crate) fn list(&self) -> Vec<EndpointReport> {
        let table = self.lock();
        let mut reports: Vec<_> = table
            .iter()
            .map(|(name, entry)| EndpointReport {
                name: name.clone(),
                owner: entry.record.owner.clone(),
                connected: entry.live.is_some(),
                answer: entry.policy.who.as_str().to_owned(),
                held: 0,
                parked: 0,
                bytes: 0,
                lost: 0,
            })
            .collect();
        reports.sort_by(|one, other| one.name.cmp(&other.name));
        reports
    }

    /// Forgets a name: it is free for anybody. Whether there was one. Fails, and says why, while a client has it, or it can't be written down.
    pub(crate) fn remove(&self, name: &str) -> Result<bool, String> {
        let mut table = self.lock();
        match table.get(name) {
            Some(entry) if entry.live.is_some() => return Err(format!("a client is connected for `{name}`")),
            Some(_) => {}
            None => return Ok(false),
        }
        let removed = table.remove(name);
        if let Err(error) = self.save(&table) {
            table.extend(removed.map(|entry| (name.to_owned(), entry)));
            return Err(error.to_string());
        }
        Ok(true)
    }

    fn save(&self, table: &HashMap<String, Entry>) -> Result<(), RelayError> {
        let Some(file) = &self.file else { return Ok(()) };
        let records: BTreeMap<_, _> = table.iter().map(|(name, entry)| (name, &entry.record)).collect();
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
    use std::time::Duration;

    use hookwire_protocol::hello::Answer;

    use super::*;
    use crate::policy::Who;

    const BOUNDS: Bounds = Bounds { inbox: true, max_deadline: Duration::from_secs(30) };

    fn open(folder: &Path) -> Endpoints {
        Endpoints::open(Some(folder), BOUNDS).unwrap()
    }

    fn claim(endpoints: &Endpoints, name: &str, owner: &str) -> Result<Policy, Refusal> {
        endpoints.claim(name, owner, None)
    }

    #[test]
    fn wishes_count_after_a_restart_until_others_come() {
        let folder = tempfile::tempdir().unwrap();
        let wishes = Wishes { answer: Some(Answer::Relay), ordered: true, ..Wishes::default() };
        let agreed = open(folder.path()).claim("shop", "alice", Some(wishes)).unwrap();
        assert_eq!((agreed.who, agreed.ordered), (Who::Relay, true));
        let endpoints = open(folder.path());
        assert_eq!(endpoints.route("shop").unwrap().policy, agreed);
        assert_eq!(claim(&endpoints, "shop", "alice").unwrap(), Policy::PASS_ON, "an old client wishes nothing");
        assert_eq!(open(folder.path()).route("shop").unwrap().policy, Policy::PASS_ON);
    }

    #[test]
    fn a_name_stays_its_owners_across_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let endpoints = open(folder.path());
        claim(&endpoints, "shop", "alice").unwrap();
        claim(&endpoints, "shop", "alice").unwrap();
        drop(endpoints);
        let endpoints = open(folder.path());
        assert_eq!(claim(&endpoints, "shop", "bob").unwrap_err().code, Refusal::ENDPOINT_TAKEN);
        assert!(endpoints.route("shop").unwrap().tunnel.is_none());
        assert_eq!(claim(&endpoints, "shop", ANYBODY).unwrap_err().code, Refusal::ENDPOINT_TAKEN);
        claim(&endpoints, "trial", ANYBODY).unwrap();
        claim(&endpoints, "trial", "bob").unwrap();
        assert_eq!(claim(&endpoints, "trial", "alice").unwrap_err().code, Refusal::ENDPOINT_TAKEN);
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
        let endpoints = open(&blocked);
        std::fs::write(&blocked, "in the way").unwrap();
        let refusal = claim(&endpoints, "shop", "alice").unwrap_err();
        assert!(refusal.retry);
        assert_eq!(endpoints.route("shop").unwrap_err(), Code::NoSuchEndpoint);
    }
}
