//! `export` into what other programs open.

use super::copy::{self, Chosen};
use super::exit::{Exit, Failure};
use super::progress::Progress;
use super::run::{Run, pass};
use super::watch::Watch;
use crate::export::{Clock, Files, Filtered, Har, Html, Markdown, Out, Plain, Transcript};
use crate::filter::Rows;
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
        let run = self.narrowed()?;
        let open = run.target.spool();
        let (clock, payload) = (Clock::new(run.job.time, origin), run.job.payload);
        match wanted {
            Wanted::Har { control } => run.export(&mut Har::new(open, control)),
            Wanted::Raw => {
                let folder = run.target.folder()?;
                run.export(&mut Files::new(folder))
            }
            Wanted::Html => run.export(&mut Html::new(open, clock, payload, origin)),
            Wanted::Text => run.export(&mut Transcript::new(Plain::default(), clock, payload)),
            Wanted::Markdown => run.export(&mut Transcript::new(Markdown, clock, payload)),
        }
    }

    /// Where there is a filter, only connections are written that pass, or have a message that does: a pass before tells which.
    fn narrowed(self) -> Result<Self, Failure> {
        let (job, stop) = (self.job, self.stop);
        let Some(filter) = &job.filter else { return Ok(self) };
        if !job.source.is_whole() {
            let why = "with a filter this format is read twice, so it must be a file";
            return Err(Failure::new(Exit::Usage, format!("{}: {why}", self.input.name)));
        }
        let wanted = copy::Wanted { conns: Vec::new(), secrets: false };
        let mut chosen = Chosen::new(&wanted);
        let rows = Rows::CONNECTIONS | Rows::MESSAGES;
        let mut filtered = Filtered::new(filter, rows, self.origin, self.known.clone(), &mut chosen);
        let progress = Progress::new(job.progress, self.input.len(), false);
        // Both passes see the same bytes, also of a file that grows.
        let extent = self.input.extent.clone();
        let input = job.source.open_within(&extent, stop)?;
        pass(input, self.settings.clone(), &mut Watch::new(&mut filtered, Out::memory(), &progress, stop))?;
        progress.clear();
        let input = job.source.open_within(&extent, stop)?;
        Ok(Self { input, only: Some(chosen.conns), ..self })
    }
}
