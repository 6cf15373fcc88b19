//! Findings for continuous integration: documents of a known form, whole at the end.

mod junit;
mod sarif;

pub use junit::Junit;
pub use sarif::Sarif;

use crate::escape;
use crate::model::{Note, Stamp};

/// A finding's sentence, with its detail; safe on a terminal, and one line.
fn sentence(note: &Note<'_>) -> String {
    let detail = note.detail.map_or(String::new(), |detail| format!(" ({})", escape::display_str(detail)));
    format!("{}{detail}", escape::display_str(note.sentence()))
}

/// What a finding is about: `conn 1`, `stream 3`, `file`.
fn about(at: &Stamp) -> String {
    at.place().unwrap_or_else(|| String::from("file"))
}
