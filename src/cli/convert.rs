//! `export` into what other programs open.

use super::args::Language;
use super::copy::{self, Chosen};
use super::exit::{Exit, Failure};
use super::folder::Layout;
use super::progress::Progress;
use super::run::{Run, pass};
use super::watch::Watch;
#[cfg(feature = "parquet")]
use crate::export::Parquet;
#[cfg(feature = "sqlite")]
use crate::export::Sqlite;
use crate::export::{Clock, Exporter, Files, Filtered, Har, Html, Markdown, Out, Plain, Python, Shell, Transcript};
use crate::filter::Rows;
use crate::model::{ConnId, Timestamp};

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// In which format.
    pub into: Into,
    /// These connections; none: all.
    pub conns: Vec<ConnId>,
}

/// Into what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
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
    /// A program that says it again.
    Script {
        /// In which language.
        language: Language,
        /// With cookies and credentials.
        secrets: bool,
    },
    /// A SQLite database.
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// A data set in Parquet.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Into {
    /// What is in the directory, where it is one.
    pub(super) const fn layout(self) -> Option<&'static Layout> {
        match self {
            Self::Raw => Some(&Layout::RAW),
            #[cfg(feature = "parquet")]
            Self::Parquet => Some(&Layout::PARQUET),
            _ => None,
        }
    }

    /// Whether rows come while the capture is read.
    pub(super) const fn is_written_on_the_way(self) -> bool {
        matches!(self, Self::Text | Self::Markdown | Self::Script { language: Language::Python, .. })
    }
}

impl Run<'_> {
    /// Writes one file for another program.
    pub(super) fn convert(mut self, wanted: &Wanted, origin: Option<Timestamp>) -> Result<Exit, Failure> {
        if matches!(wanted.into, Into::Script { secrets: true, .. }) {
            self.target.keep_private()?;
        }
        let run = self.narrowed(&wanted.conns)?;
        let open = run.target.spool();
        let (clock, payload) = (Clock::new(run.job.time, origin), run.job.payload);
        match wanted.into {
            Into::Har { control } => run.export(&mut Har::new(open, control)),
            Into::Raw => {
                let folder = run.target.folder()?;
                run.export(&mut Files::new(folder))
            }
            Into::Html => run.export(&mut Html::new(open, clock, payload, origin)),
            Into::Text => run.export(&mut Transcript::new(Plain::default(), clock, payload)),
            Into::Markdown => run.export(&mut Transcript::new(Markdown, clock, payload)),
            Into::Script { language: Language::Python, secrets } => run.export(&mut Python::new(origin, secrets)),
            Into::Script { language: Language::Shell, secrets } => run.export(&mut Shell::new(open, secrets)),
            #[cfg(feature = "sqlite")]
            Into::Sqlite => {
                let made = Sqlite::new(run.target.file()?);
                let mut database = made.map_err(|error| run.target.unwritable(&error))?;
                run.export(&mut database)
            }
            #[cfg(feature = "parquet")]
            Into::Parquet => {
                let made = Parquet::new(&mut *run.target.folder()?);
                let mut files = made.map_err(|error| run.target.unwritable(&error))?;
                run.export(&mut files)
            }
        }
    }

    /// Where there is a filter, only connections are written that pass, or have a message that does, and of those that are named
    /// none else: a pass before tells which.
    fn narrowed(self, conns: &[ConnId]) -> Result<Self, Failure> {
        let (job, stop) = (self.job, self.stop);
        if job.filter.is_none() && conns.is_empty() {
            return Ok(self);
        }
        if !job.source.is_whole() {
            let with = if conns.is_empty() { "a filter" } else { "--conn" };
            let why = format!("with {with} this format is read twice, so it must be a file");
            return Err(Failure::new(Exit::Usage, format!("{}: {why}", self.input.name)));
        }
        let wanted = copy::Wanted { conns: conns.to_vec(), secrets: false, decrypted: false };
        let mut chosen = Chosen::new(&wanted);
        let rows = Rows::CONNECTIONS | Rows::MESSAGES;
        let mut filtered =
            job.filter.as_ref().map(|filter| Filtered::new(filter, rows, self.origin, self.known.clone(), &mut chosen));
        let progress = Progress::new(job.progress, self.input.len(), false);
        // Both passes see the same bytes, also of a file that grows.
        let extent = self.input.extent.clone();
        let input = job.source.open_within(&extent, stop)?;
        let exporter: &mut dyn Exporter = match &mut filtered {
            Some(filtered) => filtered,
            None => &mut chosen,
        };
        pass(
            input,
            self.settings.clone(),
            &mut Watch::new(&mut job.decoding(exporter), Out::memory(), &progress, stop, &self.job.redactor),
        )?;
        progress.clear();
        if let Some(why) = chosen.lacks().filter(|_| !stop.is_wanted()) {
            return Err(Failure::new(Exit::Found, format!("{}: {why}", self.input.name)));
        }
        let input = job.source.open_within(&extent, stop)?;
        Ok(Self { input, only: Some(chosen.conns), ..self })
    }
}
