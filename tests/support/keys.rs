//! Key logs.

use wspect::keys::{Log, Wanted};
use wspect::model::{KeySource, Secrets};

/// The secrets of a key log.
pub(crate) fn secrets(text: &str) -> Secrets {
    let mut secrets = Secrets::default();
    let mut log = Log::new(KeySource::File("test.keys".to_owned()), &mut secrets);
    let wanted = Wanted::All(usize::MAX);
    log.push(text.as_bytes(), &wanted, &mut secrets);
    log.end_line(&wanted, &mut secrets);
    secrets
}

/// Bytes of hex digits; anything else is passed over.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
