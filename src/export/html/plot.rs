//! Throughput as inline SVG: bytes to the server above the line, bytes to the client below.

use super::coordinate;
use crate::export::Out;
use crate::export::bins::{Bins, sum};
use crate::model::{Both, Direction, Timestamp, duration, size};
use std::fmt::Write as _;

/// Columns at most.
const MAX_COLUMNS: usize = 250;

/// Coordinates: the drawing, and half of its height.
const WIDTH: f64 = 1000.0;
const HALF: f64 = 60.0;

/// Appends the plot, if any message has bytes.
pub(super) fn write(mut bins: Bins, end: Option<Timestamp>, out: &mut Out<'_>) {
    bins.reach(end);
    let in_one = bins.all().len().div_ceil(MAX_COLUMNS).max(1);
    let columns: Vec<Both<u64>> = bins.all().chunks(in_one).map(sum).collect();
    let most = columns.iter().flat_map(|column| Direction::BOTH.map(|dir| column[dir])).max().unwrap_or(0);
    if most == 0 {
        return;
    }
    let width = bins.width().saturating_mul(i64::try_from(in_one).unwrap_or(1));
    let total = width.saturating_mul(i64::try_from(columns.len()).unwrap_or(1));
    out.line("<h2>Throughput</h2>");
    out.line(r#"<svg viewBox="0 0 1000 140" role="img" aria-label="payload bytes over time">"#);
    for dir in Direction::BOTH {
        out.line(&format!(r#"<path class="{}" d="{}"/>"#, dir.name(), path(&columns, dir, most)));
    }
    out.line(&format!(r#"<line x1="0" y1="{HALF}" x2="{WIDTH}" y2="{HALF}"/>"#));
    out.line(&format!(
        r#"<text x="0" y="137">0</text><text x="1000" y="137" text-anchor="end">{}</text>"#,
        duration(total)
    ));
    out.line("</svg>");
    out.line(&format!(
        r#"<p class="dim">payload bytes to the server (above) and to the client (below); at most {} in {}</p>"#,
        size(most),
        duration(width)
    ));
}

/// A bar for each column that has bytes.
#[expect(clippy::cast_precision_loss, reason = "a drawing has no more digits than a screen")]
fn path(columns: &[Both<u64>], dir: Direction, most: u64) -> String {
    let step = WIDTH / columns.len() as f64;
    let mut path = String::new();
    for (at, column) in columns.iter().enumerate().filter(|(_, column)| column[dir] > 0) {
        // What flowed at all is seen.
        let height = (column[dir] as f64 / most as f64 * HALF).max(1.0);
        let up = if dir == Direction::ToServer { -height } else { height };
        path.push('M');
        coordinate(&mut path, at as f64 * step);
        let _ = write!(path, ",{HALF}v");
        coordinate(&mut path, up);
        path.push('h');
        coordinate(&mut path, (step * 0.9).max(0.6));
        path.push('v');
        coordinate(&mut path, -up);
        path.push('z');
    }
    path
}
