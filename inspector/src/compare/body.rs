//! Bodies: JSON by fields, text by lines, bytes by the first that differs.

use std::iter;

use bytes::Bytes;
use similar::{Algorithm, ChangeTag, TextDiff};

use hookwire_capture::CapturedBody;
use hookwire_protocol::head::Headers;

use super::{changes::Changes, tree::Tree};
use crate::{body, line::Role, sizes};

/// Lists what changed from one body to another. Compressed ones are compared as they are read.
pub(super) fn compare(old: (&CapturedBody, &Headers), new: (&CapturedBody, &Headers), changes: &mut Changes) {
    let cut = old.0.truncated() || new.0.truncated();
    if old.0.bytes == new.0.bytes && old.0.length == new.0.length && old.0.sha256 == new.0.sha256 {
        return;
    }
    if cut {
        changes.note(Role::Warn, "only what was captured of the bodies is compared: at least one was truncated");
    }
    let decoded = |(body, headers): (&CapturedBody, &Headers)| body::decoded(body, headers.value("content-encoding"));
    let (old_bytes, new_bytes) = (decoded(old), decoded(new));
    let before = changes.count();
    contents(&old_bytes, &new_bytes, changes);
    if changes.count() > before {
        return;
    }
    match first_difference(&old_bytes, &new_bytes) {
        Some(at) => changes.difference(&format!(
            "the body has the same content, written in another way from byte {} on",
            sizes::grouped(at as u64)
        )),
        None if cut => changes.difference("the bodies differ beyond what was captured"),
        None => changes.difference("the body has the same content, compressed in another way"),
    }
}

fn contents(old: &Bytes, new: &Bytes, changes: &mut Changes) {
    match (old.is_empty(), new.is_empty()) {
        (true, false) => return changes.added(&with_length(new)),
        (false, true) => return changes.removed(&with_length(old)),
        _ => {}
    }
    if let (Some(old), Some(new)) = (Tree::read(old.clone()), Tree::read(new.clone())) {
        return old.compare(&new, changes);
    }
    match (text(old), text(new)) {
        (Some(old), Some(new)) => lines(old, new, changes),
        _ => bytes(old, new, changes),
    }
}

fn with_length(body: &[u8]) -> Vec<u8> {
    format!("body  {}", sizes::bytes(body.len() as u64)).into_bytes()
}

/// Text of a length that can be compared line by line.
fn text(body: &[u8]) -> Option<&str> {
    let short = memchr::memchr_iter(b'\n', body).take(MAX_LINES).count() < MAX_LINES;
    str::from_utf8(body).ok().filter(|_| short && body::is_text(body))
}

/// To compare so many lines with as many others takes some million steps at worst.
const MAX_LINES: usize = 2_000;

/// How many lines around a change are shown.
const CONTEXT: usize = 2;

fn lines(old: &str, new: &str, changes: &mut Changes) {
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(old, new);
    for (number, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if number > 0 {
            changes.note(Role::Muted, "…");
        }
        for change in group.iter().flat_map(|step| diff.iter_changes(step)) {
            let line = change.value().trim_end_matches('\n').as_bytes();
            match change.tag() {
                ChangeTag::Equal => changes.context(line),
                ChangeTag::Delete => changes.removed(line),
                ChangeTag::Insert => changes.added(line),
            }
        }
    }
}

fn bytes(old: &[u8], new: &[u8], changes: &mut Changes) {
    if let Some(at) = first_difference(old, new) {
        let [before, after] = [old, new].map(|body| sizes::bytes(body.len() as u64));
        changes.difference(&format!(
            "the body differs from byte {} on ({before} before, {after} now)",
            sizes::grouped(at as u64)
        ));
    }
}

/// The offset of the first byte that is not the same.
fn first_difference(old: &[u8], new: &[u8]) -> Option<usize> {
    let pairs = iter::zip(old, new);
    let common = pairs.take_while(|(old, new)| old == new).count();
    (common < old.len().max(new.len())).then_some(common)
}
