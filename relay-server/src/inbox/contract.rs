//! What every inbox has to do, as a test that each of them is put through: [`fulfilled`].

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use uuid::Uuid;

use super::{
    Counts, Cursor, ExpiredTo, FullReason, Inbox, InboxError, InboxState, LONGEST_WAIT, ParkReason, Pending, Quota,
    Settings, Settled, Webhook,
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Puts inboxes that `open` makes, each of them empty, through everything that is asked of one.
pub(crate) async fn fulfilled<I: Inbox>(open: impl Fn(Settings) -> I) {
    keeps_every_byte(&open(Settings::default())).await;
    keeps_order_and_pages(&open(Settings::default())).await;
    retries_when_due(&open(Settings::default())).await;
    does_not_trust_a_clock_that_was_wrong(&open(Settings::default())).await;
    settles_once(&open(Settings::default())).await;
    parks_and_releases(&open(Settings::default())).await;
    keeps_endpoints_apart(&open(Settings::default())).await;
    refuses_a_second_of_the_same_id(&open(Settings::default())).await;
    refuses_what_is_too_large(&open(Settings { max_body: 10, ..Settings::default() })).await;
    keeps_quotas(&open).await;
    ends_their_time(&open(Settings::default())).await;
    ends_nothing_by_a_jump(&open(Settings::default())).await;
    takes_many_at_once(Arc::new(open(Settings::default()))).await;
}

/// A webhook for tests: `number` makes its time and its bytes.
pub(crate) fn webhook(endpoint: &str, number: u64, body: Vec<Bytes>) -> Webhook {
    let received_at = start() + Duration::from_secs(number);
    Webhook {
        id: Uuid::now_v7(),
        endpoint: endpoint.into(),
        received_at,
        due_at: received_at,
        head: Bytes::from(format!("head {number} \u{0}\u{ff}")),
        body,
        attempt: 0,
    }
}

/// A whole second long ago, so that every webhook is due by now.
fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(480_000)
}

fn far() -> SystemTime {
    start() + 100 * DAY
}

fn small(number: u64) -> Vec<Bytes> {
    vec![Bytes::from(format!("body {number}"))]
}

async fn filled<I: Inbox>(inbox: &I, endpoint: &str, count: u64) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for number in 0..count {
        let webhook = webhook(endpoint, number, small(number));
        ids.push(webhook.id);
        inbox.append(webhook).await.unwrap();
    }
    ids
}

async fn pending<I: Inbox>(inbox: &I, endpoint: &str) -> Vec<Pending> {
    inbox.due(endpoint, Cursor::START, far(), 1000).await.unwrap()
}

fn ids(pending: &[Pending]) -> Vec<Uuid> {
    pending.iter().map(|pending| pending.id).collect()
}

async fn keeps_every_byte<I: Inbox>(inbox: &I) {
    // Around every border that a store may have: nothing, a page, what comes inline, a piece of a large body, several of them.
    for length in [0, 1, 8191, 16 * 1024, 16 * 1024 + 1, 256 * 1024, 256 * 1024 + 1, 3_000_000] {
        let whole: Vec<u8> = (0..length).map(|at: u32| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
        // Pieces as a socket gives them: uneven, an empty one among them.
        let pieces = [&whole[..whole.len() / 3], &[], &whole[whole.len() / 3..]].map(Bytes::copy_from_slice);
        let sent = Webhook { attempt: 3, ..webhook("bytes", 1, pieces.to_vec()) };
        inbox.append(sent.clone()).await.unwrap();
        let kept = pending(inbox, "bytes").await.pop().unwrap();
        assert_eq!((kept.id, kept.attempt, kept.status), (sent.id, 3, None));
        assert_eq!((kept.received_at, kept.due_at, kept.size), (sent.received_at, sent.due_at, sent.size()));
        assert_eq!(kept.head, sent.head);
        assert!(kept.body.is_none_or(|body| body == whole), "{length} bytes come with the list changed");
        let body = inbox.body(sent.id).await.unwrap().unwrap();
        assert!(body == whole, "{length} bytes came back as {} others", body.len());
    }
    assert!(pending(inbox, "bytes").await[0].body.is_some(), "small bodies come with the list");
    assert_eq!(inbox.body(Uuid::now_v7()).await.unwrap(), None);
}

async fn keeps_order_and_pages<I: Inbox>(inbox: &I) {
    let sent = filled(inbox, "order", 25).await;
    let (mut seen, mut cursor) = (Vec::new(), Cursor::START);
    loop {
        let page = inbox.due("order", cursor, far(), 10).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 10);
        cursor = last.cursor;
        seen.extend(ids(&page));
    }
    assert_eq!(seen, sent);
    // What is appended when the end was seen lies behind it, even if everything before it is gone.
    for id in sent {
        assert!(inbox.settle(id, Settled::Delivered).await.unwrap());
    }
    let late = filled(inbox, "order", 1).await;
    assert_eq!(ids(&inbox.due("order", cursor, far(), 10).await.unwrap()), late);
}

/// A relay whose clock was a month ahead: what it took then is not due in a month.
async fn does_not_trust_a_clock_that_was_wrong(inbox: &impl Inbox) {
    let mut ahead = webhook("clock", 0, small(0));
    ahead.due_at = start() + LONGEST_WAIT + Duration::from_secs(1);
    let mut waiting = webhook("clock", 1, small(1));
    waiting.due_at = start() + LONGEST_WAIT;
    let id = ahead.id;
    inbox.append(ahead).await.unwrap();
    inbox.append(waiting).await.unwrap();
    assert_eq!(ids(&inbox.due("clock", Cursor::START, start(), 10).await.unwrap()), [id]);
}

async fn retries_when_due<I: Inbox>(inbox: &I) {
    let sent = filled(inbox, "retry", 3).await;
    assert_eq!(inbox.next_due("retry").await.unwrap(), Some(start()));
    let at = start() + HOUR;
    assert!(inbox.settle(sent[0], Settled::Retry { at, attempt: 1, status: Some(500) }).await.unwrap());
    assert_eq!(inbox.next_due("retry").await.unwrap(), Some(start() + Duration::from_secs(1)));

    let before = inbox.due("retry", Cursor::START, at - Duration::from_millis(1), 10).await.unwrap();
    assert_eq!(ids(&before), sent[1..], "what is not due yet is no obstacle");
    let then = inbox.due("retry", Cursor::START, at, 10).await.unwrap();
    assert_eq!(ids(&then), sent, "a retried one keeps its place");
    assert_eq!((then[0].attempt, then[0].status, then[0].due_at), (1, Some(500), at));
    assert_eq!(then[0].received_at, start());
}

async fn settles_once<I: Inbox>(inbox: &I) {
    let sent = filled(inbox, "settle", 2).await;
    for (id, outcome) in [(sent[0], Settled::Delivered), (sent[1], Settled::Dropped)] {
        assert!(inbox.settle(id, outcome).await.unwrap());
        assert!(!inbox.settle(id, outcome).await.unwrap(), "it was gone");
        assert_eq!(inbox.body(id).await.unwrap(), None);
    }
    assert_eq!(inbox.counts("settle").await.unwrap(), Counts::default());
    assert_eq!(inbox.next_due("settle").await.unwrap(), None);
}

async fn parks_and_releases<I: Inbox>(inbox: &I) {
    let sent = filled(inbox, "parked", 3).await;
    let park = Settled::Parked { reason: ParkReason::Attempts, at: start() + DAY, attempt: 8, status: Some(503) };
    assert!(inbox.settle(sent[1], park).await.unwrap());
    assert_eq!(ids(&pending(inbox, "parked").await), [sent[0], sent[2]]);
    let counts = inbox.counts("parked").await.unwrap();
    assert_eq!((counts.pending, counts.parked, counts.oldest), (2, 1, Some(start())));

    let parked = inbox.parked("parked", Cursor::START, 10).await.unwrap().pop().unwrap();
    assert_eq!((parked.id, parked.reason, parked.parked_at), (sent[1], ParkReason::Attempts, start() + DAY));
    assert_eq!((parked.attempt, parked.status), (8, Some(503)));
    assert!(inbox.parked("parked", parked.cursor, 10).await.unwrap().is_empty());
    assert_eq!(inbox.body(sent[1]).await.unwrap().unwrap(), "body 1");

    // A retry that was on its way when somebody parked it does not bring it back.
    let retry = Settled::Retry { at: start(), attempt: 9, status: None };
    assert!(inbox.settle(sent[1], retry).await.unwrap());
    assert_eq!(inbox.counts("parked").await.unwrap().parked, 1);

    assert!(inbox.release(sent[1], start() + 2 * DAY).await.unwrap());
    assert!(!inbox.release(sent[1], start()).await.unwrap(), "it was not parked any more");
    assert_eq!(ids(&pending(inbox, "parked").await), sent, "it is back in its place");
    assert_eq!(inbox.counts("parked").await.unwrap().parked, 0);

    assert!(inbox.settle(sent[2], park).await.unwrap());
    assert!(inbox.settle(sent[2], Settled::Dropped).await.unwrap());
    assert!(inbox.parked("parked", Cursor::START, 10).await.unwrap().is_empty());
}

async fn keeps_endpoints_apart<I: Inbox>(inbox: &I) {
    let (one, two) = (filled(inbox, "one", 2).await, filled(inbox, "two", 1).await);
    assert_eq!((ids(&pending(inbox, "one").await), ids(&pending(inbox, "two").await)), (one.clone(), two));
    assert!(pending(inbox, "on").await.is_empty() && pending(inbox, "ONE").await.is_empty());
    assert_eq!(inbox.counts("nobody").await.unwrap(), Counts::default());
    let size = |number: u64| webhook("one", number, small(number)).size();
    assert_eq!(inbox.counts("one").await.unwrap().bytes, size(0) + size(1));
    let mut holding = inbox.endpoints().await.unwrap();
    holding.sort();
    assert_eq!(holding, ["one".into(), "two".into()]);
    for id in one {
        inbox.settle(id, Settled::Delivered).await.unwrap();
    }
    assert_eq!(inbox.endpoints().await.unwrap(), ["two".into()]);
}

async fn refuses_a_second_of_the_same_id<I: Inbox>(inbox: &I) {
    let first = webhook("same", 1, small(1));
    inbox.append(first.clone()).await.unwrap();
    let second = Webhook { id: first.id, ..webhook("other", 2, small(2)) };
    assert_eq!(inbox.append(second).await, Err(InboxError::Duplicate(first.id)));
    assert_eq!(inbox.body(first.id).await.unwrap().unwrap(), "body 1");
    assert_eq!(inbox.counts("other").await.unwrap().pending, 0);
}

async fn refuses_what_is_too_large<I: Inbox>(inbox: &I) {
    let of = |length| webhook("large", 1, vec![Bytes::from(vec![b'x'; length])]);
    assert_eq!(inbox.append(of(10)).await, Ok(()));
    assert_eq!(inbox.append(of(11)).await, Err(InboxError::TooLarge { limit: 10 }));
    assert_eq!(inbox.counts("large").await.unwrap().pending, 1);
}

async fn keeps_quotas<I: Inbox>(open: impl Fn(Settings) -> I) {
    let quota = Quota { webhooks: 2, bytes: 1_000_000 };
    let inbox = open(Settings { quota, ..Settings::default() });
    let sent = filled(&inbox, "full", 2).await;
    let another = || webhook("full", 3, small(3));
    assert_eq!(inbox.append(another()).await, Err(InboxError::Full(FullReason::Webhooks)));
    let park = Settled::Parked { reason: ParkReason::ByHand, at: start(), attempt: 0, status: None };
    inbox.settle(sent[0], park).await.unwrap();
    assert_eq!(inbox.append(another()).await, Err(InboxError::Full(FullReason::Webhooks)), "parked ones count too");
    filled(&inbox, "neighbour", 1).await;
    inbox.settle(sent[0], Settled::Dropped).await.unwrap();
    assert_eq!(inbox.append(another()).await, Ok(()));

    let of = |length| webhook("bytes", 1, vec![Bytes::from(vec![b'x'; length])]);
    let quota = Quota { webhooks: 100, bytes: 2 * of(100).size() };
    let inbox = open(Settings { quota, ..Settings::default() });
    inbox.append(of(100)).await.unwrap();
    assert_eq!(inbox.append(of(101)).await, Err(InboxError::Full(FullReason::Bytes)));
    assert_eq!(inbox.append(of(100)).await, Ok(()));
    assert_eq!(inbox.health().state, InboxState::Ready, "an endpoint that is full is no reason for alarm");
}

async fn ends_their_time<I: Inbox>(inbox: &I) {
    let Settings { retention, parked_retention, .. } = Settings::default();
    let mut now = start();
    assert!(inbox.expire(now).await.unwrap().is_empty());
    let sent = filled(inbox, "old", 3).await;
    let (mut parked, mut dropped) = (Vec::new(), Vec::new());
    while now < start() + retention + parked_retention + HOUR {
        now += HOUR;
        for expired in inbox.expire(now).await.unwrap() {
            assert_eq!(&*expired.endpoint, "old");
            match expired.to {
                ExpiredTo::Parked => parked.push((expired.id, now)),
                ExpiredTo::Dropped => dropped.push((expired.id, now)),
            }
        }
        if now == start() + retention + HOUR {
            let list = inbox.parked("old", Cursor::START, 10).await.unwrap();
            assert!(list.len() == 3 && list.iter().all(|parked| parked.reason == ParkReason::Retention));
            assert_eq!(inbox.body(sent[0]).await.unwrap().unwrap(), "body 0");
        }
    }
    // The first was received on the hour, the others some seconds later, and the clock steps by the hour.
    let hours = [Duration::ZERO, HOUR, HOUR].map(|late| start() + retention + late);
    assert_eq!(parked, [(sent[0], hours[0]), (sent[1], hours[1]), (sent[2], hours[2])]);
    assert_eq!(dropped, [0, 1, 2].map(|at| (sent[at], hours[at] + parked_retention)));
    let counts = inbox.counts("old").await.unwrap();
    assert_eq!(counts, Counts { lost: 3, ..Counts::default() }, "what is lost stays counted");
}

async fn ends_nothing_by_a_jump<I: Inbox>(inbox: &I) {
    assert!(inbox.expire(start()).await.unwrap().is_empty());
    let sent = filled(inbox, "jump", 1).await;
    let jumped = start() + 60 * DAY;
    for minutes in 0..180 {
        let expired = inbox.expire(jumped + minutes * Duration::from_mins(1)).await.unwrap();
        assert!(expired.is_empty(), "{minutes} minutes after a jump");
    }
    for hours in 0..24 {
        assert!(inbox.expire(start() + hours * HOUR).await.unwrap().is_empty(), "{hours} hours after it was put right");
    }
    assert_eq!(ids(&pending(inbox, "jump").await), sent);
}

async fn takes_many_at_once<I: Inbox>(inbox: Arc<I>) {
    const WRITERS: u64 = 64;
    const EACH: u64 = 8;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let inbox = Arc::clone(&inbox);
        writers.spawn(async move { filled(&*inbox, &format!("busy-{}", writer % 4), EACH).await });
    }
    let sent: Vec<Vec<Uuid>> = writers.join_all().await;
    let mut kept = BTreeSet::new();
    for endpoint in 0..4 {
        let endpoint = format!("busy-{endpoint}");
        let held = ids(&pending(&*inbox, &endpoint).await);
        assert_eq!(inbox.counts(&endpoint).await.unwrap().pending, held.len() as u64);
        // Each writer waits for its answer: its webhooks stand in its order.
        for of_one in sent.iter().filter(|of_one| held.contains(&of_one[0])) {
            let places: Vec<_> = of_one.iter().map(|id| held.iter().position(|held| held == id).unwrap()).collect();
            assert!(places.is_sorted());
        }
        kept.extend(held);
    }
    assert_eq!(kept, sent.into_iter().flatten().collect());
    assert_eq!(inbox.health().queued, 0);
}
