//! `export` into what other programs open.

use super::exit::{Exit, Failure};
use super::run::Run;
use crate::export::{Clock, Files, Har, Html, Markdown, Plain, Transcript};
use crate::model::Timestamp;

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
    /// A report.
    Html,
    /// A transcript in plain text.
    Text,
    /// A transcript in Markdown.
    Markdown,
}

impl Wanted {
    /// Whether rows come while the capture is read.
    pub(super) const fn is_written_on_the_way(self) -> bool {
        matches!(self, Self::Text | Self::Markdown)
    }
}

impl Run<'_> {
    /// Writes one file for another program.
    pub(super) fn convert(self, wanted: Wanted, origin: Option<Timestamp>) -> Result<Exit, Failure> {
        let open = self.target.spool();
        let (clock, payload) = (Clock::new(self.job.time, origin), self.job.payload);
        match wanted {
            Wanted::Har { control } => self.export(&mut Har::new(open, control)),
            Wanted::Raw => {
                let folder = self.target.folder()?;
                self.export(&mut Files::new(folder))
            }
            Wanted::Html => self.export(&mut Html::new(open, clock, payload, origin)),
            Wanted::Text => self.export(&mut Transcript::new(Plain::default(), clock, payload)),
            Wanted::Markdown => self.export(&mut Transcript::new(Markdown, clock, payload)),
        }
    }
}
