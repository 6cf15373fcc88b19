//! Names that are no field here: fields of Wireshark that are not told, and slips.

use super::fields::Field;
use super::parse::{FUNCTIONS, Problem};
use crate::model::nearest;
use std::ops::Range;

/// Protocols of its fields.
const FAMILIES: &[&str] = &[
    "_ws",
    "amqp",
    "arp",
    "bson",
    "cbor",
    "cdp",
    "coap",
    "data",
    "dcerpc",
    "dhcp",
    "dns",
    "dtls",
    "eth",
    "expert",
    "frame",
    "ftp",
    "geneve",
    "gre",
    "gtp",
    "http",
    "http2",
    "http3",
    "icmp",
    "ieee8021ad",
    "imap",
    "ip",
    "ipsec",
    "ipv6",
    "json",
    "kafka",
    "ldap",
    "mdns",
    "mpls",
    "mqtt",
    "msgpack",
    "mysql",
    "nats",
    "ntp",
    "pgsql",
    "pop",
    "ppp",
    "pppoes",
    "protobuf",
    "quic",
    "radiotap",
    "rtcp",
    "rtp",
    "sctp",
    "sip",
    "sll",
    "smb2",
    "smtp",
    "socks",
    "ssh",
    "ssl",
    "stomp",
    "tcp",
    "telnet",
    "tls",
    "udp",
    "vlan",
    "vxlan",
    "websocket",
    "wlan",
    "x509",
    "xml",
];

/// Single names.
const NAMES: &[&str] = &[
    "eth.type",
    "frame.cap_len",
    "frame.comment",
    "frame.encap_type",
    "frame.interface_id",
    "frame.len",
    "frame.md5_hash",
    "frame.offset_shift",
    "frame.protocols",
    "frame.time_delta",
    "frame.time_delta_displayed",
    "http.accept",
    "http.accept_encoding",
    "http.chat",
    "http.content_encoding",
    "http.content_length",
    "http.content_length_header",
    "http.cookie_pair",
    "http.date",
    "http.file_data",
    "http.next_request_in",
    "http.next_response_in",
    "http.prev_request_in",
    "http.prev_response_in",
    "http.request.line",
    "http.request.uri.query.parameter",
    "http.request_in",
    "http.request_number",
    "http.response.line",
    "http.response_for.uri",
    "http.response_in",
    "http.response_number",
    "http.time",
    "ip.checksum",
    "ip.dsfield",
    "ip.flags",
    "ip.frag_offset",
    "ip.hdr_len",
    "ip.host",
    "ip.id",
    "ip.len",
    "ip.proto",
    "ip.ttl",
    "ip.version",
    "ipv6.flow",
    "ipv6.hlim",
    "ipv6.host",
    "ipv6.nxt",
    "ipv6.plen",
    "json.array",
    "json.key",
    "json.member",
    "json.object",
    "json.path",
    "json.path_with_value",
    "json.value.false",
    "json.value.nan",
    "json.value.null",
    "json.value.number",
    "json.value.string",
    "json.value.true",
    "tcp.ack",
    "tcp.ack_raw",
    "tcp.checksum",
    "tcp.completeness",
    "tcp.hdr_len",
    "tcp.len",
    "tcp.nxtseq",
    "tcp.payload",
    "tcp.reassembled.length",
    "tcp.segment",
    "tcp.segment_data",
    "tcp.segments",
    "tcp.seq",
    "tcp.seq_raw",
    "tcp.time_delta",
    "tcp.time_relative",
    "tcp.urgent_pointer",
    "tcp.window_size",
    "tcp.window_size_value",
    "tls.app_data",
    "vlan.dei",
    "vlan.etype",
    "vlan.priority",
    "websocket.masked_payload",
    "websocket.reassembled.length",
];

/// Functions of Wireshark that are none here.
const FUNCTIONS_ELSEWHERE: &[&str] =
    &["abs", "dec", "double", "float", "hex", "max", "min", "string", "vals", "values"];

/// What is said of a name that is no field.
pub(super) fn unknown(name: &str, span: Range<usize>) -> Problem {
    if FUNCTIONS_ELSEWHERE.contains(&name) {
        return Problem::new(format!("`{name}` is a function of Wireshark that is not available here"), span);
    }
    let is_typo = nearest(name, Field::names()).is_some_and(|meant| {
        let family = |name: &str| name.split_once('.').map(|(family, _)| family.to_owned());
        family(meant).is_some() && family(meant) == family(name)
    });
    if is_named(name) || in_family(name) && !is_typo {
        let text = if is_named(name) {
            format!("`{name}` is a field of Wireshark that is not available here")
        } else {
            format!("`{name}` may be a field of Wireshark: it is not available here")
        };
        let key = name.strip_prefix("json.").map(|rest| {
            let (key, more) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
            format!("a key of that name is quoted: json.\"{key}\"{more}")
        });
        return Problem { hint: key, ..Problem::new(text, span) };
    }
    let meant = nearest(name, Field::names().chain(FUNCTIONS));
    let hint = meant.map(|meant| format!("did you mean `{meant}`?"));
    Problem { hint, ..Problem::new(format!("unknown field `{name}`"), span) }
}

/// Whether Wireshark has a field of exactly that name.
pub(super) fn is_named(name: &str) -> bool {
    NAMES.contains(&name) || FAMILIES.contains(&name)
}

/// Whether Wireshark may have the field: it has others of its protocol.
fn in_family(name: &str) -> bool {
    let begins = |family: &str| name.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'));
    FAMILIES.iter().any(|family| begins(family))
}
