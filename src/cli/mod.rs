//! The command line: flags to a job, the job to rows and an exit code. Here alone dissection meets exports.

mod args;
mod browse;
mod choices;
mod exit;
mod input;
mod job;
mod keys;
mod limits;
mod output;
mod progress;
mod run;
mod seen;
mod signals;
mod watch;

pub use exit::Exit;

use crate::export::Out;
use crate::model::Limits;
use args::Args;
use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use exit::{Failure, guarded};
use job::Job;
use keys::Keys;
use output::Target;
use std::ffi::OsString;

/// Runs the program: `words` are its name and its arguments.
pub fn main(words: impl IntoIterator<Item = OsString>) -> Exit {
    let words: Vec<OsString> = words.into_iter().collect();
    guarded(move || match Args::try_parse_from(words) {
        Ok(args) => start(args).unwrap_or_else(|failure| failure.report()),
        Err(error) => help_or_failure(&error).unwrap_or_else(|failure| failure.report()),
    })
}

fn start(args: Args) -> Result<Exit, Failure> {
    if args.limits {
        return print(|out| limits::write(Limits::DEFAULT, out));
    }
    if job::browses(&args) {
        let settings = args.reading.settings();
        let keys = Keys::new(args.reading.clone());
        let (source, color) = job::to_browse(args)?;
        return browse::run(source, color, settings, keys);
    }
    run::run(&Job::new(args)?)
}

/// Help and version are data; anything else is a wrong command line.
fn help_or_failure(error: &clap::Error) -> Result<Exit, Failure> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = if job::stdout_has_color() { error.render().ansi().to_string() } else { error.render().to_string() };
        return print(|out| out.text(&text));
    }
    Err(Failure::new(Exit::Usage, one_line(error)))
}

/// Prints to stdout.
fn print(write: impl FnOnce(&mut Out<'_>)) -> Result<Exit, Failure> {
    let mut target = Target::Stdout;
    let mut out = Out::new(target.writer(), None);
    write(&mut out);
    match out.finish() {
        Ok(()) => Ok(Exit::Done),
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
