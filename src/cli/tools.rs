//! Commands that read no capture, run.

use super::args::{Completions, Explain, Manners, Pages, Schema, Settings, Tool, WhatSettings};
use super::config::{self, Config};
use super::exit::{Exit, Failure, say};
use super::fields;
use super::manual;
use super::output::Target;
use super::signals::Stop;
use super::{print, print_to};
use crate::escape;
use crate::export::{RECORD_KINDS, RecordKind, Term, write_schema};
use crate::model::{CloseCode, NOTES, NoteCode, nearest};

/// Runs such a command to its exit code.
///
/// # Errors
/// When a word is not known, or the output cannot be written.
pub(super) fn run(tool: &Tool, manners: &Manners, config: &Config) -> Result<Exit, Failure> {
    match tool {
        Tool::Explain(args) => explain(args, manners),
        Tool::Fields(args) => {
            let fields = fields::chosen(args)?;
            let target = Target::Stdout.paged(manners.pager, &Stop::on_signals(true));
            print_to(target, |out| fields::write(&fields, args.json.json, out))
        }
        Tool::Schema(Schema { kind }) => schema(kind.as_deref(), manners),
        Tool::Completions(Completions { shell }) => print(|out| out.bytes().extend(manual::completions(*shell))),
        Tool::Config(Settings { what, force }) => configure(*what, *force, manners, config),
        Tool::Man(Pages { directory, force }) => manual::write(directory, *force).map(|()| Exit::Done),
    }
}

fn explain(args: &Explain, manners: &Manners) -> Result<Exit, Failure> {
    let terms = args.codes.iter().map(|word| term(word)).collect::<Result<Vec<_>, _>>()?;
    let target = Target::Stdout.paged(manners.pager, &Stop::on_signals(true));
    let style = target.style(manners.color);
    print_to(target, |out| match terms.as_slice() {
        [] => Term::all().for_each(|term| term.write_line(style, out)),
        terms => terms.iter().enumerate().for_each(|(at, term)| {
            if at > 0 {
                out.text("\n");
            }
            term.write(style, out);
        }),
    })
}

/// The finding or close code that a word names: `TCP-GAP`, `tcp-gap`, `1006`, `CLOSE-4000`.
fn term(word: &str) -> Result<Term, Failure> {
    let number = || word.to_ascii_uppercase().trim_start_matches("CLOSE-").parse().ok();
    match (named(word, "finding or close code"), number()) {
        (Ok(code), _) => Ok(Term::Finding(code)),
        (_, Some(code)) => Ok(Term::Close(CloseCode(code))),
        (Err(unknown), None) => Err(unknown),
    }
}

/// The finding that a word names, in capitals or not.
///
/// # Errors
/// When there is none; it says which may have been meant.
pub(super) fn finding(word: &str) -> Result<NoteCode, Failure> {
    named(word, "finding")
}

fn named(word: &str, what: &str) -> Result<NoteCode, Failure> {
    let name = word.to_ascii_uppercase();
    let unknown = || {
        let meant = nearest(&name, NOTES.iter().map(|row| row.name));
        let advice = meant.map_or(String::from("wspect explain lists all"), |name| format!("did you mean `{name}`?"));
        Failure::new(Exit::Usage, format!("no {what} {word}: {advice}"))
    };
    NoteCode::named(&name).ok_or_else(unknown)
}

fn configure(what: WhatSettings, force: bool, manners: &Manners, config: &Config) -> Result<Exit, Failure> {
    let homeless = || Failure::new(Exit::Usage, "no home directory: name a file with --config");
    let place = || manners.config.clone().or_else(config::place).ok_or_else(homeless);
    match what {
        WhatSettings::Path => {
            let place = place()?;
            print(|out| out.line(&escape::display_str(&place.to_string_lossy())))
        }
        WhatSettings::Show => print(|out| config.write(out)),
        WhatSettings::Init => {
            let place = place()?;
            if let Some(directory) = place.parent() {
                Target::make_directory(directory)?;
            }
            let target = Target::open_file(&place, force)?;
            let done = print_to(target, |out| out.text(&config::template()))?;
            if !manners.quiet {
                say(format_args!("wspect: {} is written", escape::display_str(&place.to_string_lossy())));
            }
            Ok(done)
        }
    }
}

fn schema(name: Option<&str>, manners: &Manners) -> Result<Exit, Failure> {
    let unknown = |name| {
        let names = || RECORD_KINDS.iter().map(|kind| kind.name);
        let advice = nearest(name, names()).map_or_else(
            || format!("one of {}", names().collect::<Vec<_>>().join(" ")),
            |name| format!("did you mean `{name}`?"),
        );
        Failure::new(Exit::Usage, format!("no kind of record {name}: {advice}"))
    };
    let kind = name.map(|name| RecordKind::named(name).ok_or_else(|| unknown(name))).transpose()?;
    let target = Target::Stdout.paged(manners.pager, &Stop::on_signals(true));
    print_to(target, |out| write_schema(kind, out))
}
