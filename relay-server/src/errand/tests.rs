use bytes::{Bytes, BytesMut};
use hookwire_protocol::{
    head::{BodyLength, Headers, HttpVersion},
    hello::Wishes,
};

use super::*;
use crate::{
    Relay,
    inbox::{Settings, Webhook, memory::MemoryInbox},
};

const BOUNDS: Bounds = Bounds { inbox: true, max_deadline: Duration::from_secs(30) };

fn webhook(number: u128) -> Webhook {
    let head = RequestHead {
        id: Uuid::from_u128(number).into_bytes(),
        received_at: 0,
        version: HttpVersion::Http11,
        body: BodyLength::Empty,
        method: Bytes::from_static(b"POST"),
        target: Bytes::from_static(b"/\x9b31m"),
        headers: Headers::default(),
    };
    let mut encoded = BytesMut::new();
    head.encode(&mut encoded);
    Webhook {
        id: Uuid::from_u128(number),
        endpoint: "shop".into(),
        received_at: UNIX_EPOCH + Duration::from_secs(7),
        due_at: UNIX_EPOCH,
        head: encoded.freeze(),
        body: Vec::new(),
        attempt: 0,
    }
}

/// An endpoint with one webhook that is pending, and two that are parked.
async fn shop() -> (Endpoints, MemoryInbox) {
    let endpoints = Endpoints::open(None, BOUNDS).unwrap();
    endpoints.claim("shop", "alice", Some(Wishes::default())).unwrap();
    let inbox = MemoryInbox::new(Settings::default());
    for number in [0x1111_0001, 0x2222_0002, 0x3333_0003] {
        inbox.append(webhook(number)).await.unwrap();
    }
    let parked =
        Settled::Parked { reason: ParkReason::Attempts, at: SystemTime::now(), attempt: 40, status: Some(500) };
    for number in [0x1111_0001, 0x2222_0002] {
        inbox.settle(Uuid::from_u128(number), parked).await.unwrap();
    }
    (endpoints, inbox)
}

#[tokio::test]
async fn what_is_held_and_parked_is_listed() {
    let (endpoints, inbox) = shop().await;
    let Report::Endpoints(list) = perform(&endpoints, Some(&inbox), &Errand::List).await else { panic!() };
    assert_eq!((list[0].name.as_str(), list[0].owner.as_str(), list[0].answer.as_str()), ("shop", "alice", "hybrid"));
    assert_eq!((list[0].held, list[0].parked, list[0].connected), (1, 2, false));
    let parked = Errand::Parked { endpoint: "shop".into() };
    let Report::Parked { webhooks, total: 2 } = perform(&endpoints, Some(&inbox), &parked).await else { panic!() };
    let first = &webhooks[0];
    assert_eq!((first.request.as_str(), first.received_at), ("POST /\\x9b31m", 7));
    assert_eq!((first.attempts, first.status, first.reason.as_str()), (40, Some(500), "attempts"));
}

#[tokio::test]
async fn parked_ones_are_delivered_or_dropped_by_hand() {
    let (endpoints, inbox) = shop().await;
    let mut news = endpoints.desk("shop").unwrap().news();
    let choice = |ids: &[&str]| Choice { endpoint: "shop".into(), ids: ids.iter().map(ToString::to_string).collect() };
    for (wish, reason) in [("0000", "more than one"), ("0009", "no parked"), ("2", "no parked")] {
        let report = perform(&endpoints, Some(&inbox), &Errand::Deliver(choice(&[wish]))).await;
        assert!(matches!(&report, Report::Refused { reason: why, .. } if why.starts_with(reason)), "{report:?}");
    }
    assert_eq!(perform(&endpoints, Some(&inbox), &Errand::Deliver(choice(&["22220002"]))).await, Report::Done(1));
    assert!(news.has_changed().unwrap(), "the drain hears of it");
    news.mark_unchanged();
    assert_eq!(perform(&endpoints, Some(&inbox), &Errand::Drop(choice(&[]))).await, Report::Done(1));
    let counts = inbox.counts("shop").await.unwrap();
    assert_eq!((counts.pending, counts.parked), (2, 0));
}

#[tokio::test]
async fn an_endpoint_is_removed_with_what_is_held_only_by_force() {
    let (endpoints, inbox) = shop().await;
    let remove = |force| Errand::Remove { endpoint: "shop".into(), force };
    let report = perform(&endpoints, Some(&inbox), &remove(false)).await;
    assert!(matches!(report, Report::Refused { .. }), "{report:?}");
    assert_eq!(perform(&endpoints, Some(&inbox), &remove(true)).await, Report::Done(1));
    assert!(endpoints.route("shop").is_err());
    assert_eq!(inbox.counts("shop").await.unwrap().bytes, 0);
    assert!(matches!(perform(&endpoints, Some(&inbox), &remove(true)).await, Report::Refused { .. }));
}

#[tokio::test]
async fn a_running_relay_answers_and_without_one_the_folder_does() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ask(folder.path(), &Errand::List).await.unwrap(), Report::Endpoints(Vec::new()));
    let config = Config {
        open: true,
        listen: vec![([127, 0, 0, 1], 0).into()],
        data_dir: Some(folder.path().to_owned()),
        ..Config::default()
    };
    let relay = Relay::bind(config).await.unwrap();
    let stop = CancellationToken::new();
    let asked = async {
        let report = ask(folder.path(), &Errand::Remove { endpoint: "shop".into(), force: false }).await;
        stop.cancel();
        report
    };
    let (run, report) = tokio::join!(relay.run(stop.clone()), asked);
    run.unwrap();
    assert!(matches!(report.unwrap(), Report::Refused { reason, .. } if reason == "there is no endpoint `shop`"));
    assert_eq!(fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), 0, "nothing is left behind");
}
