//! Captures that lack the packets of one end: every face tells the same of how a connection ended.

use super::*;

/// The packets of a pcap of Ethernet and IPv4 that went to one of these ports, or came from one.
fn one_side(capture: &[u8], server: &[u16], to_server: bool) -> Vec<u8> {
    let (header, mut rest) = capture.split_at(24);
    let mut out = header.to_vec();
    while let Some(len) = rest.get(8..12) {
        let (record, behind) = rest.split_at(16 + u32::from_le_bytes(len.try_into().unwrap()) as usize);
        let port = if to_server { 16 + 14 + 20 + 2 } else { 16 + 14 + 20 };
        if server.contains(&u16::from_be_bytes(record[port..port + 2].try_into().unwrap())) {
            out.extend(record);
        }
        rest = behind;
    }
    out
}

#[test]
fn a_conversation_of_which_one_side_is_missing_is_not_called_unanswered() {
    let mix = fs::read(sample("mix.pcap")).unwrap();
    for to_server in [true, false] {
        let half = one_side(&mix, &[26602, 26605], to_server);
        let text = |line: &[&str]| String::from_utf8(pipe_in(wspect(line), &half).stdout).unwrap();
        let (rows, records) = (text(&["ls", "-q", "-"]), text(&["ls", "-q", "--json", "-"]));
        assert_eq!((rows.lines().count(), records.lines().count()), (5, 4), "{rows}");
        for (row, record) in rows.lines().skip(1).zip(records.lines()) {
            assert!(record.contains(r#""ending":"reply-unseen""#), "{record}");
            assert!(row.contains("close 1000"), "{row}");
        }
    }
}
