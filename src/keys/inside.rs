//! The key logs that a capture carries.

use super::log::{Log, Report, Wanted};
use crate::model::{KeySource, SecretLabel, Secrets};
use memchr::memmem;

/// Reads them piece by piece, as the capture is read.
#[derive(Debug, Default)]
pub struct Inside {
    blocks: Option<Log>,
    comments: Option<Log>,
}

impl Inside {
    /// Takes a piece, whole in its lines. A comment may be no key log.
    pub fn push(&mut self, source: KeySource, text: &[u8], wanted: &Wanted, secrets: &mut Secrets) {
        let log = match source {
            KeySource::Comment if !has_label(text) => return,
            KeySource::Comment => &mut self.comments,
            _ => &mut self.blocks,
        };
        // What fills a block up is no line.
        let len = text.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let text = text.get(..len).unwrap_or_default();
        let log = log.get_or_insert_with(|| Log::new(source, secrets));
        log.push(text, wanted, secrets);
        log.end_line(wanted, secrets);
    }

    /// What is to be told of the blocks, if there were any. Comments may hold anything.
    pub fn report(&self) -> Option<Report> {
        self.blocks.as_ref().map(Log::report)
    }
}

fn has_label(text: &[u8]) -> bool {
    let text = text.to_ascii_uppercase();
    SecretLabel::ALL.iter().any(|label| memmem::find(&text, label.name().as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_over_all_blocks_and_other_comments_are_left_alone() {
        let line = |byte: u8| format!("CLIENT_RANDOM {} {}", format!("{byte:02x}").repeat(32), "ab".repeat(48));
        let (mut secrets, mut inside, all) = (Secrets::default(), Inside::default(), Wanted::All(9));
        for text in [format!("# first\n{}\n\0\0\0", line(1)), format!("{}\n", line(2))] {
            inside.push(KeySource::Block, text.as_bytes(), &all, &mut secrets);
        }
        inside.push(KeySource::Comment, b"captured on a Tuesday", &all, &mut secrets);
        inside.push(KeySource::Comment, format!("keys:\n{}", line(3)).as_bytes(), &all, &mut secrets);
        let lines = [1, 2, 3].map(|byte| secrets.of(&[byte; 32]).next().expect("added").origin.line);
        assert_eq!(lines, [2, 3, 2]);
        assert_eq!(secrets.logs().first().map(|log| log.bad), Some(0), "what fills a block up is no line");
        assert_eq!(secrets.logs().iter().map(|log| log.source.to_string()).collect::<Vec<_>>(), ["dsb", "comment"]);
    }
}
