//! Key logs and private keys.

use wspect::keys::{Log, Wanted, rsa_key};
use wspect::model::{KeySource, Origin, Secrets};

/// A log says the same however it is cut; and nothing that is no key opens anything.
pub fn check(bytes: &[u8]) {
    let Some((cut, text)) = bytes.split_first() else { return };
    let whole = read(&[text]);
    let pieces: Vec<&[u8]> = text.chunks(usize::from(*cut).max(1)).collect();
    assert_eq!(whole, read(&pieces));
    let _ = rsa_key(text, Origin { source: 0, line: 1 });
}

/// How a log was, and how many secrets are in it.
fn read(pieces: &[&[u8]]) -> (String, usize, u64) {
    let mut secrets = Secrets::default();
    let mut log = Log::new(KeySource::File("a.keys".to_owned()), &mut secrets);
    let wanted = Wanted::All(64);
    for piece in pieces {
        log.push(piece, &wanted, &mut secrets);
    }
    log.end_line(&wanted, &mut secrets);
    (format!("{:?}", log.report()), secrets.len(), secrets.logged())
}
