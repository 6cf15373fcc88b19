//! The traces of RFC 8448, as if they had been captured.

use crate::seen::{Seen, dissect};
use crate::support::craft::*;
use crate::support::keys::hex;
use wspect::model::{TlsKeys, TlsVersion, WhyNot};

/// A trace: its name, its secrets by label, and its records by sender, those with data among them.
struct Trace {
    name: &'static str,
    secrets: Vec<(&'static str, &'static str)>,
    records: Vec<(&'static str, &'static str)>,
}

fn traces() -> Vec<Trace> {
    let sections = include_str!("../data/rfc8448.txt").split("\n[").skip(1);
    let traces = sections.map(|section| {
        let (name, lines) = section.split_once("]\n").unwrap();
        let lines = lines.lines().filter_map(|line| line.split_once(' '));
        let (secrets, records) = lines.partition(|(what, _)| what.contains("SECRET"));
        Trace { name, secrets, records }
    });
    traces.collect()
}

impl Trace {
    /// Where its records with data stand, and how many bytes each has.
    fn data(&self) -> Vec<(usize, u64)> {
        let data = self.records.iter().enumerate().filter(|(_, (sender, _))| sender.ends_with("-data"));
        // A header, the type and the tag are no data.
        data.map(|(at, (_, digits))| (at, digits.len() as u64 / 2 - 5 - 1 - 16)).collect()
    }

    /// What is seen of it with one of the records with data, and the secrets whose labels have no such word. What runs inside is
    /// nothing that is read: nothing would be decrypted behind the first data. Without data the alerts stay.
    fn seen(&self, data: Option<usize>, without: &str) -> Seen {
        let mut session = Session::bare(1);
        for (at, (sender, digits)) in self.records.iter().enumerate() {
            let is_kept = match sender.split_once('-') {
                Some((_, "alert")) => data.is_none(),
                Some(_) => data == Some(at),
                None => true,
            };
            if is_kept {
                session.turn(if sender.starts_with("client") { Client } else { Server }, hex(digits));
            }
        }
        // In the record of a ClientHello its random stands behind 11 bytes.
        let random = &self.records[0].1[22..86];
        let secrets = self.secrets.iter().filter(|(label, _)| without.is_empty() || !label.contains(without));
        let log: String = secrets.map(|(label, secret)| format!("{label} {random} {secret}\n")).collect();
        dissect(&capture_of(&session.segments()), &log)
    }
}

#[test]
fn the_traces_of_rfc_8448_are_decrypted() {
    let traces = traces();
    let names =
        ["Simple 1-RTT Handshake, section 3", "Resumed 0-RTT Handshake, section 4", "HelloRetryRequest, section 5"];
    assert_eq!(traces.iter().map(|trace| trace.name).collect::<Vec<_>>(), names);
    assert_eq!(traces.iter().map(|trace| trace.data().len()).collect::<Vec<_>>(), [2, 3, 0]);
    for trace in traces {
        let data = trace.data();
        let cases = data.iter().map(|&(at, bytes)| (Some(at), bytes)).chain(data.is_empty().then_some((None, 0)));
        for (at, bytes) in cases {
            // The secrets of the data alone are enough, but for what only the handshake tells.
            for without in ["", "HANDSHAKE"] {
                let shown = trace.seen(at, without);
                let (_, session) = &shown.sessions[0];
                let which = format!("{} {at:?} {without}", trace.name);
                assert_eq!(session.decrypted, bytes, "{which}");
                assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Matched, None), "{which}");
                assert_eq!(session.outline.version, Some(TlsVersion::TLS_1_3));
                assert_eq!(session.outline.cipher.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
                assert_eq!(session.outline.sni.as_deref(), Some("server"));
                // Both Finished were opened.
                assert_eq!(session.outline.took.is_some(), without.is_empty(), "{which}");
                assert!(shown.notes.is_empty(), "{which}: {:?}", shown.notes);
            }
        }
    }
}

/// Without the secret of its 0-RTT data the rest of that trace is read.
#[test]
fn the_early_data_of_rfc_8448_are_missed_alone() {
    let trace = &traces()[1];
    for ((at, bytes), is_early) in trace.data().into_iter().zip([true, false, false]) {
        let (_, session) = &trace.seen(Some(at), "EARLY").sessions[0];
        let expected = if is_early { 0 } else { bytes };
        assert_eq!((session.decrypted, session.why_not), (expected, Some(WhyNot::NoEarly)));
    }
}
