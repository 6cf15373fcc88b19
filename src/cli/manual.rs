//! Manual pages and completions, made from the definition of the command line.

use super::args;
use super::exit::Failure;
use super::output::Target;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::io;
use std::path::Path;

/// The name that the program is installed under.
const NAME: &str = "wspect";

/// The script by which a shell completes commands and options.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::definition(), NAME, &mut script);
    script
}

/// Writes a page for the program and one for each command into a directory, all or none.
///
/// # Errors
/// When one cannot be written, or is there and may not be replaced.
pub(super) fn write(directory: &Path, force: bool) -> Result<(), Failure> {
    Target::make_directory(directory)?;
    let mut targets = Vec::new();
    for command in commands() {
        let mut target = Target::open_file(&directory.join(file_name(&command)), force)?;
        let written = page(&command).and_then(|page| target.writer().write_all(&page));
        if let Err(error) = written {
            return target.broken(&error).map(drop);
        }
        targets.push(target);
    }
    targets.into_iter().try_for_each(Target::commit)
}

/// The program, then its commands.
fn commands() -> Vec<Command> {
    let definition = args::definition();
    let commands: Vec<Command> = definition.get_subcommands().cloned().collect();
    [definition].into_iter().chain(commands).collect()
}

/// `wspect-ls`.
fn title(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// `wspect-ls.1`.
fn file_name(command: &Command) -> String {
    format!("{}.1", title(command))
}

/// One page, in the macros of man(7).
fn page(command: &Command) -> io::Result<Vec<u8>> {
    // What there is no room for on a screen of help, a page has room for.
    let mut command = command.clone().mut_args(|arg| arg.hide_short_help(false)).subcommand_help_heading("COMMANDS");
    let usage = command.render_usage().to_string();
    let command = command.override_usage(usage.trim_start_matches("Usage: ").to_owned());
    let after = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let (is_program, has_options) = (command.has_subcommands(), command.get_arguments().next().is_some());
    let man = Man::new(command).source(concat!("wspect ", env!("CARGO_PKG_VERSION"))).manual("wspect manual");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    if is_program {
        man.render_subcommands_section(&mut out)?;
    }
    if has_options {
        man.render_options_section(&mut out)?;
    }
    let mut rest = Roff::new();
    for (heading, lines) in blocks(&after) {
        rest.control("SH", [heading.to_uppercase().as_str()]);
        rest.control("nf", []);
        for line in lines {
            rest.text([roman(line)]);
        }
        rest.control("fi", []);
    }
    if !is_program {
        rest.control("SH", ["SEE ALSO"]);
        rest.text([roman("wspect(1)")]);
    }
    rest.to_writer(&mut out)?;
    Ok(out)
}

/// What stands below the options: headings, which end with a colon, and the lines under each.
fn blocks(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match (line.strip_suffix(':').filter(|heading| !heading.starts_with(' ')), blocks.last_mut()) {
            (Some(heading), _) => blocks.push((heading, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => blocks.push(("Notes", vec![line])),
        }
    }
    blocks
}
