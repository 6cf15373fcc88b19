//! JUnit XML: a test case for each code, so that a report has the same cases whatever the capture holds.
//!
//! ```text
//! testsuites ▸ testsuite TCP ▸ testcase TCP-GAP ▸ failure | skipped | system-out
//! ```
//!
//! There is no standard of it; what is written satisfies the schemas of Jenkins and of Ant, and GitLab reads it.

use super::{about, sentence};
use crate::escape;
use crate::export::{Evidence, Exporter, Out, Standing, Totals};
use crate::model::{Event, FileRun, FileRuns, NOTES, Note, NoteRow, NoteSet, Severity, Stamp, Topic, count};
use std::ops::ControlFlow;

/// Findings of a code that are listed; of the others the number is told.
const LISTED: usize = 100;

/// What was found of one code.
#[derive(Debug, Clone, Default)]
struct Found {
    count: u64,
    /// The first ones, a line each.
    lines: Vec<String>,
}

/// Writes findings as results of tests.
#[derive(Debug)]
pub struct Junit {
    name: String,
    fail_on: Severity,
    ignored: NoteSet,
    files: FileRuns,
    /// By code, in the order of the table.
    found: Vec<Found>,
    claims: Vec<Claimed>,
}

/// A claim, and how it stands.
#[derive(Debug)]
struct Claimed {
    claim: String,
    holds: bool,
    text: String,
    evidence: Vec<String>,
}

impl Junit {
    /// A report on the capture of that name: findings from this severity on are failures, these are skipped.
    pub fn new(name: &str, fail_on: Severity, ignored: NoteSet) -> Self {
        let found = vec![Found::default(); NOTES.len()];
        Self { name: name.to_owned(), fail_on, ignored, files: FileRuns::default(), found, claims: Vec::new() }
    }

    fn line(&self, at: &Stamp, note: &Note<'_>) -> String {
        let packet = note.shown_by(at);
        let frame = match packet.0 {
            0 => String::new(),
            _ => format!("  frame {}", escape::display_str(&self.files.place(packet))),
        };
        format!("{}{frame}  {}", about(at), sentence(note))
    }

    fn rows(&self) -> impl Iterator<Item = (&'static NoteRow, &Found)> {
        NOTES.iter().zip(&self.found)
    }

    fn fails(&self, row: &NoteRow, found: &Found) -> bool {
        found.count > 0 && row.severity >= self.fail_on
    }

    /// ` tests="…" failures="…" errors="0" skipped="…"` of the rows that are wanted, and of so many others.
    fn counts(&self, is_wanted: impl Fn(&NoteRow) -> bool, others: usize, failed: usize) -> String {
        let rows = || self.rows().filter(|(row, _)| is_wanted(row));
        let failures = rows().filter(|(row, found)| self.fails(row, found)).count() + failed;
        let skipped = rows().filter(|(row, _)| self.ignored.contains(row.code)).count();
        format!(r#" tests="{}" failures="{failures}" errors="0" skipped="{skipped}""#, rows().count() + others)
    }

    /// What was asserted: a case for each claim.
    fn claims(&self, out: &mut Out<'_>) {
        if self.claims.is_empty() {
            return;
        }
        let (tests, failures) = (self.claims.len(), self.failed_claims());
        let counts = format!(r#" tests="{tests}" failures="{failures}" errors="0" skipped="0""#);
        out.line(&format!(r#"  <testsuite name="Assertions"{counts}>"#));
        for Claimed { claim, holds, text, evidence } in &self.claims {
            let begin = format!(r#"    <testcase classname="wspect.assertion" name="{}""#, escaped(claim));
            if *holds {
                out.line(&format!("{begin}/>"));
                continue;
            }
            out.line(&format!(r#"{begin}><failure type="assertion" message="{}">"#, escaped(text)));
            evidence.iter().for_each(|line| out.line(&escaped(line)));
            out.line("</failure></testcase>");
        }
        out.line("  </testsuite>");
    }

    fn failed_claims(&self) -> usize {
        self.claims.iter().filter(|claimed| !claimed.holds).count()
    }

    fn suite(&self, topic: Topic, out: &mut Out<'_>) {
        let title = escaped(topic.title());
        out.line(&format!(r#"  <testsuite name="{title}"{}>"#, self.counts(|row| row.topic == topic, 0, 0)));
        for (row, found) in self.rows().filter(|(row, _)| row.topic == topic) {
            self.case(row, found, out);
        }
        out.line("  </testsuite>");
    }

    fn case(&self, row: &NoteRow, found: &Found, out: &mut Out<'_>) {
        let begin = format!(r#"    <testcase classname="wspect.{}" name="{}""#, row.topic.name(), row.name);
        if self.ignored.contains(row.code) {
            out.line(&format!(r#"{begin}><skipped message="ignored (--ignore)"/></testcase>"#));
        } else if found.count == 0 {
            out.line(&format!("{begin}/>"));
        } else if self.fails(row, found) {
            let message = escaped(&format!("{}: {}", count(found.count, "finding"), row.text));
            out.line(&format!(r#"{begin}><failure type="{}" message="{message}">"#, row.severity.name()));
            self.story(row, found, out);
            out.line("</failure></testcase>");
        } else {
            out.line(&format!("{begin}><system-out>"));
            self.story(row, found, out);
            out.line("</system-out></testcase>");
        }
        out.spill();
    }

    /// The findings, and what to do.
    fn story(&self, row: &NoteRow, found: &Found, out: &mut Out<'_>) {
        for line in &found.lines {
            out.line(&escaped(line));
        }
        let more = found.count - found.lines.len() as u64;
        if more > 0 {
            out.line(&format!("and {} more", count(more, "finding")));
        }
        if !row.rfc.is_empty() {
            out.line(&escaped(row.rfc));
        }
        out.line(&escaped(&format!("Likely cause: {}", row.cause)));
        out.line(&escaped(&format!("Next: {}", row.next)));
    }
}

impl Exporter for Junit {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        let Event::Note(note) = event else { return ControlFlow::Continue(()) };
        let line = self.line(at, note);
        if let Some(found) = self.found.get_mut(note.code as usize) {
            found.count += 1;
            if found.lines.len() < LISTED {
                found.lines.push(line);
            }
        }
        ControlFlow::Continue(())
    }

    fn file(&mut self, run: &FileRun) {
        self.files.push(run.clone());
    }

    fn claim(&mut self, standing: &Standing<'_>, _: &mut Out<'_>) {
        let Standing { claim, holds, text, evidence } = standing;
        let place = |evidence: &Evidence| {
            let about = evidence.place.as_deref().unwrap_or("file");
            format!("{about}  frame {}", escape::display_str(&self.files.place(evidence.packet)))
        };
        let evidence = evidence.iter().map(place).collect();
        let claim = escape::display_str(claim).into_owned();
        self.claims.push(Claimed { claim, holds: *holds, text: text.clone(), evidence });
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        out.line(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
        let name = escaped(&escape::display_str(&self.name));
        let (claims, failed) = (self.claims.len(), self.failed_claims());
        out.line(&format!(r#"<testsuites name="wspect check {name}"{}>"#, self.counts(|_| true, claims, failed)));
        self.claims(out);
        let mut last = None;
        for row in NOTES {
            if last.replace(row.topic) != Some(row.topic) {
                self.suite(row.topic, out);
            }
        }
        out.line("</testsuites>");
    }
}

/// Text in XML 1.0, as content or as an attribute's value: what XML cannot hold (§2.2) is replaced, what it obeys written out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_xml_obeys_or_forbids_gets_through() {
        assert_eq!(escaped(r#"<a b="c">&'"#), "&lt;a b=&quot;c&quot;&gt;&amp;'");
        assert_eq!(escaped("a\0b\x1bc\u{fffe}d\u{85}e\nf"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e f");
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            // The production Char of XML 1.0 §2.2.
            let is_char =
                |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
            assert!(escaped(c.encode_utf8(&mut [0; 4])).chars().all(is_char), "U+{:04X}", u32::from(c));
        }
    }
}
