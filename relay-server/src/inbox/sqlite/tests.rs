//! What a database on a disk can do to an inbox. What every inbox does is in the contract.

use std::{
    fs,
    path::PathBuf,
    sync::mpsc::sync_channel,
    time::{Instant, UNIX_EPOCH},
};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    super::{
        ExpiredTo, FullReason, InboxState, ParkReason,
        contract::{self, webhook},
        intake::Deed,
    },
    *,
};

/// How long a test waits for the writer to come back.
const PATIENCE: Duration = Duration::from_secs(20);

fn open(folder: &TempDir) -> SqliteInbox {
    SqliteInbox::open(folder.path(), Settings::default()).unwrap()
}

/// Has the writer do something in a transaction of its own.
fn act(inbox: &SqliteInbox, deed: impl Fn(&Connection) + Send + 'static) {
    inbox.shared.intake.push(Command::Deed(Deed(Box::new(deed)))).unwrap();
}

/// Returns when the inbox is in a state. There is no event to wait for: nobody but a test waits.
fn until(inbox: &SqliteInbox, state: impl Fn(&InboxState) -> bool) {
    let begun = Instant::now();
    while !state(&inbox.health().state) {
        assert!(begun.elapsed() < PATIENCE, "it is still {:?}", inbox.health().state);
        thread::yield_now();
    }
}

async fn append(inbox: &SqliteInbox, endpoint: &str, length: usize) -> Result<Uuid, InboxError> {
    let webhook = webhook(endpoint, 1, vec![vec![b'x'; length].into()]);
    let id = webhook.id;
    inbox.append(webhook).await.map(|()| id)
}

async fn held(inbox: &SqliteInbox, endpoint: &str) -> Vec<Uuid> {
    let (mut held, mut cursor) = (Vec::new(), Cursor::START);
    loop {
        let page = inbox.due(endpoint, cursor, SystemTime::now(), 1000).await.unwrap();
        let Some(last) = page.last() else { return held };
        cursor = last.cursor;
        held.extend(page.iter().map(|pending| pending.id));
    }
}

#[tokio::test]
async fn the_contract_is_fulfilled() {
    let folder = tempfile::tempdir().unwrap();
    let opened = std::cell::Cell::new(0);
    contract::fulfilled(|settings| {
        opened.set(opened.get() + 1);
        SqliteInbox::open(&folder.path().join(opened.get().to_string()), settings).unwrap()
    })
    .await;
}

#[tokio::test]
async fn everything_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    let large = append(&inbox, "shop", 1_000_000).await.unwrap();
    let parked = append(&inbox, "shop", 10).await.unwrap();
    let at = UNIX_EPOCH + Duration::from_hours(1);
    let park = Settled::Parked { reason: ParkReason::ByHand, at, attempt: 4, status: None };
    assert!(inbox.settle(parked, park).await.unwrap());
    let before = inbox.counts("shop").await.unwrap();
    drop(inbox);
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!files.iter().any(|file| file == "in-use" || file == "inbox.db-wal"), "{files:?} after a clean stop");

    let inbox = open(&folder);
    assert_eq!(inbox.counts("shop").await.unwrap(), before);
    assert_eq!((before.pending, before.parked), (1, 1));
    assert_eq!(held(&inbox, "shop").await, [large]);
    assert_eq!(inbox.body(large).await.unwrap().unwrap(), vec![b'x'; 1_000_000]);
    let list = inbox.parked("shop", Cursor::START, 10).await.unwrap();
    assert_eq!((list[0].id, list[0].parked_at, list[0].attempt), (parked, at, 4));
}

/// Restarting must not set the retention clock right: a relay that crashes in a circle under a wrong clock would lose everything.
#[tokio::test]
async fn the_retention_clock_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let begun = UNIX_EPOCH + Duration::from_hours(480_000);
    let inbox = open(&folder);
    assert!(inbox.expire(begun).await.unwrap().is_empty());
    append(&inbox, "shop", 10).await.unwrap();
    drop(inbox);
    let jumped = begun + Duration::from_hours(24 * 365);
    for _ in 0..3 {
        assert!(open(&folder).expire(jumped).await.unwrap().is_empty());
    }
    // The control: time that really passes ends it.
    let inbox = open(&folder);
    let mut expired = Vec::new();
    for hour in 1..=24 * 8 {
        expired.extend(inbox.expire(jumped + hour * Duration::from_hours(1)).await.unwrap());
    }
    assert!(expired.len() == 1 && expired[0].to == ExpiredTo::Parked);
}

/// A copy of a database in use is what a killed process leaves.
#[tokio::test]
async fn a_stop_that_was_none_loses_nothing_and_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    let mut acknowledged = Vec::new();
    for _ in 0..50 {
        acknowledged.push(append(&inbox, "shop", 3000).await.unwrap());
    }
    let copy = tempfile::tempdir().unwrap();
    for file in ["inbox.db", "inbox.db-wal", "in-use"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let again = open(&copy);
    assert_eq!(held(&again, "shop").await, acknowledged);
    assert_eq!(again.counts("shop").await.unwrap().pending, 50);
}

#[tokio::test]
async fn a_damaged_database_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    for _ in 0..20 {
        append(&inbox, "shop", 7000).await.unwrap();
    }
    drop(inbox);
    damage(&folder);
    let refused = SqliteInbox::open(folder.path(), Settings::default()).unwrap_err().to_string();
    assert!(refused.contains("damaged") && refused.contains(".recover"), "{refused}");
}

/// A backlog of gigabytes takes seconds to be read, in which senders should hear something.
#[tokio::test]
async fn a_check_that_takes_long_goes_on_behind() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    let mut kept = Vec::new();
    for _ in 0..20 {
        kept.push(append(&inbox, "shop", 7000).await.unwrap());
    }
    drop(inbox);
    fs::write(folder.path().join("in-use"), "").unwrap();
    let at_once = || SqliteInbox::open_within(Duration::ZERO, folder.path(), Settings::default());
    let inbox = at_once().unwrap();
    until(&inbox, |state| *state == InboxState::Ready);
    assert_eq!(held(&inbox, "shop").await, kept);
    drop(inbox);

    damage(&folder);
    let inbox = at_once().unwrap();
    until(&inbox, |state| matches!(state, InboxState::Failing(reason) if reason.contains("damaged")));
    assert!(matches!(append(&inbox, "shop", 10).await, Err(InboxError::Failing(_))));
}

/// Writes over the middle of a database, and makes it look as if it had been in use.
fn damage(folder: &TempDir) {
    let file = folder.path().join("inbox.db");
    let mut bytes = fs::read(&file).unwrap();
    let page = bytes.len() / 8192 / 2 * 8192;
    bytes[page..page + 100].fill(0xff);
    fs::write(&file, &bytes).unwrap();
    fs::write(folder.path().join("in-use"), "").unwrap();
}

#[tokio::test]
async fn a_panic_of_the_writer_leaves_nobody_waiting_and_is_recovered_from() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    let before = append(&inbox, "shop", 10).await.unwrap();
    let (go, wait) = sync_channel::<()>(0);
    let wait = std::sync::Mutex::new(wait);
    act(&inbox, move |_| {
        let _ = wait.lock().unwrap().recv();
        panic!("as a test asked for");
    });
    let waiting: Vec<_> = (0..100).map(|number| inbox.append(webhook("shop", number, Vec::new()))).collect();
    let settling = inbox.settle(before, Settled::Delivered);
    {
        let _held_up = inbox.shared.readers(); // it closes them before it starts anew
        go.send(()).unwrap();
        until(&inbox, |state| matches!(state, InboxState::Failing(_)));
        let refused = inbox.shared.intake.push(Command::Settle(before, Settled::Delivered, oneshot::channel().0));
        assert!(matches!(refused, Err(InboxError::Failing(_))), "not before it was checked");
    }
    for waiting in waiting {
        assert!(matches!(waiting.await, Err(InboxError::Failing(_))));
    }
    assert!(matches!(settling.await, Err(InboxError::Failing(_))));

    until(&inbox, |state| *state == InboxState::Ready);
    let after = append(&inbox, "shop", 10).await.unwrap();
    assert_eq!(held(&inbox, "shop").await, [before, after]);
    assert_eq!(inbox.counts("shop").await.unwrap().pending, 2);
}

#[tokio::test]
async fn a_full_database_fails_whole_transactions_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    let mut acknowledged = vec![append(&inbox, "shop", 10).await.unwrap()];
    // SQLITE_FULL, as a full disk gives it. The limit is the connection's: opened again, there is room.
    act(&inbox, |connection| {
        let _: i64 = connection.query_row("PRAGMA max_page_count = 100", [], |row| row.get(0)).unwrap();
    });
    let error = loop {
        match append(&inbox, "shop", 10_000).await {
            Ok(id) => acknowledged.push(id),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, InboxError::Failing(reason) if reason.contains("full")), "{error}");
    assert!(acknowledged.len() > 10);
    until(&inbox, |state| *state == InboxState::Ready);
    acknowledged.push(append(&inbox, "shop", 10).await.unwrap());
    assert_eq!(held(&inbox, "shop").await, acknowledged);
}

#[tokio::test]
async fn below_the_low_water_mark_it_only_gives_away() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    let kept = append(&inbox, "shop", 10).await.unwrap();
    drop(inbox);
    let everything = Settings { low_water: Some(u64::MAX), ..Settings::default() };
    let inbox = SqliteInbox::open(folder.path(), everything).unwrap();
    assert_eq!(inbox.health().state, InboxState::Full);
    assert_eq!(append(&inbox, "shop", 10).await, Err(InboxError::Full(FullReason::Disk)));
    assert_eq!(held(&inbox, "shop").await, [kept]);
    assert!(inbox.settle(kept, Settled::Delivered).await.unwrap());
    assert_eq!(inbox.health().state, InboxState::Full);
}

#[tokio::test]
async fn what_was_delivered_is_not_on_the_disk_any_more() {
    const CANARY: &[u8] = b"whsec_canary_of_the_inbox";
    let folder = tempfile::tempdir().unwrap();
    let found = || {
        let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| fs::read(file).unwrap().windows(CANARY.len()).any(|bytes| bytes == CANARY)).collect()
    };
    let inbox = open(&folder);
    let small = Webhook { head: Bytes::from_static(CANARY), ..webhook("shop", 1, vec![Bytes::from_static(CANARY)]) };
    let large = webhook("shop", 1, vec![vec![b'x'; 500_000].into(), Bytes::from_static(CANARY)]);
    for webhook in [&small, &large] {
        inbox.append(webhook.clone()).await.unwrap();
    }
    assert!(!Vec::<PathBuf>::is_empty(&found()), "the control: what is held is found");
    for webhook in [small, large] {
        inbox.settle(webhook.id, Settled::Delivered).await.unwrap();
    }
    drop(inbox);
    assert_eq!(found(), Vec::<PathBuf>::new());
}

/// A disk that hangs is not an error: only a deadline helps, and nothing is kept for somebody who has gone.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_for_a_disk_that_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    let (hung, is_hung) = sync_channel::<()>(0);
    let (go, wait) = sync_channel::<()>(0);
    let wait = std::sync::Mutex::new(wait);
    act(&inbox, move |_| {
        hung.send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
    });
    is_hung.recv().unwrap();
    let asked = tokio::time::Instant::now();
    assert_eq!(append(&inbox, "shop", 10).await, Err(InboxError::Busy));
    assert_eq!(asked.elapsed(), ANSWER_WITHIN);
    go.send(()).unwrap();
    drop(inbox);
    // The database itself is asked, as the paused clock would let any deadline pass.
    let connection = Connection::open(folder.path().join("inbox.db")).unwrap();
    let count: i64 = connection.query_row("SELECT count(*) FROM webhook", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn the_largest_webhook_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder);
    let pieces: Vec<Bytes> = (0..1600_u32).map(|number| Bytes::from(vec![number as u8; 16 * 1024])).collect();
    let largest = webhook("github", 1, pieces.clone());
    assert_eq!(largest.body_len(), Settings::default().max_body);
    inbox.append(largest.clone()).await.unwrap();
    assert!(inbox.body(largest.id).await.unwrap().unwrap() == pieces.concat());
    let longer = webhook("github", 1, [pieces, vec![Bytes::from_static(b"x")]].concat());
    assert!(matches!(inbox.append(longer).await, Err(InboxError::TooLarge { .. })));
    assert!(inbox.settle(largest.id, Settled::Delivered).await.unwrap());
    drop(inbox);
    let connection = Connection::open(folder.path().join("inbox.db")).unwrap();
    let pieces: i64 = connection.query_row("SELECT count(*) FROM piece", [], |row| row.get(0)).unwrap();
    assert_eq!(pieces, 0, "no piece is left behind");
}
