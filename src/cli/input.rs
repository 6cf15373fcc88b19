//! What is read: one capture or several, files, pipes or stdin, found and opened.

use super::exit::{Exit, Failure};
use super::growing::{Growing, Next};
use super::pipe::Pipe;
use super::signals::Stop;
use super::turns;
use crate::capture::{Bytes, OpenError, Part, Reader, words};
use crate::model::{Limits, Timestamp};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What is to be read: at least one place, as named, directories taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    places: Vec<Place>,
    /// It is read on as it grows.
    grows: bool,
    /// The directories among what was named.
    directories: usize,
    limits: Limits,
}

/// Where one capture is read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Standard input.
    Stdin,
    /// A file, pipe or device.
    Path(PathBuf),
}

impl Place {
    /// How it is called in messages; not escaped.
    fn name(&self) -> String {
        match self {
            Self::Stdin => String::from("stdin"),
            Self::Path(path) => path.display().to_string(),
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::new(Exit::Input, format!("{}: {}", self.name(), words(error)))
    }

    /// Makes sure that it can be read, no more than `most` bytes of a file, and tells a file's length.
    ///
    /// A pipe that is silent when `stop` comes is read no more.
    fn open(&self, most: Option<u64>, stop: &Stop) -> Result<(Bytes, Option<u64>), Failure> {
        let stop = stop.clone();
        let Self::Path(path) = self else {
            let pipe = Pipe::new(stop, || Ok(Box::new(io::stdin())));
            return Ok((Bytes::Stream(Box::new(pipe.for_capture())), None));
        };
        let about = fs::metadata(path).map_err(|error| self.failure(&error))?;
        let path = path.clone();
        if !about.is_file() {
            let pipe = Pipe::new(stop, move || Ok(Box::new(File::open(path)?)));
            return Ok((Bytes::Stream(Box::new(pipe.for_capture())), None));
        }
        File::open(&path).map_err(|error| self.failure(&error))?;
        let most = most.unwrap_or(u64::MAX);
        Ok((later(path, most), Some(about.len().min(most))))
    }

    /// Opens it to be read on as it grows, and what is the `next`.
    fn open_growing(&self, next: Option<Next>, stop: &Stop) -> Result<(Bytes, Option<u64>), Failure> {
        let Self::Path(path) = self else { return self.open(None, stop) };
        let growing = Growing::open(path.clone(), next, stop.clone()).map_err(|error| self.failure(&error))?;
        Ok((Bytes::Stream(Box::new(growing)), None))
    }
}

/// A file that is opened when it is its turn, of which so many bytes are read.
fn later(path: PathBuf, most: u64) -> Bytes {
    Bytes::File(Box::new(move || Ok(Box::new(File::open(&path)?.take(most)))))
}

impl Source {
    /// The captures at these paths: `-` is stdin, a directory stands for the captures in it.
    ///
    /// # Errors
    /// When a directory cannot be read, or has no capture in it.
    pub(super) fn new(paths: &[PathBuf]) -> Result<Self, Failure> {
        let (mut places, mut directories) = (Vec::new(), 0);
        for path in paths {
            if path == "-" {
                places.push(Place::Stdin);
            } else if path.is_dir() {
                places.extend(captures_in(path)?.into_iter().map(Place::Path));
                directories += 1;
            } else {
                places.push(Place::Path(path.clone()));
            }
        }
        Ok(Self { places, grows: false, directories, limits: Limits::DEFAULT })
    }

    /// Standard input.
    pub(super) fn stdin() -> Self {
        Self { places: vec![Place::Stdin], grows: false, directories: 0, limits: Limits::DEFAULT }
    }

    /// How it is written in a command that is advised; not escaped.
    pub(super) fn argument(&self) -> String {
        match self.places.as_slice() {
            [place @ Place::Path(_)] => place.name(),
            _ => String::from("FILE"),
        }
    }

    /// The same, read within these bounds.
    #[must_use]
    pub(super) fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same, read on as it grows; of a directory the capture that was written last, and what is written behind it.
    ///
    /// # Errors
    /// When it is not one file, or one directory.
    pub(super) fn growing(mut self) -> Result<Self, Failure> {
        if self.directories == 1 && self.paths().all(|path| path.parent() == self.first_path().and_then(Path::parent)) {
            self.places = self
                .paths()
                .max_by_key(|path| written(path))
                .map(|path| Place::Path(path.into()))
                .into_iter()
                .collect();
        }
        if let [place @ Place::Path(path)] = self.places.as_slice() {
            fs::metadata(path).map_err(|error| place.failure(&error))?;
        }
        if self.places.len() > 1 || !self.can_be_reread() {
            let text = format!(
                "{}: --follow reads one file as it grows, or those of one directory; a pipe is read as it comes",
                self.name()
            );
            return Err(Failure::new(Exit::Usage, text));
        }
        Ok(Self { grows: true, ..self })
    }

    /// How it is called in messages; not escaped.
    pub(super) fn name(&self) -> String {
        match self.places.as_slice() {
            [place] => place.name(),
            places => format!("{} captures", places.len()),
        }
    }

    /// The first capture's path; `None` where it is standard input.
    pub(super) fn first_path(&self) -> Option<&Path> {
        match self.places.first()? {
            Place::Path(path) => Some(path),
            Place::Stdin => None,
        }
    }

    /// The names by which its captures are shown, and those that they were named by; not escaped.
    pub(super) fn names(&self) -> impl Iterator<Item = (String, String)> {
        short_names(&self.places).into_iter().zip(self.places.iter().map(Place::name))
    }

    /// Where its captures lie; stdin lies nowhere.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.places.iter().filter_map(|place| match place {
            Place::Stdin => None,
            Place::Path(path) => Some(path.as_path()),
        })
    }

    /// Whether standard input is among it.
    pub(super) fn reads_stdin(&self) -> bool {
        self.places.contains(&Place::Stdin)
    }

    /// Whether all of it is there, and can be read more than once.
    pub(super) fn is_whole(&self) -> bool {
        !self.grows && self.can_be_reread()
    }

    /// Whether it can be read from its beginning more than once.
    pub(super) fn can_be_reread(&self) -> bool {
        let is_file = |path| fs::metadata(path).is_ok_and(|about: fs::Metadata| about.is_file());
        self.paths().count() == self.places.len() && self.paths().all(is_file)
    }

    /// The same, read as far as it has grown by now.
    pub(super) fn as_it_stands(&self) -> Self {
        Self { grows: false, ..self.clone() }
    }

    /// Opens it.
    ///
    /// # Errors
    /// When there is no such file, or it must not be read.
    pub(super) fn open(&self, stop: &Stop) -> Result<Input, Failure> {
        self.open_within(&Extent::new(), stop)
    }

    /// Opens it to read what a reader before had to read: what was appended since waits for the next run.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn open_within(&self, extent: &Extent, stop: &Stop) -> Result<Input, Failure> {
        let mut input =
            Input { name: self.name(), parts: Vec::new(), extent: Extent::new(), turns: None, limits: self.limits };
        for (at, (place, name)) in self.places.iter().zip(short_names(&self.places)).enumerate() {
            let most = extent.get(at).copied().flatten();
            let next = (self.directories > 0).then_some(written_behind as Next);
            let opened = if self.grows { place.open_growing(next, stop) } else { place.open(most, stop) };
            // One of several that cannot be read is left out, and told when its turn comes.
            let (bytes, len) = match (opened, place) {
                (Err(_), Place::Path(path)) if self.places.len() > 1 => (later(path.clone(), u64::MAX), Some(0)),
                (opened, _) => opened?,
            };
            input.parts.push(Part { name, bytes });
            input.extent.push(len);
        }
        Ok(input)
    }
}

/// The names of files without their directories, unless another has the same.
fn short_names(places: &[Place]) -> Vec<String> {
    let short = |place: &Place| match place {
        Place::Path(path) if places.len() > 1 => path.file_name().map(|name| name.display().to_string()),
        _ => None,
    };
    let mut counts = HashMap::new();
    places.iter().filter_map(short).for_each(|name| *counts.entry(name).or_insert(0) += 1);
    let name = |place: &Place| short(place).filter(|name| counts.get(name) == Some(&1)).unwrap_or_else(|| place.name());
    places.iter().map(name).collect()
}

/// The captures in a directory, by name; other files in it are no fault.
fn captures_in(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fail = |why: &str| Failure::new(Exit::Input, format!("{}: {why}", directory.display()));
    let entries = fs::read_dir(directory).map_err(|error| fail(&words(&error)))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut captures: Vec<_> = paths.filter(|path| is_capture(path)).collect();
    captures.sort_unstable();
    if captures.is_empty() { Err(fail("no capture in this directory")) } else { Ok(captures) }
}

/// Whether a file begins as captures do.
fn is_capture(path: &Path) -> bool {
    path.is_file() && File::open(path).is_ok_and(|file| Reader::new(Box::new(file)).is_ok())
}

/// When a file was written last.
fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// The capture in a directory that was written next behind that time.
fn written_behind(directory: &Path, before: SystemTime) -> Option<PathBuf> {
    let paths = fs::read_dir(directory).ok()?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let later = paths.filter_map(|path| Some((written(&path).filter(|&time| time > before)?, path)));
    later.filter(|(_, path)| is_capture(path)).min().map(|(_, path)| path)
}

/// How long each file is; `None` for a pipe.
pub(super) type Extent = Vec<Option<u64>>;

/// An open input.
pub(super) struct Input {
    /// How it is called in messages; not escaped.
    pub(super) name: String,
    /// How much there is to read.
    pub(super) extent: Extent,
    parts: Vec<Part>,
    /// From which on captures are read behind all before, once that was looked for.
    turns: Option<Vec<usize>>,
    limits: Limits,
}

impl Input {
    /// Bytes of all files; `None` where there is a pipe.
    pub(super) fn len(&self) -> Option<u64> {
        self.extent.iter().copied().sum()
    }

    /// The time of the first packet that has one, looked for at the start of each capture; nothing of the input is lost.
    pub(super) fn origin(&mut self) -> Option<Timestamp> {
        let first = self.turns().first().copied().unwrap_or(self.parts.len());
        // What is wrong is told when it is read.
        self.parts.iter_mut().take(first).filter_map(|part| part.first_time().ok().flatten()).min()
    }

    /// From which on captures are read behind all before.
    fn turns(&mut self) -> &[usize] {
        self.turns.get_or_insert_with(|| turns::places(&mut self.parts, &self.limits))
    }

    /// A reader for each capture, opened when it is asked for.
    pub(super) fn readers(self) -> impl Iterator<Item = Result<Reader, OpenError>> {
        let limits = self.limits;
        self.parts.into_iter().map(move |part| Reader::timeline(vec![part], &limits).map_err(|(_, error)| error))
    }

    /// A reader of its packets.
    ///
    /// # Errors
    /// When it is no capture.
    pub(super) fn reader(mut self) -> Result<Reader, Failure> {
        self.turns();
        let Self { parts, turns, limits, .. } = self;
        Reader::in_turns(parts, &turns.unwrap_or_default(), &limits)
            .map_err(|(name, error)| Failure::new(Exit::Input, format!("{name}: {error}")))
    }
}
