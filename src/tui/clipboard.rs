//! The clipboard: the terminal's own (OSC 52), a helper program's, or a file when the text is long.

use crate::model::size;
use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Many terminals drop an OSC 52 of more than about 100 kB of base64.
const MAX_OSC52: usize = 75_000;

/// Programs that take the clipboard's text on their standard input, and the variable that says that they can work.
const HELPERS: [(&str, &[&str], Option<&str>); 4] = [
    ("wl-copy", &[], Some("WAYLAND_DISPLAY")),
    ("xclip", &["-selection", "clipboard"], Some("DISPLAY")),
    ("pbcopy", &[], None),
    ("clip.exe", &[], None),
];

/// Puts text on the clipboard and says in words what became of it.
pub(super) fn copy(text: &str) -> String {
    let size = size(text.len() as u64);
    if text.len() > MAX_OSC52 {
        return match write_file(text) {
            Ok(path) => {
                let path = path.display().to_string();
                format!("{size} written to {} (too long for the clipboard)", crate::escape::display_str(&path))
            }
            Err(error) => format!("not copied: {error}"),
        };
    }
    let helped = is_local() && HELPERS.iter().any(|helper| pipe_to(helper, text).is_ok());
    match execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text)) {
        Err(error) if !helped => format!("not copied: {error}"),
        _ => format!("copied {size}"),
    }
}

/// Over SSH a helper program would fill the clipboard of the wrong machine.
fn is_local() -> bool {
    std::env::var_os("SSH_CONNECTION").is_none() && std::env::var_os("SSH_TTY").is_none()
}

fn pipe_to(&(program, arguments, needs): &(&str, &[&str], Option<&str>), text: &str) -> io::Result<()> {
    if needs.is_some_and(|variable| std::env::var_os(variable).is_none()) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    // These programs go on in the background by themselves once they have the text.
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
}

/// A file that only the user can read, in the directory for temporary files.
fn write_file(text: &str) -> io::Result<PathBuf> {
    let mut file = tempfile::Builder::new().prefix("wspect-").suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    let (_, path) = file.keep()?;
    Ok(path)
}
