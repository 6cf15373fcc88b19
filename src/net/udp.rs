//! UDP, as far as to say what it carries: of what runs over it only tunnels are looked into.

use super::ip::Ip;

/// Bytes of UDP's header (RFC 768).
const HEADER: usize = 8;
/// Bytes of the longest connection id of QUIC's versions (RFC 9000 §17.2).
const ID_MAX: u8 = 20;

/// A datagram.
pub(super) struct Datagram<'a> {
    /// Of the sender and of the receiver.
    pub(super) ports: [u16; 2],
    /// The captured part.
    pub(super) payload: &'a [u8],
    /// Bytes of the payload on the wire.
    pub(super) wire_len: usize,
}

/// The datagram that a packet carries; `None` where its length is not one that the packet has room for.
///
/// ```text
/// source port u16, destination port u16, length u16 (of header and payload), checksum u16
/// ```
pub(super) fn datagram<'a>(ip: &Ip<'a>) -> Option<Datagram<'a>> {
    let (&[a, b, c, d, high, low, _, _], rest) = ip.payload.split_first_chunk::<HEADER>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let wire_len = length.checked_sub(HEADER).filter(|_| length <= ip.wire_len)?;
    let payload = rest.get(..wire_len).unwrap_or(rest);
    Some(Datagram { ports: [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])], payload, wire_len })
}

/// A record of DTLS (RFC 6347 §4.1): `type 1 | version 2 | epoch 2 | number 6 | length 2`; those of DTLS 1.3 that are sealed
/// have another head (RFC 9147 §4), but its hellos have this one.
pub(super) fn is_dtls(datagram: &[u8]) -> bool {
    let payload = datagram.get(HEADER..).unwrap_or_default();
    matches!(payload, &[20..=25, 0xfe, 0xfc..=0xff, _, _, _, _, _, _, _, _, high, low, ..] if u16::from_be_bytes([high, low]) > 0)
}

/// A packet with a long header, as connections begin with (RFC 9000 §17.2): `11xxxxxx | version 4 | length 1 | id`, of version 1,
/// 2 (RFC 9369) or a draft.
pub(super) fn is_quic(datagram: &[u8]) -> bool {
    let payload = datagram.get(HEADER..).unwrap_or_default();
    let &[first, a, b, c, d, len, ..] = payload else { return false };
    first >= 0xc0 && len <= ID_MAX && matches!([a, b, c, d], [0, 0, 0, 1] | [0x6b, 0x33, 0x43, 0xcf] | [0xff, 0, 0, _])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(payload: &[u8]) -> Vec<u8> {
        [&[0; HEADER], payload].concat()
    }

    #[test]
    fn dtls_and_quic_are_known_by_their_first_bytes() {
        let record = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9, 1];
        let initial = [0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        let question = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1];
        for (payload, is) in [(&record[..], (true, false)), (&initial, (false, true)), (&question, (false, false))] {
            let whole = datagram(payload);
            assert_eq!((is_dtls(&whole), is_quic(&whole)), is);
            for len in 0..whole.len() {
                let _ = (is_dtls(&whole[..len]), is_quic(&whole[..len]));
            }
        }
    }
}
