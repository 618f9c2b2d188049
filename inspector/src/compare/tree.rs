//! JSON, field by field. Values are compared as they are written: `1.0` and `1.00` differ.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use bytes::Bytes;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::changes::Changes;
use crate::body::json::{
    index::{Index, What},
    tokens::Bracket,
};

/// A text of JSON as a tree over its lines.
pub(super) struct Tree {
    text: Bytes,
    index: Index,
    /// The hash of each container, by its number.
    hashes: Vec<u64>,
}

/// Deeper values are compared whole.
const MAX_DEPTH: usize = 64;

/// Longer arrays are compared item by item in order: to find what was inserted costs up to their product.
const MAX_ALIGNED: usize = 1_000;

/// The item of a container, or the value itself.
#[derive(Clone, Copy)]
struct Item<'a> {
    key: Option<&'a [u8]>,
    line: usize,
}

impl Tree {
    /// None unless all of the text is one value.
    pub(super) fn read(text: Bytes) -> Option<Self> {
        let index = Index::read(&text, false);
        let hashes = index.stop.is_none().then(|| hashes(&text, &index))?;
        Some(Self { text, index, hashes })
    }

    /// Lists what changed to `new`.
    pub(super) fn compare(&self, new: &Self, changes: &mut Changes) {
        let root = Item { key: None, line: 0 };
        Pair { old: self, new }.values(root, root, &mut Path::default(), changes);
    }

    fn what(&self, item: Item<'_>) -> What {
        self.index.lines[item.line].what
    }

    /// The line behind a value.
    fn after(&self, line: usize) -> usize {
        match self.index.lines[line].what {
            What::Open(node) => self.index.nodes[node as usize].close.map_or(line, |close| close as usize) + 1,
            _ => line + 1,
        }
    }

    fn items(&self, item: Item<'_>) -> Vec<Item<'_>> {
        let What::Open(_) = self.what(item) else { return Vec::new() };
        let end = self.after(item.line) - 1;
        let mut line = item.line + 1;
        let mut items = Vec::new();
        while line < end {
            // Without its quotes.
            let key = self.index.lines[line].key().map(|key| &self.text[key.start + 1..key.end - 1]);
            items.push(Item { key, line });
            line = self.after(line);
        }
        items
    }

    fn bracket(&self, item: Item<'_>) -> Option<Bracket> {
        match self.what(item) {
            What::Open(node) => Some(self.index.nodes[node as usize].bracket),
            What::Empty(bracket) => Some(bracket),
            _ => None,
        }
    }

    /// The same for values that are written alike but for white space.
    fn hash(&self, item: Item<'_>) -> u64 {
        match self.what(item) {
            What::Open(node) => self.hashes[node as usize],
            _ => hash(&self.summary(item)),
        }
    }

    /// A value on one line.
    fn summary(&self, item: Item<'_>) -> Vec<u8> {
        match self.what(item) {
            What::Scalar(place) => self.text[place.range()].to_vec(),
            What::Open(node) => {
                let items = self.index.nodes[node as usize].items;
                match self.index.nodes[node as usize].bracket {
                    Bracket::Object => format!("{{ … {items} }}"),
                    Bracket::Array => format!("[ … {items} ]"),
                }
                .into_bytes()
            }
            What::Empty(Bracket::Object) => b"{}".to_vec(),
            What::Empty(Bracket::Array) => b"[]".to_vec(),
            What::Close(_) | What::Missing => Vec::new(),
        }
    }
}

/// The hashes of all containers, each of what is in it, in one pass: a container may be as deep as the text is long.
fn hashes(text: &[u8], index: &Index) -> Vec<u64> {
    let mut hashes = vec![0; index.nodes.len()];
    let mut open: Vec<DefaultHasher> = Vec::new();
    for line in &index.lines {
        if let Some(hasher) = open.last_mut() {
            line.key().map(|key| &text[key]).hash(hasher);
        }
        let value = match line.what {
            What::Open(node) => {
                let mut hasher = DefaultHasher::new();
                (index.nodes[node as usize].bracket as u8).hash(&mut hasher);
                open.push(hasher);
                continue;
            }
            What::Close(node) => {
                let value = open.pop().map_or(0, |hasher| hasher.finish());
                hashes[node as usize] = value;
                value
            }
            What::Scalar(place) => hash(&text[place.range()]),
            What::Empty(bracket) => bracket as u64,
            What::Missing => 0,
        };
        if let Some(hasher) = open.last_mut() {
            value.hash(hasher);
        }
    }
    hashes
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[derive(Clone, Copy)]
struct Pair<'a> {
    old: &'a Tree,
    new: &'a Tree,
}

impl Pair<'_> {
    fn values(self, old: Item<'_>, new: Item<'_>, path: &mut Path, changes: &mut Changes) {
        if changes.is_full() {
            return;
        }
        match (self.old.bracket(old), self.new.bracket(new)) {
            (Some(Bracket::Object), Some(Bracket::Object)) if path.depth() < MAX_DEPTH => {
                self.objects(old, new, path, changes);
            }
            (Some(Bracket::Array), Some(Bracket::Array)) if path.depth() < MAX_DEPTH => {
                self.arrays(old, new, path, changes);
            }
            (Some(_), Some(_)) if self.old.hash(old) == self.new.hash(new) => {}
            _ => changes.value(&path.text(), &self.old.summary(old), &self.new.summary(new)),
        }
    }

    fn objects(self, old: Item<'_>, new: Item<'_>, path: &mut Path, changes: &mut Changes) {
        let added = self.new.items(new);
        // Of a key that comes twice, the first goes with the first.
        let mut by_key: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, item) in added.iter().enumerate().rev() {
            by_key.entry(item.key).or_default().push(index);
        }
        let mut paired = vec![false; added.len()];
        for item in self.old.items(old) {
            path.push_key(item.key.unwrap_or_default());
            match by_key.get_mut(&item.key).and_then(Vec::pop) {
                Some(index) => {
                    paired[index] = true;
                    self.values(item, added[index], path, changes);
                }
                None => changes.removed(&path.with(&self.old.summary(item))),
            }
            path.pop();
        }
        for (item, _) in added.iter().zip(paired).filter(|(_, paired)| !paired) {
            path.push_key(item.key.unwrap_or_default());
            changes.added(&path.with(&self.new.summary(*item)));
            path.pop();
        }
    }

    fn arrays(self, old: Item<'_>, new: Item<'_>, path: &mut Path, changes: &mut Changes) {
        let (old, new) = (self.old.items(old), self.new.items(new));
        for step in steps(&self.hashes(&old, &new)) {
            let (before, after) = (step.old_range(), step.new_range());
            let both = before.len().min(after.len());
            if matches!(step, DiffOp::Equal { .. }) {
                continue;
            }
            for (old_index, new_index) in before.clone().zip(after.clone()) {
                path.push_index(new_index);
                self.values(old[old_index], new[new_index], path, changes);
                path.pop();
            }
            for index in before.skip(both) {
                path.push_index(index);
                changes.removed(&path.with(&self.old.summary(old[index])));
                path.pop();
            }
            for index in after.skip(both) {
                path.push_index(index);
                changes.added(&path.with(&self.new.summary(new[index])));
                path.pop();
            }
        }
    }

    fn hashes(self, old: &[Item<'_>], new: &[Item<'_>]) -> (Vec<u64>, Vec<u64>) {
        let old = old.iter().map(|item| self.old.hash(*item)).collect();
        (old, new.iter().map(|item| self.new.hash(*item)).collect())
    }
}

/// Which items go together.
fn steps((old, new): &(Vec<u64>, Vec<u64>)) -> Vec<DiffOp> {
    if old == new {
        Vec::new()
    } else if old.len().max(new.len()) > MAX_ALIGNED {
        vec![DiffOp::Replace { old_index: 0, old_len: old.len(), new_index: 0, new_len: new.len() }]
    } else {
        capture_diff_slices(Algorithm::Myers, old, new)
    }
}

/// Where in the tree a value is: `payload.payment.entity.notes[2]`.
#[derive(Default)]
struct Path {
    text: Vec<u8>,
    /// How long the text was before each step.
    lengths: Vec<usize>,
}

impl Path {
    fn push_key(&mut self, key: &[u8]) {
        self.lengths.push(self.text.len());
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if key.is_empty() || !key.iter().all(plain) {
            self.text.extend([b"[\"", key, b"\"]"].concat());
        } else {
            if !self.text.is_empty() {
                self.text.push(b'.');
            }
            self.text.extend_from_slice(key);
        }
    }

    fn push_index(&mut self, index: usize) {
        self.lengths.push(self.text.len());
        self.text.extend(format!("[{index}]").into_bytes());
    }

    fn pop(&mut self) {
        if let Some(length) = self.lengths.pop() {
            self.text.truncate(length);
        }
    }

    fn depth(&self) -> usize {
        self.lengths.len()
    }

    fn text(&self) -> String {
        if self.text.is_empty() { "body".to_owned() } else { String::from_utf8_lossy(&self.text).into_owned() }
    }

    fn with(&self, value: &[u8]) -> Vec<u8> {
        [&self.text, &b"  "[..], value].concat()
    }
}
