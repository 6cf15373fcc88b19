//! What was dissected, written down: which rows ([`Exporter`]), in which form ([`Form`]), to where ([`Out`]).
//!
//! ```text
//! Event ─▶ [Decoding] ─▶ [Filtered] ─▶ [Redacted] ─▶ Exporter: Stream │ Connections │ Handshakes │ TlsSessions │ Sessions │ Stats │ Types │ Capture ─▶ Form: Records │ Table │ Page │ Talk │ Raw ─▶ Out ─▶ file
//!                                  Cells │ Har │ Html │ Transcript │ Python │ Shell │ Junit │ Sarif ───────────────────────────────────▶ Out ─▶ file
//!                                  Files ─▶ Folder · Sqlite │ Parquet: Tabled ─▶ Stream ─▶ Tables
//! ```
//!
//! An exporter chooses rows and their order and keeps no more than it must; a form writes one row and keeps nothing.
//! A new format is a new form, a new selection is a new exporter, and each fits the others. A report is a document, whole
//! at the end, and an exporter without a form: [`Junit`], [`Sarif`].

/// What an exporter before another hands on as it is: where packets stand, what captures tell, and the end.
macro_rules! hand_on {
    () => {
        fn file(&mut self, run: &$crate::model::FileRun) {
            self.inner.file(run);
        }

        fn fact(&mut self, file: usize, fact: &$crate::model::Fact<'_>) {
            self.inner.fact(file, fact);
        }

        fn hears_carried(&self) -> bool {
            self.inner.hears_carried()
        }

        fn claim(&mut self, standing: &$crate::export::Standing<'_>, out: &mut $crate::export::Out<'_>) {
            self.inner.claim(standing, out);
        }

        fn finish(&mut self, totals: &$crate::export::Totals, out: &mut $crate::export::Out<'_>) {
            self.inner.finish(totals, out);
        }
    };
}

mod around;
mod array;
mod bins;
mod capture;
mod cells;
mod claims;
mod clear;
#[cfg(any(feature = "sqlite", feature = "parquet"))]
mod columns;
mod compare;
mod context;
mod decoding;
mod explain;
mod figures;
mod files;
mod filtered;
mod har;
mod head;
mod hold;
mod html;
mod json;
mod keys;
mod list;
mod ls;
mod out;
mod page;
#[cfg(feature = "parquet")]
mod parquet;
mod payload;
mod pcapng;
mod pretty;
mod raw;
mod record;
mod redact;
mod report;
mod schema;
mod script;
mod select;
mod sessions;
mod spool;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod stats;
mod stream;
mod style;
mod table;
mod tail;
mod talk;
mod time;
mod transcript;
mod types;
mod values;
mod wrap;

pub use bins::{Bin, Bins, sum};
pub use capture::{About, Capture};
pub use cells::{Cells, Delimited, Occurrence, Quote, push_value};
pub use claims::{Claims, Evidence, Failed, Standing};
pub use clear::Clear;
pub use compare::{Difference, Differences, Gather, Line, Pair, Talk as Said, compare, pairs};
pub use decoding::Decoding;
pub use explain::Term;
pub use figures::bar;
pub use files::{Files, Folder};
pub use filtered::{Filtered, Passed};
pub use har::Har;
pub use html::Html;
pub use keys::{KeySum, TlsSessions, agreed, certificate};
pub use list::{Collect, Connections, Handshakes};
pub use out::Out;
pub use page::Page;
#[cfg(feature = "parquet")]
pub use parquet::Parquet;
pub use payload::{PayloadMode, PayloadOptions};
pub use pcapng::Pcapng;
pub use raw::Raw;
pub use record::Records;
pub use redact::{Redacted, Redactor, Rule};
pub use report::{Junit, Sarif};
pub use schema::{COMMON_KEYS, Key, RECORD_KINDS, RecordKind, Shape, write_schema};
pub use script::{Python, Shell, websocat};
pub use select::{InPacket, Only, Place, Places};
pub use sessions::{Leg, Session, Sessions};
pub use spool::{OpenStore, Store};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
pub use state::write_state;
pub use stats::{Figures, Stats};
pub use stream::{Kinds, Stream};
pub use style::Style;
pub use table::Table;
pub use talk::Talk;
pub use time::{Clock, TimeMode};
pub use transcript::{Markdown, Plain, Transcript};
pub use types::{Seen, Told, Type, TypeCells, Types, Wanted as WantedTypes};
pub use values::{Spread, Values};
pub use wrap::wrap;

use crate::model::{
    Closed, Connection, Event, Fact, FileRun, Frame, Handshake, Message, Note, Opened, Secrets, Stamp, Streams,
    Timestamp, TlsOutline, TlsSession, Traffic,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Takes events and writes rows.
pub trait Exporter {
    /// Takes one event; `Break` when no later event can change what is written.
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()>;

    /// Takes an event whose row is not wanted: other rows may hang on it.
    fn unwanted(&mut self, _: &Stamp, _: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The packets from here on stand in another of several files.
    fn file(&mut self, _: &FileRun) {}

    /// What a capture tells of itself: which of several, and what.
    fn fact(&mut self, _: usize, _: &Fact<'_>) {}

    /// How a claim stands, at the end and before [`Exporter::finish`]: for who has a place for it among its own rows.
    fn claim(&mut self, _: &Standing<'_>, _: &mut Out<'_>) {}

    /// Writes what could only be written at the end.
    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>);

    /// Whether what it writes depends on frames, beside the messages that they make.
    fn hears_frames(&self) -> bool {
        false
    }

    /// Whether what it writes depends on what messages say, not only on how long they are.
    fn hears_payloads(&self) -> bool {
        false
    }

    /// Whether it depends on what TLS carries.
    fn hears_carried(&self) -> bool {
        false
    }
}

/// What a capture holds beside its events.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Packets of all kinds.
    pub packets: u64,
    /// TCP streams.
    pub streams: u32,
    /// WebSocket connections.
    pub connections: u32,
    /// The time of the first packet.
    pub first: Option<Timestamp>,
    /// The time of the last packet.
    pub last: Option<Timestamp>,
    /// What was known to decrypt TLS with.
    pub secrets: Arc<Secrets>,
    /// Packets by what they carried.
    pub traffic: Traffic,
    /// Tags and tunnels around packets.
    pub encaps: BTreeSet<&'static str>,
    /// TCP streams by what their first bytes were.
    pub kinds: Streams,
}

/// Writes rows of each kind; a kind that has no place in the form is passed over.
#[expect(unused_variables, reason = "the names are the documentation")]
pub trait Form {
    /// The packets from here on stand in another of several files. Not a row.
    fn file(&mut self, run: &FileRun) {}

    /// What a capture tells of itself. Not a row.
    fn fact(&mut self, file: usize, fact: &Fact<'_>) {}

    /// A message.
    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) {}

    /// A frame.
    fn frame(&mut self, at: &Stamp, frame: &Frame, out: &mut Out<'_>) {}

    /// A finding.
    fn finding(&mut self, at: &Stamp, note: &Note<'_>, out: &mut Out<'_>) {}

    /// How a claim stands.
    fn standing(&mut self, standing: &Standing<'_>, out: &mut Out<'_>) {}

    /// A handshake, and the TLS around it.
    fn handshake(&mut self, at: &Stamp, handshake: &Handshake, tls: Option<&TlsOutline>, out: &mut Out<'_>) {}

    /// Connections, in order.
    fn connections(&mut self, rows: &[Connection], out: &mut Out<'_>) {}

    /// TLS sessions, in the order of their streams.
    fn tls_sessions(&mut self, rows: &[(Stamp, TlsSession)], secrets: &Secrets, out: &mut Out<'_>) {}

    /// Sessions of several transports, in order.
    fn sessions(&mut self, rows: &[Session], out: &mut Out<'_>) {}

    /// The facts about a capture.
    fn capture(&mut self, about: &About, out: &mut Out<'_>) {}

    /// Kinds of messages, the most frequent first; `of`: all messages that were counted.
    fn types(&mut self, rows: &[Type], of: u64, out: &mut Out<'_>) {}

    /// The figures of a capture.
    fn stats(&mut self, figures: &Figures, out: &mut Out<'_>) {}

    /// A connection that is shown begins. Not a row.
    fn opened(&mut self, at: &Stamp, opened: &Opened, out: &mut Out<'_>) {}

    /// A connection that is shown ended. Not a row.
    fn closed(&mut self, at: &Stamp, closed: &Closed, out: &mut Out<'_>) {}
}
