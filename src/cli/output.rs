//! Where rows go: stdout, or a file that appears when it is whole.

use super::args::When;
use super::exit::{Exit, Failure};
use super::folder::{Directory, Layout};
use super::input::Source;
use super::pager::Pager;
use super::signals::Stop;
use crate::capture::words;
use crate::export::{Folder, OpenStore, Style};
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where rows go.
pub(super) enum Target {
    /// Standard output.
    Stdout,
    /// A terminal, with a pager where there is much to see.
    Paged(Box<Pager>),
    /// A device or pipe, written as it is.
    Device(File, PathBuf),
    /// A file: written beside its place, and moved there at the end.
    File {
        temporary: NamedTempFile,
        place: PathBuf,
        force: bool,
        /// Who may read it: of a file that is replaced those who could before.
        rights: Option<fs::Permissions>,
    },
    /// A directory of files, whose list is written as rows.
    Directory(Directory),
}

impl Target {
    /// Settles where rows go, and that nothing is lost there.
    ///
    /// # Errors
    /// When the file exists and `force` is not set, it is the input, or it cannot be made.
    pub(super) fn open(path: Option<&Path>, force: bool, input: &Source) -> Result<Self, Failure> {
        let Some(path) = path.filter(|&path| path != "-") else { return Ok(Self::Stdout) };
        Self::at(path, force, |path| is_same(path, input))
    }

    /// The same beside several inputs.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn beside(path: Option<&Path>, force: bool, inputs: &[&Source]) -> Result<Self, Failure> {
        let Some(path) = path.filter(|&path| path != "-") else { return Ok(Self::Stdout) };
        Self::at(path, force, |path| inputs.iter().any(|input| is_same(path, input)))
    }

    /// The same for a file that is written by its name, and so cannot be a pipe or a device.
    ///
    /// # Errors
    /// As [`Self::open`].
    #[cfg(feature = "sqlite")]
    pub(super) fn open_regular(path: Option<&Path>, force: bool, input: &Source) -> Result<Self, Failure> {
        let Some(place) = path.filter(|&path| path != "-") else {
            return Err(Failure::new(Exit::Usage, "a database is no stream: name a file for it (-o FILE)"));
        };
        // To open a pipe would wait for who reads it.
        if fs::metadata(place).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
            return Err(Failure::new(Exit::Usage, format!("{}: is no file", place.display())));
        }
        Self::open(path, force, input)
    }

    /// The same for a file that is made from nothing.
    ///
    /// # Errors
    /// When it exists and `force` is not set, or it cannot be made.
    pub(super) fn open_file(path: &Path, force: bool) -> Result<Self, Failure> {
        Self::at(path, force, |_| false)
    }

    /// A directory for files, made where there is none.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(super) fn make_directory(path: &Path) -> Result<(), Failure> {
        fs::create_dir_all(path).map_err(|error| failure(path, &words(&error)))
    }

    fn at(path: &Path, force: bool, is_input: impl FnOnce(&Path) -> bool) -> Result<Self, Failure> {
        let fail = |error: &io::Error| failure(path, &words(error));
        let about = fs::metadata(path);
        match &about {
            Ok(about) if about.is_dir() => return Err(failure(path, "is a directory: name a file in it")),
            Ok(about) if !about.is_file() => {
                let device = OpenOptions::new().write(true).open(path).map_err(|error| fail(&error))?;
                return Ok(Self::Device(device, path.to_owned()));
            }
            Ok(_) if !force => return Err(exists(path)),
            Ok(_) if is_input(path) => return Err(failure(path, "is the input: name another file")),
            _ => {}
        }
        // Behind a link the file is replaced, not the link.
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let temporary = temporary(0o666).tempfile_in(directory(&place)).map_err(|error| fail(&error))?;
        Ok(Self::File { temporary, place, force, rights: about.ok().map(|about| about.permissions()) })
    }

    /// The same; a terminal with a pager, where one is wanted.
    #[must_use]
    pub(super) fn paged(self, when: When, stop: &Stop) -> Self {
        let pager = match self {
            Self::Stdout if io::stdout().is_terminal() => Pager::new(when, stop),
            _ => None,
        };
        pager.map_or(self, |pager| Self::Paged(Box::new(pager)))
    }

    /// Lets only its owner read a file, because of what it will hold. A pipe is as private as who reads it.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(super) fn keep_private(&mut self) -> Result<(), Failure> {
        let Self::File { temporary, place, rights, .. } = self else { return Ok(()) };
        *rights = None;
        own_only(temporary.as_file()).map_err(|error| failure(place, &words(&error)))
    }

    /// Settles where a directory of files goes.
    ///
    /// # Errors
    /// As [`Target::open`], and where no directory is named.
    pub(super) fn open_directory(path: Option<&Path>, force: bool, layout: &'static Layout) -> Result<Self, Failure> {
        match path.filter(|&path| path != "-") {
            Some(path) => Directory::open(path, force, layout).map(Self::Directory),
            None => Err(no_directory()),
        }
    }

    /// Where files are made.
    ///
    /// # Errors
    /// When it is no directory.
    pub(super) fn folder(&self) -> Result<Box<dyn Folder>, Failure> {
        if let Self::Directory(directory) = self { Ok(directory.folder()) } else { Err(no_directory()) }
    }

    /// The file that is written, for who writes it by its name and not from front to back.
    ///
    /// # Errors
    /// When it is none.
    #[cfg(feature = "sqlite")]
    pub(super) fn file(&self) -> Result<&Path, Failure> {
        match self {
            Self::File { temporary, .. } => Ok(temporary.path()),
            _ => Err(Failure::new(Exit::Output, "the output is no file")),
        }
    }

    /// What is said when the output cannot be begun.
    #[cfg(any(feature = "sqlite", feature = "parquet"))]
    pub(super) fn unwritable(&self, error: &io::Error) -> Failure {
        match self {
            Self::File { place, .. } | Self::Directory(Directory { place, .. }) => failure(place, &words(error)),
            _ => Failure::new(Exit::Output, words(error)),
        }
    }

    /// Makes unnamed files for what cannot be written yet: beside the file that is written, where there will be room for it,
    /// else where the system has its temporary files. Only their owner can read them, and they go with the program.
    pub(super) fn spool(&self) -> OpenStore {
        let directory = match self {
            Self::File { place, .. } => directory(place).to_owned(),
            Self::Stdout | Self::Paged(_) | Self::Device(..) | Self::Directory(_) => env::temp_dir(),
        };
        Box::new(move || Ok(Box::new(tempfile::tempfile_in(&directory)?)))
    }

    /// Whether rows appear on a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Paged(_) => true,
            Self::Device(device, _) => device.is_terminal(),
            Self::File { .. } | Self::Directory(_) => false,
        }
    }

    /// Whether rows are held until it is known whether they fit on the screen.
    pub(super) const fn is_paged(&self) -> bool {
        matches!(self, Self::Paged(_))
    }

    /// How text looks there: in colours, and fitted to a terminal.
    pub(super) fn style(&self, color: When) -> Style {
        let is_terminal = self.is_terminal();
        let size = if is_terminal { crossterm::terminal::size().ok() } else { None };
        Style { color: uses_color(color, is_terminal), columns: size.map(|(columns, _)| columns.into()) }
    }

    /// The writer. Large pieces go straight to the system.
    pub(super) fn writer(&mut self) -> Box<dyn Write + '_> {
        match self {
            Self::Stdout => stdout(),
            Self::Paged(pager) => Box::new(pager),
            Self::Device(device, _) => Box::new(device),
            Self::File { temporary, .. } => Box::new(temporary),
            Self::Directory(directory) => directory.writer(),
        }
    }

    /// Puts a finished file in its place, and waits for who looks at rows in a pager.
    ///
    /// # Errors
    /// When that cannot be done; nothing has changed then.
    pub(super) fn commit(self) -> Result<(), Failure> {
        let (temporary, place, force, rights) = match self {
            Self::File { temporary, place, force, rights } => (temporary, place, force, rights),
            Self::Directory(directory) => return directory.commit(),
            Self::Paged(mut pager) => {
                return pager
                    .finish()
                    .map_err(|error| Failure::new(Exit::Output, format!("stdout: {}", words(&error))));
            }
            Self::Stdout | Self::Device(..) => return Ok(()),
        };
        let file = temporary.as_file();
        let kept = rights.map_or(Ok(()), |rights| file.set_permissions(rights));
        kept.and_then(|()| file.sync_all()).map_err(|error| failure(&place, &words(&error)))?;
        let moved = if force { temporary.persist(&place) } else { temporary.persist_noclobber(&place) };
        match moved {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&place)),
            Err(error) => Err(failure(&place, &words(&error.error))),
        }
    }

    /// How a run ends when writing failed: quietly when nobody reads any more.
    ///
    /// # Errors
    /// For every other reason.
    pub(super) fn broken(&self, error: &io::Error) -> Result<Exit, Failure> {
        match self {
            _ if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::CLOSED_PIPE),
            Self::Stdout | Self::Paged(_) => Err(Failure::new(Exit::Output, format!("stdout: {}", words(error)))),
            Self::Device(_, path) | Self::File { place: path, .. } | Self::Directory(Directory { place: path, .. }) => {
                Err(failure(path, &words(error)))
            }
        }
    }
}

/// Standard output without the line buffer of `std`; ours is larger.
#[cfg(unix)]
fn stdout() -> Box<dyn Write> {
    use std::os::fd::AsFd as _;
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(stdout) => Box::new(File::from(stdout)),
        Err(_) => Box::new(io::stdout()),
    }
}

#[cfg(not(unix))]
fn stdout() -> Box<dyn Write> {
    Box::new(io::stdout())
}

/// What is made beside its place, with these access rights as far as any other new file has them.
#[cfg(unix)]
pub(super) fn temporary(mode: u32) -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wspect-").permissions(fs::Permissions::from_mode(mode));
    builder
}

#[cfg(not(unix))]
pub(super) fn temporary(_: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wspect-");
    builder
}

#[cfg(unix)]
fn own_only(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn own_only(_: &File) -> io::Result<()> {
    Ok(())
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_same(path: &Path, input: &Source) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    input.paths().any(|input| input.canonicalize().is_ok_and(|input| input == path))
}

fn no_directory() -> Failure {
    Failure::new(Exit::Usage, "many files are written: name a directory for them (-o DIR)")
}

fn exists(path: &Path) -> Failure {
    failure(path, "exists: --force replaces it")
}

fn failure(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::Output, format!("{}: {why}", path.display()))
}

/// Whether text is coloured on a stream: `--color`, then `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`, then whether it is a terminal.
pub(super) fn uses_color(when: When, is_terminal: bool) -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        When::Auto if is_set("CLICOLOR_FORCE") => true,
        When::Auto => is_terminal && env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// Whether help is coloured.
pub(super) fn stdout_has_color() -> bool {
    uses_color(When::Auto, io::stdout().is_terminal())
}
