//! What a section tells beside its packets: its writer, interfaces, counters, names and comments.

use super::{INTERFACE_HEAD, PcapNg, SECTION_HEAD};
use crate::capture::Aside;
use crate::model::{Counters, Fact, Interface, KeySource, PacketNo, Writer};
use pcap_parser::OptionCode;
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

type Tell<'t> = &'t mut dyn FnMut(Aside<'_>);

impl PcapNg {
    /// A section begins (§4.1). Some tools put a key log into its comments.
    ///
    /// ```text
    /// byte order u32, version u16 u16, length u64, options
    /// ```
    pub(super) fn tell_section(&self, body: &[u8], aside: Tell<'_>) {
        let mut writer = Writer::default();
        for (code, text) in self.texts(body.get(SECTION_HEAD..)) {
            match code {
                OptionCode::ShbHardware => writer.hardware = Some(text),
                OptionCode::ShbOs => writer.os = Some(text),
                OptionCode::ShbUserAppl => writer.application = Some(text),
                OptionCode::Comment => aside(Aside::Keys(KeySource::Comment, text)),
                _ => {}
            }
        }
        aside(Aside::fact(Fact::Writer(writer)));
        self.tell_comments(None, body.get(SECTION_HEAD..), aside);
    }

    /// An interface of the section (§4.2); returns its name.
    pub(super) fn tell_interface(&self, body: &[u8], aside: Tell<'_>) -> Option<Arc<str>> {
        let described = self.interfaces.last()?;
        let mut interface = Interface::new(described.link, described.snaplen, described.clock.resolution);
        let options = body.get(INTERFACE_HEAD - 8..);
        for (code, text) in self.texts(options) {
            match code {
                OptionCode::IfName => interface.name = Some(text),
                OptionCode::IfDescription => interface.description = Some(text),
                // The first byte tells what follows: a text, or a program for a BPF machine.
                OptionCode::IfFilter => interface.filter = text.strip_prefix(b"\0"),
                OptionCode::IfOs => interface.os = Some(text),
                _ => {}
            }
        }
        aside(Aside::fact(Fact::Interface(interface)));
        self.tell_comments(None, options, aside);
        let name = interface.name.or(interface.description)?;
        Some(String::from_utf8_lossy(name.get(..name.len().min(MAX_NAME)).unwrap_or_default()).into())
    }

    /// What an interface counted (§4.6).
    ///
    /// ```text
    /// interface u32, ticks u64, options
    /// ```
    pub(super) fn tell_counters(&self, body: &[u8], aside: Tell<'_>) {
        let Some(interface) = self.order.u32(body, 0) else { return };
        let mut counters = Counters::default();
        for (code, value) in self.texts(body.get(12..)) {
            let count = self.order.i64(value, 0).map(i64::cast_unsigned);
            match code {
                OptionCode::IsbIfRecv => counters.received = count,
                OptionCode::IsbIfDrop => counters.dropped = count,
                OptionCode::IsbFilterAccept => counters.accepted = count,
                OptionCode::IsbOsDrop => counters.os_dropped = count,
                OptionCode::IsbUsrDeliv => counters.delivered = count,
                _ => {}
            }
        }
        aside(Aside::fact(Fact::Counters(interface, counters)));
    }

    /// Names of addresses (§4.5). A record may have several names for its address, each ended by a zero.
    ///
    /// ```text
    /// record: type u16, length u16, address, names, padding to 4 bytes
    /// ```
    pub(super) fn tell_names(&self, mut body: &[u8], aside: Tell<'_>) {
        while let (Some(kind @ 1..), Some(len)) = (self.order.u16(body, 0), self.order.u16(body, 2)) {
            let len = usize::from(len);
            let record = body.get(4..4 + len).unwrap_or_default();
            let address = match kind {
                1 => record.split_first_chunk().map(|(&ip, names)| (Ipv4Addr::from(ip).into(), names)),
                2 => record.split_first_chunk().map(|(&ip, names)| (Ipv6Addr::from(ip).into(), names)),
                _ => None,
            };
            if let Some((ip, names)) = address {
                names
                    .split(|&byte| byte == 0)
                    .filter(|name| !name.is_empty())
                    .for_each(|name| aside(Aside::fact(Fact::Name(ip, name))));
            }
            body = body.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    /// Comments among the options in a part of a block (§3.5); `packet`: of the packet that is lent next.
    pub(super) fn tell_comments(&self, packet: Option<PacketNo>, part: Option<&[u8]>, aside: Tell<'_>) {
        for (_, text) in self.texts(part).filter(|(code, _)| *code == OptionCode::Comment) {
            aside(Aside::fact(Fact::Comment(packet, text)));
        }
    }

    /// How many packets each interface of the section has, when it ends.
    pub(in crate::capture) fn tell_packets(&self, aside: Tell<'_>) {
        for (number, interface) in (0..).zip(&self.interfaces).filter(|(_, interface)| interface.packets > 0) {
            aside(Aside::fact(Fact::Packets(number, interface.packets)));
        }
    }

    /// Options and their values, without padding.
    fn texts<'a>(&self, part: Option<&'a [u8]>) -> impl Iterator<Item = (OptionCode, &'a [u8])> {
        self.options(part).map_while(Result::ok).filter_map(|option| match option.value {
            Cow::Borrowed(value) => Some((option.code, value.get(..option.len.into()).unwrap_or(value))),
            Cow::Owned(_) => None,
        })
    }
}

/// Bytes of an interface's name that are shown beside connections.
const MAX_NAME: usize = 64;
