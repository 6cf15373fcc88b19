//! The picture in ASCII: lines, arrows and signs for terminals, and readers of screens, that have no others.

use ratatui::buffer::Buffer;

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

/// Replaces signs that are not ASCII.
pub(super) fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let sign = SIGNS.iter().find(|(signs, _)| signs.contains(symbol)).map(|&(_, sign)| sign);
        if let Some(sign) = sign {
            cell.set_symbol(sign);
        }
    }
}
