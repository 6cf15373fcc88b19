//! What a file that should be a key log and is none looks like.

/// How many bytes are looked at.
pub(super) const PEEK: usize = 512;

/// Offset 0: the bytes that stand there, what it is.
static SIGNATURES: &[(&[u8], &str)] = &[
    (b"\x0a\x0d\x0d\x0a", "a pcapng capture"),
    (b"\xa1\xb2\xc3\xd4", "a pcap capture"),
    (b"\xd4\xc3\xb2\xa1", "a pcap capture"),
    (b"\xa1\xb2\x3c\x4d", "a pcap capture"),
    (b"\x4d\x3c\xb2\xa1", "a pcap capture"),
    (b"-----BEGIN CERTIFICATE", "a certificate (PEM)"),
    (b"-----BEGIN", "a private key (PEM), which --rsa-key takes"),
    (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
    (b"\x1f\x8b", "a gzip-compressed file: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd-compressed file: unpack it first"),
    (b"\xfd7zXZ\0", "an xz-compressed file: unpack it first"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"{", "JSON"),
    (b"<", "HTML or XML"),
];

/// Judges by the first [`PEEK`] bytes, or all there are.
pub(super) fn like(first: &[u8]) -> &'static str {
    match SIGNATURES.iter().find(|(bytes, _)| first.starts_with(bytes)) {
        Some(&(_, what)) => what,
        None if first.iter().any(|&byte| byte < b'\t') => "binary data",
        None => "text of another kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_given_by_mistake() {
        assert_eq!(like(b"\x0a\x0d\x0d\x0a\x1c\0\0\0"), "a pcapng capture");
        assert_eq!(like(b"-----BEGIN RSA PRIVATE KEY-----"), "a private key (PEM), which --rsa-key takes");
        assert_eq!(like(b"\xff\xfeC\0L\0"), "UTF-16 text: save it as UTF-8");
        assert_eq!(like(b"MZ\x90\0\x03"), "binary data");
        assert_eq!(like(b"hello\nworld\n"), "text of another kind");
    }
}
