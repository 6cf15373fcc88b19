//! A JSON payload, or what a decoder made of one, as a tree that folds: a list of the values that are visible.

use super::list::{List, Move};
use crate::decode::json::{self, Document, Fault, Node};
use crate::decode::{places, write_data};
use crate::model::{Decoded, number};
use std::ops::Range;

/// Values that a tree shows at most.
pub(super) const MAX_NODES: usize = 1 << 20;

/// A document with more values than this opens folded below its second level.
const SMALL: usize = 400;

/// What a decoder made of a payload, written down.
#[derive(Debug)]
struct Written {
    text: Vec<u8>,
    /// Of each value the bytes of the payload where it stands.
    places: Vec<Option<Range<usize>>>,
}

/// A document, what is folded in it, and where the user is.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) document: Document,
    /// What it was read from, where that is not the payload.
    written: Option<Written>,
    pub(super) list: List,
    folded: Vec<bool>,
    /// Nodes in rows.
    visible: Vec<u32>,
}

impl Tree {
    pub(super) fn new(document: Document) -> Self {
        let small = document.nodes.len() <= SMALL;
        let folded = document.nodes.iter().map(|node| !small && node.is_container() && node.depth >= 2).collect();
        let mut tree = Self { document, written: None, list: List::default(), folded, visible: Vec::new() };
        tree.lay_out();
        tree
    }

    /// What a message says, as a decoder has it; `None` where that is no tree.
    pub(super) fn of_decoded(decoded: &Decoded<'_>) -> Option<Self> {
        let mut text = Vec::new();
        write_data(decoded, &mut text);
        let document = json::read(&text, MAX_NODES);
        let tree = document.is_structured().then(|| Self::new(document))?;
        Some(Self { written: Some(Written { text, places: places(decoded) }), ..tree })
    }

    /// A JSON text that stands nowhere in the payload.
    pub(super) fn of_text(text: Vec<u8>) -> Self {
        let tree = Self::new(json::read(&text, MAX_NODES));
        Self { written: Some(Written { text, places: Vec::new() }), ..tree }
    }

    /// Whether there are the same kinds of values in the same places.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let shape = |node: &Node| (node.kind, node.depth);
        self.document.nodes.iter().map(shape).eq(other.document.nodes.iter().map(shape))
    }

    /// The text that its values are ranges of.
    pub(super) fn source<'s>(&'s self, payload: &'s [u8]) -> &'s [u8] {
        self.written.as_ref().map_or(payload, |written| &written.text)
    }

    /// The bytes of the payload where a value stands, if it does.
    pub(super) fn place(&self, node: usize) -> Option<Range<usize>> {
        match &self.written {
            Some(written) => written.places.get(node)?.clone(),
            None => Some(self.document.nodes.get(node)?.span()),
        }
    }

    /// The innermost value around a byte of the payload.
    pub(super) fn at(&self, byte: usize) -> Option<usize> {
        let Some(Written { places, .. }) = &self.written else { return self.document.at(byte) };
        let around = places.iter().enumerate().filter(|(_, place)| place.as_ref().is_some_and(|it| it.contains(&byte)));
        around.min_by_key(|(at, place)| (place.as_ref().map(Range::len), usize::MAX - at)).map(|(at, _)| at)
    }

    /// Rows, with one for what is wrong.
    pub(super) fn len(&self) -> usize {
        self.visible.len() + usize::from(self.document.fault.is_some())
    }

    /// The node in a row.
    pub(super) fn node(&self, row: usize) -> Option<(usize, &Node)> {
        let at = *self.visible.get(row)? as usize;
        Some((at, self.document.nodes.get(at)?))
    }

    pub(super) fn is_folded(&self, node: usize) -> bool {
        self.folded.get(node).copied().unwrap_or(false)
    }

    /// What is wrong, for the last row.
    pub(super) fn fault(&self) -> Option<String> {
        let (at, fault) = self.document.fault?;
        let at = number(at as u64);
        Some(match fault {
            Fault::Cut => "the payload ends inside this value".to_owned(),
            Fault::Unexpected => format!("not JSON from byte {at} on"),
            Fault::TooMany => format!("more values from byte {at} on; the text view shows them"),
        })
    }

    fn lay_out(&mut self) {
        self.visible.clear();
        let mut at = 0;
        while let Some(node) = self.document.nodes.get(at) {
            self.visible.push(u32::try_from(at).unwrap_or(u32::MAX));
            at = if self.is_folded(at) { node.next() } else { at + 1 };
        }
    }

    pub(super) fn go(&mut self, step: Move, height: usize) {
        let len = self.len();
        self.list.go(step, len, height);
    }

    /// Folds or unfolds the value under the cursor.
    pub(super) fn toggle(&mut self, height: usize) {
        if let Some((at, node)) = self.node(self.list.cursor)
            && node.is_container()
        {
            self.fold(at, !self.is_folded(at), height);
        }
    }

    fn fold(&mut self, node: usize, folded: bool, height: usize) {
        if let Some(flag) = self.folded.get_mut(node) {
            *flag = folded;
        }
        self.lay_out();
        self.select(node, height);
    }

    /// Left: folds an open container, else goes to the container around.
    pub(super) fn left(&mut self, height: usize) {
        let Some((at, node)) = self.node(self.list.cursor) else { return };
        if node.is_container() && !self.is_folded(at) && node.members() > 0 {
            self.fold(at, true, height);
        } else if let Some(parent) = self.document.parent(at) {
            self.select(parent, height);
        }
    }

    /// Right: unfolds a folded container, else goes to its first member.
    pub(super) fn right(&mut self, height: usize) {
        let Some((at, node)) = self.node(self.list.cursor) else { return };
        if !node.is_container() || node.members() == 0 {
            return;
        }
        if self.is_folded(at) {
            self.fold(at, false, height);
        } else {
            self.select(at + 1, height);
        }
    }

    /// Folds or unfolds everything from the value under the cursor down.
    pub(super) fn fold_all(&mut self, folded: bool, height: usize) {
        let Some((at, node)) = self.node(self.list.cursor) else { return };
        for inner in at..node.next() {
            let container = self.document.nodes.get(inner).is_some_and(Node::is_container);
            if let Some(flag) = self.folded.get_mut(inner) {
                *flag = folded && container;
            }
        }
        self.lay_out();
        self.select(at, height);
    }

    /// The next or previous member of the same container.
    pub(super) fn sibling(&mut self, forward: bool, height: usize) {
        let Some((at, node)) = self.node(self.list.cursor) else { return };
        let depth = node.depth;
        let nodes = &self.document.nodes;
        let found = if forward {
            nodes.get(node.next()).filter(|next| next.depth == depth).map(|_| node.next())
        } else {
            let from = self.document.parent(at).map_or(0, |parent| parent + 1);
            nodes.get(from..at).and_then(|before| before.iter().rposition(|n| n.depth == depth)).map(|n| from + n)
        };
        if let Some(found) = found {
            self.select(found, height);
        }
    }

    /// Goes to a node, unfolding what hides it.
    pub(super) fn select(&mut self, node: usize, height: usize) {
        let mut hidden = false;
        let mut at = node;
        while let Some(parent) = self.document.parent(at) {
            if let Some(flag) = self.folded.get_mut(parent) {
                hidden |= *flag;
                *flag = false;
            }
            at = parent;
        }
        if hidden {
            self.lay_out();
        }
        let row = self.visible.partition_point(|&at| (at as usize) < node);
        let len = self.len();
        self.list.select(row, len, height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"a":[1,{"b":2}],"c":3}"#;

    fn shown(tree: &Tree) -> Vec<&str> {
        (0..tree.len()).filter_map(|row| tree.node(row)).map(|(_, node)| &TEXT[node.span()]).collect()
    }

    #[test]
    fn folds_and_unfolds() {
        let mut tree = Tree::new(json::read(TEXT.as_bytes(), MAX_NODES));
        assert_eq!(tree.len(), 6);
        tree.go(Move::Rows(1), 10);
        tree.toggle(10);
        assert_eq!(shown(&tree), [TEXT, r#"[1,{"b":2}]"#, "3"]);
        tree.sibling(true, 10);
        assert_eq!(tree.list.cursor, 2);
        tree.select(4, 10);
        assert_eq!(shown(&tree)[tree.list.cursor], "2");
        tree.left(10);
        tree.left(10);
        assert_eq!(shown(&tree), [TEXT, r#"[1,{"b":2}]"#, "1", r#"{"b":2}"#, "3"]);
        tree.go(Move::Top, 10);
        tree.fold_all(true, 10);
        assert_eq!(tree.len(), 1);
        tree.right(10);
        tree.right(10);
        assert_eq!(tree.list.cursor, 1);
    }
}
