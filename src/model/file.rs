//! Findings about the capture itself.

use super::mark::Mark;
use super::note::{Note, NoteCode};

/// A finding about the file or its packets, made below the protocols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNote {
    /// What it is about.
    pub code: NoteCode,
    /// The last packet read when it was found; packet 0 before the first.
    pub at: Mark,
    /// One sentence with offsets and counts. It holds nothing that the capture's bytes spell.
    pub text: String,
}

impl FileNote {
    /// The finding as every other finding is told.
    pub fn note(&self) -> Note<'_> {
        Note { text: &self.text, ..Note::new(self.code, self.at) }
    }
}
