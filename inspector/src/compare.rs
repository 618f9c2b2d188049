//! What changed from one exchange to another: field by field where there are fields, else line by line.

mod body;
mod changes;
mod tree;

use hookwire_capture::Exchange;
use hookwire_protocol::head::Headers;

use self::changes::Changes;
use crate::{
    export::request,
    rendered::{Content, Rendered, Stack},
};

/// Shows what changed from `old` to `new`, in the request and in the response.
///
/// ```text
/// request: the same
///
/// response: 2 changes
/// ~ status  500 Internal Server Error → 200 OK
/// + x-request-id: 7
/// ~ error.code  "E1" → "E2"
/// ```
pub fn render(old: &Exchange, new: &Exchange, width: usize, search: &str) -> Rendered {
    let mut page = Stack::default();
    for (index, changes) in [requests(old, new), responses(old, new)].into_iter().enumerate() {
        page.push(changes.finish(index > 0));
    }
    let content: Box<dyn Content> = Box::new(page);
    Rendered::new(content, width, search)
}

fn requests(old: &Exchange, new: &Exchange) -> Changes {
    let mut changes = Changes::new("request");
    changes.value("method", old.method(), new.method());
    changes.value("target", &request::target(old), &request::target(new));
    let (old_headers, new_headers) = (&old.request.headers, &new.request.headers);
    headers(old_headers, new_headers, &mut changes);
    body::compare((&old.request_body, old_headers), (&new.request_body, new_headers), &mut changes);
    changes
}

fn responses(old: &Exchange, new: &Exchange) -> Changes {
    let mut changes = Changes::new("response");
    let status = |exchange: &Exchange| match exchange.status() {
        0 => "no answer".to_owned(),
        status => format!("{status} {}", request::reason(status)).trim_end().to_owned(),
    };
    changes.value("status", status(old).as_bytes(), status(new).as_bytes());
    changes.value("answered by", old.answered_by.as_str().as_bytes(), new.answered_by.as_str().as_bytes());
    let code = |exchange: &Exchange| exchange.error.map_or("none", |code| code.as_str());
    changes.value("error", code(old).as_bytes(), code(new).as_bytes());
    let none = Headers::default();
    let old_headers = old.response.as_ref().map_or(&none, |head| &head.headers);
    let new_headers = new.response.as_ref().map_or(&none, |head| &head.headers);
    headers(old_headers, new_headers, &mut changes);
    body::compare((&old.response_body, old_headers), (&new.response_body, new_headers), &mut changes);
    changes
}

/// Lines of one name belong together; their order counts.
fn headers(old: &Headers, new: &Headers, changes: &mut Changes) {
    let values = |headers: &Headers, name: &[u8]| -> Vec<Vec<u8>> {
        headers.iter().filter(|(key, _)| *key == name).map(|(_, value)| value.to_vec()).collect()
    };
    let mut names: Vec<&[u8]> = Vec::new();
    for (name, _) in old.iter().chain(new.iter()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let (before, after) = (values(old, name), values(new, name));
        for index in 0..before.len().max(after.len()) {
            match (before.get(index), after.get(index)) {
                (Some(before), Some(after)) => changes.header(name, before, after),
                (Some(before), None) => changes.removed(&header(name, before)),
                (None, Some(after)) => changes.added(&header(name, after)),
                (None, None) => {}
            }
        }
    }
}

fn header(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b": ", value].concat()
}
