//! `hookwire replay`: stored requests, sent to the app again.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use bytes::Bytes;
use hookwire_capture::{Exchange, Reader, Ready, Update, Writer};
use hookwire_inspector::tui::{Settings, edit_request};
use hookwire_protocol::code::Code;
use hookwire_relay_client::{App, Edit, Replay, ReplayError, Replayer, Watcher};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{choice::Output, listen::ListenSettings, replay::ReplayArgs},
    config,
    failure::Failure,
    inspect, listen,
    requests::find,
    screen::Form,
    store::{self, Keeping},
};

/// Sends the exchanges that are named, one after the other, and shows what comes of each.
pub(crate) async fn run(arguments: ReplayArgs, stop: CancellationToken) -> Result<(), Failure> {
    let path = store::path(arguments.store.clone())?;
    let reader = store::reader(&path)?;
    let exchanges = exchanges(&reader, &arguments.ids)?;
    let edit = edit(&arguments)?;
    let edit = if arguments.edit { in_editor(&exchanges, &edit, &stop)? } else { edit };
    let ready = reader.ready().map_err(|error| store::failure(&error))?;
    let form = Form::new(if arguments.json { Output::Json } else { Output::Plain });
    let resign = arguments.resign;
    let app = app(arguments, ready)?;
    let store = store::beside(&path)?;
    let writer = store.writer();
    let replayer = Replayer::new(app, Keeping::new(writer.clone(), Silent)).map_err(|error| listen::failure(&error))?;
    let prepared = exchanges.iter().map(|exchange| Ok((prepare(&replayer, exchange, edit.clone(), resign)?, exchange)));
    let end = match prepared.collect() {
        Ok(replays) => send(&replayer, replays, resign, &writer, form, &stop).await,
        Err(failure) => Err(failure),
    };
    let closed = replayer.close().await.map_err(|error| listen::failure(&error));
    store::close(store).await;
    end.and(closed)
}

/// What is sent, from an exchange; signed anew if that is wanted.
pub(crate) fn prepare(replayer: &Replayer, exchange: &Exchange, edit: Edit, resign: bool) -> Result<Replay, Failure> {
    let replay =
        Replay::edited(exchange, edit).and_then(|replay| if resign { replayer.resign(replay) } else { Ok(replay) });
    replay.map_err(|error| failure(&error))
}

/// Notes beside a replay that its signature is ours, and what the original's was.
pub(crate) fn note_resigned(writer: &Writer, original: &Exchange, replayed: &Exchange) {
    writer.note(replayed.id, Some(format!("original {} · re-signed", original.verdict.status)));
}

/// Why a replay can't be, as this process ends with it.
pub(crate) fn failure(error: &ReplayError) -> Failure {
    Failure::usage(error).hint(error.hint())
}

/// The app that the listener had, unless the arguments or the settings say otherwise.
pub(crate) fn app_of(flags: ListenSettings, ready: Option<Ready>) -> Result<App, Failure> {
    let elsewhere = flags.target.is_some();
    let mut below = ready.map(listened).unwrap_or_default().over(config::load(None)?.listen);
    if elsewhere {
        below.route.clear();
    }
    let settings = flags.over(below);
    if settings.target.is_none() {
        return Err(Failure::usage("the store does not say which app its webhooks went to")
            .hint("name one with `--to`: `--to 3000`".to_owned()));
    }
    listen::app(settings)
}

/// What a listener had, as it told the store.
fn listened(ready: Ready) -> ListenSettings {
    ListenSettings {
        target: ready.target.parse().ok(),
        route: ready.routes.iter().filter_map(|(prefix, target)| format!("{prefix}={target}").parse().ok()).collect(),
        host_header: ready.host_header.and_then(|host| host.parse().ok()),
        ..ListenSettings::default()
    }
}

fn app(arguments: ReplayArgs, ready: Option<Ready>) -> Result<App, Failure> {
    let flags = ListenSettings {
        target: arguments.to,
        secret: arguments.secret,
        env_file: arguments.env_file,
        host_header: arguments.host_header,
        insecure: arguments.insecure,
        ca: arguments.ca,
        timeout: arguments.timeout,
        ..ListenSettings::default()
    };
    app_of(flags, ready)
}

fn exchanges(reader: &Reader, ids: &[String]) -> Result<Vec<Exchange>, Failure> {
    let whole = |text: &String| {
        let id = find(reader, text)?;
        let exchange = reader.exchange(id).map_err(|error| store::failure(&error))?;
        exchange.ok_or_else(|| Failure::not_so(format!("`{text}` was deleted just now")))
    };
    ids.iter().map(whole).collect()
}

/// What the flags change.
fn edit(arguments: &ReplayArgs) -> Result<Edit, Failure> {
    let header = |text: &String| {
        let (name, value) = text.split_once(':').ok_or_else(|| {
            Failure::usage(format!("`{text}` is no header")).hint("write it as `--set-header 'name: value'`".to_owned())
        })?;
        Ok((Bytes::from(name.trim().to_owned()), Bytes::from(value.trim().to_owned())))
    };
    Ok(Edit {
        method: arguments.method.clone().map(Bytes::from),
        target: arguments.path.clone().map(Bytes::from),
        headers: None,
        set_headers: arguments.set_header.iter().map(header).collect::<Result<_, Failure>>()?,
        body: arguments.body.as_deref().map(body).transpose()?,
    })
}

/// What comes out of the editor, instead of what the flags say: they have changed it before.
fn in_editor(exchanges: &[Exchange], edit: &Edit, stop: &CancellationToken) -> Result<Edit, Failure> {
    let [exchange] = exchanges else {
        return Err(Failure::usage("`--edit` is for one exchange at a time"));
    };
    if !edit.is_empty() {
        return Err(
            Failure::usage("`--edit` changes all of it").hint("leave the other flags that change it away".to_owned())
        );
    }
    let editor = Settings::from_environment().editor;
    edit_request(&editor, exchange, stop).map(inspect::edit).map_err(Failure::usage)
}

/// A body as it was named: the text itself, `@FILE`, or `@-` for standard input.
fn body(text: &str) -> Result<Bytes, Failure> {
    let read = match text.strip_prefix('@') {
        None => return Ok(Bytes::copy_from_slice(text.as_bytes())),
        Some("-") => {
            let mut body = Vec::new();
            io::stdin().lock().read_to_end(&mut body).map(|_| body)
        }
        Some(path) => fs::read(Path::new(path)),
    };
    read.map(Bytes::from).map_err(|error| Failure::unreadable("the body from", Path::new(&text[1..]), &error))
}

/// Sends them in order, and counts those that the app gave no whole answer to.
async fn send(
    replayer: &Replayer,
    replays: Vec<(Replay, &Exchange)>,
    resign: bool,
    writer: &Writer,
    mut form: Form,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let (all, mut sent, mut failed) = (replays.len(), 0, 0);
    let mut first_error = None;
    for (replay, original) in replays {
        if stop.is_cancelled() {
            return Err(Failure::not_so(format!("stopped after {sent} of {all} replays")));
        }
        let replayed = replayer.replay(replay, stop).await.map_err(|error| failure(&error))?;
        if resign {
            note_resigned(writer, original, &replayed);
        }
        sent += 1;
        failed += usize::from(replayed.error.is_some());
        first_error = first_error.or(replayed.error);
        let mut out = io::stdout().lock();
        // That nobody reads it is no failure: the store has it.
        form.write(&Update::Exchange(replayed), &mut out).and_then(|()| out.flush()).ok();
    }
    let Some(code) = first_error else { return Ok(()) };
    let what = match all {
        1 => "the app gave no whole answer".to_owned(),
        _ => format!("the app gave no whole answer to {failed} of {all}"),
    };
    Err(Failure::not_so(format!("{what}: {}", code.message())).hint(advice(code).to_owned()))
}

/// What to do about a replay that failed so. The codes' own hints speak of `hookwire listen`.
fn advice(code: Code) -> &'static str {
    match code {
        Code::AppRefused | Code::AppUnreachable => "start the app, or name another with `--to`: `--to 3000`",
        Code::AppTls => "check the scheme of `--to`; for a self-signed certificate pass `--ca` or `--insecure`",
        Code::AppTimeout => "look at what the app waits for, or raise `--timeout`",
        other => other.hint(),
    }
}

/// Replays are shown by whoever asked for them.
pub(crate) struct Silent;

impl Watcher for Silent {
    fn update(&mut self, _: Update) -> io::Result<()> {
        Ok(())
    }

    fn rest(&mut self) -> io::Result<()> {
        Ok(())
    }
}
