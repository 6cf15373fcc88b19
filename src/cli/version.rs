//! What `--version` tells: what this build reads, writes and reports.

use super::args::{Form, Report, formats};
use crate::capture::compressions;
use crate::export::RECORD_KINDS;
use crate::model::NOTES;
use clap::ValueEnum;
use std::env::consts::{ARCH, OS};

/// The version, and below it the features of the build, from the tables that have them.
pub(super) fn long() -> String {
    let rows = [
        ("reads", format!("pcap, pcapng; packed with {}", compressions().collect::<Vec<_>>().join(", "))),
        ("exports", formats().collect::<Vec<_>>().join(", ")),
        ("reports", names(|report: &Report| !matches!(report, Report::Rows(_)))),
        ("rows", names(|_: &Form| true)),
        ("records", format!("v1: {}", RECORD_KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", "))),
        ("findings", NOTES.len().to_string()),
        ("built for", format!("{OS} {ARCH}")),
    ];
    let rows = rows.map(|(what, of)| format!("{what:<10} {of}"));
    format!("{}\n{}", env!("CARGO_PKG_VERSION"), rows.join("\n"))
}

/// The words of those choices that are meant.
fn names<T: ValueEnum>(is_meant: impl Fn(&T) -> bool) -> String {
    let values = T::value_variants().iter().filter(|value| is_meant(value)).filter_map(T::to_possible_value);
    values.map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(", ")
}
