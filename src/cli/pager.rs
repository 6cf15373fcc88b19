//! A pager between rows and the terminal, once there are more of them than the screen has lines for.

use super::args::When;
use super::signals::Stop;
use std::env;
use std::io::{self, Write};
use std::mem;
use std::process::{Child, Command, Stdio};

/// Lines and columns of a screen that does not tell.
const SCREEN: (u16, u16) = (80, 24);

/// Standard output, with a pager in front of it where one is needed.
pub(super) struct Pager {
    stop: Stop,
    /// The program and its arguments.
    words: Vec<String>,
    /// What `less` is told where its user says nothing: F: end when all fits; R: colours; X: leave the screen as it is.
    less: &'static str,
    /// Lines that the screen has room for, and its columns.
    screen: (usize, usize),
    state: State,
}

enum State {
    /// All that was written so far, in so many lines.
    Held(Vec<u8>, usize),
    /// The pager has it.
    Runs(Child),
    /// There is no pager to be had: rows go to the terminal.
    Bare,
    /// All was shown.
    Done,
}

impl Pager {
    /// The pager that the user wants, if any: `PAGER`, else `less`.
    pub(super) fn new(when: When, stop: &Stop) -> Option<Self> {
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        if when == When::Never || when == When::Auto && is_dumb {
            return None;
        }
        let less = if when == When::Always { "RX" } else { "FRX" };
        let wanted = env::var("PAGER").unwrap_or_else(|_| format!("less -{less}"));
        let words: Vec<String> = wanted.split_whitespace().map(str::to_owned).collect();
        if words.is_empty() || words == ["cat"] {
            return None;
        }
        let (columns, lines) = crossterm::terminal::size().unwrap_or(SCREEN);
        // With one line already too many, the pager comes at once.
        let lines = if when == When::Always { 1 } else { lines.into() };
        let screen = (lines, usize::from(columns).max(1));
        Some(Self { stop: stop.clone(), words, less, screen, state: State::Held(Vec::new(), 0) })
    }

    /// Shows what was held, or waits until the user has seen enough.
    ///
    /// # Errors
    /// When the terminal cannot be written.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match mem::replace(&mut self.state, State::Done) {
            State::Held(text, _) => show(&text),
            State::Runs(mut child) => {
                self.stop.waits_for_pager();
                drop(child.stdin.take());
                // How it ended is between the user and the pager.
                let _ = child.wait();
                Ok(())
            }
            State::Bare | State::Done => Ok(()),
        }
    }

    /// Starts the pager; without one, what was held is shown.
    fn start(&mut self) -> io::Result<()> {
        let State::Held(text, _) = mem::replace(&mut self.state, State::Bare) else { return Ok(()) };
        let Some((program, arguments)) = self.words.split_first() else { return show(&text) };
        if self.stop.lends_screen() {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped());
        for (variable, value) in [("LESS", self.less), ("LESSCHARSET", "utf-8")] {
            if env::var_os(variable).is_none() {
                command.env(variable, value);
            }
        }
        match command.spawn() {
            Ok(child) => {
                self.state = State::Runs(child);
                self.write_all(&text)
            }
            Err(_) => show(&text),
        }
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Held(text, lines) => {
                text.extend_from_slice(bytes);
                *lines += lines_of(bytes, self.screen.1);
                if *lines >= self.screen.0 {
                    self.start()?;
                }
                Ok(bytes.len())
            }
            State::Runs(Child { stdin: Some(stdin), .. }) => stdin.write(bytes),
            State::Runs(_) | State::Bare | State::Done => {
                show(bytes)?;
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whatever ends the run: what was held is shown, and the terminal is the pager's until that ends.
impl Drop for Pager {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

fn show(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(text)?;
    stdout.flush()
}

/// Lines of a screen that text takes: those that are longer than it is wide take several.
///
/// A character counts as one column, and a colour as none; where that is not exact, `less -F` decides.
fn lines_of(text: &[u8], columns: usize) -> usize {
    let lines = text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    lines.map(|line| width(line).saturating_sub(1).checked_div(columns).unwrap_or(0) + 1).sum()
}

/// Characters of a line that are shown.
fn width(line: &[u8]) -> usize {
    let mut is_colour = false;
    let shown = line.iter().filter(|&&byte| {
        let was_colour = is_colour;
        is_colour = byte == 0x1b || is_colour && byte != b'm';
        !is_colour && !was_colour && byte != b'\n' && byte & 0xc0 != 0x80
    });
    shown.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_screen() {
        assert_eq!(lines_of(b"", 80), 0);
        assert_eq!(lines_of(b"a\n\nb\n", 80), 3);
        assert_eq!(lines_of("é".repeat(80).as_bytes(), 80), 0);
        assert_eq!(lines_of(format!("{}\n", "é".repeat(80)).as_bytes(), 80), 1);
        assert_eq!(lines_of(format!("{}\n", "é".repeat(81)).as_bytes(), 80), 2);
        assert_eq!(lines_of(format!("\x1b[1;31m{}\x1b[0m\n", "a".repeat(80)).as_bytes(), 80), 1);
    }
}
