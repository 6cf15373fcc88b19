//! The picture for terminals, and readers of screens, that have no signs but ASCII; and where it is read.

use crate::tui::app::{App, Overlay};
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::Modifier;

/// Signs of ours, and what stands for them. What else is not ASCII is data.
const SIGNS: &[(&str, &str)] = &[
    ("─━╌┄┈╍", "-"),
    ("│┃┆┊╎", "|"),
    ("┌┐└┘┏┓┗┛├┤┬┴┼┝┥┿╋┣┫", "+"),
    ("▶→▸", ">"),
    ("◀←◂⟨", "<"),
    ("⟩", ">"),
    ("▼↓", "v"),
    ("▲↑", "^"),
    ("✓", "+"),
    ("✗", "x"),
    ("·•", "."),
    ("…⋯", "~"),
    ("Δ", "d"),
    ("µ", "u"),
    ("§", "S"),
    ("×", "x"),
    ("⇄", "="),
    ("≤", "<"),
    ("≥", ">"),
    ("—–−", "-"),
    ("“”", "\""),
    ("‘’", "'"),
    ("▁▂", "_"),
    ("▃▄", "."),
    ("▅▆", ":"),
    ("▇█▓▉▊", "#"),
    ("░▒▏▎▍▌▋", "."),
    ("▐", "|"),
];

/// Of the frames around panes and windows, which nobody wants to hear.
const FRAMES: &str = "━┃┏┓┗┛┌┐└┘│";

/// Replaces signs that are not ASCII; frames by blanks where they are not wanted.
pub(super) fn to_ascii(buf: &mut Buffer, without_frames: bool) {
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        if without_frames && FRAMES.contains(symbol) {
            cell.set_symbol(" ");
            continue;
        }
        let sign = SIGNS.iter().find(|(signs, _)| signs.contains(symbol)).map(|&(_, sign)| sign);
        if let Some(sign) = sign {
            cell.set_symbol(sign);
        }
    }
}

/// Where a reader of screens reads, in plain pictures: what is selected, or typed, stands in reverse video.
pub(super) fn cursor(app: &App, buf: &Buffer) -> Option<Position> {
    let mut reversed = buf.content.iter().enumerate().filter(|(_, cell)| cell.modifier.contains(Modifier::REVERSED));
    // What lies over the panes is drawn below, or over, what is selected in them.
    let found = if app.overlay == Overlay::None { reversed.next() } else { reversed.next_back() };
    let (at, _) = found.filter(|_| app.plain)?;
    let width = usize::from(buf.area.width.max(1));
    // A row is read from its beginning.
    let begin = (at - at % width..=at)
        .rev()
        .take_while(|at| buf.content.get(*at).is_some_and(|cell| cell.modifier.contains(Modifier::REVERSED)));
    let at = begin.last().unwrap_or(at);
    Some(Position { x: u16::try_from(at % width).ok()?, y: u16::try_from(at / width).ok()? })
}
