//! Rules that frames break again and again: each is told once for a direction, and in the end how often more.

use super::frame::Head;
use super::layer::Ws;
use super::rules::{self, LengthFault};
use crate::model::{Direction, Mark, Note, NoteCode, Opcode, count};
use crate::proto::layer::Cx;

/// The rules that one direction's frames broke.
#[derive(Debug, Default)]
pub(super) struct Broken(Vec<Rule>);

/// One rule; there are as many as rows of frame rules, reserved bits on each kind of frame, reserved opcodes, and faults of
/// lengths.
#[derive(Debug)]
struct Rule {
    code: NoteCode,
    kind: u8,
    /// The frames that broke it after the first: how many, the first few of them, and the last with its packet.
    more: u64,
    first: Vec<u64>,
    last: (u64, Mark),
}

/// Frames that are named one by one.
const NAMED: usize = 8;

impl Broken {
    /// Whether a frame is the first that breaks the rule; any other is counted.
    pub(super) fn is_first(&mut self, code: NoteCode, head: &Head, frame: u64, mark: Mark) -> bool {
        let kind = match code {
            NoteCode::WsRsv => rsv_kind(head),
            NoteCode::WsOpcode => head.opcode.0,
            NoteCode::WsLength => LengthFault::of(head) as u8,
            _ => 0,
        };
        let Some(rule) = self.0.iter_mut().find(|rule| (rule.code, rule.kind) == (code, kind)) else {
            self.0.push(Rule { code, kind, more: 0, first: Vec::new(), last: (frame, mark) });
            return true;
        };
        rule.more += 1;
        rule.last = (frame, mark);
        if rule.first.len() < NAMED {
            rule.first.push(frame);
        }
        false
    }
}

/// Reserved bits, and where they are set.
const fn rsv_kind(head: &Head) -> u8 {
    let place = match head.opcode {
        Opcode::CONTINUATION => 1,
        opcode if opcode.is_control() => 2,
        _ => 0,
    };
    place << 4 | head.rsv
}

impl Rule {
    /// `the same in 3 more frames of the client: 7, 9 and 12`, `… 7, 9 … 40`.
    fn words(&self, dir: Direction) -> String {
        let first: Vec<String> = self.first.iter().map(u64::to_string).collect();
        let named = if self.more == first.len() as u64 {
            rules::listed(&first)
        } else {
            format!("{} … {}", first.join(", "), self.last.0)
        };
        format!("the same in {} of the {}: {named}", count(self.more, "more frame"), dir.sender())
    }
}

impl Ws {
    /// Tells how often more each rule was broken.
    pub(super) fn tell_repeats(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let rules = self.broken.as_mut().map(|broken| std::mem::take(&mut broken[dir].0)).unwrap_or_default();
        for rule in rules.iter().filter(|rule| rule.more > 0) {
            let (frame, mark) = rule.last;
            let note = Note { dir: Some(dir), frame: Some(frame), ..Note::new(rule.code, mark) };
            cx.note(self.conn, &Note { text: &rule.words(dir), ..note });
        }
    }
}
