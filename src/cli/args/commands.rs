//! Commands and what each takes.

use super::formats::{self, Format, Takes};
use super::rows::{Cells, Columns, Filter, Form};
use super::shared::{FileAndMore, Input, Json, Limit, Output, Payload, Tail, Time, Written};
use crate::cli::choices::{self, Proposed};
use crate::export::PayloadOptions;
use crate::model::{Severity, Timestamp};
use clap::ValueEnum;
use clap::builder::{PossibleValue, TypedValueParser as _};
use std::ffi::OsString;
use std::path::PathBuf;

/// Options of `ls` and `frames`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub filter: Filter,
    #[command(flatten)]
    pub columns: Columns,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub tail: Tail,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `msgs`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Messages {
    #[command(flatten)]
    pub list: List,
    #[command(flatten)]
    pub payload: Payload,
    /// Exit with 1 unless there are so many messages, those that pass the filter where there is one
    #[arg(long, value_name = "N", value_parser = choices::number::<u64>, hide_short_help = true)]
    pub expect: Option<u64>,
}

/// Options of `handshake`.
#[derive(Debug, Clone, clap::Args)]
#[command(mut_arg("places", |arg| arg.help("A connection as `wspect ls` numbers it; nothing: all").long_help(None)))]
pub(in crate::cli) struct Handshake {
    #[command(flatten)]
    pub input: FileAndMore,
    #[command(flatten)]
    pub filter: Filter,
    #[command(flatten)]
    pub columns: Columns,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `show`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    pub input: FileAndMore,
    /// Messages that begin or end in this packet, or have a frame that does (Wireshark's frame.number)
    #[arg(long, value_name = "PACKET", value_parser = choices::number::<u64>)]
    pub frame: Option<u64>,
    /// The payload's bytes alone; to a terminal only with --force
    #[arg(long, conflicts_with_all = ["json", "format", "payload", "max_payload", "decoded", "state"])]
    pub raw: bool,
    /// With each message what stands on its connection behind it: subscriptions, channels that were joined, requests that wait for an
    /// answer
    #[arg(long)]
    pub state: bool,
    #[command(flatten)]
    pub written: Written,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub payload: Payload,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `follow`.
#[derive(Debug, Clone, clap::Args)]
#[command(mut_arg("places", |arg| arg.help("The connection, as `wspect ls` numbers it").long_help(None)))]
pub(in crate::cli) struct Follow {
    #[command(flatten)]
    pub input: FileAndMore,
    #[command(flatten)]
    pub filter: Filter,
    #[command(flatten)]
    pub columns: Columns,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub payload: Payload,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `stats`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Stats {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub filter: Filter,
    /// What the capture is: format, interfaces, dropped packets, protocols, names and comments
    #[arg(long)]
    pub capture: bool,
    #[command(flatten)]
    pub written: Written,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `types`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Types {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub filter: Filter,
    /// Instead a finding (TYPE-NEW) for each type, where it is seen first
    #[arg(long)]
    pub new: bool,
    /// As --new, of those that were not seen before this time: 2023-11-14T22:13:20Z, or without the zone in local time
    #[arg(long, value_name = "TIME", value_parser = choices::time)]
    pub since: Option<Timestamp>,
    /// text, jsonl (as --json), json (an array), csv, tsv
    #[arg(short = 'T', long, value_name = "FORM", hide_possible_values = true, conflicts_with = "json")]
    pub format: Option<TypesForm>,
    /// Put ' before cells of csv and tsv that a spreadsheet would take for a formula
    #[arg(long, hide_short_help = true)]
    pub safe_csv: bool,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub output: Output,
}

/// Forms of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TypesForm {
    Text,
    Jsonl,
    Json,
    Csv,
    Tsv,
}

/// Options of `keys`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Keys {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub written: Written,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `sessions`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Sessions {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub written: Written,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `check`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub filter: Filter,
    /// Exit with 1 when there is a finding of this severity or worse: note, warning, error
    #[arg(
        long,
        value_name = "SEVERITY",
        value_parser = Proposed(choices::severities).try_map(|word| choices::severity(&word)),
        hide_possible_values = true
    )]
    pub fail_on: Option<Severity>,
    /// Exit with 1 unless this holds, as 'p99(rtt) < 200ms'; also several
    ///
    ///   no KIND [where FILTER]                no finding >= warning
    ///   every KIND [where FILTER] has FILTER  every connection closed 1000
    ///   count(KIND [where FILTER]) OP NUMBER  count(messages where type == ping) > 0
    ///   F(FIELD [where FILTER]) OP VALUE      p99(rtt) < 200ms, sum(len where dir == c2s) < 10MB
    ///
    /// KIND is connections, handshakes, messages, frames or findings; F is min max sum mean
    /// p50 p90 p95 p99 ...; filters are those of -Y, which does not restrict what is asserted.
    /// Of no values a claim about their sum does not hold.
    #[arg(long = "assert", value_name = "CLAIM", verbatim_doc_comment)]
    pub claims: Vec<String>,
    /// Assertions from this file, one a line; lines that begin with # are comments
    #[arg(long, value_name = "FILE")]
    pub assert_file: Vec<PathBuf>,
    /// Leave out findings of this code: they are not printed and do not count for --fail-on
    ///
    /// May be given several times, and as a list: --ignore ORIGIN,CLOSE-SLOW. The sum tells how many were left out.
    #[arg(
        long,
        value_name = "CODE",
        value_delimiter = ',',
        value_parser = Proposed(choices::codes),
        hide_possible_values = true
    )]
    pub ignore: Vec<String>,
    /// text, jsonl (as --json), json (an array), csv, tsv, fields (with -e), junit or sarif
    ///
    ///   junit  JUnit XML: every code is a test case; findings that --fail-on takes, errors without it, are failures
    ///   sarif  SARIF 2.1.0: every code is a rule, every finding a result
    #[arg(
        short = 'T',
        long,
        value_name = "FORMAT",
        hide_possible_values = true,
        conflicts_with = "json",
        verbatim_doc_comment
    )]
    pub format: Option<Report>,
    #[command(flatten)]
    pub cells: Cells,
    /// Say below each finding which rule it is about, what usually causes it and what to try
    #[arg(long, conflicts_with = "json")]
    pub explain: bool,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub tail: Tail,
    #[command(flatten)]
    pub output: Output,
}

/// Formats of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Report {
    /// Rows, as of other commands.
    Rows(Form),
    Junit,
    Sarif,
}

impl ValueEnum for Report {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Rows(Form::Text),
            Self::Rows(Form::Jsonl),
            Self::Rows(Form::Json),
            Self::Rows(Form::Csv),
            Self::Rows(Form::Tsv),
            Self::Rows(Form::Fields),
            Self::Junit,
            Self::Sarif,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Rows(form) => form.to_possible_value(),
            Self::Junit => Some(PossibleValue::new("junit")),
            Self::Sarif => Some(PossibleValue::new("sarif")),
        }
    }
}

/// Options of `export`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Export {
    #[arg(
        value_name = "FORMAT",
        value_parser = Proposed(formats::all).try_map(|word| formats::format(&word)),
        hide_possible_values = true,
        help = formats::names()
    )]
    pub format: Format,
    #[command(flatten)]
    pub input: Input,
    /// jsonl: which kinds: connection, handshake, message, frame, finding; default: message
    ///
    /// They come in the order of the capture. A connection stands at the packet that gave it its number, for which a file
    /// is read twice; from a pipe connections come last.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "message",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub records: Vec<Record>,
    /// har: ping, pong and close as well, which browsers leave out
    #[arg(long)]
    pub har_control: bool,
    /// html, har: show cookies and Authorization, which are redacted otherwise
    #[arg(long)]
    pub no_redact: bool,
    /// script, sqlite, parquet, pcapng: these connections only, by their numbers (wspect ls)
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = choices::number::<u32>)]
    pub conn: Vec<u32>,
    /// pcapng: with the TLS keys of these connections; script: with cookies and Authorization
    ///
    /// Whoever has the file can read what was said, or pass for who said it; so it can be read by its owner only. Keys stand in a
    /// decryption secrets block, which Wireshark and wspect find by themselves. Without it no key is written, not even
    /// those that the input carries.
    #[arg(long, conflicts_with = "decrypted")]
    pub secrets: bool,
    /// script: python, which plays either side (needs websockets), or shell, which plays clients (needs websocat)
    #[arg(long, value_name = "LANGUAGE", hide_possible_values = true)]
    pub language: Option<Language>,
    /// pcapng: what TLS carried as packets of a clear TCP, for programs that do not decrypt
    ///
    /// Of a stream that was decrypted, packets are made with its addresses and ports: a TCP handshake, what the innermost TLS
    /// session carried, and how it ended. Other streams are copied as they were captured.
    #[arg(long)]
    pub decrypted: bool,
    #[command(flatten)]
    pub filter: Filter,
    #[command(flatten)]
    pub cells: Cells,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub payload: Payload,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `diff`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Diff {
    /// Two captures, each with a connection behind it or none; or one with two connections
    #[arg(value_name = "FILE", required = true)]
    pub words: Vec<OsString>,
    #[command(flatten)]
    pub filter: Filter,
    /// What is not compared: json.id,json.items[*].time; then the rest of JSON is compared as values
    ///
    /// May be given several times, and as a list. Of messages that are JSON throughout neither the order of members makes a difference
    /// then, nor blanks, nor how texts and numbers are written: 1 is 1.0.
    #[arg(long, value_name = "PATHS")]
    pub ignore: Vec<String>,
    #[command(flatten)]
    pub written: Written,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub output: Output,
}

impl Export {
    /// Which of the options that not every format takes were used.
    pub(in crate::cli) fn used(&self) -> Vec<Takes> {
        let all = [
            (Takes::Records, self.records != [Record::Message]),
            (Takes::Limit, self.limit.limit.is_some()),
            (Takes::Time, self.time.time.is_some()),
            (Takes::Payload, self.payload.options() != PayloadOptions::default()),
            (Takes::HarControl, self.har_control),
            (Takes::NoRedact, self.no_redact),
            (Takes::Conn, !self.conn.is_empty()),
            (Takes::Secrets, self.secrets),
            (Takes::Decrypted, self.decrypted),
            (Takes::Columns, self.cells.is_used()),
            (Takes::Language, self.language.is_some()),
        ];
        all.into_iter().filter(|(_, is_used)| *is_used).map(|(option, _)| option).collect()
    }
}

/// The words of `export --language`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Language {
    Python,
    Shell,
}

/// Kinds of records for `export --records`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Record {
    Connection,
    Handshake,
    Message,
    Frame,
    Finding,
}
