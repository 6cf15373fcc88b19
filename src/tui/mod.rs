//! The terminal browser: one state, changed by keys and by what the reader sends, drawn as a function of itself.
//!
//! ```text
//! keys, mouse ─▶ App::event ─┐
//! reader ──────▶ App::take ──┴▶ App ─▶ view ─▶ terminal
//! ```

mod action;
mod again;
mod anatomy;
mod app;
mod apply;
mod bytes;
mod choosing;
mod clipboard;
mod clock;
mod columns;
mod command;
mod connections;
mod copy;
mod detail;
mod diff;
mod dump;
mod events;
mod everywhere;
mod exporting;
mod filter;
mod find;
mod findings;
mod handshake;
mod hearing;
mod input;
mod keymap;
mod keys;
mod ladder;
mod layout;
mod list;
mod load;
mod marks;
mod measures;
mod menu;
mod messages;
mod mouse;
mod names;
mod packets;
mod palette;
mod paper;
mod picker;
mod plaintext;
mod prompt;
mod provenance;
mod ranking;
mod rules;
mod search;
mod sessions;
mod settle;
mod sorting;
mod stats;
mod steady;
mod terminal;
mod text;
mod theme;
mod tls;
mod trace;
mod travel;
mod tree;
mod update;
mod view;
mod wire;

pub use action::{Action, Screen};
pub use app::{Anew, App, Effect, Options, Pane, Preferences};
pub use columns::{Table, TableColumns};
pub use detail::PayloadView;
pub use exporting::shell_line;
pub use keymap::{Keyset, Mapping, check_mapping};
pub use keys::{Binding, KEYMAP, Key, Scope};
pub use list::Move;
pub use load::{Outcome, Progress};
pub use marks::{Marked, Marks};
pub use packets::{Carried, Carrier, Payload, Wanted};
pub use picker::{Offer, Offers, Picked, Picker};
pub use rules::ColorRule;
pub use terminal::{pick, run};
pub use theme::{ColorChoice, ThemeName};
pub use view::view;

use crate::book::Batch;
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A reading of the capture.
#[derive(Debug)]
pub struct Reading {
    /// What it has to tell.
    pub loading: Receiver<Loading>,
    /// Becomes true when it need not go on.
    pub stop: Arc<AtomicBool>,
}

/// Reads the capture in another way, as the user wants it.
pub type Again = Box<dyn FnMut(Anew) -> Named>;

/// Packets that are read once more.
#[derive(Debug)]
pub struct Fetching {
    /// What is told of them.
    pub packets: Receiver<Carried>,
    /// Becomes true when they are not wanted any more.
    pub stop: Arc<AtomicBool>,
}

/// Keeps columns of tables; says what came of that.
pub type Save = Box<dyn FnMut(&[TableColumns]) -> String>;

/// What the browser asks of who started it.
pub struct Outside {
    /// Begins another reading of the capture; why not, where there is none.
    pub again: Again,
    /// Keeps a filter for the next time.
    pub remember: Box<dyn FnMut(&str)>,
    /// Keeps the marks of this capture.
    pub keep: Box<dyn FnMut(&Marks)>,
    /// Keeps columns of tables for the next time; what is to be said of that.
    pub save: Save,
    /// Begins to read packets once more.
    pub packets: Box<dyn FnMut(Wanted) -> Fetching>,
    /// Runs `wspect` with these words in front of those that the browser was started with; later tells how that has ended.
    pub export: Box<dyn FnMut(Vec<String>) -> Receiver<String>>,
}

/// What is done where a capture is to be read again.
pub enum Named {
    /// It is read again.
    Again(Reading),
    /// Who reads it now reads what was named as well: what is to be said.
    Said(String),
    /// It is not, for this reason.
    Refused(String),
}

/// What the reader tells the browser.
#[derive(Debug)]
pub enum Loading {
    /// The next events.
    Batch(Batch),
    /// How far it is: a few times a second.
    Progress(Progress),
    /// The capture is read again: what was told before is void.
    Again,
    /// It is not read again, for this reason. The last word, as [`Loading::Done`].
    Refused(String),
    /// The last word.
    Done(Outcome),
}
