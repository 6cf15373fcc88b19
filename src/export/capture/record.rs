//! The facts about a capture as a record.

use super::About;
use crate::export::json::{self, lit};
use crate::model::{FileFacts, Format, InterfaceFacts};
use std::io::Write as _;

/// Appends everything between `file_packet` and the record's end, but its times.
pub(in crate::export) fn write(about: &About, row: &mut Vec<u8>) {
    let About { totals, facts, tls, .. } = about;
    let traffic = &totals.traffic;
    lit!(row, r#","files":"#);
    json::list(row, &facts.files, |row, each| file(about, each, row));
    ints(
        row,
        &[("packets", totals.packets), ("bytes", traffic.bytes), ("wire_bytes", traffic.bytes + traffic.missing)],
    );
    lit!(row, r#","dropped":"#);
    json::opt_int(row, facts.dropped());
    lit!(row, r#","protocols":{"tcp":"#);
    json::int(row, traffic.tcp);
    ints(
        row,
        &[
            ("udp", traffic.udp),
            ("dtls", traffic.dtls),
            ("quic", traffic.quic),
            ("icmp", traffic.icmp),
            ("ip_fragments", traffic.fragments),
            ("other_ip", traffic.other_ip),
            ("arp", traffic.arp),
            ("other", traffic.other),
        ],
    );
    lit!(row, r#"},"encapsulations":"#);
    json::list(row, &totals.encaps, |row, kind| json::name(row, kind));
    lit!(row, r#","tcp_streams":"#);
    json::int(row, totals.streams);
    lit!(row, r#","streams":{"http":"#);
    let kinds = totals.kinds;
    json::int(row, kinds.http);
    let counts = [
        ("tls", kinds.tls),
        ("http2", kinds.http2),
        ("other", kinds.other),
        ("silent", kinds.silent),
        ("left", kinds.left),
    ];
    ints(row, &counts.map(|(name, streams)| (name, streams.into())));
    lit!(row, r#"},"tls":{"streams":"#);
    json::int(row, tls.streams);
    ints(row, &[("decrypted", tls.decrypted)]);
    lit!(row, r#"},"connections":"#);
    json::int(row, totals.connections);
    lit!(row, r#","names":"#);
    json::list(row, &facts.names, |row, (address, names)| {
        let _ = write!(row, r#"{{"address":"{address}","names":"#);
        json::list(row, names, |row, name| json::string(row, name));
        row.push(b'}');
    });
    ints(row, &[("left_out", facts.left_out)]);
    lit!(row, r#","comments":"#);
    let comments = facts.comments.iter().flat_map(|(packet, texts)| texts.iter().map(move |text| (packet, text)));
    json::list(row, comments, |row, (packet, text)| {
        let _ = write!(row, r#"{{"packet":{packet},"text":"#);
        json::string(row, text);
        row.push(b'}');
    });
}

fn file(about: &About, file: &FileFacts, row: &mut Vec<u8>) {
    lit!(row, r#"{"name":"#);
    json::string(row, file.name.as_deref().unwrap_or(&about.name));
    let (format, joined) = file.formats.split_first().unzip();
    strings(row, &written(format));
    lit!(row, r#","joined":"#);
    json::list(row, joined.unwrap_or_default(), |row, each| {
        let from = row.len();
        strings(row, &written(Some(each)));
        row.splice(from..=from, *b"{");
        row.push(b'}');
    });
    strings(
        row,
        &[
            ("application", file.application.as_deref()),
            ("os", file.os.as_deref()),
            ("hardware", file.hardware.as_deref()),
        ],
    );
    lit!(row, r#","interfaces":"#);
    json::list(row, &file.interfaces, |row, each| interface(about, each, row));
    ints(row, &[("more_interfaces", file.more_interfaces), ("key_logs", file.secrets)]);
    lit!(row, r#","comments":"#);
    json::list(row, &file.comments, |row, text| json::string(row, text));
    row.push(b'}');
}

fn written(format: Option<&Format>) -> [(&'static str, Option<&'static str>); 3] {
    [
        ("format", format.map(|format| format.name)),
        ("byte_order", format.map(|format| format.byte_order)),
        ("compression", format.and_then(|format| format.packed)),
    ]
}

fn interface(about: &About, interface: &InterfaceFacts, row: &mut Vec<u8>) {
    let InterfaceFacts { link, snaplen, resolution, name, description, filter, os, packets, counters } = interface;
    lit!(row, r#"{"link_type":"#);
    json::int(row, link.0);
    strings(
        row,
        &[
            ("link", Some(&about.link(*link))),
            ("name", name.as_deref()),
            ("description", description.as_deref()),
            ("filter", filter.as_deref()),
            ("os", os.as_deref()),
        ],
    );
    ints(row, &[("snaplen", (*snaplen).into()), ("tsresol", (*resolution).into())]);
    let counters = counters.unwrap_or_default();
    let counts = [
        ("packets", *packets),
        ("received", counters.received),
        ("dropped", counters.dropped),
        ("accepted", counters.accepted),
        ("os_dropped", counters.os_dropped),
        ("delivered", counters.delivered),
    ];
    for (name, count) in counts {
        let _ = write!(row, r#","{name}":"#);
        json::opt_int(row, count);
    }
    row.push(b'}');
}

/// Appends fields behind others.
fn ints(row: &mut Vec<u8>, fields: &[(&str, u64)]) {
    for (name, value) in fields {
        let _ = write!(row, r#","{name}":{value}"#);
    }
}

fn strings(row: &mut Vec<u8>, fields: &[(&str, Option<&str>)]) {
    for (name, value) in fields {
        let _ = write!(row, r#","{name}":"#);
        json::opt_string(row, *value);
    }
}
