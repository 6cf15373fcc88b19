//! Key logs that are still written.

use super::log::{Log, Wanted};
use crate::model::{KeySource, Secrets};
use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;

/// Key logs that are read on from where they were read to, as often as one looks; a line whose end has not come is waited for.
///
/// A clone reads on from the same place.
#[derive(Clone, Default)]
pub struct Followed {
    logs: Arc<Mutex<Vec<Growing>>>,
    /// More may be added while they are read.
    is_open: bool,
}

/// The text of a log that is still written: it ends wherever there is no more yet.
pub trait Text: Read + Send {
    /// Whether another text is read from here on, which has taken the place of this one.
    fn begins_anew(&mut self) -> bool {
        false
    }
}

/// A log that may have grown when it is read again.
struct Growing {
    /// How it is called; not escaped.
    name: String,
    /// What was read of it, if it was there.
    log: Option<Log>,
    text: Box<dyn Text>,
}

impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Followed")
    }
}

impl Followed {
    /// None so far, but more may be added while they are read.
    pub fn open() -> Self {
        Self { is_open: true, ..Self::default() }
    }

    /// Adds a log, read as far as `log` says: `text` goes on there, and ends wherever there is no more yet.
    pub fn add(&self, name: String, log: Option<Log>, text: Box<dyn Text>) {
        self.each().push(Growing { name, log, text });
    }

    /// Whether there is none, and will be none.
    pub fn is_empty(&self) -> bool {
        !self.is_open && self.each().is_empty()
    }

    /// Takes what was written since; at the `last` look a line needs no end, nor does the last of a log that was replaced.
    ///
    /// Secrets that nothing is added to are not copied. What takes the place of a log is read as another of its name. A log that cannot be
    /// read any more has ended; of what turns out to be none no more than a piece is read at a time.
    pub fn read_on(&self, last: bool, wanted: &Wanted, secrets: &mut Arc<Secrets>) {
        for Growing { name, log, text } in self.each().iter_mut() {
            let (mut piece, mut is_another) = (Vec::new(), text.begins_anew());
            loop {
                if is_another && let Some(mut log) = log.take() {
                    end(&mut log, wanted, secrets);
                }
                while let Ok(1..) = next_piece(text, &mut piece) {
                    let secrets = Arc::make_mut(secrets);
                    let log = log.get_or_insert_with(|| Log::new(KeySource::File(name.clone()), secrets));
                    log.push(&piece, wanted, secrets);
                    if log.is_hopeless(false, secrets) {
                        break;
                    }
                }
                // What was written to one that was replaced is read before.
                is_another = text.begins_anew();
                if !is_another {
                    break;
                }
            }
            if let Some(log) = log.as_mut().filter(|_| last) {
                end(log, wanted, secrets);
            }
        }
    }

    fn each(&self) -> std::sync::MutexGuard<'_, Vec<Growing>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes what a log ends with as a line.
fn end(log: &mut Log, wanted: &Wanted, secrets: &mut Arc<Secrets>) {
    if log.is_in_line() {
        log.end_line(wanted, Arc::make_mut(secrets));
    }
}

/// Reads what there is, within the bound of a piece.
fn next_piece(text: &mut Box<dyn Text>, piece: &mut Vec<u8>) -> io::Result<usize> {
    piece.clear();
    text.take(PIECE as u64).read_to_end(piece)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SecretLabel;
    use std::fs::File;
    use std::io::Write as _;

    impl Text for File {}

    #[test]
    fn a_line_is_taken_when_its_end_comes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let mut file = File::create(&path).unwrap();
        let (followed, all, mut secrets) = (Followed::default(), Wanted::All(9), Arc::new(Secrets::default()));
        followed.add("keys".to_owned(), None, Box::new(File::open(&path).unwrap()));
        let line = |byte: u8| format!("CLIENT_RANDOM {} {}", format!("{byte:02x}").repeat(32), "ab".repeat(48));
        let mut write = |text: &str, last, secrets: &mut Arc<Secrets>| {
            file.write_all(text.as_bytes()).unwrap();
            followed.read_on(last, &all, secrets);
            secrets.len()
        };
        assert_eq!(write("", false, &mut secrets), 0);
        assert!(secrets.logs().is_empty(), "what is empty is no log yet");
        let (first, second) = (line(1), line(2));
        assert_eq!(write(&first, false, &mut secrets), 0);
        assert_eq!(write("\n", false, &mut secrets), 1);
        assert_eq!(write(&second[..99], false, &mut secrets), 1);
        assert_eq!(write(&second[99..], true, &mut secrets), 2);
        assert_eq!(secrets.find(&[2; 32], SecretLabel::Master).map(|secret| secret.origin.line), Some(2));
    }

    /// A text of which each part takes the place of the one before.
    struct Parts(Vec<Vec<u8>>);

    impl Read for Parts {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Some(part) = self.0.first_mut() else { return Ok(0) };
            let len = part.len().min(room.len());
            part.drain(..len).zip(room).for_each(|(from, to)| *to = from);
            Ok(len)
        }
    }

    impl Text for Parts {
        fn begins_anew(&mut self) -> bool {
            let is_over = self.0.len() > 1 && self.0[0].is_empty();
            if is_over {
                self.0.remove(0);
            }
            is_over
        }
    }

    /// The last line of a log that was replaced needs no end, and that of the one in its place none before it is over.
    #[test]
    fn the_last_line_of_a_log_that_was_replaced_is_taken() {
        let line = |byte: u8| format!("CLIENT_RANDOM {} {}", format!("{byte:02x}").repeat(32), "ab".repeat(48));
        let texts = [line(1) + "\n" + &line(2), line(3), line(4)].map(String::into_bytes);
        let (followed, all, mut secrets) = (Followed::default(), Wanted::All(9), Arc::new(Secrets::default()));
        followed.add("keys".to_owned(), None, Box::new(Parts(texts.into())));
        for (last, known) in [(false, 3), (true, 4)] {
            followed.read_on(last, &all, &mut secrets);
            assert_eq!(secrets.len(), known);
        }
        assert_eq!(secrets.logs().iter().map(|log| log.lines).collect::<Vec<_>>(), [2, 1, 1]);
    }

    /// An endless text that is no key log.
    struct Endless(Arc<Mutex<u64>>);

    impl Read for Endless {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let mut read = self.0.lock().unwrap();
            if *read > 100 << 20 {
                return Ok(0);
            }
            room.fill(b'A');
            *room.last_mut().unwrap() = b'\n';
            *read += room.len() as u64;
            Ok(room.len())
        }
    }

    impl Text for Endless {}

    #[test]
    fn what_is_no_key_log_is_not_read_for_ever() {
        let (followed, mut secrets) = (Followed::default(), Arc::new(Secrets::default()));
        let read = Arc::new(Mutex::new(0));
        followed.add("keys".to_owned(), None, Box::new(Endless(Arc::clone(&read))));
        followed.read_on(false, &Wanted::All(9), &mut secrets);
        let read = *read.lock().unwrap();
        assert!((64 << 20..66 << 20).contains(&read), "{read}");
    }
}
