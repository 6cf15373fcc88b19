//! What can be typed: every command and every option, each defined once.

use super::choices;
use crate::dissect::Settings;
use crate::export::{PayloadMode, PayloadOptions, TimeMode};
use crate::model::{DecodeAs, FLAGS, Limits, Overlap, Rule, Severity};
use clap::{Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// The payload of a control frame has no more bytes (RFC 6455 §5.5): why a connection was closed is always kept.
const CONTROL_BYTES: usize = 125;

/// Examples below a command's options.
macro_rules! examples {
    ($first:literal $(, $other:literal)+) => {
        concat!("Examples:\n  ", $first $(, "\n  ", $other)+)
    };
}

/// What the flags of a connection mean, above what else stands below its options.
fn with_flags(rest: &str) -> String {
    let flags: String = FLAGS.iter().map(|flag| format!("  {:<6}  {}\n", flag.name, flag.meaning)).collect();
    format!("Flags:\n{flags}\n{rest}")
}

/// Shows what was said over WebSocket in a packet capture.
///
/// Reads .pcap and .pcapng, also compressed (gzip, zstd, lz4, xz), from a file or a pipe; never from the network. Without a command it opens a browser in the
/// terminal; without a terminal, and with --json, -n, -t or -o, it lists the connections as `wspect ls` does.
///
/// Rows go to stdout and nothing else does; warnings, progress and the summary go to stderr.
#[derive(Debug, Parser)]
#[command(
    name = "wspect",
    version,
    max_term_width = 100,
    override_usage = "wspect [OPTIONS] [FILE]...\n       wspect COMMAND [OPTIONS] [FILE]...",
    subcommand_help_heading = "Commands",
    disable_help_subcommand = true,
    args_override_self = true,
    after_help = "`wspect COMMAND -h` lists a command's options; --help explains, here and there.",
    after_long_help = concat!(
        "Exit codes:\n",
        "    0  done, also with warnings or with nothing to show\n",
        "    1  check found what --fail-on asks for; no such connection or message\n",
        "    2  the command line is wrong\n",
        "    3  the input cannot be read or is no capture\n",
        "    4  with --strict: the input was cut, had gaps, or lacked keys\n",
        "    5  the output cannot be written\n",
        "   70  a bug\n",
        "  130  interrupted; 141 the reader of the output went away\n\n",
        examples!("wspect chat.pcapng", "tcpdump -i lo -w - port 8080 | wspect msgs --json | jq -r .payload"),
    )
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub list: List,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub manners: Manners,
    /// Print every bound on what is kept in memory, with its unit and default
    #[arg(long, exclusive = true, help_heading = "General options", hide_short_help = true)]
    pub limits: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// One line per WebSocket connection
    ///
    /// Columns: number, TCP stream (Wireshark's tcp.stream), start, duration, client, URL (up to 80 columns; --json has all
    /// of it), messages to the server (→) and to the client (←), payload bytes, flags, how it ended; behind that ✗ where an
    /// error was found, ! where a warning was (wspect check).
    #[command(after_long_help = with_flags(examples!(
        "wspect ls chat.pcapng",
        r#"wspect ls --json chat.pcapng | jq -r 'select(.state == "rejected").url'"#
    )))]
    Ls(List),
    /// One line per message
    ///
    /// Columns: connection and message (as `wspect show` takes them), time, direction (→ to the server, ← to the client),
    /// type (z: compressed), payload length in bytes, payload.
    #[command(after_long_help = examples!(
        "wspect msgs -t utc chat.pcapng",
        r#"wspect msgs --json chat.pcapng | jq -r 'select(.type == "text").payload'"#
    ))]
    Msgs(Messages),
    /// One line per WebSocket frame, control frames and fragments included
    ///
    /// Columns: packet and the frame's place in it, time, connection and message, direction, fin, the three reserved bits,
    /// opcode, payload bytes, header bytes, masking key, place of the first byte in the direction's stream.
    #[command(after_long_help = examples!(
        "wspect frames -n 20 chat.pcapng",
        "wspect frames --json chat.pcapng | jq 'select(.fin | not)'"
    ))]
    Frames(List),
    /// Handshakes: request, response, and which rules were kept
    #[command(
        override_usage = "wspect handshake [OPTIONS] [FILE] [CONN]",
        after_long_help = examples!("wspect handshake chat.pcapng", "wspect handshake chat.pcapng 2 --json")
    )]
    Handshake(Handshake),
    /// Messages in full: JSON indented, text as it is, anything else as a hex dump
    #[command(
        override_usage = "wspect show [OPTIONS] FILE CONN[:MSG]...\n       wspect show [OPTIONS] FILE --frame PACKET",
        after_long_help = examples!("wspect show chat.pcapng 1:3", "wspect show chat.pcapng 1:3 --raw -o image.png")
    )]
    Show(Show),
    /// A conversation in full, both directions
    #[command(
        override_usage = "wspect follow [OPTIONS] FILE CONN",
        after_long_help = examples!("wspect follow chat.pcapng 1", "wspect follow -t delta chat.pcapng 1 | less")
    )]
    Follow(Follow),
    /// TLS streams: which have keys, from where, and why not
    ///
    /// For each stream a line with its number (Wireshark's tcp.stream), version, cipher suite, decrypted bytes, server name
    /// and ALPN. Below it, as far as there is something to say: where its key stands; why not all was decrypted; which
    /// connection it is taken for, by its looks; the client random that names its lines in a key log.
    #[command(after_long_help = examples!(
        "wspect keys -k keys.txt chat.pcapng",
        r#"wspect keys --json chat.pcapng | jq -r 'select(.keys != "matched").sni'"#
    ))]
    Keys(Keys),
    /// Counts, sizes, round trips and throughput
    ///
    /// With --json, `bins` holds payload bytes over time: at most 1000 bins of `bin_ns` nanoseconds, the first of which
    /// begins with the capture. Percentiles of round trips are exact up to 131 072 different values.
    #[command(after_long_help = examples!("wspect stats chat.pcapng", "wspect stats --capture chat.pcapng", "wspect stats --json chat.pcapng | jq .rtt_ns.p95"))]
    Stats(Stats),
    /// Findings: what is wrong, each with a packet to look at
    #[command(after_long_help = examples!(
        "wspect check chat.pcapng",
        "wspect check --fail-on error chat.pcapng || echo broken"
    ))]
    Check(Check),
    /// Records, or packets, in a file format
    ///
    /// A pcapng file has all packets of the TCP streams in which the connections run, each with its old number as a
    /// comment. For it the input is read twice, so it must be a file.
    #[command(
        override_usage = "wspect export FORMAT [OPTIONS] [FILE]",
        after_long_help = examples!(
            "wspect export jsonl chat.pcapng -o chat.jsonl",
            "wspect export jsonl --records connection,message,finding chat.pcapng",
            "wspect export pcapng --conn 2,3 --secrets -k keys.txt chat.pcapng -o two.pcapng"
        )
    )]
    Export(Export),
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "General options")]
pub(super) struct Manners {
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
    /// Exit with 4 when the input was cut, had gaps, or lacked keys
    #[arg(long, global = true)]
    pub strict: bool,
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
pub(super) struct Reading {
    /// Read streams as something, as in tshark: tcp.port==9000,websocket
    ///
    ///   SELECTOR  tcp.port==9000, tcp.port==9000-9010, ip.addr==10.0.0.1, tcp.stream==3
    ///   PROTOCOL  websocket: frames, also where no handshake was captured
    ///             none: leave them alone
    ///
    /// May be given several times; the first that fits a stream holds.
    #[arg(short, long, global = true, value_name = "SELECTOR,PROTOCOL", value_parser = choices::rule, verbatim_doc_comment)]
    pub decode_as: Vec<Rule>,
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
    #[arg(long, global = true, value_name = "BYTES", value_parser = choices::size, hide_short_help = true)]
    pub max_inflated: Option<u64>,
    /// Bytes to which a compressed capture may unpack: 200G (default: see wspect --limits)
    #[arg(long, global = true, value_name = "BYTES", value_parser = choices::size, hide_short_help = true)]
    pub max_unpacked: Option<u64>,
}

impl Reading {
    /// As the dissection wants it.
    pub(super) fn settings(&self) -> Settings {
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
        if let Some(max) = self.max_unpacked {
            limits.unpacked_bytes = max;
        }
        let (decode_as, overlap) = (DecodeAs(self.decode_as.clone()), self.overlap.unwrap_or_default());
        Settings { limits, decode_as, overlap, ..Settings::default() }
    }
}

/// When something is done that depends on whether a stream is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

/// One capture, or several as one.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Input {
    /// The capture, .pcap or .pcapng; - or nothing: stdin. Several are merged by time
    ///
    /// A directory stands for the captures in it. Of rotated files (tcpdump -C, dumpcap -b) connections go on from one to the next.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read on as the file grows, until ^C; also in another that takes its name
    #[arg(long, hide_short_help = true)]
    pub follow: bool,
    #[command(flatten)]
    pub read: Read,
}

/// One capture, or several, then numbers in it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct FileAndMore {
    /// The capture, .pcap or .pcapng; -: stdin. Others may follow
    #[arg(value_name = "FILE")]
    pub file: Option<OsString>,
    /// Connections as `wspect ls` numbers them, or messages as `wspect msgs` does: 3, 3:17
    #[arg(value_name = "CONN")]
    pub places: Vec<OsString>,
    #[command(flatten)]
    pub read: Read,
}

/// The other way to name the capture.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Read {
    /// The capture, as in tshark, also several times: what stands behind are numbers only
    #[arg(short, value_name = "FILE", allow_hyphen_values = true, hide_short_help = true)]
    pub read: Vec<PathBuf>,
}

/// Where rows go.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Output {
    /// Write to this file instead of stdout; it appears when it is whole
    #[arg(short, long, value_name = "PATH", allow_hyphen_values = true)]
    pub output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
}

/// In which form.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Json {
    /// Print records: one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// How many rows.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Limit {
    /// Print the first N rows only
    #[arg(short = 'n', long, value_name = "N", value_parser = choices::number::<u64>, allow_negative_numbers = true)]
    pub limit: Option<u64>,
}

/// How times are shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Time {
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
    #[arg(short, long, value_name = "MODE", value_parser = time_mode, verbatim_doc_comment)]
    pub time: Option<TimeMode>,
}

/// How payloads are shown.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct Payload {
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
}

impl Payload {
    /// As the export floor wants it.
    pub(super) fn options(self) -> PayloadOptions {
        let mode = match self.payload {
            PayloadArg::Auto => PayloadMode::Auto,
            PayloadArg::Text => PayloadMode::Text,
            PayloadArg::Hex => PayloadMode::Hex,
            PayloadArg::Base64 => PayloadMode::Base64,
            PayloadArg::None => PayloadMode::None,
        };
        PayloadOptions { mode, max: self.max_payload }
    }
}

/// The words of `--payload`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PayloadArg {
    #[default]
    Auto,
    Text,
    Hex,
    Base64,
    None,
}

/// Options of `ls` and `frames`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct List {
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
pub(super) struct Messages {
    #[command(flatten)]
    pub list: List,
    #[command(flatten)]
    pub payload: Payload,
}

/// Options of `handshake`.
#[derive(Debug, Clone, clap::Args)]
#[command(mut_arg("places", |arg| arg.help("A connection as `wspect ls` numbers it; nothing: all").long_help(None)))]
pub(super) struct Handshake {
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
pub(super) struct Show {
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
pub(super) struct Follow {
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
pub(super) struct Stats {
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
pub(super) struct Keys {
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
pub(super) struct Check {
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
pub(super) struct Export {
    /// jsonl: JSON Lines, one record a line; pcapng: the packets of the connections, as they were captured
    #[arg(value_name = "FORMAT", hide_possible_values = true)]
    pub format: Format,
    #[command(flatten)]
    pub input: Input,
    /// Which kinds: connection, handshake, message, frame, finding; default: message
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
    pub payload: Payload,
    #[command(flatten)]
    pub output: Output,
}

/// Formats of `export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Jsonl,
    Pcapng,
}

/// Kinds of records for `export --records`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Record {
    Connection,
    Handshake,
    Message,
    Frame,
    Finding,
}

fn time_mode(word: &str) -> Result<TimeMode, &'static str> {
    Ok(match word {
        "a" | "local" => TimeMode::Local,
        "ad" => TimeMode::LocalDate,
        "u" | "utc" => TimeMode::Utc,
        "ud" => TimeMode::UtcDate,
        "e" => TimeMode::Epoch,
        "r" | "rel" => TimeMode::Relative,
        "d" | "dd" | "delta" => TimeMode::Delta,
        _ => return Err("one of a ad d dd e r u ud local utc rel delta"),
    })
}

fn severity(word: &str) -> Result<Severity, &'static str> {
    let all = [Severity::Note, Severity::Warning, Severity::Error];
    all.into_iter().find(|severity| severity.name() == word).ok_or("one of note warning error")
}
