//! Flags → job: what was typed becomes what is done. Behind this file nobody sees a flag.

use super::args::{self, Args, Command, Format, Manners, Record, Report, TypesForm, When};
use super::config::Config;
use super::convert;
use super::copy;
use super::exit::Failure;
use super::input::Source;
use super::job::{Checked, FormKind, Job, TypesWanted, Wanted, Work};
use super::keys::Keys;
use super::pick;
use super::programs;
use super::redact;
use super::tools;
use super::watch::Tell;
use crate::dissect::Settings;
use crate::export::{Delimited, Kinds, PayloadOptions, Place, Redactor, TimeMode, WantedTypes};
use crate::filter::{Named, Rows};
use crate::model::{ConnId, NoteSet, PacketNo, nearest};
use clap::ArgMatches;
use clap::parser::ValueSource;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

impl FormKind {
    /// As it was typed. Cells are no matter of this: they have a [`Table`].
    fn of(columns: &args::Columns, json: &args::Json) -> Self {
        match columns.format {
            Some(args::Form::Jsonl) => Self::Json,
            Some(args::Form::Json) => Self::Array,
            None if json.json => Self::Json,
            _ => Self::Text,
        }
    }
}

impl Job {
    /// What the command line asks for; `config`: its decoders, and the filters that names in files of assertions stand for.
    ///
    /// # Errors
    /// When it asks for nothing that can be done.
    pub(super) fn new(args: Args, config: &Config) -> Result<Self, Failure> {
        let Args { command, list, reading, manners, redaction, .. } = args;
        let rules = redact::rules(command.as_ref(), redaction.redact)?;
        let job = Self::of(command, list, &manners, config.named())?;
        let redactor = redact::redactor(rules)?;
        let (settings, speaks) =
            (reading.settings(), reading.speaks(&config.programs(programs::told(&manners, &redactor)))?);
        Ok(Self {
            source: job.source.within(settings.limits),
            settings,
            speaks,
            keys: Keys::new(reading),
            redactor,
            ..job
        })
    }

    fn of(command: Option<Command>, list: args::List, manners: &Manners, named: &Named) -> Result<Self, Failure> {
        let Some(command) = command else {
            mistyped(&list.input)?;
            return Self::bare(list, manners);
        };
        nothing_before_command(&list)?;
        match command {
            Command::Ls(list) => Self::list(Work::Connections, list, TimeMode::Local, manners),
            Command::Frames(list) => {
                let kinds = Kinds { frame: true, ..Kinds::default() };
                Self::list(Work::Rows(kinds), list, TimeMode::Relative, manners)
            }
            Command::Msgs(args::Messages { list, payload, expect }) => {
                let kinds = Kinds { message: true, ..Kinds::default() };
                let job = Self::list(Work::Rows(kinds), list, TimeMode::Relative, manners)?;
                Ok(Self { payload: payload.options(), expect, ..job })
            }
            Command::Handshake(args) => Self::handshake(args, manners),
            Command::Show(args) => Self::show(args, manners),
            Command::Follow(args) => Self::follow(args, manners),
            Command::Keys(args::Keys { input, written, limit, output }) => {
                let list = args::List { input, columns: written.columns(), limit, output, ..args::List::default() };
                Self::list(Work::Keys, list, TimeMode::Relative, manners)
            }
            Command::Sessions(args::Sessions { input, written, limit, time, output }) => {
                let list =
                    args::List { input, columns: written.columns(), limit, time, output, ..args::List::default() };
                Self::list(Work::Sessions, list, TimeMode::Relative, manners)
            }
            Command::Stats(args::Stats { input, filter, capture, written, time, output }) => {
                let columns = written.columns();
                let list = args::List { input, filter, columns, time, output, ..args::List::default() };
                let work = if capture { Work::Capture } else { Work::Stats };
                let job = Self::list(work, list, TimeMode::LocalDate, manners)?;
                Ok(Self { sums_up: false, ..job })
            }
            Command::Types(args) => Self::types(args, manners),
            Command::Check(args) => Self::check(args, manners, named),
            Command::Export(args) => Self::export(args, manners),
            // Answered before there is a job.
            Command::Diff(_) | Command::Tool(_) => Err(Failure::usage("this command stands alone")),
        }
    }

    fn base(work: Work, source: Source, form: FormKind, output: args::Output, manners: &Manners) -> Self {
        Self {
            source,
            settings: Settings::default(),
            speaks: Vec::new(),
            keys: Keys::default(),
            work,
            form,
            filter: None,
            table: None,
            claims: Vec::new(),
            payload: PayloadOptions::default(),
            explains: false,
            redactor: Redactor::default(),
            time: TimeMode::Relative,
            limit: None,
            tail: None,
            expect: None,
            output: output.output,
            force: output.force,
            strict: manners.strict,
            color: manners.color,
            pager: manners.pager,
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

    pub(super) fn list(work: Work, list: args::List, time: TimeMode, manners: &Manners) -> Result<Self, Failure> {
        let args::List { input, filter, columns, json, limit, tail, time: shown, output } = list;
        let rows = work.rows();
        let (filter, table) = (pick::filter(&filter, rows)?, pick::table(&columns, rows)?);
        let base = Self::base(work, all_named(input)?, FormKind::of(&columns, &json), output, manners);
        let (limit, tail, time) = (limit.limit, tail.tail, shown.time.unwrap_or(time));
        Ok(Self { filter, table, limit, tail, time, ..base })
    }

    /// Without a command: connections; where a filter or a column is about none, messages or frames, as tshark has one kind of rows.
    fn bare(list: args::List, manners: &Manners) -> Result<Self, Failure> {
        let connections = Self::list(Work::Connections, list.clone(), TimeMode::Local, manners);
        let others = [Kinds { message: true, ..Kinds::default() }, Kinds { frame: true, ..Kinds::default() }];
        match connections {
            Err(why) if list.filter.is_used() || list.columns.is_used() => {
                let rows = |kinds| Self::list(Work::Rows(kinds), list.clone(), TimeMode::Relative, manners).ok();
                others.into_iter().find_map(rows).ok_or(why)
            }
            connections => connections,
        }
    }

    fn handshake(args: args::Handshake, manners: &Manners) -> Result<Self, Failure> {
        let (paths, words) = files_and_words(args.input);
        let source = source(&paths)?;
        let conn = match words.as_slice() {
            [] => None,
            [word] => Some(connection(word)?),
            _ => {
                return Err(Failure::usage(
                    "handshake takes one connection, or none for all: wspect handshake FILE CONN",
                ));
            }
        };
        let rows = Rows::HANDSHAKES;
        let (filter, table) = (pick::filter(&args.filter, rows)?, pick::table(&args.columns, rows)?);
        let form = FormKind::of(&args.columns, &args.json);
        let base = Self::base(Work::Handshakes(conn), source, form, args.output, manners);
        let time = args.time.time.unwrap_or(TimeMode::Local);
        Ok(Self { filter, table, limit: args.limit.limit, time, sums_up: base.sums_up && conn.is_none(), ..base })
    }

    fn show(args: args::Show, manners: &Manners) -> Result<Self, Failure> {
        let (paths, words) = files_and_words(args.input);
        let wanted = match args.frame {
            Some(packet) if words.is_empty() => Wanted::Packet(PacketNo(packet)),
            Some(_) => return Err(Failure::usage("show takes --frame PACKET or CONN[:MSG], not both")),
            None if words.is_empty() => {
                return Err(Failure::usage("which message? wspect show FILE CONN:MSG (wspect msgs FILE lists them)"));
            }
            None => Wanted::Places(words.iter().map(|word| place(word)).collect::<Result<_, _>>()?),
        };
        let form = if args.raw { FormKind::Raw } else { FormKind::of(&args.written.columns(), &args::Json::default()) };
        let base = Self::base(Work::Show(wanted), source(&paths)?, form, args.output, manners);
        let time = args.time.time.unwrap_or(base.time);
        let payload = PayloadOptions { state: args.state, ..args.payload.options() };
        Ok(Self { time, payload, sums_up: false, ..base })
    }

    fn follow(args: args::Follow, manners: &Manners) -> Result<Self, Failure> {
        let (paths, words) = files_and_words(args.input);
        let [word] = words.as_slice() else {
            return Err(Failure::usage(
                "follow takes one connection: wspect follow FILE CONN (wspect ls FILE lists them)",
            ));
        };
        let work = Work::Follow(connection(word)?);
        let (filter, table) = (pick::filter(&args.filter, work.rows())?, pick::table(&args.columns, work.rows())?);
        let base = Self::base(work, source(&paths)?, FormKind::of(&args.columns, &args.json), args.output, manners);
        let time = args.time.time.unwrap_or(base.time);
        Ok(Self {
            filter,
            table,
            limit: args.limit.limit,
            time,
            payload: args.payload.options(),
            sums_up: false,
            ..base
        })
    }

    fn types(args: args::Types, manners: &Manners) -> Result<Self, Failure> {
        let args::Types { input, filter, new, since, format, safe_csv, json, limit, time, output } = args;
        let which = if new || since.is_some() { WantedTypes::New(since) } else { WantedTypes::All };
        let (format, cells) = match format {
            None | Some(TypesForm::Text) => (args::Form::Text, None),
            Some(TypesForm::Jsonl) => (args::Form::Jsonl, None),
            Some(TypesForm::Json) => (args::Form::Json, None),
            Some(TypesForm::Csv) => (args::Form::Text, Some(Delimited::csv())),
            Some(TypesForm::Tsv) => (args::Form::Text, Some(Delimited::tsv())),
        };
        if cells.is_some() && which != WantedTypes::All {
            return Err(Failure::usage("new types are findings, told in text, jsonl and json"));
        }
        if cells.is_none() && safe_csv {
            return Err(Failure::usage("--safe-csv is for -T csv and tsv"));
        }
        let cells = cells.map(|form| Delimited { safe: safe_csv, ..form });
        let columns = args::Columns { format: (!json.json).then_some(format), ..args::Columns::default() };
        let list = args::List { input, filter, columns, json, limit, time, output, ..args::List::default() };
        Self::list(Work::Types(TypesWanted { which, cells }), list, TimeMode::Relative, manners)
    }

    fn check(args: args::Check, manners: &Manners, named: &Named) -> Result<Self, Failure> {
        let args::Check {
            input,
            filter,
            fail_on,
            claims,
            assert_file,
            ignore,
            format,
            cells,
            explain,
            json,
            limit,
            tail,
            output,
        } = args;
        let claims = pick::claims(&claims, &assert_file, named)?;
        let mut ignored = NoteSet::EMPTY;
        for word in &ignore {
            ignored.insert(tools::finding(word)?);
        }
        let usual = if json.json { args::Form::Jsonl } else { args::Form::Text };
        let report = format.unwrap_or(Report::Rows(usual));
        if report == Report::Junit && limit.limit.is_some() {
            return Err(Failure::usage("-T junit reports on the whole capture: it takes no --limit"));
        }
        if matches!(report, Report::Junit | Report::Sarif) && tail.tail.is_some() {
            return Err(Failure::usage("--tail is for rows: -T junit and sarif take none"));
        }
        let is_cells = matches!(report, Report::Rows(form) if form.is_cells());
        if !claims.is_empty() && is_cells {
            return Err(Failure::usage("--assert is told in text, jsonl, json, junit and sarif"));
        }
        if explain && report != Report::Rows(args::Form::Text) {
            return Err(Failure::usage(
                "--explain is for text: records say no more than the code (wspect explain CODE)",
            ));
        }
        let format = if let Report::Rows(form) = report { Some(form) } else { None };
        let columns = args::Columns { format, cells };
        let list = args::List { input, filter, columns, limit, tail, output, ..args::List::default() };
        let job = Self::list(Work::Check(Checked { fail_on, ignored, report }), list, TimeMode::Relative, manners)?;
        Ok(Self { claims, explains: explain, ..job })
    }

    fn export(args: args::Export, manners: &Manners) -> Result<Self, Failure> {
        if let Some(why) = args.format.refuses(&args.used()) {
            return Err(Failure::usage(why));
        }
        if let Some(feature) = args.format.lacks() {
            let advice = format!("`cargo build --release --features {feature}` makes one that has it");
            return Err(Failure::usage(format!("export {feature} is not in this build: {advice}")));
        }
        match args.format {
            Format::Jsonl | Format::Json | Format::Csv | Format::Tsv => Self::records(args, manners),
            Format::Har => Self::convert(convert::Into::Har { control: args.har_control }, args, manners),
            Format::Raw => Self::convert(convert::Into::Raw, args, manners),
            Format::Html => Self::convert(convert::Into::Html, args, manners),
            Format::Text => Self::convert(convert::Into::Text, args, manners),
            Format::Markdown => Self::convert(convert::Into::Markdown, args, manners),
            Format::Script => {
                let language = args.language.unwrap_or(args::Language::Python);
                Self::convert(convert::Into::Script { language, secrets: args.secrets }, args, manners)
            }
            Format::Pcapng => Self::copy(args, manners),
            #[cfg(feature = "sqlite")]
            Format::Sqlite => Self::convert(convert::Into::Sqlite, args, manners),
            #[cfg(feature = "parquet")]
            Format::Parquet => Self::convert(convert::Into::Parquet, args, manners),
            #[cfg(not(all(feature = "sqlite", feature = "parquet")))]
            _ => Err(Failure::usage("this format is not in this build")),
        }
    }

    fn convert(into: convert::Into, mut args: args::Export, manners: &Manners) -> Result<Self, Failure> {
        let payload = args.payload.options();
        let conns = std::mem::take(&mut args.conn).into_iter().map(ConnId).collect();
        let wanted = convert::Wanted { into, conns };
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
        let is_table = matches!(args.format, Format::Csv | Format::Tsv);
        if is_table && kinds.count() > 1 {
            return Err(Failure::usage("csv and tsv have one kind of rows: --records takes one kind for them"));
        }
        let job = Self::list(Work::Rows(kinds), rows_of(args), TimeMode::Relative, manners)?;
        Ok(Self { payload, ..job })
    }

    fn copy(args: args::Export, manners: &Manners) -> Result<Self, Failure> {
        let args::Export { input, filter, conn, secrets, decrypted, output, .. } = args;
        let wanted = copy::Wanted { conns: conn.into_iter().map(ConnId).collect(), secrets, decrypted };
        let work = Work::Copy(wanted);
        let filter = pick::filter(&filter, work.rows())?;
        let job = Self::base(work, all_named(input)?, FormKind::Raw, output, manners);
        Ok(Self { filter, ..job })
    }
}

/// Makes sure that how payloads are shown was not typed for columns, which have a way of their own.
///
/// # Errors
/// When it was.
pub(super) fn no_payload_in_columns(args: &Args, matches: &ArgMatches) -> Result<(), Failure> {
    let Some(Command::Msgs(args::Messages { list, .. })) = &args.command else { return Ok(()) };
    let has_cells = list.columns.format.is_some_and(args::Form::is_cells);
    let typed = |matches: &ArgMatches, name| matches.value_source(name) == Some(ValueSource::CommandLine);
    let is_typed = matches
        .subcommand()
        .is_some_and(|(_, own)| ["payload", "max_payload", "decoded"].iter().any(|name| typed(own, name)));
    if has_cells && is_typed {
        let why = "--payload, --max-payload and --decoded are for text and records: columns are chosen by -e, as -e payload -e event";
        return Err(Failure::usage(why));
    }
    Ok(())
}

/// Whether the command line asks for the browser: no command, nothing that rows would need, and a terminal that can show it.
pub(super) fn browses(args: &Args, matches: &ArgMatches) -> bool {
    let args::List { filter, columns, json, limit, tail, output, .. } = &args.list;
    let time = matches.value_source("time") == Some(ValueSource::CommandLine);
    let rows = json.json || limit.limit.is_some() || tail.tail.is_some() || time || output.output.is_some();
    let rows = rows || filter.is_used() || columns.is_used();
    let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    args.command.is_none() && !rows && !dumb && io::stdout().is_terminal()
}

/// Whether no capture was named, nor is one piped in.
pub(super) fn names_nothing(args: &Args) -> bool {
    let args::Input { files, read, .. } = &args.list.input;
    files.is_empty() && read.read.is_empty() && io::stdin().is_terminal()
}

/// What is to be browsed, when colours are used, and whether all is drawn in ASCII.
///
/// # Errors
/// When it names no capture.
pub(super) fn to_browse(args: Args) -> Result<(Source, When, bool), Failure> {
    if !args.redaction.redact.is_empty() {
        return Err(Failure::usage("the browser shows all: --redact is for commands (wspect ls, msgs, export …)"));
    }
    mistyped(&args.list.input)?;
    let limits = args.reading.settings().limits;
    Ok((all_named(args.list.input)?.within(limits), args.manners.color, args.ascii))
}

/// What an export has in common with lists.
fn rows_of(args: args::Export) -> args::List {
    let args::Export { input, format, filter, cells, limit, time, output, .. } = args;
    let form = match format {
        Format::Json => args::Form::Json,
        Format::Csv => args::Form::Csv,
        Format::Tsv => args::Form::Tsv,
        _ => args::Form::Jsonl,
    };
    let columns = args::Columns { format: Some(form), cells };
    args::List { input, filter, columns, limit, time, output, ..args::List::default() }
}

/// Makes sure that nothing was typed in front of the command that belongs behind it.
///
/// # Errors
/// When something was.
pub(super) fn nothing_before_command(list: &args::List) -> Result<(), Failure> {
    if is_used(list) {
        return Err(Failure::usage("options and FILE stand behind the command: wspect COMMAND [OPTIONS] [FILE]"));
    }
    Ok(())
}

fn is_used(list: &args::List) -> bool {
    let args::List { input, filter, columns, json, limit, tail, time, output } = list;
    let output = output.output.is_some() || output.force;
    !input.files.is_empty()
        || filter.is_used()
        || columns.is_used()
        || input.follow
        || !input.read.read.is_empty()
        || json.json
        || limit.limit.is_some()
        || tail.tail.is_some()
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
    let commands = args::definition();
    let meant = word.to_str().and_then(|typed| nearest(typed, commands.get_subcommands().map(clap::Command::get_name)));
    let word = word.display();
    match (meant, more) {
        (Some(command), _) => Err(Failure::usage(format!("no file or command {word}: did you mean `{command}`?"))),
        (None, [second, ..]) if second.exists() => {
            Err(Failure::usage(format!("no file or command {word}: wspect --help lists the commands")))
        }
        (None, _) => Ok(()),
    }
}

/// The captures; nothing means stdin, unless that is a terminal.
fn source(paths: &[PathBuf]) -> Result<Source, Failure> {
    match paths {
        [] if io::stdin().is_terminal() => {
            Err(Failure::usage("no capture: name a FILE, or pipe one in (wspect --help)"))
        }
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
        Place { msg: Some(_), .. } => {
            Err(Failure::usage(format!("{}: a connection is wanted, not a message", word.display())))
        }
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
    parse().ok_or_else(|| Failure::usage(format!("{}: not CONN or CONN:MSG, as 3 or 3:17", word.display())))
}
