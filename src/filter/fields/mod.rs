//! The fields: Wireshark's names where it has one for the thing, ours beside.

mod table;

pub use table::FIELDS;

use super::row::{Row, Rows};
use super::value::{Kind, Value};

/// A field that filters ask for, and columns show.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// A short name for it; often none.
    pub alias: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// The rows that have it.
    pub rows: Rows,
    /// What it is.
    pub about: &'static str,
    /// What must be at hand to tell it.
    asks: Asks,
    get: Get,
}

/// How its values are told.
#[derive(Debug, Clone, Copy)]
enum Get {
    /// At most one.
    One(for<'a> fn(&Row<'a>) -> Option<Value<'a>>),
    /// Any number of them, until one is enough.
    Many(fn(&Row<'_>, &mut See<'_>) -> bool),
    /// Those at a path, or under a name, which stands in the filter.
    Named,
}

/// Who looks at values, and says when one is enough.
pub(in crate::filter) type See<'s> = dyn FnMut(Value<'_>) -> bool + 's;

/// What a field asks of whoever makes the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Nothing but the row.
    Row,
    /// Nothing but how the row's connection was opened: it is the same for all its rows.
    Opened,
    /// The frames of a message.
    Frames,
    /// What messages say.
    Payload,
    /// What a decoder makes of that.
    Decoded,
    /// The handshake's heads.
    Heads,
    /// What is known of a connection at its end.
    End,
    /// When the capture began.
    Origin,
    /// What goes on to grow: of a handshake's connection all of it.
    Growing,
}

/// What must be at hand for a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The frames of messages.
    pub frames: bool,
    /// What messages say.
    pub payloads: bool,
    /// What decoders make of that.
    pub decoded: bool,
    /// The handshake's heads.
    pub heads: bool,
    /// All of a connection, also before it ended.
    pub ends: bool,
    /// The time of the first packet.
    pub origin: bool,
}

impl Needs {
    /// What one of two needs.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            frames: self.frames || other.frames,
            payloads: self.payloads || other.payloads,
            decoded: self.decoded || other.decoded,
            heads: self.heads || other.heads,
            ends: self.ends || other.ends,
            origin: self.origin || other.origin,
        }
    }
}

impl Field {
    /// The field of that name, or short name.
    pub fn find(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name || !field.alias.is_empty() && field.alias == name)
    }

    /// All names, short ones as well.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FIELDS.iter().flat_map(|field| [field.name, field.alias]).filter(|name| !name.is_empty())
    }

    /// What must be at hand to tell it of such rows.
    pub(in crate::filter) fn needs(&self, rows: Rows) -> Needs {
        let others = Rows::HANDSHAKES | Rows::MESSAGES | Rows::FRAMES | Rows::FINDINGS;
        Needs {
            frames: self.asks == Asks::Frames && rows.meets(Rows::MESSAGES),
            payloads: matches!(self.asks, Asks::Payload | Asks::Decoded),
            decoded: self.asks == Asks::Decoded,
            heads: self.asks == Asks::Heads,
            ends: self.asks == Asks::End && rows.meets(others)
                || self.asks == Asks::Growing && rows.meets(Rows::HANDSHAKES),
            origin: self.asks == Asks::Origin,
        }
    }

    /// The kind of rows that it is first of all a field of.
    pub(in crate::filter) fn home(&self) -> Rows {
        let homes = [Rows::MESSAGES, Rows::FRAMES, Rows::FINDINGS, Rows::CONNECTIONS];
        match self.asks {
            Asks::End => Rows::CONNECTIONS,
            Asks::Heads => Rows::HANDSHAKES,
            _ => homes.into_iter().find(|rows| self.rows.meets(*rows)).unwrap_or(Rows::MESSAGES),
        }
    }

    /// Whether all rows of a connection have the same values of it.
    pub(in crate::filter) fn is_settled(&self) -> bool {
        self.asks == Asks::Opened
    }

    /// How much it takes to ask for it, for whoever may choose what to ask first.
    pub(in crate::filter) const fn cost(&self) -> u32 {
        match self.asks {
            Asks::Row | Asks::Opened | Asks::End | Asks::Origin | Asks::Growing => 1,
            Asks::Frames | Asks::Heads => 2,
            Asks::Payload | Asks::Decoded => 8,
        }
    }

    /// Shows the row's values of it until one is enough; whether one was.
    pub(in crate::filter) fn visit(&self, row: &Row<'_>, see: &mut See<'_>) -> bool {
        match self.get {
            Get::One(get) => get(row).is_some_and(see),
            Get::Many(get) => get(row, see),
            Get::Named => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_of_one_field() {
        let mut names: Vec<&str> = Field::names().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(names.iter().all(|name| Field::find(name).is_some()));
    }
}
