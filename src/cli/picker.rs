//! The captures that can be chosen where none was named.

use super::args::When;
use super::config::Config;
use super::exit::{Exit, Failure};
use super::state;
use crate::capture::words;
use crate::model::size;
use crate::tui::{self, Offer, Picker};
use std::fs::{self, DirEntry, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How names of captures end, before what they are compressed by.
const ENDINGS: [&str; 5] = [".pcap", ".pcapng", ".cap", ".ntar", ".dump"];

/// What captures are compressed by.
const PACKED: [&str; 5] = [".gz", ".zst", ".lz4", ".xz", ""];

/// Entries of a directory that are looked at.
const MOST: usize = 10_000;

/// Has the user choose a capture; `None`: none is wanted.
///
/// # Errors
/// When there is nothing to choose from, or the terminal cannot be used.
pub(super) fn choose(color: When, config: &Config) -> Result<Option<PathBuf>, Failure> {
    let picker = Picker::new(&offers, color.into(), config.browser());
    if picker.is_empty() {
        return Err(Failure::usage("no capture: name a FILE, or pipe one in (wspect --help)"));
    }
    tui::pick(picker, &offers).map_err(|error| Failure::new(Exit::Output, format!("the terminal: {}", words(&error))))
}

/// What a directory has; at first the captures that were shown last, and the directory in which the program runs.
fn offers(directory: Option<&Path>) -> Vec<Offer> {
    let recent = if directory.is_none() { state::recent_captures() } else { Vec::new() };
    let mut all: Vec<Offer> = recent.into_iter().filter_map(recently_shown).collect();
    let here = directory.unwrap_or(Path::new("."));
    let mut found: Vec<(SystemTime, Offer)> = Vec::new();
    let entries = fs::read_dir(here).into_iter().flatten().take(MOST).filter_map(Result::ok);
    found.extend(entries.filter_map(|entry| entry_offer(here, &entry)));
    // Captures first, the newest before older ones; then directories, by name.
    found.sort_by(|(one_time, one), (other_time, other)| {
        let by_name = || one.name.cmp(&other.name);
        let files = || if one.is_directory { by_name() } else { other_time.cmp(one_time).then_with(by_name) };
        one.is_directory.cmp(&other.is_directory).then_with(files)
    });
    all.extend(found.into_iter().map(|(_, offer)| offer));
    let above = fs::canonicalize(here).ok().and_then(|here| here.parent().map(Path::to_owned));
    all.extend(above.map(|place| Offer { place, name: "../".to_owned(), about: String::new(), is_directory: true }));
    all
}

fn recently_shown(place: PathBuf) -> Option<Offer> {
    let about = fs::metadata(&place).ok().filter(Metadata::is_file)?;
    let name = place.display().to_string();
    Some(Offer { place, name, about: format!("{}, shown before", size(about.len())), is_directory: false })
}

fn entry_offer(here: &Path, entry: &DirEntry) -> Option<(SystemTime, Offer)> {
    let name = entry.file_name().to_string_lossy().into_owned();
    let about = fs::metadata(entry.path()).ok()?;
    let time = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let place = if here == Path::new(".") { entry.file_name().into() } else { entry.path() };
    if about.is_dir() && !name.starts_with('.') {
        return Some((time, Offer { place, name: format!("{name}/"), about: String::new(), is_directory: true }));
    }
    let is_capture = about.is_file() && is_named_so(&name);
    is_capture.then(|| (time, Offer { place, name, about: size(about.len()), is_directory: false }))
}

/// Whether a capture would be called so.
fn is_named_so(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let bare = PACKED.iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
    ENDINGS.iter().any(|ending| bare.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_known_by_their_names() {
        for name in ["a.pcap", "B.PCAPNG", "c.cap.gz", "d.pcap.zst", "e.pcapng.xz"] {
            assert!(is_named_so(name), "{name}");
        }
        for name in ["a.txt", "pcap", "keys.gz", "a.pcap.txt"] {
            assert!(!is_named_so(name), "{name}");
        }
    }

    #[test]
    fn a_directory_has_those_in_it_and_the_one_above() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("inner")).unwrap();
        for name in ["one.pcap", "notes.txt"] {
            fs::write(home.path().join(name), "x").unwrap();
        }
        let names: Vec<String> = offers(Some(home.path())).into_iter().map(|offer| offer.name).collect();
        assert_eq!(names, ["one.pcap", "inner/", "../"]);
    }
}
