//! What users say of streams, sizes and findings, in their own notation.

use crate::decode::Decoder;
use crate::export::RECORD_KINDS;
use crate::filter::{self, Field};
use crate::model::{NOTES, Protocol, Rule, Select, Severity, Timestamp};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use std::ffi::OsStr;
use std::str::FromStr;

/// What `--decode-as` says.
#[derive(Debug, Clone)]
pub(super) enum DecodeRule {
    /// Of streams, what they carry.
    Stream(Rule),
    /// Of the connections that pass a filter, what is said in them: the name of a decoder, and of a type behind it.
    Speaks(String, String),
}

/// `tcp.port==9000,websocket` (as tshark's `-d`), `conn==3,mqtt`. `theirs`: the decoders of the configuration; `None` while that is
/// not read, and any name may be one.
pub(super) fn rule(text: &str, theirs: Option<&[&str]>) -> Result<DecodeRule, String> {
    let (selector, protocol) =
        text.rsplit_once(',').ok_or("SELECTOR,PROTOCOL is wanted, as tcp.port==9000,websocket")?;
    let protocol = match protocol.trim().to_ascii_lowercase().as_str() {
        "websocket" | "ws" => Protocol::WebSocket,
        "none" => Protocol::None,
        other => return speaks(selector, other, filter::with_type(protocol.trim()).1, theirs),
    };
    Ok(DecodeRule::Stream(Rule { select: select(selector)?, protocol }))
}

/// `message`: the type of its messages that stands behind the protocol, of which case matters.
fn speaks(
    selector: &str,
    protocol: &str,
    message: Option<&str>,
    theirs: Option<&[&str]>,
) -> Result<DecodeRule, String> {
    let (protocol, _) = filter::with_type(protocol);
    if let Some(theirs) = theirs.filter(|theirs| Decoder::find(protocol).is_none() && !theirs.contains(&protocol)) {
        return Err(filter::no_decoder(protocol, theirs));
    }
    filter::of_connections(selector)?;
    let protocol = message.map_or_else(|| protocol.to_owned(), |message| format!("{protocol}:{message}"));
    Ok(DecodeRule::Speaks(selector.to_owned(), protocol))
}

fn select(text: &str) -> Result<Select, String> {
    let (field, value) = text.split_once("==").ok_or("a selector is FIELD==VALUE, as tcp.port==9000")?;
    let (field, value) = (field.trim(), value.trim());
    let wrong = || format!("{value}: not a value of {field}");
    match field {
        "tcp.port" => {
            let (first, last) = value.split_once('-').unwrap_or((value, value));
            match (first.trim().parse(), last.trim().parse()) {
                (Ok(first), Ok(last)) if first <= last => Ok(Select::Port(first..=last)),
                _ => Err(wrong()),
            }
        }
        "tcp.stream" => value.parse().map(Select::Stream).map_err(|_| wrong()),
        "ip.addr" | "ipv6.addr" => value.parse().map(Select::Address).map_err(|_| wrong()),
        _ => Err(format!("unknown selector {field}: tcp.port, tcp.stream or ip.addr")),
    }
}

/// Any word, while these are proposed when a shell completes it: who reads the word says what is wrong with it.
#[derive(Clone)]
pub(super) struct Proposed(pub fn() -> Vec<&'static str>);

impl TypedValueParser for Proposed {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0().into_iter().map(PossibleValue::new)))
    }
}

/// The codes of findings.
pub(super) fn codes() -> Vec<&'static str> {
    NOTES.iter().map(|row| row.name).collect()
}

/// The fields of filters and columns.
pub(super) fn fields() -> Vec<&'static str> {
    Field::names().collect()
}

/// The kinds of records.
pub(super) fn kinds() -> Vec<&'static str> {
    RECORD_KINDS.iter().map(|kind| kind.name).collect()
}

/// The severities of findings.
pub(super) fn severities() -> Vec<&'static str> {
    SEVERITIES.map(Severity::name).to_vec()
}

const SEVERITIES: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Error];

/// `note`, `warning`, `error`.
pub(super) fn severity(word: &str) -> Result<Severity, &'static str> {
    SEVERITIES.into_iter().find(|severity| severity.name() == word).ok_or("one of note warning error")
}

/// An instant, as filters take it.
pub(super) fn time(text: &str) -> Result<Timestamp, &'static str> {
    filter::time(text).ok_or("a time is wanted, as 2023-11-14T22:13:20Z")
}

/// A number, of rows, packets or connections.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a number is wanted, as 12")
}

/// Bytes: `5000000`, `64k`, `100M`, `2G`; the letters are powers of 1024.
pub(super) fn size(text: &str) -> Result<u64, &'static str> {
    let (digits, unit) = match text.trim().strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']) {
        Some(digits) => (digits, text.trim().chars().last().map(|c| c.to_ascii_lowercase())),
        None => (text.trim(), None),
    };
    let shift = match unit {
        Some('k') => 10,
        Some('m') => 20,
        Some('g') => 30,
        _ => 0,
    };
    let number: u64 = digits.parse().map_err(|_| "a number of bytes is wanted, as 5000000 or 100M")?;
    number.checked_mul(1 << shift).ok_or("too many bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rules_as_tshark_writes_them() {
        let port = |first, last, protocol| Ok(Rule { select: Select::Port(first..=last), protocol });
        let of = |text| match rule(text, Some(&[]))? {
            DecodeRule::Stream(rule) => Ok(rule),
            DecodeRule::Speaks(connections, _) => Err(connections),
        };
        assert_eq!(of("tcp.port==9000,websocket"), port(9000, 9000, Protocol::WebSocket));
        assert_eq!(of("tcp.port == 9000-9010 , none"), port(9000, 9010, Protocol::None));
        let stream = Rule { select: Select::Stream(3), protocol: Protocol::WebSocket };
        assert_eq!(of("tcp.stream==3,WebSocket"), Ok(stream));
        let address = Rule { select: Select::Address("::1".parse().unwrap()), protocol: Protocol::None };
        assert_eq!(of("ip.addr==::1,none"), Ok(address));
        for wrong in
            ["", "websocket", "tcp.port==9000,http", "tcp.port==70000,none", "tcp.port==9-8,none", "udp.port==1,none"]
        {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_what_connections_speak() {
        let speaks = |text| match rule(text, Some(&["acme"])) {
            Ok(DecodeRule::Speaks(connections, decoder)) => format!("{connections} speak {decoder}"),
            Ok(DecodeRule::Stream(_)) => "a stream".to_owned(),
            Err(why) => why,
        };
        assert_eq!(speaks("conn==3,json"), "conn==3 speak json");
        assert_eq!(speaks("conn==3,Acme"), "conn==3 speak acme");
        assert_eq!(speaks("conn==3, Protobuf:chat.Envelope"), "conn==3 speak protobuf:chat.Envelope");
        assert!(rule("conn==3,none-such", None).is_ok() && rule("conn==3,none-such", Some(&[])).is_err());
        assert_eq!(
            speaks("host == \"a,b\" && tcp.port==80, Socket.IO"),
            "host == \"a,b\" && tcp.port==80 speak socket.io"
        );
        for (wrong, why) in [
            ("conn==3,jsn", "did you mean json?"),
            ("conn==3,json:chat.Envelope", "unknown protocol json:chat.envelope"),
            ("cnn==3,json", "unknown field `cnn`"),
            ("json.a==1,json", "field of messages"),
            ("wspect.state==closed,json", "too late"),
        ] {
            assert!(speaks(wrong).contains(why), "{}", speaks(wrong));
        }
    }

    #[test]
    fn reads_numbers() {
        assert_eq!((number("0"), number("12")), (Ok(0), Ok(12)));
        assert!(["", "-1", "many", "4294967296"].iter().all(|wrong| number::<u32>(wrong).is_err()));
    }

    #[test]
    fn reads_sizes() {
        assert_eq!(size("5000000"), Ok(5_000_000));
        assert_eq!((size("64k"), size("100M"), size("2G")), (Ok(65536), Ok(100 << 20), Ok(2 << 30)));
        assert!(["", "k", "1T", "-1", "99999999999G"].iter().all(|wrong| size(wrong).is_err()));
    }
}
