//! What the store costs, and how long filters take: 5,000 webhooks of 1.5 kB a second until there are 100,000, then one search
//! after the other for the first page of 50; at last 40,000 webhooks a second, of which it sheds what is too much.
//!
//! `cargo bench -p hookwire-capture` prints a table; nothing is compared with an earlier run.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "the table is what this program is for")]

#[path = "../tests/it/fixture.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with the tests")]
mod fixture;

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use hookwire_capture::{Filter, From, Reader, Retention, Store};

const STORED: u64 = 100_000;
const PER_SECOND: u64 = 5_000;
const PAGE: usize = 50;

/// Searches, most of them without a match: those must look at every exchange.
const FILTERS: &[&str] = &[
    "",
    "status:5xx",
    "method:GET",
    "path:/stripe",
    "verdict:invalid",
    "cause:wrong-secret",
    "provider:stripe",
    "event:refund.*",
    "event:payment.*",
    "header:x-razorpay-event-id=nothing",
    "header:x-github-event",
    "not header:content-type",
    "body:\"pay_29Q\"",
    "body:\"captured\"",
    "body:\"zq\"",
    "body:\"zqx\"",
    "origin:replay",
    "endpoint:other",
    "error:app-refused",
    "age:<1s",
    "duration:>1s",
    "repeat",
    "late",
    "note:anna",
    "order_29Qxyz",
    "status:5xx or body:order_29Qxyz",
    "(status:5xx or late) not body:pay",
];

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Store::open(&path, Retention { exchanges: STORED, ..Retention::default() }).unwrap();
    fill(&store, 0, "into an empty store");
    fill(&store, STORED, "into a full store, the oldest going");
    let bytes: u64 = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!("{} MB on disk", bytes / 1_000_000);

    let mut reader = Reader::open(&path).unwrap();
    let now = SystemTime::now();
    for text in FILTERS {
        let filter = Filter::parse(text).unwrap();
        let page = best(|| reader.page(&filter, From::Newest, PAGE, now).unwrap().len());
        let count = best(|| reader.count(&filter, now).unwrap());
        println!("{text:40} page {:6.1} ms ({:2})   count {:6.1} ms ({})", page.0, page.1, count.0, count.1);
    }
    let middle = From::Before(STORED + STORED / 2);
    println!("a page in the middle {:.2} ms", best(|| reader.page(&Filter::all(), middle, PAGE, now).unwrap().len()).0);
    let id = fixture::id(STORED + 7).to_string();
    println!("find by the end of an id {:.1} ms", best(|| reader.find(&id[28..]).unwrap()).0);
    println!("whole exchange {:.3} ms", best(|| reader.exchange(fixture::id(STORED + 7)).unwrap().is_some()).0);
    println!("changed {:.4} ms", best(|| reader.changed().unwrap()).0);
    let opening = best(|| Reader::open(&path).unwrap().page(&Filter::all(), From::Newest, PAGE, now).unwrap().len());
    println!("open and first page {:.2} ms", opening.0);
    overload(&store);
}

/// Hands over more than is written. What is handed over is made before, so that the memory that grows is the store's.
fn overload(store: &Store) {
    const OVERLOAD: u64 = 40_000;
    const SECONDS: u64 = 5;
    let made: Vec<_> = (0..1_000).map(|number| fixture::shared(2 * STORED + number)).collect();
    let writer = store.writer();
    let (before, memory, start) = (cpu("store"), resident(), Instant::now());
    let mut handing_over = Duration::ZERO;
    for tick in 0..SECONDS * 1_000 {
        std::thread::sleep((start + Duration::from_millis(tick)).saturating_duration_since(Instant::now()));
        let begin = Instant::now();
        for at in 0..OVERLOAD / 1_000 {
            writer.keep(Arc::clone(&made[((tick * 40 + at) % 1_000) as usize]));
        }
        handing_over += begin.elapsed();
    }
    let (spent, elapsed) = (cpu("store").saturating_sub(before), start.elapsed());
    println!(
        "{OVERLOAD} a second for {:.1} s: the thread took {:.0} % of a core; handing over {:.2} µs each; {} MB more memory; {:?}",
        elapsed.as_secs_f64(),
        100.0 * spent.as_secs_f64() / elapsed.as_secs_f64(),
        handing_over.as_secs_f64() * 1e6 / (OVERLOAD * SECONDS) as f64,
        resident().saturating_sub(memory) / 1_000,
        writer.health(),
    );
}

/// Resident memory in kB (Linux; elsewhere 0).
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// The best of some runs in milliseconds, and what they gave.
fn best<T>(mut run: impl FnMut() -> T) -> (f64, T) {
    let mut timed = || {
        let start = Instant::now();
        let outcome = run();
        (start.elapsed().as_secs_f64() * 1e3, outcome)
    };
    let first = timed();
    (0..4).map(|_| timed()).fold(first, |best, next| if next.0 < best.0 { next } else { best })
}

/// Hands exchanges over at the rate that must be kept up with.
fn fill(store: &Store, from: u64, what: &str) {
    let writer = store.writer();
    let before = (cpu("store"), Instant::now());
    let mut handing_over = Duration::ZERO;
    for tick in 0..STORED * 100 / PER_SECOND {
        let batch: Vec<_> =
            (0..PER_SECOND / 100).map(|at| fixture::shared(from + tick * PER_SECOND / 100 + at)).collect();
        let due = before.1 + Duration::from_millis(10 * tick);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let start = Instant::now();
        for exchange in batch {
            writer.keep(exchange);
        }
        handing_over += start.elapsed();
    }
    writer.flush().unwrap();
    let (spent, elapsed) = (cpu("store").saturating_sub(before.0), before.1.elapsed());
    println!(
        "{what}: {STORED} in {:.1} s; the thread took {:.0} % of a core, {:.1} µs each; handing over {:.2} µs each; {:?}",
        elapsed.as_secs_f64(),
        100.0 * spent.as_secs_f64() / elapsed.as_secs_f64(),
        spent.as_secs_f64() * 1e6 / STORED as f64,
        handing_over.as_secs_f64() * 1e6 / STORED as f64,
        writer.health(),
    );
}

/// The processor time of the thread of this name (Linux; elsewhere none).
fn cpu(name: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of_name =
        tasks.filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name));
    let nanoseconds = of_name.filter_map(|task| {
        let schedule = fs::read_to_string(task.path().join("schedstat")).ok()?;
        schedule.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}
