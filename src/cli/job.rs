//! Flags → job: what was typed becomes what is done. Behind this file nobody sees a flag.

use super::args::{self, Args, Command, Format, Manners, Record, When};
use super::convert;
use super::copy;
use super::exit::{Exit, Failure};
use super::input::Source;
use super::keys::Keys;
use super::nearest::nearest;
use super::redact;
use super::watch::Tell;
use crate::dissect::Settings;
use crate::export::{Kinds, PayloadOptions, Place, Redactor, TimeMode};
use crate::model::{ConnId, PacketNo, Severity};
use clap::CommandFactory as _;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

/// All that a run needs to know.
#[derive(Debug)]
pub(super) struct Job {
    /// What is read.
    pub source: Source,
    /// How it is read.
    pub settings: Settings,
    /// Which key logs are read.
    pub keys: Keys,
    /// What is done with it.
    pub work: Work,
    /// In which form rows are written.
    pub form: FormKind,
    /// How payloads are shown.
    pub payload: PayloadOptions,
    /// What of it is not shown.
    pub redactor: Redactor,
    /// How times are shown.
    pub time: TimeMode,
    /// How many rows are wanted.
    pub limit: Option<u64>,
    /// The file that rows go to.
    pub output: Option<PathBuf>,
    /// Whether that file may be replaced, and raw bytes may go to a terminal.
    pub force: bool,
    /// Exit code 4 when the input was cut, had gaps, or lacked keys.
    pub strict: bool,
    /// Whether colours are used.
    pub color: When,
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
    /// Figures.
    Stats,
    /// What the capture is.
    Capture,
    /// A file for another program.
    Convert(convert::Wanted),
    /// Their packets.
    Copy(copy::Wanted),
    /// Findings, and the severity from which they fail the run.
    Check(Option<Severity>),
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
    /// Payloads alone.
    Raw,
}

impl Job {
    /// What the command line asks for.
    ///
    /// # Errors
    /// When it asks for nothing that can be done.
    pub(super) fn new(args: Args) -> Result<Self, Failure> {
        let Args { command, list, reading, manners, redaction, .. } = args;
        let rules = redact::rules(command.as_ref(), redaction.redact)?;
        let job = Self::of(command, list, &manners)?;
        let redactor = redact::redactor(rules)?;
        let settings = reading.settings();
        Ok(Self { source: job.source.within(settings.limits), settings, keys: Keys::new(reading), redactor, ..job })
    }

    fn of(command: Option<Command>, list: args::List, manners: &Manners) -> Result<Self, Failure> {
        let Some(command) = command else {
            mistyped(&list.input)?;
            return Self::list(Work::Connections, list, TimeMode::Local, manners);
        };
        if is_used(&list) {
            return Err(usage("options and FILE stand behind the command: wspect COMMAND [OPTIONS] [FILE]"));
        }
        match command {
            Command::Ls(list) => Self::list(Work::Connections, list, TimeMode::Local, manners),
            Command::Frames(list) => {
                let kinds = Kinds { frame: true, ..Kinds::default() };
                Self::list(Work::Rows(kinds), list, TimeMode::Relative, manners)
            }
            Command::Msgs(args::Messages { list, payload }) => {
                let kinds = Kinds { message: true, ..Kinds::default() };
                let job = Self::list(Work::Rows(kinds), list, TimeMode::Relative, manners)?;
                Ok(Self { payload: payload.options(), ..job })
            }
            Command::Handshake(args) => Self::handshake(args, manners),
            Command::Show(args) => Self::show(args, manners),
            Command::Follow(args) => Self::follow(args, manners),
            Command::Keys(args::Keys { input, json, limit, output }) => {
                let list = args::List { input, json, limit, output, ..args::List::default() };
                Self::list(Work::Keys, list, TimeMode::Relative, manners)
            }
            Command::Stats(args::Stats { input, capture, json, time, output }) => {
                let list = args::List { input, json, time, output, ..args::List::default() };
                let job =
                    Self::list(if capture { Work::Capture } else { Work::Stats }, list, TimeMode::LocalDate, manners)?;
                Ok(Self { sums_up: false, ..job })
            }
            Command::Check(args::Check { input, fail_on, json, limit, output }) => {
                let list = args::List { input, json, limit, output, ..args::List::default() };
                Self::list(Work::Check(fail_on), list, TimeMode::Relative, manners)
            }
            Command::Export(args) => Self::export(args, manners),
        }
    }

    fn base(work: Work, source: Source, json: &args::Json, output: args::Output, manners: &Manners) -> Self {
        Self {
            source,
            settings: Settings::default(),
            keys: Keys::default(),
            work,
            form: if json.json { FormKind::Json } else { FormKind::Text },
            payload: PayloadOptions::default(),
            redactor: Redactor::default(),
            time: TimeMode::Relative,
            limit: None,
            output: output.output,
            force: output.force,
            strict: manners.strict,
            color: manners.color,
            progress: if manners.quiet { When::Never } else { manners.progress },
            tell: match (manners.quiet, manners.verbose) {
                (true, _) => None,
                (false, 0 | 1) => Some(Tell::File),
                (false, _) => Some(Tell::All),
            },
            sums_up: !manners.quiet,
            tells_speed: manners.verbose > 0,
        }
    }

    fn list(work: Work, list: args::List, time: TimeMode, manners: &Manners) -> Result<Self, Failure> {
        let source = all_named(list.input)?;
        let base = Self::base(work, source, &list.json, list.output, manners);
        Ok(Self { limit: list.limit.limit, time: list.time.time.unwrap_or(time), ..base })
    }

    fn handshake(args: args::Handshake, manners: &Manners) -> Result<Self, Failure> {
        let (paths, words) = files_and_words(args.input);
        let source = source(&paths)?;
        let conn = match words.as_slice() {
            [] => None,
            [word] => Some(connection(word)?),
            _ => return Err(usage("handshake takes one connection, or none for all: wspect handshake FILE CONN")),
        };
        let base = Self::base(Work::Handshakes(conn), source, &args.json, args.output, manners);
        let time = args.time.time.unwrap_or(TimeMode::Local);
        Ok(Self { limit: args.limit.limit, time, sums_up: base.sums_up && conn.is_none(), ..base })
    }

    fn show(args: args::Show, manners: &Manners) -> Result<Self, Failure> {
        let (paths, words) = files_and_words(args.input);
        let wanted = match args.frame {
            Some(packet) if words.is_empty() => Wanted::Packet(PacketNo(packet)),
            Some(_) => return Err(usage("show takes --frame PACKET or CONN[:MSG], not both")),
            None if words.is_empty() => {
                return Err(usage("which message? wspect show FILE CONN:MSG (wspect msgs FILE lists them)"));
            }
            None => Wanted::Places(words.iter().map(|word| place(word)).collect::<Result<_, _>>()?),
        };
        let base = Self::base(Work::Show(wanted), source(&paths)?, &args.json, args.output, manners);
        let form = if args.raw { FormKind::Raw } else { base.form };
        let time = args.time.time.unwrap_or(base.time);
        Ok(Self { form, time, payload: args.payload.options(), sums_up: false, ..base })
    }

    fn follow(args: args::Follow, manners: &Manners) -> Result<Self, Failure> {
        let (paths, words) = files_and_words(args.input);
        let [word] = words.as_slice() else {
            return Err(usage("follow takes one connection: wspect follow FILE CONN (wspect ls FILE lists them)"));
        };
        let work = Work::Follow(connection(word)?);
        let base = Self::base(work, source(&paths)?, &args.json, args.output, manners);
        let time = args.time.time.unwrap_or(base.time);
        Ok(Self { limit: args.limit.limit, time, payload: args.payload.options(), sums_up: false, ..base })
    }

    fn export(args: args::Export, manners: &Manners) -> Result<Self, Failure> {
        if let Some(why) = args.format.refuses(&args.used()) {
            return Err(usage(why));
        }
        match args.format {
            Format::Jsonl => Self::records(args, manners),
            Format::Har => {
                let wanted = convert::Wanted::Har { control: args.har_control };
                Self::list(Work::Convert(wanted), rows_of(args), TimeMode::Relative, manners)
            }
            Format::Raw => Self::list(Work::Convert(convert::Wanted::Raw), rows_of(args), TimeMode::Relative, manners),
            Format::Html => Self::transcript(convert::Wanted::Html, args, manners),
            Format::Text => Self::transcript(convert::Wanted::Text, args, manners),
            Format::Markdown => Self::transcript(convert::Wanted::Markdown, args, manners),
            Format::Pcapng => Self::copy(args, manners),
        }
    }

    fn transcript(wanted: convert::Wanted, args: args::Export, manners: &Manners) -> Result<Self, Failure> {
        let payload = args.payload.options();
        let job = Self::list(Work::Convert(wanted), rows_of(args), TimeMode::Relative, manners)?;
        Ok(Self { payload, ..job })
    }

    fn records(args: args::Export, manners: &Manners) -> Result<Self, Failure> {
        let payload = args.payload.options();
        let mut kinds = Kinds::default();
        for record in &args.records {
            match record {
                Record::Connection => kinds.connection = true,
                Record::Handshake => kinds.handshake = true,
                Record::Message => kinds.message = true,
                Record::Frame => kinds.frame = true,
                Record::Finding => kinds.finding = true,
            }
        }
        let job = Self::list(Work::Rows(kinds), rows_of(args), TimeMode::Relative, manners)?;
        Ok(Self { payload, ..job })
    }

    fn copy(args: args::Export, manners: &Manners) -> Result<Self, Failure> {
        let args::Export { input, conn, secrets, output, .. } = args;
        let wanted = copy::Wanted { conns: conn.into_iter().map(ConnId).collect(), secrets };
        let json = args::Json::default();
        let job = Self::base(Work::Copy(wanted), all_named(input)?, &json, output, manners);
        Ok(Self { form: FormKind::Raw, ..job })
    }
}

/// Whether the command line asks for the browser: no command, nothing that rows would need, and a terminal that can show it.
pub(super) fn browses(args: &Args) -> bool {
    let args::List { json, limit, time, output, .. } = &args.list;
    let rows = json.json || limit.limit.is_some() || time.time.is_some() || output.output.is_some();
    let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    args.command.is_none() && !rows && !dumb && io::stdout().is_terminal()
}

/// What is to be browsed, and when colours are used.
///
/// # Errors
/// When it names no capture.
pub(super) fn to_browse(args: Args) -> Result<(Source, When), Failure> {
    if !args.redaction.redact.is_empty() {
        return Err(usage("the browser shows all: --redact is for commands (wspect ls, msgs, export …)"));
    }
    mistyped(&args.list.input)?;
    let limits = args.reading.settings().limits;
    Ok((all_named(args.list.input)?.within(limits), args.manners.color))
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, text)
}

/// What an export has in common with lists.
fn rows_of(args: args::Export) -> args::List {
    let args::Export { input, limit, time, output, .. } = args;
    args::List { input, json: args::Json { json: true }, limit, time, output }
}

/// Whether something was typed in front of the command that belongs behind it.
fn is_used(list: &args::List) -> bool {
    let args::List { input, json, limit, time, output } = list;
    let output = output.output.is_some() || output.force;
    !input.files.is_empty()
        || input.follow
        || !input.read.read.is_empty()
        || json.json
        || limit.limit.is_some()
        || time.time.is_some()
        || output
}

fn all_named(input: args::Input) -> Result<Source, Failure> {
    let args::Input { files, follow, read } = input;
    let source = source(&read.read.into_iter().chain(files).collect::<Vec<_>>())?;
    if follow { source.growing() } else { Ok(source) }
}

/// Advice where what stands for a capture is none, but may be a command that was mistyped.
fn mistyped(input: &args::Input) -> Result<(), Failure> {
    let [word, more @ ..] = input.files.as_slice() else { return Ok(()) };
    if word == "-" || word.exists() {
        return Ok(());
    }
    let commands = Args::command();
    let meant = word.to_str().and_then(|typed| nearest(typed, commands.get_subcommands().map(clap::Command::get_name)));
    let word = word.display();
    match (meant, more) {
        (Some(command), _) => Err(usage(format!("no file or command {word}: did you mean `{command}`?"))),
        (None, [second, ..]) if second.exists() => {
            Err(usage(format!("no file or command {word}: wspect --help lists the commands")))
        }
        (None, _) => Ok(()),
    }
}

/// The captures; nothing means stdin, unless that is a terminal.
fn source(paths: &[PathBuf]) -> Result<Source, Failure> {
    match paths {
        [] if io::stdin().is_terminal() => Err(usage("no capture: name a FILE, or pipe one in (wspect --help)")),
        [] => Ok(Source::stdin()),
        paths => Source::new(paths),
    }
}

/// The captures and the words behind them. When `-r` names the captures, no word is one; else the first is, and those behind it
/// that are no numbers, but files.
fn files_and_words(input: args::FileAndMore) -> (Vec<PathBuf>, Vec<OsString>) {
    let args::FileAndMore { file, places, read } = input;
    if !read.read.is_empty() {
        return (read.read, file.into_iter().chain(places).collect());
    }
    let is_file = |word: &OsString| place(word).is_err() && Path::new(word).exists();
    let more = places.iter().take_while(|word| is_file(word)).count();
    let (more, words) = places.split_at(more);
    (file.iter().chain(more).map(PathBuf::from).collect(), words.to_vec())
}

/// `3`.
fn connection(word: &OsStr) -> Result<ConnId, Failure> {
    match place(word)? {
        Place { conn, msg: None } => Ok(conn),
        Place { msg: Some(_), .. } => Err(usage(format!("{}: a connection is wanted, not a message", word.display()))),
    }
}

/// `3` or `3:17`.
fn place(word: &OsStr) -> Result<Place, Failure> {
    let parse = || {
        let (conn, msg) = match word.to_str()?.split_once(':') {
            Some((conn, msg)) => (conn, Some(msg.parse().ok()?)),
            None => (word.to_str()?, None),
        };
        Some(Place { conn: ConnId(conn.parse().ok()?), msg })
    };
    parse().ok_or_else(|| usage(format!("{}: not CONN or CONN:MSG, as 3 or 3:17", word.display())))
}

/// Whether text is coloured on a stream: `--color`, then `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`, then whether it is a terminal.
pub(super) fn uses_color(when: When, is_terminal: bool) -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        When::Auto if is_set("CLICOLOR_FORCE") => true,
        When::Auto => is_terminal && env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// Whether help is coloured.
pub(super) fn stdout_has_color() -> bool {
    uses_color(When::Auto, io::stdout().is_terminal())
}
