//! What a server's certificate says of itself. Nothing of it is verified: what it is worth only the client can tell.

use crate::der::{INTEGER, OCTETS, SEQUENCE, all, any, element};
use crate::model::Certificate;
use nom::multi::length_data;
use nom::number::complete::{be_u8, be_u24};
use nom::{IResult, Parser as _};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The first certificate of a message: up to TLS 1.2 `list <3>`, in TLS 1.3 `context <1> | list <3>` (RFC 5246 §7.4.2,
/// RFC 8446 §4.4.2); in the list each is `certificate <3>`.
pub(super) fn first(message: &[u8]) -> IResult<&[u8], &[u8]> {
    let (_, list_len) = be_u24(message)?;
    let is_1_3 = message.len().checked_sub(3) != Some(list_len as usize);
    let rest = if is_1_3 { length_data(be_u8).parse(message)?.0 } else { message };
    let (_, list) = length_data(be_u24).parse(rest)?;
    length_data(be_u24).parse(list)
}

/// Names that are kept, and bytes of each.
const NAMES_MAX: usize = 16;
const NAME_BYTES: usize = 256;

/// Context-specific tags of a TBSCertificate (RFC 5280 §4.1): its version, and its extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// id-at-commonName and id-at-organizationName (§A.1), id-ce-subjectAltName (§4.2.1.6).
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
/// Tags of a GeneralName: dNSName and iPAddress.
const DNS: u8 = 0x82;
const ADDRESS: u8 = 0x87;
/// Tags of texts and times that are not read as they stand.
const BMP: u8 = 0x1e;
const UTC_TIME: u8 = 0x17;

/// RFC 5280 §4.1: `version?, serial, algorithm, issuer, validity, subject, key, …, extensions?`.
pub(super) fn read(der: &[u8]) -> IResult<&[u8], Certificate> {
    let (rest, body) = element(SEQUENCE, der)?;
    let (_, body) = element(SEQUENCE, body)?;
    let body = element(VERSION, body).map_or(body, |(rest, _)| rest);
    let (body, _) = element(INTEGER, body)?;
    let (body, _) = element(SEQUENCE, body)?;
    let (body, issuer) = element(SEQUENCE, body)?;
    let (body, validity) = element(SEQUENCE, body)?;
    let (behind, not_before) = any(validity)?;
    let (_, not_after) = any(behind)?;
    let (body, subject) = element(SEQUENCE, body)?;
    let mut certificate = Certificate {
        subject: name(subject),
        issuer: name(issuer),
        not_before: time(not_before),
        not_after: time(not_after),
        ..Certificate::default()
    };
    for general in alternatives(body) {
        certificate.count += 1;
        if certificate.names.len() < NAMES_MAX {
            certificate.names.push(general);
        }
    }
    Ok((rest, certificate))
}

/// The common name, or the organization where there is none.
fn name(sets: &[u8]) -> Option<String> {
    let attributes = || {
        all(sets).flat_map(|(_, set)| all(set)).filter_map(|(_, attribute)| {
            let (rest, (_, kind)) = any(attribute).ok()?;
            let (_, (tag, value)) = any(rest).ok()?;
            Some((kind, text(tag, value)))
        })
    };
    let find = |wanted: &[u8]| attributes().find(|(kind, _)| *kind == wanted).map(|(_, text)| text);
    find(COMMON_NAME).or_else(|| find(ORGANIZATION))
}

fn text(tag: u8, value: &[u8]) -> String {
    let value = value.get(..NAME_BYTES).unwrap_or(value);
    if tag == BMP {
        let units: Vec<u16> =
            value.chunks_exact(2).filter_map(|pair| pair.first_chunk().copied()).map(u16::from_be_bytes).collect();
        return String::from_utf16_lossy(&units);
    }
    String::from_utf8_lossy(value).into_owned()
}

/// The names in its extensions for which it is valid.
fn alternatives(behind_subject: &[u8]) -> impl Iterator<Item = String> {
    let extensions = all(behind_subject).filter(|(kind, _)| *kind == EXTENSIONS);
    let each = extensions.flat_map(|(_, list)| all(list)).flat_map(|(_, extensions)| all(extensions));
    let values = each.filter_map(|(_, extension)| {
        let mut parts = all(extension);
        let is_wanted = parts.next()?.1 == SUBJECT_ALT_NAME;
        parts.find(|&(kind, _)| is_wanted && kind == OCTETS).map(|(_, value)| value)
    });
    let names = values.flat_map(all).flat_map(|(_, names)| all(names));
    names.filter_map(|(kind, name)| match kind {
        DNS => Some(text(kind, name)),
        ADDRESS => match *name {
            [a, b, c, d] => Some(Ipv4Addr::new(a, b, c, d).to_string()),
            _ => <[u8; 16]>::try_from(name).ok().map(|bytes| Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    })
}

/// A time of day in UTC, as RFC 3339 writes it (RFC 5280 §4.1.2.5): `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time((tag, digits): (u8, &[u8])) -> Option<String> {
    let digits = std::str::from_utf8(digits).ok()?.strip_suffix('Z')?;
    let full = match digits.get(..2) {
        Some(year) if tag == UTC_TIME => format!("{}{digits}", if year < "50" { "20" } else { "19" }),
        _ => digits.to_owned(),
    };
    if full.len() != 14 || !full.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from, to| full.get(from..to).unwrap_or_default();
    let parts = [(4, "12"), (6, "31"), (8, "23"), (10, "59"), (12, "59")];
    if parts.iter().any(|&(from, most)| part(from, from + 2) > most) || part(4, 6) == "00" || part(6, 8) == "00" {
        return None;
    }
    let (date, hour) = (format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8)), part(8, 10));
    Some(format!("{date}T{hour}:{}:{}Z", part(10, 12), part(12, 14)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let [high, low] = (content.len() as u16).to_be_bytes();
        [&[kind, 0x82, high, low], &content[..]].concat()
    }

    fn sample() -> Vec<u8> {
        let attribute = |kind: &[u8], text: &str| {
            wrap(0x31, &[&wrap(SEQUENCE, &[&wrap(6, &[kind]), &wrap(0x0c, &[text.as_bytes()])])])
        };
        let issuer = wrap(SEQUENCE, &[&attribute(ORGANIZATION, "Some CA")]);
        let subject = wrap(SEQUENCE, &[&attribute(ORGANIZATION, "Some Org"), &attribute(COMMON_NAME, "chat.example")]);
        let validity = wrap(SEQUENCE, &[&wrap(UTC_TIME, &[b"260102030405Z"]), &wrap(0x18, &[b"20510102030405Z"])]);
        let names = wrap(
            SEQUENCE,
            &[&wrap(DNS, &[b"*.example"]), &wrap(0x81, &[b"a@example"]), &wrap(ADDRESS, &[&[10, 0, 0, 1]])],
        );
        let extension =
            wrap(SEQUENCE, &[&wrap(6, &[SUBJECT_ALT_NAME]), &wrap(1, &[&[0xff]]), &wrap(OCTETS, &[&names])]);
        let extensions = wrap(EXTENSIONS, &[&wrap(SEQUENCE, &[&extension])]);
        let (version, empty) = (wrap(VERSION, &[&[2, 1, 2]]), wrap(SEQUENCE, &[]));
        let body = [&version[..], &[INTEGER, 1, 7], &empty, &issuer, &validity, &subject, &empty, &extensions];
        wrap(SEQUENCE, &[&wrap(SEQUENCE, &body), &empty, &[3, 1, 0]])
    }

    #[test]
    fn a_certificate_says_whose_it_is_and_until_when() {
        let der = sample();
        let certificate = read(&der).expect("whole").1;
        assert_eq!(certificate.to_string(), "chat.example (2 names), by Some CA, 2026-01-02 to 2051-01-02");
        assert_eq!(
            (&certificate.names[..], certificate.count),
            (&["*.example".to_owned(), "10.0.0.1".to_owned()][..], 2)
        );
        assert_eq!(certificate.not_before.as_deref(), Some("2026-01-02T03:04:05Z"));
        for cut in 0..der.len() {
            assert!(read(&der[..cut]).is_err(), "{cut}");
        }
    }

    /// Its place in the message is another in TLS 1.3.
    #[test]
    fn the_first_of_a_message_is_the_senders() {
        let long = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[1..], bytes].concat();
        let (older, newer) =
            (long(&[long(b"own"), long(b"of the CA")].concat()), long(&[&long(b"own")[..], &[0, 0]].concat()));
        assert_eq!(first(&older).map(|of| of.1), Ok(&b"own"[..]));
        assert_eq!(first(&[&[0][..], &newer].concat()).map(|of| of.1), Ok(&b"own"[..]));
        assert!(first(&[]).is_err() && first(&[0, 0, 0]).is_err());
    }

    #[test]
    fn what_is_no_time_is_none() {
        for bad in ["", "Z", "2601020304Z", "261302030405Z", "260100030405Z", "26010203040\u{e9}Z", "260102030405+0100"]
        {
            assert_eq!(time((UTC_TIME, bad.as_bytes())), None, "{bad}");
        }
        assert_eq!(time((UTC_TIME, b"500102030405Z")).as_deref(), Some("1950-01-02T03:04:05Z"));
    }
}
