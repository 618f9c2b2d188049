//! Durable webhooks a second: the inbox, next to what the same disk and the same SQLite do without it.
//!
//! `cargo bench -p hookwire-relay-server --bench inbox [-- <seconds>]`. In one run, in turns, the median of three:
//!
//! - *inbox*: so many tasks, each of which waits until its webhook of 2 KB is synced before it appends the next.
//! - *bare SQLite*: the same settings and a plain table with two indexes, one thread, and in one transaction as many rows as there are
//!   writers: what group commit could gather at best, with no queue and nobody to wake.
//! - *one sync each*: the same table, a transaction for each webhook, whatever the number of writers.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark talks to a terminal, and ends when it fails"
)]

use std::{
    env,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use hookwire_relay_server::inbox::{Inbox, Settings, SqliteInbox, Webhook};
use rusqlite::{Connection, params};
use tokio::task::JoinSet;
use uuid::Uuid;

/// What is usual for a payment's webhook.
const BODY_BYTES: usize = 2000;

const ROUNDS: usize = 3;

fn main() {
    let seconds = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(3.0);
    let time = Duration::from_secs_f64(seconds);
    let mut body = vec![0; BODY_BYTES];
    getrandom::fill(&mut body).unwrap();
    let body = Bytes::from(body);
    println!(
        "{:>8} {:>10} {:>8} {:>8} {:>12} {:>14} {:>8}",
        "writers", "inbox/s", "p50 ms", "p99 ms", "bare/s", "one sync/s", "ratio"
    );
    for writers in [1, 16, 256] {
        let mut rounds: Vec<_> = (0..ROUNDS)
            .map(|_| (inbox(writers, time, &body), bare(writers, time, &body), bare(1, time, &body)))
            .collect();
        let median = |pick: fn(&(Measured, f64, f64)) -> f64, rounds: &mut Vec<(Measured, f64, f64)>| {
            rounds.sort_by(|one, other| pick(one).total_cmp(&pick(other)));
            pick(&rounds[ROUNDS / 2])
        };
        let (inbox, bare, each) = (
            median(|round| round.0.rate, &mut rounds),
            median(|round| round.1, &mut rounds),
            median(|round| round.2, &mut rounds),
        );
        let (p50, p99) = (median(|round| round.0.p50, &mut rounds), median(|round| round.0.p99, &mut rounds));
        println!("{writers:>8} {inbox:>10.0} {p50:>8.2} {p99:>8.2} {bare:>12.0} {each:>14.0} {:>8.2}", inbox / bare);
    }
}

struct Measured {
    rate: f64,
    p50: f64,
    p99: f64,
}

fn inbox(writers: usize, time: Duration, body: &Bytes) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Arc::new(SqliteInbox::open(folder.path(), Settings::default()).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let begun = Instant::now();
    let mut waited = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for writer in 0..writers {
            let (inbox, body, endpoint) = (Arc::clone(&inbox), body.clone(), format!("endpoint-{}", writer % 8).into());
            tasks.spawn(async move {
                let mut waited = Vec::new();
                while begun.elapsed() < time {
                    let sent = Instant::now();
                    inbox.append(webhook(Arc::clone(&endpoint), &body)).await.unwrap();
                    waited.push(sent.elapsed().as_secs_f64() * 1000.0);
                }
                waited
            });
        }
        tasks.join_all().await.concat()
    });
    let rate = waited.len() as f64 / begun.elapsed().as_secs_f64();
    waited.sort_by(f64::total_cmp);
    Measured { rate, p50: waited[waited.len() / 2], p99: waited[waited.len() * 99 / 100] }
}

fn webhook(endpoint: Arc<str>, body: &Bytes) -> Webhook {
    let now = SystemTime::now();
    let head = Bytes::from_static(b"POST /webhook");
    Webhook { id: Uuid::now_v7(), endpoint, received_at: now, due_at: now, head, body: vec![body.clone()], attempt: 0 }
}

fn bare(in_one: usize, time: Duration, body: &Bytes) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = plain(&folder.path().join("plain.db"));
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < time {
        let transaction = connection.transaction().unwrap();
        let mut insert = transaction
            .prepare_cached("INSERT INTO webhook (id, endpoint, received_at, head, body) VALUES (?1, ?2, ?3, ?4, ?5)")
            .unwrap();
        for _ in 0..in_one {
            let webhook = webhook("endpoint".into(), body);
            let millis = webhook.received_at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
            let endpoint = count % 8;
            insert.execute(params![webhook.id.as_bytes(), endpoint, millis, &webhook.head[..], &body[..]]).unwrap();
            count += 1;
        }
        drop(insert);
        transaction.commit().unwrap();
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

fn plain(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384;
             PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;
             CREATE TABLE webhook (
                 sequence INTEGER PRIMARY KEY, id BLOB UNIQUE, endpoint INTEGER, received_at INTEGER, head BLOB, body BLOB
             ) STRICT;
             CREATE INDEX by_endpoint ON webhook (endpoint, received_at);",
        )
        .unwrap();
    connection
}
