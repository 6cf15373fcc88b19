//! A file that is still written: read on as it grows, also when another takes its name.

use super::signals::Stop;
use crate::capture::{Silent, Stopped};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

/// Between two looks for more.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes by which a file is known again.
const TAIL: usize = 256;

/// Which file of a directory was written next behind that time, if there is one.
pub(super) type Next = fn(&Path, SystemTime) -> Option<PathBuf>;

/// What has a name, read up to where it ends so far.
pub(super) struct Named {
    path: PathBuf,
    file: File,
    /// Where the captures of a directory are read: finds the next.
    next: Option<Next>,
    /// Bytes read of it, and the last of them.
    read: u64,
    tail: Vec<u8>,
}

impl Named {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        Ok(Self { file: File::open(&path)?, path, next: None, read: 0, tail: Vec::new() })
    }

    /// Goes on to what has the name now, if what was read to its end was replaced, or is not what stands there any more; whether it
    /// did.
    pub(super) fn begin_anew(&mut self) -> io::Result<bool> {
        if self.is_begun_anew()? {
            self.begin()?;
            return Ok(true);
        }
        Ok(self.reopen(true)? && self.read == 0)
    }

    /// Goes on to what has the name now, if that is another file, or the same begun anew; or to the next in the directory. Whether
    /// it did.
    ///
    /// While there is none of that name it is waited for: who rotates files may move one away before it makes the next. Who writes
    /// may have bytes left for the old one when the new one is there: that is read `late`, when nothing came for a while, and
    /// when it has something in it.
    fn reopen(&mut self, late: bool) -> io::Result<bool> {
        let Ok(named) = fs::metadata(&self.path) else { return self.next(late) };
        let is_same = is_same(&named, &self.file.metadata()?);
        if is_same && named.len() >= self.read {
            return self.next(late);
        }
        // What was written to the old one until now is read first.
        if !is_same && self.file.metadata()?.len() > self.read {
            return Ok(true);
        }
        if !is_same && (!late || named.len() == 0) {
            return Ok(false);
        }
        self.begin()?;
        Ok(true)
    }

    /// Goes on to the capture in the directory that was written next, where one is read; whether it did.
    fn next(&mut self, late: bool) -> io::Result<bool> {
        let Some((next, directory)) = self.next.filter(|_| late).zip(self.path.parent()) else { return Ok(false) };
        let Some(path) = next(directory, self.file.metadata()?.modified()?) else { return Ok(false) };
        if self.file.metadata()?.len() > self.read {
            return Ok(true);
        }
        self.path = path;
        self.begin()?;
        Ok(true)
    }

    /// Begins with what has the name now.
    fn begin(&mut self) -> io::Result<()> {
        (self.file, self.read) = (File::open(&self.path)?, 0);
        self.tail.clear();
        Ok(())
    }

    /// Whether what was read last stands there no more: the file was begun anew, and already is longer than it was. Who goes on where
    /// he was in a file that another emptied leaves zeros before.
    fn is_begun_anew(&mut self) -> io::Result<bool> {
        let mut now = Vec::new();
        self.file.seek(SeekFrom::Start(self.read - self.tail.len() as u64))?;
        self.file.by_ref().take(self.tail.len() as u64).read_to_end(&mut now)?;
        Ok(now != self.tail && now.iter().any(|&byte| byte != 0))
    }

    /// Remembers the last bytes of what was read.
    fn remember(&mut self, read: &[u8]) {
        self.read += read.len() as u64;
        self.tail.extend_from_slice(read.get(read.len().saturating_sub(TAIL)..).unwrap_or_default());
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }
}

impl Read for Named {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(room)?;
        self.remember(room.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// A file without an end: where it ends, it is [`Silent`] until there is more.
pub(super) struct Growing {
    named: Named,
    /// It was silent since.
    is_late: bool,
    stop: Stop,
}

impl Growing {
    /// Opens the file, to be read until `stop` comes, and what is the `next`.
    pub(super) fn open(path: PathBuf, next: Option<Next>, stop: Stop) -> io::Result<Self> {
        Ok(Self { named: Named { next, ..Named::open(path)? }, is_late: false, stop })
    }
}

impl Read for Growing {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while !self.stop.is_wanted() {
            let is_late = std::mem::take(&mut self.is_late);
            if is_late && self.named.is_begun_anew()? {
                self.named.begin()?;
            }
            match self.named.read(room)? {
                0 if self.named.reopen(is_late || self.stop.ends_waiting())? => {}
                0 if self.stop.ends_waiting() => break,
                0 => {
                    thread::sleep(PAUSE);
                    self.is_late = true;
                    return Err(Silent.into());
                }
                read => return Ok(read),
            }
        }
        Err(Stopped.into())
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere files have no number that is easily had: one that is begun anew is shorter.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn reads(growing: &mut Growing, expected: &[u8]) {
        let mut read = Vec::new();
        while read.len() < expected.len() {
            let mut room = vec![0; expected.len() - read.len()];
            match growing.read(&mut room) {
                Err(error) if Silent::is(&error) => {}
                taken => read.extend_from_slice(&room[..taken.unwrap()]),
            }
        }
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_appended_comes_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cap");
        let mut file = File::create(&path).unwrap();
        let mut growing = Growing::open(path, None, Stop::default()).unwrap();
        for piece in [&b"one"[..], b"two", b"three"] {
            file.write_all(piece).unwrap();
            reads(&mut growing, piece);
        }
        let late = thread::spawn(move || {
            thread::sleep(PAUSE / 2);
            file.write_all(b"four").unwrap();
        });
        reads(&mut growing, b"four");
        late.join().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn another_file_of_the_name_comes_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cap");
        fs::write(&path, b"old").unwrap();
        let mut growing = Growing::open(path.clone(), None, Stop::default()).unwrap();
        reads(&mut growing, b"ol");
        fs::rename(&path, dir.path().join("cap.1")).unwrap();
        fs::write(&path, b"new").unwrap();
        reads(&mut growing, b"dnew");
        // Who writes may have more for the old one.
        let mut old = fs::OpenOptions::new().append(true).open(&path).unwrap();
        fs::rename(&path, dir.path().join("cap.2")).unwrap();
        fs::write(&path, b"").unwrap();
        assert!(Silent::is(&growing.read(&mut [0; 4]).unwrap_err()));
        assert!(Silent::is(&growing.read(&mut [0; 4]).unwrap_err()), "the new one is empty");
        old.write_all(b"late").unwrap();
        reads(&mut growing, b"late");
        fs::write(&path, b"new").unwrap();
        reads(&mut growing, b"new");
        // Written anew where it stands, as rings of files are.
        fs::write(&path, b"ne").unwrap();
        reads(&mut growing, b"ne");
    }

    /// As who empties a file when he has copied it does: what is written then may be longer than what was, before it is looked at.
    #[test]
    fn a_file_that_is_begun_anew_is_known_by_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cap");
        fs::write(&path, [7; 1000]).unwrap();
        let mut growing = Growing::open(path.clone(), None, Stop::default()).unwrap();
        reads(&mut growing, &[7; 1000]);
        assert!(Silent::is(&growing.read(&mut [0; 4]).unwrap_err()));
        fs::write(&path, [8; 3000]).unwrap();
        reads(&mut growing, &[8; 3000]);
        // Its writer goes on where he was.
        assert!(Silent::is(&growing.read(&mut [0; 4]).unwrap_err()));
        fs::write(&path, [[0; 3000], [9; 3000]].concat()).unwrap();
        reads(&mut growing, &[9; 3000]);
    }

    #[test]
    fn it_ends_when_nobody_wants_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cap");
        fs::write(&path, b"one").unwrap();
        let stop = Stop::default();
        let mut growing = Growing::open(path, None, stop.clone()).unwrap();
        reads(&mut growing, b"one");
        stop.flag().store(true, std::sync::atomic::Ordering::Relaxed);
        let ended = growing.read(&mut [0; 4]).unwrap_err();
        assert!(!Silent::is(&ended), "{ended}");
    }
}
