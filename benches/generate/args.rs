//! The command line of the generator.

use std::path::PathBuf;

use clap::Parser;

use crate::capture::{Profile, Settings};

/// Makes a WebSocket capture (.pcap), always the same for the same options.
///
/// Says on stderr, in one line of JSON, what is in it.
#[derive(Parser)]
#[command(name = "generate", bin_name = "cargo bench --bench generate --")]
pub(crate) struct Args {
    /// ticks, bulk, mixed, deflate, noise or manyconns; benches/README.md describes them
    profile: Option<Profile>,
    /// About how large: bytes, or with k, M or G thousands, millions, billions
    #[arg(long, default_value = "100M", value_parser = bytes)]
    size: u64,
    /// Another seed makes another capture of the same kind
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Connections open at a time; manyconns: connections altogether
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    conns: Option<u32>,
    /// How many of 1000 data segments are acknowledged but not in the capture
    #[arg(long, value_name = "PERMILLE", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1000))]
    loss: u32,
    /// IPv6 instead of IPv4
    #[arg(long)]
    v6: bool,
    /// Where the capture goes; - is stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    /// Also writes one line of JSON for each connection, and the totals
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Cargo says this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    /// What to make; `None` when nothing was asked for.
    pub(crate) fn settings(&self) -> Option<Settings> {
        Some(Settings {
            profile: self.profile?,
            size: self.size,
            seed: self.seed,
            conns: self.conns,
            loss: self.loss,
            v6: self.v6,
        })
    }
}

/// `3M` is 3 000 000.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1_000),
        Some((at, 'm' | 'M')) => (text.get(..at), 1_000_000),
        Some((at, 'g' | 'G')) => (text.get(..at), 1_000_000_000),
        _ => (Some(text), 1),
    };
    let number: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or("not a number of bytes")?;
    number.checked_mul(unit).ok_or_else(|| "too large".to_owned())
}
