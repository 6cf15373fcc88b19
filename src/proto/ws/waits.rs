//! What bytes waited for, from when TCP says so until their messages are told.

use super::resent::Resends;
use crate::model::{PacketNo, Wait};
use std::collections::VecDeque;

/// The waits of one direction.
#[derive(Debug, Default)]
pub(super) struct Waits {
    ahead: VecDeque<Ahead>,
    now: Option<Wait>,
    /// What is known of bytes that were sent again, once there were any.
    pub(super) resends: Option<Box<Resends>>,
}

/// A wait of bytes that come.
#[derive(Debug)]
struct Ahead {
    /// The packet that brought them.
    brought: PacketNo,
    wait: Wait,
    /// The packet with which they were delivered: what a later one brings is behind them.
    known: PacketNo,
}

/// How many are kept: TLS holds the bytes of one record back, and HTTP what is behind an upgrade.
const MOST: usize = 64;

impl Waits {
    /// The bytes of that packet, which come, waited.
    pub(super) fn expect(&mut self, brought: PacketNo, wait: Wait, known: PacketNo) {
        if self.ahead.len() >= MOST {
            self.ahead.pop_front();
        }
        self.ahead.push_back(Ahead { brought, wait, known });
    }

    /// The bytes of that packet come; false when nothing is known of them, of any before and of any that follow.
    pub(super) fn arrive(&mut self, brought: PacketNo) -> bool {
        self.ahead.retain(|ahead| ahead.known >= brought);
        let own = self.ahead.iter().filter(|ahead| ahead.brought == brought).map(|ahead| ahead.wait);
        self.now = own.max_by_key(|wait| wait.nanos);
        !self.ahead.is_empty() || self.resends.is_some()
    }

    /// What the bytes waited for that came last.
    pub(super) const fn now(&self) -> Option<Wait> {
        self.now
    }
}
