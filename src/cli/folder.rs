//! A directory of files that appears when it is whole.

use super::exit::{Exit, Failure};
use super::output::temporary;
use crate::capture::words;
use crate::export::Folder;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file that lists the others, and comes last.
const INDEX: &str = "index.jsonl";

/// What directories of connections begin with.
const CONNECTION: &str = "conn";

/// What an export leaves in a directory.
#[derive(Debug)]
pub(super) struct Layout {
    /// The file that lists the others, and comes last.
    index: Option<&'static str>,
    /// Whether an entry of that name is of such an export.
    is_ours: fn(&str) -> bool,
}

impl Layout {
    /// A directory for each connection, and a list.
    pub(super) const RAW: Self = Self {
        index: Some(INDEX),
        is_ours: |name| {
            let number = name.strip_prefix(CONNECTION);
            name == INDEX || number.is_some_and(|number| number.parse::<u32>().is_ok())
        },
    };

    /// A file for each table.
    #[cfg(feature = "parquet")]
    pub(super) const PARQUET: Self =
        Self { index: None, is_ours: |name| matches!(name, "connections.parquet" | "messages.parquet") };
}

/// A directory under a name of its own, in or beside its place, whose files go there at the end.
pub(super) struct Directory {
    temporary: TempDir,
    /// The index, to write, where there is one.
    index: Option<File>,
    layout: &'static Layout,
    pub(super) place: PathBuf,
    /// The place is a directory already: it stays the one that it is, with its access rights.
    exists: bool,
    force: bool,
}

impl Directory {
    /// Settles where files go, and that nothing is lost there.
    ///
    /// # Errors
    /// When there is something and `force` is not set, or the directory cannot be made.
    pub(super) fn open(place: &Path, force: bool, layout: &'static Layout) -> Result<Self, Failure> {
        let fail = |error: &io::Error| failure(place, &words(error));
        let exists = match fs::metadata(place) {
            Ok(about) if !about.is_dir() => return Err(failure(place, "is no directory: name a new one")),
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(fail(&error)),
        };
        if exists && !force && fs::read_dir(place).map_err(|error| fail(&error))?.next().is_some() {
            return Err(occupied(place));
        }
        let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary =
            temporary(0o777).tempdir_in(if exists { place } else { parent }).map_err(|error| fail(&error))?;
        let index = layout.index.map(|name| create(&temporary.path().join(name))).transpose();
        let index = index.map_err(|error| fail(&error))?;
        Ok(Self { temporary, index, layout, place: place.to_owned(), exists, force })
    }

    /// Where its list is written.
    pub(super) fn writer(&self) -> Box<dyn Write + '_> {
        match &self.index {
            Some(index) => Box::new(index),
            None => Box::new(io::sink()),
        }
    }

    /// Where its files are made.
    pub(super) fn folder(&self) -> Box<dyn Folder> {
        Box::new(Below(self.temporary.path().to_owned()))
    }

    /// Puts all in its place. With `force`, an export that was there before goes first; other files stay.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(super) fn commit(self) -> Result<(), Failure> {
        let place = self.place.clone();
        self.settle().map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty => occupied(&place),
            _ => failure(&place, &words(&error)),
        })
    }

    fn settle(self) -> io::Result<()> {
        if let Some(index) = &self.index {
            index.sync_all()?;
        }
        if !self.exists {
            // An empty directory that was made meanwhile is taken; the system refuses one that is not empty.
            fs::rename(self.temporary.path(), &self.place)?;
            let _ = self.temporary.keep();
            return Ok(());
        }
        if self.force {
            self.remove_former()?;
        }
        let mut made: Vec<_> = fs::read_dir(self.temporary.path())?.collect::<io::Result<Vec<_>>>()?;
        let is_index = |name: &OsStr| self.layout.index.is_some_and(|index| name == index);
        made.sort_by_key(|entry| (is_index(&entry.file_name()), entry.file_name()));
        for entry in made {
            let to = self.place.join(entry.file_name());
            if to.symlink_metadata().is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            fs::rename(entry.path(), to)?;
        }
        self.temporary.close()
    }

    /// Removes what an earlier export left. Links are removed, not followed.
    fn remove_former(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.place)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(self.layout.is_ours) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Makes files below a directory that nobody else knows.
struct Below(PathBuf);

impl Folder for Below {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        let path = self.0.join(name);
        let file = match create(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir(path.parent().unwrap_or(&self.0))?;
                create(&path)?
            }
            made => made?,
        };
        Ok(Box::new(file))
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn occupied(place: &Path) -> Failure {
    failure(place, "is not empty: --force replaces an export in it")
}

fn failure(place: &Path, why: &str) -> Failure {
    Failure::new(Exit::Output, format!("{}: {why}", place.display()))
}
