//! What is kept between two runs of the browser: filters that were entered, marks and comments, and where captures are. Nothing from
//! captures.

use super::output::temporary;
use crate::model::{ConnId, hex};
use crate::tui::{Marked, Marks};
use sha2::{Digest as _, Sha256};
use std::env;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Filters that are kept.
const FILTERS: usize = 200;

/// Captures whose places are kept.
const RECENT: usize = 10;

/// The directory of marks: a file for each capture.
const MARKS: &str = "marks";

/// Bytes of a file that are read.
const LONGEST: u64 = 1 << 20;

/// Filters that were entered before, the last one last; none where there is nothing to read.
pub(super) fn past_filters() -> Vec<String> {
    let text = directory().map(|place| read(&place.join("filters"))).unwrap_or_default();
    let all: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    all.get(all.len().saturating_sub(FILTERS)..).unwrap_or_default().to_vec()
}

/// Keeps a filter as the last one. Where that cannot be done the browser goes on without.
pub(super) fn remember_filter(text: &str) {
    let Some(place) = directory().map(|place| place.join("filters")).filter(|_| !text.contains('\n')) else { return };
    let mut all = past_filters();
    all.retain(|old| old != text);
    all.push(text.to_owned());
    let kept = all.get(all.len().saturating_sub(FILTERS)..).unwrap_or_default().join("\n") + "\n";
    write(&place, &kept);
}

/// Captures that were shown, the last one first.
pub(super) fn recent_captures() -> Vec<PathBuf> {
    let text = directory().map(|place| read(&place.join("recent"))).unwrap_or_default();
    text.lines().take(RECENT).map(PathBuf::from).collect()
}

/// Keeps where a capture is that is shown; of names that are no text nothing.
pub(super) fn remember_capture(capture: &Path) {
    let Some(place) = directory().map(|place| place.join("recent")) else { return };
    let Some(name) = fs::canonicalize(capture).ok().and_then(|place| place.to_str().map(str::to_owned)) else { return };
    if name.contains('\n') {
        return;
    }
    let mut all = recent_captures();
    all.retain(|old| old.as_os_str() != name.as_str());
    all.insert(0, PathBuf::from(name));
    let kept: Vec<String> = all.iter().take(RECENT).filter_map(|place| place.to_str().map(str::to_owned)).collect();
    write(&place, &(kept.join("\n") + "\n"));
}

/// The marks on a capture, by what it begins with; none on what is no file.
pub(super) fn marks(capture: &str) -> Marks {
    let text = directory().map(|place| read(&place.join(MARKS).join(capture))).unwrap_or_default();
    let mark = |line: &str| {
        let mut cells = line.splitn(3, '\t');
        let conn = ConnId(cells.next()?.parse().ok()?);
        let msg = match cells.next()? {
            "-" => None,
            number => Some(number.parse().ok()?),
        };
        Some(((conn, msg), cells.next().unwrap_or_default().to_owned()))
    };
    text.lines().filter_map(mark).collect()
}

/// Keeps the marks on a capture.
pub(super) fn keep_marks(capture: &str, marks: &Marks) {
    let Some(place) = directory().map(|place| place.join(MARKS).join(capture)) else { return };
    if marks.is_empty() {
        let _ = fs::remove_file(place);
        return;
    }
    let line = |((conn, msg), comment): (&Marked, &String)| {
        let msg = msg.map_or_else(|| "-".to_owned(), |msg| msg.to_string());
        format!("{conn}\t{msg}\t{}\n", comment.replace(char::is_control, " "))
    };
    write(&place, &marks.iter().map(line).collect::<String>());
}

/// By what a capture is known again: a hash of its first MiB; `None` of what is no file.
pub(super) fn fingerprint(path: &Path) -> Option<String> {
    // A pipe that were opened here would be broken for who writes it.
    let file = fs::metadata(path).is_ok_and(|about| about.is_file()).then(|| File::open(path).ok())??;
    let mut begin = Vec::new();
    file.take(LONGEST).read_to_end(&mut begin).ok()?;
    let hash: [u8; 32] = Sha256::digest(&begin).into();
    Some(hex(hash.get(..16)?))
}

/// A small file; nothing where there is none.
fn read(place: &Path) -> String {
    let is_small = fs::metadata(place).is_ok_and(|about| about.is_file() && about.len() <= LONGEST);
    if is_small { fs::read_to_string(place).unwrap_or_default() } else { String::new() }
}

/// Writes a file that only its owner reads: what was looked for may be a secret.
fn write(place: &Path, text: &str) {
    let written = place.parent().and_then(|directory| {
        fs::create_dir_all(directory).ok()?;
        let mut file = temporary(0o600).tempfile_in(directory).ok()?;
        file.write_all(text.as_bytes()).ok()?;
        file.persist(place).ok()
    });
    drop(written);
}

/// `$XDG_STATE_HOME/wspect`.
fn directory() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Some(state?.join("wspect"))
}
