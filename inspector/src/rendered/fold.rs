//! Which containers are shown closed.

use std::collections::HashSet;

/// An object or array of JSON, told by the order in which it opens: the same one whatever is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// How many containers open before it in the same content.
    pub index: u32,
    /// How many containers stand around it.
    pub depth: u16,
}

/// Which containers are shown closed: those from a depth on, and exceptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folds {
    /// Containers with so many or more around them are closed; none: all are open.
    from_depth: Option<u16>,
    /// Those that are the other way round.
    toggled: HashSet<u32>,
}

impl Folds {
    /// Everything is open that has fewer than `depth` containers around it, and all else closed.
    pub fn from_depth(depth: u16) -> Self {
        Self { from_depth: Some(depth), toggled: HashSet::new() }
    }

    /// Closes an open container, opens a closed one.
    pub fn toggle(&mut self, node: Node) {
        if !self.toggled.remove(&node.index) {
            self.toggled.insert(node.index);
        }
    }

    /// Whether a container is closed.
    pub fn is_folded(&self, node: Node) -> bool {
        let by_depth = self.from_depth.is_some_and(|depth| node.depth >= depth);
        by_depth != self.toggled.contains(&node.index)
    }

    /// Whether nothing at all is closed.
    pub(crate) fn is_empty(&self) -> bool {
        self.from_depth.is_none() && self.toggled.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toggle_is_the_exception_to_the_depth_and_its_own_opposite() {
        let node = Node { index: 3, depth: 2 };
        let mut folds = Folds::default();
        assert!(folds.is_empty() && !folds.is_folded(node));
        folds.toggle(node);
        assert!(folds.is_folded(node));
        folds.toggle(node);
        assert!(folds.is_empty());

        let mut folds = Folds::from_depth(2);
        assert!(folds.is_folded(node) && !folds.is_folded(Node { index: 1, depth: 1 }));
        folds.toggle(node);
        assert!(!folds.is_folded(node));
    }
}
