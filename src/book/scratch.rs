//! A temporary file without a name: nobody else sees it, and it is gone with the program.

use crate::model::size;
use std::cell::OnceCell;
use std::fs::File;
use std::io;

/// Bytes that wait until they are worth a write.
const WAITING: usize = 256 << 10;

/// A log of bytes in a file without a name, up to a bound. The file is made when there is something to write.
///
/// When it is full, or cannot be written, nothing more is kept; what was kept stays readable.
#[derive(Debug)]
pub(super) struct Scratch {
    file: Option<File>,
    /// Bytes that the file may have.
    most: u64,
    /// Bytes in it.
    written: u64,
    /// What comes behind them.
    waiting: Vec<u8>,
    /// Why nothing more is kept, or something cannot be read.
    failure: OnceCell<String>,
}

impl Scratch {
    /// Nothing so far; the file may have `most` bytes.
    pub(super) const fn new(most: u64) -> Self {
        Self { file: None, most, written: 0, waiting: Vec::new(), failure: OnceCell::new() }
    }

    /// Keeps `bytes` and says where; `None` when they could not be kept.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Option<u64> {
        if self.failure.get().is_some() {
            return None;
        }
        let place = self.written + self.waiting.len() as u64;
        if place.saturating_add(bytes.len() as u64) > self.most {
            self.fail(format!("temporary file full ({})", size(self.most)));
            return None;
        }
        if let Err(error) = self.put(bytes) {
            self.fail(error.to_string());
            return None;
        }
        Some(place)
    }

    /// What is large is not copied.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.waiting.len() + bytes.len() > WAITING {
            let waiting = std::mem::take(&mut self.waiting);
            let written = self.write(&waiting);
            self.waiting = waiting;
            written?;
            self.waiting.clear();
        }
        if bytes.len() > WAITING {
            return self.write(bytes);
        }
        self.waiting.extend_from_slice(bytes);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        write_at(file, bytes, self.written)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Puts bytes in the place of as many others.
    pub(super) fn replace(&mut self, place: u64, bytes: &[u8]) {
        let old = usize::try_from(self.written.saturating_sub(place)).unwrap_or(usize::MAX).min(bytes.len());
        let (old, new) = bytes.split_at_checked(old).unwrap_or((bytes, &[]));
        if let Some(file) = self.file.as_ref().filter(|_| !old.is_empty())
            && let Err(error) = write_at(file, old, place)
        {
            self.fail(error.to_string());
        }
        let from = usize::try_from((place + old.len() as u64).saturating_sub(self.written)).unwrap_or(usize::MAX);
        let there = self.waiting.get_mut(from..from.saturating_add(new.len())).unwrap_or_default();
        there.iter_mut().zip(new).for_each(|(there, byte)| *there = *byte);
    }

    /// Fills `out` with what stands at `place`; `None` when that is not there or cannot be read.
    pub(super) fn read(&self, place: u64, out: &mut [u8]) -> Option<()> {
        let in_file = self.written.saturating_sub(place).min(out.len() as u64);
        let (old, new) = out.split_at_mut_checked(usize::try_from(in_file).ok()?)?;
        if !old.is_empty()
            && let Err(error) = read_at(self.file.as_ref()?, old, place)
        {
            self.fail(error.to_string());
            return None;
        }
        if !new.is_empty() {
            let from = usize::try_from((place + in_file).checked_sub(self.written)?).ok()?;
            new.copy_from_slice(self.waiting.get(from..from.checked_add(new.len())?)?);
        }
        Some(())
    }

    /// Why nothing more is kept, or something could not be read.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// The first failure is told.
    fn fail(&self, why: String) {
        let _ = self.failure.set(why);
    }
}

#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
    io::Read::read_exact(&mut file, out)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
    io::Write::write_all(&mut file, bytes)
}

#[cfg(test)]
impl Scratch {
    /// A file opened for reading refuses to be written, as a full disk does.
    pub(super) fn refuse(&mut self) {
        self.file = Some(File::open(std::env::current_exe().unwrap()).unwrap());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scratch: &Scratch, place: u64, len: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; len];
        scratch.read(place, &mut out)?;
        Some(out)
    }

    #[test]
    fn reads_back_what_is_written_and_what_waits() {
        let mut scratch = Scratch::new(u64::MAX);
        let mut all = Vec::new();
        for n in 0..60_usize {
            let piece: Vec<u8> = (0..n * n * 300 % 700_000).map(|at| (at * 31 + n) as u8).collect();
            assert_eq!(scratch.append(&piece), Some(all.len() as u64));
            all.extend(piece);
        }
        assert_eq!(scratch.append(b"a little"), Some(all.len() as u64));
        all.extend(b"a little");
        assert!(scratch.written > 0 && !scratch.waiting.is_empty(), "both must be read");
        for (at, len) in [(0, 10), (0, all.len()), (all.len() - 3, 3), (scratch.written as usize - 7, 12), (5, 0)] {
            assert!(read(&scratch, at as u64, len).unwrap() == all[at..at + len], "{len} bytes at {at}");
        }
        assert_eq!(read(&scratch, all.len() as u64 - 2, 3), None);
        for at in [0, 77_777, scratch.written as usize - 2, scratch.written as usize, all.len() - 4] {
            scratch.replace(at as u64, b"NEW!");
            all[at..at + 4].copy_from_slice(b"NEW!");
        }
        assert!(read(&scratch, 0, all.len()).unwrap() == all);
        assert_eq!(scratch.failure(), None);
    }

    #[test]
    fn keeps_no_more_than_its_bound_and_says_so() {
        let mut scratch = Scratch::new(1000);
        assert_eq!(scratch.append(&[7; 900]), Some(0));
        assert_eq!(scratch.append(&[8; 101]), None);
        assert_eq!(scratch.failure(), Some("temporary file full (1.0 kB)"));
        assert_eq!(scratch.append(&[9]), None, "what came before has lost its neighbour");
        assert_eq!(read(&scratch, 890, 10), Some(vec![7; 10]));
    }

    #[test]
    fn what_cannot_be_written_costs_only_what_comes_after() {
        let mut scratch = Scratch::new(u64::MAX);
        assert_eq!(scratch.append(&[7; WAITING]), Some(0));
        scratch.refuse();
        assert_eq!(scratch.append(&[8; 9]), None);
        assert!(scratch.failure().is_some());
        assert_eq!(read(&scratch, 0, WAITING), Some(vec![7; WAITING]));
    }
}
