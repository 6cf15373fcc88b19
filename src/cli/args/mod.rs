//! What can be typed: every command and every option, each defined once.

/// Examples below a command's options.
macro_rules! examples {
    ($first:literal $(, $other:literal)*) => {
        concat!("Examples:\n  ", $first $(, "\n  ", $other)*)
    };
}

mod commands;
mod formats;
mod rows;
mod shared;
mod tools;

pub(super) use commands::{
    Check, Diff, Export, Follow, Handshake, Keys, Language, List, Messages, Record, Report, Sessions, Show, Stats,
    Types, TypesForm,
};
pub(super) use formats::{Format, formats};
pub(super) use rows::{Columns, Filter, Form};
pub(super) use shared::{FileAndMore, Input, Json, Manners, Output, Reading, Redaction, When};
pub(super) use tools::{Completions, Explain, FieldsArgs, Pages, Schema, Settings, Tool, WhatSettings};

use crate::model::FLAGS;
use clap::{CommandFactory as _, Parser, Subcommand};

/// What the flags of a connection mean, above what else stands below its options.
fn with_flags(rest: &str) -> String {
    let flags: String = FLAGS.iter().map(|flag| format!("  {:<6}  {}\n", flag.name, flag.meaning)).collect();
    format!("Flags:\n{flags}\n{rest}")
}

/// Shows what was said over WebSocket in a packet capture.
///
/// Reads .pcap and .pcapng, also compressed (gzip, zstd, lz4, xz), from a file or a pipe; never from the network. Without a command it opens a browser in the
/// terminal; without a terminal, and with --json, -n, --tail, -t, -o, -T or -Y, it lists the connections as `wspect ls` does, or messages or frames where a filter or a column is about those.
///
/// Rows go to stdout and nothing else does; warnings, progress and the summary go to stderr.
#[derive(Debug, Parser)]
#[command(
    name = "wspect",
    version,
    long_version = crate::cli::version::long(),
    max_term_width = 100,
    override_usage = "wspect [OPTIONS] [FILE]...\n       wspect COMMAND [OPTIONS] [FILE]...",
    subcommand_help_heading = "Commands",
    disable_help_subcommand = true,
    args_override_self = true,
    after_help = "`wspect COMMAND -h` lists a command's options; --help explains, here and there.",
    after_long_help = concat!(
        "Exit codes:\n",
        "    0  done, also with warnings or with nothing to show\n",
        "    1  check found what --fail-on asks for, or an assertion does not hold; diff found a difference; no such thing\n",
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
    #[command(flatten)]
    pub redaction: Redaction,
    /// ASCII in place of lines, arrows and signs, in the browser
    #[arg(long, help_heading = "General options", hide_short_help = true)]
    pub ascii: bool,
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
        "wspect ls -Y 'wspect.state == aborted' chat.pcapng",
        r#"wspect ls --json chat.pcapng | jq -r 'select(.state == "rejected").url'"#
    )))]
    Ls(List),
    /// One line per message
    ///
    /// Columns: connection and message (as `wspect show` takes them), time, direction (→ to the server, ← to the client),
    /// type (z: compressed), payload length in bytes, payload.
    #[command(after_long_help = examples!(
        "wspect msgs -t utc chat.pcapng",
        r#"wspect msgs -Y 'json.type == "error"' chat.pcapng"#,
        "wspect msgs -T csv -e time -e dir -e payload chat.pcapng -o chat.csv",
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
    /// Sessions: HTTP requests and WebSocket of Socket.IO, SockJS, SignalR; and reconnects
    ///
    /// A session is what a client and a server have with one another: a WebSocket connection, with the requests of the protocol's
    /// other transports that URLs tie to it; or such requests alone. For each a line with its number, the protocol as far as URLs tell
    /// it, start, duration, client, host and path. Below it its id; which connection the client had before at the same host and path,
    /// and how long before; its requests with what they are for, the first ten each; and its connections, with the probe of
    /// Engine.IO before the transport changes.
    #[command(after_long_help = examples!(
        "wspect sessions chat.pcapng",
        r#"wspect sessions --json chat.pcapng | jq 'select(.reconnect_of) | .gap_ns'"#
    ))]
    Sessions(Sessions),
    /// Counts, sizes, round trips and throughput
    ///
    /// With --json, `bins` holds payload bytes over time: at most 1000 bins of `bin_ns` nanoseconds, the first of which
    /// begins with the capture. Percentiles of round trips are exact up to 131 072 different values.
    #[command(after_long_help = examples!("wspect stats chat.pcapng", "wspect stats --capture chat.pcapng", "wspect stats --json chat.pcapng | jq .rtt_ns.p95"))]
    Stats(Stats),
    /// Kinds of messages: by event or shape, with counts, sizes and an example
    ///
    /// A type is one direction's messages with the same event, as --decoded tells it; where they have none, those that look alike: JSON
    /// and other trees with the same members, texts with the same pattern, bytes that begin alike and are about as long. Columns:
    /// messages, their share, payload bytes; payload bytes of one: median, what 99 % do not exceed, longest (of more than 512 different
    /// sizes of a type nearly); connections that have it, direction, type, protocol, event or shape; below, connection, message and
    /// time of the first and the last, and what the first says. In a pattern `a` is a word, `0` a number, `x` what is both.
    #[command(after_long_help = examples!(
        "wspect types chat.pcapng",
        "wspect types -Y 'dir == s2c && !heartbeat' chat.pcapng",
        "wspect types --since 2023-11-14T22:13:20Z chat.pcapng",
        "wspect types --json chat.pcapng | jq -r .event"
    ))]
    Types(Types),
    /// Findings: what is wrong, each with a packet to look at
    #[command(after_long_help = examples!(
        "wspect check chat.pcapng",
        "wspect check --fail-on error chat.pcapng || echo broken",
        "wspect check --fail-on note --ignore ORIGIN,CLOSE-SLOW chat.pcapng",
        "wspect check --assert 'every connection closed 1000' --assert 'p99(rtt) < 200ms' chat.pcapng",
        "wspect check -T junit --fail-on warning chat.pcapng -o report.xml"
    ))]
    Check(Check),
    /// What was captured in a file format that other programs open
    ///
    /// In HTML and HAR, cookies and credentials are replaced by pseudonyms: the same value has the same one in a whole run,
    /// and another in the next.
    ///
    /// A pcapng file has all packets of the TCP streams in which the connections run, each with its old number as a
    /// comment. For it the input is read twice, so it must be a file.
    #[command(
        override_usage = "wspect export FORMAT [OPTIONS] [FILE]",
        after_long_help = formats::with_formats(examples!(
            "wspect export jsonl --records connection,message,finding chat.pcapng -o chat.jsonl",
            "wspect export markdown -t utc chat.pcapng -o chat.md",
            "wspect export html chat.pcapng -o chat.html",
            "wspect export har chat.pcapng -o chat.har",
            "wspect export raw chat.pcapng -o messages",
            "wspect export sqlite chat.pcapng -o chat.db",
            "wspect export script --conn 1 chat.pcapng -o replay.py",
            "wspect export pcapng --decrypted -k keys.txt chat.pcapng -o clear.pcapng",
            "wspect export pcapng --conn 2,3 --secrets -k keys.txt chat.pcapng -o two.pcapng"
        ))
    )]
    Export(Export),
    /// Two captures, or two connections, compared message by message
    ///
    /// Exit code 1 where they differ.
    ///
    /// Connections of the same path belong together, in order, and each direction is compared by itself. Signs: - only in
    /// the first, + only in the second, < and > what the first and the second have in the same place, ^ in another order.
    /// Pings and pongs are not compared.
    #[command(
        override_usage = "wspect diff [OPTIONS] FILE [CONN] FILE [CONN]\n       wspect diff [OPTIONS] FILE CONN CONN",
        after_long_help = examples!(
            "wspect diff before.pcapng after.pcapng",
            "wspect diff --ignore json.id,json.time chat.pcapng 1 2"
        )
    )]
    Diff(Diff),
    #[command(flatten)]
    Tool(Tool),
}

/// The definition of the command line, which parses it and makes help, completions and manual pages.
pub(super) fn definition() -> clap::Command {
    let mut definition = Args::command();
    // Global options are handed down to the commands here.
    definition.build();
    definition.mut_subcommands(|command| {
        if !Tool::has_subcommand(command.get_name()) {
            return command;
        }
        command.mut_args(|arg| if is_about_captures(&arg) { arg.hide(true) } else { arg })
    })
}

/// Whether an option of all commands means nothing to those that read no capture.
fn is_about_captures(arg: &clap::Arg) -> bool {
    arg.get_help_heading() == Some("Reading options")
        || matches!(arg.get_id().as_str(), "progress" | "strict" | "quiet" | "verbose")
}
