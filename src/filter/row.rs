//! What a filter is asked of.

use crate::model::{Connection, Frame, Handshake, Message, Note, Stamp, Timestamp};
use std::ops::BitOr;

/// One row, with what is around it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Where it belongs.
    pub at: &'a Stamp,
    /// The time of the capture's first packet.
    pub origin: Option<Timestamp>,
    /// Its connection: as far as it is known by now, or all of it where the filter needs what is known at its end.
    pub conn: Option<&'a Connection>,
    /// The connection's handshake, where the filter needs it.
    pub handshake: Option<&'a Handshake>,
    /// What it is.
    pub item: Item<'a>,
}

/// What a row is.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A connection, or its handshake.
    Connection,
    /// A message, with its frames where the filter needs them.
    Message(&'a Message<'a>, &'a [Frame]),
    /// A frame.
    Frame(&'a Frame),
    /// A finding.
    Finding(&'a Note<'a>),
}

/// A set of kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows(u8);

impl Rows {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// Connections.
    pub const CONNECTIONS: Self = Self(1);
    /// Handshakes, of connections that go on.
    pub const HANDSHAKES: Self = Self(16);
    /// Messages.
    pub const MESSAGES: Self = Self(2);
    /// Frames.
    pub const FRAMES: Self = Self(4);
    /// Findings.
    pub const FINDINGS: Self = Self(8);
    /// All kinds.
    pub const ALL: Self = Self(31);

    /// Both sets.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets have a kind in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// `messages and frames`.
    pub fn words(self) -> String {
        let names = [
            (Self::CONNECTIONS, "connections"),
            (Self::HANDSHAKES, "handshakes"),
            (Self::MESSAGES, "messages"),
            (Self::FRAMES, "frames"),
            (Self::FINDINGS, "findings"),
        ];
        let named = names.iter().filter(|(rows, _)| self.meets(*rows));
        let named: Vec<&str> = named.map(|(_, name)| *name).collect();
        match named.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl BitOr for Rows {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}
