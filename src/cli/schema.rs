//! The schema that the command line names: its files, and those that they import.

use super::exit::{Exit, Failure};
use crate::capture::words;
use crate::decode::{SCHEMA_BYTES, Schema, SchemaFile};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Reads the schema in files, each with the type of messages behind a colon if need be. Imports begin in these directories, and in those of
/// the files. `None` where no file is named.
///
/// # Errors
/// When a file cannot be read or understood.
pub(super) fn load(named: &[PathBuf], directories: &[PathBuf]) -> Result<Option<Schema>, Failure> {
    let mut files = Files::default();
    let mut read = Vec::new();
    for word in named {
        let (path, message) = path_and_type(word);
        let unreadable = |error| Failure::new(Exit::Input, format!("{}: {}", path.display(), words(&error)));
        read.push((files.read(&path).map_err(unreadable)?, message));
    }
    if read.is_empty() {
        return Ok(None);
    }
    let beside = |path: &str| Path::new(path).parent().map(Path::to_owned);
    let roots: Vec<PathBuf> =
        directories.iter().cloned().chain(read.iter().filter_map(|(file, _)| beside(&file.name))).collect();
    let mut import = |from: &str, wanted: &str| {
        let mut places = roots.iter().cloned().chain(beside(from)).map(|root| root.join(wanted));
        // No device or pipe: a schema is no reason to wait.
        let Some(path) = places.find(|path| fs::metadata(path).is_ok_and(|about| about.is_file())) else {
            return Ok(None);
        };
        files.read(&path).map(Some).map_err(|error| format!("{}: {}", path.display(), words(&error)))
    };
    Schema::read(read, &mut import).map(Some).map_err(Failure::usage)
}

/// `chat.proto:chat.Envelope`; where a file is called so throughout, that is meant.
fn path_and_type(word: &Path) -> (PathBuf, Option<String>) {
    let is_name = |name: &str| name.split('.').all(|word| !word.is_empty() && !word.contains(['/', '\\']));
    match word.to_str().and_then(|word| word.rsplit_once(':')) {
        Some((path, name)) if !path.is_empty() && is_name(name) && !word.exists() => {
            (PathBuf::from(path), Some(name.to_owned()))
        }
        _ => (word.to_owned(), None),
    }
}

/// The names of files, by what they are in the file system: each has one.
#[derive(Default)]
struct Files(HashMap<PathBuf, String>);

impl Files {
    /// Reads a file, once: of one that was read before the name alone is given.
    fn read(&mut self, path: &Path) -> io::Result<SchemaFile> {
        let (name, mut bytes) = (path.display().to_string(), Vec::new());
        if let Ok(place) = path.canonicalize() {
            match self.0.entry(place) {
                Entry::Occupied(known) => return Ok(SchemaFile { name: known.get().clone(), bytes }),
                Entry::Vacant(free) => drop(free.insert(name.clone())),
            }
        }
        File::open(path)?.take(SCHEMA_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(SchemaFile { name, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_stands_behind_a_colon() {
        let of = |word: &str| {
            let (path, message) = path_and_type(Path::new(word));
            (path.display().to_string(), message)
        };
        assert_eq!(of("a.proto"), ("a.proto".to_owned(), None));
        assert_eq!(of("a/b.proto:x.Y"), ("a/b.proto".to_owned(), Some("x.Y".to_owned())));
        assert_eq!(of(r"C:\a.proto"), (r"C:\a.proto".to_owned(), None));
        assert_eq!(of(r"C:\a.proto:Y"), (r"C:\a.proto".to_owned(), Some("Y".to_owned())));
        assert_eq!((of(":Y").1, of("a:").1, of("a:x..Y").1), (None, None, None));
    }
}
