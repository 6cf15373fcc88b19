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

    /// Takes what was written since; at the `last` look a line needs no end.
    ///
    /// Secrets that nothing is added to are not copied. What takes the place of a log is read as another of its name. A log that cannot be read any more has ended.
    pub fn read_on(&self, last: bool, wanted: &Wanted, secrets: &mut Arc<Secrets>) {
        for Growing { name, log, text } in self.each().iter_mut() {
            let (mut piece, mut is_another) = (Vec::new(), text.begins_anew());
            loop {
                if is_another {
                    *log = None;
                }
                while let Ok(1..) = next_piece(text, &mut piece) {
                    let secrets = Arc::make_mut(secrets);
                    let log = log.get_or_insert_with(|| Log::new(KeySource::File(name.clone()), secrets));
                    log.push(&piece, wanted, secrets);
                }
                // What was written to one that was replaced is read before.
                is_another = text.begins_anew();
                if !is_another {
                    break;
                }
            }
            if let Some(log) = log.as_mut().filter(|log| last && log.is_in_line()) {
                log.end_line(wanted, Arc::make_mut(secrets));
            }
        }
    }

    fn each(&self) -> std::sync::MutexGuard<'_, Vec<Growing>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
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
}
