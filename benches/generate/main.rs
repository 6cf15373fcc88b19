//! The capture generator: `cargo bench --bench generate -- ticks --size 100M --seed 7 -o /tmp/ticks.pcap`.

mod args;
mod capture;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};

use args::Args;

fn main() -> Result<()> {
    let args = Args::parse();
    let Some(settings) = args.settings() else {
        Args::command().print_help()?;
        return Ok(());
    };
    let mut out = create(&args.output)?;
    let mut truth = args.truth.as_deref().map(create).transpose()?;
    let totals = capture::write(&settings, &mut out, &mut |connection| match &mut truth {
        Some(truth) => writeln!(truth, "{connection}"),
        None => Ok(()),
    })?;
    if let Some(mut truth) = truth {
        writeln!(truth, "{totals}")?;
        truth.flush()?;
    }
    writeln!(io::stderr(), "{totals}")?;
    Ok(())
}

/// The file at `path`, or stdout for `-`.
fn create(path: &Path) -> Result<Box<dyn Write>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout().lock()));
    }
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}
