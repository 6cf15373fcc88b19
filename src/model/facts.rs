//! What captures told of themselves, kept within bounds.

use super::fact::{Counters, Fact, Format};
use super::mark::PacketNo;
use super::packet::LinkType;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What captures told of themselves. Texts are as they stand there, cut at [`Self::TEXT`] bytes; not escaped.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The captures, in the order in which they were named; those beyond [`Self::FILES`] are missing.
    pub files: Vec<FileFacts>,
    /// Names of addresses.
    pub names: BTreeMap<IpAddr, Vec<String>>,
    /// Comments on packets.
    pub comments: BTreeMap<PacketNo, Vec<String>>,
    /// Comments and names that were not kept.
    pub left_out: u64,
    texts: usize,
}

/// What one capture told of itself.
#[derive(Debug, Clone, Default)]
pub struct FileFacts {
    /// Its name, where there are several.
    pub name: Option<Arc<str>>,
    /// How it is written, and in which other ways, where captures were joined; nothing before that is known.
    pub formats: Vec<Format>,
    /// The machine that wrote it.
    pub hardware: Option<String>,
    /// Its operating system.
    pub os: Option<String>,
    /// The program.
    pub application: Option<String>,
    /// Its interfaces, of all sections; those beyond [`Facts::INTERFACES`] are missing.
    pub interfaces: Vec<InterfaceFacts>,
    /// How many interfaces are missing.
    pub more_interfaces: u64,
    /// Comments on its sections and interfaces.
    pub comments: Vec<String>,
    /// Key logs in it.
    pub secrets: u64,
    /// Where the interfaces of the last section begin.
    section: usize,
}

/// What packets were captured on.
#[derive(Debug, Clone)]
pub struct InterfaceFacts {
    /// What its packets begin with.
    pub link: LinkType,
    /// Bytes of a packet that are captured at most; 0: all.
    pub snaplen: u32,
    /// How long a tick of its clock is, as `if_tsresol` has it: 10⁻ⁿ seconds, or 2⁻ⁿ with the top bit set.
    pub resolution: u8,
    /// `eth0`.
    pub name: Option<String>,
    /// What it is called besides.
    pub description: Option<String>,
    /// The capture filter.
    pub filter: Option<String>,
    /// The operating system of the machine that it belongs to.
    pub os: Option<String>,
    /// How many of its packets the capture has, once its section has ended.
    pub packets: Option<u64>,
    /// What it counted.
    pub counters: Option<Counters>,
}

impl Facts {
    /// Captures of which facts are kept.
    pub const FILES: usize = 4096;
    /// Interfaces of one capture that are kept.
    pub const INTERFACES: usize = 1024;
    /// Comments on packets, and names, that are kept.
    pub const ROWS: usize = 1 << 16;
    /// Names of one address that are kept.
    pub const NAMES: usize = 16;
    /// Bytes kept of one text.
    pub const TEXT: usize = 4 << 10;
    /// Bytes kept of all comments and names.
    pub const TEXTS: usize = 4 << 20;

    /// Adds what the capture at that place told.
    pub fn add(&mut self, file: usize, fact: &Fact<'_>) {
        if file >= Self::FILES {
            return;
        }
        if self.files.len() <= file {
            self.files.resize_with(file + 1, FileFacts::default);
        }
        match *fact {
            Fact::Name(address, name) => {
                let known = self.names.get(&address).map_or(&[][..], Vec::as_slice);
                if known.contains(&kept(name)) {
                    return;
                }
                let rows = if known.len() < Self::NAMES { self.names.len() } else { Self::ROWS };
                if let Some(name) = self.text(name, rows) {
                    self.names.entry(address).or_default().push(name);
                }
            }
            Fact::Comment(_, text) if may_hold_secret(text) => {}
            Fact::Comment(Some(packet), text) => {
                if let Some(text) = self.text(text, self.comments.len()) {
                    self.comments.entry(packet).or_default().push(text);
                }
            }
            Fact::Comment(None, text) => {
                let text = self.text(text, 0);
                self.files.get_mut(file).into_iter().for_each(|file| file.comments.extend(text.clone()));
            }
            _ => self.files.get_mut(file).into_iter().for_each(|file| file.add(fact)),
        }
    }

    /// A text that is kept beside others.
    fn text(&mut self, text: &[u8], rows: usize) -> Option<String> {
        let text = kept(text);
        if rows >= Self::ROWS || self.texts + text.len() > Self::TEXTS {
            self.left_out += 1;
            return None;
        }
        // An empty one takes room as well.
        self.texts += text.len() + 64;
        Some(text)
    }

    /// Packets that interfaces or their systems say to have dropped; `None` when none counted them.
    pub fn dropped(&self) -> Option<u64> {
        let counters = self.files.iter().flat_map(|file| &file.interfaces).filter_map(|row| row.counters);
        let dropped = counters.flat_map(|counters| [counters.dropped, counters.os_dropped]).flatten();
        dropped.fold(None, |sum, more| Some(sum.unwrap_or(0_u64).saturating_add(more)))
    }
}

impl FileFacts {
    fn add(&mut self, fact: &Fact<'_>) {
        match *fact {
            Fact::File(name) => self.name = Some(name.into()),
            Fact::Format(format) => {
                self.begin_section();
                // There are few: names, byte orders and compressions that we know.
                if !self.formats.contains(&format) {
                    self.formats.push(format);
                }
            }
            Fact::Writer(writer) => {
                self.begin_section();
                let told = [
                    (&mut self.hardware, writer.hardware),
                    (&mut self.os, writer.os),
                    (&mut self.application, writer.application),
                ];
                for (known, told) in told {
                    *known = told.map(kept).or_else(|| known.take());
                }
            }
            Fact::Interface(row) if self.interfaces.len() < Facts::INTERFACES => self.interfaces.push(InterfaceFacts {
                link: row.link,
                snaplen: row.snaplen,
                resolution: row.resolution,
                name: row.name.map(kept),
                description: row.description.map(kept),
                filter: row.filter.map(kept),
                os: row.os.map(kept),
                packets: None,
                counters: None,
            }),
            Fact::Interface(_) => self.more_interfaces += 1,
            Fact::Packets(number, packets) => {
                if let Some(row) = self.interface(number) {
                    row.packets = Some(packets);
                }
            }
            Fact::Counters(number, counters) => {
                if let Some(row) = self.interface(number) {
                    row.counters = Some(counters);
                }
            }
            Fact::Secrets => self.secrets += 1,
            Fact::Name(..) | Fact::Comment(..) => {}
        }
    }

    fn begin_section(&mut self) {
        self.section = self.interfaces.len() + usize::try_from(self.more_interfaces).unwrap_or(usize::MAX);
    }

    /// An interface of the last section.
    fn interface(&mut self, number: u32) -> Option<&mut InterfaceFacts> {
        self.interfaces.get_mut(self.section.saturating_add(number as usize))
    }
}

/// What is kept of a text.
fn kept(text: &[u8]) -> String {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    String::from_utf8_lossy(text.get(..Facts::TEXT).unwrap_or(text)).into_owned()
}

/// Whether a key log may stand in a comment, as some tools put it there: such a one is not shown.
fn may_hold_secret(text: &[u8]) -> bool {
    const LABELS: [&[u8]; 2] = [b"client_random", b"_secret"];
    const MASTER_SECRET: usize = 96;
    let text = text.to_ascii_lowercase();
    LABELS.iter().any(|label| memchr::memmem::find(&text, label).is_some())
        || text.split(|byte| !byte.is_ascii_hexdigit()).any(|digits| digits.len() >= MASTER_SECRET)
}

#[cfg(test)]
mod tests {
    use super::super::fact::{Interface, Writer};
    use super::*;

    fn comments(text: &str) -> Vec<String> {
        let mut facts = Facts::default();
        facts.add(0, &Fact::Comment(None, text.as_bytes()));
        facts.add(0, &Fact::Comment(Some(PacketNo(7)), text.as_bytes()));
        let of_packet = facts.comments.into_values().flatten();
        facts.files.into_iter().flat_map(|file| file.comments).chain(of_packet).collect()
    }

    #[test]
    fn no_key_log_is_shown_as_a_comment() {
        assert_eq!(comments("captured on a Tuesday, sha256 abababab"), ["captured on a Tuesday, sha256 abababab"; 2]);
        let secret = |label: &str, digits| format!("see: {label} {}", "ab".repeat(digits));
        assert_eq!(comments(&secret("CLIENT_RANDOM", 32)), [""; 0]);
        assert_eq!(comments(&secret("client_traffic_secret_0", 32)), [""; 0]);
        assert_eq!(comments(&secret("EXPORTER_SECRET", 32)), [""; 0]);
        assert_eq!(comments(&secret("RSA 0011223344556677", 48)), [""; 0]);
    }

    #[test]
    fn interfaces_are_those_of_their_section() {
        let mut facts = Facts::default();
        for (section, packets) in [(0, 3), (1, 5)] {
            facts.add(0, &Fact::Writer(Writer::default()));
            for link in [1, 101] {
                facts.add(0, &Fact::Interface(Interface::new(LinkType(link + section), 0, 6)));
            }
            facts.add(0, &Fact::Packets(1, packets));
        }
        let rows = facts.files[0].interfaces.iter().map(|row| (row.link.0, row.packets));
        assert_eq!(rows.collect::<Vec<_>>(), [(1, None), (101, Some(3)), (2, None), (102, Some(5))]);
    }

    #[test]
    fn names_are_kept_once_and_not_without_end() {
        let mut facts = Facts::default();
        for n in 0..40 {
            facts.add(0, &Fact::Name([10, 0, 0, 1].into(), format!("n{}", n % 20).as_bytes()));
        }
        assert_eq!((facts.names.values().next().unwrap().len(), facts.left_out), (Facts::NAMES, 8));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut facts = Facts::default();
        let long = vec![b'x'; 64 << 10];
        for n in 0..2000_u64 {
            facts.add(0, &Fact::Comment(Some(PacketNo(n)), &long));
            facts.add(0, &Fact::Interface(Interface::new(LinkType(1), 0, 6)));
        }
        let kept: usize = facts.comments.values().flatten().map(String::len).sum();
        assert!(kept <= Facts::TEXTS && kept > Facts::TEXTS / 2, "{kept}");
        assert_eq!(facts.left_out, 2000 - facts.comments.len() as u64);
        assert_eq!((facts.files[0].interfaces.len() as u64, facts.files[0].more_interfaces), (1024, 976));
    }
}
