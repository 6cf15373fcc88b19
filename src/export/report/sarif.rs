//! SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): every code is a rule, every finding a result.
//!
//! ```text
//! { version, runs: [{ tool: { driver: { name, version, rules } }, results: [
//!     { ruleId, ruleIndex, level, message, locations: [{ physicalLocation, logicalLocations }], properties }…] }] }
//! ```

use super::{about, sentence};
use crate::escape;
use crate::export::json::{self, lit};
use crate::export::{Evidence, Exporter, Out, Standing, Totals};
use crate::model::{Event, FileRun, FileRuns, NOTES, Note, NoteRow, PacketNo, Severity, Stamp, push_percent};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The rule of what is asserted.
const ASSERTION: &str = "ASSERTION";

/// Writes findings as SARIF.
#[derive(Debug)]
pub struct Sarif {
    /// The capture, as it was named; of several, where each stands by the name that it is shown by.
    name: String,
    paths: BTreeMap<String, String>,
    files: FileRuns,
    last_file: Option<Arc<str>>,
    results: u64,
    is_begun: bool,
    /// A rule stands for what is asserted.
    asserts: bool,
}

impl Sarif {
    /// Results of the capture of that name; `paths` has those of several captures by their short names.
    /// With a rule for assertions if there are any.
    pub fn new(name: &str, paths: impl IntoIterator<Item = (String, String)>, asserts: bool) -> Self {
        let (paths, files) = (paths.into_iter().collect(), FileRuns::default());
        Self { name: name.to_owned(), paths, files, last_file: None, results: 0, is_begun: false, asserts }
    }

    fn begin(&mut self, out: &mut Out<'_>) {
        if std::mem::replace(&mut self.is_begun, true) {
            return;
        }
        let text = out.bytes();
        lit!(
            text,
            "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\n"
        );
        lit!(text, r#""tool":{"driver":{"name":"wspect","semanticVersion":"#);
        json::name(text, env!("CARGO_PKG_VERSION"));
        lit!(text, ",\"rules\":[\n");
        for (at, row) in NOTES.iter().enumerate() {
            if at > 0 {
                lit!(text, ",\n");
            }
            rule(row, text);
        }
        if self.asserts {
            lit!(text, ",\n{\"id\":");
            json::name(text, ASSERTION);
            lit!(text, r#","shortDescription":{"text":"What is asserted of the capture does not hold."}"#);
            lit!(text, r#","help":{"text":"Asserted with --assert or in a file of assertions (--assert-file)."}"#);
            lit!(text, r#","defaultConfiguration":{"level":"error"},"properties":{"tags":["assertion"]}}"#);
        }
        lit!(text, "]}},\n\"columnKind\":\"utf16CodeUnits\",\n\"results\":[");
    }

    /// The capture that holds a packet.
    fn capture_of(&self, packet: PacketNo) -> &str {
        let name = self.files.find(packet).map(|place| place.name).or(self.last_file.as_deref());
        let Some(name) = name else { return &self.name };
        self.paths.get(name).map_or(name, String::as_str)
    }

    /// Where something is: the capture, and in it a place and what is `within` that.
    fn location(&self, packet: PacketNo, place: &str, within: &str, kind: &str, text: &mut Vec<u8>) {
        lit!(text, r#"{"physicalLocation":{"artifactLocation":{"uri":"#);
        json::string(text, &uri(self.capture_of(packet)));
        lit!(text, r#"}},"logicalLocations":[{"name":"#);
        json::string(text, place);
        lit!(text, r#","fullyQualifiedName":"#);
        json::string(text, &format!("{place}{within}"));
        lit!(text, r#","kind":"#);
        json::name(text, kind);
        lit!(text, "}]}");
    }

    fn result(&self, at: &Stamp, note: &Note<'_>, text: &mut Vec<u8>) {
        let row = note.code.row();
        lit!(text, "\n{\"ruleId\":");
        json::name(text, row.name);
        lit!(text, r#","ruleIndex":"#);
        json::int(text, row.code as usize);
        lit!(text, r#","level":"#);
        json::name(text, level(row.severity));
        lit!(text, r#","message":{"text":"#);
        json::string(text, &sentence(note));
        lit!(text, r#"},"locations":["#);
        let message = note.msg.map_or(String::new(), |msg| format!("/message {msg}"));
        self.location(at.at.packet, &about(at), &message, kind(at), text);
        lit!(text, r#"],"properties":{"packet":"#);
        json::opt_int(text, Some(at.at.packet.0).filter(|&packet| packet > 0));
        lit!(text, r#","file_packet":"#);
        json::opt_string(text, self.files.find(at.at.packet).map(|at| at.to_string()).as_deref());
        for (name, value) in [
            (r#","conn":"#, at.conn.map(|conn| conn.0.into())),
            (r#","tcp_stream":"#, at.stream.map(Into::into)),
            (r#","msg":"#, note.msg),
            (r#","frame":"#, note.frame),
        ] {
            text.extend_from_slice(name.as_bytes());
            json::opt_int(text, value);
        }
        lit!(text, "}}");
    }
}

impl Exporter for Sarif {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let Event::Note(note) = event else { return ControlFlow::Continue(()) };
        self.begin(out);
        if self.results > 0 {
            lit!(out.bytes(), ",");
        }
        self.results += 1;
        self.result(at, note, out.bytes());
        out.end_row()
    }

    fn file(&mut self, run: &FileRun) {
        self.last_file = Some(Arc::clone(&run.name));
        self.files.push(run.clone());
    }

    fn claim(&mut self, standing: &Standing<'_>, out: &mut Out<'_>) {
        if standing.holds {
            return;
        }
        self.begin(out);
        let text = out.bytes();
        if self.results > 0 {
            lit!(text, ",");
        }
        self.results += 1;
        lit!(text, "\n{\"ruleId\":");
        json::name(text, ASSERTION);
        lit!(text, r#","ruleIndex":"#);
        json::int(text, NOTES.len());
        lit!(text, r#","level":"error","message":{"text":"#);
        json::string(text, &escape::display_str(&format!("{}: {}", standing.claim, standing.text)));
        lit!(text, r#"},"locations":"#);
        json::list(text, standing.evidence.iter(), |text, evidence: &Evidence| {
            let place = evidence.place.as_deref().unwrap_or("file");
            self.location(evidence.packet, place, &format!("/frame {}", evidence.packet), "packet", text);
        });
        lit!(text, r#","properties":{"assertion":"#);
        json::string(text, standing.claim);
        lit!(text, "}}");
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        self.begin(out);
        lit!(out.bytes(), "]\n}]}\n");
    }
}

fn rule(row: &NoteRow, text: &mut Vec<u8>) {
    let rfc = if row.rfc.is_empty() { String::new() } else { format!("{}. ", row.rfc) };
    lit!(text, r#"{"id":"#);
    json::name(text, row.name);
    lit!(text, r#","shortDescription":{"text":"#);
    json::string(text, row.text);
    lit!(text, r#"},"help":{"text":"#);
    json::string(text, &format!("{rfc}Likely cause: {} Next: {}", row.cause, row.next));
    lit!(text, r#"},"defaultConfiguration":{"level":"#);
    json::name(text, level(row.severity));
    lit!(text, r#"},"properties":{"tags":["#);
    json::name(text, row.topic.name());
    lit!(text, "]}}");
}

/// What a logical location is, in a word of ours, since none of the standard's fits (§3.33.7).
const fn kind(at: &Stamp) -> &'static str {
    match (at.conn, at.stream) {
        (Some(_), _) => "connection",
        (None, Some(_)) => "stream",
        (None, None) => "file",
    }
}

/// SARIF 2.1.0 §3.27.10 has the words that ours are.
const fn level(severity: Severity) -> &'static str {
    severity.name()
}

/// A path as a URI reference (RFC 3986 §4.1): relative paths stay relative, what a path segment must not hold is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    // A colon in the first segment of a relative reference would make a scheme of it (§4.2).
    let first = path.split('/').next().map_or(0, str::len);
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b':' if at < first => out.push_str("%3A"),
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b':'
            | b'@'
            | b'+'
            | b','
            | b'=' => {
                out.push(char::from(byte));
            }
            _ => push_percent(byte, &mut out),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("samples/lossy.pcap"), "samples/lossy.pcap");
        assert_eq!(uri("/tmp/a b#1.pcap"), "file:///tmp/a%20b%231.pcap");
        assert_eq!(uri("x:y/г:\"\x1b"), "x%3Ay/%D0%B3:%22%1B");
        assert_eq!(uri("stdin"), "stdin");
    }
}
