//! How a run ends: the exit codes, and what is said on the way out.

use super::signals::SIGPIPE;
use crate::capture::words;
use crate::escape;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::panic::{self, PanicHookInfo, UnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well, also with nothing to show and with warnings.
    Done,
    /// `check` found what `--fail-on` asks for; the connection or message that was named is not there.
    Found,
    /// The command line cannot be understood.
    Usage,
    /// The input cannot be read, or is no capture.
    Input,
    /// With `--strict`: the input was cut or had gaps.
    Strict,
    /// The output cannot be written.
    Output,
    /// A bug of ours.
    Internal,
    /// Ended by this signal.
    Signal(u8),
}

impl Exit {
    /// The reader of our output went away, as if by SIGPIPE.
    pub const CLOSED_PIPE: Self = Self::Signal(SIGPIPE);

    /// The code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Strict => 4,
            Self::Output => 5,
            Self::Internal => 70,
            Self::Signal(signal) => 128_u8.saturating_add(signal),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a run ended early, and with which code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    exit: Exit,
    /// What went wrong, where, and what to do: one line, lower case. Hostile text in it is escaped when it is printed.
    text: String,
    /// Lines below it, which show where.
    below: String,
}

impl Failure {
    /// A failure with its line.
    pub(super) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into(), below: String::new() }
    }

    /// What was typed asks for nothing that can be done.
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// With lines below it, which show where.
    pub(super) fn with_lines(mut self, below: String) -> Self {
        self.below = below;
        self
    }

    /// What went wrong; not escaped.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Prints the line.
    pub(super) fn report(&self) -> Exit {
        let head = format!("wspect: {}", escape::display_str(&self.text));
        let below = self.below.lines().map(|line| escape::display_str(line).into_owned());
        for line in [head].into_iter().chain(below) {
            say(&line);
            // Why nothing came of it is not for the log alone.
            if LOG.get().is_some() {
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
        self.exit
    }
}

/// Where lines go instead of stderr, where that is asked for: as stderr itself, one place for the whole process.
static LOG: OnceLock<File> = OnceLock::new();

/// From now on lines go to the end of this file.
///
/// # Errors
/// When it cannot be written.
pub(super) fn log_to(path: &Path) -> Result<(), Failure> {
    // A capture, say, that was named by mistake.
    let mut begin = Vec::new();
    let is_file = fs::metadata(path).is_ok_and(|about| about.is_file());
    let read = is_file.then(|| File::open(path).and_then(|file| file.take(512).read_to_end(&mut begin)));
    if read.is_some() && std::str::from_utf8(&begin).is_err_and(|error| error.error_len().is_some())
        || begin.contains(&0)
    {
        return Err(Failure::new(Exit::Output, format!("{}: is no log: it holds other than text", path.display())));
    }
    let file = File::options().append(true).create(true).open(path);
    let file = file.map_err(|error| Failure::new(Exit::Output, format!("{}: {}", path.display(), words(&error))))?;
    LOG.get_or_init(|| file);
    Ok(())
}

/// Prints a line to stderr, or to the log. Its text must be safe on a terminal.
pub(super) fn say(line: impl fmt::Display) {
    // Whoever closed stderr does not want to know, and a full disk cannot be told of.
    let _ = match LOG.get() {
        Some(mut log) => writeln!(log, "{line}"),
        None => writeln!(io::stderr(), "{line}"),
    };
}

/// Runs `work`; a panic in it is reported in one line and becomes [`Exit::Internal`].
pub(super) fn guarded(work: impl FnOnce() -> Exit + UnwindSafe) -> Exit {
    panic::set_hook(Box::new(|panic| say(bug_report(panic))));
    panic::catch_unwind(work).unwrap_or(Exit::Internal)
}

fn bug_report(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref().map(String::as_str));
    let text: String = text.unwrap_or("no message").chars().take(300).collect();
    let place = panic.location().map_or(String::new(), |at| format!(" at {}:{}", at.file(), at.line()));
    format!(
        "wspect: internal error{place}: {}; please report this line, the command and version {}, and the capture if you may",
        escape::display_str(&text),
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_manual() {
        let exits = [
            Exit::Done,
            Exit::Found,
            Exit::Usage,
            Exit::Input,
            Exit::Strict,
            Exit::Output,
            Exit::Internal,
            Exit::Signal(2),
            Exit::CLOSED_PIPE,
        ];
        assert_eq!(exits.map(Exit::code), [0, 1, 2, 3, 4, 5, 70, 130, 141]);
    }

    #[test]
    fn a_panic_ends_with_70() {
        let before = panic::take_hook();
        let exit = guarded(|| panic!("on purpose"));
        panic::set_hook(before);
        assert_eq!(exit, Exit::Internal);
    }
}
