//! What is kept between two runs of the browser: filters that were entered. Nothing from captures.

use super::output::temporary;
use std::env;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

/// Filters that are kept.
const FILTERS: usize = 200;

/// Bytes of a file of filters that are read.
const LONGEST: u64 = 1 << 20;

/// Filters that were entered before, the last one last; none where there is nothing to read.
pub(super) fn past_filters() -> Vec<String> {
    let Some(place) = place() else { return Vec::new() };
    let is_small = fs::metadata(&place).is_ok_and(|about| about.is_file() && about.len() <= LONGEST);
    let text = if is_small { fs::read_to_string(&place).unwrap_or_default() } else { String::new() };
    let all: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    all.get(all.len().saturating_sub(FILTERS)..).unwrap_or_default().to_vec()
}

/// Keeps a filter as the last one. Where that cannot be done the browser goes on without.
pub(super) fn remember_filter(text: &str) {
    let Some(place) = place().filter(|_| !text.contains('\n')) else { return };
    let mut all = past_filters();
    all.retain(|old| old != text);
    all.push(text.to_owned());
    let kept = all.get(all.len().saturating_sub(FILTERS)..).unwrap_or_default().join("\n") + "\n";
    // What was looked for may be a secret: only its owner reads it.
    let written = place.parent().and_then(|directory| {
        fs::create_dir_all(directory).ok()?;
        let mut file = temporary(0o600).tempfile_in(directory).ok()?;
        file.write_all(kept.as_bytes()).ok()?;
        file.persist(&place).ok()
    });
    drop(written);
}

/// `$XDG_STATE_HOME/wspect/filters`.
fn place() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Some(state?.join("wspect").join("filters"))
}
