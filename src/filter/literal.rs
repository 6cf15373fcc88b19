//! What stands beside a field in a filter, read as the field's kind.

use super::lex::{Token, quote};
use super::parse::Problem;
use super::value::{Kind, Value};
use crate::model::{Ip, NOTES, Timestamp, nearest};
use std::net::IpAddr;
use std::ops::Range;

/// A value that a filter names.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Flag(bool),
    Int(i128),
    Float(f64),
    Text(String),
    /// A word, and its place among those of its field.
    Word(usize, &'static str),
    Bytes(Vec<u8>),
    /// An address, and how many of its bits count.
    Address(Ip, u32),
    Time(Timestamp),
    Duration(i64),
    Null,
}

impl Literal {
    /// As a value of a field; of a network its address.
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Text(text) => Value::Text(text),
            Self::Word(place, word) => Value::Word(*place, word),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Address(ip, _) => Value::Address(*ip),
            Self::Time(time) => Value::Time(*time),
            Self::Duration(nanos) => Value::Duration(*nanos),
            Self::Null => Value::Null,
        }
    }

    /// Whether it is a network, with more than one address in it.
    pub(super) const fn is_network(&self) -> bool {
        matches!(self, Self::Address(ip, bits) if *bits < if ip.is_v6() { 128 } else { 32 })
    }

    /// Whether the value is this one, or lies in this network.
    pub(super) fn is(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Address(net, bits), Value::Address(ip)) => {
                let bits_of = |ip: Ip| u128::from(ip.words()[0]) << 64 | u128::from(ip.words()[1]);
                let host = if net.is_v6() { 128 } else { 32 } - bits;
                let differ = bits_of(*net) ^ bits_of(ip);
                net.is_v6() == ip.is_v6() && differ.checked_shr(host).unwrap_or(0) == 0
            }
            _ => value.order(self.value()).is_some_and(std::cmp::Ordering::is_eq),
        }
    }
}

/// Reads a token as a value of that kind.
pub(super) fn read(kind: Kind, token: &Token, span: &Range<usize>) -> Result<Literal, Problem> {
    let wrong = |what: &str| Problem::new(what.to_owned(), span.clone());
    let (text, is_quoted) = match token {
        Token::Word(word) => (word.as_str(), false),
        Token::Text(bytes) if kind == Kind::Bytes => return Ok(Literal::Bytes(bytes.clone())),
        Token::Text(text) => (std::str::from_utf8(text).map_err(|_| wrong("these bytes are no text"))?, true),
        _ => return Err(wrong("a value is wanted here")),
    };
    match kind {
        Kind::Presence => Err(wrong("this is there or not: it has no value to compare")),
        Kind::Flag => flag(text).map(Literal::Flag).ok_or_else(|| wrong("true or false is wanted")),
        Kind::Number => number(text)
            .map(Literal::Int)
            .ok_or_else(|| wrong("a number is wanted, as 12, 0x1f, 017 (octal), 4kB or 16M")),
        Kind::Text => Ok(Literal::Text(text.to_owned())),
        Kind::Bytes => {
            bytes(text).map(Literal::Bytes).ok_or_else(|| wrong("bytes are wanted, as 0a:ff:00, or a text in quotes"))
        }
        Kind::Address => address(text).ok_or_else(|| wrong("an address is wanted, as 10.0.0.1, 10.0.0.0/8 or fe80::1")),
        Kind::Time => time(text).map(Literal::Time).ok_or_else(|| {
            wrong("a time is wanted, as 2023-11-14T22:13:20Z, \"2023-11-14 22:13:20\" (local) or 1700000000.5")
        }),
        Kind::Duration => {
            duration(text).map(Literal::Duration).ok_or_else(|| wrong("a duration is wanted, as 200ms, 1.5s or 2m"))
        }
        Kind::Word(words) => word(text, words.iter().copied(), span),
        Kind::Code => word(text, NOTES.iter().map(|row| row.name), span),
        Kind::Json if is_quoted => Ok(Literal::Text(text.to_owned())),
        Kind::Json => json(text).map_err(|what| {
            let hint = Some(format!("a text stands in quotes: {}", quote(text)));
            Problem { hint, ..wrong(what) }
        }),
    }
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        // As in Wireshark and C.
        other => number(other).map(|number| number != 0),
    }
}

/// `12`, `0x1f`, `017`, `0b1010`, `4kB` in powers of 1000, `16M` and `16MiB` in powers of 1024.
fn number(text: &str) -> Option<i128> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i128::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = text.strip_prefix("0b").filter(|digits| digits.bytes().all(|byte| b"01".contains(&byte))) {
        return i128::from_str_radix(digits, 2).ok();
    }
    // As in Wireshark and C.
    if let Some(digits) =
        text.strip_prefix('0').filter(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return i128::from_str_radix(digits, 8).ok();
    }
    let (digits, unit) = split_unit(text);
    let unit: i128 = match unit {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "k" | "K" | "KiB" => 1 << 10,
        "m" | "M" | "MiB" => 1 << 20,
        "g" | "G" | "GiB" => 1 << 30,
        _ => return None,
    };
    scaled(digits, unit)
}

/// Nanoseconds of `200ms`; a bare number counts seconds, as in Wireshark.
fn duration(text: &str) -> Option<i64> {
    let (digits, unit) = split_unit(text);
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "" | "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    scaled(digits, unit)?.try_into().ok()
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.').map_or(0, |at| at + 1);
    text.split_at(end)
}

/// Digits, perhaps with a fraction, times a unit; what is smaller than one is cut off.
fn scaled(digits: &str, unit: i128) -> Option<i128> {
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || unit == 1 && !fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let all = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !all(whole) || !all(fraction) {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let parts = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let sum = whole.checked_mul(unit)?.checked_add(part.checked_mul(unit)? / parts)?;
    Some(if negative { -sum } else { sum })
}

/// `0a:ff:00`, also with dashes or dots between; `0a`, `0x0aff`.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| digits.is_ascii() && digits.len() % 2 == 0) {
        let pairs =
            digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        return pairs.collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty());
    }
    // Cisco's way: 0001.02a3.04ff.
    let is_by_two = text.contains('.') && text.split('.').all(|part| part.len() == 4 && part.is_ascii());
    let digits: String;
    let text = if is_by_two {
        let pairs = text.split('.').flat_map(|part| [part.get(..2), part.get(2..)]).flatten();
        digits = pairs.collect::<Vec<_>>().join(":");
        &digits
    } else {
        text
    };
    let parts = text.split([':', '-', '.']);
    let bytes: Option<Vec<u8>> =
        parts.map(|part| (part.len() == 2).then(|| u8::from_str_radix(part, 16).ok()).flatten()).collect();
    bytes
}

fn address(text: &str) -> Option<Literal> {
    let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
    let ip = Ip::from(ip.parse::<IpAddr>().ok()?);
    let most = if ip.is_v6() { 128 } else { 32 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some(Literal::Address(ip, bits))
}

/// RFC 3339, the same without a zone as local time, as Wireshark shows it (`Nov 14, 2023 22:13:20.5`), or seconds since 1970-01-01 UTC.
pub fn time(text: &str) -> Option<Timestamp> {
    let nanos = |instant: jiff::Timestamp| i64::try_from(instant.as_nanosecond()).ok().map(Timestamp::from_nanos);
    if let Some(epoch) = scaled(text, 1_000_000_000) {
        return i64::try_from(epoch).ok().map(Timestamp::from_nanos);
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return nanos(instant);
    }
    let wireshark = |text: &str| jiff::civil::DateTime::strptime("%b %d, %Y %H:%M:%S%.f", text);
    let local = text.parse::<jiff::civil::DateTime>().or_else(|_| wireshark(text)).ok()?;
    nanos(local.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp())
}

fn word(
    text: &str,
    words: impl Iterator<Item = &'static str> + Clone,
    span: &Range<usize>,
) -> Result<Literal, Problem> {
    let found = words.clone().enumerate().find(|(_, word)| word.eq_ignore_ascii_case(text));
    if let Some((place, word)) = found {
        return Ok(Literal::Word(place, word));
    }
    let meant = nearest(text, words.clone()).map(|word| format!("did you mean `{word}`?"));
    let few: Vec<&str> = words.take(17).collect();
    let hint = meant.or_else(|| (few.len() < 17).then(|| format!("one of {}", few.join(" "))));
    Err(Problem { hint, ..Problem::new(format!("no such word here: `{text}`"), span.clone()) })
}

/// A word beside what a JSON text has: `true`, `false`, `null`, a number as [`number`] reads it or as JSON writes it, or
/// else a text, unless it looks like a number.
fn json(text: &str) -> Result<Literal, &'static str> {
    match text {
        "true" => return Ok(Literal::Flag(true)),
        "false" => return Ok(Literal::Flag(false)),
        "null" => return Ok(Literal::Null),
        _ if !text.trim_start_matches(['-', '+', '.']).starts_with(|c: char| c.is_ascii_digit()) => {
            return Ok(Literal::Text(text.to_owned()));
        }
        _ => {}
    }
    // Nobody knows what a number in a payload counts, and `5m` may be minutes.
    if text.ends_with(char::is_alphabetic) && duration(text).is_some() {
        return Err("a number in JSON has no unit of time: write how many it counts");
    }
    if let Some(number) = number(text) {
        return Ok(Literal::Int(number));
    }
    // A zero in front would be octal.
    let is_octal = text.strip_prefix('0').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let float = text.parse().ok().filter(|_| !is_octal);
    float.map(Literal::Float).ok_or("a number is wanted, as 12, 0.5, 1e6, 0x1f or 64k")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_have_units() {
        assert_eq!(
            ["12", "0x1f", "4kB", "4k", "1.5MB", "16MiB", "-3"].map(number),
            [12, 31, 4000, 4096, 1_500_000, 16 << 20, -3].map(Some)
        );
        assert_eq!(["", "x", "1.5", "4q", "kB", "1..2"].map(number), [None; 6]);
        assert_eq!(
            ["200ms", "1.5", "2m", "7ns", ".5s"].map(duration),
            [200_000_000, 1_500_000_000, 120_000_000_000, 7, 500_000_000].map(Some)
        );
        assert_eq!(["1x", "s", "99999999999999999999h"].map(duration), [None; 3]);
    }

    #[test]
    fn numbers_beside_json_are_never_text() {
        for (text, read) in [
            ("64k", Literal::Int(65_536)),
            ("1.5MB", Literal::Int(1_500_000)),
            ("0x1f", Literal::Int(31)),
            ("017", Literal::Int(15)),
            ("-3", Literal::Int(-3)),
            ("0.25", Literal::Float(0.25)),
            ("-.5", Literal::Float(-0.5)),
            ("1e5", Literal::Float(1e5)),
            ("nan", Literal::Text("nan".to_owned())),
            ("-x", Literal::Text("-x".to_owned())),
        ] {
            assert_eq!(json(text), Ok(read), "{text}");
        }
        for text in ["200ms", "5m", "1.5s", "10.0.0.1", "2023-11-14", "3f9a", "09", "09.5", "0xg", "4q", "1e", "+1x"] {
            assert!(json(text).is_err(), "{text}: {:?}", json(text));
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        let ip = |text: &str| Value::Address(Ip::from(text.parse::<IpAddr>().unwrap()));
        let net = address("10.1.0.0/16").unwrap();
        assert!(net.is(ip("10.1.255.3")) && !net.is(ip("10.2.0.0")) && !net.is(ip("::1")) && net.is_network());
        assert!(address("::/0").unwrap().is(ip("fe80::1")) && !address("::/0").unwrap().is(ip("1.2.3.4")));
        assert!(!address("10.1.0.0").unwrap().is_network());
        assert_eq!([address("10.1.0.0/33"), address("x"), address("1.2.3.4/")], [None, None, None]);
    }

    #[test]
    fn times_are_read() {
        let nanos = |text| time(text).map(Timestamp::nanos);
        assert_eq!(nanos("2023-11-14T22:13:20.5Z"), Some(1_700_000_000_500_000_000));
        assert_eq!(nanos("1700000000.5"), Some(1_700_000_000_500_000_000));
        assert_eq!(nanos("2023-11-14T23:13:20+01:00"), Some(1_700_000_000_000_000_000));
        assert_eq!(nanos("yesterday"), None);
    }

    #[test]
    fn bytes_have_signs_between_them() {
        assert_eq!(bytes("0a:ff"), Some(vec![10, 255]));
        assert_eq!([bytes("0a"), bytes("0x0aff")], [Some(vec![10]), Some(vec![10, 255])]);
        assert_eq!([bytes("0aff"), bytes("0:1"), bytes("zz:00"), bytes("0x"), bytes("0x1")], [const { None }; 5]);
    }
}
