//! Differences, written down.

use super::{Difference, Line, Pair, Talk};
use crate::escape;
use crate::export::Out;
use crate::export::json::{self, lit};
use crate::export::style::{Ink, Style};
use crate::model::number;

/// Columns of a line before the payload.
const BEFORE: usize = 38;

/// Writes what differs, as rows of text or as records.
#[derive(Debug)]
pub struct Differences {
    json: bool,
    style: Style,
}

impl Differences {
    /// Records, or text in this style.
    pub const fn new(json: bool, style: Style) -> Self {
        Self { json, style }
    }

    /// In what two connections differ; nothing of two that do not.
    pub fn pair(&mut self, one: &Talk, other: &Talk, differences: &[Difference<'_>], out: &mut Out<'_>) {
        if !self.json && !differences.is_empty() && !out.is_full() {
            self.head(&format!("conn {} ↔ conn {}  {}", one.conn, other.conn, one.title), out);
        }
        for difference in differences {
            if out.is_full() {
                return;
            }
            let (kind, signs, first, second) = match *difference {
                Difference::First(line) => ("first", ("-", ""), Some(line), None),
                Difference::Second(line) => ("second", ("", "+"), None, Some(line)),
                Difference::Changed(line, other) => ("changed", ("<", ">"), Some(line), Some(other)),
                Difference::Moved(line, other) => ("moved", ("^", ""), Some(line), Some(other)),
            };
            if self.json {
                let alike = first.zip(second).filter(|_| kind == "changed").map(|(first, second)| first.alike(second));
                record(kind, Some((one, first)), Some((other, second)), alike, out);
            } else {
                let to = if kind == "moved" { second } else { None };
                if let Some(line) = first {
                    self.line(signs.0, one, line, to, out);
                }
                if let Some(line) = second.filter(|_| to.is_none()) {
                    self.line(signs.1, other, line, None, out);
                }
                // What is shown of both may be the same.
                if let (Some(first), Some(second), None) = (first, second, to)
                    && first.shown == second.shown
                    && first.alike(second) > 0
                {
                    let alike = number(first.alike(second));
                    let text = format!("            the same for {alike} bytes at least; wspect show has all of them");
                    out.line(&self.style.paint(Ink::Note, text).to_string());
                }
            }
            let _ = out.end_row();
        }
    }

    /// A connection that has no partner.
    pub fn alone(&mut self, pair: &Pair<'_>, out: &mut Out<'_>) {
        let (talk, is_first) = match pair {
            Pair::First(talk) => (talk, true),
            Pair::Second(talk) => (talk, false),
            Pair::Both(..) => return,
        };
        if out.is_full() {
            return;
        }
        if self.json {
            let side = Some((*talk, None));
            record("connection", side.filter(|_| is_first), side.filter(|_| !is_first), None, out);
        } else {
            let (sign, which) = if is_first { ("-", "first") } else { ("+", "second") };
            self.head(&format!("{sign} conn {} only in the {which}  {}", talk.conn, talk.title), out);
        }
        let _ = out.end_row();
    }

    fn head(&self, text: &str, out: &mut Out<'_>) {
        let text = escape::display_str(text);
        out.line(&self.style.paint(Ink::Bold, self.style.cut(&text, 0)).to_string());
    }

    fn line(&self, sign: &str, talk: &Talk, line: &Line, to: Option<&Line>, out: &mut Out<'_>) {
        let ink = match sign {
            "-" | "<" => Ink::Error,
            "+" | ">" => Ink::Good,
            _ => Ink::Note,
        };
        let place = format!("{}:{}", talk.conn, line.msg);
        let kind = format!("{:<8}", line.opcode.name());
        let arrow = self.style.paint(line.dir.into(), line.dir.arrow());
        let moved = to.map_or(String::new(), |to| format!("now {}  ", to.msg));
        let shown = self.style.cut(&line.shown, BEFORE);
        let sign = self.style.paint(ink, sign);
        out.line(format!("{sign} {place:>8}  {arrow}  {kind}  {:>9}  {moved}{shown}", number(line.len)).trim_end());
    }
}

/// One record: `first` and `second` are what each side has there.
fn record(
    kind: &str,
    first: Option<(&Talk, Option<&Line>)>,
    second: Option<(&Talk, Option<&Line>)>,
    alike: Option<u64>,
    out: &mut Out<'_>,
) {
    let row = out.bytes();
    lit!(row, r#"{"v":1,"kind":"difference","conn":null,"tcp_stream":null,"h2_stream":null,"time":null,"#);
    lit!(row, r#""packet":null,"file_packet":null,"difference":"#);
    json::name(row, kind);
    let any = first.and_then(|side| side.1).or(second.and_then(|side| side.1));
    lit!(row, r#","dir":"#);
    json::opt_string(row, any.map(|line| line.dir.name()));
    lit!(row, r#","type":"#);
    json::opt_string(row, any.map(|line| line.opcode.name()));
    for (name, side) in [("first", first), ("second", second)] {
        lit!(row, ",");
        json::name(row, name);
        lit!(row, ":");
        let Some((talk, line)) = side else {
            lit!(row, "null");
            continue;
        };
        lit!(row, r#"{"conn":"#);
        json::int(row, talk.conn.0);
        lit!(row, r#","url":"#);
        json::string(row, &talk.title);
        lit!(row, r#","msg":"#);
        json::opt_int(row, line.map(|line| line.msg));
        lit!(row, r#","packet":"#);
        json::opt_int(row, line.map(|line| line.packet.0));
        lit!(row, r#","len":"#);
        json::opt_int(row, line.map(|line| line.len));
        lit!(row, r#","text":"#);
        json::opt_string(row, line.map(|line| &*line.shown));
        lit!(row, "}");
    }
    lit!(row, r#","alike":"#);
    json::opt_int(row, alike);
    lit!(row, "}\n");
}
