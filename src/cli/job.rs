//! What a job is: what is read, what is done with it, and how that is written.

use super::args::{Report, When};
use super::convert;
use super::copy;
use super::input::Source;
use super::keys::Keys;
use super::pick::Table;
use super::watch::Tell;
use crate::dissect::Settings;
use crate::export::{Decoding, Delimited, Exporter, Kinds, PayloadOptions, Place, Redactor, TimeMode, WantedTypes};
use crate::filter::{Claim, Filter, Needs, Rows, Speaks};
use crate::model::{ConnId, NoteSet, PacketNo, Severity};
use std::path::PathBuf;

/// All that a run needs to know.
#[derive(Debug)]
pub(super) struct Job {
    /// What is read.
    pub source: Source,
    /// How it is read.
    pub settings: Settings,
    /// What is said in connections, as the user says.
    pub speaks: Vec<Speaks>,
    /// Which key logs are read.
    pub keys: Keys,
    /// What is done with it.
    pub work: Work,
    /// In which form rows are written.
    pub form: FormKind,
    /// Which rows are written.
    pub filter: Option<Filter>,
    /// In which columns, where they are cells.
    pub table: Option<Table>,
    /// What must hold.
    pub claims: Vec<Claim>,
    /// How payloads are shown.
    pub payload: PayloadOptions,
    /// Whether findings are explained.
    pub explains: bool,
    /// What of it is not shown.
    pub redactor: Redactor,
    /// How times are shown.
    pub time: TimeMode,
    /// How many rows are wanted.
    pub limit: Option<u64>,
    /// How many are wanted from the end.
    pub tail: Option<u64>,
    /// How many messages there are to be.
    pub expect: Option<u64>,
    /// The file that rows go to.
    pub output: Option<PathBuf>,
    /// Whether that file may be replaced, and raw bytes may go to a terminal.
    pub force: bool,
    /// Exit code 4 when the input was cut, had gaps, or lacked keys.
    pub strict: bool,
    /// Whether colours are used.
    pub color: When,
    /// Whether rows are paged.
    pub pager: When,
    /// Whether progress is shown.
    pub progress: When,
    /// Which findings are told on stderr.
    pub tell: Option<Tell>,
    /// The sum is told at the end.
    pub sums_up: bool,
    /// How much was read, and how fast, is told at the end.
    pub tells_speed: bool,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// A row for each connection.
    Connections,
    /// Rows of these kinds, as they come.
    Rows(Kinds),
    /// Handshakes, of all connections or of one.
    Handshakes(Option<ConnId>),
    /// Messages in full.
    Show(Wanted),
    /// A conversation.
    Follow(ConnId),
    /// A row for each TLS stream.
    Keys,
    /// A row for each session.
    Sessions,
    /// Figures.
    Stats,
    /// Kinds of messages.
    Types(TypesWanted),
    /// What the capture is.
    Capture,
    /// A file for another program.
    Convert(convert::Wanted),
    /// Their packets.
    Copy(copy::Wanted),
    /// Findings.
    Check(Checked),
}

/// How kinds of messages are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypesWanted {
    /// All of them, or the new ones.
    pub which: WantedTypes,
    /// In cells, so written.
    pub cells: Option<Delimited>,
}

/// Which findings are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checked {
    /// The severity from which they fail the run.
    pub fail_on: Option<Severity>,
    /// Those that are left out.
    pub ignored: NoteSet,
    /// In which form they are reported.
    pub report: Report,
}

impl Work {
    /// The kinds of rows that it writes, or counts.
    pub(super) fn rows(&self) -> Rows {
        match self {
            Self::Connections => Rows::CONNECTIONS,
            Self::Rows(kinds) => kinds.rows(),
            Self::Handshakes(_) => Rows::HANDSHAKES,
            Self::Follow(_) => Rows::MESSAGES,
            Self::Stats => Rows::MESSAGES | Rows::FINDINGS,
            Self::Copy(_) => Rows::CONNECTIONS | Rows::MESSAGES,
            Self::Convert(_) | Self::Types(_) => Rows::MESSAGES,
            Self::Check(_) => Rows::FINDINGS,
            Self::Show(_) | Self::Keys | Self::Sessions | Self::Capture => Rows::NONE,
        }
    }
}

/// Which messages are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Connections and messages by number.
    Places(Vec<Place>),
    /// What lies in a packet.
    Packet(PacketNo),
}

/// In which form rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormKind {
    /// For people.
    Text,
    /// Records.
    Json,
    /// Records, as one array.
    Array,
    /// Payloads alone.
    Raw,
}

impl Job {
    /// What must be at hand for its filter and its columns.
    pub(super) fn needs(&self) -> Needs {
        let rows = self.work.rows();
        let filter = self.filter.as_ref().map(|filter| filter.needs(rows)).unwrap_or_default();
        let table = self.table.as_ref().map(|table| table.needs(rows)).unwrap_or_default();
        self.claims.iter().map(Claim::needs).fold(filter.or(table), Needs::or)
    }

    /// An exporter that is told what messages say, where anybody asks for that.
    pub(super) fn decoding<'e>(&'e self, exporter: &'e mut dyn Exporter) -> Decoding<'e> {
        let PayloadOptions { decoded, state, .. } = self.payload;
        let is_asked = decoded || state || self.needs().decoded || matches!(self.work, Work::Types(_));
        Decoding::new(is_asked, state, &self.speaks, self.settings.limits, exporter)
    }

    /// The same without a word on stderr, or a pager.
    pub(super) fn silent(self) -> Self {
        let never = When::Never;
        Self { pager: never, progress: never, tell: None, sums_up: false, tells_speed: false, ..self }
    }
}
