//! Screen 2, right: what one message says, and its payload as tree, text, hex or raw bytes.

use super::columns::RowId as _;
use super::diff::Diff;
use super::dump::Dump;
use super::find::SLICE;
use super::list::{List, Move};
use super::messages;
use super::paper::{self, HexRows, Piece, Style, TextRows};
use super::tree::{MAX_NODES, Tree};
use crate::book::{Book, Desk, MessageId};
use crate::decode::{Decoder, Kind, json};
use crate::escape::{self, display_str};
use crate::export::write_state;
use crate::filter::{Item, Row};
use crate::model::{Message, NoteCode};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Bytes of a payload that are taken from the book for looking at it.
const MAX_BODY: usize = 256 << 20;

/// How a payload is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadView {
    /// What a decoder made of it, as a tree.
    Decoded,
    /// JSON as a tree.
    Tree,
    /// Text, line by line.
    Text,
    /// Offsets, hex and ASCII.
    Hex,
    /// Every byte, those that are not ASCII escaped.
    Raw,
    /// What differs from a marked message.
    Diff,
    /// What stands on the connection behind it, as a tree.
    State,
}

impl PayloadView {
    /// All of them, in the order of the tabs.
    pub const ALL: [Self; 7] = [Self::Decoded, Self::Tree, Self::Text, Self::Hex, Self::Raw, Self::Diff, Self::State];

    /// The name on the tab.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decoded => "Decoded",
            Self::Tree => "Tree",
            Self::Text => "Text",
            Self::Hex => "Hex",
            Self::Raw => "Raw",
            Self::Diff => "Diff",
            Self::State => "State",
        }
    }
}

/// The payload of the selected message and where the user is in it.
#[derive(Debug)]
pub(super) struct Detail {
    id: Option<MessageId>,
    /// The bytes that are there; `None` when the book could not keep them.
    body: Option<Arc<Vec<u8>>>,
    pub(super) pieces: Vec<Piece>,
    /// JSON that is not read to its end.
    reading: Option<json::Reading>,
    /// The payload, where it is JSON.
    json: Option<Tree>,
    /// What a decoder made of it, and whether it was heard.
    said: Option<Said>,
    is_heard: bool,
    /// What stands behind it, where anything does.
    state: Option<Tree>,
    pub(super) text: TextRows,
    /// The message that it is compared with, and what that tells when it is looked at.
    partner: Option<MessageId>,
    pub(super) diff: Option<Diff>,
    /// Where in the text the user wants to be, while its rows are not made so far.
    goal: Option<Goal>,
    pub(super) list: List,
    /// What belongs to it: reply, request, ping, pong.
    pub(super) related: Option<MessageId>,
    /// Bytes that a search found.
    pub(super) found: Option<Range<usize>>,
    /// Columns scrolled out to the left, when lines are not wrapped.
    pub(super) scroll: usize,
    pub(super) wrap: bool,
    /// The view that the user chose, for every message that has it.
    chosen: Option<PayloadView>,
    /// The payload is text and shown as such by default.
    is_text: bool,
    /// Some of the text is read from right to left.
    pub(super) is_rtl: bool,
}

/// What a decoder made of a message.
#[derive(Debug)]
struct Said {
    protocol: &'static str,
    /// Protocol and event, in words; safe on a terminal.
    words: String,
    /// Where it tells more than the payload does.
    tree: Option<Tree>,
}

impl Said {
    /// `None` of a row that no decoder understands.
    fn of(row: &Row<'_>) -> Option<Self> {
        let Item::Message(message @ Message { decoded: Some(decoded), .. }, _) = row.item else { return None };
        let is_protocol = Decoder::find(decoded.protocol).is_none_or(|decoder| decoder.kind == Kind::Protocol);
        let mut words = vec![decoded.protocol.to_owned()];
        words.extend(decoded.events().next().map(|event| display_str(event).into_owned()));
        words.extend(
            decoded.units.first().and_then(|unit| unit.id.as_deref()).map(|id| format!("id {}", display_str(id))),
        );
        // A format that is text reads well as it is.
        let tree = if is_protocol || !message.is_text() { Tree::of_decoded(decoded) } else { None };
        Some(Self { protocol: decoded.protocol, words: words.join(" "), tree })
    }
}

/// A place far down in a text, for which many rows have to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    End,
    /// The byte at this place among those that are there, on its line of the screen or at the top.
    Byte {
        place: usize,
        at_top: bool,
    },
}

/// Rows of a text, or values of a document, that are made before the clock is asked.
const STEP: usize = 512;

/// Values of a document that are read at once.
const FIRST: usize = 1 << 14;

/// Bytes of a text in which letters are looked for that are read from right to left.
const RTL_WITHIN: usize = 64 << 10;

impl Default for Detail {
    fn default() -> Self {
        Self {
            id: None,
            body: None,
            pieces: Vec::new(),
            reading: None,
            json: None,
            said: None,
            is_heard: false,
            state: None,
            goal: None,
            partner: None,
            diff: None,
            text: TextRows::new(Style::Text, None),
            list: List::default(),
            related: None,
            found: None,
            scroll: 0,
            wrap: true,
            chosen: None,
            is_text: false,
            is_rtl: false,
        }
    }
}

impl Detail {
    /// Forgets the payload, not how payloads are shown.
    pub(super) fn forget(&mut self) {
        *self = Self { wrap: self.wrap, chosen: self.chosen, ..Self::default() };
    }

    pub(super) const fn id(&self) -> Option<MessageId> {
        self.id
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.body.as_ref().map_or(&[], |body| body)
    }

    /// The bytes that are there, to keep.
    pub(super) fn shared(&self) -> Arc<Vec<u8>> {
        self.body.clone().unwrap_or_default()
    }

    /// Whether the book could keep the payload.
    pub(super) const fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// Takes another message from the book.
    pub(super) fn open(&mut self, book: &Book, id: Option<MessageId>) {
        if self.id == id {
            return;
        }
        let fresh = Self { wrap: self.wrap, chosen: self.chosen, id, ..Self::default() };
        *self = fresh;
        let Some(row) = id.and_then(|id| book.message(id)) else { return };
        self.body = book.payload(&row, 0, MAX_BODY).map(Arc::new);
        self.pieces = paper::pieces(&row, self.bytes().len());
        self.is_text = row.is_text();
        let begin = self.bytes().get(..RTL_WITHIN).unwrap_or(self.bytes());
        self.is_rtl = self.is_text && begin.utf8_chunks().any(|text| text.valid().contains(escape::is_right_to_left));
        // With bytes missing in between, it would not be the tree that was sent.
        let is_holed = row.findings.contains(NoteCode::DeflateLost);
        self.reading = (!row.opcode.is_control() && !row.undecoded && !is_holed).then(|| json::Reading::new(MAX_NODES));
        self.read_on(FIRST);
        self.related = messages::related(book, row.id);
    }

    /// Takes in what the message says, and what belongs to it, as far as that was heard.
    pub(super) fn listen(&mut self, book: &Book, desk: &mut Desk) {
        let Some(id) = self.id.filter(|&id| book.gist(id).is_some()) else { return };
        if self.reading.is_none() && !std::mem::replace(&mut self.is_heard, true) {
            self.said = Some(id).filter(|id| !id.is_large(book)).and_then(|id| id.ask(desk, book, Said::of)).flatten();
            let moment = desk.moment(book, id).filter(|it| !it.open.is_empty() || !it.pending.is_empty());
            self.state = moment.map(|moment| {
                let mut text = Vec::new();
                write_state(&moment, &mut text);
                Tree::of_text(text)
            });
            if let Some(Said { tree, .. }) = &mut self.said {
                // What is no other tree than the payload's needs no tab of its own.
                tree.take_if(|tree| self.json.as_ref().is_some_and(|json| json.is_like(tree)));
            }
        }
        if self.related.is_none() {
            self.related = book.gist(id).and_then(|gist| gist.related);
        }
    }

    /// Has it compared with another message, when that is looked at.
    pub(super) fn compare(&mut self, book: &Book, partner: Option<MessageId>) {
        if self.partner != partner {
            (self.partner, self.diff) = (partner, None);
        }
        if let (PayloadView::Diff, None, Some(id), Some(partner)) = (self.view(), &self.diff, self.id, partner) {
            self.diff = Some(Diff::new(book, id, partner));
            self.list = List::default();
        }
    }

    /// Reads more values of the payload; at the end of them there is a tree, if it is JSON.
    fn read_on(&mut self, values: usize) {
        let Some(mut reading) = self.reading.take() else { return };
        if !reading.go_on(self.bytes(), values) {
            self.reading = Some(reading);
            return;
        }
        let document = reading.finish();
        let begins = document.nodes.first().is_some_and(json::Node::is_container);
        // What only begins like JSON, as a line of a log in brackets does, is no tree.
        self.json = (begins && document.nodes.len() > 1 || document.is_structured()).then(|| Tree::new(document));
    }

    /// Whether [`Self::work`] has something to go on with.
    pub(super) const fn is_busy(&self) -> bool {
        self.reading.is_some() || self.goal.is_some()
    }

    /// Goes on with what takes long on a large payload, until that moment.
    pub(super) fn work(&mut self, columns: usize, height: usize, until: Instant) {
        while self.reading.is_some() && Instant::now() < until {
            self.read_on(STEP);
        }
        self.pursue(columns, height, until);
    }

    /// Makes rows on the way to where the user wants to be, until that moment; then shows how far that was.
    fn pursue(&mut self, columns: usize, height: usize, until: Instant) {
        let Some(goal) = self.goal else { return };
        let is_reached = |text: &TextRows| {
            text.is_done() || matches!(goal, Goal::Byte { place, .. } if text.row_of(place).is_some())
        };
        let body = self.body.as_ref().map_or(&[][..], |body| body);
        while !is_reached(&self.text) && Instant::now() < until {
            self.text.extend_to(self.text.len() + STEP, body, &self.pieces);
        }
        if is_reached(&self.text) {
            self.goal = None;
        }
        let Goal::Byte { place, at_top } = goal else { return self.list.scroll(Move::Bottom, self.text.len(), height) };
        if let Some(row) = self.text.row_of(place) {
            self.text.extend_to(row + 2 * height, body, &self.pieces);
            let len = self.len(columns);
            self.list.select(row, len, height);
            if at_top {
                self.list.top = row;
                self.list.settle(len, height);
            }
        }
    }

    /// The views that this payload has.
    pub(super) fn views(&self) -> impl Iterator<Item = PayloadView> + '_ {
        PayloadView::ALL.into_iter().filter(|view| match view {
            PayloadView::Decoded => self.said.as_ref().is_some_and(|said| said.tree.is_some()),
            PayloadView::Tree => self.json.is_some(),
            PayloadView::Diff => self.partner.is_some(),
            PayloadView::State => self.state.is_some(),
            _ => true,
        })
    }

    pub(super) fn view(&self) -> PayloadView {
        let natural = match &self.json {
            _ if self.said.as_ref().is_some_and(|said| said.tree.is_some()) => PayloadView::Decoded,
            Some(tree) if tree.document.fault.is_none_or(|(_, fault)| fault != json::Fault::Unexpected) => {
                PayloadView::Tree
            }
            _ if self.is_text => PayloadView::Text,
            _ => PayloadView::Hex,
        };
        self.chosen.filter(|&view| self.views().any(|other| other == view)).unwrap_or(natural)
    }

    /// The tree that is shown, where one is.
    pub(super) fn tree(&self) -> Option<&Tree> {
        match self.view() {
            PayloadView::Decoded => self.said.as_ref()?.tree.as_ref(),
            PayloadView::Tree => self.json.as_ref(),
            PayloadView::State => self.state.as_ref(),
            _ => None,
        }
    }

    pub(super) fn tree_mut(&mut self) -> Option<&mut Tree> {
        match self.view() {
            PayloadView::Decoded => self.said.as_mut()?.tree.as_mut(),
            PayloadView::Tree => self.json.as_mut(),
            PayloadView::State => self.state.as_mut(),
            _ => None,
        }
    }

    /// The JSON that can be copied: that of the tree that is shown, else the payload.
    pub(super) fn document(&self) -> Option<&Tree> {
        self.tree().or(self.json.as_ref())
    }

    /// The name of the decoder that understands it.
    pub(super) fn protocol(&self) -> Option<&'static str> {
        self.said.as_ref().map(|said| said.protocol)
    }

    /// Whether the payload is JSON.
    pub(super) const fn has_json(&self) -> bool {
        self.json.is_some()
    }

    /// What the message is, in the terms of its protocol.
    pub(super) fn words(&self) -> Option<&str> {
        self.said.as_ref().map(|said| said.words.as_str())
    }

    /// Shows the payload another way; the place in it is kept as well as may be.
    pub(super) fn choose(&mut self, view: PayloadView) {
        self.chosen = Some(view);
        self.list = List::default();
        self.goal = None;
        self.scroll = 0;
    }

    pub(super) fn next_view(&mut self, forward: bool) {
        let views: Vec<PayloadView> = self.views().collect();
        let at = views.iter().position(|&view| view == self.view()).unwrap_or(0);
        let next = if forward { at + 1 } else { at + views.len() - 1 };
        if let Some(&view) = views.get(next % views.len().max(1)) {
            self.choose(view);
        }
    }

    pub(super) fn toggle_wrap(&mut self) {
        self.wrap = !self.wrap;
        self.scroll = 0;
        self.list = List::default();
    }

    /// How the hex view is laid out in a pane of that width.
    pub(super) fn dump(&self, columns: usize) -> Dump {
        let len = self.pieces.last().map_or(0, |piece| piece.offset.saturating_add(self.bytes().len() as u64));
        let dump = |n| Dump::new(n, len, false, false);
        [32, 16, 8, 4].into_iter().find_map(|n| dump(n).within(columns)).unwrap_or_else(|| dump(4))
    }

    /// Fits the rows of text to the pane and makes those that it shows.
    pub(super) fn settle(&mut self, columns: usize, height: usize) {
        let view = self.view();
        let style = if view == PayloadView::Raw { Style::Raw } else { Style::Text };
        let wrap = (self.wrap || style == Style::Raw).then_some(columns.max(10));
        if !self.text.is_for(style, wrap) {
            let place = self.text.begin_of(self.list.top).filter(|&place| place > 0);
            self.goal = place.map(|place| Goal::Byte { place, at_top: true });
            self.text = TextRows::new(style, wrap);
            if matches!(view, PayloadView::Text | PayloadView::Raw) {
                self.list = List::default();
            }
        }
        let body = self.body.as_ref().map_or(&[][..], |body| body);
        let wanted = self.list.top.min(self.text.len()).saturating_add(2 * height);
        self.text.extend_to(wanted, body, &self.pieces);
        self.pursue(columns, height, Instant::now() + SLICE);
        let len = self.len(columns);
        match self.tree_mut() {
            Some(tree) => tree.list.settle(len, height),
            None => self.list.settle(len, height),
        }
    }

    /// Rows in the view; for text those that were made so far.
    pub(super) fn len(&self, columns: usize) -> usize {
        match (self.view(), self.tree()) {
            (_, Some(tree)) => tree.len(),
            (PayloadView::Hex, _) => HexRows::new(&self.pieces, self.dump(columns).per_row).len(),
            // The first row says what is compared.
            (PayloadView::Diff, _) => self.diff.as_ref().map_or(0, |diff| diff.rows.len() + 1),
            _ => self.text.len(),
        }
    }

    pub(super) fn go(&mut self, step: Move, columns: usize, height: usize) {
        match self.tree_mut() {
            Some(tree) => tree.go(step, height),
            None => self.scroll(step, columns, height),
        }
    }

    /// Moves the view and not the cursor.
    pub(super) fn scroll(&mut self, step: Move, columns: usize, height: usize) {
        let view = self.view();
        self.goal = None;
        if let Some(tree) = self.tree_mut() {
            let len = tree.len();
            return tree.list.scroll(step, len, height);
        }
        if !matches!(view, PayloadView::Hex | PayloadView::Diff) {
            if step == Move::Bottom {
                self.goal = Some(Goal::End);
                return self.pursue(columns, height, Instant::now() + SLICE);
            }
            let body = self.body.as_ref().map_or(&[][..], |body| body);
            let wanted = step.from(self.list.top, usize::MAX, height).saturating_add(2 * height);
            self.text.extend_to(wanted, body, &self.pieces);
        }
        let len = self.len(columns);
        self.list.scroll(step, len, height);
    }

    /// Shows the byte that is at `place` among those that are there.
    pub(super) fn show_byte(&mut self, place: usize, columns: usize, height: usize) {
        if let Some(tree) = self.tree_mut() {
            if let Some(node) = tree.at(place) {
                tree.select(node, height);
            }
            return;
        }
        let row = match self.view() {
            PayloadView::Hex => HexRows::new(&self.pieces, self.dump(columns).per_row).row_of(place),
            PayloadView::Diff => return,
            _ => {
                self.goal = Some(Goal::Byte { place, at_top: false });
                return self.pursue(columns, height, Instant::now() + SLICE);
            }
        };
        let len = self.len(columns);
        self.list.select(row, len, height);
    }
}
