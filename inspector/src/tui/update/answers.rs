//! What the shell answers.

use std::sync::Arc;

use hookwire_capture::{Exchange, Summary};

use super::{edit, moving, open};
use crate::{
    export,
    tui::{
        actions::{ActionError, Done},
        message::{Effect, Form, Pair, Purpose},
        model::{Content, Kind, Model, Page, ask::Ask, detail::State, list::Entry},
    },
};

pub(super) fn page(model: &mut Model, generation: u64, ask: Ask, rows: Result<Vec<Summary>, String>) -> Vec<Effect> {
    if generation != model.list.generation {
        return Vec::new();
    }
    let ask = match rows {
        Ok(rows) => model.list.answered(ask, rows),
        Err(problem) => {
            model.list.failed(ask);
            model.say(Kind::Bad, problem);
            None
        }
    };
    if let Some(detail) = &mut model.detail
        && let Some(row) = model.list.selected().filter(|row| row.row == detail.entry.row)
        && detail.summary.note != row.note
    {
        detail.summary = row.clone();
        detail.sheet = None;
    }
    moving::moved(model, ask)
}

pub(super) fn found(model: &mut Model, generation: u64, row: Result<Option<Summary>, String>) -> Vec<Effect> {
    if generation != model.list.generation {
        return Vec::new();
    }
    match row {
        Ok(Some(row)) => {
            let ask = model.list.go_to(row.row);
            moving::moved(model, ask)
        }
        Ok(None) => {
            model.say(Kind::Hint, "no match that way");
            Vec::new()
        }
        Err(problem) => {
            model.say(Kind::Bad, problem);
            Vec::new()
        }
    }
}

pub(super) fn loaded(
    model: &mut Model,
    entry: Entry,
    then: Purpose,
    exchange: Result<Option<Arc<Exchange>>, String>,
) -> Vec<Effect> {
    match (then, exchange) {
        (Purpose::Look, exchange) => {
            if let Some(detail) = model.detail.as_mut().filter(|detail| detail.entry == entry) {
                detail.state = match exchange {
                    Ok(Some(exchange)) => State::There(exchange),
                    Ok(None) => State::Gone,
                    Err(problem) => State::Failed(problem),
                };
            }
            Vec::new()
        }
        (Purpose::Copy(form), Ok(Some(exchange))) => copied(model, form, &exchange),
        (Purpose::Edit, Ok(Some(exchange))) => edit::loaded(model, &exchange),
        (_, Ok(None)) => {
            model.say(Kind::Bad, GONE);
            Vec::new()
        }
        (_, Err(problem)) => {
            model.say(Kind::Bad, problem);
            Vec::new()
        }
    }
}

const GONE: &str = "it is no longer in the store";

fn copied(model: &mut Model, form: Form, exchange: &Exchange) -> Vec<Effect> {
    let (name, bytes) = match form {
        Form::Curl => ("curl command", written(model, export::Kind::Curl, exchange)),
        Form::Raw => ("raw request", written(model, export::Kind::Http, exchange)),
        Form::Body => ("request body", exchange.request_body.bytes.to_vec()),
        Form::ResponseBody => ("response body", exchange.response_body.bytes.to_vec()),
    };
    if bytes.is_empty() {
        model.say(Kind::Hint, format!("the {name} is empty: nothing is copied"));
        return Vec::new();
    }
    if bytes.len() > export::CLIPBOARD_LIMIT {
        let text = format!("the {name} is too long for a terminal's clipboard: `x` writes it to a file");
        model.say(Kind::Bad, text);
        return Vec::new();
    }
    let cut = match form {
        Form::ResponseBody => exchange.response_body.truncated(),
        _ => exchange.request_body.truncated(),
    };
    let size = bytes.len();
    if cut {
        model.say(Kind::Bad, format!("copied the {name}, {size} bytes; the body was cut when it was captured"));
    } else {
        model.say(Kind::Good, format!("copied the {name}, {size} bytes"));
    }
    vec![Effect::Clipboard(bytes)]
}

fn written(model: &Model, kind: export::Kind, exchange: &Exchange) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = export::export(kind, model.base(), [exchange], &mut bytes);
    debug_assert!(written.is_ok(), "writing to memory can't fail");
    bytes
}

pub(super) fn pair(model: &mut Model, pair: Result<Option<Pair>, String>) -> Vec<Effect> {
    match pair {
        Ok(Some((old, new))) => {
            let width = usize::from(model.areas().page.width);
            open::push(model, Page::new("what changed", Content::Compare(old, new), width));
        }
        Ok(None) => model.say(Kind::Bad, "one of the two is no longer in the store"),
        Err(problem) => model.say(Kind::Bad, problem),
    }
    Vec::new()
}

pub(super) fn ended(model: &mut Model, job: u64, outcome: Result<Done, ActionError>) -> Vec<Effect> {
    let index = model.jobs.iter().position(|running| running.job == job);
    let title = index.map(|index| model.jobs.remove(index).title).unwrap_or_default();
    match outcome {
        Ok(done) if done.text.is_empty() => model.say(Kind::Good, format!("{title}: done")),
        Ok(done) => model.say(Kind::Good, format!("{title}: {}", done.text)),
        Err(error) => {
            let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            model.say(Kind::Bad, format!("{title}: {}{hint}", error.message));
        }
    }
    // A note or a deletion is seen with the store's next change, at once.
    model.refreshed = std::time::SystemTime::UNIX_EPOCH;
    Vec::new()
}

pub(super) fn log(model: &mut Model, lines: Vec<Vec<u8>>) -> Vec<Effect> {
    let area = model.areas().page;
    let mut page = Page::new("log", Content::Log(Arc::new(lines)), usize::from(area.width));
    page.sheet.end(usize::from(area.height));
    open::push(model, page);
    Vec::new()
}
