//! What is said of inputs that are no captures.

use std::io::Cursor;
use wspect::capture::Reader;

fn said(bytes: &[u8]) -> String {
    match Reader::new(Box::new(Cursor::new(bytes.to_vec()))) {
        Ok(_) => panic!("taken for a capture"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn nothing_known() {
    assert_eq!(said(b""), "empty file (0 bytes)");
    assert_eq!(said(b"\x00\x01\x02\x03\x04"), "not a pcap or pcapng file (first bytes 00 01 02 03)");
    assert_eq!(said(b"\xd4\xc3"), "not a pcap or pcapng file (first bytes d4 c3)");
    let bad_section = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1b";
    assert_eq!(said(bad_section), "not a pcap or pcapng file (first bytes 0a 0d 0d 0a)");
}

#[test]
fn text() {
    let text = "not a pcap or pcapng file (first bytes 48 65 6c 6c): it looks like text";
    assert_eq!(said(b"Hello, world\n"), text);
    assert_eq!(said(&[&b"Hell"[..], "\u{fc}ber".repeat(200).as_bytes()].concat()), text);
    assert!(!said(b"Hello\x1b[31m").contains("text"));
    let page = [&b"# wspect\n\nGive it a packet capture and it shows what was said.\n"[..]; 40].concat();
    assert!(said(&page).ends_with("it looks like text"), "its first words have the shape of an ERF record's head");
}

#[test]
fn known_by_their_first_bytes() {
    let mut tar = vec![0; 600];
    tar[..9].copy_from_slice(b"cap.pcap\0");
    tar[257..262].copy_from_slice(b"ustar");
    let mut etl = vec![0; 200];
    etl[..4].copy_from_slice(&65536_u32.to_le_bytes());
    etl[72..76].copy_from_slice(&[2, 0, 2, 0xc0]);
    let erf_record =
        [&[0, 0, 0, 0][..], &1_700_000_000_u32.to_le_bytes(), &[2, 4, 0, 24, 0, 0, 0, 6], &[0; 8]].concat();
    let cases: [(&[u8], &str); 15] = [
        (b"BZh91AY", "bzip2"),
        (b"\x02\x21\x4c\x18..", "lz4"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"snoop\0\0\0\0\0\0\x02", "snoop"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\x7fELF\x02", "ELF"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n  <HTML>", "HTML"),
        (b"{\"log\": {\"version\": \"1.2\"}}", "HAR/JSON"),
        (b"\xef\xbb\xbf [1, 2]", "HAR/JSON"),
        (b"GMBU\x00\x02", "Network Monitor"),
        (&tar, "tar"),
        (&etl, "ETL"),
        (&erf_record, "ERF"),
        (&erf_record.repeat(2), "ERF"),
    ];
    for (bytes, word) in cases {
        let said = said(bytes);
        assert!(said.starts_with("this is ") && said.contains(word), "{word}: {said}");
        assert!(said.contains(" first") || said.contains("give a capture"), "no advice: {said}");
    }
    assert_eq!(said(b"PK\x03\x04"), "this is a ZIP archive, not a pcap or pcapng file: unpack it first");
}

#[test]
fn secrets_are_not_repeated() {
    for start in ["", "# made by hand\n"] {
        let log = format!("{start}CLIENT_RANDOM 0123456789abcdef fedcba9876543210\n");
        assert_eq!(
            said(log.as_bytes()),
            "this is a TLS key log, not a pcap or pcapng file: give the capture that it belongs to"
        );
    }
}
