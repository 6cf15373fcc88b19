//! A file that is still written: read on as it grows, also when another takes its name.

use super::signals::Stop;
use crate::capture::{Silent, Stopped};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// Between two looks for more.
const PAUSE: Duration = Duration::from_millis(100);

/// A file without an end: where it ends, it is [`Silent`] until there is more.
pub(super) struct Growing {
    path: PathBuf,
    file: File,
    /// Bytes read of it.
    read: u64,
    stop: Stop,
}

impl Growing {
    /// Opens the file, to be read until `stop` comes.
    pub(super) fn open(path: PathBuf, stop: Stop) -> io::Result<Self> {
        Ok(Self { file: File::open(&path)?, path, read: 0, stop })
    }

    /// Goes on to what has the name now, if that is another file, or the same begun anew; whether it did.
    ///
    /// While there is none of that name it is waited for: who rotates files may move one away before it makes the next.
    fn reopen(&mut self) -> io::Result<bool> {
        let Ok(named) = fs::metadata(&self.path) else { return Ok(false) };
        let is_same = is_same(&named, &self.file.metadata()?);
        if is_same && named.len() >= self.read {
            return Ok(false);
        }
        // What was written to the old one until now is read first.
        if !is_same && self.file.metadata()?.len() > self.read {
            return Ok(true);
        }
        (self.file, self.read) = (File::open(&self.path)?, 0);
        Ok(true)
    }
}

impl Read for Growing {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while !self.stop.is_wanted() {
            match self.file.read(room)? {
                0 if self.reopen()? => {}
                0 if self.stop.ends_waiting() => break,
                0 => {
                    thread::sleep(PAUSE);
                    return Err(Silent.into());
                }
                read => {
                    self.read += read as u64;
                    return Ok(read);
                }
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
        let mut growing = Growing::open(path, Stop::default()).unwrap();
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
        let mut growing = Growing::open(path.clone(), Stop::default()).unwrap();
        reads(&mut growing, b"ol");
        fs::rename(&path, dir.path().join("cap.1")).unwrap();
        fs::write(&path, b"new").unwrap();
        reads(&mut growing, b"dnew");
        // Written anew where it stands, as rings of files are.
        fs::write(&path, b"ne").unwrap();
        reads(&mut growing, b"ne");
    }

    #[test]
    fn it_ends_when_nobody_wants_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cap");
        fs::write(&path, b"one").unwrap();
        let stop = Stop::default();
        let mut growing = Growing::open(path, stop.clone()).unwrap();
        reads(&mut growing, b"one");
        stop.flag().store(true, std::sync::atomic::Ordering::Relaxed);
        let ended = growing.read(&mut [0; 4]).unwrap_err();
        assert!(!Silent::is(&ended), "{ended}");
    }
}
