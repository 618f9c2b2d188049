//! `hookwire demo`: relay, listener, shop and gateways in one process, with webhooks that are right and webhooks that are not.

pub(crate) mod script;
mod sender;
mod shop;

use std::{
    io::{self, Write},
    num::NonZeroU32,
    time::Duration,
};

use hookwire_capture::{Exchange, Retention, Store, Update};
use hookwire_relay_client::{App, Config, HostHeader, Wishes, upstream::Target};
use tempfile::TempDir;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{choice::Output, demo::DemoArgs},
    embedded::EmbeddedRelay,
    failure::Failure,
    listen,
    logs::Logs,
    store,
};
use script::{Act, Outcome, now};
use shop::Shop;

/// The demo's endpoint.
const ENDPOINT: &str = "demo";

/// Between two webhooks: time to read one line with its reason.
const PAUSE: Duration = Duration::from_secs(2);

/// How long a line may take to be shown after its webhook was answered. It takes a millisecond; a reader that stands still is no reason to hang.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// Runs the demo: until `stop`, or until as many webhooks came out as were asked for.
pub(crate) async fn run(arguments: DemoArgs, logs: &Logs, stop: CancellationToken) -> Result<(), Failure> {
    let count = arguments.count.map(NonZeroU32::get);
    let output = match (arguments.output, count) {
        (None, Some(_)) => Output::Plain,
        (asked, _) => listen::output(asked, true)?,
    };
    let (_folder, store) = store()?;
    let relay = EmbeddedRelay::bind(arguments.listen).await?;
    let shop = Shop::bind(script::secrets()).await?;
    let target: Target =
        format!("http://{}", shop.address()).parse().map_err(|error| Failure::usage(format!("{error}")))?;
    if output == Output::Plain {
        banner(&shop, &relay);
    }
    let (stage, seen) = watch::channel(Stage::default());
    let note = move |update: &Update| stage.send_modify(|stage| stage.note(update));
    let config = configuration(&relay, target);
    let client = listen::bring(config, Some(&store), output, note, logs, stop.clone());
    let house = async {
        // The shop closes last: what is in flight still finds it open.
        let end = tokio::select! {
            failure = shop.run() => Err(failure),
            end = async { tokio::try_join!(relay.run(stop.clone()), client) } => end.map(|((), ())| ()),
        };
        stop.cancel();
        end
    };
    let performance = async {
        let report = perform(count, seen, &stop).await;
        stop.cancel();
        report
    };
    let (house, report) = tokio::join!(house, performance);
    house?;
    count.map_or(Ok(()), |count| report.summary(count, output))
}

/// A store that goes with the demo, and the folder that takes it along.
fn store() -> Result<(TempDir, Store), Failure> {
    let folder = tempfile::Builder::new().prefix("hookwire-demo-").tempdir();
    let folder = folder.map_err(|error| Failure::usage(format!("no folder can be made for the demo: {error}")))?;
    let store = Store::open(&folder.path().join("demo.db"), Retention::default());
    Ok((folder, store.map_err(|error| store::failure(&error))?))
}

fn configuration(relay: &EmbeddedRelay, target: Target) -> Config {
    Config {
        relay: relay.url(),
        token: None,
        relay_ca: None,
        endpoint: ENDPOINT.to_owned(),
        app: App {
            target,
            routes: Vec::new(),
            host_header: HostHeader::Keep,
            secrets: script::secrets().into(),
            insecure: false,
            ca: None,
            timeout: listen::TIMEOUT,
            max_capture_body: listen::MAX_CAPTURE_BODY,
        },
        grace: listen::GRACE,
        wishes: Wishes::default(),
        exit_on_dead: None,
        taken: Vec::new(),
    }
}

/// What is being seen, and what to try next.
fn banner(shop: &Shop, relay: &EmbeddedRelay) {
    let text = format!(
        "Signed webhooks from Razorpay, Stripe and GitHub go through a relay to a small shop on http://{}; some are broken on purpose.\n\
         Each line tells the shop's answer and whether the signature was right, or why not. Send one of your own: \
         curl -d '{{}}' {}/{ENDPOINT}/verification\n",
        shop.address(),
        relay.url(),
    );
    // That nobody reads it is no failure; the screen's thread will notice.
    io::stdout().write_all(text.as_bytes()).ok();
}

/// What the screen has shown so far.
#[derive(Default)]
struct Stage {
    public_url: Option<String>,
    last: Option<(u32, Outcome)>,
}

impl Stage {
    fn note(&mut self, update: &Update) {
        match update {
            Update::Ready(ready) => self.public_url = Some(ready.public_url.clone()),
            Update::Exchange(exchange) => {
                self.last = number(exchange).map(|number| (number, outcome(exchange))).or(self.last);
            }
            _ => {}
        }
    }
}

/// The webhook's number, unless somebody else posted it.
fn number(exchange: &Exchange) -> Option<u32> {
    std::str::from_utf8(exchange.request.headers.value(sender::NUMBER)?).ok()?.parse().ok()
}

fn outcome(exchange: &Exchange) -> Outcome {
    Outcome { status: exchange.status(), verdict: exchange.verdict.status, cause: exchange.verdict.cause }
}

/// What became of the webhooks that were sent.
#[derive(Default)]
struct Report {
    sent: u32,
    differences: Vec<String>,
}

/// Sends the script's webhooks one after the other, each when the one before it was shown, until `stop`.
async fn perform(count: Option<u32>, mut seen: watch::Receiver<Stage>, stop: &CancellationToken) -> Report {
    let mut report = Report::default();
    // Cancelled at any await, it has counted exactly the webhooks that are through.
    let acts = async {
        let ready = seen.wait_for(|stage| stage.public_url.is_some()).await;
        let Some(public_url) = ready.ok().and_then(|stage| stage.public_url.clone()) else { return };
        let mut pause = interval(PAUSE);
        pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..count.unwrap_or(u32::MAX) {
            if count.is_none() {
                pause.tick().await;
            }
            let result = act(number, &public_url, &mut seen).await;
            report.sent += 1;
            // Only a performance with an end has a report; one without would collect for ever.
            match result {
                Err(difference) if count.is_some() => report.differences.push(difference),
                Err(difference) => tracing::warn!("{difference}"),
                Ok(()) => {}
            }
        }
    };
    tokio::select! {
        () = acts => {}
        () = stop.cancelled() => {}
    }
    report
}

/// Sends one webhook and compares what came of it with the script.
async fn act(number: u32, public_url: &str, seen: &mut watch::Receiver<Stage>) -> Result<(), String> {
    let act = Act::numbered(number);
    let called = || format!("webhook {} ({})", number + 1, act.what);
    let answer = sender::send(public_url, number, act.webhook(number, now())).await;
    let answer = answer.map_err(|error| format!("{} was not answered: {error}", called()))?;
    let shown = timeout(SHOWN_WITHIN, seen.wait_for(|stage| stage.last.is_some_and(|(last, _)| last == number))).await;
    let shown = shown.ok().and_then(Result::ok).and_then(|stage| stage.last);
    let Some((_, outcome)) = shown else { return Err(format!("{} was answered and not shown", called())) };
    if outcome != act.outcome {
        return Err(format!("{} should be {}, and was {outcome}", called(), act.outcome));
    }
    if answer.as_u16() != outcome.status {
        return Err(format!("{} was answered {answer} to its sender, and shown as {}", called(), outcome.status));
    }
    Ok(())
}

impl Report {
    fn summary(&self, count: u32, output: Output) -> Result<(), Failure> {
        let Self { sent, differences } = self;
        let webhooks = if *sent == 1 { "webhook" } else { "webhooks" };
        let summary = format!("{sent} {webhooks}, {} as expected", *sent as usize - differences.len());
        if *sent == count && differences.is_empty() {
            match output {
                Output::Plain | Output::Tui => writeln!(io::stdout(), "\n{summary}").ok(),
                // Standard output holds objects and nothing else.
                Output::Json => writeln!(io::stderr(), "{summary}").ok(),
            };
            return Ok(());
        }
        let stopped = if *sent < count { format!(" (stopped before all {count} were sent)") } else { String::new() };
        Err(Failure::not_so(
            [format!("{summary}{stopped}")]
                .iter()
                .chain(differences)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("\n  "),
        ))
    }
}
