//! The figures of a capture as text.

use super::bins::sum;
use super::stats::Figures;
use super::style::Style;
use super::time::Clock;
use super::{Out, Totals};
use crate::model::{Counts, Direction, count, duration, number, size};

/// Takes one number out of the counts.
type Count = fn(&Counts) -> u64;

/// What is counted in each direction.
const COUNTS: [(&str, Count); 11] = [
    ("messages", |counts| counts.messages),
    ("frames", |counts| counts.frames),
    ("bytes", |counts| counts.bytes),
    ("bytes on wire", |counts| counts.wire_bytes),
    ("text", |counts| counts.text),
    ("binary", |counts| counts.binary),
    ("ping", |counts| counts.ping),
    ("pong", |counts| counts.pong),
    ("close", |counts| counts.close),
    ("gaps", |counts| counts.gaps),
    ("bytes missing", |counts| counts.missing_bytes),
];

/// Bars of a throughput line at most.
const BARS: usize = 60;

/// Appends the figures.
pub(super) fn write(figures: &Figures, clock: &mut Clock, style: Style, out: &mut Out<'_>) {
    let totals = &figures.totals;
    if let Some(span) = span(totals, clock) {
        line(out, "time", &span);
    }
    line(out, "packets", &format!("{:>14}", number(totals.packets)));
    line(out, "TCP streams", &format!("{:>14}", number(totals.streams.into())));
    let (counted, all) = (figures.connections, u64::from(totals.connections));
    let of_all = if counted < all { format!(" of {}", number(all)) } else { String::new() };
    line(out, "connections", &format!("{:>14}{of_all}", number(counted)));
    line(out, "", &format!("{:>14}  {:>14}", "→ to server", "← to client"));
    for (name, value) in COUNTS {
        let [to_server, to_client] = Direction::BOTH.map(|dir| number(value(&figures.counts[dir])));
        line(out, name, &format!("{to_server:>14}  {to_client:>14}"));
    }
    if let Some(rtt) = figures.rtt {
        let [p50, p95, max] = [rtt.p50, rtt.p95, rtt.max].map(duration);
        let pongs = count(rtt.count, "pong");
        line(out, "round trips", &format!("{pongs}, half within {p50}, 95 % within {p95}, longest {max}"));
    }
    throughput(figures, style, out);
    let findings = figures.findings;
    let [errors, warnings, notes] =
        [(findings.error, "error"), (findings.warning, "warning"), (findings.note, "note")].map(|(n, of)| count(n, of));
    line(out, "findings", &format!("{errors}, {warnings}, {notes}"));
}

fn line(out: &mut Out<'_>, name: &str, text: &str) {
    out.line(format!("{name:<13}  {text}").trim_end());
}

/// `2023-11-14 22:13:20.004221 to 22:27:22.300000, 14m02s`: the date once, where it is one.
pub(super) fn span(totals: &Totals, clock: &mut Clock) -> Option<String> {
    let (first, last) = (totals.first?, totals.last?);
    let [from, to] = [first, last].map(|at| {
        let mut text = String::new();
        clock.write(Some(at), &mut text);
        text.trim().to_owned()
    });
    let date = from.split_once(' ').map_or("", |(date, _)| date);
    let to = to.strip_prefix(date).map_or(to.as_str(), str::trim_start);
    Some(format!("{from} to {to}, {}", duration(last.since(first))))
}

/// A line of bars for each direction.
fn throughput(figures: &Figures, style: Style, out: &mut Out<'_>) {
    let Some(width) = figures.bin_ns else { return };
    // A name, an arrow, and behind the bars what the highest is: `  at most 999 kB in 14m02s`.
    let room = style.columns.map_or(BARS, |columns| columns.saturating_sub(15 + 2 + 27).clamp(10, BARS));
    let in_one = figures.bins.len().div_ceil(room).max(1);
    for (dir, name) in Direction::BOTH.into_iter().zip(["bytes in time", ""]) {
        let bars: Vec<u64> = figures.bins.chunks(in_one).map(|bins| sum(bins)[dir]).collect();
        let most = bars.iter().copied().max().unwrap_or(0);
        let bars: String = bars.iter().map(|&bytes| bar(bytes, most, 1, 0)).collect();
        let bars = style.paint(dir.into(), bars);
        let step = duration(width.saturating_mul(in_one as i64));
        line(out, name, &format!("{} {bars}  at most {} in {step}", dir.arrow(), size(most)));
    }
}

/// What a bar of `value` has in a row, counted from below, where `most` fills so many rows: a block of eight heights, or a
/// blank. What is not nothing is seen.
pub fn bar(value: u64, most: u64, rows: usize, row: usize) -> char {
    let full = 8 * rows as u128;
    let height = (u128::from(value) * full / u128::from(most.max(1))).clamp(u128::from(value > 0), full);
    let eighths = height.saturating_sub(8 * row as u128);
    " ▁▂▃▄▅▆▇".chars().nth(eighths as usize).unwrap_or('█')
}
