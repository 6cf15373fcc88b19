//! The command line: flags to a job, the job to rows and an exit code. Here alone dissection meets exports.

mod args;
mod browse;
mod browser;
mod choices;
mod config;
mod convert;
mod copy;
mod diff;
mod exit;
mod fields;
mod folder;
mod growing;
mod input;
mod job;
mod keys;
mod limits;
mod manual;
mod output;
mod packets;
mod pager;
mod pick;
mod picker;
mod pipe;
mod programs;
mod progress;
mod redact;
mod run;
mod schema;
mod seen;
mod signals;
mod state;
mod tools;
mod turns;
mod typed;
mod values;
mod version;
mod watch;

pub use exit::Exit;

use crate::escape;
use crate::export::Out;
use crate::model::Limits;
use crate::model::nearest;
use args::{Args, Command};
use browse::Launch;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, FromArgMatches as _};
use config::Config;
use exit::{Failure, guarded, say};
use job::Job;
use keys::Keys;
use output::Target;
use std::ffi::OsString;

/// Runs the program: `words` are its name and its arguments.
pub fn main(words: impl IntoIterator<Item = OsString>) -> Exit {
    // Behind our -n may stand a number.
    let unbundled = |word| if word == "-nr" { ["-n", "-r"].map(OsString::from).to_vec() } else { vec![word] };
    let words: Vec<OsString> = words.into_iter().flat_map(unbundled).collect();
    guarded(move || {
        let done = asked_in_words(words).and_then(|words| {
            // Which file it is stands in no file.
            let first = match parse(&words, args::definition()) {
                Ok((args, _)) => args,
                Err(error) => return help_or_failure(&error),
            };
            let config = configuration(&first)?;
            parse(&words, config.apply(args::definition(), first.command.is_none()))
                .map_or_else(|error| help_or_failure(&error), |(args, matches)| start(args, &matches, &config, &words))
        });
        done.unwrap_or_else(|failure| failure.report())
    })
}

/// What the configuration file says. Commands that read no capture have no use for it, and must run where it is broken.
fn configuration(args: &Args) -> Result<Config, Failure> {
    let is_wanted = match &args.command {
        Some(Command::Tool(tool)) => tool.shows_config(),
        _ => true,
    };
    if is_wanted && !args.manners.no_config {
        Config::load(args.manners.config.as_deref())
    } else {
        Ok(Config::default())
    }
}

fn parse(words: &[OsString], mut definition: clap::Command) -> Result<(Args, ArgMatches), clap::Error> {
    let matches = definition.try_get_matches_from_mut(words)?;
    let args = Args::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))?;
    Ok((args, matches))
}

/// `wspect help msgs` asks for the same as `wspect msgs --help`.
fn asked_in_words(words: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    let [program, help, topic @ ..] = words.as_slice() else { return Ok(words) };
    if help != "help" {
        return Ok(words);
    }
    let commands = args::definition();
    if let Some(word) = topic.first().filter(|&word| commands.find_subcommand(word).is_none()) {
        let names = commands.get_subcommands().map(clap::Command::get_name);
        let meant = word.to_str().and_then(|typed| nearest(typed, names));
        let advice = meant.map_or(String::from("wspect --help lists them"), |name| format!("did you mean `{name}`?"));
        return Err(Failure::new(Exit::Usage, format!("no command {}: {advice}", word.display())));
    }
    let words = [program].into_iter().chain(topic.first()).cloned();
    Ok(words.chain([OsString::from("--help")]).collect())
}

fn start(mut args: Args, matches: &ArgMatches, config: &Config, words: &[OsString]) -> Result<Exit, Failure> {
    if let Some(log) = &args.manners.log {
        exit::log_to(log)?;
    }
    if let Some(remark) = config.remark().filter(|_| !args.manners.quiet) {
        say(format_args!("wspect: warning: {}", escape::display_str(remark)));
    }
    if args.limits {
        return print(|out| limits::write(Limits::DEFAULT, out));
    }
    if let Some(Command::Tool(tool)) = &args.command {
        typed::nothing_before_command(&args.list)?;
        return tools::run(tool, &args.manners, config);
    }
    if let Some(Command::Diff(asked)) = args.command {
        typed::nothing_before_command(&args.list)?;
        let redactor = redact::redactor(redact::rules(None, args.redaction.redact)?)?;
        return diff::run(asked, &args.reading, config, &args.manners, &redactor);
    }
    if typed::browses(&args, matches) {
        let mut words = words.to_vec();
        if typed::names_nothing(&args) {
            let Some(chosen) = picker::choose(args.manners.color, config)? else { return Ok(Exit::Done) };
            words.push(chosen.clone().into());
            args.list.input.files.push(chosen);
        }
        let settings = args.reading.settings();
        let keys = Keys::new(args.reading.clone());
        let speaks = args.reading.spoken(&[])?;
        let (source, color, ascii) = typed::to_browse(args)?;
        // Who exports from the browser says it to a command, which draws nothing.
        let words = words.get(1..).unwrap_or_default().iter().filter(|word| *word != "--ascii").cloned().collect();
        return browse::run(source, color, settings, keys, Launch { words, config: config.clone(), ascii, speaks });
    }
    typed::no_payload_in_columns(&args, matches)?;
    run::run(&Job::new(args, config)?)
}

/// Help and version are data; anything else is a wrong command line.
fn help_or_failure(error: &clap::Error) -> Result<Exit, Failure> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text =
            if output::stdout_has_color() { error.render().ansi().to_string() } else { error.render().to_string() };
        return print(|out| out.text(&text));
    }
    Err(Failure::new(Exit::Usage, one_line(error)))
}

/// Prints to stdout.
fn print(write: impl FnOnce(&mut Out<'_>)) -> Result<Exit, Failure> {
    print_to(Target::Stdout, write)
}

fn print_to(mut target: Target, write: impl FnOnce(&mut Out<'_>)) -> Result<Exit, Failure> {
    let mut out = Out::new(target.writer(), None);
    write(&mut out);
    match out.finish() {
        Ok(()) => target.commit().map(|()| Exit::Done),
        Err(error) => target.broken(&error),
    }
}

/// What is wrong with the command line, and what may have been meant.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let first: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let suggestion = kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => words.first().cloned(),
        _ => None,
    });
    let advice =
        suggestion.map_or(String::from("wspect --help lists what there is"), |word| format!("did you mean {word}?"));
    format!("{}; {advice}", first.join(" "))
}
