//! Commands and what each takes.

use super::formats::{self, Format, Takes};
use super::shared::{FileAndMore, Input, Json, Limit, Output, Payload, Time};
use crate::cli::choices;
use crate::export::PayloadOptions;
use crate::model::Severity;
use clap::ValueEnum;

/// Options of `ls` and `frames`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub limit: Limit,
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
}

/// Options of `handshake`.
#[derive(Debug, Clone, clap::Args)]
#[command(mut_arg("places", |arg| arg.help("A connection as `wspect ls` numbers it; nothing: all").long_help(None)))]
pub(in crate::cli) struct Handshake {
    #[command(flatten)]
    pub input: FileAndMore,
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
    #[arg(long, conflicts_with_all = ["json", "payload", "max_payload"])]
    pub raw: bool,
    #[command(flatten)]
    pub json: Json,
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
    /// What the capture is: format, interfaces, dropped packets, protocols, names and comments
    #[arg(long)]
    pub capture: bool,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `keys`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Keys {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `check`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    pub input: Input,
    /// Exit with 1 when there is a finding of this severity or worse: note, warning, error
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,
    #[command(flatten)]
    pub json: Json,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `export`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Export {
    #[arg(value_name = "FORMAT", value_parser = formats::format, help = formats::names())]
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
    /// pcapng: these connections only, by their numbers (wspect ls)
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = choices::number::<u32>)]
    pub conn: Vec<u32>,
    /// pcapng: with the TLS keys of these connections, so that whoever has the file can read them
    ///
    /// They stand in a decryption secrets block, which Wireshark and wspect find by themselves. Without it no key is
    /// written, not even those that the input carries. The file can be read by its owner only.
    #[arg(long)]
    pub secrets: bool,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub time: Time,
    #[command(flatten)]
    pub payload: Payload,
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
        ];
        all.into_iter().filter(|(_, is_used)| *is_used).map(|(option, _)| option).collect()
    }
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

fn severity(word: &str) -> Result<Severity, &'static str> {
    let all = [Severity::Note, Severity::Warning, Severity::Error];
    all.into_iter().find(|severity| severity.name() == word).ok_or("one of note warning error")
}
