//! Options that several commands have.

use super::rows::{Columns, Form};
use crate::cli::choices::{self, DecodeRule, Proposed};
use crate::cli::exit::Failure;
use crate::cli::programs::Process;
use crate::cli::redact::{self, RuleList};
use crate::cli::schema;
use crate::decode::Speaker;
use crate::dissect::Settings;
use crate::export::{PayloadMode, PayloadOptions, TimeMode};
use crate::filter::{self, Filter, Speaks};
use crate::model::{DecodeAs, Limits, Overlap};
use crate::tui::ColorChoice;
use clap::builder::TypedValueParser as _;
use clap::{ValueEnum, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

/// The payload of a control frame has no more bytes (RFC 6455 §5.5): why a connection was closed is always kept.
const CONTROL_BYTES: usize = 125;

/// A filter that all connections pass.
const ALL: &str = "conn";

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "General options")]
pub(in crate::cli) struct Manners {
    /// Colours: auto (on a terminal), always, never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub color: When,
    /// Progress on stderr: auto (on a terminal, after half a second), always, never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true,
        hide_short_help = true
    )]
    pub progress: When,
    /// A pager for rows: auto (on a terminal, when they do not fit on the screen), always (on a terminal), never
    ///
    /// It is the one that PAGER names, else less -FRX; an empty PAGER means none. With auto, rows
    /// of a pipe and of a file that grows are not paged: they come as they are known.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true,
        hide_short_help = true
    )]
    pub pager: When,
    /// Take what is not typed from this file (default: see wspect config path)
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub config: Option<PathBuf>,
    /// Take nothing from a configuration file
    #[arg(long, global = true, conflicts_with = "config", hide_short_help = true)]
    pub no_config: bool,
    /// Exit with 4 when the input was cut, had gaps, or lacked keys
    #[arg(long, global = true)]
    pub strict: bool,
    /// Warnings and the summary to the end of this file instead of stderr
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub log: Option<PathBuf>,
    /// No warnings, progress or summary on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say on stderr what was read; -vv: also every finding
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// How a capture is read, by every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Reading options")]
pub(in crate::cli) struct Reading {
    /// Read streams as something, as in tshark: tcp.port==9000,websocket
    ///
    ///   SELECTOR  tcp.port==9000, tcp.port==9000-9010, ip.addr==10.0.0.1, tcp.stream==3
    ///   PROTOCOL  websocket: frames, also where no handshake was captured
    ///             none: leave them alone
    ///
    /// And what is said in a connection, for --decoded and fields such as event: conn==3,mqtt
    ///
    ///   SELECTOR  any filter of connections: conn==3, host=="mq.example", path contains "/ws"
    ///   PROTOCOL  a decoder: socket.io, mqtt, json …, or one of the configuration (docs/DECODERS.md)
    ///             protobuf:chat.Envelope: a type of messages, of those that --proto declares
    ///
    /// May be given several times; the first that fits holds.
    #[arg(short, long, global = true, value_name = "SELECTOR,PROTOCOL", value_parser = |text: &str| choices::rule(text, None), verbatim_doc_comment)]
    pub decode_as: Vec<DecodeRule>,
    /// Schema of Protocol Buffers, .proto or descriptor set: chat.proto, chat.proto:chat.Envelope
    ///
    /// With it, --decoded, fields such as decoded.data.text and the browser have fields of messages by their names. Behind a colon stands the
    /// type of the messages; without one it is the type that the messages of a direction fit, if one alone does. May be given several
    /// times. A descriptor set is what `protoc --include_imports --descriptor_set_out=FILE` writes.
    #[arg(long, global = true, value_name = "FILE[:MESSAGE]", hide_short_help = true)]
    pub proto: Vec<PathBuf>,
    /// Directory in which imports of --proto are looked for, besides that of FILE; may be given several times
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub proto_path: Vec<PathBuf>,
    /// TLS key log (SSLKEYLOGFILE); may be given several times
    ///
    /// Without being told, wspect uses the file that SSLKEYLOGFILE names, the key logs that a pcapng carries, and beside
    /// cap.pcap the files cap.keys, cap.keylog, cap.pcap.keys and cap.pcap.keylog. `wspect keys` tells which of them fit.
    #[arg(short, long, global = true, value_name = "FILE", allow_hyphen_values = true)]
    pub keylog: Vec<PathBuf>,
    /// Use only the key logs that -k names
    #[arg(long, global = true, hide_short_help = true)]
    pub no_keylog: bool,
    /// RSA private key of a server (PEM); may be given several times
    ///
    /// It opens TLS 1.0 to 1.2 where the cipher suite is TLS_RSA_WITH_…: where the client encrypts its secret with that key.
    #[arg(long, global = true, value_name = "FILE", allow_hyphen_values = true, hide_short_help = true)]
    pub rsa_key: Vec<PathBuf>,
    /// Try all keys on TLS 1.3 streams whose ClientHello was not captured
    ///
    /// A record's tag tells whether a key fits. How many keys and how many records ahead are tried, wspect --limits shows.
    #[arg(long, global = true, hide_short_help = true)]
    pub try_keys: bool,
    /// Which copy of a byte counts where segments disagree: first, last, linux, bsd, windows or solaris (default: first)
    ///
    /// What a system makes of a segment that overlaps one which it holds out of order: the one that received is to be named.
    /// Bytes that were delivered are final. Where copies differ, TCP-OVERLAP says which is shown.
    #[arg(long, global = true, value_name = "POLICY", hide_short_help = true)]
    pub overlap: Option<Overlap>,
    /// Bytes kept of one message, inflated or not, 125 at least: 5000000, 100M (default: see wspect --limits)
    ///
    /// The letters k, M and G stand for powers of 1024, here and wherever bytes are wanted.
    #[arg(long, global = true, value_name = "BYTES", value_parser = choices::size, hide_short_help = true)]
    pub max_message: Option<u64>,
    /// Bytes to which one connection's messages may inflate: 20G (default: see wspect --limits)
    ///
    /// They may always inflate to 32 times what they are on the wire: a long conversation is no bomb.
    #[arg(long, global = true, value_name = "BYTES", value_parser = choices::size, hide_short_help = true)]
    pub max_inflated: Option<u64>,
    /// Bytes to which a compressed capture may unpack: 200G (default: see wspect --limits)
    #[arg(long, global = true, value_name = "BYTES", value_parser = choices::size, hide_short_help = true)]
    pub max_unpacked: Option<u64>,
    /// Bytes that may wait in all streams together, for what is missing before them or for their end: 200M
    ///
    /// What waits for a hole to be filled, for the rest of a message, for a key … has a bound each (wspect --limits); they take the
    /// share of this that they have of their sum. Of the browser's rows no more stays in memory; the others go to a temporary file.
    #[arg(long, global = true, value_name = "BYTES", value_parser = choices::size, hide_short_help = true)]
    pub memory_limit: Option<u64>,
}

impl Reading {
    /// As the dissection wants it.
    pub(in crate::cli) fn settings(&self) -> Settings {
        let mut limits = Limits::DEFAULT;
        if let Some(max) = self.max_message {
            let bytes = usize::try_from(max).unwrap_or(usize::MAX);
            let bytes = bytes.max(CONTROL_BYTES);
            (limits.message_bytes, limits.inflated_bytes) = (bytes, bytes);
            limits.message_total = limits.message_total.max(bytes.saturating_mul(2));
            limits.inflated_stop = limits.inflated_stop.max(max);
        }
        if let Some(max) = self.max_inflated {
            limits.inflated_total = max;
        }
        if let Some(bytes) = self.memory_limit {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            limits = limits.within(bytes);
            limits.index_bytes = limits.index_bytes.min(bytes);
        }
        if let Some(max) = self.max_unpacked {
            limits.unpacked_bytes = max;
        }
        let streams = self.decode_as.iter().filter_map(|rule| match rule {
            DecodeRule::Stream(rule) => Some(rule.clone()),
            DecodeRule::Speaks(..) => None,
        });
        let (decode_as, overlap) = (DecodeAs(streams.collect()), self.overlap.unwrap_or_default());
        Settings { limits, decode_as, overlap, ..Settings::default() }
    }

    /// What connections speak, as the user says: by what was typed, then by these decoders of the configuration; and the schema.
    ///
    /// # Errors
    /// Where the schema cannot be read, or has no type that is named.
    pub(in crate::cli) fn speaks(&self, theirs: &[Arc<Process>]) -> Result<Vec<Speaks>, Failure> {
        let spoken = self.spoken(theirs)?.into_iter();
        Ok(spoken.filter_map(|(connections, speaker)| Some((Filter::new(&connections).ok()?, speaker))).collect())
    }

    /// The same, with the filters as they stand there.
    ///
    /// # Errors
    /// As [`Self::speaks`].
    pub(in crate::cli) fn spoken(&self, theirs: &[Arc<Process>]) -> Result<Vec<(String, Speaker)>, Failure> {
        let schema = schema::load(&self.proto, &self.proto_path)?;
        let program = |process: &Arc<Process>| Speaker::Theirs(Arc::<Process>::clone(process));
        let mut spoken = Vec::new();
        for rule in &self.decode_as {
            let DecodeRule::Speaks(connections, name) = rule else { continue };
            let ours = filter::speakers(name, schema.as_ref()).map_err(Failure::usage)?;
            let theirs = || theirs.iter().find(|process| process.spec.name == name).map(program);
            let speakers = ours.unwrap_or_else(|| theirs().into_iter().collect());
            spoken.extend(speakers.into_iter().map(|speaker| (connections.clone(), speaker)));
        }
        spoken.extend(theirs.iter().filter_map(|process| Some((process.spec.filter.clone()?, program(process)))));
        spoken.extend(schema.map(|schema| (ALL.to_owned(), Speaker::Typed(schema))));
        Ok(spoken)
    }
}

/// What is not shown, by every command that shows heads or payloads.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "General options")]
pub(in crate::cli) struct Redaction {
    /// Show pseudonyms instead of cookies,authorization,query:NAME,json:NAME,header:NAME,regex:PATTERN
    ///
    ///   cookies        values of cookies, sent and set
    ///   authorization  credentials in Authorization and Proxy-Authorization
    ///   header:NAME    the value of a header
    ///   query:NAME     a parameter's value in any URL
    ///   json:NAME      a member's value in any JSON, also within its strings
    ///   regex:PATTERN  what matches, or its first group; takes the rest of LIST
    ///
    /// The same value has the same pseudonym in a whole run, and another in the next. May be given several times.
    /// A message that lacks bytes is replaced as a whole, because nobody can tell what stands where in it.
    #[arg(long, global = true, value_name = "LIST", value_parser = redact::list, hide_short_help = true, verbatim_doc_comment)]
    pub redact: Vec<RuleList>,
}

/// When something is done that depends on whether a stream is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum When {
    Auto,
    Always,
    Never,
}

impl From<When> for ColorChoice {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

/// One capture, or several as one.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Input {
    /// The capture, .pcap or .pcapng; - or nothing: stdin. Several are merged by time
    ///
    /// A directory stands for the captures in it. Of rotated files (tcpdump -C, dumpcap -b) connections go on from one to the next,
    /// also where the clock was set back between two that are named in their order.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read on as the file grows, until ^C; also in another that takes its name. Of a directory the newest, and what appears in it
    #[arg(long, hide_short_help = true)]
    pub follow: bool,
    #[command(flatten)]
    pub read: Read,
}

/// One capture, or several, then numbers in it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct FileAndMore {
    /// The capture, .pcap or .pcapng; -: stdin. Others may follow
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<OsString>,
    /// Connections as `wspect ls` numbers them, or messages as `wspect msgs` does: 3, 3:17
    #[arg(value_name = "CONN")]
    pub places: Vec<OsString>,
    #[command(flatten)]
    pub read: Read,
}

/// The other way to name the capture.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Read {
    /// The capture, as in tshark, also several times: what stands behind are numbers only
    #[arg(short, value_name = "FILE", allow_hyphen_values = true, hide_short_help = true)]
    pub read: Vec<PathBuf>,
}

/// Where rows go.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Output {
    /// Write to this file instead of stdout; it appears when it is whole
    #[arg(short, long, value_name = "PATH", allow_hyphen_values = true)]
    pub output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
}

/// In which form.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Json {
    /// Print records: one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// In which form, where there are no columns to choose.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Written {
    #[command(flatten)]
    pub json: Json,
    /// text, jsonl (as --json), json (an array)
    #[arg(short = 'T', long, value_name = "FORM", hide_possible_values = true, conflicts_with = "json")]
    pub format: Option<WrittenForm>,
}

/// Forms of rows without columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum WrittenForm {
    Text,
    Jsonl,
    Json,
}

impl Written {
    /// As a list says it.
    pub(in crate::cli) fn columns(&self) -> Columns {
        let format = self.format.map(|form| match form {
            WrittenForm::Text => Form::Text,
            WrittenForm::Jsonl => Form::Jsonl,
            WrittenForm::Json => Form::Json,
        });
        Columns { format: format.or(self.json.json.then_some(Form::Jsonl)), ..Columns::default() }
    }
}

/// How many rows.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Limit {
    /// Print the first N rows only
    ///
    /// -n alone, which tshark takes for "no names", is accepted and means nothing.
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        num_args = 0..=1,
        default_missing_value = "18446744073709551615",
        value_parser = choices::number::<u64>,
        allow_negative_numbers = true
    )]
    pub limit: Option<u64>,
}

/// How many rows, from the end.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Tail {
    /// Print the last N rows only, once all is read
    #[arg(
        long,
        value_name = "N",
        value_parser = choices::number::<u64>,
        allow_negative_numbers = true,
        conflicts_with = "limit",
        hide_short_help = true
    )]
    pub tail: Option<u64>,
}

/// How times are shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Time {
    /// Times in text, as in tshark: a ad d dd e r u ud; or local utc rel delta
    ///
    ///   a, local      local time of day       ad  with the date
    ///   u, utc        time of day in UTC      ud  with the date
    ///   r, rel        seconds since the first packet
    ///   d, dd, delta  seconds since the row before
    ///   e             seconds since 1970-01-01 UTC
    ///
    /// To the microsecond; records have nanoseconds, in UTC. Default: local for ls and
    /// handshake, with the date for stats, rel for the others.
    #[arg(
        short,
        long,
        value_name = "MODE",
        value_parser = Proposed(time_modes).try_map(|word| time_mode(&word)),
        hide_possible_values = true,
        verbatim_doc_comment
    )]
    pub time: Option<TimeMode>,
}

/// How payloads are shown.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(in crate::cli) struct Payload {
    /// Payloads: auto, text, hex, base64, none
    ///
    /// auto: text as text, anything else in hex. In records the mode changes little, since `enc` says what a payload is:
    /// base64 writes every one in base64, none writes null.
    #[arg(long, value_name = "MODE", default_value = "auto", hide_possible_values = true, hide_default_value = true)]
    pub payload: PayloadArg,
    /// Show at most so many bytes of each payload, text up to the end of a character; 0, the default: all
    #[arg(
        long,
        value_name = "BYTES",
        value_parser = choices::size,
        allow_negative_numbers = true,
        default_value_t = 0,
        hide_default_value = true
    )]
    pub max_payload: u64,
    /// What messages say in the terms of their protocol: in text instead of the payload, in records beside it (docs/DECODERS.md)
    ///
    /// The protocol is told by the subprotocol that was agreed on, by the URL, and by what is said; -d says it for those that are
    /// told wrong. What no decoder understands is shown as it is.
    #[arg(long)]
    pub decoded: bool,
}

impl Payload {
    /// As the export floor wants it.
    pub(in crate::cli) fn options(self) -> PayloadOptions {
        let mode = match self.payload {
            PayloadArg::Auto => PayloadMode::Auto,
            PayloadArg::Text => PayloadMode::Text,
            PayloadArg::Hex => PayloadMode::Hex,
            PayloadArg::Base64 => PayloadMode::Base64,
            PayloadArg::None => PayloadMode::None,
        };
        PayloadOptions { mode, max: self.max_payload, decoded: self.decoded, state: false }
    }
}

/// The words of `--payload`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PayloadArg {
    #[default]
    Auto,
    Text,
    Hex,
    Base64,
    None,
}

/// What `-t` takes: words, and the letters of tshark.
const TIME_MODES: [(&str, TimeMode); 12] = [
    ("local", TimeMode::Local),
    ("utc", TimeMode::Utc),
    ("rel", TimeMode::Relative),
    ("delta", TimeMode::Delta),
    ("a", TimeMode::Local),
    ("ad", TimeMode::LocalDate),
    ("u", TimeMode::Utc),
    ("ud", TimeMode::UtcDate),
    ("r", TimeMode::Relative),
    ("d", TimeMode::Delta),
    ("dd", TimeMode::Delta),
    ("e", TimeMode::Epoch),
];

fn time_modes() -> Vec<&'static str> {
    TIME_MODES.map(|(word, _)| word).to_vec()
}

fn time_mode(word: &str) -> Result<TimeMode, String> {
    let mode = TIME_MODES.into_iter().find_map(|(known, mode)| (known == word).then_some(mode));
    mode.ok_or_else(|| format!("one of {}", time_modes().join(" ")))
}
