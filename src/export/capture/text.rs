//! The facts about a capture as text.

use super::About;
use crate::escape::display_str;
use crate::export::style::{Ink, Style};
use crate::export::time::Clock;
use crate::export::{Out, figures};
use crate::model::{Counters, FileFacts, Format, InterfaceFacts, count, number, size};

/// Rows of one list; how many more there are is told. Records have them all.
const ROWS: usize = 20;

/// Columns of the names before the texts.
const MARGIN: usize = 14;

/// Appends the facts.
pub(in crate::export) fn write(about: &About, clock: &mut Clock, style: Style, out: &mut Out<'_>) {
    let mut page = Page { style, out };
    page.list(&about.facts.files, |page, file| page.file(about, file));
    page.packets(about, clock);
    page.streams(about);
    let names: Vec<_> =
        about.facts.names.iter().map(|(address, names)| format!("{address}  {}", names.join(", "))).collect();
    page.rows("names", &names);
    let comments = about.facts.comments.iter();
    let comments: Vec<_> =
        comments.flat_map(|(packet, texts)| texts.iter().map(move |text| format!("packet {packet}: {text}"))).collect();
    page.rows("comments", &comments);
    if about.facts.left_out > 0 {
        page.line("", Ink::Warning, &format!("{} not kept", count(about.facts.left_out, "more name or comment")));
    }
}

struct Page<'a, 'o> {
    style: Style,
    out: &'a mut Out<'o>,
}

impl Page<'_, '_> {
    /// A name and a text, which may be hostile.
    fn line(&mut self, name: &str, ink: Ink, text: &str) {
        self.style.hang(&format!("{name:<MARGIN$}"), MARGIN, ink, &display_str(text), self.out);
    }

    fn list<T>(&mut self, all: &[T], mut row: impl FnMut(&mut Self, &T)) {
        all.iter().take(ROWS).for_each(|one| row(self, one));
        if let more @ 1.. = all.len().saturating_sub(ROWS) {
            self.line("", Ink::Dim, &format!("and {} more (--json has them)", number(more as u64)));
        }
    }

    fn rows(&mut self, name: &str, rows: &[String]) {
        let mut name = name;
        self.list(rows, |page, text| page.line(std::mem::take(&mut name), Ink::Plain, text));
    }

    fn file(&mut self, about: &About, file: &FileFacts) {
        let name = file.name.as_deref().unwrap_or(&about.name);
        let formats: Vec<_> = file.formats.iter().map(written).collect();
        let told = if formats.is_empty() { String::new() } else { format!(": {}", formats.join(", joined with ")) };
        self.line("file", Ink::Plain, &format!("{name}{told}"));
        let told = [("", &file.application), ("on ", &file.os), ("hardware ", &file.hardware)];
        let writer: Vec<_> = told.iter().filter_map(|(what, told)| Some(format!("{what}{}", told.as_ref()?))).collect();
        if !writer.is_empty() {
            self.line("written by", Ink::Plain, &writer.join(", "));
        }
        self.list(&file.interfaces, |page, interface| page.interface(about, interface));
        if file.more_interfaces > 0 {
            self.line("", Ink::Warning, &format!("{} not kept", count(file.more_interfaces, "more interface")));
        }
        if file.secrets > 0 {
            self.line("key logs", Ink::Plain, &number(file.secrets));
        }
        self.rows("comments", &file.comments);
    }

    fn interface(&mut self, about: &About, interface: &InterfaceFacts) {
        let InterfaceFacts { link, snaplen, resolution, name, description, filter, os, packets, counters } = interface;
        let called = [name.as_deref(), description.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let called = if called.is_empty() { called } else { called + ": " };
        let snaplen = match snaplen {
            0 => String::from("whole packets"),
            snaplen => format!("packets up to {}", count((*snaplen).into(), "byte")),
        };
        let mut told =
            vec![format!("{called}{} (link type {})", about.link(*link), link.0), snaplen, tick(*resolution)];
        told.extend(packets.map(|packets| count(packets, "packet")));
        told.extend(counters.and_then(dropped));
        told.extend(filter.as_ref().map(|filter| format!("filter {filter}")));
        told.extend(os.as_ref().map(|os| format!("on {os}")));
        self.line("interface", Ink::Plain, &told.join(", "));
    }

    fn packets(&mut self, about: &About, clock: &mut Clock) {
        let totals = &about.totals;
        if let Some(span) = figures::span(totals, clock) {
            self.line("time", Ink::Plain, &span);
        }
        self.line("packets", Ink::Plain, &number(totals.packets));
        let traffic = &totals.traffic;
        let cut = match traffic.missing {
            0 => String::new(),
            missing => format!(", {} more were on the wire", size(missing)),
        };
        self.line("bytes", Ink::Plain, &format!("{}{cut}", size(traffic.bytes)));
        if let Some(dropped @ 1..) = about.facts.dropped() {
            self.line("dropped", Ink::Warning, &format!("{} while capturing", count(dropped, "packet")));
        }
        let kinds = [
            (traffic.tcp, "TCP"),
            (traffic.udp, "UDP"),
            (traffic.dtls, "of it DTLS"),
            (traffic.quic, "of it QUIC"),
            (traffic.icmp, "ICMP"),
            (traffic.fragments, "IP fragments"),
            (traffic.other_ip, "other IP"),
            (traffic.arp, "ARP"),
            (traffic.other, "other"),
        ];
        self.line("protocols", Ink::Plain, &counts(&kinds));
        if !totals.encaps.is_empty() {
            self.line("around them", Ink::Plain, &totals.encaps.iter().copied().collect::<Vec<_>>().join(", "));
        }
    }

    fn streams(&mut self, about: &About) {
        let kinds = about.totals.kinds;
        let kinds = [
            (kinds.http, "HTTP/1"),
            (kinds.tls, "TLS"),
            (kinds.http2, "HTTP/2"),
            (kinds.other, "other"),
            (kinds.silent, "without payload"),
            (kinds.left, "left alone"),
        ];
        let kinds = counts(&kinds.map(|(streams, what)| (streams.into(), what)));
        let streams = number(about.totals.streams.into());
        self.line("TCP streams", Ink::Plain, &if kinds.is_empty() { streams } else { format!("{streams}: {kinds}") });
        if let Some(words) = about.tls.words() {
            self.line("TLS", Ink::Plain, &words);
        }
        self.line("WebSocket", Ink::Plain, &count(about.totals.connections.into(), "connection"));
    }
}

/// `pcap, little-endian, in gzip`.
fn written(format: &Format) -> String {
    let packed = format.packed.map_or_else(String::new, |packed| format!(", in {packed}"));
    format!("{}, {}{packed}", format.name, format.byte_order)
}

/// `TCP 1 200, UDP 7`.
fn counts(counts: &[(u64, &str)]) -> String {
    let told = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{what} {}", number(*n)));
    told.collect::<Vec<_>>().join(", ")
}

/// What was dropped, where that was counted.
fn dropped(counters: Counters) -> Option<String> {
    let by = [(counters.dropped, "dropped"), (counters.os_dropped, "dropped by the system")];
    let told: Vec<_> = by.iter().filter_map(|(n, what)| Some(format!("{} {what}", number((*n)?)))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// How fine its clock is: `clock in µs`.
fn tick(resolution: u8) -> String {
    match resolution {
        0 => String::from("clock in s"),
        3 => String::from("clock in ms"),
        6 => String::from("clock in µs"),
        9 => String::from("clock in ns"),
        decimal @ ..0x80 => format!("clock in 10^-{decimal} s"),
        binary => format!("clock in 2^-{} s", binary & 0x7f),
    }
}
