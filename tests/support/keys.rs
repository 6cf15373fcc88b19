//! Key logs.

use wspect::model::{Origin, Secret, SecretLabel, Secrets};

/// The secrets of a key log.
pub(crate) fn secrets(text: &str) -> Secrets {
    let mut secrets = Secrets::default();
    let source = secrets.source("test.keys");
    for (line, text) in (1..).zip(text.lines()) {
        let mut words = text.split_whitespace();
        let (Some(label), Some(random), Some(secret)) = (words.next(), words.next(), words.next()) else { continue };
        let Some(label) = SecretLabel::ALL.into_iter().find(|known| known.name() == label) else { continue };
        let secret = Secret::new(label, &hex(secret), Origin { source, line }).unwrap();
        secrets.add(&hex(random).try_into().unwrap(), secret);
    }
    secrets
}

/// Bytes of hex digits; anything else is passed over.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
