//! The terminal browser: one state, changed by keys and by what the reader sends, drawn as a function of itself.
//!
//! ```text
//! keys, mouse ─▶ App::event ─┐
//! reader ──────▶ App::take ──┴▶ App ─▶ view ─▶ terminal
//! ```

mod action;
mod anatomy;
mod app;
mod bytes;
mod clipboard;
mod clock;
mod connections;
mod copy;
mod detail;
mod dump;
mod find;
mod findings;
mod handshake;
mod keys;
mod layout;
mod list;
mod load;
mod menu;
mod messages;
mod mouse;
mod paper;
mod search;
mod steady;
mod terminal;
mod text;
mod theme;
mod travel;
mod tree;
mod update;
mod view;
mod wire;

pub use action::{Action, Screen};
pub use app::{App, Effect, Options, Pane};
pub use detail::PayloadView;
pub use keys::{Binding, KEYMAP, Key, Scope};
pub use list::Move;
pub use load::{Outcome, Progress};
pub use terminal::run;
pub use theme::ColorChoice;
pub use view::view;

use crate::book::Batch;

/// What the reader tells the browser.
#[derive(Debug)]
pub enum Loading {
    /// The next events.
    Batch(Batch),
    /// How far it is: a few times a second.
    Progress(Progress),
    /// The last word.
    Done(Outcome),
}
