//! What an operator asks about endpoints and held webhooks, from a process of its own.
//!
//! While no relay has the data folder, the asking process does it itself. Otherwise it lays the question into a folder below, which nobody
//! else may write to, and the relay answers beside it: no port, no password, and nothing that a network could reach.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hookwire_protocol::head::RequestHead;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Config, INBOX, RelayError, data,
    endpoints::Endpoints,
    inbox::{Cursor, Inbox, InboxError, ParkReason, Parked, Settled, SqliteInbox},
    ingress::Ingress,
    policy::Bounds,
};

/// Where questions are laid, in the data folder.
const FOLDER: &str = "errands";

/// How a question's file ends, and its answer's.
const QUESTION: &str = "question.json";
const ANSWER: &str = "answer.json";

/// How often the relay looks for questions: a person hardly notices, and a look at an empty folder costs microseconds.
const LOOK: Duration = Duration::from_millis(250);

/// How often whoever asked looks for the answer.
const PEEK: Duration = Duration::from_millis(25);

/// How long a relay may take. To drop a million webhooks takes it seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Webhooks that are read from the inbox at once.
const PAGE: usize = 256;

/// Parked webhooks that are listed: more than anybody reads. All of them are counted.
const LISTED: usize = 1000;

/// The fewest characters that name a webhook.
const SHORTEST_ID: usize = 4;

/// A question, or something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Errand {
    /// Which endpoints there are.
    List,
    /// Forget an endpoint: its name is free for anybody. With `force` also if something is held for it, which is dropped.
    Remove {
        /// Its name.
        endpoint: String,
        /// Drop what is held for it.
        force: bool,
    },
    /// Which webhooks are parked.
    Parked {
        /// Their endpoint.
        endpoint: String,
    },
    /// Try parked webhooks again.
    Deliver(Choice),
    /// Throw parked webhooks away.
    Drop(Choice),
}

/// Some parked webhooks of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Their endpoint.
    pub endpoint: String,
    /// Their ids, whole or as the beginning or the end of one; none for all of them.
    pub ids: Vec<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Report {
    /// To [`Errand::List`], by name.
    Endpoints(Vec<EndpointReport>),
    /// To [`Errand::Parked`], in order of arrival.
    Parked {
        /// The first thousand of them.
        webhooks: Vec<ParkedReport>,
        /// How many there are in all.
        total: u64,
    },
    /// It was done, to so many.
    Done(u64),
    /// It was not done, for this reason.
    Refused {
        /// What stands against it.
        reason: String,
        /// What to do.
        hint: String,
    },
}

/// One endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointReport {
    /// Its name.
    pub name: String,
    /// The id of the token that it belongs to, or `open`.
    pub owner: String,
    /// Whether a client is connected. Only a running relay knows one.
    pub connected: bool,
    /// Who answers: `app`, `relay` or `hybrid`.
    pub answer: String,
    /// Webhooks that are held.
    pub held: u64,
    /// Webhooks that are parked.
    pub parked: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Webhooks that were never delivered, and are gone since their time as parked ones ended.
    pub lost: u64,
}

/// One parked webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedReport {
    /// Its delivery id.
    pub id: String,
    /// Its request line's method and target, with everything escaped that is not visible ASCII.
    pub request: String,
    /// When it came in, in seconds since 1970 (UTC).
    pub received_at: u64,
    /// How often it went to the app.
    pub attempts: u32,
    /// What the app said last.
    pub status: Option<u16>,
    /// Why it is parked: `retention`, `attempts` or `by-hand`.
    pub reason: String,
    /// Bytes of its head and body.
    pub bytes: u64,
}

/// Asks the relay of a data folder, or does it where none runs.
pub async fn ask(data_dir: &Path, errand: &Errand) -> Result<Report, RelayError> {
    match data::lock(data_dir) {
        Ok(_lock) => {
            let config = Config { data_dir: Some(data_dir.to_owned()), ..Config::default() };
            // Whatever the operator's limits are, they are not what this is about.
            let settings = config.inbox().unwrap_or_default();
            let inbox = SqliteInbox::open(&data_dir.join(INBOX), settings)?;
            let endpoints = Endpoints::open(Some(data_dir), Bounds { inbox: true, max_deadline: config.max_deadline })?;
            Ok(perform(&endpoints, Some(&inbox), errand).await)
        }
        Err(RelayError::DataInUse(_)) => lay_down(data_dir, errand).await,
        Err(error) => Err(error),
    }
}

/// Lays a question down, and waits for the answer.
async fn lay_down(data_dir: &Path, errand: &Errand) -> Result<Report, RelayError> {
    let folder = data_dir.join(FOLDER);
    let id = Uuid::now_v7();
    let (question, answer) = (folder.join(format!("{id}.{QUESTION}")), folder.join(format!("{id}.{ANSWER}")));
    data::write(&question, errand)?;
    let answered = tokio::time::timeout(PATIENCE, async {
        while !answer.exists() {
            tokio::time::sleep(PEEK).await;
        }
    });
    let answered = answered.await.is_ok();
    let report = if answered { data::read::<Option<Report>>(&answer)? } else { None };
    for path in [question, answer] {
        let _ = fs::remove_file(path); // one of them is gone already
    }
    report.ok_or_else(|| RelayError::Data {
        path: folder,
        reason: format!("the relay that uses it did not answer within {} s", PATIENCE.as_secs()),
    })
}

/// Forgets what was asked of a process before this one: nobody waits for its answers any more.
pub(crate) fn clear(data_dir: &Path) {
    let _ = fs::remove_dir_all(data_dir.join(FOLDER)); // seldom there
}

/// Answers what is asked of a running relay.
pub(crate) async fn attend(ingress: Arc<Ingress>, data_dir: PathBuf, stop: CancellationToken) {
    let folder = data_dir.join(FOLDER);
    let inbox = ingress.delivery.as_ref().map(|delivery| Arc::clone(delivery.inbox()));
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        for question in questions(&folder) {
            let errand = data::read::<Option<Errand>>(&question).ok().flatten();
            let _ = fs::remove_file(&question); // once, whatever it is
            let Some(errand) = errand else { continue };
            tracing::info!(?errand, "an operator asks");
            let report = perform(&ingress.endpoints, inbox.as_deref(), &errand).await;
            let name = question.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Err(error) = data::write(&folder.join(name.replace(QUESTION, ANSWER)), &report) {
                tracing::warn!(%error, "an operator's question can't be answered");
            }
        }
    }
}

/// The questions that are there. A folder that is not there has none.
fn questions(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.to_str().is_some_and(|path| path.ends_with(QUESTION))).collect()
}

async fn perform(endpoints: &Endpoints, inbox: Option<&dyn Inbox>, errand: &Errand) -> Report {
    let done = match errand {
        Errand::List => list(endpoints, inbox).await,
        Errand::Remove { endpoint, force } => remove(endpoints, inbox, endpoint, *force).await,
        Errand::Parked { endpoint } => parked(endpoints, inbox, endpoint).await,
        Errand::Deliver(choice) => each(endpoints, inbox, choice, true).await,
        Errand::Drop(choice) => each(endpoints, inbox, choice, false).await,
    };
    done.unwrap_or_else(|error| refused(&format!("{error}"), "the relay's log has the reason"))
}

async fn list(endpoints: &Endpoints, inbox: Option<&dyn Inbox>) -> Result<Report, InboxError> {
    let mut reports = endpoints.list();
    if let Some(inbox) = inbox {
        // What is held for nobody, should a removal have been cut short, must be seen by somebody.
        for name in inbox.endpoints().await? {
            if reports.iter().all(|report| *report.name != *name) {
                reports.push(EndpointReport { name: name.to_string(), ..EndpointReport::default() });
            }
        }
        for report in &mut reports {
            let counts = inbox.counts(&report.name).await?;
            (report.held, report.parked) = (counts.pending, counts.parked);
            (report.bytes, report.lost) = (counts.bytes, counts.lost);
        }
    }
    Ok(Report::Endpoints(reports))
}

async fn remove(
    endpoints: &Endpoints,
    inbox: Option<&dyn Inbox>,
    name: &str,
    force: bool,
) -> Result<Report, InboxError> {
    let counts = match inbox {
        Some(inbox) => inbox.counts(name).await?,
        None => crate::inbox::Counts::default(),
    };
    if counts.pending + counts.parked > 0 && !force {
        let reason = format!("{} webhooks are held for `{name}`, and {} are parked", counts.pending, counts.parked);
        return Ok(refused(&reason, "let its listener take them, or pass `--force` to drop them"));
    }
    // First the name, so that nothing more comes in; then what is held, so that no later owner of the name gets it.
    let removed = endpoints.remove(name);
    if let Some(inbox) = inbox.filter(|_| force && removed.is_ok()) {
        drop_all(inbox, name).await?;
    }
    Ok(match removed {
        Ok(true) => Report::Done(1),
        Ok(false) if counts.pending + counts.parked > 0 => Report::Done(1),
        Ok(false) => no_such(name),
        Err(reason) => refused(&reason, "stop its listener first"),
    })
}

async fn drop_all(inbox: &dyn Inbox, name: &str) -> Result<(), InboxError> {
    // Everything that is pending, however far its next try lies.
    let far = SystemTime::now() + Duration::from_hours(300 * 365 * 24);
    loop {
        let mut ids: Vec<_> = inbox.due(name, Cursor::START, far, PAGE).await?.iter().map(|one| one.id).collect();
        ids.extend(inbox.parked(name, Cursor::START, PAGE).await?.iter().map(|one| one.id));
        if ids.is_empty() {
            return Ok(());
        }
        for id in ids {
            inbox.settle(id, Settled::Dropped).await?;
        }
    }
}

async fn parked(endpoints: &Endpoints, inbox: Option<&dyn Inbox>, endpoint: &str) -> Result<Report, InboxError> {
    let total = match inbox {
        Some(inbox) => inbox.counts(endpoint).await?.parked,
        None => 0,
    };
    // A name that was mistyped must not look like good news.
    if total == 0 && endpoints.list().iter().all(|report| report.name != endpoint) {
        return Ok(no_such(endpoint));
    }
    let Some(inbox) = inbox else { return Ok(Report::Parked { webhooks: Vec::new(), total }) };
    let (mut webhooks, mut after) = (Vec::new(), Cursor::START);
    while webhooks.len() < LISTED {
        let page = inbox.parked(endpoint, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.cursor;
        webhooks.extend(page.iter().take(LISTED - webhooks.len()).map(report));
    }
    Ok(Report::Parked { webhooks, total })
}

/// Delivers or drops each of the chosen ones.
async fn each(
    endpoints: &Endpoints,
    inbox: Option<&dyn Inbox>,
    choice: &Choice,
    deliver: bool,
) -> Result<Report, InboxError> {
    let Some(inbox) = inbox else { return Ok(refused("this relay holds nothing", "there is nothing to do")) };
    let (mut ids, mut after) = (Vec::new(), Cursor::START);
    loop {
        let page = inbox.parked(&choice.endpoint, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.cursor;
        ids.extend(page.iter().map(|parked| parked.id));
    }
    if !choice.ids.is_empty() {
        ids = match choice.ids.iter().map(|wish| find(&ids, wish)).collect() {
            Ok(found) => found,
            Err(reason) => return Ok(refused(&reason, "`hookwire endpoint parked` lists them")),
        };
    }
    let mut done = 0;
    for id in ids {
        let was = if deliver {
            inbox.release(id, SystemTime::now()).await?
        } else {
            inbox.settle(id, Settled::Dropped).await?
        };
        done += u64::from(was);
    }
    if let Some(desk) = endpoints.desk(&choice.endpoint) {
        desk.tell();
    }
    Ok(Report::Done(done))
}

/// The one webhook that a text names: its id, or the beginning or the end of it.
fn find(ids: &[Uuid], wish: &str) -> Result<Uuid, String> {
    let fits = |id: &&Uuid| {
        let text = id.to_string();
        wish.len() >= SHORTEST_ID && (text.starts_with(wish) || text.ends_with(wish))
    };
    let mut found = ids.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(*id),
        (Some(_), Some(_)) => Err(format!("more than one parked webhook is named `{wish}`")),
        (None, _) => Err(format!("no parked webhook is named `{wish}`")),
    }
}

fn report(parked: &Parked) -> ParkedReport {
    let request = RequestHead::decode(parked.head.clone())
        .map(|head| format!("{} {}", head.method.escape_ascii(), head.target.escape_ascii()));
    ParkedReport {
        id: parked.id.to_string(),
        request: request.unwrap_or_else(|error| error.to_string()),
        received_at: parked.received_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        attempts: parked.attempt,
        status: parked.status,
        reason: match parked.reason {
            ParkReason::Retention => "retention",
            ParkReason::Attempts => "attempts",
            ParkReason::ByHand => "by-hand",
        }
        .to_owned(),
        bytes: parked.size,
    }
}

fn no_such(endpoint: &str) -> Report {
    refused(&format!("there is no endpoint `{endpoint}`"), "`hookwire endpoint list` shows them")
}

fn refused(reason: &str, hint: &str) -> Report {
    Report::Refused { reason: reason.to_owned(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests;
