//! Editing a request before it is sent again.

use hookwire_capture::Exchange;

use super::act::{hint, subject, work};
use crate::tui::{
    actions::Replay,
    message::{Effect, Purpose, Work},
    model::{Editing, Kind, Layer, Model},
    request_text,
};

/// Opens the editor: on the exchange that keys are about, or again on a text that lies here.
pub(super) fn begin(model: &mut Model) -> Vec<Effect> {
    match model.layers.pop() {
        Some(Layer::Edited(editing, _) | Layer::Mistake(editing, _)) => {
            let text = editing.text.clone();
            model.editing = Some(*editing);
            return vec![Effect::Editor(text)];
        }
        Some(other) => model.layers.push(other),
        None => {}
    }
    let entry = subject(model);
    entry.map(|entry| Effect::Load { entry, then: Purpose::Edit }).into_iter().collect()
}

/// The exchange to be edited is there.
pub(super) fn loaded(model: &mut Model, exchange: &Exchange) -> Vec<Effect> {
    if exchange.request_body.truncated() {
        model.say(Kind::Bad, "its body was cut when it was captured: an edit would send a part of it as the whole");
        return Vec::new();
    }
    let text = request_text::write(exchange);
    model.editing = Some(Editing { of: exchange.id, text: text.clone(), original: text.clone() });
    vec![Effect::Editor(text)]
}

/// The editor was closed.
pub(super) fn closed(model: &mut Model, text: Result<String, String>) -> Vec<Effect> {
    let Some(mut editing) = model.editing.take() else { return Vec::new() };
    match text {
        Err(problem) => {
            model.say(Kind::Bad, problem);
            if editing.text != editing.original {
                model.layers.push(Layer::Mistake(Box::new(editing), "the editor did not end well".to_owned()));
            }
        }
        Ok(text) if text == editing.original => model.say(Kind::Hint, "nothing was changed, so nothing is sent"),
        Ok(text) => {
            let read = request_text::read(&text, &editing.original);
            editing.text = text;
            model.layers.push(match read {
                Ok(request) => Layer::Edited(Box::new(editing), request),
                Err(mistake) => Layer::Mistake(Box::new(editing), mistake.to_string()),
            });
        }
    }
    Vec::new()
}

/// Sends the edited request.
pub(super) fn send(model: &mut Model, resign: bool) -> Vec<Effect> {
    let Some(Layer::Edited(editing, request)) = model.layers.pop() else {
        return hint(model, "nothing was edited");
    };
    let title = if resign { "signed edit" } else { "edited replay" };
    work(model, title, Work::Replay(Replay { ids: vec![editing.of], edited: Some(request), resign }))
}
