//! What stands on a connection at a moment, in the terms of its protocol.

use super::Direction;

/// What was opened and not closed by then, and the requests that wait for an answer; both in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// Subscriptions, channels that were joined, documents that are open.
    pub open: Vec<Standing>,
    /// How many more there are.
    pub open_more: u64,
    /// Requests.
    pub pending: Vec<Pending>,
    /// How many more there are.
    pub pending_more: u64,
    /// It may lack something, or have what is closed: messages of the connection were lost, or what stood was forgotten for lack of room.
    pub partial: bool,
}

/// Something that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is, in a word.
    pub kind: &'static str,
    /// Its id, by which it is closed.
    pub id: String,
    /// What people call it, where that is something else.
    pub name: Option<String>,
    /// Since when.
    pub since: Since,
}

/// A request that waits for an answer, or for more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The name of its event.
    pub event: Option<String>,
    /// What ties the answer to it.
    pub id: String,
    /// Answers so far.
    pub replies: u64,
    /// Since when.
    pub since: Since,
}

/// The message that opened or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Its number.
    pub msg: u64,
    /// Who sent it.
    pub dir: Direction,
    /// Nanoseconds from it to the moment, on the wire.
    pub age: Option<i64>,
}
