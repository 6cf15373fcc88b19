//! `export` into what other programs open.

use super::exit::{Exit, Failure};
use super::run::Run;
use crate::export::{Files, Har};

/// Into what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// An HTTP archive.
    Har {
        /// With control frames.
        control: bool,
    },
    /// A directory with a file for each message.
    Raw,
}

impl Run<'_> {
    /// Writes one file for another program.
    pub(super) fn convert(self, wanted: Wanted) -> Result<Exit, Failure> {
        let open = self.target.spool();
        match wanted {
            Wanted::Har { control } => self.export(&mut Har::new(open, control)),
            Wanted::Raw => {
                let folder = self.target.folder()?;
                self.export(&mut Files::new(folder))
            }
        }
    }
}
