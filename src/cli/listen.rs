//! `hookwire listen`: its flags, which are also the keys of `[listen]` in the file.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;
use hookwire_relay_client::{dial::RelayUrl, upstream::Target};
use serde::Deserialize;

use super::{
    choice::{Answer, Api, Host, Keep, Output, WhenAway},
    quantity::{Size, Time, count},
};
use crate::{
    config::{parsed, parsed_all},
    route::RouteText,
    secrets,
};

const EXAMPLES: &str = "\
Examples:
  hookwire listen 3000 --env-file .env              judge signatures with the secrets your app reads
  hookwire listen 3000 --secret stripe=env:STRIPE_WEBHOOK_SECRET --secret razorpay=file:razorpay.secret
  hookwire listen 3000 --route /stripe=4000         one process, two apps
  hookwire listen https://localhost:3443/hooks --ca dev-ca.pem
  hookwire listen 3000 --answer app                 see the gateway's own retries
  hookwire listen 3000 --output json | jq 'select(.verdict.status == \"invalid\")'";

/// Arguments of `listen`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListenArgs {
    /// What the file can say as well.
    #[command(flatten)]
    pub(crate) settings: ListenSettings,

    /// Threads of the runtime; without it one event loop on the main thread
    #[arg(long, value_name = "N", value_parser = count::<NonZeroUsize>, hide = true)]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// One layer of settings. A field that is not given leaves the word to the layer below.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ListenSettings {
    /// Your app: `3000`, `host:port` or `http(s)://host:port/path`
    #[serde(deserialize_with = "parsed")]
    pub(crate) target: Option<Target>,

    /// The relay; without one, a relay of its own starts on 127.0.0.1:8080 (or the next free port)
    #[arg(long, value_name = "URL", env = "HOOKWIRE_RELAY")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) relay: Option<RelayUrl>,

    /// The file with the relay's token; the environment variable `HOOKWIRE_TOKEN` can hold the token instead
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// The first part of the public path; by default a random name, remembered for this directory
    #[arg(long, value_name = "NAME")]
    pub(crate) endpoint: Option<String>,

    /// Who answers the sender: `app`; `relay` at once, with 202; or `hybrid`, the app if it is in time and else the relay [default: hybrid if the relay holds webhooks, else app]
    #[arg(long, value_name = "app|relay|hybrid")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) answer: Option<Answer>,

    /// How long a hybrid relay waits for the app before it answers 202; the webhook goes on [default: 4.5s]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) deadline: Option<Time>,

    /// While this client or the app is away, `hold` webhooks at the relay or `refuse` them with 503 [default: hold, with `--answer app` refuse]
    #[arg(long, value_name = "hold|refuse")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) when_away: Option<WhenAway>,

    /// One webhook at a time, in the order they came; one that fails holds up the rest until it is taken or given up
    #[arg(long)]
    pub(crate) ordered: bool,

    /// End with exit code 1 when no webhook could have arrived for this long: for containers, which are started again
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) exit_on_dead: Option<Time>,

    /// A signing secret: `razorpay=env:RAZORPAY_WEBHOOK_SECRET` or `stripe=file:stripe.secret`; repeatable
    #[arg(long, value_name = "PROVIDER=env:VAR|file:PATH")]
    #[serde(deserialize_with = "secrets::texts")]
    pub(crate) secret: Vec<String>,

    /// A `.env` file: secrets under their usual names (`RAZORPAY_WEBHOOK_SECRET`, …) are picked up from it
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// Another app for the paths below PREFIX: `/stripe=4000`; repeatable, the longest prefix wins
    #[arg(long, value_name = "PREFIX=TARGET")]
    #[serde(deserialize_with = "parsed_all")]
    pub(crate) route: Vec<RouteText>,

    /// `tui` (the whole screen), `plain` or `json` (one object a line) [default: `tui` on a terminal, else `plain`]
    #[arg(long, value_name = "FORM")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) output: Option<Output>,

    /// Where the local API listens: only `off` in this version
    #[arg(long, value_name = "ADDR|off")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) api: Option<Api>,

    /// Where exchanges are kept, or `off` [default: a file for this directory in your data folder]
    #[arg(long, value_name = "FILE|off")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) store: Option<Keep>,

    /// How many exchanges are kept; older ones go, up to a tenth of them when it is quiet [default: 100000]
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<u64>,

    /// How much room they may take; older ones go [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) keep_size: Option<Size>,

    /// The `host` header for the app: `keep` the sender's (default), `rewrite` to the target's, or this one
    #[arg(long, value_name = "keep|rewrite|HOST")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) host_header: Option<Host>,

    /// Accept any certificate from the app (never from the relay)
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Trust only the authorities in this PEM file, for the relay and for the app
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// How long the app may take to begin its answer [default: 60s]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) timeout: Option<Time>,

    /// How much of each body is kept to be shown and sent again; longer ones are cut [default: 2MiB]
    #[arg(long, value_name = "SIZE")]
    #[serde(deserialize_with = "parsed")]
    pub(crate) max_capture_body: Option<Size>,
}

impl ListenSettings {
    /// These settings where they are given, else those below. A list replaces the list below.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            target: self.target.or(below.target),
            relay: self.relay.or(below.relay),
            token_file: self.token_file.or(below.token_file),
            endpoint: self.endpoint.or(below.endpoint),
            answer: self.answer.or(below.answer),
            deadline: self.deadline.or(below.deadline),
            when_away: self.when_away.or(below.when_away),
            ordered: self.ordered || below.ordered,
            exit_on_dead: self.exit_on_dead.or(below.exit_on_dead),
            secret: if self.secret.is_empty() { below.secret } else { self.secret },
            env_file: self.env_file.or(below.env_file),
            route: if self.route.is_empty() { below.route } else { self.route },
            output: self.output.or(below.output),
            api: self.api.or(below.api),
            store: self.store.or(below.store),
            keep: self.keep.or(below.keep),
            keep_size: self.keep_size.or(below.keep_size),
            host_header: self.host_header.or(below.host_header),
            insecure: self.insecure || below.insecure,
            ca: self.ca.or(below.ca),
            timeout: self.timeout.or(below.timeout),
            max_capture_body: self.max_capture_body.or(below.max_capture_body),
        }
    }
}
