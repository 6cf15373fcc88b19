//! What the transport says of a direction's bytes, until it is known of which stream they are.

use crate::model::{Direction, Input, Mark, NoteCode, PacketNo, Wait};
use std::collections::VecDeque;

/// What was said, oldest first.
#[derive(Default)]
pub(super) struct Said {
    odds: VecDeque<Odd>,
    /// What the bytes of a packet waited for, and the packet with which they are delivered.
    waits: VecDeque<(PacketNo, Wait, Mark)>,
}

/// An [`Input::Odd`] of bytes that come.
struct Odd {
    offset: u64,
    len: u64,
    code: NoteCode,
    text: String,
    detail: String,
    mark: Mark,
}

/// How many of each are kept.
const MOST: usize = 64;

impl Said {
    /// Keeps what is said of bytes that come; what else there is comes back.
    pub(super) fn keep<'a>(&mut self, input: Input<'a>, at: u64) -> Option<Input<'a>> {
        match input {
            Input::Odd { offset, len, code, text, detail, mark, .. } if offset.saturating_add(len) > at => {
                if self.odds.len() >= MOST {
                    self.odds.pop_front();
                }
                let (text, detail) = (text.to_owned(), detail.to_owned());
                self.odds.push_back(Odd { offset, len, code, text, detail, mark });
                None
            }
            Input::Waited { brought, wait, mark, .. } => {
                if self.waits.len() >= MOST {
                    self.waits.pop_front();
                }
                self.waits.push_back((brought, wait, mark));
                None
            }
            other => Some(other),
        }
    }

    /// Whether nothing was said that is to be handed on.
    pub(super) fn is_empty(&self) -> bool {
        self.odds.is_empty() && self.waits.is_empty()
    }

    /// Hands on what was said of `len` bytes from `offset` on, brought by a packet: they are those of a stream from `to` on.
    pub(super) fn hand_on(
        &mut self,
        dir: Direction,
        (offset, len, to): (u64, u64, u64),
        brought: Mark,
        take: &mut dyn FnMut(Input<'_>),
    ) {
        for &(packet, wait, mark) in self.waits.iter().filter(|(packet, ..)| *packet == brought.packet) {
            take(Input::Waited { dir, brought: packet, wait, mark });
        }
        let end = offset + len;
        for odd in self.odds.iter().filter(|odd| odd.offset < end && odd.offset.saturating_add(odd.len) > offset) {
            let (from, until) = (odd.offset.max(offset), odd.offset.saturating_add(odd.len).min(end));
            let &Odd { code, ref text, ref detail, mark, .. } = odd;
            take(Input::Odd { dir, offset: to + (from - offset), len: until - from, code, text, detail, mark });
        }
        self.odds.retain(|odd| odd.offset.saturating_add(odd.len) > end);
    }
}
